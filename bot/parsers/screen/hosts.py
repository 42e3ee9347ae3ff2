"""Does a host field hold the expected host, another one, or can it not be said? Judged by its pixels' likelihood.

The expected host is believed only when the pixels prefer it to every mistake of one stroke ('calI', 'cal1',
'ca ll', 'call,soundz') by that mistake's margin, and no gap in the ink is as wide as a space. A different host is
believed only when the looks agree, softer looks agree too, and no lost stroke explains the difference.
What lies between is not sure. Measured by benchmarks/screen_hosts.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import cv2
import numpy as np

from bot.parsers.screen.gaps import DOUBT, dark_on_light, dots_apart, gaps, level, spaced
from bot.parsers.screen.ocr import Line, Pixels, read_lines, words

STUNS = ("stun.l.google.com:19302", "stun.zadarma.com:3478", "stun.sipnet.ru", "stun.sipnet.ru:3478")
LIKELY = 0.30  # of the likelihood distance a letter: what is further away is not this text
# Nats by which the expected host must beat a mistake: a little more than it was ever likelier where that mistake
# was what stood there (1900 boxes, small, blurred, pressed, photographed). The recogniser loses letters and dots
# in blur and never invents one, so a text with one less was always at least 5 behind.
LEFT_OUT, AT_THE_END = -3.0, 1.0  # a frame may hide the first letter
LETTER, DOT, ADDED, SPACE = 2.0, 3.0, 3.0, 3.0
ALIKE_BY, TWO_DOTS = 4.5, 6.0  # I, l, 1, i and | are a stroke each, o and 0 a ring; two dots run into one
MEASURED = 4.0  # less than that, for dots and spaces where the ink's own gaps say that all is well
HASTY = 1.0  # more than that, when only the first two looks are asked
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
DOTS, STROKES, ROUND = frozenset(".,-:;_"), frozenset("Il1i|"), frozenset("oO0")
_HOST = re.compile(r"[A-Za-z0-9]+(?:[.,:-]+[A-Za-z0-9]+)*[.,]?|(?:https?://|sips?:)[A-Za-z0-9.:-]+")


@lru_cache(maxsize=32)
def mistakes(text: str, measured: bool = False) -> Mapping[str, float]:
    """`text` with one slip each and the slip's margin: a look-alike, a letter left out, doubled, swapped, a space.

    `measured`: the dots stand apart as they should (gaps.dots_apart).
    """
    ease = MEASURED if measured else 0.0
    found: dict[str, float] = dict.fromkeys((f"{text}.", f"sip:{text}", f"https://{text}"), ADDED)

    def slip(start: int, end: int, now: str, margin: float) -> None:
        other = text[:start] + now + text[end:]
        found[other] = max(margin, found.get(other, margin))

    for was, many in PAIRS.items():
        for at in range(len(text)):
            if text.startswith(was, at):
                for now in many:
                    slip(at, at + len(was), now, ALIKE_BY if was == "ll" else ADDED if len(now) > len(was) else LETTER)
    for at, letter in enumerate(text):
        for other in ALIKE.get(letter, "") + ("0123456789" if letter.isdigit() else ""):
            slip(
                at,
                at + 1,
                other,
                DOT if letter in DOTS else ALIKE_BY if {letter, other} < STROKES or {letter, other} < ROUND else LETTER,
            )
        slip(at, at + 1, "", LEFT_OUT - ease * (letter == ".") if 0 < at < len(text) - 1 else AT_THE_END)
        slip(at, at, letter, TWO_DOTS - ease if letter in DOTS else ADDED)
        if at:
            slip(at, at, " ", SPACE - ease)
            slip(at - 1, at + 1, letter + text[at - 1], LETTER)
    found.pop(text, None)
    return found


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
    close = distance(lines, near) < 2 * LIKELY or _worn(best.replace("I", "l"), near)
    if near in known and close and best.count(":") == near.count(":"):
        return near  # any STUN server is one too many: which one it is does not matter to the letter
    apart = dots_apart(strip, near)
    slips = mistakes(near, apart is True)
    if apart is not False and (
        _believed(lines, near, slips, HASTY)
        or (distance(lines, near) < 4 * LIKELY and _believed([*lines, *softer(strip)], near, slips))
    ):
        text = spaced(strip, lines[0], near)
        if text == near:
            return near if level(strip, lines[0], near) else None
        return text if text and lead(lines, near, (text,)) < SPACE else None
    return _other(lines, strip, best, near)


def _believed(lines: Sequence[Line], near: str, slips: Mapping[str, float], more: float = 0.0) -> bool:
    """Is it this text, letter by letter and dot by dot?"""
    if distance(lines, near) >= 2 * LIKELY:
        return False
    ahead = np.mean([line.log_likelihood(near) - line.log_likelihoods(tuple(slips)) for line in lines], axis=0)
    return bool((ahead > np.array(list(slips.values())) + more).all())


def _other(lines: Sequence[Line], strip: Pixels, best: str, near: str) -> str | None:
    """A text that is not the expected one, when that is beyond doubt."""
    if best.replace(" ", "").lower() == near.lower() and " " in best:
        return _with_spaces(lines, strip, best, near)
    agreed = len({line.text for line in lines}) == 1
    steady = min(line.confidence for line in lines)
    if not _HOST.fullmatch(best) or steady < (0.8 if agreed else 0.93) or best == near or _worn(best, near):
        return None
    if not _alike(best, near):
        return best
    looks = [*lines, *softer(strip)]
    least = DIFFERS if len(best) >= len(near) else DIFFERS_SHORT
    if any(near in (line.text, line.text.replace(" ", "")) for line in looks) or lead(looks, best, (near,)) < least:
        return None
    return None if near in second_opinion(strip) else best


def _with_spaces(lines: Sequence[Line], strip: Pixels, best: str, near: str) -> str | None:
    """The expected host with spaces inside, when every look and the ink see them."""
    if any(line.text.replace(" ", "").lower() != near.lower() for line in lines):
        return None
    return best if lead(lines, best, (near,)) > 0 and any(width > DOUBT for _, width in gaps(strip)) else None


def softer(strip: Pixels) -> list[Line]:
    """Two more looks, dark on light and softened: blurred photos and unsmoothed print are read better so."""
    even = dark_on_light(strip)
    soft = np.asarray(cv2.GaussianBlur(even, (0, 0), 2.0), np.uint8)
    close = np.asarray(cv2.GaussianBlur(even[5:-5], (0, 0), 1.5), np.uint8)
    return read_lines([soft, close])


def _alike(best: str, near: str) -> bool:
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.distance(best, near) <= 3


def _worn(best: str, near: str) -> bool:
    """Did it lose strokes, and nothing else but dots, as small print does? Then it may as well be the expected host."""
    one, two = ("".join(letter for letter in text if letter not in DOTS) for text in (near, best))
    if one == two or len(one) != len(two):
        return False
    return all(a == b or a + b in LOST for a, b in zip(one, two, strict=True))


def second_opinion(strip: Pixels) -> str:
    """What Tesseract reads in the strip, without white space, in lower case."""
    gray = cv2.copyMakeBorder(cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY), 8, 8, 12, 12, cv2.BORDER_REPLICATE)
    return "".join(word.text for word in words(np.asarray(gray, np.uint8), "eng", 7)).lower()
