"""Is this a camera's picture, and can its grain and moire be taken away before its letters are read?

A screenshot has plain areas without any grain, a camera's picture has none. The grid of a monitor meets the
grid of the camera's sensor as waves over the whole picture: a few bright points of its spectrum, which are
put out. Letters and frames are spread over the spectrum, the even letters of a console make many points: they stay.
"""

from __future__ import annotations

import cv2
import numpy as np

from bot.parsers.screen.ocr import Grid, Pixels

GRAIN = 0.15  # grey levels: screenshots have at most 0.06 in their calm parts, a camera's pictures 0.2 to 6
BLOCK = 16  # pixels: grain is measured in squares of this side
PEAK = 8.0  # a wave is this much stronger than the spectrum round it
SLOWEST = 0.06  # waves a pixel: what is slower is light and shade
ON_AXIS = 0.01  # frames and lines of text lie on the spectrum's axes
WAVES_MAX = 4  # of a colour: more points than this, not much weaker than the strongest, are no moire
WEAKER = 0.3
_SECOND = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6  # of white noise: its own strength


def grain(image: Pixels) -> float:
    """The noise of the picture's calm parts, in grey levels."""
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    rough = np.abs(cv2.filter2D(gray, -1, _SECOND))
    size = (max(1, gray.shape[1] // BLOCK), max(1, gray.shape[0] // BLOCK))
    return float(np.percentile(cv2.resize(rough, size, interpolation=cv2.INTER_AREA), 20)) * 1.2533


def still(image: Pixels) -> Pixels:
    """The picture without waves."""
    height, width = image.shape[:2]
    down, across = np.abs(np.fft.fftfreq(height))[:, None], np.fft.rfftfreq(width)[None]
    may = (np.hypot(down, across) > SLOWEST) & (across > ON_AXIS) & (down > ON_AXIS)
    calm = np.empty(image.shape, np.uint8)
    for channel in range(3):
        spectrum = np.fft.rfft2(image[..., channel].astype(np.float32))
        loud: Grid = np.log(np.abs(spectrum) + 1).astype(np.float32)
        above = loud - cv2.blur(loud, (15, 15))
        wave = _waves(np.abs(spectrum), (above > np.log(PEAK)) & may)
        kept = np.fft.irfft2(spectrum * np.exp(-np.maximum(above, 0) * wave), s=(height, width))
        calm[..., channel] = np.clip(kept, 0, 255)
    return calm


def _waves(strength: Grid, peaks: Grid) -> Grid:
    """Where in the spectrum a wave stands, softly, 0..1."""
    around = cv2.dilate(peaks.astype(np.uint8), np.ones((5, 5), np.uint8))
    count, groups = cv2.connectedComponents(around)
    energy = np.bincount(groups.ravel(), (strength**2).ravel(), count)[1:]
    strong: Grid = 1 + np.flatnonzero(energy >= WEAKER**2 * energy.max(initial=0.0))
    alone: Grid = np.isin(groups, strong if len(strong) <= WAVES_MAX else []).astype(np.float32)
    return cv2.GaussianBlur(alone, (0, 0), 1.0)
