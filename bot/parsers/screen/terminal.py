"""A picture of a console as text: lines in reading order, with what OCR confuses put right.

C:\\Users\\PC>ping call.soundz.uz
Reply from 69.62.127.9: bytes=32 time=3ms TTL=54
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.model import Context, Reading
from bot.parsers import read_text
from bot.parsers.screen import spots
from bot.parsers.screen.ocr import Pixels
from bot.parsers.screen.spots import Spot

_CONSOLE = re.compile(
    r"nslookup|\bping\b|TTL\s*=|bytes\s*=\s*32|[A-Z]:\\Users|Address(?:es)?:|timed\s*out|tracert|traceroute|"
    r"64\s*bytes\s*from|PS\s[A-Z]:\\|root@|[~$#]\s*(?:ping|dig|nslookup)|\d\s*ms\b.*\d\s*ms\b|"
    r"^[A-ZС]:\s?\\|Обмен пакетами|Ответ от \d|Пакетов: отпр|число байт|\d% потерь|Превышен[о ]|"
    r"не удалось (?:найти|обнар)",
    re.IGNORECASE,
)
_LATIN_ONLY = re.compile(r"^[A-Z]:\\|Address|Reply from|Request timed|Pinging|Packets: Sent|Ping statistics")
_COMMAND = re.compile(r">\s?(?:ping|nslookup|tracert)\s?[a-z0-9]")
_MARK = re.compile(r"[A-Z]:\\|TTL\s?=|bytes\s?=|Reply from|Pinging|Address|timed out|Server:|Sent =|Minimum")
_ANSWERS = re.compile(r"\s*(?:Name|Имя|Pinging|Обмен пакетами)")
# what a failure of nslookup begins with: three stars, or a sign or four that OCR made of them
_STARS = re.compile(
    r"^\s*(?:\*\S{0,3}\s*|\S{1,4}\s+)?(?=(?:\S+\s){1,4}(?:can.?t find|не удалось найти)\s|Request to \S+ timed|"
    r"Превышено время)"
)
# the sentence ends with the name and a dot, which OCR may see as other marks
_NO_SUCH_HOST = re.compile(r"((?:обнаружить узел|could not find host)\s+[\w.-]*\w)[^\w\s]+\s*$", re.IGNORECASE)
_CYRILLIC = re.compile("[А-Яа-яЁё]{3}")
LINES_MAX = 80


def console(lines: Sequence[Spot]) -> bool:
    """Does this look like a console's text?"""
    return sum(bool(_CONSOLE.search(line.text)) for line in lines) >= 2


def plainly_console(lines: Sequence[Spot]) -> bool:
    """Is it a console beyond doubt? Then nobody looks for captions any more."""
    return sum(bool(_MARK.search(line.text)) for line in lines) >= 3


def read_terminal(image: Pixels, lines: Sequence[Spot], context: Context) -> tuple[Reading, ...]:
    """Readings of the console's text; () when none of it is known."""
    if not console(lines):
        return ()
    return read_text(text_of(image, lines, context), context)


def text_of(image: Pixels, lines: Sequence[Spot], context: Context) -> str:
    """The console's text, line by line from the top; pieces of one line are joined from the left."""
    window = _window(lines)
    rows: list[list[Spot]] = []
    for line in sorted(window, key=lambda one: one.y - one.x * _tilt(window)):
        level = line.y - line.x * _tilt(window)
        if rows and abs(level - (rows[-1][0].y - rows[-1][0].x * _tilt(window))) < 0.45 * line.height:
            rows[-1].append(line)
        else:
            rows.append([line])
    text = []
    for row in rows[:LINES_MAX]:
        row.sort(key=lambda one: one.x)
        text.append(mended(" ".join(_line(image, piece) for piece in row), context))
    return "\n".join(text)


def _tilt(lines: Sequence[Spot]) -> float:
    angles = sorted(line.angle for line in lines if line.width > 4 * line.height)
    return angles[len(angles) // 2] * 0.01745 if angles else 0.0


def _window(lines: Sequence[Spot]) -> list[Spot]:
    """The lines of the console alone: those that begin at its left edge, and what stands right of them."""
    marked = [line for line in lines if _MARK.search(line.text)]
    if not marked:
        return list(lines)
    edges = sorted(line.end(-1)[0] for line in marked)
    edge = edges[len(edges) // 3]
    tall = sorted(line.height for line in marked)[len(marked) // 2]
    return [line for line in lines if line.end(-1)[0] > edge - 3 * tall and 0.5 * tall < line.height < 1.8 * tall]


def _line(image: Pixels, spot: Spot) -> str:
    """One line: the recogniser for Latin and digits, Tesseract for the Cyrillic words between them."""
    latin = spots.read(image, [spot])[0] if spot.cyrillic else spot
    if (_LATIN_ONLY.search(latin.text) and latin.confidence > 0.85) or _COMMAND.search(latin.text):
        return latin.text
    other = spot if spot.cyrillic else spots.read_cyrillic(image, spot)
    if not _CYRILLIC.search(other.text):
        return latin.text
    return _grafted(other, latin)


def _grafted(cyrillic: Spot, latin: Spot) -> str:
    """Tesseract's line with its addresses and numbers as the recogniser saw them at the same place."""
    numbers = [
        (_middle(latin, found.start(), found.end()), found[0]) for found in re.finditer(r"\d[\d.]*\d|\d", latin.text)
    ]
    reach = 1.2 * cyrillic.height / max(cyrillic.width, 1)

    def better(found: re.Match[str]) -> str:
        middle = _middle(cyrillic, found.start(1), found.end(1))
        near = [(abs(at - middle), number) for at, number in numbers if abs(at - middle) < reach]
        if not near:
            return found[0]
        number = min(near)[1]
        if found[1].isdigit() and len(found[1]) > len(number) and number in found[1]:
            return found[0]  # the recogniser lost a digit at a word's edge
        return number if abs(len(number) - len(found[1])) <= 2 else found[0]

    return _SLOT.sub(better, cyrillic.text)


def _middle(spot: Spot, start: int, end: int) -> float:
    places = spot.places[start:end]
    return sum(places) / len(places) if places else -1.0


# a number, or what stands where a number must: 'получено = Ц', 'Минимальное = Змсек'
_SLOT = re.compile(r"(?:(?<==)|(?<==\s)|(?<!\w))(\d[\d.]*\d|\d|(?:(?<==)|(?<==\s))[^\s=,]{1,2}(?=\s?[мm][сc]|,|\s|$))")
_OCTETS = re.compile(r"(?<![\w.])[\dOolISB]{1,3}(?:\s?[.,]\s?[\dOolISB]{1,3}){3}(?![\w.])")
_LETTERS = {"Ц": "4", "З": "3", "О": "0", "O": "0", "o": "0", "б": "6", "В": "8"}
_DIGITS = str.maketrans("OolISB", "001158")


def mended(text: str, context: Context) -> str:
    """A line with OCR's usual slips put right: addresses, 'TTL=', the host, units."""
    text = _OCTETS.sub(lambda m: re.sub(r"\s", "", m[0]).replace(",", ".").translate(_DIGITS), text)
    text = re.sub(r"(?<==\s)[ЦЗОбВOo](?=,|\s|$|\s?мс)|(?<==)[ЦЗОбВ](?=\s?мс)", lambda m: _LETTERS[m[0]], text)
    text = re.sub(r"(?<==\s)0\d(?=,)", "0", text)  # no count begins with 0: the second digit is the comma, seen twice
    text = _STARS.sub("*** ", text)
    text = _NO_SUCH_HOST.sub(r"\1.", text)
    text = re.sub(r"\b[TТ][TТI1l][LЕEЬ]\s*[=-]\s*", "TTL=", text)
    text = re.sub(r"(\d)\s*rns\b", r"\1ms", text)
    text = re.sub(r"\b[B8В]р?p?[eе][mм][aяа]\s*(?=[=<])", "время", text)
    text = re.sub(r"(\d)\s*[mм][cс](?:[eе][kк])?\b", r"\1мс", text)
    text = re.sub(r"\b(ping|nslookup|tracert)(?=\d|[a-z]+\.[a-z]+\.[a-z])", r"\1 ", text)
    text = re.sub(r"([=<])\s*([\dOolI]+)\s*(ms|мс|мсек)\b", lambda m: m[1] + m[2].translate(_DIGITS) + m[3], text)
    dot = r"\s?[.,]\s?" if _ANSWERS.match(text) else r"\s?\.\s?"  # elsewhere a comma may be what was typed
    host = re.escape(context.host).replace(r"\.", dot)
    return re.sub(rf"(?<![\w.-]){host}(?![\w-])", context.host, text, flags=re.IGNORECASE)
