"""Reading the ticket log: one ticket with its events, lists, search. Works on any connection, also a read-only one."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlite_utils import Database

from bot.model import Event, EventKind, Status, Step, Ticket, Verdict
from bot.ticket_search import NEWEST, holding, holding_among, words_of

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
    provider: str | None = None
    user_id: int | None = None
    near: str | None = None  # the network their people came from, as bot/neighbours.py names it
    opened_from: datetime | None = None
    opened_before: datetime | None = None
    search: str | None = None  # every word of it occurs, in whatever spelling
    below: int | None = None  # only smaller numbers: the next page

    @property
    def narrow(self) -> bool:
        """Whether it is about one person, one number or one network."""
        return (self.user_id, self.extension, self.near) != (None, None, None)

    def where(self, *, by_time: bool = False) -> tuple[str, list[Any]]:
        """The condition on `tickets t` and its values; the search apart.

        `by_time`: no index but that of times is to be used; a `+` forbids it. Of a person, a number or a network there
        are few tickets: then theirs is, which SQLite would not know.
        """
        wide = "+" if by_time or self.narrow else ""
        told = "step" if self.step == Step.CONNECTED else "cause"
        said: dict[str, Any] = {
            f"{wide}t.status = ?": self.status,
            f"{wide}t.{told} = ?": self.step,
            f"{wide}t.owner = ?": self.owner,
            f"{wide}t.provider = ?": self.provider,
            "t.extension = ?": self.extension,
            "t.user_id = ?": self.user_id,
            "t.number IN (SELECT ticket FROM addresses WHERE near = ?)": self.near,
            "t.opened_at >= ?": self.opened_from and _stored(self.opened_from),
            "t.opened_at < ?": self.opened_before and _stored(self.opened_before),
            f"{'+' if by_time else ''}t.number < ?": self.below,
        }
        kept = {condition: value for condition, value in said.items() if value is not None}
        return " AND ".join(kept) or "1", list(kept.values())


STRETCH = 200  # so many hits are few; so many tickets of a filter are compared at first


@dataclass(frozen=True, slots=True)
class _Question:
    """The parts of a SELECT in which `t` is a ticket."""

    where: str
    values: list[Any]
    order: str


def find_tickets(db: Database, wanted: Wanted, limit: int, stretch: int = STRETCH) -> tuple[Ticket, ...]:
    """Tickets without their events, newest first."""
    asked = _asked(db, wanted, limit, stretch)
    if asked is None:
        return ()
    rows = db.query(
        f"SELECT t.*, p.name AS name FROM tickets t LEFT JOIN people p ON p.user_id = t.user_id"
        f" WHERE {asked.where} ORDER BY {asked.order} LIMIT ?",
        [*asked.values, limit],
    )
    return tuple(_ticket(row) for row in rows)


def find_facets(db: Database, wanted: Wanted, limit: int) -> tuple[Row, ...]:
    """Of the newest such tickets only what a list can be narrowed by: cause, owner, extension, provider, opened_at."""
    asked = _asked(db, wanted, limit, STRETCH)
    if asked is None:
        return ()
    sql = "SELECT t.number, t.cause, t.owner, t.extension, t.provider, t.opened_at FROM tickets t"
    return tuple(db.query(f"{sql} WHERE {asked.where} ORDER BY {asked.order} LIMIT ?", [*asked.values, limit]))


def _asked(db: Database, wanted: Wanted, limit: int, stretch: int) -> _Question | None:
    if wanted.search is None:
        return _filtered(wanted)
    words = words_of(wanted.search)
    return _searched(db, wanted, words, limit, stretch) if words else None


def _filtered(wanted: Wanted) -> _Question:
    """By the index of a filter, which is in the order of numbers; of a time, by that of times."""
    if wanted.opened_from is None and wanted.opened_before is None:
        return _Question(*wanted.where(), "t.number DESC")
    return _Question(*wanted.where(by_time=not wanted.narrow), "t.opened_at DESC, t.number DESC")


def _searched(db: Database, wanted: Wanted, words: list[str], limit: int, stretch: int) -> _Question:
    """Where hits are few, these are filtered; else the filtered are searched."""
    below = NEWEST if wanted.below is None else wanted.below
    where, values = replace(wanted, below=None).where()
    if where == "1":
        return _among(holding(db, words, below, limit))
    hits = holding(db, words, below, stretch)
    if len(hits) < stretch:
        return _among(hits, where, values)
    where, values = _within_its_time(db, wanted)

    def filtered(below: int, limit: int) -> list[int]:
        sql = f"SELECT t.number FROM tickets t WHERE {where} AND t.number < ? ORDER BY t.number DESC LIMIT ?"
        return [row[0] for row in db.execute(sql, [*values, below, limit])]

    return _among(holding_among(db, words, filtered, hits, below, limit))


def _among(numbers: Collection[int], where: str = "1", values: Collection[Any] = ()) -> _Question:
    """Of these tickets those that fit."""
    among = f"t.number IN (SELECT value FROM json_each(?)) AND {where}"
    return _Question(among, [json.dumps([*numbers]), *values], "t.number DESC")


def _within_its_time(db: Database, wanted: Wanted) -> tuple[str, list[Any]]:
    """The condition; of a time also between which numbers: tickets are then walked through by number."""
    where, values = wanted.where()
    if wanted.opened_from is None and wanted.opened_before is None:
        return where, values
    time, limits = Wanted(opened_from=wanted.opened_from, opened_before=wanted.opened_before).where()
    ends = db.execute(f"SELECT min(t.number), max(t.number) FROM tickets t WHERE {time}", limits).fetchone()
    return f"{where} AND t.number BETWEEN ? AND ?", [*values, *ends]


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
