"""Text without its secrets: passwords, tokens, digests and keys out; names, numbers and addresses stay.

    password=0f1e2d3c4b5a6978   becomes   password=[REDACTED]
    parolim 12345abc            becomes   parolim [REDACTED]

Everything that is stored, logged or shown passes here. Too much is taken rather than too little; the words that
the parsers need (`SIP password not available for extension 1002`, `noto'g'ri parol`) are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MARK = "[REDACTED]"

_I = re.IGNORECASE
_S = r"[^\S\r\n]"  # white space within a line
# How the name of a secret begins. Finding these first keeps the slow part away from most of a text.
_STEMS = ("pass", "pwd", "secret", "token", "api", "private", "parol", "парол", "usersd", "users_d", "port")
_KEY = (
    r"(?:passw(?:or)?d|passphrase|passcode|(?<![a-z])pass|(?<![a-z])pwd|secret|token|api[_-]?key|private[_-]?key"
    r"|parol[a-z'ʻʼ’‘`]{0,8}|парол[а-яёўқғҳ]{0,8}|users_?directory|port_?knocker(?:host|ports)?)"
    r"(?:_?hash|_?digest|_?value)?"
)
_SEPARATOR = rf"{_S}{{0,16}}(?:[=:：]|=>){_S}{{0,16}}"
# What may follow 'password:' without being one.
_WORDS = (
    r"(?!(?:null|none|true|false|undefined|empty|required|incorrect|wrong|invalid|not|noto.?g.?ri|xato|bo.?sh|yo.?q"
    r"|kerak|bor|неверн\w{0,4}|неправильн\w{0,4}|нет|есть|пуст\w{0,4}|нотўғри|хато|бўш)(?![\w'ʻʼ’‘]))"
)
# A word that no language has: with a digit, a sign, or a capital after a small letter; no address, no date.
_ODD = (
    r"(?!\d{1,3}(?:\.\d{1,3}){3}(?![\w.])|20\d\d-\d\d|[*•●.]{1,64}(?:\s|$))(?=\S{4})"
    r"(?=\S{0,63}?[0-9@#$%^&*_+!]|\S{0,62}?(?-i:[a-z][A-Z]))\S{1,256}"
)
_QUOTE = r"\\{0,2}[\"'“”]"

# Tried in this order where a key stands; 'keep' stays, the rest goes.
_VALUES = tuple(
    re.compile(rf"(?P<keep>{_KEY}{pattern}", _I)
    for pattern in (
        rf"(?:{_QUOTE})?{_SEPARATOR}(?P<quote>{_QUOTE}))(?:(?!(?P=quote))[^\r\n]){{1,512}}",
        rf"(?:{_QUOTE})?{_SEPARATOR}){_WORDS}[^\s\"'“”\\]\S*",
        rf"{_S}{{0,16}}[=:]?{_S}{{0,16}}\r?\n{_S}{{0,8}})(?!\S{{0,256}}[=:]){_ODD}(?={_S}{{0,16}}(?:[\r\n]|$))",
        rf"{_S}{{1,16}}(?:[-–—]|bu|esa|is|это|бу){_S}{{1,16}}){_WORDS}\S+",
        rf"{_S}{{1,16}}){_ODD}(?:{_S}{{1,16}}{_ODD}){{0,2}}",
    )
)
# What every one of them asks for first: after most words that begin like a key there is no secret.
_NAMED = re.compile(rf"{_KEY}(?=[\s=:：\"'“”\\])", _I)
_OPTION = re.compile(rf"(?<=--)(?P<keep>{_KEY}{_S}{{1,16}})\S+", _I)

# Secrets that are known by other signs: (what a text must contain in small letters, pattern).
_SIGNS = (
    ("private key", re.compile(r"(?P<keep>-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----)[^-]+")),
    (
        "=",  # keys of MicroSIP.ini that hold secrets, with all that stands on their line
        re.compile(
            r"^(?P<keep>[ \t>|]{0,8}(?:password|usersdirectory|portknocker\w{0,20}|cmd\w{1,40})[ \t]{0,8}=[ \t]{0,8})"
            r"[^\s][^\r\n]*",
            _I | re.MULTILINE,
        ),
    ),
    (
        "authorization",
        re.compile(rf"(?P<keep>Authorization{_S}{{0,4}}:{_S}{{0,4}}(?:Bearer|Basic|Token){_S}{{1,4}})\S+", _I),
    ),
    ("stored sip", re.compile(rf"(?P<keep>Stored SIP password[^\r\n:=]{{0,80}}[:=]{_S}{{0,4}})\S+", _I)),
    # digests and challenges (RFC 2617)
    (
        "=",
        re.compile(
            rf"(?P<keep>(?<![a-z])(?:response|c?nonce|opaque){_S}{{0,2}}={_S}{{0,2}}\\{{0,2}}[\"“”])[^\"“”\r\n\\]+",
            _I,
        ),
    ),
    ("nonce=", re.compile(r"(?P<keep>(?<![a-z])c?nonce=)[^\s\"“”,\\]+", _I)),
    ("response=", re.compile(r"(?P<keep>(?<![a-z])response=)[0-9a-f]{32,128}", _I)),
    # sip:user:password@host, scheme://user:password@host, and what the PBX prints of the former
    ("sip", re.compile(r"(?P<keep>sips?:[^\s:@<>\"]{1,64}:)[^\s@<>\"]{1,128}(?=@)", _I)),
    ("://", re.compile(r"(?P<keep>://[^\s:@/<>\"]{0,64}:)[^\s@/<>\"]{1,128}(?=@)")),
    (
        "for ",
        re.compile(r"(?P<keep>(?:challenge|failed|available) for (?:extension )?[^\s:]{1,64}:)[^\s\"]+"),
    ),
    ("disabled:", re.compile(r"(?P<keep>not found or disabled: ?[^\s:]{1,64}:)[^\s\"]+")),
    ("registered from", re.compile(r"(?P<keep>Extension [^\s:]{1,64}:)[^\s\"]+(?= registered)")),
    ("inline:", re.compile(r"(?P<keep>inline:)[^\s|\"]+")),  # SDES key in a=crypto (RFC 4568)
    (":", re.compile(r"(?P<keep>)\d{6,12}:[\w-]{30,}")),  # Telegram; no word boundary: '/bot123:AA…/getMe'
    ("eyj", re.compile(r"(?P<keep>)eyJ[\w-]{8,}(?:\.[\w-]+){0,2}")),  # JWT
    ("$2", re.compile(r"(?P<keep>)\$2[abxy]\$\d\d\$[./A-Za-z0-9]{16,}")),  # bcrypt
)


def redact(text: str) -> str:
    """The text with each secret replaced by MARK. The same again changes nothing. Never raises."""
    small = _small(text)
    for sign, pattern in _SIGNS:
        if sign in small:
            text = pattern.sub(_marked, text)
    return _without_values(text)


def holds_secret(text: str) -> bool:
    """Is there anything that `redact` would take out?"""
    return redact(text) != text


def _marked(found: re.Match[str]) -> str:
    return f"{found['keep']}{MARK}"


def _small(text: str) -> str:
    """In small letters, each at its place ('İ' alone would become two)."""
    return text.replace("İ", "I").lower()


def _without_values(text: str) -> str:
    """Without what stands behind 'password:' and its kin."""
    kept, end = [], 0
    for at in _places(_small(text)):
        if at < end or not _NAMED.match(text, at):
            continue
        found = next((match for pattern in _VALUES if (match := pattern.match(text, at))), None)
        found = found or _OPTION.match(text, at)
        if found:
            kept.append(text[end : found.end("keep")])
            kept.append(MARK)
            end = found.end()
    kept.append(text[end:])
    return "".join(kept)


def _places(small: str) -> Iterator[int]:
    """Where a key may begin, in text order."""
    places = []
    for stem in _STEMS:
        at = small.find(stem)
        while at >= 0:
            places.append(at)
            at = small.find(stem, at + len(stem))
    return iter(sorted(places))
