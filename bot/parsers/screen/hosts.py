"""Does a host field hold the expected host, another one, or can it not be said? Judged by its pixels' likelihood.

The expected host is believed only when the pixels prefer it, by a margin, to every mistake of one stroke
('calI', 'cal1', 'ca ll', 'call,soundz'), and no gap in the ink is as wide as a space. A different host is
believed only when the looks agree, a softer look agrees too, and no lost stroke explains the difference.
What lies between is not sure. Measured by benchmarks/screen_hosts.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from bot.parsers.screen.gaps import DOUBT, gaps, level, spaced
from bot.parsers.screen.ocr import Line, Pixels, read_lines, words

STUNS = ("stun.l.google.com:19302", "stun.zadarma.com:3478", "stun.sipnet.ru", "stun.sipnet.ru:3478")
LIKELY = 0.30  # of the likelihood distance a letter: what is further away is not this text
# nats by which the expected host must beat each mistake, measured on 750 mistyped ones drawn small and blurred: a
# wrong letter or a space reached 3.7 (a capital I aside: see gaps.level), a wrong or missing dot never came to 0
MARGIN, MARGIN_DOT = 4.0, 1.0
DIFFERS, DIFFERS_SHORT = 6.0, 10.0  # nats by which another text, or one with less ink, must beat it to be told
# letters that look like another, and what a letter looks like that lost a stroke in small or blurred print
ALIKE = {
    "l": "I1i|t", "i": "l1jI", "1": "lI7", "0": "oO8", "o": "0cea", "c": "eo", "e": "co", "a": "eos", "u": "vn",
    "v": "uy", "n": "rumh", "m": "n", "r": "nt", "h": "nb", "b": "hd6", "d": "b", "z": "2s", "s": "5z", "g": "q9",
    "q": "g", "t": "fl", "f": "t", "w": "v", ".": ",-:", "-": "._", ":": ".;",
}  # fmt: skip
PAIRS = {"m": ("rn",), "rn": ("m",), "w": ("vv",), "vv": ("w",), "d": ("cl",), "cl": ("d",), "n": ("ri",), "u": ("ii",),
         "ll": ("II", "11", "lI", "Il", "l1", "1l"), "uz": ("us", "vz")}  # fmt: skip
LOST = frozenset({"oc", "ec", "nr", "do", "dc", "bo", "hn", "mn", "as", "gq", "ao", "li", "uv", "ou", "zr"})
_DOTS = str.maketrans("", "", ".,-:;_")
_HOST = re.compile(r"[A-Za-z0-9]+(?:[.,:-]+[A-Za-z0-9]+)*[.,]?|(?:https?://|sips?:)[A-Za-z0-9.:-]+")


@lru_cache(maxsize=32)
def mistakes(text: str) -> tuple[str, ...]:
    """`text` with one slip each: a look-alike, a letter left out, doubled or swapped, a space inside."""
    found = {text[:at] + now + text[at + len(was) :] for was, many in PAIRS.items() for now in many
             for at in range(len(text)) if text.startswith(was, at)}  # fmt: skip
    for at, letter in enumerate(text):
        others = "0123456789" if letter.isdigit() else ""
        found.update(text[:at] + other + text[at + 1 :] for other in ALIKE.get(letter, "") + others)
        found |= {text[:at] + text[at + 1 :], text[:at] + letter + text[at:]}
        if at:
            found |= {text[:at] + " " + text[at:], text[: at - 1] + letter + text[at - 1] + text[at + 1 :]}
    return tuple(sorted(found - {text}))


def distance(lines: Sequence[Line], text: str) -> float:
    """How much less likely `text` is than the best reading, a letter; 0 means it is the best one."""
    away = []
    for line in lines:
        best = line.log_likelihood(line.text) if line.text else float(line.log_probs[:, 0].sum())
        away.append((best - line.log_likelihood(text)) / max(len(text), 1))
    return float(np.mean(away))


def lead(lines: Sequence[Line], text: str, others: Sequence[str]) -> float:
    """Nats by which `text` is likelier than the likeliest of `others`, over all looks."""
    mine = np.mean([line.log_likelihood(text) for line in lines])
    theirs = np.mean([line.log_likelihoods(others) for line in lines], axis=0)
    return float(mine - theirs.max())


def host(lines: Sequence[Line], strip: Pixels, expected: str, known: Sequence[str] = ()) -> str | None:
    """A host field's text: the expected host, another one, or None when it is not sure."""
    options = (expected, f"{expected}:5060", *known)
    near = min(options, key=lambda text: distance(lines, text))
    best = max({line.text for line in lines}, key=lambda text: sum(line.log_likelihood(text) for line in lines))
    if near in known and distance(lines, near) < 2 * LIKELY and best.count(":") == near.count(":"):
        return near  # any STUN server is one too many: which one it is does not matter to the letter
    if _believed(lines, near) or (distance(lines, near) < LIKELY and _believed([*lines, *softer(strip)], near)):
        text = spaced(strip, lines[0], near)
        if text == near:
            return near if level(strip, lines[0], near) else None
        return text if text and lead(lines, near, (text,)) < MARGIN else None
    return _other(lines, strip, best, near)


def _believed(lines: Sequence[Line], near: str) -> bool:
    """Is it this text, letter by letter and dot by dot?"""
    if distance(lines, near) >= LIKELY:
        return False
    slips = mistakes(near)
    dots = [slip for slip in slips if _letters(slip) == _letters(near)]
    letters = [slip for slip in slips if _letters(slip) != _letters(near)]
    return lead(lines, near, letters) > MARGIN and lead(lines, near, dots) > MARGIN_DOT


def _letters(text: str) -> str:
    """All but the dots and what may be taken for one."""
    return text.translate(_DOTS)


def _other(lines: Sequence[Line], strip: Pixels, best: str, near: str) -> str | None:
    """A text that is not the expected one, when that is beyond doubt."""
    if best.replace(" ", "").lower() == near.lower() and " " in best:
        return _with_spaces(lines, strip, best, near)
    agreed = len({line.text for line in lines}) == 1
    steady = min(line.confidence for line in lines)
    if not _HOST.fullmatch(best) or steady < (0.8 if agreed else 0.93) or best == near:
        return None
    if not _alike(best, near):
        return best
    looks = [*lines, *softer(strip)]
    least = DIFFERS if len(best) >= len(near) else DIFFERS_SHORT
    if any(near in (line.text, line.text.replace(" ", "")) for line in looks) or lead(looks, best, (near,)) < least:
        return None
    if _worn(best, near) or near in second_opinion(strip):
        return None
    return best


def _with_spaces(lines: Sequence[Line], strip: Pixels, best: str, near: str) -> str | None:
    """The expected host with spaces inside, when every look and the ink see them."""
    if any(line.text.replace(" ", "").lower() != near.lower() for line in lines):
        return None
    return best if lead(lines, best, (near,)) > 0 and any(width > DOUBT for _, width in gaps(strip)) else None


def softer(strip: Pixels) -> list[Line]:
    """Two more looks, softened and narrower: unsmoothed print is read better so."""
    soft = np.asarray(cv2.GaussianBlur(strip, (0, 0), 2.0), np.uint8)
    return [*read_lines([strip], stretch=0.85), *read_lines([soft], stretch=0.9)]


def _alike(best: str, near: str) -> bool:
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.distance(best, near) <= 3


def _worn(best: str, near: str) -> bool:
    """Is every difference a stroke that small print loses? Then it may as well be the expected host."""
    return len(best) == len(near) and all(a == b or a + b in LOST for a, b in zip(near, best, strict=True))


def second_opinion(strip: Pixels) -> str:
    """What Tesseract reads in the strip, without white space, in lower case."""
    gray = cv2.copyMakeBorder(cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY), 8, 8, 12, 12, cv2.BORDER_REPLICATE)
    return "".join(word.text for word in words(np.asarray(gray, np.uint8), "eng", 7)).lower()
