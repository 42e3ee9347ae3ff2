"""Rows whose caption was seen but not understood: the spot at the row's place is looked at again.

'Mcnonb3oBaTb BH. IP-anpec' at the place of `allow_rewrite` is `allow_rewrite`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import cv2

from bot.parsers.screen import spots
from bot.parsers.screen.captions import of_interest
from bot.parsers.screen.labels import Match, likeness
from bot.parsers.screen.layout import Fit, Seen
from bot.parsers.screen.ocr import Pixels
from bot.parsers.screen.packs import BY_NAME, Shape
from bot.parsers.screen.spots import Spot

NEAR_U, NEAR_V = 11.0, 5.0  # units a caption's end may be from its place
ALIKE = 52.0  # enough at the right place; nothing else looks like it there
STEADY = 2.2  # units: rows above and below that agree this well prove the place by themselves
COLUMN, BESIDE = 45.0, 130.0  # units in u: rows of one column, and captions of one row


def recover(image: Pixels, fit: Fit, lines: Sequence[Spot]) -> Fit:
    """The fit with the rows added whose caption stands where it should, or whose place its neighbours prove."""
    rows = dict(fit.rows)
    taken = {(round(row.spot.x), round(row.spot.y)) for row in rows.values()}
    pack = Counter(row.match.pack for row in rows.values()).most_common(1)[0][0]
    for name in of_interest(fit):
        if name in rows or BY_NAME[name].shape is Shape.ANCHOR:
            continue
        u = fit.layout[name][0]
        v, steady = expected(fit, name)
        side = -1 if BY_NAME[name].shape is Shape.CHECK else 1
        for spot in lines:
            at = fit.units(*spot.end(side))
            if (
                not -NEAR_U - (9 if side < 0 else 0) < at[0] - u < NEAR_U
                or abs(at[1] - v) > NEAR_V
                or (round(spot.x), round(spot.y)) in taken
            ):
                continue
            score = _score(image, spot, name)
            if score >= ALIKE or (steady and abs(at[1] - v) < STEADY and score >= 20):
                found = Match(BY_NAME[name], pack, score, False)
                end = fit.point(u, float(at[1]))
                rows[name] = Seen(name, found, spot, (float(end[0]), float(end[1])))
                break
        else:
            if steady and _free(fit, rows, name, v):
                x, y = (float(at) for at in fit.point(u, v))
                nowhere = Spot(x, y, 0.0, 0.0, 0.0)
                rows[name] = Seen(name, Match(BY_NAME[name], pack, 0.0, False), nowhere, (x, y))
    return replace(fit, rows=rows)


def _free(fit: Fit, rows: Mapping[str, Seen], name: str, v: float) -> bool:
    """Does no other row of the column stand there?"""
    column = [row for row in rows.values() if abs(fit.layout[row.name][0] - fit.layout[name][0]) < COLUMN]
    return all(abs(float(fit.units(*row.point)[1]) - v) > NEAR_V for row in column)


def expected(fit: Fit, name: str) -> tuple[float, bool]:
    """Where the row's middle should be by its neighbours, and whether those agree with the layout."""
    u, v = fit.layout[name]
    off = []
    for row in fit.rows.values():
        there = fit.layout[row.name]
        if there[1] == v and abs(there[0] - u) < BESIDE:
            return float(fit.units(*row.point)[1]), True
        if abs(there[0] - u) < COLUMN:
            off.append((abs(there[1] - v), there[1] - v, float(fit.units(*row.point)[1]) - there[1]))
    off.sort()
    above = next((moved for _, where, moved in off if where < 0), None)
    below = next((moved for _, where, moved in off if where > 0), None)
    near = [moved for _, _, moved in off[:3]]
    if not near:
        return v, False
    steady = above is not None and below is not None and abs(above - below) < STEADY
    return v + sorted(near)[len(near) // 2], steady


def _score(image: Pixels, spot: Spot, name: str) -> float:
    best = likeness(spot.text, name)
    if best >= ALIKE:
        return best
    softer = cv2.GaussianBlur(image, (0, 0), 0.8)
    for look in (image, softer):
        best = max(best, likeness(spots.read_cyrillic(look, spot).text, name))
        if best >= ALIKE:
            break
    return best
