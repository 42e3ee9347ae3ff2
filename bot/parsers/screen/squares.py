"""Is a check box ticked? Its square is found by its four edges and judged by what is inside."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bot.parsers.screen.frames import patch
from bot.parsers.screen.labels import Dialog, Shape
from bot.parsers.screen.layout import CONTROL, Fit, Seen
from bot.parsers.screen.ocr import Grid, Pixels

SCALE = 4.0  # pixels a unit of v in the piece looked at
INNER = 12  # the inside is judged on this many pixels squared


@dataclass(frozen=True, slots=True)
class Square:
    """A check box: is it ticked (None: not sure), and its box in pixels."""

    on: bool | None
    box: tuple[float, float, float, float]
    features: tuple[float, ...]


def _sums(grid: Grid) -> Grid:
    return np.asarray(np.pad(grid.cumsum(0).cumsum(1), ((1, 0), (1, 0))), np.float64)


def locate(gray: Grid, expected: tuple[float, float], sides: Grid) -> tuple[float, int, int, int]:
    """The best square: score, left, top, side in pixels of the piece."""
    soft = cv2.GaussianBlur(gray, (0, 0), 0.8)
    steep, flat = np.abs(cv2.Sobel(soft, cv2.CV_32F, 1, 0)), np.abs(cv2.Sobel(soft, cv2.CV_32F, 0, 1))
    cap = max(12.0, 0.3 * float(np.percentile(gray, 98) - np.percentile(gray, 2)))
    across, down = (
        _sums(np.minimum(steep, cap)),
        _sums(np.minimum(flat, cap)),
    )  # a long faint side beats a short strong tick
    height, width = gray.shape
    best = (-1.0, 0, 0, 0)
    thick = 3
    for side in sides.astype(int):
        xs: Grid
        ys: Grid
        xs, ys = np.meshgrid(np.arange(1, width - side - thick), np.arange(1, height - side - thick))
        if not xs.size:
            continue

        def line(sums: Grid, x: Grid, y: Grid, w: int, h: int) -> Grid:
            total = sums[y + h, x + w] - sums[y, x + w] - sums[y + h, x] + sums[y, x]
            return np.asarray(total / (w * h))

        edges = np.stack([
            line(across, xs - 1, ys + 2, thick, side - 3), line(across, xs + side - 2, ys + 2, thick, side - 3),
            line(down, xs + 2, ys - 1, side - 3, thick), line(down, xs + 2, ys + side - 2, side - 3, thick),
        ])  # fmt: skip
        score = edges.min(0) + 0.35 * edges.mean(0)
        off = np.hypot(xs + side / 2 - expected[0], ys + side / 2 - expected[1]) / SCALE
        score = score * (1 - 0.06 * off)
        at = np.unravel_index(int(score.argmax()), score.shape)
        if score[at] > best[0]:
            best = (float(score[at]), int(xs[at]), int(ys[at]), int(side))
    return best


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
    right = row.match.caption.shape is Shape.CHECK_RIGHT
    _, v = fit.units(*row.point)
    u = float(fit.units(*row.point)[0])
    aspect = float(np.linalg.norm(fit.du)) / fit.px_per_unit
    middle = u + 6.2 / aspect * 0.93 if right else u - 6.2 / aspect * 0.93
    placed = _column(fit, row.name, 7.8 / aspect)
    if placed is not None and abs(placed - middle) < 8:
        middle = placed
    reach_u, reach_v = 9.0 / aspect, 8.5
    piece = patch(image, fit, middle - reach_u, middle + reach_u, float(v) - reach_v, float(v) + reach_v, SCALE)
    gray = np.asarray(cv2.cvtColor(piece, cv2.COLOR_BGR2GRAY), np.float32)
    centre = (gray.shape[1] / 2, gray.shape[0] / 2)
    score, left, top, side = locate(gray, centre, np.arange(6.4, 9.8, 0.5) * SCALE)
    kx = SCALE * aspect
    u0, v0 = middle - reach_u + left / kx, float(v) - reach_v + top / SCALE
    corners = np.array([fit.point(a, b) for a in (u0, u0 + side / kx) for b in (v0, v0 + side / SCALE)])
    box = (*map(float, corners.min(0)), *map(float, corners.max(0)))
    features = _features(piece, gray, left, top, side, score)
    return Square(_decide(features), box, features)  # type: ignore[arg-type]


def _tick() -> Grid:
    drawn: Grid = np.zeros((48, 48), np.uint8)
    cv2.polylines(drawn, [np.array([[9, 25], [19, 35], [39, 12]])], False, 255, 6, cv2.LINE_AA)
    small = cv2.resize(drawn, (INNER, INNER), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray((small - small.mean()) / small.std(), np.float32)


TICK = _tick()


def _features(piece: Pixels, gray: Grid, left: int, top: int, side: int, score: float) -> tuple[float, ...]:
    """Inside contrast, frame contrast, likeness to a tick, colour inside, colour outside, edge score."""
    cut = max(3, round(side * 0.22))
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
    return (contrast, frame, likeness, saturation, outside, score, text, paper)


def _decide(features: tuple[float, ...]) -> bool | None:
    contrast, frame, likeness, saturation, outside, score, text, _paper = features
    if score < 4:
        return None
    ratio = contrast / max(frame, 0.5 * text, 12.0)
    if saturation - outside > 60:
        return True
    value = ratio * (0.4 + 0.6 * min(1.0, likeness / 0.6))
    if value > 0.6:
        return True
    if value < 0.38:
        return False
    return None


CHECKS: dict[Dialog, tuple[str, ...]] = {
    Dialog.ACCOUNT: ("hide_caller_id", "publish_presence", "allow_rewrite", "ice", "disable_session_timers", "avpf"),
    Dialog.SETTINGS: ("rport", "dns_srv", "stun_enabled", "call_recording"),
}
