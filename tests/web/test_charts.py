"""Charts: as high as what they show, and readable without seeing them."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("datasette", reason="the extra 'web' is not installed")

from bot.web.charts import BOTTOM, HEIGHT, TOP, Column, columns, share_bar  # after it is known that the extra is there

FULL = HEIGHT - TOP - BOTTOM


def heights(svg: str, kind: str) -> list[float]:
    return [float(h) for h in re.findall(rf'<rect class="{kind}"[^>]* height="([\d.]+)"', svg)]


@pytest.mark.parametrize(
    ("counts", "shares"), [((1, 2), (0.5, 1)), ((10, 5), (1, 0.5)), ((1000, 250), (1, 0.25)), ((7, 3), (7 / 8, 3 / 8))]
)
def test_a_column_is_as_high_as_its_count(counts: tuple[int, ...], shares: tuple[float, ...]) -> None:
    svg = columns("kunlar", [Column(str(count), count, count, "") for count in counts])
    assert heights(svg, "bar-all") == [round(FULL * share, 1) for share in shares]
    assert heights(svg, "bar-good") == heights(svg, "bar-all")


def test_a_day_without_cases_has_no_column() -> None:
    assert heights(columns("kunlar", [Column("1", 0, 0, ""), Column("2", 4, 0, "")]), "bar-all") == [FULL]


def test_a_chart_of_nothing_is_an_empty_grid() -> None:
    assert "<rect" not in columns("kunlar", [])
    assert share_bar("holat", []) == ""


def test_what_a_chart_shows_is_said_too_and_nothing_in_it_is_markup() -> None:
    svg = columns('"<b>', [Column("<i>", 1, 1, "1 & 2")])
    assert 'role="img" aria-label="&#34;&lt;b&gt;"' in svg
    assert re.findall(r"<title>(.*?)</title>", svg) == ["1 &amp; 2"] * 2
    assert re.findall(r"<[bi]>", svg) == []


def test_the_shares_fill_the_bar() -> None:
    svg = share_bar("holat", [("open", 1), ("solved", 2), ("closed", 1)])
    assert [float(w) for w in re.findall(r' width="([\d.]+)"', svg)] == [25, 50, 25]
