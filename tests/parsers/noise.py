"""What messengers, terminals and code pages do to a paste, as functions from text to text."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable

Noise = Callable[[str], str]


def crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


def no_break_spaces(text: str) -> str:
    return re.sub(r" (?= )|(?<= ) |(?<=\w) (?=\w)", "\u00a0", text)


def single_spaces(text: str) -> str:
    return re.sub(r"(?<=\S)[ \t]+", " ", text)


def left_aligned(text: str) -> str:
    return re.sub(r"(?m)^[ \t]+", "", text)


def doubled_spaces(text: str) -> str:
    return re.sub(r"(?<=[^\s:>]) (?=\S)", "  ", text)


def doubled_breaks(text: str) -> str:
    return text.replace("\n", "\n\n")


def no_blank_lines(text: str) -> str:
    return re.sub(r"\n\s*\n+", "\n", text)


def one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def cut_at(width: int) -> Noise:
    def cut(text: str) -> str:
        return "\n".join(
            line[at : at + width] for line in text.split("\n") for at in range(0, max(len(line), 1), width)
        )

    cut.__name__ = f"cut_at_{width}"
    return cut


def wrapped_at(width: int) -> Noise:
    def wrap(text: str) -> str:
        return "\n".join(
            part
            for line in text.split("\n")
            for part in (textwrap.wrap(line, width, drop_whitespace=True, break_on_hyphens=False) or [""])
        )

    wrap.__name__ = f"wrapped_at_{width}"
    return wrap


def quoted(text: str) -> str:
    return "\n".join("> " + line for line in text.split("\n"))


def fenced(text: str) -> str:
    return "```\n" + text + "\n```"


def with_chat(text: str) -> str:
    return "mana shunaqa chiqyapti:\n" + text + "\nnima qilay?"


def with_header(text: str) -> str:
    return "Aziz Karimov, [28.12.2025 14:05]\n" + text


def smart(text: str) -> str:
    text = re.sub(r"'(\w[\w.]*)'", "‘\\1’", text)
    return text.replace("---", "—-").replace("...", "…").replace("'", "’")


def coloured(text: str) -> str:
    return re.sub(r"(?m)^(\S+)", "\x1b[01;32m\\1\x1b[0m", text)


def bare_colours(text: str) -> str:
    return re.sub(r"(?m)^(\S+)", "[32m\\1[0m", text)


def caret_colours(text: str) -> str:
    return re.sub(r"(?m)^(\S+)", "^[[1;31m\\1^[[0m", text)


def misread(meant: str, shown: str) -> Noise:
    def spoil(text: str) -> str:
        return text.encode(meant, "replace").decode(shown, "replace")

    spoil.__name__ = f"{meant}_as_{shown}"
    return spoil


def lost_letters(text: str) -> str:
    return re.sub(r"[^\x00-\x7f]", "\ufffd", text)


NOISES: tuple[Noise, ...] = (
    crlf, no_break_spaces, single_spaces, left_aligned, doubled_spaces, doubled_breaks, no_blank_lines, one_line,
    cut_at(40), cut_at(80), wrapped_at(40), wrapped_at(80), quoted, fenced, with_chat, with_header, smart, coloured,
    bare_colours, caret_colours, misread("utf-8", "cp1251"), misread("utf-8", "cp866"), misread("utf-8", "latin-1"),
    misread("cp866", "cp1251"), misread("cp1251", "cp866"), misread("cp1251", "latin-1"), lost_letters,
)  # fmt: skip
