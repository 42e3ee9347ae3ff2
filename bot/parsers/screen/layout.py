"""Where is the dialog on the picture? Captions read are laid over the layouts of MicroSIP's versions.

A layout fixes the scale, the turn and the columns; a row's height comes from its own caption, so a
version whose rows moved is read all the same. Units are dialog units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from bot.parsers.screen.labels import Match
from bot.parsers.screen.ocr import Grid
from bot.parsers.screen.packs import BY_NAME, Dialog, Shape
from bot.parsers.screen.spots import Spot

STRETCHES = (1.08, 1.0, 0.93)  # pixels a unit in y over pixels a unit in x: Windows' usual fonts, and wider ones
LABEL_END, CHECK_TEXT, CONTROL, CONTROL_END = 77, 97.5, 86, 213
LEAST = 4  # captions that must agree before a dialog is believed

# v of the caption's middle, by version
_3_14 = {
    "server": 14, "proxy": 33, "username": 59, "domain": 78, "login": 97, "password": 116, "show_password": 129,
    "display_name": 147,
    "media_encryption": 165, "transport": 183, "public_address": 202, "publish_presence": 220, "stun_enabled":
    242, "ice": 257,
    "allow_rewrite": 272,
}  # fmt: skip
_3_20 = {
    "account_name": 14, "server": 33, "proxy": 52, "username": 78, "domain": 97, "login": 116, "password": 135,
    "show_password": 148,
    "display_name": 166, "voicemail": 185, "dialing_prefix": 204, "dial_plan": 222, "hide_caller_id": 238,
    "media_encryption": 255,
    "transport": 274, "public_address": 292, "register_refresh": 311, "keep_alive": 311, "publish_presence": 329,
    "allow_rewrite": 342, "ice": 355, "disable_session_timers": 368, "avpf": 381,
}  # fmt: skip
_3_22 = _3_20 | {"publish_presence": 328, "allow_rewrite": 340, "ice": 352, "disable_session_timers": 364}
# Settings: u, v of the caption's end beside its control (its middle, in v); x of the left column is 106
_SETTINGS_LEFT: Mapping[str, tuple[float, float]] = {
    "single_call_mode": (117, 13), "ringtone": (97, 30), "ring_device": (97, 60), "speaker": (97, 75),
    "microphone": (97, 90),
    "microphone_amplification": (97, 105), "software_level_adjustment": (97, 117), "available_codecs": (50, 127.5),
    "enabled_codecs": (163, 127.5), "force_codec": (158, 203),
}  # fmt: skip
_SETTINGS_VIDEO = {
    "disable_video": (117, 215.5), "camera": (97, 230), "video_codec": (97, 245), "video_bitrate": (222, 261),
}  # fmt: skip
_SETTINGS_NET = {
    "source_port": (77, 278), "rport": (129, 278), "rtp_min": (186, 278), "nameserver": (97, 296), "dns_srv":
    (221, 296),
    "stun_enabled": (87, 314),
}  # fmt: skip
_SETTINGS_RIGHT = {
    "call_recording": (357, 30), "dtmf_method": (367, 61), "auto_answer": (367, 76), "deny_incoming": (367, 91),
    "directory_of_users": (367, 106), "default_list_action": (367, 121), "handle_media_buttons": (301, 145.5),
    "sound_events": (301, 157), "bring_to_front": (301, 168), "random_popup": (301, 179.5), "call_waiting": (301,
    191),
    "headset_support": (436, 145.5), "enable_log_file": (436, 157), "enable_local_account": (436, 168),
    "multi_monitor": (436, 179.5), "disable_messaging": (436, 191), "check_for_updates": (367, 211),
}  # fmt: skip
Layout = Mapping[str, tuple[float, float]]


def _account(rows: Mapping[str, float]) -> Layout:
    place = {}
    for name, v in rows.items():
        shape = BY_NAME[name].shape
        u: float = CHECK_TEXT if shape is Shape.CHECK else LABEL_END
        u = {"keep_alive": 186.0, "show_password": 86.0}.get(name, u)
        place[name] = (u, float(v))
    return place


def _settings(left: int, right: int, video: bool, early: bool) -> Layout:
    up = -13 if early else 0
    place = {n: (u + left, v) for n, (u, v) in _SETTINGS_LEFT.items()}
    if video:
        place |= {n: (u + left, v + up) for n, (u, v) in _SETTINGS_VIDEO.items()}
    fixed = ("source_port", "rport", "rtp_min")
    drop = up - (0 if video else 61)
    place |= {n: (u + (0 if n in fixed else left), v + drop) for n, (u, v) in _SETTINGS_NET.items()}
    return place | {n: (u + right, v) for n, (u, v) in _SETTINGS_RIGHT.items()}


LAYOUTS: Mapping[Dialog, tuple[Layout, ...]] = {
    Dialog.ACCOUNT: tuple(_account(rows) for rows in (_3_20, _3_22, _3_14)),
    Dialog.SETTINGS: tuple(
        _settings(left, right, video, early)
        for left, right, early in ((0, 0, False), (20, 40, False), (0, 0, True))
        for video in (True, False)
    ),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A caption seen on the picture and the point of it that the layout fixes."""

    name: str
    match: Match
    spot: Spot
    point: tuple[float, float]

    @property
    def read(self) -> bool:
        """False: the caption was not understood, its row's place is known by its neighbours."""
        return self.match.score > 0


def seen(match: Match, spot: Spot) -> Seen:
    """Where the caption touches its control: its right end, or its left end beside a check box."""
    shape = match.caption.shape
    name = match.caption.name
    left = shape is Shape.CHECK or name in ("show_password", "available_codecs", "enabled_codecs")
    x, y = spot.end(-1 if left else 1)
    return Seen(name, match, spot, (x, y))


@dataclass(frozen=True, slots=True)
class Fit:
    """A dialog found: origin and the two unit vectors, in pixels, and the captions that agree."""

    dialog: Dialog
    layout: Layout
    origin: Grid
    du: Grid
    dv: Grid
    rows: Mapping[str, Seen]
    agreeing: int
    columns: tuple[int, int] = field(default=(0, 0))  # shifts of the left and right half of Settings

    def point(self, u: float, v: float) -> Grid:
        """Units to pixels."""
        return np.asarray(self.origin + self.du * u + self.dv * v)

    def units(self, x: float, y: float) -> Grid:
        """Pixels to units."""
        return np.asarray(np.linalg.solve(np.stack([self.du, self.dv], 1), np.array([x, y]) - self.origin))

    @property
    def px_per_unit(self) -> float:
        """Of the vertical unit."""
        return float(np.linalg.norm(self.dv))


def _similarities(units: Grid, points: Grid, tolerance: float, stretch: float) -> tuple[int, Grid]:
    """The pair of captions whose similarity most captions agree with: count, and which."""
    plane = units[:, 0] + 1j * units[:, 1] * stretch
    image = points[:, 0] + 1j * points[:, 1]
    one, two = np.triu_indices(len(units), 1)
    span = plane[two] - plane[one]
    one, two, span = one[abs(span) >= 14], two[abs(span) >= 14], span[abs(span) >= 14]
    turn = (image[two] - image[one]) / span
    upright = (abs(turn) > 0.55) & (abs(turn) < 8) & (abs(np.angle(turn)) <= 0.25)
    one, turn = one[upright], turn[upright]
    if not len(one):
        return 0, np.zeros(len(units), bool)
    away = np.abs((image[None] - image[one, None]) / turn[:, None] - (plane[None] - plane[one, None]))
    score = np.clip(1 - away / tolerance, 0, 1).sum(1) + 0.5 * (away < tolerance).sum(1)
    agreeing = away[int(score.argmax())] < tolerance
    return int(agreeing.sum()), agreeing


def _affine(dialog: Dialog, layout: Layout, stretch: float, agreeing: Sequence[Seen]) -> Fit:
    units = np.array([layout[one.name] for one in agreeing])
    points = np.array([one.point for one in agreeing])
    wide = sorted(one.spot.angle for one in agreeing if one.spot.width > 3.5 * one.spot.height)
    level = sum(abs(one) < 0.01 for one in wide) >= 0.3 * len(wide)  # a screenshot: most lines are exactly level
    angle = 0.0 if level else np.radians(wide[len(wide) // 2])
    along = np.array([np.cos(angle), np.sin(angle)])
    guess = np.ptp(points[:, 1]) / max(np.ptp(units[:, 1]), 1)
    origin, du, dv = np.zeros(2), along, np.zeros(2)
    for _ in range(3):
        wanted = guess / stretch
        spread = float(np.ptp(units[:, 0]))
        # origin, dv and the length of du by least squares; a wide spread of columns is trusted more than the prior
        rows, right = [], []
        for (u, v), (x, y) in zip(units, points, strict=True):
            rows += [[1, 0, v, 0, u * along[0]], [0, 1, 0, v, u * along[1]]]
            right += [x, y]
        weight = 2000 / max(spread, 5)
        rows.append([0, 0, 0, 0, weight])
        right.append(weight * wanted)
        solved = np.linalg.lstsq(np.array(rows, float), np.array(right, float), rcond=None)[0]
        origin, dv, du = solved[:2], solved[2:4], along * solved[4]
        guess = float(np.linalg.norm(dv))
    return Fit(dialog, layout, origin, du, dv, {one.name: one for one in agreeing}, len(agreeing))


def fit(dialog: Dialog, captions: Sequence[Seen], tolerance: float = 4.5) -> Fit | None:
    """The dialog's place, or None when fewer than LEAST captions agree on one.

    Captions that are off their layout's row but in their column are kept: their row moved.
    """
    best: tuple[int, Layout, float, list[Seen]] | None = None
    for stretch, layout in product(STRETCHES, LAYOUTS[dialog]):  # the usual stretch first: it wins a tie
        known = [one for one in captions if one.name in layout]
        if len({one.name for one in known}) < LEAST:
            continue
        units = np.array([layout[one.name] for one in known])
        points = np.array([one.point for one in known])
        count, which = _similarities(units, points, tolerance, stretch)
        names = len({one.name for one, kept in zip(known, which, strict=True) if kept})
        if count and (best is None or names > best[0]):
            best = (names, layout, stretch, [one for one, kept in zip(known, which, strict=True) if kept])
    if best is None or best[0] < LEAST:
        return None
    _, layout, stretch, agreeing = best
    found = _affine(dialog, layout, stretch, agreeing)
    rows: dict[str, Seen] = {}
    for one in captions:
        if one.name not in layout:
            continue
        u, v = found.units(*one.point)
        away = abs(u - layout[one.name][0])
        size = one.spot.height / found.px_per_unit
        if away > 9 or not 5 < size < 19 or not -8 < v < max(at[1] for at in layout.values()) + 40:
            continue
        old = rows.get(one.name)
        if old is None or _rank(found, one) > _rank(found, old):
            rows[one.name] = one
    return Fit(dialog, layout, found.origin, found.du, found.dv, rows, len(agreeing))


def _rank(found: Fit, one: Seen) -> float:
    u, v = found.units(*one.point)
    at = found.layout[one.name]
    return one.match.score - 2 * abs(float(u) - at[0]) - 0.7 * min(abs(float(v) - at[1]), 40)
