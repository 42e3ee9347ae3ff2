"""Log lines that a window of an odd width has cut: where they were cut, and the whole lines again.

The page mends terminals of 40 and 80 columns; a log tells by its own line starts where any other width cut it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

_NARROW = 30  # no window is narrower
_MAX_PARTS = 40  # pieces of one line


def cut_widths(lines: Sequence[str], begins: Callable[[str], bool]) -> frozenset[int]:
    """The lengths at which lines seem cut: several of them, each before a line that `begins` nothing."""
    cut = Counter(
        len(line)
        for line, following in pairwise(lines)
        if len(line) >= _NARROW and following.strip() and not begins(following)
    )
    return frozenset(width for width, times in cut.items() if times > 1)


def mended(lines: Sequence[str], begins: Callable[[str], bool]) -> list[str]:
    """The lines, a piece put back to the line before it where that one is as long as others that were cut."""
    widths = cut_widths(lines, begins)
    if not widths:
        return list(lines)
    whole: list[list[str]] = []
    for before, line in zip(["", *lines], lines, strict=False):
        if whole and len(before) in widths and line.strip() and not begins(line) and len(whole[-1]) < _MAX_PARTS:
            whole[-1].append(line)
        else:
            whole.append([line])
    return ["".join(parts) for parts in whole]
