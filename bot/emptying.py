"""What stays of a ticket that is emptied? Its number, times, causes, the staff's deeds; nothing that leads to a person.

Of an event's body stay names that the program itself gives (`fix_dns`, `nslookup`, `solved`) and counts; whatever
a person wrote, or was measured or read of them, goes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlite_utils import Database

from bot.ticket_rows import first_row
from bot.ticket_search import forget

_STAYS = frozenset({
    "kind", "question", "step", "reason", "stars", "level", "by", "to", "media", "bytes", "unreadable", "news",
    "checks", "incident", "ticket", "verdict", "results", "reading", "finding", "findings", "name", "took_ms",
    "failure", "tag", "owner", "certainty", "because", "also", "status", "tool",
})  # fmt: skip
_HOLLOW: Mapping[str, Any] = {"args": {}, "facts": {}, "tags": []}  # readers count on the key, not on what is in it
_STAFF = ("by", "to")  # people too, but those who did the work
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_OLD = "emptied_at IS NULL AND coalesce(closed_at, updated_at) < ?"
_STRANGERS = (  # not seen since, and with no ticket that stays
    "seen_at < :before AND NOT EXISTS (SELECT 1 FROM tickets t WHERE t.user_id = people.user_id"
    " AND coalesce(t.closed_at, t.updated_at) >= :before)"
)
_BARRED = "(blocked OR muted_until > :now)"  # the one thing that outlives a person's data, and the id with it
OLDEST_DAYS = 100 * 365  # further back no calendar needs to reach


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What went, or would go."""

    tickets: tuple[int, ...] = ()
    events: int = 0  # that told more than may stay
    files: int = 0
    size_bytes: int = 0  # of events and files
    people: int = 0

    def line(self) -> str:
        """One line for a person at a shell."""
        which = f" ({ranges(sorted(self.tickets))})" if self.tickets else ""
        return (
            f"{len(self.tickets)} tickets{which}: {self.events} events, {self.files} files, {self.size_bytes} bytes;"
            f" {self.people} people"
        )

    def __add__(self, other: Forgotten) -> Forgotten:
        """Both together."""
        return Forgotten(
            self.tickets + other.tickets,
            self.events + other.events,
            self.files + other.files,
            self.size_bytes + other.size_bytes,
            self.people + other.people,
        )


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers for a person to read: `1-3, 7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs)


def bare(value: Any) -> Any:
    """What stays of an event's body, or of a part of it; of text that is no name of ours: None."""
    if isinstance(value, Mapping):
        kept = {key: _part(key, part) for key, part in value.items() if key in _STAYS}
        return kept | {key: hollow for key, hollow in _HOLLOW.items() if key in value}
    if isinstance(value, list):
        return [part for part in map(bare, value) if part is not None]
    if isinstance(value, str):
        return value if _WORD.fullmatch(value) else None
    return value


def _part(key: str, part: Any) -> Any:
    return part if key in _STAFF and isinstance(part, str) else bare(part)


def old_tickets(db: Database, retention_days: int, most: int = -1) -> list[int]:
    """The numbers of tickets that ended, or were touched last, so long ago and are not emptied; `most` of them."""
    # In the order of its index: by number SQLite would read a million tickets to find that none is old.
    sql = f"SELECT number FROM tickets WHERE {_OLD} ORDER BY coalesce(closed_at, updated_at) LIMIT ?"  # noqa: S608 - our own words
    return [row["number"] for row in db.query(sql, [before(retention_days), most])]


def telling(db: Database, number: int) -> Forgotten:
    """What emptying this ticket would take."""
    found = _telling(db, number)
    return Forgotten((number,), len(found), size_bytes=sum(size for _, _, size in found))


def empty(db: Database, number: int) -> Forgotten:
    """Empties a ticket in the log; one that is empty already stays as it is."""
    row = first_row(db, "SELECT verdict FROM tickets WHERE number = ? AND emptied_at IS NULL", [number])
    if row is None:
        return Forgotten()
    found, now = _telling(db, number), before(0)
    db.conn.executemany("UPDATE events SET body = ? WHERE id = ?", [(stays, event) for event, stays, _ in found])
    db.execute("UPDATE events SET source = NULL WHERE ticket = ?", [number])  # it may name a chat
    db.execute("UPDATE relayed SET said = NULL, file = NULL WHERE ticket = ?", [number])
    db.execute("DELETE FROM due WHERE ticket = ?", [number])
    db.execute("UPDATE incident_tickets SET told_at = ? WHERE ticket = ? AND told_at IS NULL", [now, number])
    forget(db, [number])
    verdict = json.dumps(bare(json.loads(row["verdict"]))) if row["verdict"] else None
    db.execute(
        "UPDATE tickets SET user_id = 0, chat_id = 0, extension = NULL, provider = NULL, verdict = ?, emptied_at = ?"
        " WHERE number = ?",
        [verdict, now, number],
    )
    return Forgotten((number,), len(found), size_bytes=sum(size for _, _, size in found))


def unmention(db: Database, user_id: int) -> None:
    """Takes a person's own numbers out of what is known of the PBX: its phones, its incidents."""
    sql = "SELECT extension FROM tickets WHERE user_id = ? UNION SELECT extension FROM people WHERE user_id = ?"
    for own in [row["extension"] for row in db.query(sql, [user_id, user_id]) if row["extension"]]:
        db.execute("DELETE FROM pbx_phones WHERE extension = ?", [own])
        for row in list(db.query("SELECT number, because FROM incidents WHERE instr(because, ?)", [json.dumps(own)])):
            because = json.dumps(_without(json.loads(row["because"]), own), ensure_ascii=False)
            db.execute("UPDATE incidents SET because = ? WHERE number = ?", [because, row["number"]])


def _without(value: Any, word: str) -> Any:
    """The same, where this word was a value by itself without it."""
    if isinstance(value, Mapping):
        return {key: _without(part, word) for key, part in value.items() if part != word}
    if isinstance(value, list):
        return [_without(part, word) for part in value if part != word]
    return value


def strangers(db: Database, retention_days: int) -> int:
    """How many people `part_with_strangers` would forget; reads only."""
    sql = f"SELECT count(*) FROM people WHERE {_STRANGERS} AND NOT {_BARRED}"  # noqa: S608 - our own words
    return int(db.execute(sql, _since(retention_days)).fetchone()[0])


def part_with_strangers(db: Database, retention_days: int) -> int:
    """Forgets the people who were not seen for so long and left no ticket that stays; their number."""
    since = _since(retention_days)
    sql = f"UPDATE people SET name = '', extension = NULL WHERE {_STRANGERS} AND {_BARRED} AND name <> ''"  # noqa: S608
    db.execute(sql, since)
    return int(db.execute(f"DELETE FROM people WHERE {_STRANGERS} AND NOT {_BARRED}", since).rowcount)  # noqa: S608


def part_with(db: Database, user_id: int) -> int:
    """Forgets one person, but not that staff do not want to hear them: else a wish would be the way round it.

    How many people stay because of that: 0 or 1.
    """
    known = {"user_id": user_id, **_since(0)}
    db.execute(f"DELETE FROM people WHERE user_id = :user_id AND NOT {_BARRED}", known)  # noqa: S608 - our own words
    return int(db.execute("UPDATE people SET name = '', extension = NULL WHERE user_id = :user_id", known).rowcount)


def unlead(db: Database, numbers: Sequence[int]) -> None:
    """What was carried over, and the messages in people's own chats, no longer lead from a ticket to a person."""
    listed = [json.dumps(numbers)]
    db.execute("DELETE FROM relayed WHERE ticket IN (SELECT value FROM json_each(?))", listed)
    db.execute("DELETE FROM mentions WHERE ticket IN (SELECT value FROM json_each(?))", listed)
    db.execute("DELETE FROM posts WHERE chat_id > 0 AND ticket IN (SELECT value FROM json_each(?))", listed)


def before(days: int) -> str:
    """So many days ago, as the log writes times."""
    return (datetime.now(UTC) - timedelta(days=min(days, OLDEST_DAYS))).isoformat(timespec="milliseconds")


def _since(days: int) -> dict[str, object]:
    return {"before": before(days), "now": datetime.now(UTC).timestamp()}


def _telling(db: Database, number: int) -> list[tuple[int, str, int]]:
    """The events of a ticket that tell more than may stay: id, what stays, bytes that go."""
    found = []
    for event in db.query("SELECT id, body FROM events WHERE ticket = ?", [number]):
        stays = json.dumps(bare(json.loads(event["body"])), ensure_ascii=False)
        if stays != event["body"]:
            found.append((event["id"], stays, len(event["body"].encode()) - len(stays.encode())))
    return found
