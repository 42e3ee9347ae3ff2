"""Where a pattern may match: only around words that every match contains, so that foreign text costs nearly nothing.

A pattern that begins with 'any name' is tried at every character; looking for a fixed word first is hundreds of
times faster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

BEFORE = 300  # characters that a match may begin before its word
AFTER = 300  # and end after it


def scan(pattern: re.Pattern[str], text: str, *words: str) -> Iterator[re.Match[str]]:
    """`pattern.finditer(text)`, looked for only around the words. Every match must hold or touch one of them."""
    for start, end in windows(text, words):
        yield from pattern.finditer(text, start, end)


def windows(text: str, words: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Stretches around the words in text order, without overlaps; each ends where a line ends, if one does soon."""
    places = sorted(at for word in words for at in _places(text, word))
    start, end = 0, -1
    for at in places:
        if at + AFTER <= end:
            continue
        line_end = text.find("\n", at + AFTER, at + 2 * AFTER)
        until = line_end if line_end >= 0 else min(at + 2 * AFTER, len(text))
        if at - BEFORE > end:
            if end >= 0:
                yield start, end
            start = max(0, at - BEFORE)
        end = until
    if end >= 0:
        yield start, end


def _places(text: str, word: str) -> Iterator[int]:
    """Where the word stands; of those that one window holds the first and the last."""
    at = text.find(word)
    while at >= 0:
        yield at
        last = text.rfind(word, at + len(word), at + AFTER)
        if last > 0:
            yield last
            at = last
        at = text.find(word, at + len(word))
