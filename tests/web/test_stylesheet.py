"""The stylesheet's colours can be read: WCAG 2.2 AA, 4.5 to 1 for text, in light and in dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[2] / "bot" / "web" / "static" / "page.css").read_text("utf-8")
TEXT_ON = (
    ("ink", "page"), ("ink", "card"), ("ink", "tint"), ("ink", "good-tint"), ("ink", "bad-tint"), ("ink", "wait-tint"),
    ("ink", "note-tint"), ("soft", "page"), ("soft", "card"), ("soft", "tint"), ("soft", "wait-tint"),
    ("soft", "good-tint"), ("soft", "bad-tint"), ("link", "page"), ("link", "card"), ("link", "tint"),
    ("on-main", "main"), ("good", "good-tint"), ("bad", "bad-tint"), ("bad", "card"), ("wait", "wait-tint"),
    ("calm", "calm-tint"), ("page", "ink"),
)  # fmt: skip


def palette(scheme: str) -> dict[str, str]:
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", blocks[("light", "dark").index(scheme)]))


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(scheme: str) -> None:
    colours = palette(scheme)
    poor = {}
    for text, ground in TEXT_ON:
        low, high = sorted((luminance(colours[text]), luminance(colours[ground])))
        ratio = (high + 0.05) / (low + 0.05)
        if ratio < 4.5:
            poor[text, ground] = round(ratio, 2)
    assert poor == {}


def test_the_stylesheet_loads_nothing() -> None:
    assert re.findall(r"@import|url\(|https?:", CSS) == []
