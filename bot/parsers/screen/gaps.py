"""Is there a space inside a host name? Measured in the ink, because recognisers swallow spaces after dots."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from bot.parsers.screen.ocr import Grid, Line, Pixels

WIDE = 0.19  # of the letters' height (ascender to descender): a gap this wide is a space
DOUBT = 0.135  # the widest gap inside a right host measured on screenshots was 0.125


def ink(crop: Pixels) -> Grid:
    """How much each pixel is letter, 0..1, for dark letters on light paper or the reverse."""
    gray = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY).astype(np.float32)
    paper = float(np.median(gray))
    away = np.abs(gray - paper)
    top = float(np.percentile(away, 99.3))
    return np.clip(away / max(top, 12.0), 0, 1)


def gaps(crop: Pixels) -> list[tuple[float, float]]:
    """Gaps between inked columns: the middle as a fraction of the width, and the width over the line's height."""
    columns = ink(crop).max(0)
    dark = columns > 0.33
    found = []
    edges = np.flatnonzero(np.diff(np.concatenate(([0], dark.astype(np.int8), [0]))))
    runs = list(zip(edges[::2], edges[1::2], strict=True))
    for (_, end), (start, _) in pairwise(runs):
        found.append(((end + start) / 2 / crop.shape[1], (start - end) / crop.shape[0]))
    return found


def spaced(crop: Pixels, line: Line, text: str) -> str | None:
    """`text` with a space put where the ink has a wide gap; None when a gap is doubtful."""
    wide = [(at, width) for at, width in gaps(crop) if width > DOUBT]
    if not wide:
        return text
    if any(width < WIDE for _, width in wide) or len(line.places) != len(text):
        return None
    for at, _ in reversed(wide):
        index = sum(place < at for place in line.places)
        if 0 < index < len(text):  # what follows the last letter is the box's edge
            text = text[:index] + " " + text[index:]
    return text
