"""Charts as inline SVG, drawn here: nothing is loaded from anywhere, and the colours follow the page's light or dark.

Colours and fonts are classes of the stylesheet, so that no style stands in the page itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 72, 8, 14, 42
LABELS_MAX = 8
_SVG = Markup('<svg class="chart" viewBox="0 0 {w} {h}" role="img" aria-label="{title}">{body}</svg>')
_BAR = Markup('<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="2">{tip}</rect>')
_LINE = Markup('<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
_TEXT = Markup('<text class="tick" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>')
_TIP = Markup("<title>{}</title>")


@dataclass(frozen=True, slots=True)
class Column:
    """One place on the axis: how many there were, and how many of these were good."""

    label: str
    total: int
    good: int
    tip: str


def columns(title: str, of: Sequence[Column]) -> Markup:
    """Columns over time, the good part in its own colour. `title` is read out instead of the picture."""
    top = _ceiling(max((column.total for column in of), default=0))
    slot = (WIDTH - LEFT - RIGHT) / max(len(of), 1)
    height = HEIGHT - TOP - BOTTOM
    parts = []
    for share in (0, 0.5, 1):
        y = TOP + height * (1 - share)
        parts.append(_LINE.format(left=LEFT, right=WIDTH - RIGHT, y=y))
        if top * share == int(top * share):
            parts.append(_TEXT.format(x=LEFT - 6, y=y + 4, anchor="end", text=int(top * share)))
    every = -(-len(of) // LABELS_MAX) or 1
    for place, column in enumerate(of):
        x, width = LEFT + slot * place + slot * 0.15, slot * 0.7
        for kind, count in (("bar-all", column.total), ("bar-good", column.good)):
            h = height * count / top
            if count:
                tip = _TIP.format(column.tip)
                parts.append(_BAR.format(kind=kind, x=x, y=TOP + height - h, w=width, h=h, tip=tip))
        if place % every == 0:
            parts.append(_TEXT.format(x=x + width / 2, y=HEIGHT - 8, anchor="middle", text=column.label))
    return _SVG.format(w=WIDTH, h=HEIGHT, title=title, body=Markup("").join(parts))


def share_bar(title: str, parts: Sequence[tuple[str, int]]) -> Markup:
    """One bar cut into the shares of its parts; each is named by the class of its colour."""
    whole = sum(count for _, count in parts)
    if not whole:
        return Markup("")
    ends = [0.0]
    for _, count in parts:
        ends.append(ends[-1] + 100 * count / whole)
    cuts = (
        Markup('<rect class="part-{kind}" x="{x:.2f}" y="0" width="{w:.2f}" height="10"/>').format(
            kind=kind, x=begin, w=end - begin
        )
        for (kind, _), (begin, end) in zip(parts, pairwise(ends), strict=True)
    )
    body = Markup("").join(cuts)
    frame = Markup(
        '<svg class="shares" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    )
    return frame.format(title, body)


def _ceiling(highest: int) -> int:
    """An even round number not below the highest, at least 2."""
    if highest <= 2:
        return 2
    step = int(10 ** (len(str(highest)) - 1))
    for share in (1, 2, 3, 4, 5, 6, 8, 10):
        top = step * share
        if top >= highest and top % 2 == 0:
            return top
    return step * 20
