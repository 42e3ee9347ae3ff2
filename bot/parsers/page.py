"""What was pasted, made fit for reading: one cleaned page of lines that every text parser shares."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model import Reading


@dataclass(frozen=True, slots=True)
class Claim:
    """A reading and the lines (first and last, both included, of Page.lines) it was made from."""

    first: int
    last: int
    reading: Reading


@dataclass(frozen=True, slots=True)
class Page:
    """Cleaned lines of a paste."""

    lines: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Page:
        """Any string in; at most 64 KiB and 2 KiB a line are looked at."""
        return cls(tuple(line[:2048] for line in text[:65536].splitlines()))
