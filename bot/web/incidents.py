"""Which incidents of our own side were there, and whom did they concern? Read from the log's tables.

Lists ask for a few columns only: what the bot reads of an incident (bot/incident_rows.py) costs more the more tickets
it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from bot.incident_rows import verdict_of
from bot.incidents import Scope
from bot.model import Ticket, Verdict
from bot.ticket_rows import read_ticket_row

SHOWN = 50
_STANDING = "closed_at IS NULL"
_OF_TICKET = "number IN (SELECT incident FROM incident_tickets WHERE ticket = ?)"


@dataclass(frozen=True, slots=True)
class Incident:
    """One of them; `linked`: how many tickets it concerns."""

    number: int
    scope: Scope
    verdict: Verdict
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None  # of the staff; None: it ended by itself, or stands
    linked: int


def incidents(db: Database) -> tuple[Incident, ...]:
    """The newest first."""
    return _incidents(db, "1")


def standing_now(db: Database) -> tuple[Incident, ...]:
    """Those that are not over."""
    return _incidents(db, _STANDING)


def of_ticket(db: Database, ticket: int) -> tuple[Incident, ...]:
    """Those a ticket is linked to."""
    return _incidents(db, _OF_TICKET, ticket)


def numbered(db: Database, number: int) -> Incident | None:
    """The one of this number."""
    return next(iter(_incidents(db, "number = ?", number)), None)


def linked(db: Database, incident: int) -> tuple[Ticket, ...]:
    """The tickets an incident concerns, the newest first, without their events."""
    sql = "SELECT ticket FROM incident_tickets WHERE incident = ? ORDER BY ticket DESC LIMIT ?"
    found = (read_ticket_row(db, row["ticket"]) for row in list(db.query(sql, [incident, SHOWN])))
    return tuple(ticket for ticket in found if ticket is not None)


def _incidents(db: Database, which: str, *values: Any) -> tuple[Incident, ...]:
    count = "(SELECT count(*) FROM incident_tickets WHERE incident = number)"
    sql = f"SELECT *, {count} AS linked FROM incidents WHERE {which} ORDER BY number DESC LIMIT ?"  # noqa: S608 - ours
    return tuple(
        Incident(
            number=row["number"],
            scope=Scope(row["scope"]),
            verdict=verdict_of(row),
            opened_at=datetime.fromisoformat(row["opened_at"]),
            closed_at=datetime.fromisoformat(row["closed_at"]) if row["closed_at"] else None,
            closed_by=row["closed_by"],
            linked=row["linked"],
        )
        for row in db.query(sql, [*values, SHOWN])
    )
