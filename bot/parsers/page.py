"""What was pasted, made fit for reading: one cleaned page of lines that every text parser shares.

Cleaned away: terminal colours, copy headers of messengers, quotes, code fences, odd spaces and dashes, wrong
code pages, wraps of narrow terminals. Kept: tabs, leading spaces, blank lines, every word.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate

from bot.model import Reading
from bot.parsers.mojibake import repair
from bot.parsers.prompts import Command, commands, split_prompt
from bot.parsers.wraps import MAX_LINE, relined, unwrap

__all__ = ["MAX_CHARS", "MAX_LINE", "Claim", "Command", "Page", "split_prompt"]

MAX_CHARS = 65536
MAX_LINES = 4096  # a paste of blank lines only must not cost more than one of words

_SPACES = re.compile(r"[ \t]{2,}|\t")
_BREAK = re.compile(r"\r*\n|\r|\x0b|\x0c|\u2028|\u2029")
_OTHER_BREAKS = "\r\x0b\x0c\u2028\u2029"
_SEQUENCE = r"(?:\[[0-9;:?=>]{0,24}[ -/]{0,2}[@-~]|\][^\x07\x1b\n]{0,120}(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>78cDEHM])"
_ESCAPED = (r"\x1b", r"\u241b", r"\\x1b", r"\\u001b", r"\\033")  # the escape character, also as tools print it
_BARE = r"\[(?:\d{1,3}(?:;\d{1,3}){0,4}m(?!\])|\?2004[hl]|[012]?K)"  # what is left where it was lost
_ANSI = re.compile(  # every alternative begins with a character, not with a choice: that is ten times faster
    "|".join((*(escape + _SEQUENCE for escape in _ESCAPED), r"\^\[\[[0-9;?]{0,16}[mKJHhlABCDG]",
              _BARE, r"\ufffd" + _BARE, r"\u2190" + _BARE, r"\x1b"))
)  # fmt: skip
_HEADER = re.compile(  # "Name, [28.12.2025 14:05]", "[28.12.2025 14:05] ", "[14:05, 28.12.2025] "
    r"^[^\n\[\]]{1,64}, \[\d{1,2}[./ ][^\]\n]{3,24}\d{1,2}:\d{2}[^\]\n]{0,6}\]:?[ \t]*"
    r"|^\[\d{1,2}[./]\d{1,2}[./]\d{2,4},? \d{1,2}:\d{2}(?::\d{2})?\] "
    r"|^\[\d{1,2}:\d{2}(?::\d{2})?, \d{1,2}[./]\d{1,2}[./]\d{2,4}\] ",
    re.MULTILINE,
)
_FENCE = re.compile(
    r"^[ \t]*(?:```|~~~)[\w+-]{0,12}[ \t]*$|```|^`([^`\n]+)`$|</?(?:pre|code)\b[^>\n]{0,40}>", re.MULTILINE
)
_QUOTE = re.compile(r"^[ \t]{0,3}(?:>[ \t]?){0,3}>(?:[ \t]|$)", re.MULTILINE)
_TIGHT_QUOTE = re.compile(r"^>(?=\S)", re.MULTILINE)
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&nbsp;": " ", "&amp;": "&"}
_CHARS = str.maketrans(
    dict.fromkeys(
        "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
        " ",
    )
    | dict.fromkeys(map(chr, (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF, 0xAD)))
    | dict.fromkeys(map(chr, (*range(0x09), *range(0x0E, 0x20), 0x7F)))
    | dict.fromkeys(map(chr, range(0x80, 0xA0)), "\ufffd")
    | dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-")
    | {"\u2014": "--", "\u2015": "--", "\u2026": "..."}
    | dict(zip("：，、（）＝％＜＞／．", ":,,()=%<>/.", strict=True))
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A reading and the lines (first and last, both included, of Page.lines) it was made from.

    `at`, an offset in Page.text, orders claims that begin on the same line (all line breaks lost).
    """

    first: int
    last: int
    reading: Reading
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Cleaned lines of a paste, and the commands seen in them.

    `text` is the lines joined by newlines; `line_at(offset)` turns a match's position in it into a line, so a
    parser may read tokens across line breaks (`\\s+`) and is then indifferent to lost breaks and word wraps.
    """

    lines: tuple[str, ...]
    commands: tuple[Command, ...] = ()
    text: str = field(default="", repr=False)
    _starts: tuple[int, ...] = field(default=(), repr=False)
    _squeezed: list[Page] = field(default_factory=list, repr=False, compare=False)  # made when first asked for

    @classmethod
    def of(cls, text: str) -> Page:
        """Any string in; 64 KiB of it are looked at (the head and the tail of a longer one), 2 KiB a line."""
        lines = _clean(_ends(text))
        return cls._laid_out(lines, commands(lines))

    @classmethod
    def _laid_out(cls, lines: tuple[str, ...], typed: tuple[Command, ...]) -> Page:
        starts = accumulate((len(line) + 1 for line in lines[:-1]), initial=0)
        return cls(lines, typed, "\n".join(lines), tuple(starts))

    def squeezed(self) -> Page:
        """The same lines with single spaces: lost and doubled spaces, tabs and columns all look alike."""
        if not any(space in f"\n{self.text}" for space in ("  ", "\t", "\n ")):
            return self
        if not self._squeezed:
            lines = tuple(map(str.strip, _SPACES.sub(" ", self.text).split("\n")))
            self._squeezed.append(Page._laid_out(lines, self.commands))
        return self._squeezed[0]

    def line_at(self, offset: int) -> int:
        """The index of the line that holds `text[offset]`; the last line for anything beyond."""
        return max(0, bisect_right(self._starts, offset) - 1)

    def offset_of(self, line: int) -> int:
        """Where a line begins in `text`."""
        return self._starts[line]


def _ends(text: str) -> str:
    """The text, or both ends of a too long one: names stand at the head, the last outcome at the tail."""
    if len(text) <= MAX_CHARS:
        return text
    half = MAX_CHARS // 2
    return text[: half - 1] + "\n\n" + text[1 - half :]


def _clean(text: str) -> tuple[str, ...]:
    text = text.replace("\r\n", "\n")
    if any(char in text for char in _OTHER_BREAKS):
        text = _BREAK.sub("\n", text)
    text = _ANSI.sub("", text)
    if not text.isascii():
        text = repair(text).translate(_CHARS)
    elif not text.isprintable():
        text = text.translate(_CHARS)
    if "[" in text:
        text = _HEADER.sub("", text)
    if "`" in text or "~~~" in text or "<" in text:
        text = _FENCE.sub(lambda fence: fence[1] or "", text)
    if ">" in text:
        text = _unquote(text)
    if "&" in text:
        for entity, char in _ENTITIES.items():
            text = text.replace(entity, char)
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        lines = lines[: MAX_LINES // 2] + lines[-MAX_LINES // 2 :]
    return tuple(piece.rstrip() for line in unwrap(lines) for piece in relined(line))


def _unquote(text: str) -> str:
    """Without the '> ' of quoted messages; 'C:\\>' and '<1 ms' stay."""
    text = _QUOTE.sub("", text)
    tight = len(_TIGHT_QUOTE.findall(text))
    if tight >= 3 and tight * 5 >= 3 * (text.count("\n") + 1):
        return _TIGHT_QUOTE.sub("", text)
    return text
