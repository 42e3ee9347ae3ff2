"""Reading the ticket log: one ticket with its events, lists, search. Works on any connection, also a read-only one."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlite_utils import Database

from bot.model import Event, EventKind, Status, Step, Ticket, Verdict
from bot.ticket_search import expression, words_of

Row = Mapping[str, Any]


def read_ticket(db: Database, number: int) -> Ticket | None:
    """One ticket with its events."""
    found = read_ticket_row(db, number)
    if found is None:
        return None
    events = tuple(
        Event(datetime.fromisoformat(event["at"]), EventKind(event["kind"]), json.loads(event["body"]))
        for event in db.query("SELECT at, kind, body FROM events WHERE ticket = ? ORDER BY id", [number])
    )
    return replace(found, events=events)


def read_ticket_row(db: Database, number: int) -> Ticket | None:
    """One ticket without its events."""
    row = first_row(
        db,
        "SELECT t.*, p.name AS name FROM tickets t LEFT JOIN people p ON p.user_id = t.user_id WHERE number = ?",
        [number],
    )
    return _ticket(row) if row else None


def list_tickets(db: Database, status: str | None, search: str | None, limit: int) -> tuple[Ticket, ...]:
    """Tickets without their events, newest first."""
    return find_tickets(db, Wanted(status=status, search=search), limit)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tickets a list shows; None: any."""

    status: str | None = None
    step: str | None = None  # told last, also when the phone worked after it; 'connected': it works now
    owner: str | None = None
    extension: str | None = None
    user_id: int | None = None
    near: str | None = None  # the network their people came from, as bot/neighbours.py names it
    opened_from: datetime | None = None
    opened_before: datetime | None = None
    search: str | None = None  # every word of it occurs, in whatever spelling
    below: int | None = None  # only smaller numbers: the next page

    def where(self, *, number: str = "t.number", by_time: bool = False) -> tuple[str, list[Any]]:
        """The condition on `tickets t` and its values; the search apart.

        `number`: what holds a ticket's number. `by_time`: no index but that of times is to be used; a `+` forbids it.
        """
        no = "+" if by_time else ""
        told = "step" if self.step == Step.CONNECTED else "cause"
        said: dict[str, Any] = {
            f"{no}t.status = ?": self.status,
            f"{no}t.{told} = ?": self.step,
            f"{no}t.owner = ?": self.owner,
            "t.extension = ?": self.extension,
            "t.user_id = ?": self.user_id,
            "t.number IN (SELECT ticket FROM addresses WHERE near = ?)": self.near,
            "t.opened_at >= ?": self.opened_from and _stored(self.opened_from),
            "t.opened_at < ?": self.opened_before and _stored(self.opened_before),
            f"{no}{number} < ?": self.below,
        }
        kept = {condition: value for condition, value in said.items() if value is not None}
        return " AND ".join(kept) or "1", list(kept.values())


FEW = 3000  # tickets that are looked through sooner than all hits of a search are


@dataclass(frozen=True, slots=True)
class _Question:
    """The parts of a SELECT in which `t` is a ticket."""

    tables: str
    where: str
    values: list[Any]
    order: str


def find_tickets(db: Database, wanted: Wanted, limit: int, few: int = FEW) -> tuple[Ticket, ...]:
    """Tickets without their events, newest first. At most `few` are looked through one by one."""
    asked = _asked(db, wanted, few)
    if asked is None:
        return ()
    rows = db.query(
        f"SELECT t.*, p.name AS name FROM {asked.tables} LEFT JOIN people p ON p.user_id = t.user_id"
        f" WHERE {asked.where} ORDER BY {asked.order} LIMIT ?",
        [*asked.values, limit],
    )
    return tuple(_ticket(row) for row in rows)


def find_facets(db: Database, wanted: Wanted, limit: int, few: int = FEW) -> tuple[Row, ...]:
    """Of the newest such tickets only what a list can be narrowed by: number, cause, owner, extension, opened_at."""
    asked = _asked(db, wanted, few)
    if asked is None:
        return ()
    sql = f"SELECT t.number, t.cause, t.owner, t.extension, t.opened_at FROM {asked.tables}"
    return tuple(db.query(f"{sql} WHERE {asked.where} ORDER BY {asked.order} LIMIT ?", [*asked.values, limit]))


def _asked(db: Database, wanted: Wanted, few: int) -> _Question | None:
    if wanted.search is None:
        return _filtered(wanted)
    words = words_of(wanted.search)
    return _searched(db, wanted, words, few) if words else None


def _filtered(wanted: Wanted) -> _Question:
    """By the index of a filter, which is in the order of numbers; of a time, by that of times."""
    if wanted.opened_from is None and wanted.opened_before is None:
        return _Question("tickets t", *wanted.where(), "t.number DESC")
    narrow = (wanted.user_id, wanted.extension, wanted.near) != (None, None, None)
    return _Question("tickets t", *wanted.where(by_time=not narrow), "t.opened_at DESC, t.number DESC")


def _searched(db: Database, wanted: Wanted, words: list[str], few: int) -> _Question:
    """Where the filters leave few, these are looked through; else the hits are filtered, which come newest first."""
    where, values = wanted.where()
    if where != "1" and _at_most(db, few, where, values):
        holding = " AND instr(' ' || s.words, ?)" * len(words)
        tables = "tickets t CROSS JOIN search s ON s.rowid = t.number"
        return _Question(tables, where + holding, [*values, *(f" {word}" for word in words)], "t.number DESC")
    where, values = wanted.where(number="s.rowid")
    tables = "search s CROSS JOIN tickets t ON t.number = s.rowid"
    return _Question(tables, f"s.search MATCH ? AND {where}", [expression(words), *values], "s.rowid DESC")


def _at_most(db: Database, few: int, where: str, values: list[Any]) -> bool:
    """Whether the condition leaves no more tickets than so many."""
    sql = f"SELECT count(*) FROM (SELECT 1 FROM tickets t WHERE {where} LIMIT ?)"
    return int(db.execute(sql, [*values, few + 1]).fetchone()[0]) <= few


def events_of(db: Database, numbers: Collection[int], kinds: Collection[EventKind]) -> dict[int, tuple[Event, ...]]:
    """The events of some kinds of several tickets, oldest first; tickets without such have no entry."""
    blanks, named = ", ".join("?" * len(numbers)), ", ".join("?" * len(kinds))
    rows = db.query(
        f"SELECT ticket, at, kind, body FROM events WHERE ticket IN ({blanks}) AND kind IN ({named}) ORDER BY id",
        [*numbers, *(kind.value for kind in kinds)],
    )
    found: dict[int, tuple[Event, ...]] = {}
    for row in rows:
        event = Event(datetime.fromisoformat(row["at"]), EventKind(row["kind"]), json.loads(row["body"]))
        found[row["ticket"]] = (*found.get(row["ticket"], ()), event)
    return found


def networks_of(db: Database, numbers: Collection[int]) -> dict[int, tuple[str, ...]]:
    """From which networks the people of several tickets came; tickets of which that is not known have no entry."""
    blanks = ", ".join("?" * len(numbers))
    rows = db.query(f"SELECT DISTINCT ticket, near FROM addresses WHERE ticket IN ({blanks}) ORDER BY at", [*numbers])
    found: dict[int, tuple[str, ...]] = {}
    for row in rows:
        found[row["ticket"]] = (*found.get(row["ticket"], ()), row["near"])
    return found


def _stored(at: datetime) -> str:
    """A time as the log writes it, so that text compares as time."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _ticket(row: Row) -> Ticket:
    return Ticket(
        number=row["number"],
        status=Status(row["status"]),
        language=row["language"],
        extension=row["extension"],
        opened_at=datetime.fromisoformat(row["opened_at"]),
        closed_at=datetime.fromisoformat(row["closed_at"]) if row["closed_at"] else None,
        user_id=row["user_id"],
        chat_id=row["chat_id"],
        user_name=row["name"] or "",
        verdict=Verdict.from_json(json.loads(row["verdict"])) if row["verdict"] else None,
    )


def first_row(db: Database, sql: str, values: list[Any]) -> Row | None:
    return next(iter(db.query(sql + " LIMIT 1", values)), None)
