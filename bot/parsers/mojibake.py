"""What text was meant when its bytes were read in the wrong code page: `╤хЁтхЁ` is `Сервер`, `ÐžÑ‚` is `От`.

Works on runs of non-ASCII characters, because ASCII survives every code page that is met. A run is exchanged
only where the other reading looks surely more like a language; a wrong guess would cost more than none.
"""

from __future__ import annotations

import codecs
import re
from itertools import accumulate

_RUN = re.compile("[^\x00-\x7f\u2000-\u200f\u2028-\u202f\u2060\u3000\ufeff]+")
_MAX_LEN = 64  # characters of one run that are weighed; the rest follows
_MAX_WEIGHED = 8192  # characters of distinct runs: hostile input stops being repaired, not being read

# Russian letters from the most to the least frequent; a code page mistake turns the frequent into the rare.
_FREQUENCY = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
_UZBEK = "ўқғҳ"
_LATIN = "àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿąćčęěğıłńňřśşšůźżžßőűāēīūğ"


def _weights() -> dict[str, float]:
    weight = {letter: 1.0 - 0.02 * rank for rank, letter in enumerate(_FREQUENCY)}
    weight |= dict.fromkeys(_UZBEK, 0.3)
    weight |= {letter.upper(): value - 0.15 for letter, value in list(weight.items())}
    weight |= dict.fromkeys(_LATIN + _LATIN.upper(), 0.25)
    weight |= dict.fromkeys("«»№“”„‘’–—…ʻʼ°·•→←\u00a0", 0.1)  # typography is neutral
    weight["\ufffd"] = 0.0
    return weight


_WEIGHT = _weights()
_FOREIGN = re.compile("[\u0400-\u052f\u2e80-\u9fff\uac00-\ud7af\u0590-\u06ff\u3040-\u30ff]")
_SUSPICIOUS = re.compile(  # anything but plain Cyrillic words and Western letters standing alone
    "[^\u00a0а-яА-ЯёЁўқғҳЎҚҒҲʻʼ«»№“”„‘’–—…•→\u2e80-\u9fff\uac00-\ud7af\u3040-\u30ff]|[а-яё][А-ЯЁ]|[ёЁ]"
)


def _encoder(code_page: str) -> dict[int, str]:
    """Character → the byte's latin-1 character; bytes that the code page leaves open stand for themselves."""
    table: dict[int, str] = {}
    for byte in range(0x80, 0x100):
        shown = bytes([byte]).decode(code_page, "ignore")
        table[ord(shown) if shown else byte] = chr(byte)
    return table


_SHOWN = {page: _encoder(page) for page in ("cp866", "cp1251", "cp1252", "cp437", "cp850")}
_NOT_LATIN1 = re.compile(r"[^\x00-\xff]")
# (shown as, meant): the first are the most usual, so they win ties
_PAIRS = (
    ("cp1251", "utf-8"),
    ("cp866", "utf-8"),
    ("cp1252", "utf-8"),
    ("cp866", "cp1251"),
    ("cp1251", "cp866"),
    ("cp1252", "cp1251"),
    ("cp1252", "cp866"),
    ("cp437", "utf-8"),
    ("cp850", "utf-8"),
    ("cp437", "cp866"),
)
_MEANT = {name: codecs.getdecoder(name) for name in ("utf-8", "cp1251", "cp866")}


def _likeness(run: str) -> float:
    """How much a run looks like a language: mean weight, below zero for symbols and frames."""
    total, before = 0.0, ""
    for char in run:
        weight = _WEIGHT.get(char)
        if weight is None:
            weight = 0.3 if _FOREIGN.match(char) and not "\u0400" <= char <= "\u045f" else -0.8
        elif before and char.isupper() and before.islower():
            weight = -0.8  # no language has capitals inside a word
        total += weight
        before = char
    return total / len(run)


def _meant(run: str, shown: str, meant: str) -> str | None:
    """The run's bytes under `shown`, read as `meant`; None when the run cannot come from there."""
    octets = run.translate(_SHOWN[shown])
    octets = octets.replace("\ufffd", "\0")  # a lost byte keeps its place
    if _NOT_LATIN1.search(octets):
        return None
    if meant != "utf-8":
        return _MEANT[meant](octets.encode("latin-1"), "replace")[0].replace("\0", "\ufffd")
    text = _MEANT[meant](octets.encode("latin-1"), "replace")[0]
    text = text.replace("\ufffd\0", "\ufffd").replace("\0", "\ufffd")
    # UTF-8 that decodes is its own proof; a few lost bytes are forgiven
    return text if text.count("\ufffd") * 2 <= len(text) else None


def _better(run: str, sure: frozenset[tuple[str, str]]) -> tuple[str, tuple[str, str]] | None:
    """(text, pair) of the reading that gains most. A pair must convince alone, unless it is in `sure`."""
    letters = len(run) - run.count("\u00a0")  # one byte of many code pages, but mostly just a space
    if letters * 2 <= len(run):
        return None
    now, best, best_gain = _likeness(run), None, 0.0
    for pair in _PAIRS:
        text = _meant(run, *pair)
        if not text:
            continue
        like = _likeness(text)
        gain = like - now
        proven = pair[1] == "utf-8" and "\ufffd" not in text and len(text) < len(run) and like > 0
        strong = (gain >= 0.5 and like >= 0.4 and letters >= 3) or (proven and (letters >= 3 or run[0] in "ÃÄÅ"))
        weak = gain > 0.1 and (pair in sure or (proven and bool(sure)))
        if (strong or weak) and gain > best_gain:
            best, best_gain = (text, pair), gain
    return best


def repair(text: str) -> str:
    """The text with every surely mistaken run exchanged; line breaks and ASCII are never touched."""
    if text.isascii():
        return text
    found = dict.fromkeys(run for run in _RUN.findall(text) if len(run) <= _MAX_LEN)
    runs = [run for run, so_far in zip(found, accumulate(map(len, found)), strict=True) if so_far <= _MAX_WEIGHED]
    known: dict[str, str] = {}
    sure: set[tuple[str, str]] = set()
    for run in runs:
        if _SUSPICIOUS.search(run) and (better := _better(run, frozenset())):
            known[run] = better[0]
            sure.add(better[1])
    for run in runs if sure else ():  # short runs believe what the long ones proved
        if run not in known and (better := _better(run, frozenset(sure))):
            known[run] = better[0]
    if not known:
        return text
    return _RUN.sub(lambda found: known.get(found[0], found[0]), text)


_MAX_BYTES = 262144  # of each end of a file; a page looks at less


def _mean(runs: list[str]) -> float:
    likes = [_likeness(run) * len(run) for run in runs]
    return sum(likes) / (sum(map(len, runs)) or 1)


def decode(content: bytes) -> str:
    """A file's text: UTF-16 with or without its mark, UTF-8, else the code page that looks most like a language."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _ends(content, 2).decode("utf-16", "replace")
    even, odd = content[:2000:2].count(0), content[1:2000:2].count(0)
    if odd * 10 > len(content[:2000]) and even * 4 < odd:
        return _ends(content, 2).decode("utf-16-le", "replace")
    if even * 10 > len(content[:2000]) and odd * 4 < even:
        return _ends(content, 2).decode("utf-16-be", "replace")
    content = _ends(content.removeprefix(codecs.BOM_UTF8), 1)
    text = content.decode("utf-8", "replace")
    high = sum(map(len, re.findall(rb"[\x80-\xff]+", content[:65536])))
    if text.count("\ufffd") * 8 <= high:  # a cut character at an end is forgiven
        return text
    readings = [content.decode(page, "replace") for page in ("cp1251", "cp866", "cp1252")]
    return max(readings, key=lambda reading: _mean(list(dict.fromkeys(_RUN.findall(reading[:65536])))[:200]))


def _ends(content: bytes, unit: int) -> bytes:
    half = _MAX_BYTES // unit * unit
    return content if len(content) <= 2 * half else content[:half] + content[-half - len(content) % unit :]
