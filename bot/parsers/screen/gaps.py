"""What the ink itself says of a line of letters, where recognisers guess: is there a space, is that an 'l'?

Recognisers swallow a space after a dot and read 'caII' as 'call', because that is what people write.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from bot.parsers.screen.ocr import Grid, Line, Pixels

WIDE = 0.19  # of the letters' height (ascender to descender): a gap this wide is a space
DOUBT = 0.135  # the widest gap inside a right host measured on screenshots was 0.125
PITCH = 1.3  # digits stand at one pitch: one this much wider than the narrowest holds a space
TALL = "bdhkl"  # letters that reach the same height in every font; a capital I often does not
# of the small letters' height, between letters at the height of an 'x': of 500 right hosts on screenshots 98 % had
# dots in gaps that differ by less than 0.24; two dots, none, or a space beside one made 0.33 and more
UNEVEN, SMUDGED = 0.28, 1.2  # a difference of gaps as wide as that is a stroke that faded
WIDER = 0.10  # by so much a gap with a dot is wider than one without
SLOPES = tuple(step / 400 for step in range(-24, 25))  # pixels down a pixel to the right
FULLER = 1.005  # by how much a slope's rows must be fuller than the unturned ones
SPECK = 2  # pixels: a row with less ink than that is noise
STEM, SOFT_STEM = 0.45, 0.3  # of full ink above the small letters: a column that dark is a tall letter's
LEVEL = 1.0  # of the strip's 48 pixels in height: as much may the tops of two tall letters differ


def ink(crop: Pixels) -> Grid:
    """How much each pixel is letter, 0..1, for dark letters on light paper or the reverse."""
    gray = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY).astype(np.float32)
    paper = float(np.median(gray))
    away = np.abs(gray - paper)
    top = float(np.percentile(away, 99.3))
    return np.clip(away / max(top, 12.0), 0, 1)


def dark_on_light(crop: Pixels) -> Pixels:
    """The line with letters almost black and paper almost white, whatever they were."""
    gray = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY).astype(np.float32)
    away = gray - float(np.median(gray))
    low, high = (float(value) for value in np.percentile(away, (0.7, 99.3)))
    darker = away if -low >= high else -away
    even = np.clip(250 + 230 * darker / max(-low, high, 12.0), 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(even, cv2.COLOR_GRAY2BGR), np.uint8)


def upright(crop: Pixels) -> Pixels:
    """The line with its letters on one level: what is left of a photo's slant is taken out.

    The right slope is the one at which the rows are emptiest between the lines of letters and fullest in them.
    """
    dark: Grid = ink(crop).astype(np.float32)
    if crop.shape[1] < 2 * crop.shape[0]:  # two or three digits lie level enough
        return crop
    full = {slope: float((_leant(dark, slope, cv2.INTER_LINEAR).sum(1) ** 2).sum()) for slope in SLOPES}
    best = max(full, key=lambda slope: full[slope])
    return _leant(crop, best, cv2.INTER_CUBIC) if full[best] > FULLER * full[0.0] else crop


def _leant(crop: Pixels, slope: float, how: int) -> Pixels:
    height, width = crop.shape[:2]
    move: Grid = np.array([[1, 0, 0], [-slope, 1, slope * width / 2]], np.float32)
    return np.asarray(cv2.warpAffine(crop, move, (width, height), flags=how, borderMode=cv2.BORDER_REPLICATE))


def _runs(dark: Grid) -> list[tuple[int, int]]:
    """First and one past the last of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], dark.astype(np.int8), [0]))))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def gaps(crop: Pixels) -> list[tuple[float, float]]:
    """Gaps between inked columns: the middle as a fraction of the width, and the width over the line's height."""
    runs = _runs(ink(crop).max(0) > 0.33)
    return [
        ((end + start) / 2 / crop.shape[1], (start - end) / crop.shape[0]) for (_, end), (start, _) in pairwise(runs)
    ]


def spaced(crop: Pixels, line: Line, text: str) -> str | None:
    """`text` with a space put where the ink has a wide gap; None when a gap is doubtful.

    What stands before the first letter or behind the last one is the box's edge.
    """
    if text.isdigit() and _one_pitch(crop, len(text)):
        return text
    wide = [(at, width) for at, width in gaps(crop) if width > DOUBT]
    if not wide:
        return text
    if len(line.places) != len(text):
        return None
    inside = [(sum(place < at for place in line.places), width) for at, width in wide]
    inside = [(index, width) for index, width in inside if 0 < index < len(text)]
    if any(width < WIDE for _, width in inside):
        return None
    for index, _ in reversed(inside):
        text = text[:index] + " " + text[index:]
    return text


def dots_apart(crop: Pixels, text: str) -> bool | None:
    """Do the dots of `text` stand in gaps equally wide and wider than all others?

    True speaks against two dots, a lost one and a space. None: fewer than two dots, or too smudged to be measured.
    """
    count = text.count(".")
    dark = ink(crop)[3:-3]
    rows = np.flatnonzero((full := (dark > 0.45).sum(1)) >= 0.5 * max(1, full.max(initial=0)))
    if count < 2 or ":" in text or not rows.size:
        return None
    height = max(5, int(rows[-1] - rows[0]))
    runs = _runs(dark[rows[0] : rows[0] + max(2, int(0.6 * height))].max(0) > 0.33)
    widths = sorted(((start - end) / height for (_, end), (start, _) in pairwise(runs)), reverse=True)
    if len(widths) <= count or widths[0] - widths[count - 1] > SMUDGED:
        return None
    if widths[0] - widths[count - 1] > UNEVEN:
        return False
    return True if widths[count - 1] - widths[count] > WIDER else None


def _one_pitch(crop: Pixels, count: int) -> bool:
    """Do so many digits stand at equal distances? '1' leaves wide gaps that are no spaces."""
    middles = [(start + end) / 2 for start, end in _runs(ink(crop).max(0) > 0.33)]
    steps = [two - one for one, two in pairwise(middles)]
    return len(middles) == count and bool(steps) and max(steps) < PITCH * min(steps)


def level(crop: Pixels, line: Line, text: str) -> bool:
    """Do all tall letters of `text` reach the same height? False when one of them seems to be a capital I.

    At 8 points Liberation Sans, DejaVu Sans Condensed and Open Sans draw both with the same pixels: nobody can tell.
    """
    if sum(letter in TALL for letter in text) < 2 or not any(letter in "bdhk" for letter in text) or "l" not in text:
        return True
    soft = np.asarray(cv2.GaussianBlur(crop, (0, 0), 1.0), np.uint8)  # for grainy print, which has merged stems
    return _level(ink(crop)[3:-3], line, text, STEM) or _level(ink(soft)[3:-3], line, text, SOFT_STEM)


def _level(spread: Grid, line: Line, text: str, stem: float) -> bool:
    rows = (spread > 0.45).sum(1)
    if rows.max(initial=0) < SPECK:
        return True
    top, body = int(np.flatnonzero(rows >= SPECK)[0]), int(np.flatnonzero(rows >= 0.5 * rows.max())[0])
    if body - top < 3:  # no room above the small letters: too small to tell
        return True
    stems = _runs(spread[top : max(top + 2, body - 2)].mean(0) > stem)
    extents = [_extent(spread[:, start:end].max(1), top, body) for start, end in stems]
    letters = [at for at, letter in zip(line.places, text, strict=False) if letter in TALL]
    middles = [(start + end) / 2 for start, end in stems]
    near = [min((abs(at * spread.shape[1] - middle) for middle in middles), default=99.0) for at in letters]
    reach = 1.2 * spread.shape[1] / max(len(text), 1)
    uneven = [max(one) - min(one) for one in zip(*((top, bottom - top) for top, bottom in extents), strict=True)]
    return min(uneven, default=0.0) < LEVEL and all(away < reach for away in near)


def _extent(column: Grid, top: int, body: int) -> tuple[float, float]:
    """Where a stem begins and ends, to a fraction of a pixel."""
    half = 0.5 * float(column[top:body].max())
    inked = np.flatnonzero(column >= half)
    first, last = int(inked[0]), int(inked[-1])
    return first - _part(column, first, -1, half), last + _part(column, last, 1, half)


def _part(column: Grid, edge: int, step: int, half: float) -> float:
    """How far beyond the pixel `edge` the ink falls to half."""
    beyond = float(column[edge + step]) if 0 <= edge + step < len(column) else 0.0
    return (float(column[edge]) - half) / max(float(column[edge]) - beyond, 1e-6)
