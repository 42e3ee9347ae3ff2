"""May these bytes be decoded at all, and what do they show? Refusal happens before a pixel is unpacked.

A 20 KB PNG can unpack to 500 MB, so format, size and side are read from the header first.
"""

from __future__ import annotations

import io
import warnings

import cv2
import numpy as np
from PIL import Image, ImageOps

from bot.parsers.screen.ocr import Pixels

BYTES_MAX = 10 * 1024 * 1024
PIXELS_MAX = 25_000_000
SIDE_MAX = 10_000
ASPECT_MAX = 8
SIDE_MIN = 60  # smaller than the smallest readable dialog
SIDE_KEPT = 2600  # larger pictures are shrunk: no dialog needs more
FORMATS = ("PNG", "JPEG", "WEBP")


class RefusedError(ValueError):
    """The picture may not be decoded; the message says why."""


def unpack(content: bytes) -> Image.Image:
    """The picture as RGB, turned as its EXIF says, at most SIDE_KEPT long. Raises RefusedError."""
    if len(content) > BYTES_MAX:
        raise RefusedError("too many bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=FORMATS)
            width, height = image.size
            if width * height > PIXELS_MAX or max(width, height) > SIDE_MAX:
                raise RefusedError("too many pixels")
            if min(width, height) < SIDE_MIN or max(width, height) > ASPECT_MAX * min(width, height):
                raise RefusedError("no screen has this shape")
            if image.format == "JPEG":
                image.draft("RGB", (SIDE_KEPT, SIDE_KEPT))
            image.load()
            turned = ImageOps.exif_transpose(image)
    except RefusedError:
        raise
    except Exception as error:  # decoders raise many kinds on broken files
        raise RefusedError(f"not a readable picture: {type(error).__name__}") from error
    if turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info:
        paper = Image.new("RGBA", turned.size, "white")
        paper.alpha_composite(turned.convert("RGBA"))
        turned = paper
    flat = turned.convert("RGB")
    if max(flat.size) > SIDE_KEPT:
        flat.thumbnail((SIDE_KEPT, SIDE_KEPT), Image.Resampling.LANCZOS)
    return flat


def pixels(content: bytes) -> Pixels:
    """The picture as an array in OpenCV's order (blue, green, red). Raises RefusedError."""
    return np.asarray(cv2.cvtColor(np.asarray(unpack(content)), cv2.COLOR_RGB2BGR), dtype=np.uint8)
