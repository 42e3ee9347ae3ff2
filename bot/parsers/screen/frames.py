"""Where exactly is a control's frame? The layout says about where; the edges in the pixels say the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np

from bot.parsers.screen.layout import CONTROL, CONTROL_END, Fit, Seen
from bot.parsers.screen.ocr import Grid, Pixels
from bot.parsers.screen.packs import BY_NAME, Dialog, Shape

HALF = 7.0  # units from a control's middle to its upper and lower edge
REACH = 11.0  # units looked at above and below the middle
PROVEN = 1.5  # the least strength of a frame beside a caption that was not seen
TALLEST, LOWEST = 16.5, 11.0  # units between the upper and the lower edge

# u of the left and right edge; Settings: with the left column at 106
ACCOUNT_SPANS: Mapping[str, tuple[float, float]] = {"register_refresh": (86, 116), "keep_alive": (191, 211)}
SETTINGS_SPANS: Mapping[str, tuple[float, float]] = {
    "source_port": (79, 109),
    "rtp_min": (188, 218),
    "rtp_max": (227, 257),
    "nameserver": (106, 206),
    "stun_server": (106, 233),
}
SETTINGS_FIXED = ("source_port", "rtp_min", "rtp_max")
ROW_OF = {"rtp_max": "rtp_min", "stun_server": "stun_enabled"}  # controls without a caption of their own


@dataclass(frozen=True, slots=True)
class Control:
    """An edit or combo on the picture: its four edges in units about its row, and the row's slope."""

    name: str
    left: float
    right: float
    top: float
    bottom: float
    v: float  # of the row's middle
    slope: float  # units in v per unit in u, where the row is not parallel to the fit
    strength: float  # how much stronger its edges are than the noise round it; below 1: not seen

    def corner(self, fit: Fit, u: float, dv: float) -> Grid:
        """A point of the control in pixels; `dv` in units below the row's middle."""
        return fit.point(u, self.v + dv + self.slope * (u - self.left))

    def box(self, fit: Fit) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in pixels."""
        corners = np.array([self.corner(fit, u, v) for u in (self.left, self.right) for v in (self.top, self.bottom)])
        left, top, right, bottom = map(float, (*corners.min(0), *corners.max(0)))
        return (left, top, right, bottom)


def patch(
    image: Pixels, fit: Fit, left: float, right: float, top: float, bottom: float, scale: float, slope: float = 0.0
) -> Pixels:
    """A piece of the dialog, upright, `scale` pixels a unit of v; all edges in units."""
    aspect = float(np.linalg.norm(fit.du)) / fit.px_per_unit  # letters keep their shape
    kx, ky = scale * aspect, scale
    size = (max(4, round((right - left) * kx)), max(4, round((bottom - top) * ky)))
    start = fit.point(left, top)
    x_step = (fit.du + fit.dv * slope) / kx
    y_step = fit.dv / ky
    move = np.array([[x_step[0], y_step[0], start[0]], [x_step[1], y_step[1], start[1]]])
    how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(image, move, size, flags=how, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def row_v(fit: Fit, name: str) -> float | None:
    """v of a row's middle as its own caption or its neighbours say; None when none of them was seen."""
    row: Seen | None = fit.rows.get(ROW_OF.get(name, name))
    return None if row is None else float(fit.units(*row.point)[1])


def span(fit: Fit, name: str) -> tuple[float, float]:
    """u of a control's left and right edge by the layout."""
    if fit.dialog is Dialog.ACCOUNT:
        if name == "stun_server":
            return (CONTROL, CONTROL_END)
        return ACCOUNT_SPANS.get(name, (CONTROL, CONTROL_END))
    shift = 0.0 if name in SETTINGS_FIXED else fit.layout["nameserver"][0] - 97
    left, right = SETTINGS_SPANS[name]
    return (left + shift, right + shift)


def about(fit: Fit, name: str, v: float) -> list[int]:
    """A control's box in pixels by the layout alone, with a little air."""
    left, right = span(fit, name)
    corners = np.array([fit.point(a, b) for a in (left - 2, right + 2) for b in (v - HALF - 2, v + HALF + 2)])
    return [round(float(at)) for at in (*corners.min(0), *corners.max(0))]


def _edges(image: Pixels, fit: Fit, left: float, right: float, v: float, slope: float) -> tuple[Grid, Grid, float]:
    """Strength of horizontal and vertical edges round a row, and the pixels a unit of v."""
    scale = float(np.clip(fit.px_per_unit * 1.5, 3, 6))
    gray = cv2.cvtColor(patch(image, fit, left, right, v - REACH, v + REACH, scale, slope), cv2.COLOR_BGR2GRAY)
    soft = cv2.GaussianBlur(gray, (0, 0), 0.5 * scale / 3).astype(np.float32)
    flat = np.abs(np.diff(soft, axis=0, prepend=soft[:1]))
    steep = np.abs(np.diff(soft, axis=1, prepend=soft[:, :1]))
    return flat, steep, scale


def _pair(profile: Grid, scale: float) -> tuple[float, float, float]:
    """The upper and lower edge in units about the middle, and the strength of the weaker one."""
    noise = float(np.median(profile)) + 0.6
    best = (0.0, -HALF, HALF, 0.0)
    middle = REACH * scale
    for height in np.arange(LOWEST, TALLEST, 0.5):
        tops: Grid = np.arange(max(0, middle - 11 * scale), middle - 3.5 * scale).astype(int)
        bottoms = (tops + height * scale).round().astype(int)
        fits = bottoms < len(profile) - 1
        tops, bottoms = tops[fits], bottoms[fits]
        if not len(tops):
            continue
        weaker = np.minimum(profile[tops], profile[bottoms])
        off = np.abs((tops + bottoms) / 2 - middle) / scale
        score = (
            (weaker + 0.3 * np.maximum(profile[tops], profile[bottoms])) / noise - 0.12 * off - 0.1 * abs(height - 14)
        )
        at = int(score.argmax())
        if score[at] > best[0]:
            best = (float(score[at]), tops[at] / scale - REACH, bottoms[at] / scale - REACH, float(weaker[at]) / noise)
    return best[1], best[2], best[3]


def control(image: Pixels, fit: Fit, name: str, photo: bool) -> Control | None:
    """The control beside a caption; None when its caption was not seen."""
    v = row_v(fit, name)
    if v is None:
        return None
    left, right = span(fit, name)
    best: tuple[float, Control] | None = None
    for slope in np.linspace(-0.05, 0.05, 11) if photo and right - left > 60 else (0.0,):
        pad = 6.0
        flat, steep, scale = _edges(image, fit, left - pad, right + pad, v - slope * pad, slope)
        kx = scale * float(np.linalg.norm(fit.du)) / fit.px_per_unit
        inside = flat[:, int((pad + 3) * kx) : int((pad + right - left - 3) * kx)]
        top, bottom, strength = _pair(np.median(inside, axis=1).astype(np.float32), scale)
        score = strength - 2 * abs(slope)
        if best is not None and score <= best[0]:
            continue
        rows = steep[int((REACH + top + 2) * scale) : int((REACH + bottom - 2) * scale)]
        profile = np.percentile(rows, 30, axis=0) if len(rows) else np.zeros(steep.shape[1], np.float32)
        noise = float(np.median(profile)) + 1.0
        first = int((pad - 3.5) * kx)
        at = first + int(profile[first : int((pad + 1.6) * kx)].argmax())  # further in stands the first letter
        found_left = left - pad + at / kx if profile[at] > 2.2 * noise else left
        tail = int((pad + right - left - 4) * kx)
        at = tail + int(profile[tail:].argmax())
        found_right = left - pad + at / kx if profile[at] > 2.2 * noise else right
        best = (score, Control(name, found_left, found_right, top, bottom, v, float(slope), strength))
    return best[1] if best else None


def widen(image: Pixels, fit: Fit) -> Fit:
    """The fit with its horizontal unit set by the common left and right edges of the Account dialog's edits."""
    names = [n for n in fit.rows if BY_NAME[n].shape in (Shape.EDIT, Shape.COMBO) and n not in ACCOUNT_SPANS]
    if fit.dialog is not Dialog.ACCOUNT or len(names) < 3:
        return fit
    start, stop = 70.0, 262.0
    total: Grid | None = None
    kx = 1.0
    for name in names:
        v = row_v(fit, name) or 0.0
        _, steep, scale = _edges(image, fit, start, stop, v, 0.0)
        kx = scale * float(np.linalg.norm(fit.du)) / fit.px_per_unit
        rows = np.percentile(steep[int((REACH - 5) * scale) : int((REACH + 5) * scale)], 30, axis=0)
        between = np.concatenate([steep[: int(2.5 * scale)], steep[int((2 * REACH - 2.5) * scale) :]])
        rows = np.maximum(rows - np.percentile(between, 50, axis=0), 0)  # the dialog's own border goes on between
        strong = np.minimum(rows / (np.median(rows) + 1.5), 6).astype(np.float32)
        spread = max(1, round(kx))
        strong = cv2.blur(strong[None], (2 * spread + 1, 1))[0]
        total = strong if total is None else total + strong
    if total is None:
        return fit
    noise = float(np.median(total))
    lefts = total[int((80 - start) * kx) : int((95 - start) * kx)]
    rights = total[int((178 - start) * kx) : int((252 - start) * kx)]
    rights = rights * (1 - np.abs(np.linspace(178, 252, len(rights)) - CONTROL_END) / 90)
    left = 80 + int(lefts.argmax()) / kx
    right = 178 + int(rights.argmax()) / kx
    if lefts.max() < 1.8 * noise or rights.max() < 1.8 * noise:
        return fit
    stretch = (right - left) / (CONTROL_END - CONTROL)
    moved = fit.origin + fit.du * (left - CONTROL * stretch)
    return replace(fit, origin=moved, du=fit.du * stretch)
