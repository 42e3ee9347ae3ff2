"""What is written in a field? Several looks at its pixels vote; what is likely but not sure is None.

Host fields are compared with the expected host by likelihood: a right one read slightly wrong is still
right, a wrong one is never bent into the right one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from bot.parsers.screen import frames, ocr
from bot.parsers.screen.frames import Control
from bot.parsers.screen.gaps import spaced
from bot.parsers.screen.labels import BY_NAME, Shape
from bot.parsers.screen.layout import Fit
from bot.parsers.screen.ocr import Line, Pixels

HOSTS = ("server", "domain", "proxy", "stun_server")
DIGITS = ("register_refresh", "keep_alive", "source_port", "rtp_min", "rtp_max")
TRANSPORTS = ("UDP", "TCP", "TLS", "UDP+TCP", "Auto", "ABTO")
AUTOMATIC = ("Auto", "ABTO", "Avtomatik")
STUNS = ("stun.l.google.com:19302", "stun.zadarma.com:3478", "stun.sipnet.ru", "stun.sipnet.ru:3478")
LIKELY, UNLIKELY = 0.30, 0.75  # of the likelihood distance a letter: right, and surely something else
COMBO_ARROW = 15.0  # units at a combo's right end


@dataclass(frozen=True, slots=True)
class Look:
    """The inside of a control as a strip of letters; `empty` when no ink is in it."""

    strip: Pixels
    empty: bool
    ink: float  # contrast of what is inside


def look(image: Pixels, fit: Fit, control: Control) -> Look:
    """The letters inside a control, cut close."""
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
    columns = np.percentile(away, 92, axis=0)
    noise = float(np.median(columns))
    inked = np.flatnonzero(columns > max(0.35 * contrast, 2.2 * noise + 3))
    if not inked.size or contrast < 14:
        return Look(piece, True, contrast)
    first, last = int(inked[0]), int(inked[-1])
    caret = last - first < 2.2 * scale / 2 and columns[first : last + 1].size < 9
    if caret and float(np.percentile(away[:, first : last + 1], 20)) > 0.4 * contrast:
        return Look(piece, True, contrast)
    strip = piece[:, max(0, first - 10) : min(piece.shape[1], last + 14)]
    return Look(np.ascontiguousarray(strip), False, contrast)


def distance(lines: Sequence[Line], text: str) -> float:
    """How much less likely `text` is than the best reading, a letter; 0 means it is the best one."""
    away = []
    for line in lines:
        best = line.log_likelihood(line.text) if line.text else float(line.log_probs[:, 0].sum())
        away.append((best - line.log_likelihood(text)) / max(len(text), 1))
    return float(np.mean(away))


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


def host(lines: Sequence[Line], strip: Pixels, expected: str, known: Sequence[str] = ()) -> str | None:
    """A host field's text. Never the expected host unless its pixels say so, letter by letter."""
    best, _ = vote(lines)
    options = (expected, f"{expected}:5060", *known)
    near = min(options, key=lambda text: distance(lines, text))
    away = distance(lines, near)
    if best.replace(" ", "").lower() == near.lower():
        away = min(away, 0.05)
    if "," in best and best.replace(",", ".") == near:
        return best if min(line.confidence for line in lines) > 0.8 else None
    if away < LIKELY:
        return spaced(strip, lines[0], near) if " " not in best else best
    if away < UNLIKELY or not _clear(lines):
        return None
    return best


def _clear(lines: Sequence[Line]) -> bool:
    """Do the looks agree and read with confidence?"""
    texts = {line.text.replace(" ", "").lower() for line in lines}
    return min(line.confidence for line in lines) > (0.75 if len(texts) == 1 else 0.9)


def choose(lines: Sequence[Line], options: Sequence[str], limit: float = 1.2) -> str | None:
    """The one of a closed set of texts that the pixels mean, or None."""
    scored = sorted((distance(lines, text), text) for text in options)
    lead = scored[1][0] - scored[0][0]
    return scored[0][1] if scored[0][0] < limit and lead > 0.15 else None


def digits(lines: Sequence[Line]) -> str | None:
    """A whole number."""
    text, _ = vote(lines)
    plain = text.translate(str.maketrans("OolISBZ", "0011582"))
    return plain if re.fullmatch(r"\d{1,5}", plain) and min(line.confidence for line in lines) > 0.5 else None


def plain(lines: Sequence[Line]) -> str | None:
    """Free text in Latin letters and digits."""
    text, lead = vote(lines)
    sure = min(line.confidence for line in lines) > 0.6 and (lead > 0.1 or len({line.text for line in lines}) == 1)
    return text if text and sure else None


def value(name: str, lines: Sequence[Line], strip: Pixels, expected: str, extension: str | None) -> str | None:
    """The text of one field from its looks, or None."""
    if name in ("server", "domain", "proxy"):
        return host(lines, strip, expected)
    if name == "stun_server":
        return host(lines, strip, STUNS[0], STUNS[1:])
    if name in DIGITS:
        return digits(lines)
    if name == "transport":
        found = choose(lines, TRANSPORTS)
        return "Auto" if found == "ABTO" else found
    if name == "public_address":
        if min(distance(lines, text) for text in AUTOMATIC) < 0.9:
            return "auto"
        text, _ = vote(lines)
        return text if re.fullmatch(r"\d{1,3}(?:\.\d{1,3}){3}", text) and _clear(lines) else None
    if name == "username" and extension and distance(lines, extension) < LIKELY:
        return spaced(strip, lines[0], extension)
    free = plain(lines)
    if name in ("username", "login") and free and " " not in free:
        return spaced(strip, lines[0], free)
    return free
