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

    def work(db: Database) -> list[tuple[int, str, str]]:
        sql = (
            "SELECT e.ticket, e.kind, e.at FROM tickets t JOIN events e ON e.ticket = t.number"
            " WHERE t.number > (SELECT max(number) FROM tickets) - ? AND t.opened_at > ? AND e.kind IN (?, ?)"
            " ORDER BY e.ticket, e.id"
        )
        since = (now - WINDOW).isoformat(timespec="milliseconds")
        return db.execute(sql, [LOOKED_AT, since, EventKind.ESCALATED, EventKind.STAFF_MESSAGE]).fetchall()

    called: dict[int, datetime] = {}
    waits: dict[int, timedelta] = {}
    for ticket, kind, at in await store.run(work):
        if kind == EventKind.ESCALATED:
            called.setdefault(ticket, datetime.fromisoformat(at))
        elif ticket in called and ticket not in waits:
            waits[ticket] = hours.between(called[ticket], datetime.fromisoformat(at))
    if len(waits) < ENOUGH:
        return None
    return timedelta(seconds=median(wait.total_seconds() for wait in waits.values()))
