# ruff: noqa: E501 - markup and table rows read best unbroken
"""What happens to a picture on its way to the bot: crop, desktop, Telegram's JPEG, shrinking, a phone's camera."""

from __future__ import annotations

import io
import random
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

Truth = dict[str, Any]


def _each_box(truth: Truth) -> list[tuple[str, str, list[float]]]:
    return [(name, part, box) for name, parts in truth.get("boxes", {}).items() for part, box in parts.items()]


def move(truth: Truth, scale: float, dx: float, dy: float) -> None:
    """Boxes scaled and then shifted."""
    for name, part, (left, top, right, bottom) in _each_box(truth):
        truth["boxes"][name][part] = [left * scale + dx, top * scale + dy, right * scale + dx, bottom * scale + dy]


def see(truth: Truth, size: tuple[int, int]) -> None:
    """Marks what is cut away as not visible."""

    def inside(box: list[float]) -> bool:
        return box[0] >= -1 and box[1] >= -1 and box[2] <= size[0] + 1 and box[3] <= size[1] + 1

    for group in ("fields", "checks"):
        for name, entry in truth[group].items():
            parts = truth["boxes"].get(name, {})
            control = parts.get("control") or parts.get("box")
            label = parts.get("label") or truth["boxes"].get("stun_enabled", {}).get("label")
            entry["visible"] = bool(control) and inside(control)
            entry["label_visible"] = bool(label) and inside(label)
    truth["size"] = list(size)


def crop(rng: random.Random, image: Image.Image, truth: Truth) -> Image.Image:
    """A hand-made cut-out: some edges of the window are gone."""
    width, height = image.size
    left, right = rng.randint(0, width // 40), width - rng.randint(0, width // 20)
    top = rng.choice([0, rng.randint(0, height // 2)])
    bottom = height if top and rng.random() < 0.5 else height - rng.choice([0, rng.randint(0, height // 3)])
    move(truth, 1, -left, -top)
    return image.crop((left, top, right, bottom))


def _wallpaper(rng: random.Random, size: tuple[int, int]) -> Image.Image:
    kind = rng.choice(["plain", "blobs", "gradient", "text"])
    if kind == "plain":
        return Image.new("RGB", size, tuple(rng.randint(0, 255) for _ in range(3)))
    if kind == "text":
        image = Image.new("RGB", size, "white")
        draw, font = ImageDraw.Draw(image), ImageFont.truetype("DejaVuSans.ttf", rng.randint(11, 16))
        words = [
            "extension",
            "клиент",
            "звонок",
            "server",
            "оператор",
            "domain",
            "total",
            "login",
            "заказ",
            "queue",
            "статус",
            "report",
            "номер",
            "ping",
        ]
        for y in range(60, size[1], 26):
            draw.text((40, y), " ".join(rng.choices(words, k=size[0] // 75)), "#333", font)
        return image
    small = np.array([[[rng.randint(0, 255) for _ in range(3)] for _ in range(8 if kind == "blobs" else 2)]
                      for _ in range(5 if kind == "blobs" else 2)], dtype=np.uint8)  # fmt: skip
    return Image.fromarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC))


def desktop(rng: random.Random, image: Image.Image, truth: Truth) -> Image.Image:
    """The dialog on a whole screen with icons and a task bar; boxes are moved along."""
    want = rng.choice([(1366, 768), (1536, 864), (1920, 1080), (1280, 1024), (1600, 900)])
    size = (max(want[0], image.width + 120), max(want[1], image.height + 60))
    screen = _wallpaper(rng, size)
    draw, font = ImageDraw.Draw(screen), ImageFont.truetype("DejaVuSans.ttf", 12)
    for number, name in enumerate(("Компьютер", "Корзина", "Chrome", "MicroSIP", "Telegram", "1C")):
        y = 20 + 92 * number
        draw.rectangle((28, y, 73, y + 45), tuple(rng.randint(30, 220) for _ in range(3)))
        draw.text((16, y + 50), name, "white", font, stroke_width=1, stroke_fill="#222")
    draw.rectangle((0, size[1] - 40, size[0], size[1]), "#1c1c1c" if rng.random() < 0.6 else "#e8e8ee")
    draw.text((size[0] - 70, size[1] - 30), "13:30", "#888", font)
    left = rng.randint(90, size[0] - image.width)
    top = rng.randint(0, max(0, size[1] - 40 - image.height))
    screen.paste(image, (left, top))
    move(truth, 1, left, top)
    return screen


def telegram(image: Image.Image, truth: Truth, quality: int = 85) -> Image.Image:
    """As a Telegram photo: long side at most 1280, JPEG."""
    factor = min(1.0, 1280 / max(image.size))
    if factor < 1:
        image = image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS)
        move(truth, factor, 0, 0)
    return jpeg(image, quality)


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    """Through JPEG once."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality)
    return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")


def lowres(rng: random.Random, image: Image.Image, truth: Truth) -> Image.Image:
    """Shrunk and pressed, as a forwarded thumbnail."""
    factor = rng.uniform(0.62, 0.95) if image.width < 700 else rng.uniform(0.6, 0.85)
    image = image.resize((round(image.width * factor), round(image.height * factor)), rng.choice(
        [Image.Resampling.BILINEAR, Image.Resampling.LANCZOS]))  # fmt: skip
    move(truth, factor, 0, 0)
    return jpeg(image, rng.randint(55, 85))


def photo(rng: random.Random, image: Image.Image, truth: Truth, level: int) -> Image.Image:
    """A phone's photo of a monitor: perspective, moire, glare, blur, noise; level 1 (mild) to 3."""
    size = (1280, 960) if rng.random() < 0.7 or image.height > image.width else (1280, 720)
    keep = rng.uniform(0.82, 0.97)
    factor = min(size[0] / image.width, size[1] / image.height) * keep
    width, height = image.width * factor, image.height * factor
    left = rng.uniform(0, size[0] - width)
    top = rng.uniform(0, size[1] - height)
    jitter = (0.008, 0.025, 0.045)[level - 1] * min(width, height)
    corners = np.float32([[left, top], [left + width, top], [left + width, top + height], [left, top + height]])
    bent = corners + np.float32([[rng.uniform(-jitter, jitter) for _ in range(2)] for _ in range(4)])
    angle = np.radians(rng.uniform(-1, 1) * (1, 2, 3.5)[level - 1])
    centre = bent.mean(0)
    turn = np.float32([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    bent = np.float32((bent - centre) @ turn.T + centre)
    over = np.maximum(np.abs(bent - np.float32(size) / 2).max(0) / (np.float32(size) / 2), 1).max()
    bent = np.float32((bent - np.float32(size) / 2) / over + np.float32(size) / 2)
    big = 2
    source = np.float32([[0, 0], [image.width, 0], [image.width, image.height], [0, image.height]])
    warp = cv2.getPerspectiveTransform(source, bent * big)
    base = rng.randint(5, 60)
    canvas = cv2.warpPerspective(np.array(image), warp, (size[0] * big, size[1] * big), flags=cv2.INTER_AREA,
                                 borderValue=(base, base, base)).astype(np.float32)  # fmt: skip
    shot = optics(rng, canvas, size, level, big)
    final = np.diag([1 / big, 1 / big, 1]) @ warp
    for name, part, box in _each_box(truth):
        points = np.float32([[[box[0], box[1]], [box[2], box[1]], [box[2], box[3]], [box[0], box[3]]]])
        moved = cv2.perspectiveTransform(points, final.astype(np.float32))[0]
        truth["boxes"][name][part] = [float(moved[:, 0].min()), float(moved[:, 1].min()), float(moved[:, 0].max()), float(moved[:, 1].max())]  # fmt: skip
    return jpeg(Image.fromarray(shot), rng.randint(72, 90))


def optics(rng: random.Random, canvas: Any, size: tuple[int, int], level: int, big: int) -> Any:
    """What a lens makes of a monitor: moire, glare, dimness, blur, noise; `canvas` is `big` times `size`."""
    yy, xx = np.mgrid[0 : canvas.shape[0], 0 : canvas.shape[1]].astype(np.float32)
    strength = (4, 12, 20)[level - 1] * rng.uniform(0.5, 1.2)
    for channel in range(3):
        period, direction = rng.uniform(5, 16), rng.uniform(0, np.pi)
        canvas[..., channel] += strength * np.sin(
            2 * np.pi * (xx * np.cos(direction) + yy * np.sin(direction)) / period
        )
    glare = np.exp(
        -(((xx - rng.uniform(0, xx.max())) / xx.max()) ** 2 + ((yy - rng.uniform(0, yy.max())) / yy.max()) ** 2) / 0.15
    )
    canvas += (10, 30, 50)[level - 1] * glare[..., None]
    canvas = canvas * rng.uniform(0.6, 1.0) * np.float32([rng.uniform(0.88, 1.08) for _ in range(3)]) + rng.uniform(
        0, 25
    )
    sigma = (0.7, 1.3, 1.9)[level - 1] * rng.uniform(0.8, 1.2) * big / 2
    canvas = cv2.GaussianBlur(canvas, (0, 0), sigma)
    shot = cv2.resize(canvas, size, interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(rng.randint(0, 1 << 30)).normal(0, (3, 6, 10)[level - 1], shot.shape)
    return np.clip(shot + noise, 0, 255).astype(np.uint8)


def subpixel(image: Image.Image) -> Image.Image:
    """A picture three times as wide as wanted, folded into ClearType-like coloured edges."""
    pixels = np.array(image.convert("RGB")).astype(np.float32)
    pixels = cv2.blur(pixels, (3, 1))
    width = pixels.shape[1] // 3
    pixels = pixels[:, : width * 3]
    return Image.fromarray(np.stack([pixels[:, channel::3, channel] for channel in range(3)], -1).astype(np.uint8))
