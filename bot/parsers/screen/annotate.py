"""The user's own picture back: a frame round each field that matters, numbers, a legend, the password covered.

All words come from the caller. `words` maps a field's or check's name to its legend line and may hold
`title` and `password`; names without a line get no frame.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from bot.model import Reading
from bot.parsers.field_marks import ORDER, verdicts
from bot.parsers.screen import gate

Box = tuple[float, float, float, float]

WIDTH = 900  # pixels: readable at a phone's width; smaller pictures are enlarged to about this
WIDTH_MAX = 1280
BYTES_MAX = 300_000
GREEN, RED, AMBER = "#1a9e4b", "#d92d20", "#e08600"
INK, PAPER = "#1c1c1e", "#ffffff"
FONT_PLACES = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/TTF/DejaVuSans.ttf",
)


def annotate(content: bytes, reading: Reading, words: Mapping[str, str]) -> bytes:
    """A JPEG of at most BYTES_MAX. Raises gate.RefusedError for a picture that may not be decoded."""
    image = gate.unpack(content)
    boxes: dict[str, Box] = {name: tuple(box) for name, box in reading.facts.get("boxes", {}).items()}
    cover = boxes.get("password")
    image, boxes = _framed(image, boxes)
    scale = _scale(image.width)
    size = (round(image.width * scale), round(image.height * scale))
    image = image.resize(size, Image.Resampling.LANCZOS)
    boxes = {name: _times(box, scale) for name, box in boxes.items()}
    draw = ImageDraw.Draw(image)
    if cover is not None:
        _cover(draw, boxes["password"], words.get("password", ""))
    judged = sorted(verdicts(reading).items(), key=lambda item: (boxes[item[0]][1], boxes[item[0]][0]))
    shown = {name: how for name, how in judged if name in words}  # numbered from the top of the picture
    colours = {"right": GREEN, "wrong": RED, "unsure": AMBER}
    numbers = {name: number for number, name in enumerate(shown, 1)}
    for name, how in shown.items():
        corner = reading.facts.get("dialog") == "settings"
        _frame(draw, boxes[name], colours[how], numbers[name], image.size, corner)
    lines = [(numbers[name], colours[how], words[name]) for name, how in shown.items()]
    return _pressed(_with_legend(image, lines, words.get("title", "")))


def _scale(width: int) -> float:
    if width < WIDTH:
        return min(3.0, WIDTH / width)
    return min(1.0, WIDTH_MAX / width)


def _times(box: Box, scale: float) -> Box:
    return (box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale)


def _framed(image: Image.Image, boxes: dict[str, Box]) -> tuple[Image.Image, dict[str, Box]]:
    """A desktop or photo cut to the dialog with some air, so that a phone shows it large enough."""
    shown = [box for name, box in boxes.items() if name in ORDER or name == "password"]
    if not shown:
        return image, boxes
    left, top = min(box[0] for box in shown), min(box[1] for box in shown)
    right, bottom = max(box[2] for box in shown), max(box[3] for box in shown)
    air_x, air_y = 0.75 * (right - left), 0.14 * (bottom - top) + 60
    cut = (
        max(0, round(left - air_x)),
        max(0, round(top - air_y)),
        min(image.width, round(right + 0.3 * (right - left))),
        min(image.height, round(bottom + air_y)),
    )
    moved = {name: (b[0] - cut[0], b[1] - cut[1], b[2] - cut[0], b[3] - cut[1]) for name, b in boxes.items()}
    return image.crop(cut), moved


def _cover(draw: ImageDraw.ImageDraw, box: Box, word: str) -> None:
    draw.rectangle((box[0] - 2, box[1] - 2, box[2] + 2, box[3] + 2), fill="#3a3a3c")
    size = max(12, int((box[3] - box[1]) * 0.52))
    draw.text(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), word, "#ffffff", _font(size), anchor="mm")


def _frame(draw: ImageDraw.ImageDraw, box: Box, colour: str, number: int, size: tuple[int, int], corner: bool) -> None:
    """The frame and its number: left of a check box, or on its corner where a caption stands on the left."""
    small = box[2] - box[0] < 60
    grow, width = (4, 4) if small else (3, 4)
    left, top, right, bottom = box[0] - grow, box[1] - grow, box[2] + grow, box[3] + grow
    draw.rounded_rectangle((left, top, right, bottom), radius=6, outline=colour, width=width)
    radius = 15
    x = (left - 4 if corner else left - radius - 5) if small else right
    x = min(max(x, radius + 1), size[0] - radius - 1)
    y = top - 8 if small and corner else (top + bottom) / 2
    _dot(draw, x, y, radius, colour, number)


def _dot(draw: ImageDraw.ImageDraw, x: float, y: float, radius: int, colour: str, number: int) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour, outline=PAPER, width=2)
    draw.text((x, y), str(number), PAPER, _font(round(radius * 1.25)), anchor="mm")


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    for place in FONT_PLACES:
        if Path(place).is_file():
            return ImageFont.truetype(place, size)
    return ImageFont.load_default(size)


def _wrapped(draw: ImageDraw.ImageDraw, text: str, size: int, width: float) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and draw.textlength(longer, _font(size)) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _with_legend(image: Image.Image, lines: Sequence[tuple[int, str, str]], title: str) -> Image.Image:
    """The picture with its legend below, on white in light and dark pictures alike."""
    size = max(22, round(image.width / 36))
    pad, step = size, round(size * 1.32)
    draw = ImageDraw.Draw(image)
    room = image.width - 4.1 * pad
    wrapped = [(number, colour, _wrapped(draw, text, size, room)) for number, colour, text in lines]
    head = _wrapped(draw, title, round(size * 1.1), image.width - 2 * pad) if title else []
    height = (
        2 * pad
        + sum(len(text) * step + size // 2 for _, _, text in wrapped)
        + len(head) * round(step * 1.15)
        + size // 3
    )
    page = Image.new("RGB", (image.width, image.height + (height if lines or head else 0)), PAPER)
    page.paste(image, (0, 0))
    draw = ImageDraw.Draw(page)
    y = image.height + pad
    for text in head:
        draw.text((pad, y), text, INK, _font(round(size * 1.1)))
        y += round(step * 1.15)
    y += size // 3 if head else 0
    for number, colour, texts in wrapped:
        _dot(draw, pad + size * 0.8, y + size * 0.62, round(size * 0.78), colour, number)
        for text in texts:
            draw.text((3.1 * pad, y), text, INK, _font(size))
            y += step
        y += size // 2
    return page


def _pressed(image: Image.Image) -> bytes:
    """JPEG under the limit: first less quality, then fewer pixels."""
    for quality in (88, 80, 70, 60, 50):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= BYTES_MAX:
            return buffer.getvalue()
    return _pressed(image.resize((round(image.width * 0.8), round(image.height * 0.8)), Image.Resampling.LANCZOS))
