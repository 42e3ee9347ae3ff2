"""Which tickets hold these words? One row of the index a ticket, under the ticket's own number.

A row holds each word once, folded (bot/folding.py). So a person's words are forgotten by number, words said at
different times are found together, and the newest of a million hits come first without looking at the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable

from sqlite_utils import Database

from bot.folding import fold

WORD = re.compile(r"[^\W_]+")  # letters and digits only: to FTS5 each is one token, and none of its operators
WORD_MAX = 64  # characters; what is longer is no word anybody types
WORDS_MAX = 4000  # of one ticket: a page more costs as much as all pages before
NEWEST = 2**63 - 1  # below this number are all tickets
MERGED_PAGES = 800  # of the index in one transaction
HITS_A_LOOK = 4  # so many hits of a search are read in the time of a look at one ticket's words


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


def merge(db: Database) -> bool:
    """One slice of merging the index into one piece, which drops the words of deleted rows; True: go on."""
    done = db.conn.total_changes
    db.execute("INSERT INTO search (search, rank) VALUES ('merge', ?)", [-MERGED_PAGES])
    return db.conn.total_changes - done >= 2  # less: nothing was left to do (FTS5's manual, section 6.8)


def holding(db: Database, words: Iterable[str], below: int, limit: int, least: int = 0) -> list[int]:
    """The newest tickets that hold every one of these words, or words that begin so; numbers from `least` to `below`.

    The latter itself is not among them.
    """
    sql = "SELECT rowid FROM search WHERE search MATCH ? AND rowid >= ? AND rowid < ? ORDER BY rowid DESC LIMIT ?"
    return [row[0] for row in db.execute(sql, [expression(words), least, below, limit])]


def holding_among(
    db: Database,
    words: list[str],
    among: Callable[[int, int], list[int]],
    newest: list[int],
    below: int,
    limit: int,
) -> list[int]:
    """The same of some tickets only. `among(below, limit)`: the newest of these under a number.

    They are taken a growing stretch at a time, so that a page is full long before all are read. `newest`: the first
    hits of the search; how close these lie tells whether it is sooner compared with the stretch or looked at in it.
    """
    found: list[int] = []
    stretch, apart = len(newest), (newest[0] - newest[-1] + 1) / len(newest)
    while part := among(below, stretch):
        most = HITS_A_LOOK * len(part)
        hits = holding(db, words, below, most, part[-1]) if part[0] - part[-1] < most * apart else None
        held = _looked_up(db, words, part) if hits is None or len(hits) == most else set(hits)
        found += (number for number in part if number in held)
        if len(found) >= limit or len(part) < stretch:
            break
        below, stretch = part[-1], 2 * stretch
    return found[:limit]


def _looked_up(db: Database, words: list[str], numbers: list[int]) -> set[int]:
    """Those of these tickets that hold every one of the words; each is looked at.

    In the table where FTS5 keeps what was indexed (its manual, 9.1): by way of FTS5 itself a row takes three times
    as long.
    """
    holds = " AND instr(' ' || s.c0, ?)" * len(words)
    sql = f"SELECT s.id FROM json_each(?) n CROSS JOIN search_content s ON s.id = n.value WHERE 1{holds}"
    return {row[0] for row in db.execute(sql, [json.dumps(numbers), *(f" {word}" for word in words)])}


def expression(words: Iterable[str]) -> str:
    """FTS5's expression for tickets that hold every one of these words, or words that begin so."""
    return " ".join(f'"{word}"*' for word in words)
