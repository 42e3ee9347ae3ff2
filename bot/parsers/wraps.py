"""Where lines of a paste really end: narrow terminals cut lines, messengers lose line breaks.

Reply from 69.62.127.9: bytes=32 time=10        cut at 40 columns, within a word
3ms TTL=50
"""

from __future__ import annotations

import re

MAX_LINE = 2048  # characters of one line that reach a parser; a longer one is folded, not lost
_COLUMNS = (40, 80)

# How a record of the supported tools begins. Two uses: such a line does not continue the one before it, and a
# very long line is broken before each of them.
_RECORD = (
    r"(?:\d{1,3}\|[\w-]{1,20} {0,4}\| ?)?\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d ?[+-]\d\d:\d\d: "  # pm2
    r"|\d{1,3}\|[\w-]{1,20} {0,4}\| "
    r'|\{"(?:level|message|timestamp|service)":'  # winston
    r"|\d\d:\d\d:\d\d\.\d{3} {1,24}\S{1,24} {1,4}[.!]{0,9}[A-Z]"  # MicroSIP
    r"|Chain [\w.-]{1,32} \((?:policy|\d+ ref)"
    r"|-[APNID] [A-Za-z][\w-]{1,32}\b|:[A-Z]{4,12} (?:ACCEPT|DROP|-) \["
    r"|(?:\d{1,3} {1,8})?(?:\d+[KMG]? {1,8}\d+[KMG]? {1,8})?(?:ACCEPT|DROP|REJECT|RETURN|LOG|DNAT) {1,8}"
    r"(?:all|udp|tcp|icmp|\d{1,3}) {1,8}(?:--|-f|!f) "
    r"|(?:\[ ?\d{1,2}\] )?\d[\d,:]{0,40}(?:/(?:udp|tcp))?(?: \([\w ]{1,20}\)){0,2} {1,24}"
    r"(?:ALLOW|DENY|REJECT|LIMIT)\b"
    r"|(?:udp|tcp)[46]? {1,8}(?:UNCONN|LISTEN|ESTAB|\d+ {1,8}\d+ )"
    r"|(?:UDP|TCP) {1,8}[\d.\[*][^ ]{0,45}:\d{1,5} "
)
_RECORD_START = re.compile(rf"[ \t]*(?:{_RECORD})")
_RECORD_INSIDE = re.compile(
    rf"(?<=[\s}}])(?<!\| )(?=[\d{{:A-Z[tu-])(?={_RECORD})"
)  # not between pm2's '0|name | ' and its line
_LONG = 120  # no line of these tools that is not a log record is longer

# More line starts that no continuation has (it goes on with a number, a lone word, a rest of a word).
_FRESH = re.compile(
    r"[ \t]*(?:Reply from|Request timed|PING |Pinging |Ping |\d+ bytes from|\d+ packets|From \S+ icmp|---|"
    r"rtt |round-trip|Packets:|Minimum|Approximate|Ответ от|Превышен|Обмен|Статистика|Пакетов:|Минимальное|"
    r"Server:|Address(?:es)?:|Name:|Aliases:|Non-auth|\*\*\*|\*\* |;|DNS request|timeout was|"
    r"\d{1,2}(?:\.\|--|:)? {1,4}(?:[\d<*]|[\w.-]+ \()|[A-Z]:\\|PS [A-Z]:|[\w.-]+@[\w.-]+:|[\w-]{2,20} ?: |"
    r"Status:|Logging:|Default:|To  |-- |table |chain |[}{])"
)


def _starts(line: str) -> bool:
    return bool(_RECORD_START.match(line) or _FRESH.match(line))


def _columns(lines: list[str]) -> int | None:
    """The width at which this paste was surely cut, else None."""
    widest = max(map(len, lines), default=0)
    for width in _COLUMNS:
        # tolerate one line of chat that did not go through the terminal
        wider = sum(len(line) > width for line in lines) if widest > width else 0
        full = [n for n, line in enumerate(lines[:-1]) if len(line) == width and lines[n + 1].strip()]
        if wider <= 1 and full and wider * 3 <= len(full):
            going_on = sum(not _starts(lines[n + 1]) for n in full)
            if going_on * 2 > len(full):
                return width
        if widest > width:
            continue
        soft = [n for n in range(len(lines) - 1) if _breaks_at(lines[n], lines[n + 1], width)]
        if len(soft) >= 2 and sum(not _starts(lines[n + 1]) for n in soft) * 4 >= 3 * len(soft):
            return width
    return None


def _breaks_at(line: str, following: str, width: int) -> bool:
    """Whether a word wrap at `width` would have broken exactly here."""
    first = following.split(None, 1)[0] if following.strip() else ""
    room = width - len(line)
    return bool(first) and bool(line.strip()) and 0 <= room < width - 8 and room - 1 < len(first)


def unwrap(lines: list[str]) -> list[str]:
    """The lines with clear wraps at 40 or 80 columns undone. Anything doubtful stays as it is."""
    if len(lines) < 2 or (width := _columns(lines)) is None:
        return lines
    joined: list[str] = []
    tail = 0  # length of the last physical line
    for number, line in enumerate(lines):
        before = lines[number - 1] if number else ""
        if joined and tail == width and line.strip() and not _starts(line):
            joined[-1] += line
        elif joined and _breaks_at(before, line, width) and not _starts(line) and not line.startswith("  "):
            joined[-1] += " " + line.lstrip()
        else:
            joined.append(line)
        tail = len(line)
    return joined


def relined(line: str) -> list[str]:
    """A long line broken where records begin (line breaks were lost), and folded at spaces to MAX_LINE."""
    if len(line) <= _LONG:
        return [line]
    cuts = [found.start() for found in _RECORD_INSIDE.finditer(line)]
    pieces = [line[a:b].rstrip() for a, b in zip([0, *cuts], [*cuts, len(line)], strict=True)] if cuts else [line]
    folded: list[str] = []
    for piece in pieces:
        while len(piece) > MAX_LINE:
            cut = piece.rfind(" ", MAX_LINE // 2, MAX_LINE)
            cut = cut if cut > 0 else MAX_LINE
            folded.append(piece[:cut])
            piece = piece[cut:].lstrip(" ")
        folded.append(piece)
    return folded
