"""Pictures are refused before they are unpacked."""

from __future__ import annotations

import io
import struct
import zlib

import pytest

pytest.importorskip("cv2", reason="the extra `ocr` is not installed")

from PIL import Image

from bot.model import Context
from bot.parsers.screen import gate, read_picture


def _png(width: int, height: int) -> bytes:
    """A PNG whose header claims a size without holding the pixels."""
    body = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack("!I", len(body)) + b"IHDR" + body + struct.pack("!I", zlib.crc32(b"IHDR" + body))
    data = zlib.compress(b"\0" * 1000)
    held = struct.pack("!I", len(data)) + b"IDAT" + data + struct.pack("!I", zlib.crc32(b"IDAT" + data))
    return b"\x89PNG\r\n\x1a\n" + chunk + held


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(_png(13_000, 13_000), id="a bomb of 169 megapixels"),
        pytest.param(_png(10_500, 400), id="a side of 10 500"),
        pytest.param(_png(900, 100), id="nine times as wide as high"),
        pytest.param(_png(40, 40), id="too small"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"\0" * (10 * 1024 * 1024), id="more than 10 MB"),
        pytest.param(_saved(Image.new("P", (400, 400)), "GIF"), id="GIF"),
        pytest.param(_saved(Image.new("RGB", (400, 400)), "TIFF"), id="TIFF"),
        pytest.param(_saved(Image.new("RGB", (400, 400)), "PNG")[:60], id="cut short"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"<svg/>", id="no picture"),
    ],
)
def test_what_may_not_be_unpacked_is_refused(content: bytes) -> None:
    with pytest.raises(gate.RefusedError):
        gate.unpack(content)
    assert read_picture(content, Context()) == ()


def test_a_large_photo_is_shrunk_to_what_dialogs_need() -> None:
    content = _saved(Image.new("RGB", (4000, 3000), "white"), "JPEG")
    assert max(gate.unpack(content).size) <= gate.SIDE_KEPT


def test_a_photo_is_turned_as_its_exif_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = _saved(Image.new("RGB", (400, 200), "white"), "JPEG", exif=exif)
    assert gate.unpack(content).size == (200, 400)


def test_transparency_becomes_white_paper() -> None:
    content = _saved(Image.new("RGBA", (100, 100), (0, 0, 0, 0)), "PNG")
    assert gate.unpack(content).getpixel((5, 5)) == (255, 255, 255)
