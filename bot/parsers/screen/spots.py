"""Where on the picture is text? Turned rectangles round every line, found by the PP-OCR detector."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from bot.parsers.screen import ocr
from bot.parsers.screen.ocr import Pixels

NARROWER = 0.85  # captions are read a little condensed: cheaper, and they are matched loosely
UNCLIP = 1.6  # the detector marks the core of a line; this grows it back to the whole line
CORE = 0.3
SPOTS_MAX = 220
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_STD = np.array([0.229, 0.224, 0.225], np.float32)


@dataclass(frozen=True, slots=True)
class Spot:
    """One line of text. Pixels of the picture; the angle is in degrees, positive is clockwise."""

    x: float  # centre
    y: float
    width: float
    height: float
    angle: float
    text: str = ""
    confidence: float = 0.0
    cyrillic: bool = False  # the text was read by Tesseract
    places: tuple[float, ...] = ()  # the middle of each letter of `text`, as a fraction of the width

    def end(self, side: int) -> tuple[float, float]:
        """The middle of the left (-1) or right (1) end."""
        turn = np.radians(self.angle)
        reach = side * self.width / 2
        return (self.x + reach * float(np.cos(turn)), self.y + reach * float(np.sin(turn)))

    def letters(self, first: int, last: int) -> Spot:
        """The piece of this line from letter `first` to before letter `last` of its text."""
        half = 0.2 * self.height / max(self.width, 1)
        left = max(0.0, self.places[first] - half)
        return self.part(left, max(left + half, min(1.0, self.places[last - 1] + half)))

    def part(self, first: float, last: float) -> Spot:
        """The piece of this line between two fractions of its length."""
        turn = np.radians(self.angle)
        reach = ((first + last) / 2 - 0.5) * self.width
        x, y = self.x + reach * float(np.cos(turn)), self.y + reach * float(np.sin(turn))
        return replace(self, x=x, y=y, width=self.width * (last - first))


@lru_cache(maxsize=1)
def _detector() -> tuple[Any, str]:
    session = ocr.session(ocr.DETECTOR)
    return session, session.get_inputs()[0].name


def load() -> None:
    """Loads the detector."""
    _detector()


def sharpen(image: Pixels) -> Pixels:
    """A photo without its grain and colours, its letters made crisp."""
    calm = cv2.fastNlMeansDenoising(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), None, 7, 5, 11)
    crisp = cv2.addWeighted(calm, 2.0, cv2.GaussianBlur(calm, (0, 0), 2.0), -1.0, 0)
    return np.asarray(cv2.cvtColor(crisp, cv2.COLOR_GRAY2BGR), np.uint8)


def find(image: Pixels, side: int) -> list[Spot]:
    """Lines of text, seen with the picture's long side scaled to `side` pixels."""
    session, name = _detector()
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = (max(32, round(width * scale / 32) * 32), max(32, round(height * scale / 32) * 32))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    tensor = (cv2.resize(image, size, interpolation=how).astype(np.float32) / 255 - _MEAN) / _STD
    heat = session.run(None, {name: tensor.transpose(2, 0, 1)[None]})[0][0, 0]
    contours, _ = cv2.findContours((heat > CORE).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    kx, ky = width / size[0], height / size[1]
    spots = []
    for contour in contours:
        (x, y), (a, b), angle = cv2.minAreaRect(contour)
        if min(a, b) < 2.5:
            continue
        if a < b:
            a, b, angle = b, a, angle + 90
        angle = (angle + 90) % 180 - 90
        grow = a * b * UNCLIP / (a + b)
        if abs(angle) > 45 or a + grow < 4:
            continue
        spots.append(Spot(x * kx, y * ky, (a + grow) * kx, (b + grow) * ky, angle))
    spots.sort(key=lambda spot: (spot.y, spot.x))
    return spots[:SPOTS_MAX]


def cut(image: Pixels, spot: Spot, height: int) -> Pixels:
    """The spot alone, upright, `height` pixels high."""
    scale = height / spot.height
    width = max(8, min(2000, round(spot.width * scale)))
    turn = np.radians(spot.angle)
    cos, sin = np.cos(turn) * scale, np.sin(turn) * scale
    move = np.array(
        [
            [cos, sin, width / 2 - cos * spot.x - sin * spot.y],
            [-sin, cos, height / 2 + sin * spot.x - cos * spot.y],
        ]
    )
    patch = cv2.warpAffine(image, move, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(patch, np.uint8)


def read(image: Pixels, spots: list[Spot]) -> list[Spot]:
    """The same spots with the Latin text the recogniser sees in them."""
    lines = ocr.read_lines([cut(image, spot, ocr.LINE_HEIGHT) for spot in spots], stretch=NARROWER)
    return [
        replace(spot, text=line.text, confidence=line.confidence, places=tuple(line.places))
        for spot, line in zip(spots, lines, strict=True)
    ]


def read_cyrillic(image: Pixels, spot: Spot, languages: str = "rus+eng") -> Spot:
    """The same spot with the text Tesseract sees in it."""
    gray = cv2.cvtColor(cut(image, spot, 40), cv2.COLOR_BGR2GRAY)
    framed = cv2.copyMakeBorder(gray, 6, 6, 10, 10, cv2.BORDER_REPLICATE)
    words = ocr.words(np.asarray(framed, np.uint8), languages, 7)
    confidence = min((word.confidence for word in words), default=0.0) / 100
    places: list[float] = []
    for word in words:
        left, _, right, _ = word.box
        pitch = (right - left) / len(word.text)
        middles = [left + pitch * (number + 0.5) for number in range(len(word.text))]
        places += ([left] if places else []) + middles  # a space stands before every word but the first
    return replace(
        spot,
        text=" ".join(word.text for word in words),
        confidence=confidence,
        cyrillic=True,
        places=tuple((x - 10) / gray.shape[1] for x in places),
    )
