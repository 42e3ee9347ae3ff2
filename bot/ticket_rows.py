"""Reading the ticket log: one ticket with its events, lists, search. Works on any connection, also a read-only one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from bot.folding import fold
from bot.model import Event, EventKind, Status, Ticket, Verdict

Row = Mapping[str, Any]


def read_ticket(db: Database, number: int) -> Ticket | None:
    """One ticket with its events."""
    row = first_row(
        db,
        "SELECT t.*, p.name AS name FROM tickets t LEFT JOIN people p ON p.user_id = t.user_id WHERE number = ?",
        [number],
    )
    if row is None:
        return None
    events = tuple(
        Event(datetime.fromisoformat(event["at"]), EventKind(event["kind"]), json.loads(event["body"]))
        for event in db.query("SELECT at, kind, body FROM events WHERE ticket = ? ORDER BY id", [number])
    )
    return _ticket(row, events)


def list_tickets(db: Database, status: str | None, search: str | None, limit: int) -> tuple[Ticket, ...]:
    """Tickets without their events, newest first."""
    where, values = ["1"], []
    if status is not None:
        where.append("t.status = ?")
        values.append(status)
    if search is not None:
        # Letters and digits only, each word as a phrase: FTS5 would read `-`, `AND` or `:` as its own language.
        words = re.findall(r"\w+", fold(search))
        if not words:
            return ()
        where.append("t.number IN (SELECT ticket FROM search WHERE search MATCH ?)")
        values.append(" ".join(f'"{word}"*' for word in words))
    rows = db.query(
        "SELECT t.*, p.name AS name FROM tickets t LEFT JOIN people p ON p.user_id = t.user_id"
        f" WHERE {' AND '.join(where)} ORDER BY t.number DESC LIMIT ?",
        [*values, limit],
    )
    return tuple(_ticket(row, ()) for row in rows)


def _ticket(row: Row, events: tuple[Event, ...]) -> Ticket:
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
        events=events,
    )


def first_row(db: Database, sql: str, values: list[Any]) -> Row | None:
    return next(iter(db.query(sql + " LIMIT 1", values)), None)
