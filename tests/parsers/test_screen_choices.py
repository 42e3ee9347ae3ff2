"""Lists, numbers and names are read as they stand, or not at all; an empty place beside a caption is no tick."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.parsers import screen_worker

if not screen_worker.available():
    pytest.skip("the extra `ocr` or Tesseract's languages are not installed", allow_module_level=True)

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from bot.parsers.screen.annotate import FONT_PLACES
from bot.parsers.screen.choices import value
from bot.parsers.screen.labels import Match
from bot.parsers.screen.layout import LAYOUTS, Fit, Seen
from bot.parsers.screen.ocr import Pixels, read_lines
from bot.parsers.screen.packs import BY_NAME, Dialog
from bot.parsers.screen.recovery import expected
from bot.parsers.screen.spots import Spot
from bot.parsers.screen.squares import judge

FONT = next((place for place in FONT_PLACES if Path(place).is_file()), None)


def _strip(text: str, blur: float, grain: float = 0.0) -> Pixels:
    """The text as it stands in a control, enlarged to the recogniser's height."""
    font = ImageFont.truetype(FONT, 11) if FONT else ImageFont.load_default(11)
    image = Image.new("RGB", (round(font.getlength(text)) + 16, 20), "white")
    ImageDraw.Draw(image).text((5, 3), text, "black", font)
    image = image.filter(ImageFilter.GaussianBlur(blur))
    large = np.asarray(image.resize((round(image.width * 2.4), 48), Image.Resampling.BICUBIC), np.float32)
    noisy = large + np.random.default_rng(1).normal(0, grain, large.shape)
    return np.asarray(cv2.cvtColor(np.clip(noisy, 0, 255).astype(np.uint8), cv2.COLOR_RGB2BGR), np.uint8)


def _read(name: str, text: str, language: str = "en", blur: float = 0.3, grain: float = 0.0) -> str | None:
    strip = _strip(text, blur, grain)
    return value(name, (*read_lines([strip]), *read_lines([strip], stretch=1.25)), strip, language)


@pytest.mark.parametrize("blur", [0.3, 1.2])
@pytest.mark.parametrize("text", ["UDP", "TCP", "TLS", "UDP+TCP"])
def test_a_list_gives_the_text_it_shows(text: str, blur: float) -> None:
    assert _read("transport", text, blur=blur, grain=8) == text


@pytest.mark.parametrize("text", ["60", "300", "10000", "15"])
def test_a_number_is_read_whole(text: str) -> None:
    assert _read("keep_alive", text) == text


@pytest.mark.parametrize("text", ["60", "300", "10000", "15"])
def test_a_number_that_cannot_be_read_is_not_guessed(text: str) -> None:
    assert _read("keep_alive", text, blur=1.9, grain=30) in (None, text)


@pytest.mark.parametrize(
    ("text", "language"),
    [("Disabled", "en"), ("Отключено", "ru"), ("O‘chirilgan", "uz"), ("Mandatory SRTP (RTP/SAVP)", "en")],
)
def test_the_encryption_is_one_of_its_list(text: str, language: str) -> None:
    assert _read("media_encryption", text, language, blur=0.5) == text


@pytest.mark.skipif(FONT is None, reason="a font with Cyrillic is needed")
@pytest.mark.parametrize("blur", [0.3, 0.9, 1.4])
@pytest.mark.parametrize("text", ["Офис 1", "Ресепшн", "Дильноза"])
def test_a_cyrillic_name_is_never_shown_in_latin_letters(text: str, blur: float) -> None:
    assert _read("display_name", text, "ru", blur) in (None, text)


def _account(*names: str) -> Fit:
    """The Account dialog at two pixels a unit, with these captions read."""
    layout = LAYOUTS[Dialog.ACCOUNT][0]
    rows = {}
    for name in names:
        at = (2 * layout[name][0], 2 * layout[name][1])
        rows[name] = Seen(name, Match(BY_NAME[name], "en", 100.0, True), Spot(at[0], at[1], 40.0, 16.0, 0.0), at)
    axes = (np.zeros(2), np.array([2.0, 0.0]), np.array([0.0, 2.0]))
    return Fit(Dialog.ACCOUNT, layout, *axes, rows, len(rows))


def test_a_row_is_proven_by_the_rows_above_and_below_it_or_by_the_one_beside_it() -> None:
    fit = _account("server", "domain", "register_refresh")
    assert expected(fit, "username") == (78.0, True)  # between server and domain
    assert expected(fit, "keep_alive") == (311.0, True)  # beside register_refresh
    assert expected(fit, "avpf")[1] is False  # nothing below it


def _beside(ticked: bool) -> Pixels:
    """A caption whose square is too faint to be found, with or without a tick in it."""
    image: Pixels = np.full((800, 500, 3), 240, np.uint8)
    fit = _account("ice")
    x, y = (round(at) for at in fit.rows["ice"].point)
    cv2.putText(image, "ICE", (x, y + 5), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    if ticked:
        tick = np.array([[x - 16, y], [x - 12, y + 4], [x - 6, y - 5]])
        cv2.polylines(image, [tick], False, (0, 0, 0), 2, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.0), np.uint8)


def test_where_there_is_no_ink_nothing_is_ticked_and_ink_without_a_square_is_not_sure() -> None:
    fit = _account("ice")
    assert [judge(_beside(ticked), fit, fit.rows["ice"]).on for ticked in (False, True)] == [False, None]
