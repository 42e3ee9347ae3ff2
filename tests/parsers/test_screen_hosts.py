"""A mistyped host is never called right, a right one is not called wrong."""

from __future__ import annotations

import pytest

from bot.parsers import screen_worker

if not screen_worker.available():
    pytest.skip("the extra `ocr` or Tesseract's languages are not installed", allow_module_level=True)

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from bot.parsers.screen.fields import value
from bot.parsers.screen.gaps import DOUBT, WIDE, dots_apart, gaps, level, spaced, upright
from bot.parsers.screen.hosts import STUNS, host, mistakes
from bot.parsers.screen.ocr import Pixels, read_lines

RIGHT = "call.soundz.uz"
LIGHT, DARK = ("white", "black"), ("#333333", "#f0f0f0")


def _strip(text: str, colours: tuple[str, str] = LIGHT, blur: float = 0.4) -> Pixels:
    """The text as it stands in an edit box of a screenshot, enlarged to the recogniser's height."""
    font = ImageFont.load_default(12)
    image = Image.new("RGB", (round(font.getlength(text)) + 14, 20), colours[0])
    ImageDraw.Draw(image).text((5, 2), text, colours[1], font)
    image = image.filter(ImageFilter.GaussianBlur(blur))
    large = image.resize((round(image.width * 2.4), 48), Image.Resampling.BICUBIC)
    return np.asarray(cv2.cvtColor(np.asarray(large), cv2.COLOR_RGB2BGR), np.uint8)


def _read(strip: Pixels, expected: str = RIGHT) -> str | None:
    lines = (*read_lines([strip]), *read_lines([strip], stretch=1.25))
    return host(lines, strip, expected)


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_the_expected_host_is_right(colours: tuple[str, str]) -> None:
    assert _read(_strip(RIGHT, colours)) == RIGHT


@pytest.mark.parametrize("blur", [0.3, 0.9])
def test_no_mistake_of_one_stroke_is_called_right(blur: float) -> None:
    slips = [slip for slip in mistakes(RIGHT) if "I" not in slip]  # many fonts draw I and l alike: nobody can tell
    seen = {slip: _read(_strip(slip, blur=blur)) for slip in slips}
    assert len(seen) > 90
    assert [slip for slip, found in seen.items() if found == RIGHT] == []


def test_print_that_lost_strokes_is_not_told_as_another_host() -> None:
    assert {typed: _read(_strip(typed)) for typed in ("call.scuroz.uz", "call.scurozuz")} == {
        "call.scuroz.uz": None,
        "call.scurozuz": None,
    }


def test_a_stun_server_is_known_in_print_that_lost_strokes() -> None:
    strip = _strip("stur.l.gccgle.ccm:19302")
    assert value("stun_server", (*read_lines([strip]), *read_lines([strip], 1.25)), strip, RIGHT, None) == STUNS[0]


@pytest.mark.parametrize("typed", ["call.sounds.uz", "sip.bell.uz", "call.soundz.com", "192.168.1.10"])
def test_another_host_is_told_as_it_is_written(typed: str) -> None:
    assert _read(_strip(typed)) == typed


def test_another_port_is_never_the_expected_one() -> None:
    assert _read(_strip("call.soundz.uz:5061")) in (None, "call.soundz.uz:5061")


def test_a_host_of_another_pbx_is_judged_by_its_own_letters() -> None:
    assert _read(_strip("pbx.firma.uz"), "pbx.firma.uz") == "pbx.firma.uz"
    assert _read(_strip("pbx.flrma.uz"), "pbx.firma.uz") != "pbx.firma.uz"


def _photographed(text: str, colours: tuple[str, str] = LIGHT) -> Pixels:
    """The strip as a phone's photo shows it: blurred, grainy, dim."""
    soft = cv2.GaussianBlur(_strip(text, colours), (0, 0), 1.9).astype(np.float32)
    grain = np.random.default_rng(7).normal(0, 6, soft.shape)
    return np.asarray(np.clip(0.7 * soft + 20 + grain, 0, 255), np.uint8)


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_a_photo_needs_more_than_two_looks_and_is_right_all_the_same(colours: tuple[str, str]) -> None:
    assert _read(_photographed(RIGHT, colours)) == RIGHT


def test_no_mistake_of_one_stroke_is_called_right_on_a_photo() -> None:
    slips = [slip for slip in mistakes(RIGHT) if not set("I|") & set(slip)][::2]
    assert [slip for slip in slips if _read(_photographed(slip)) == RIGHT] == []


def test_a_lost_letter_is_forgiven_but_never_an_added_one() -> None:
    slips = mistakes(RIGHT)
    assert (slips["cal.soundz.uz"], slips["call.sondz.uz"]) == (-3.0, -3.0)
    assert (slips["calll.soundz.uz"], slips["sip:call.soundz.uz"], slips["call..soundz.uz"]) == (3.0, 3.0, 6.0)


@pytest.mark.parametrize(
    ("typed", "apart"),
    [
        (RIGHT, True),
        ("call..soundz.uz", False),
        ("call.soundz. uz", False),
        ("call .soundz.uz", False),
    ],
)
def test_two_dots_or_a_space_beside_one_make_a_wider_gap(typed: str, apart: bool) -> None:
    assert dots_apart(_strip(typed), RIGHT) is apart


def test_a_lone_dot_has_nothing_to_be_measured_against() -> None:
    assert dots_apart(_strip("soundz.uz"), "soundz.uz") is None


@pytest.mark.parametrize("number", ["597", "1008", "2017"])
def test_a_number_on_a_photo_is_read_when_every_digit_beats_the_others(number: str) -> None:
    strip = _photographed(number)
    lines = (*read_lines([strip]), *read_lines([strip], stretch=1.25))
    assert value("username", lines, strip, RIGHT, None) == number


def test_a_blurred_number_is_read_as_it_is_or_not_at_all() -> None:
    seen: dict[str, str | None] = {}
    for number in ("551", "553", "1698", "1598", "3006", "3005", "lO01"):
        strip = np.asarray(cv2.GaussianBlur(_photographed(number), (0, 0), 2.5), np.uint8)
        lines = (*read_lines([strip]), *read_lines([strip], stretch=1.25))
        seen[number] = value("username", lines, strip, RIGHT, None)
    assert {number: found for number, found in seen.items() if found not in (None, number)} == {}


@pytest.mark.parametrize("number", ["1111", "1001", "2017"])
def test_the_gaps_beside_a_one_are_no_spaces(number: str) -> None:
    strip = _strip(number)
    assert spaced(strip, read_lines([strip])[0], number) == number


def test_a_space_between_digits_is_no_part_of_a_number() -> None:
    strip = _strip("10 01")
    assert spaced(strip, read_lines([strip])[0], "1001") != "1001"


def _slanted(strip: Pixels, slope: float) -> Pixels:
    """The strip as a photo taken askew shows it: lower or higher to the right."""
    move = np.array([[1, 0, 0], [slope, 1, -slope * strip.shape[1] / 2]], np.float32)
    return np.asarray(cv2.warpAffine(strip, move, strip.shape[1::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8)


@pytest.mark.parametrize("slope", [-0.03, 0.03])
def test_a_slant_is_taken_out_before_the_letters_are_measured(slope: float) -> None:
    askew = _slanted(_strip(RIGHT), slope)
    line = read_lines([askew])[0]
    assert (level(askew, line, RIGHT), level(upright(askew), line, RIGHT)) == (False, True)


def test_letters_on_one_level_are_left_as_they_are() -> None:
    strip = _strip(RIGHT)
    assert np.array_equal(upright(strip), strip)


def test_the_edge_of_the_box_beside_the_text_is_no_letter() -> None:
    strip = _strip(RIGHT)[:, 4:].copy()
    strip[4:44, :2] = 0
    first, *_ = gaps(strip)
    assert DOUBT < first[1] < WIDE
    assert spaced(strip, read_lines([strip[:, 4:]])[0], RIGHT) == RIGHT


@pytest.mark.parametrize(
    ("seen", "meant"), [("8.8.8.8", "8.8.8.8"), ("1111", None), ("1.4.11", None), ("dns.firma.uz", "dns.firma.uz")]
)
def test_a_nameserver_of_numbers_is_an_address_or_not_sure(seen: str, meant: str | None) -> None:
    strip = _strip(seen)
    assert value("nameserver", read_lines([strip]), strip, RIGHT, None) == meant
