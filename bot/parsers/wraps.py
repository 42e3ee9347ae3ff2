"""Where lines of a paste really end: narrow terminals cut lines, messengers lose line breaks.

Reply from 69.62.127.9: bytes=32 time=10        cut at 40 columns, within a word
3ms TTL=50
"""

from __future__ import annotations

import re
from itertools import pairwise

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
    r"|(?:UNCONN|LISTEN|ESTAB) {1,8}\d{1,9} {1,8}\d"
    r"|(?:udp|tcp)[46]? {1,8}(?:UNCONN|LISTEN|ESTAB|\d+ {1,8}\d+ )"
    r"|(?:UDP|TCP) {1,8}[\d.\[*][^ ]{0,45}:\d{1,5} "
)
_PROMPT = r"[\w.-]{1,32}@[\w.-]{1,64}:[~/][^\s#$]{0,60}[#$] |(?:PS )?[A-Z]:\\[^<>|\"*?\n]{0,80}>"
_RECORD_START = re.compile(rf"[ \t]*(?:{_RECORD})")
_RECORD_INSIDE = re.compile(
    rf"(?<=[\s}}])(?<!\| )(?=[\w{{:[-])(?={_RECORD}|{_PROMPT})"
)  # not between pm2's '0|name | ' and its line
_LONG = 120  # no line of these tools that is not a log record is longer

# More line starts that no continuation has (it goes on with a number, a lone word, a rest of a word).
_FRESH = re.compile(
    r"[ \t]*(?:Reply from|Request timed|PING |Pinging |Ping |\d+ bytes from|\d+ packets|From \S+ icmp|---|"
    r"rtt |round-trip|Packets:|Minimum|Approximate|Ответ от|Превышен|Обмен|Статистика|Пакетов:|Минимальное|"
    r"Server:|Address(?:es)?:|Name:|Aliases:|Non-auth|\*\*\*|\*\* |;|DNS request|timeout was|"
    r"\d{1,2}(?:\.\|--|:)? {1,4}(?:[\d<*]|[\w.-]+ \()|[A-Z]:\\|PS [A-Z]:|[\w.-]+@[\w.-]+:|"
    r"Status:|Logging:|Default:|To  |-- |table |chain |[}{]|"
    r"(?:Netid +)?State +Recv-Q|Proto +(?:Recv-Q|Local)|Active (?:Internet )?[Cc]onnections|COMMAND +PID)"
)
_LABEL = re.compile(r"[ \t]*[\w-][\w ()-]{1,30}?\s{0,9}: ")  # 'Key : value', or the rest of a cut sentence


def _starts(line: str, label: bool = True) -> bool:
    return bool(_RECORD_START.match(line) or _FRESH.match(line) or (label and _LABEL.match(line)))


def _wrap(lines: list[str]) -> tuple[int, bool] | None:
    """(width, between words) of the wrap that surely made these lines, else None."""
    second, widest = sorted(map(len, lines))[-2:]
    pairs = list(pairwise(lines))
    for width in _COLUMNS:
        if second > width:
            continue  # one line of chat may not have gone through the terminal, more are no wrap
        full = [_starts(after, label=False) for line, after in pairs if len(line) == width and after.strip()]
        soft = [_starts(after) for line, after in pairs if len(line) < width and _breaks_at(line, after, width)]
        on_full, on_soft = full.count(False), soft.count(False)
        if widest == width and full and on_full * 2 > len(full):
            return width, on_soft >= on_full  # a word wrap seldom fills a line, a cut always does
        if widest > width and len(full) >= 3 and on_full * 2 > len(full):
            return width, False
        if widest <= width and len(soft) >= 2 and on_soft * 4 >= 3 * len(soft):
            return width, True
    return None


def _breaks_at(line: str, following: str, width: int) -> bool:
    """Whether a word wrap at `width` would have broken exactly here."""
    room = width - len(line)
    if not 0 <= room < width - 8 or room > len(following) or not line.strip():
        return False
    first = following.split(None, 1)
    return bool(first) and room - 1 < len(first[0])


def unwrap(lines: list[str]) -> list[str]:
    """The lines with clear wraps at 40 or 80 columns undone. Anything doubtful stays as it is."""
    if len(lines) < 2 or (wrap := _wrap(lines)) is None:
        return lines
    width, between_words = wrap
    joined: list[str] = [lines[0]]
    for before, line in pairwise(lines):
        if not line.strip() or _starts(line, label=between_words):
            joined.append(line)
        elif len(before) == width and not between_words:
            joined[-1] += line
        elif between_words and not line.startswith("  ") and _breaks_at(before, line, width):
            joined[-1] += " " + line.lstrip()
        else:
            joined.append(line)
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
