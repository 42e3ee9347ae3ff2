"""Which tickets hold these words? One row of the index a ticket, under the ticket's own number.

A row holds each word once, folded (bot/folding.py). So a person's words are forgotten by number, words said at
different times are found together, and the newest of a million hits come first without looking at the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlite_utils import Database

from bot.folding import fold

WORD = re.compile(r"[^\W_]+")  # letters and digits only: to FTS5 each is one token, and none of its operators
WORD_MAX = 64  # characters; what is longer is no word anybody types
WORDS_MAX = 4000  # of one ticket: a page more costs as much as all pages before


def words_of(text: str) -> list[str]:
    """The distinct words of a text, folded, in their order."""
    return list(dict.fromkeys(word[:WORD_MAX] for word in WORD.findall(fold(text))))


def remember(db: Database, number: int, text: str) -> None:
    """A ticket can be found by the words of this text, too."""
    row = db.execute("SELECT words FROM search WHERE rowid = ?", [number]).fetchone()
    known: list[str] = row[0].split() if row else []
    held = set(known)
    fresh = [word for word in words_of(text) if word not in held]
    if not fresh or len(known) >= WORDS_MAX:
        return
    words = " ".join([*known, *fresh][:WORDS_MAX])
    if row:
        db.execute("UPDATE search SET words = ? WHERE rowid = ?", [words, number])
    else:
        db.execute("INSERT INTO search (rowid, words) VALUES (?, ?)", [number, words])


def forget(db: Database, numbers: Iterable[int]) -> None:
    """These tickets can no longer be found by any word."""
    for number in numbers:
        db.execute("DELETE FROM search WHERE rowid = ?", [number])


def expression(words: Iterable[str]) -> str:
    """FTS5's expression for tickets that hold every one of these words, or words that begin so."""
    return " ".join(f'"{word}"*' for word in words)
