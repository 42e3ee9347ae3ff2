"""Which incidents of our own side were there, and whom did they concern? Read from the log's tables."""

from __future__ import annotations

from sqlite_utils import Database

from bot.incident_rows import Incident, read_incident
from bot.model import Ticket
from bot.ticket_rows import read_ticket_row

SHOWN = 50


def incidents(db: Database, ticket: int | None = None) -> tuple[Incident, ...]:
    """The newest first; of a ticket those it is linked to."""
    if ticket is None:
        rows = db.query("SELECT number FROM incidents ORDER BY number DESC LIMIT ?", [SHOWN])
    else:
        sql = "SELECT incident AS number FROM incident_tickets WHERE ticket = ? ORDER BY incident DESC LIMIT ?"
        rows = db.query(sql, [ticket, SHOWN])
    found = (read_incident(db, row["number"]) for row in list(rows))
    return tuple(incident for incident in found if incident is not None)


def linked(db: Database, incident: int) -> tuple[Ticket, ...]:
    """The tickets an incident concerns, the newest first, without their events."""
    sql = "SELECT ticket FROM incident_tickets WHERE incident = ? ORDER BY ticket DESC LIMIT ?"
    found = (read_ticket_row(db, row["ticket"]) for row in list(db.query(sql, [incident, SHOWN])))
    return tuple(ticket for ticket in found if ticket is not None)
