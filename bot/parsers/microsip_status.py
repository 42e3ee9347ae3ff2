"""What the user says that MicroSIP's status bar says: a label as it stands there, or the words people use.

    Request Timeout · Тайм-аут запроса · taym-aut chiqyapti · 408 · login oynasi ochilaveradi

Only a short message that reports it counts; a question about it, a denial, or the output of another tool does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.model import Context, Finding, Kind, Reading, Tag
from bot.parsers.microsip_status_words import (
    CODE_LABELS,
    CODES,
    COMMON,
    FILLERS,
    NOT_A_REPORT,
    REPORTS,
    SPOKEN,
    STATUS_LABELS,
    WHY,
    StatusLabel,
)
from bot.parsers.page import Claim, Page

__all__ = ["STATUS_LABELS", "StatusLabel", "parse", "status_finding"]

_MAX_WORDS = 24
_MAX_CLAUSE = 12
_MAX_LINES = 6
_MAX_STRANGE = 3  # words of no known use beside a label that proves itself

_TAGS = {
    "timeout": Tag.PHONE_SAYS_TIMEOUT,
    "no_server": Tag.PHONE_SAYS_NO_SERVER,
    "unavailable": Tag.PHONE_SAYS_UNAVAILABLE,
    "wrong_password": Tag.PHONE_SAYS_WRONG_PASSWORD,
    "not_found": Tag.PHONE_SAYS_NOT_FOUND,
    "server_error": Tag.PHONE_SAYS_SERVER_ERROR,
    "online": Tag.PHONE_ONLINE,
    "connecting": Tag.PHONE_CONNECTING,
    "idle": Tag.PHONE_SAYS_IDLE,
    "no_account": Tag.PHONE_SAYS_NO_ACCOUNT,
    "offline": Tag.PHONE_SAYS_OFFLINE,
    "no_network": Tag.PHONE_SAYS_NO_NETWORK,
    "sockets_failed": Tag.PHONE_SOCKETS_FAILED,
    "other_code": Tag.PHONE_SAYS_OTHER_CODE,
}

_APOSTROPHES = str.maketrans(dict.fromkeys("ʻʼ’‘`´ʹ′＇", "'") | {"ё": "е", "\u00a0": " "})
_CYRILLIC = "а б в г д е з и й к л м н о п р с т у ф х ъ э ы ў қ ғ ҳ ж ч ш щ ц ю я ё"
_LATINISED = "a b v g d e z i y k l m n o p r s t u f x ' e i o' q g' h j ch sh sh ts yu ya yo"
_PAIRS = zip(_CYRILLIC.split(" "), _LATINISED.split(" "), strict=True)
_LATIN = str.maketrans({**dict(_PAIRS), "ь": ""})
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*'?")
_CLAUSE = re.compile(r"[,;!?\n]+|\.(?:\s|$)|\s[-–—]\s|\b(?:lekin|ammo|keyin|но|потом|but|then)\b")
_WHAT_TO_DO = re.compile(
    r"\b(?:nima\s+qil\w*(?:\s+kerak|\s+bo'ladi)?|нима\s+қил\w*(?:\s+керак)?|что\s+(?:мне\s+)?делать|как\s+быть|"
    r"what\s+(?:to\s+do|should\s+i\s+do)|yordam\s+ber\w*|ёрдам\s+бер\w*|помогите|help\s+me|iltimos)\b"
)
# Signs of a tool's output, a path or a setting: not somebody telling what he sees.
_OUTPUT = re.compile(r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d|[=$#\\{}<>|]|icmp|bytes|\bttl\b|://|\bsudo\b|;;|\w:\w|timed out")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that mean a status; `common` if they prove it only when nothing strange stands beside them."""

    words: tuple[str, ...]
    status: str
    language: str | None  # None: a bare number
    label: str
    code: int | None
    common: bool


def parse(page: Page, context: Context) -> list[Claim]:
    """One claim for the whole message, or none. The last status wins: 'avval ulanmoqda, keyin taym-aut'."""
    lines = [number for number, line in enumerate(page.lines) if line.strip()]
    if not lines or len(lines) > _MAX_LINES or len(page.text) > 400:
        return []
    text = page.text.casefold().translate(_APOSTROPHES)
    if len(_WORD.findall(text)) > _MAX_WORDS or _OUTPUT.search(text):
        return []
    reading = None
    for clause, asked in _clauses(text):
        reading = _read(clause, asked) or reading
    return [Claim(lines[0], lines[-1], reading)] if reading else []


def status_finding(status: str, code: int | None = None) -> Finding:
    """The finding of a status of STATUS_LABELS, for a pressed button. KeyError: no such status."""
    return Finding(_TAGS[status], {"code": code} if status == "other_code" else {})


def _clauses(text: str) -> Iterator[tuple[str, bool]]:
    """The clauses of a message, and whether each one ends with a question mark."""
    at = 0
    text = _WHAT_TO_DO.sub("\n", text)
    for cut in _CLAUSE.finditer(text):
        yield text[at : cut.start()], "?" in cut[0]
        at = cut.end()
    yield text[at:], False


def _read(clause: str, asked: bool) -> Reading | None:
    words = _WORD.findall(clause)
    if not words or len(words) > _MAX_CLAUSE:
        return None
    number = _numbered(clause)
    if number is not None:
        return _reading(_of_code(number))
    latin = [word.translate(_LATIN) for word in words]
    for phrase in _PHRASES:
        spoken = latin if phrase.language == "uz" else words
        at = _position(phrase.words, spoken)
        if at is not None and _reports(phrase, spoken[:at] + spoken[at + len(phrase.words) :], asked):
            return _reading(phrase)
    return _bare_code(words, asked)


def _reading(phrase: Phrase) -> Reading:
    facts = {"label": phrase.label, "language": phrase.language, "code": phrase.code}
    return Reading(Kind.MICROSIP_STATUS, None, phrase.status, facts, (status_finding(phrase.status, phrase.code),))


def _numbered(clause: str) -> int | None:
    for label in CODE_LABELS:
        match = re.search(rf"{label}\s*:?\s*(\d{{3}})(?!\d)", clause)
        if match:
            return int(match[1])
    return None


def _of_code(code: int) -> Phrase:
    return Phrase((str(code),), CODES.get(code, "other_code"), None, str(code), code, True)


def _bare_code(words: list[str], asked: bool) -> Reading | None:
    codes = [word for word in words if word.isascii() and word.isdigit() and int(word[:4]) in CODES]
    rest = [word.translate(_LATIN) for word in words if word not in codes]
    if len(codes) != 1 or asked or not set(rest) <= _FILLERS:
        return None
    return _reading(_of_code(int(codes[0])))


def _position(phrase: tuple[str, ...], words: list[str]) -> int | None:
    for at in range(len(words) - len(phrase) + 1):
        if all(map(_same, phrase, words[at : at + len(phrase)])):
            return at
    return None


def _same(wanted: str, word: str) -> bool:
    if wanted.endswith("*"):
        return word.startswith(wanted[:-1])
    return word == wanted or (word.startswith(wanted) and word[len(wanted) :].strip("'") in _ENDINGS)


# Uzbek endings that people hang on a label: "timeoutga tushyapti".
_ENDINGS = frozenset(("i", "ni", "ga", "da", "dan", "ku", "di", "li", "lik", "deb"))
_FILLERS = FILLERS | frozenset(word.translate(_LATIN) for word in FILLERS)
_VETO = NOT_A_REPORT | frozenset(word.translate(_LATIN) for word in NOT_A_REPORT if len(word) > 3)


def _reports(phrase: Phrase, rest: list[str], asked: bool) -> bool:
    """Does the clause tell that this is what MicroSIP says?"""
    telling = not REPORTS.isdisjoint(rest)
    if any(word in _VETO or _hypothetical(word) for word in rest):
        return False
    if (asked or not WHY.isdisjoint(rest)) and not telling:
        return False
    strange = [word for word in rest if word not in _FILLERS and word not in WHY and word != str(phrase.code)]
    return not strange if phrase.common else len(strange) <= _MAX_STRANGE


def _hypothetical(word: str) -> bool:
    """Uzbek questions end in -mi, conditions in -sa."""
    return len(word) > 3 and word.endswith(("mi", "sa", "sam", "masin")) and word not in _FILLERS


def _words(label: str) -> tuple[str, ...]:
    label = label.casefold().translate(_APOSTROPHES)
    return tuple(word + ("*" if f"{word}*" in label else "") for word in _WORD.findall(label))


def _phrases() -> Iterator[Phrase]:
    for status, labels in STATUS_LABELS.items():
        for label in labels if status != "no_account" else ():  # its label is the program's name: proves nothing
            for language, text in (("en", label.en), ("ru", label.ru), ("uz", label.uz)):
                if text:
                    words = _words(text.partition(". ")[0])  # clauses are read one by one
                    yield Phrase(words, status, language, text, label.code, " ".join(words) in COMMON)
    for status, spoken in SPOKEN.items():
        code = STATUS_LABELS[status][0].code
        for text in spoken:
            language = "ru" if re.search("[а-я]", text) else "en" if text.isascii() and _english(text) else "uz"
            yield Phrase(_words(text), status, language, text.replace("*", ""), code, text in COMMON)


def _english(text: str) -> bool:
    return not re.search(
        r"parol|oyna|topil|server(?:ni|da)|taym|vaqt|yo'q|emas|ulan|bog'|so'ra|yoz|tur\*|xizmat|lay", text
    )


_PHRASES = tuple(sorted(_phrases(), key=lambda phrase: -len(phrase.words)))
