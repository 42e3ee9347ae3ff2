"""What is written in a field? Several looks at its pixels vote; what is likely but not sure is None."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from bot.parsers.screen import frames, ocr
from bot.parsers.screen.frames import Control
from bot.parsers.screen.gaps import spaced, upright
from bot.parsers.screen.hosts import ALIKE_BY, LIKELY, STUNS, distance, host, lead, softer
from bot.parsers.screen.layout import Fit
from bot.parsers.screen.ocr import Line, Pixels
from bot.parsers.screen.packs import BY_NAME, Shape

HOSTS = ("server", "domain", "proxy", "stun_server")
_NUMBERS, _V4 = re.compile(r"[\d.,; ]+"), r"\d{1,3}(?:\.\d{1,3}){3}"
_ADDRESSES = re.compile(rf"{_V4}(?:[,; ]+{_V4})*")
_LOOKS_LIKE_DIGITS = re.compile(r"(?=.*\d)[0-9IlOoSBZ|/]+")
CERTAIN = 0.97  # both looks read like that: no third is needed
# nats by which a digit must beat the nine others: of 522 numbers photographed badly 2 % were wrong then, 6 % without
DIGIT = 2.0
SIGNS = 3  # different letters and digits make a password that can be read
COMBO_ARROW = 15.0  # units at a combo's right end


@dataclass(frozen=True, slots=True)
class Look:
    """The inside of a control as a strip of letters; `empty` when no ink is in it."""

    strip: Pixels
    empty: bool | None  # None: not sure
    ink: float  # contrast of what is inside


def look(image: Pixels, fit: Fit, control: Control, found: bool) -> Look:
    """The letters inside a control, cut close; `found`: the detector saw text there."""
    combo = BY_NAME.get(control.name) is not None and BY_NAME[control.name].shape is Shape.COMBO
    left, right = control.left + 1.3, control.right - (COMBO_ARROW if combo else 1.3)
    middle = (control.top + control.bottom) / 2
    half = min(6.0, (control.bottom - control.top) / 2 - 1.0)
    v = control.v + middle + control.slope * (left - control.left)
    scale = ocr.LINE_HEIGHT / (2 * half)
    piece = frames.patch(image, fit, left, max(right, left + 8), v - half, v + half, scale, control.slope)
    gray = cv2.GaussianBlur(cv2.cvtColor(piece, cv2.COLOR_BGR2GRAY), (0, 0), 1.0 if fit.px_per_unit > 2 else 1.6)
    paper = np.median(gray, axis=1, keepdims=True).astype(np.float32) if piece.shape[1] > 300 else np.median(gray)
    away = np.abs(gray.astype(np.float32) - paper)[4:-4]
    contrast = float(np.percentile(away, 99.5))
    columns = away.max(axis=0)
    noise = float(np.percentile(columns, 15))
    end = away[:, int(away.shape[1] * 0.72) :]  # where text seldom reaches: what plain paper looks like here
    grain = float(np.percentile(end, 99)) if end.size else 0.0
    inked = np.flatnonzero(columns > max(0.4 * contrast, 1.5 * noise + 4))
    if not inked.size or contrast < 14 or (contrast < 1.6 * grain + 6 and not found):
        unsure = inked.size and contrast > 1.2 * grain + 4 and grain > 10
        return Look(piece, None if unsure else True, contrast)
    first, last = int(inked[0]), int(inked[-1])
    tall = np.flatnonzero(away[:, first : last + 1].max(axis=1) > 0.5 * contrast)
    if last - first < 1.4 * scale and tall.size and tall[-1] - tall[0] > 7.2 * scale:  # only the caret
        return Look(piece, True, contrast)
    strip = piece[:, : last + 18]  # text begins at the left edge; the empty rest only costs time
    return Look(upright(np.ascontiguousarray(strip)), False, contrast)


def in_clear(image: Pixels, fit: Fit, control: Control) -> bool:
    """Is the password written out? Dots are one sign many times; the letters themselves are not kept."""
    seen = look(image, fit, control, True)
    if seen.empty is not False:
        return False
    (line,) = ocr.read_lines([seen.strip])
    letters = {letter.lower() for letter in line.text if letter.isalnum()}
    return len(letters) >= SIGNS and line.confidence > 0.6 and line.foreign < 0.3


def calm(strip: Pixels) -> Pixels:
    """The strip in grey and softened: another look at a photo's letters, without the monitor's coloured grid."""
    gray = cv2.GaussianBlur(cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY), (0, 0), 2.0)
    return np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR), np.uint8)


def vote(lines: Sequence[Line], more: Sequence[str] = ()) -> tuple[str, float]:
    """The text that explains all looks best, and its lead over the next one, a letter."""
    candidates = {line.text for line in lines} | set(more)
    scored = sorted(
        (
            (sum(line.log_likelihood(text) for line in lines) / max(len(text), 1) / len(lines), text)
            for text in candidates
        ),
        reverse=True,
    )
    lead = scored[0][0] - scored[1][0] if len(scored) > 1 else 9.0
    return scored[0][1], lead


def plain(lines: Sequence[Line]) -> str | None:
    """Free text in Latin letters and digits."""
    text, lead = vote(lines)
    sure = min(line.confidence for line in lines) > 0.6 and (lead > 0.1 or len({line.text for line in lines}) == 1)
    return text if text and sure else None


def extension(lines: Sequence[Line], strip: Pixels) -> str | None:
    """A username: mostly digits, each of which must beat all others; one that may be a letter is not sure."""
    free = plain(lines)
    if free is not None and min(line.confidence for line in lines) > CERTAIN:
        return free
    looks = [*lines, *softer(strip)]
    text, _ = vote(looks)
    if not re.fullmatch(r"\d{2,6}", text):
        return None if free is None or _LOOKS_LIKE_DIGITS.fullmatch(free) else free
    others = [text[:at] + digit + text[at + 1 :] for at in range(len(text)) for digit in "0123456789"]
    letters = [text.replace("1", "l", 1), text.replace("1", "I", 1), text.replace("0", "O", 1), text.replace("0", "O")]
    letters = [one for one in (*letters, letters[0].replace("0", "O", 1)) if one != text]
    sure = lead(looks, text, [one for one in others if one != text]) > DIGIT
    return text if sure and (not letters or lead(looks, text, letters) > ALIKE_BY) else None


def value(name: str, lines: Sequence[Line], strip: Pixels, expected: str, own: str | None) -> str | None:
    """The text of one field from its looks, or None; `own` is the extension its owner named."""
    if name in ("server", "domain", "proxy"):
        return host(lines, strip, expected)
    if name == "stun_server":
        return host(lines, strip, STUNS[0], STUNS)
    if name == "username" and own and distance(lines, own) < LIKELY:
        return spaced(strip, lines[0], own)
    free = extension(lines, strip) if name in ("username", "login") else plain(lines)
    if name in ("username", "login") and free and " " not in free:
        return spaced(strip, lines[0], free)
    if name == "nameserver" and free and _NUMBERS.fullmatch(free) and not _ADDRESSES.fullmatch(free):
        return None  # dots are the first thing a photo loses: '1111' was '1.1.1.1'
    return free
