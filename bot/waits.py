"""How long do people wait for a person? Measured from the log: the last month's first answers, in working time.

Who asked and waits still, longer than that, counts as well: else the fewer were answered, the better it would look.
"""

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

    def work(db: Database) -> list[tuple[int, str, str, bool]]:
        sql = (
            "SELECT e.ticket, e.kind, e.at, t.status = 'escalated' AND json_extract(e.body, '$.reason') = 'asked'"
            " FROM tickets t JOIN events e ON e.ticket = t.number"
            " WHERE t.number > (SELECT max(number) FROM tickets) - ? AND t.opened_at > ? AND e.kind IN (?, ?)"
            " ORDER BY e.ticket, e.id"
        )
        since = (now - WINDOW).isoformat(timespec="milliseconds")
        return db.execute(sql, [LOOKED_AT, since, EventKind.ESCALATED, EventKind.STAFF_MESSAGE]).fetchall()

    called: dict[int, datetime] = {}
    asking: dict[int, datetime] = {}
    waits_s: dict[int, float] = {}
    for ticket, kind, at, asks in await store.run(work):
        then = datetime.fromisoformat(at)
        if kind == EventKind.ESCALATED:
            called.setdefault(ticket, then)
            if asks:
                asking.setdefault(ticket, then)
        elif ticket in called and ticket not in waits_s:
            waits_s[ticket] = hours.between(called[ticket], then).total_seconds()
    if len(waits_s) < ENOUGH:
        return None
    usual_s = median(waits_s.values())
    still_s = (hours.between(at, now).total_seconds() for ticket, at in asking.items() if ticket not in waits_s)
    return timedelta(seconds=median([*waits_s.values(), *(wait_s for wait_s in still_s if wait_s > usual_s)]))
