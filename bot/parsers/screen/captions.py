"""Which captions are on the picture, and which dialogs do they make? Text is read until that is certain.

Captions stand in columns, so those are read first. Once a dialog is certain, what stands inside it where
no caption of interest can be is not read at all; until then every line is, in Latin and in Cyrillic.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from bot.parsers.screen import layout, spots
from bot.parsers.screen.labels import Match, match, skeleton
from bot.parsers.screen.layout import Fit, Seen, seen
from bot.parsers.screen.ocr import Grid, Pixels
from bot.parsers.screen.packs import BY_NAME, Dialog, Shape
from bot.parsers.screen.spots import Spot
from bot.parsers.screen.terminal import plainly_console

SURE = 92.0
CERTAIN = 10  # captions that agree on a dialog's place: it is there, whatever else is on the picture
LATIN_DIALOG = 10  # so many captions in Latin letters: the dialog is English or Uzbek, Tesseract is not needed
SAME_IN_ALL = {"server", "proxy", "ice", "avpf", "rport", "dns_srv", "keep_alive", "dial_plan", "hide_caller_id"}
CYRILLIC_MAX = 90  # lines given to Tesseract at most
LONGEST = 15.0  # a caption's width over its height; what is longer is text of another window
COLUMN = 4  # lines that end above one another make a column
# units from a caption's place within which its text may stand; which layout of Settings it is, is not yet certain
NEAR_U, SETTINGS_NEAR_U, SETTINGS_NEAR_V = 12.0, 24.0, 80.0
OF_SETTINGS = ("source_port", "rport", "rtp_min", "nameserver", "dns_srv", "stun_enabled", "call_recording")
_VALUE = re.compile(r"^[\d.:;, ]*$|^(?:[a-z0-9-]+\.){1,4}[a-z]{2,3}(?::\d+)?$|^(?:UDP|TCP|TLS|UDP\+TCP)$")


@dataclass(slots=True)
class Page:
    """What was read of a picture so far: every spot, and the captions it may be."""

    image: Pixels
    lines: dict[int, Spot]
    named: dict[int, list[Seen]] = field(default_factory=dict)
    cyrillic: set[int] = field(default_factory=set)  # read by Tesseract, too

    def latin(self, which: Iterable[int]) -> None:
        """Reads spots in Latin letters, all in one go."""
        fresh = [index for index in which if index not in self.named]
        read = spots.read(self.image, [self.lines[index] for index in fresh])
        for index, spot in zip(fresh, read, strict=True):
            self.lines[index], self.named[index] = spot, _named(spot)

    def russian(self, which: Iterable[int]) -> None:
        """Reads in Cyrillic what is not understood in Latin and is no value."""
        for index in which:
            spot, here = self.lines[index], self.named[index]
            sure = bool(here) and here[0].match.score >= SURE
            value = spot.confidence > 0.8 and bool(spot.text) and _VALUE.match(spot.text)
            if sure or value or index in self.cyrillic or len(self.cyrillic) >= CYRILLIC_MAX:
                continue
            self.cyrillic.add(index)
            other = spots.read_cyrillic(self.image, spot)
            there = _named(other)
            if there and (not here or there[0].match.score > here[0].match.score):
                self.lines[index], self.named[index] = other, there
            elif not here and re.search("[А-Яа-яЁё]{3}", other.text):
                self.lines[index] = other

    def fits(self) -> list[Fit]:
        """The dialogs that the captions understood so far make."""
        captions = [one for index in sorted(self.named) for one in self.named[index]]
        return [found for dialog in Dialog if (found := layout.fit(dialog, captions)) is not None]


def dialogs(image: Pixels, found: Sequence[Spot]) -> tuple[list[Fit], list[Spot]]:
    """The dialogs on the picture, and all its spots with the text of those that were read."""
    page = Page(image, dict(enumerate(found)))
    first = _columns(found)
    fits: list[Fit] = []
    if len(first) >= COLUMN:
        page.latin(first)
        fits = page.fits()
        if not _certain(fits):
            page.russian(first)
            fits = page.fits()
    if _certain(fits):
        page.latin(_worth(page, max(fits, key=lambda one: one.agreeing)))
        _confirm(page, fits)
        fits = page.fits()
    else:
        page.latin(n for n, spot in enumerate(found) if not fits or spot.width < LONGEST * spot.height)
        fits = page.fits()
        if (fits or not plainly_console(list(page.lines.values()))) and not _latin(page):
            page.russian(sorted(page.named))
            fits = page.fits()
    return fits, [page.lines[index] for index in range(len(found))]


def _certain(fits: Sequence[Fit]) -> bool:
    return any(one.agreeing >= CERTAIN for one in fits)


def _latin(page: Page) -> bool:
    sure = {here[0].name for here in page.named.values() if here and here[0].match.score >= SURE}
    return len(sure - SAME_IN_ALL) >= LATIN_DIALOG


def _columns(found: Sequence[Spot]) -> list[int]:
    """Spots that end above one another, as captions beside their controls do."""
    tilts = sorted(spot.angle for spot in found if spot.width > 4 * spot.height)
    tilt = float(np.radians(tilts[len(tilts) // 2])) if tilts else 0.0
    ends = [(spot.end(1)[0] + spot.y * tilt, spot.height) for spot in found]
    column = []
    for index, (x, height) in enumerate(ends):
        beside = sum(abs(x - other) < 0.35 * height and 0.6 < height / tall < 1.6 for other, tall in ends)
        if beside > COLUMN and 1.5 < found[index].width / found[index].height < LONGEST:
            column.append(index)
    return column


def _worth(page: Page, fit: Fit) -> list[int]:
    """What is left to read: captions of interest in the dialog found, and what may be a caption outside of it."""
    right, bottom = max(u for u, _ in fit.layout.values()) + 150, max(v for _, v in fit.layout.values()) + 40
    valued = [
        fit.units(*row.point) for row in fit.rows.values() if BY_NAME[row.name].shape in (Shape.EDIT, Shape.COMBO)
    ]
    left = []
    for index, spot in page.lines.items():
        u, v = (float(at) for at in fit.units(spot.x, spot.y))
        outside = not (0 < u < right and -20 < v < bottom)
        if (outside and spot.width < LONGEST * spot.height) or any(
            _stands(fit, spot, name, valued) for name in of_interest(fit)
        ):
            left.append(index)
    return left


def of_interest(fit: Fit) -> list[str]:
    """Rows of a dialog that are worth a look: Settings has many more than those that can hinder registering."""
    return [name for name in fit.layout if fit.dialog is Dialog.ACCOUNT or name in OF_SETTINGS]


def _stands(fit: Fit, spot: Spot, name: str, valued: Sequence[Grid]) -> bool:
    """Is the spot where this caption may be? A check's caption stands in no row that has a value."""
    at_u, at_v = fit.layout[name]
    start, end = fit.units(*spot.end(-1)), fit.units(*spot.end(1))
    settings = fit.dialog is Dialog.SETTINGS
    if settings and abs(float(end[1]) - at_v) > SETTINGS_NEAR_V:
        return False
    near_u = SETTINGS_NEAR_U if settings else NEAR_U
    if BY_NAME[name].shape is not Shape.CHECK:
        return abs(float(end[0]) - at_u) < near_u
    if not settings and any(abs(float(start[1] - row[1])) < 5 for row in valued):
        return False
    return abs(float(start[0]) - at_u) < near_u or start[0] < at_u < end[0]  # alone, or with its square


def _confirm(page: Page, fits: Sequence[Fit]) -> None:
    """Cyrillic for what is neither surely understood nor at the place its caption has in the dialog."""
    placed = {id(row.spot) for fit in fits for row in fit.rows.values()}
    unsure = []
    for index, here in page.named.items():
        at_home = any(
            one.name in fit.layout and _off(fit, one) < 3.0 and id(one.spot) in placed for fit in fits for one in here
        )
        if not at_home:
            unsure.append(index)
    if not _latin(page):
        page.russian(unsure)


def _off(fit: Fit, one: Seen) -> float:
    """Units between a caption and its place."""
    u, v = fit.units(*one.point)
    return max(abs(float(u) - fit.layout[one.name][0]) / 2, abs(float(v) - fit.layout[one.name][1]))


def _best(text: str) -> tuple[Match, int, int] | None:
    """The best caption in a line and the characters it spans; a line may hold a value or a tick as well."""
    best: tuple[float, Match, int, int] | None = None
    words = [(found.start(), found.end()) for found in re.finditer(r"\S+", text)][:9]
    for first in range(len(words)):
        for last in range(first, len(words)):
            start, end = words[first][0], words[last][1]
            candidates = match(text[start:end])
            if candidates:
                score = candidates[0].score + 0.6 * len(skeleton(text[start:end])) - 0.05 * (end - start)
                if best is None or score > best[0]:
                    best = (score, candidates[0], start, end)
    return best and (best[1], best[2], best[3])


def _named(spot: Spot) -> list[Seen]:
    """The captions this line may be; one text can name several rows ('STUN Server' in two dialogs).

    One line may hold several captions ('rport RTP Ports').
    """
    return _between(spot, 0, len(spot.text))


def _between(spot: Spot, begin: int, stop: int) -> list[Seen]:
    best = _best(spot.text[begin:stop])
    if best is None:
        return []
    start, end = begin + best[1], begin + best[2]
    text = spot.text[start:end].rstrip("* ")
    piece = spot.letters(start, start + max(1, len(text)))
    top = match(text)
    here = [seen(one, piece) for one in top[:3] if one.score > top[0].score - 6]
    return here + _between(spot, begin, start) + _between(spot, end, stop)
