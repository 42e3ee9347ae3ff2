"""Which captions are on the picture? Every spot of text is read until it names a row or is known not to."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.parsers.screen import spots
from bot.parsers.screen.labels import Match, match, skeleton
from bot.parsers.screen.layout import Seen, seen
from bot.parsers.screen.ocr import Pixels
from bot.parsers.screen.spots import Spot

SURE = 92.0
LATIN_DIALOG = 10  # so many captions in Latin letters: the dialog is English or Uzbek, Tesseract is not needed
SAME_IN_ALL = {"server", "proxy", "ice", "avpf", "rport", "dns_srv", "keep_alive", "dial_plan", "hide_caller_id"}
CYRILLIC_MAX = 90  # lines given to Tesseract at most
_VALUE = re.compile(r"^[\d.:;, ]*$|^(?:[a-z0-9-]+\.){1,4}[a-z]{2,3}(?::\d+)?$|^(?:UDP|TCP|TLS|UDP\+TCP)$")


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
    """The captions this line may be; one text can name several rows ('STUN Server' in two dialogs)."""
    best = _best(spot.text)
    if best is None:
        return []
    _, start, end = best
    text = spot.text[start:end].rstrip("* ")
    piece = spot.letters(start, start + max(1, len(text)))
    top = match(text)
    return [seen(one, piece) for one in top[:3] if one.score > top[0].score - 6]


def captions(image: Pixels, found: Sequence[Spot]) -> tuple[list[Seen], list[Spot]]:
    """Captions and all spots with their text. Latin is read first, the rest as Cyrillic."""
    named: list[Seen] = []
    lines: list[Spot] = []
    latin = [(spot, _named(spot)) for spot in spots.read(image, list(found))]
    sure_names = {here[0].name for _, here in latin if here and here[0].match.score >= SURE}
    left = 0 if len(sure_names - SAME_IN_ALL) >= LATIN_DIALOG else CYRILLIC_MAX
    for spot, here in latin:
        sure = bool(here) and here[0].match.score >= SURE
        if not sure and left and not (spot.confidence > 0.8 and spot.text and _VALUE.match(spot.text)):
            left -= 1
            other = spots.read_cyrillic(image, spot)
            there = _named(other)
            if there and (not here or there[0].match.score > here[0].match.score):
                here, spot = there, other
            elif not here and re.search("[А-Яа-яЁё]{3}", other.text):
                spot = other
        named += here
        lines.append(spot)
    return named, lines
