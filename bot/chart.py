"""One picture of numbers for a phone: figures, a bar a day, a bar a cause. It gets words and numbers and knows no more.

Needs the extra `stats`; drawing takes a second or two, so it belongs in a thread. No window, and one at a time: the
library's fonts are shared by all threads.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH_PX, DPI = 1080, 100  # Telegram keeps up to 1280 on the long side; a phone shows it about 390 wide
INK, MUTED, PAPER, LINE = "#1d2733", "#5c6b7a", "#ffffff", "#dfe5ea"
COLOURS = ("#2f6fb0", "#d9772b", "#8a97a3")  # told apart by the colour-blind, and in grey
PALE = "#b9d2ea"
TEXT, SMALL, LARGE, TITLE = 22, 19, 34, 31  # points at this DPI; 22 is about 11 pixels on the phone
ROW_PX, DAYS_PX, TILES_PX, HEAD_PX, GAP_PX, FOOT_PX = 66, 215, 215, 135, 72, 55
LABELS_MAX = 10  # days with a label


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure and what it is."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class DayBar:
    """One day: all of it, and the part that went well."""

    label: str
    whole: int
    part: int


@dataclass(frozen=True, slots=True)
class CauseBar:
    """One cause; `group` is its place in the picture's legend."""

    label: str
    count: int
    group: int


@dataclass(frozen=True, slots=True)
class Picture:
    """All words and numbers of the picture."""

    title: str
    subtitle: str
    tiles: Sequence[Tile]  # up to six, three in a row
    days_title: str
    days_legend: tuple[str, str]  # whole, part
    days: Sequence[DayBar]
    causes_title: str
    causes_legend: tuple[str, str, str]
    causes: Sequence[CauseBar]


_ONE_AT_A_TIME = Lock()


def draw(picture: Picture) -> bytes:
    """The picture as PNG. Raises ImportError without the extra `stats`."""
    with _ONE_AT_A_TIME:
        return _drawn(picture)


def _drawn(picture: Picture) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    causes_px = ROW_PX * len(picture.causes)
    height_px = HEAD_PX + TILES_PX + GAP_PX + DAYS_PX + FOOT_PX + (GAP_PX + causes_px if picture.causes else 0) + 15
    figure = Figure(figsize=(WIDTH_PX / DPI, height_px / DPI), dpi=DPI, facecolor=PAPER)
    FigureCanvasAgg(figure)

    def area(top_px: float, part_px: float, left_px: float = 50) -> Axes:
        box = (left_px / WIDTH_PX, 1 - (top_px + part_px) / height_px, 1 - 2 * left_px / WIDTH_PX, part_px / height_px)
        axes = figure.add_axes(box)
        axes.set_facecolor(PAPER)
        return axes

    _head(area(25, HEAD_PX - 60), picture)
    _tiles(area(HEAD_PX, TILES_PX), picture.tiles)
    top_px = HEAD_PX + TILES_PX + GAP_PX
    _days(area(top_px, DAYS_PX), picture)
    if picture.causes:
        _causes(area(top_px + DAYS_PX + FOOT_PX + GAP_PX, causes_px), picture)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DPI)
    return out.getvalue()


def _head(axes: Axes, picture: Picture) -> None:
    axes.set_axis_off()
    axes.text(0, 1, picture.title, fontsize=TITLE, color=INK, weight="bold", va="top")
    axes.text(0, 0, picture.subtitle, fontsize=SMALL, color=MUTED, va="bottom")


def _tiles(axes: Axes, tiles: Sequence[Tile]) -> None:
    axes.set_axis_off()
    for place, tile in enumerate(tiles):
        left, top = place % 3 / 3, 0.95 - place // 3 * 0.52
        axes.text(left, top, tile.value, fontsize=LARGE, color=INK, weight="bold", va="top")
        axes.text(left, top - 0.24, tile.label, fontsize=SMALL - 1, color=MUTED, va="top")


def _days(axes: Axes, picture: Picture) -> None:
    days = picture.days
    places = range(len(days))
    axes.bar(places, [day.whole for day in days], width=0.72, color=PALE)
    axes.bar(places, [day.part for day in days], width=0.72, color=COLOURS[0])
    most = max([1, *(day.whole for day in days)])
    highest = next((place for place, day in enumerate(days) if day.whole == most), None)
    axes.set_ylim(0, most * 1.16)
    axes.set_xlim(-0.6, max(len(days) - 0.4, 6.6))
    every = -(-len(days) // LABELS_MAX)
    axes.set_xticks([place for place in places if (len(days) - 1 - place) % every == 0])
    axes.set_xticklabels([days[place].label for place in axes.get_xticks().astype(int)], fontsize=SMALL, color=MUTED)
    axes.set_yticks([])
    for place, day in enumerate(days):
        if day.whole and (len(days) <= LABELS_MAX or place == highest):  # of many only the first of the highest
            axes.text(place, day.whole + most * 0.03, str(day.whole), fontsize=SMALL, color=INK, ha="center")
    axes.tick_params(length=0, pad=10)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(LINE)
    _titled(axes, picture.days_title, list(zip((PALE, COLOURS[0]), picture.days_legend, strict=True)))


def _causes(axes: Axes, picture: Picture) -> None:
    causes = picture.causes
    places = [len(causes) - 1 - place for place in range(len(causes))]
    most = max(cause.count for cause in causes)
    axes.barh(places, [cause.count for cause in causes], height=0.3, color=[COLOURS[c.group] for c in causes])
    axes.set_xlim(0, most * (1.03 + 0.024 * len(str(most))))  # room for the number behind the longest bar
    axes.set_ylim(-0.3, len(causes) - 0.3)
    axes.set_axis_off()
    for place, cause in zip(places, causes, strict=True):
        axes.text(0, place + 0.19, cause.label, fontsize=TEXT, color=INK, va="bottom")
        axes.text(cause.count + most * 0.015, place, str(cause.count), fontsize=TEXT, color=INK, va="center")
    used = sorted({cause.group for cause in causes})
    _titled(axes, picture.causes_title, [(COLOURS[group], picture.causes_legend[group]) for group in used])


def _titled(axes: Axes, title: str, legend: Sequence[tuple[str, str]]) -> None:
    """A heading with its legend on the same line, the last entry at the right edge."""
    from matplotlib.offsetbox import AnchoredOffsetbox, DrawingArea, HPacker, TextArea
    from matplotlib.patches import Rectangle

    axes.annotate(
        title, (0, 1), (0, 16), xycoords="axes fraction", textcoords="offset points",
        fontsize=TEXT + 2, weight="bold", color=INK, annotation_clip=False,
    )  # fmt: skip
    entries: list[Any] = []
    for colour, word in legend:
        mark = DrawingArea(16, 16)
        mark.add_artist(Rectangle((0, 0), 16, 16, color=colour))
        entries.append(
            HPacker(children=[mark, TextArea(word, textprops={"size": SMALL, "color": MUTED})], pad=0, sep=7)
        )
    row = HPacker(children=entries, pad=0, sep=20, align="center")
    axes.add_artist(
        AnchoredOffsetbox("lower right", child=row, pad=0, borderpad=0, frameon=False,
                          bbox_to_anchor=(1, 1), bbox_transform=axes.transAxes + _up(axes, 16))
    )  # fmt: skip


def _up(axes: Axes, points: float) -> Any:
    from matplotlib.transforms import ScaledTranslation

    figure = axes.get_figure()
    return ScaledTranslation(0, points / 72, figure.dpi_scale_trans) if figure is not None else None
