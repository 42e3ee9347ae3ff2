"""How long do people wait for a person? Measured from the log: the last month's first answers, in working time."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median

from sqlite_utils import Database

from bot.hours import Hours
from bot.model import EventKind
from bot.store import Store

WINDOW = timedelta(days=30)
ENOUGH = 10  # fewer answers than this say nothing
LOOKED_AT = 500  # of the newest tickets: what is told must not slow down with the log


async def usual_wait(store: Store, hours: Hours, now: datetime) -> timedelta | None:
    """The median time from the call for a person to the first word of one; None when too few were measured."""

    def work(db: Database) -> list[tuple[str, str]]:
        since = (now - WINDOW).isoformat(timespec="milliseconds")
        sql = (
            "SELECT called, (SELECT min(at) FROM events e WHERE e.ticket = number AND e.kind = ? AND e.at > called)"
            " AS answered FROM (SELECT number, (SELECT min(at) FROM events e WHERE e.ticket = number AND e.kind = ?)"
            " AS called FROM (SELECT number FROM tickets WHERE opened_at > ? ORDER BY number DESC LIMIT ?))"
            " WHERE answered IS NOT NULL"
        )
        values = [EventKind.STAFF_MESSAGE, EventKind.ESCALATED, since, LOOKED_AT]
        return [(str(row[0]), str(row[1])) for row in db.execute(sql, values).fetchall()]

    answered = await store.run(work)
    if len(answered) < ENOUGH:
        return None
    waits = [hours.between(datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in answered]
    return timedelta(seconds=median(wait.total_seconds() for wait in waits))
