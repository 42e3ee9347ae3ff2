"""Which row of MicroSIP's dialogs does this text on a picture name?

'SIP-cepsep', 'Обновление реги…' and 'Username *' are read as `server`, `register_refresh` and `username`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.parsers.screen.packs import CAPTIONS, Caption


@dataclass(frozen=True, slots=True)
class Match:
    """Which caption a text is, and how alike they are (0..100)."""

    caption: Caption
    pack: str
    score: float
    whole: bool  # False: only its beginning is seen (an ellipsis or a cut edge)


# Letters that look alike are one letter: OCR mixes the scripts inside a word ('SIP-cepsep').
_LOOK = str.maketrans(
    {
        "а": "a", "б": "6", "в": "b", "г": "r", "е": "e", "ё": "e", "з": "3", "и": "u", "й": "u", "к": "k",
        "м": "m", "н": "h", "о": "o", "п": "n", "р": "p", "с": "c", "т": "t", "у": "y", "х": "x", "ц": "u",
        "ч": "4", "ш": "w", "щ": "w", "ъ": "b", "ы": "b", "ь": "b", "0": "o", "1": "i", "l": "i", "j": "i",
    }
)  # fmt: skip
_SQUARE = re.compile(r"[^0-9a-zа-яё]+")
CUT = re.compile(r"(?:\.{2,}|…|\.\s\.)\s*$")
LONG, SHORT = 74, 80  # the least likeness of captions of 8 letters and more, and of shorter ones
EXACT = 4  # captions this short (ICE, AVPF) must be read letter by letter


def skeleton(text: str) -> str:
    """The text without case, spaces, marks and the difference between scripts."""
    return _SQUARE.sub("", text.lower()).translate(_LOOK)


def _shapes() -> tuple[tuple[str, Caption, str], ...]:
    seen: dict[tuple[str, str], tuple[str, Caption, str]] = {}
    for caption in CAPTIONS:
        for pack, text in caption.names.items():
            seen.setdefault((skeleton(text), caption.name), (skeleton(text), caption, pack))
    return tuple(seen.values())


SHAPES = _shapes()


def likeness(text: str, name: str) -> float:
    """How much the text looks like one caption in any language, 0..100; a cut caption counts in full."""
    from rapidfuzz import fuzz

    bare = skeleton(text)
    if len(bare) < 2:
        return 0.0
    shapes = [shape for shape, caption, _ in SHAPES if caption.name == name]
    whole = max(fuzz.ratio(bare, shape) for shape in shapes)
    begun = max(fuzz.ratio(bare, shape[: len(bare)]) for shape in shapes) if len(bare) >= 8 else 0.0
    return float(max(whole, begun - 6))


def match(text: str) -> tuple[Match, ...]:
    """Captions this text may be, best first; empty when it looks like none.

    An ellipsis, or a beginning of at least nine letters, is enough for a long caption.
    """
    from rapidfuzz import fuzz

    bare = skeleton(text)
    if len(bare) < 3:
        return ()
    cut = bool(CUT.search(text))
    found = []
    for shape, caption, pack in SHAPES:
        if len(shape) <= EXACT or len(bare) <= EXACT:
            score = 100.0 if shape == bare else 0.0
        else:
            score = fuzz.ratio(bare, shape, score_cutoff=SHORT if len(shape) < 8 else LONG)
        whole = True
        if not score and len(shape) > len(bare) >= (6 if cut else 9):
            score = fuzz.ratio(bare, shape[: len(bare)], score_cutoff=86) - 4
            whole = False
        if score > 0:
            found.append(Match(caption, pack, score, whole))
    return tuple(sorted(found, key=lambda one: (-one.score, not one.whole)))
