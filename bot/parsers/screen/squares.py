"""Is a check box ticked? Its square is found by its four edges and judged by what is inside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from bot.parsers.screen.frames import patch
from bot.parsers.screen.layout import CONTROL, Fit, Seen
from bot.parsers.screen.ocr import Grid, Pixels
from bot.parsers.screen.packs import Dialog, Shape

SCALE = 4.0  # pixels a unit of v in the piece looked at
WHOLE = 0.65  # of a real frame's faintest side at least this much is seen
ON, OFF = 0.6, 0.42  # the inside's contrast over the letters': ticked above, not ticked below, between not sure
# what the left, right, upper and lower side count: a sunken square's shadow is dark, its light hardly seen
EVEN: Grid = np.ones((4, 1, 1), np.float32)
SUNKEN: Grid = np.array([0.8, 1.6, 0.8, 1.6], np.float32).reshape(4, 1, 1)
OFF_SUNKEN = 0.3
CUT = 0.26  # of the side: the frame and its shadow, which are not inside
BARE = 0.33  # of the letters' contrast: where all that stands beside the caption is fainter, nothing is ticked
PROVEN = 0.8  # of a frame beside a caption that was not seen
INNER = 12  # the inside is judged on this many pixels squared


@dataclass(frozen=True, slots=True)
class Square:
    """A check box: is it ticked (None: not sure), and its box in pixels."""

    on: bool | None
    box: tuple[float, float, float, float]
    features: tuple[float, ...]


def _sums(grid: Grid) -> Grid:
    return np.asarray(np.pad(grid.cumsum(0).cumsum(1), ((1, 0), (1, 0))), np.float64)


@dataclass(frozen=True, slots=True)
class Place:
    """A square in a piece of the picture: pixels of the piece; `cover`: how whole its faintest side is, 0..1."""

    left: int
    top: int
    side: int
    cover: float
    strength: float
    sunken: bool = False  # found by its shadow: its place is less exact


def locate(gray: Grid, expected: tuple[float, float]) -> Place:
    """The square nearest to what a check box is, about `expected`.

    Sought twice: by its edges' strength, which finds the place exactly but may fall for a strong tick in
    a faint frame, and by their length alone, which does not.
    """
    soft = cv2.GaussianBlur(gray, (0, 0), 0.8)
    steep, flat = np.abs(cv2.Sobel(soft, cv2.CV_32F, 1, 0)), np.abs(cv2.Sobel(soft, cv2.CV_32F, 0, 1))
    cap = max(12.0, 0.3 * float(np.percentile(gray, 98) - np.percentile(gray, 2)))
    whole = (_sums(np.minimum(steep, cap) / cap), _sums(np.minimum(flat, cap) / cap))
    strong = (_sums(steep), _sums(flat))
    exact, sure = _best(strong, whole, gray.shape, expected), _best(whole, whole, gray.shape, expected)
    found = exact if exact.cover >= 0.8 * sure.cover else sure
    if found.cover >= WHOLE:
        return found
    sunken = replace(_best(whole, whole, gray.shape, expected, SUNKEN), sunken=True)
    return sunken if sunken.cover >= WHOLE else found


def _best(
    sums: tuple[Grid, Grid], whole: tuple[Grid, Grid], shape: Any, expected: tuple[float, float], sides: Grid = EVEN
) -> Place:
    height, width = shape
    best = Place(0, 0, 12, 0.0, -1.0)
    for side in (np.arange(6.4, 9.8, 0.5) * SCALE).astype(int):
        xs: Grid
        ys: Grid
        xs, ys = np.meshgrid(np.arange(1, width - side - 3), np.arange(1, height - side - 3))
        if not xs.size:
            continue
        edges = sides * _sides(sums, xs, ys, int(side))
        off = np.hypot(xs + side / 2 - expected[0], ys + side / 2 - expected[1]) / SCALE
        score = (edges.min(0) + 0.35 * edges.mean(0)) * (1 - 0.06 * off)
        at = np.unravel_index(int(score.argmax()), score.shape)
        if score[at] > best.strength:
            cover = float((sides.ravel() * _sides(whole, xs[at], ys[at], int(side))).min())
            best = Place(int(xs[at]), int(ys[at]), int(side), cover, float(score[at]))
    return best


def _sides(sums: tuple[Grid, Grid], x: Grid, y: Grid, side: int) -> Grid:
    """The mean along the left, right, upper and lower side of squares at x, y."""

    def mean(table: Grid, left: Grid, top: Grid, w: int, h: int) -> Grid:
        return (table[top + h, left + w] - table[top, left + w] - table[top + h, left] + table[top, left]) / (w * h)

    across, down = sums
    return np.stack([
        mean(across, x - 1, y + 2, 3, side - 3), mean(across, x + side - 2, y + 2, 3, side - 3),
        mean(down, x + 2, y - 1, side - 3, 3), mean(down, x + 2, y + side - 2, side - 3, 3),
    ])  # fmt: skip


def _column(fit: Fit, name: str, side: float) -> float | None:
    """u of a check box's middle by the layout."""
    if fit.dialog is Dialog.ACCOUNT:
        return CONTROL + side / 2
    left, right = fit.layout["nameserver"][0] - 97, fit.layout["dtmf_method"][0] - 367
    return {
        "rport": 118 + side / 2,
        "dns_srv": 210 + left + side / 2,
        "stun_enabled": 97 + left - side / 2,
        "call_recording": 367 + right - side / 2,
    }.get(name)


def judge(image: Pixels, fit: Fit, row: Seen) -> Square:
    """The check box beside a caption."""
    u, v = (float(at) for at in fit.units(*row.point))
    aspect = float(np.linalg.norm(fit.du)) / fit.px_per_unit
    beside = 5.8 / aspect * (1 if row.match.caption.shape is Shape.CHECK_RIGHT else -1)
    middles = [u + beside]
    placed = _column(fit, row.name, 7.8 / aspect)
    if placed is not None and abs(placed - middles[0]) < 8:
        middles.append(placed)
    squares = [_at(image, fit, middle, v, aspect) for middle in middles]
    best = max(squares, key=lambda one: one.features[5])
    if not row.read:
        return best if best.features[5] > PROVEN else replace(best, on=None)
    return replace(best, on=False) if best.on is None and _bare(image, fit, row, aspect) else best


def _bare(image: Pixels, fit: Fit, row: Seen, aspect: float) -> bool:
    """Is there no ink beside the caption, wherever exactly its square is? A tick is as dark as the letters."""
    u, v = (float(at) for at in fit.units(*row.point))
    if row.match.caption.shape is Shape.CHECK_RIGHT:
        sides = ((u + 2 / aspect, u + 14 / aspect, 6.0), (u - 20 / aspect, u - 1 / aspect, 5.0))
    else:
        first = min(u, fit.layout[row.name][0]) if fit.dialog is Dialog.ACCOUNT else u
        sides = ((first - 14 / aspect, u - 2 / aspect, 6.0), (u + 1 / aspect, u + 20 / aspect, 5.0))
    ink, letters = (_contrast(patch(image, fit, left, right, v - high, v + high, SCALE)) for left, right, high in sides)
    return ink < BARE * max(letters, 8.0)


def _contrast(piece: Pixels) -> float:
    soft = cv2.GaussianBlur(cv2.cvtColor(piece, cv2.COLOR_BGR2GRAY), (0, 0), 2.5)
    return float(np.percentile(soft, 98) - np.percentile(soft, 2))


def _at(image: Pixels, fit: Fit, middle: float, v: float, aspect: float) -> Square:
    reach_u, reach_v = 9.0 / aspect, 8.5
    piece = patch(image, fit, middle - reach_u, middle + reach_u, v - reach_v, v + reach_v, SCALE)
    gray = np.asarray(cv2.cvtColor(piece, cv2.COLOR_BGR2GRAY), np.float32)
    place = locate(gray, (gray.shape[1] / 2, gray.shape[0] / 2))
    kx = SCALE * aspect
    u0, v0 = middle - reach_u + place.left / kx, v - reach_v + place.top / SCALE
    corners = np.array([fit.point(a, b) for a in (u0, u0 + place.side / kx) for b in (v0, v0 + place.side / SCALE)])
    left, top, right, bottom = map(float, (*corners.min(0), *corners.max(0)))
    features = _features(piece, gray, place)
    return Square(_decide(features, place.sunken), (left, top, right, bottom), features)


def _tick() -> Grid:
    drawn: Grid = np.zeros((48, 48), np.uint8)
    cv2.polylines(drawn, [np.array([[9, 25], [19, 35], [39, 12]])], False, 255, 6, cv2.LINE_AA)
    small = cv2.resize(drawn, (INNER, INNER), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray((small - small.mean()) / small.std(), np.float32)


TICK = _tick()


def _features(piece: Pixels, gray: Grid, place: Place) -> tuple[float, ...]:
    """Inside and frame contrast, likeness to a tick, colour inside and outside, wholeness, text contrast, paper."""
    left, top, side = place.left, place.top, place.side
    cut = max(3, round(side * CUT))
    inside = gray[top + cut : top + side - cut, left + cut : left + side - cut]
    colour = piece[top + cut : top + side - cut, left + cut : left + side - cut].astype(np.float32)
    if min(inside.shape) < 4:
        return (0.0,) * 8
    soft = cv2.GaussianBlur(inside, (0, 0), 0.8)
    contrast = float(np.percentile(soft, 97) - np.percentile(soft, 3))
    ring = np.concatenate(
        [gray[top : top + 3, left : left + side].ravel(), gray[top + side - 3 : top + side, left : left + side].ravel()]
    )
    around = np.concatenate([gray[:3].ravel(), gray[-3:].ravel()])
    frame = float(abs(np.median(ring) - np.median(around)))
    text = float(np.percentile(gray, 98) - np.percentile(gray, 2))
    paper = float(abs(np.median(soft) - np.median(around)))
    small = cv2.resize(soft, (INNER, INNER), interpolation=cv2.INTER_AREA)
    plain = (small - small.mean()) / (small.std() + 1e-3)
    likeness = max(
        abs(float((np.roll(np.roll(plain, dx, 1), dy, 0) * TICK).mean())) for dx in (-1, 0, 1) for dy in (-1, 0, 1)
    )
    saturation = float(np.median(colour.max(2) - colour.min(2)))
    outside = float(np.median((piece.max(2).astype(np.float32) - piece.min(2))[:3]))
    return (contrast, frame, likeness, saturation, outside, place.cover, text, paper)


def _decide(features: tuple[float, ...], sunken: bool) -> bool | None:
    """A tick has about the contrast of the letters beside it; an empty box has none, on a photo a little."""
    contrast, _, likeness, saturation, outside, cover, text, _ = features
    if cover < WHOLE:  # no square was found
        return None
    if saturation - outside > 60:
        return True
    ratio = contrast / max(text, 12.0) + 0.25 * (min(likeness, 0.6) - 0.33)
    if ratio > ON:
        return True
    return False if ratio < (OFF_SUNKEN if sunken else OFF) else None


CHECKS: dict[Dialog, tuple[str, ...]] = {
    Dialog.ACCOUNT: ("hide_caller_id", "publish_presence", "allow_rewrite", "ice", "disable_session_timers", "avpf"),
    Dialog.SETTINGS: ("rport", "dns_srv", "stun_enabled", "call_recording"),
}
