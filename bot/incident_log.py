"""Incidents as they are counted: rounds are folded, incidents opened and ended, what is left to do is known.

A round is folded and its consequences are written in one transaction with the time of the next one: a crash neither
counts a round twice nor forgets one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from sqlite_utils import Database

from bot.incident_rows import (
    PATROL,
    Incident,
    all_back,
    close_incident,
    hear,
    now_text,
    open_incident,
    phones,
    read_incident,
    standing,
    started_at,
    text_of,
    write_verdict,
)
from bot.incidents import (
    PBX_SPOKE,
    Change,
    Phone,
    Round,
    Scope,
    Side,
    concerns,
    fold,
    lost_together,
    passwords_gone,
)
from bot.model import EventKind, Finding
from bot.store import Store
from bot.ticket_rows import first_row

SAID_LATELY = 500  # events that are looked at: a minute's, on the busiest day


class IncidentLog:
    """Typed access. Times are aware UTC."""

    def __init__(self, store: Store) -> None:
        self.store = store

    # --- rounds ---

    async def due_at(self) -> datetime | None:
        """When the next round is due; None: there was none yet."""
        row = await self.store.run(lambda db: first_row(db, "SELECT due_at FROM patrol WHERE name = ?", [PATROL]))
        return datetime.fromisoformat(row["due_at"]) if row else None

    async def begin(self, due_at: datetime) -> None:
        """The first round ever is due then."""
        await self.store.run(
            lambda db: db.execute(
                "INSERT OR IGNORE INTO patrol (name, due_at, side) VALUES (?, ?, ?)",
                [PATROL, due_at.isoformat(), json.dumps(Side().to_json())],
            )
        )

    async def count(
        self, seen: Round, due_at: datetime, heard: Iterable[Phone] = (), started: datetime | None = None
    ) -> list[tuple[int, Change]]:
        """Folds one round and what the PBX's log said meanwhile; which incidents changed.

        `started`: when the PBX was last started, where pm2 told.
        """
        news = tuple(heard)

        def work(db: Database) -> list[tuple[int, Change]]:
            row = first_row(db, "SELECT side, started_at FROM patrol WHERE name = ?", [PATROL])
            side = Side.from_json(json.loads(row["side"])) if row else Side()
            side, change = fold(side, seen)
            start = started.isoformat() if started else row["started_at"] if row else None
            db.execute(
                "REPLACE INTO patrol (name, due_at, side, started_at) VALUES (?, ?, ?, ?)",
                [PATROL, due_at.isoformat(), json.dumps(side.to_json()), start],
            )
            changed = []
            if change is not None and (number := _outage(db, change, seen)) is not None:
                changed.append((number, change))
            hear(db, news)
            return changed + _passwords(db, seen.at)

        return await self.store.run(work)

    async def answered_at(self) -> datetime | None:
        """When somebody's phone last told that the PBX had answered it, as far as lately was said."""

        def work(db: Database) -> datetime | None:
            row = first_row(
                db,
                "SELECT e.at AS at FROM events e, json_each(e.body, '$.reading.findings') f WHERE e.kind = ?"
                " AND e.id > (SELECT max(id) FROM events) - ?"
                " AND json_extract(f.value, '$.tag') IN (SELECT value FROM json_each(?)) ORDER BY e.id DESC",
                [EventKind.READ.value, SAID_LATELY, json.dumps(sorted(PBX_SPOKE))],
            )
            return datetime.fromisoformat(row["at"]) if row else None

        return await self.store.run(work)

    async def hear(self, phones: Iterable[Phone], now: datetime) -> list[tuple[int, Change]]:
        """What was learned of phones between two rounds; which incidents changed."""
        heard = tuple(phones)

        def work(db: Database) -> list[tuple[int, Change]]:
            hear(db, heard)
            return _passwords(db, now)

        return await self.store.run(work)

    async def concerns(self, extension: str | None, now: datetime) -> Finding | None:
        """What the standing incident of lost passwords says of an extension; None: nothing, or none stands."""

        def work(db: Database) -> Finding | None:
            if standing(db, Scope.PASSWORDS) is None:
                return None
            return concerns(extension, phones(db), started_at(db), now)

        return await self.store.run(work)

    # --- incidents ---

    async def get(self, number: int) -> Incident | None:
        """One incident; None when there is no such number."""
        return await self.store.run(lambda db: read_incident(db, number))

    async def standing(self, scope: Scope) -> Incident | None:
        """The one of this scope that is not over."""

        def work(db: Database) -> Incident | None:
            number = standing(db, scope)
            return read_incident(db, number) if number is not None else None

        return await self.store.run(work)

    async def unsettled(self) -> tuple[int, ...]:
        """Incidents over which something is still to be said or done."""
        rows = await self.store.run(
            lambda db: tuple(db.query("SELECT number FROM incidents WHERE settled_at IS NULL ORDER BY number"))
        )
        return tuple(int(row["number"]) for row in rows)

    async def end(self, number: int, by: str) -> bool:
        """The staff say that it is over, and close its tickets; False: it was over already."""

        def work(db: Database) -> bool:
            row = first_row(db, "SELECT scope FROM incidents WHERE number = ? AND closed_at IS NULL", [number])
            if row is None:
                return False
            close_incident(db, number, by, now_text())
            db.execute("UPDATE incidents SET tickets_closed_by = ? WHERE number = ?", [by, number])
            if row["scope"] == Scope.PASSWORDS:
                db.execute("UPDATE pbx_phones SET lost_at = NULL")  # they say that all were saved again
            elif (kept := first_row(db, "SELECT side FROM patrol WHERE name = ?", [PATROL])) is not None:
                side = Side.from_json(json.loads(kept["side"])).ended_by_hand()
                db.execute("UPDATE patrol SET side = ? WHERE name = ?", [json.dumps(side.to_json()), PATROL])
            return True

        return await self.store.run(work)

    async def order_close(self, number: int, by: str) -> None:
        """The linked tickets are to be closed together."""
        await self.store.run(
            lambda db: db.execute(
                "UPDATE incidents SET settled_at = NULL, tickets_closed_by = coalesce(tickets_closed_by, ?)"
                " WHERE number = ?",
                [by, number],
            )
        )

    async def settled(self, number: int) -> None:
        """Everybody was told, what was ordered is done. A link made meanwhile leaves it unsettled."""
        await self.store.run(
            lambda db: db.execute(
                "UPDATE incidents SET settled_at = ? WHERE number = ? AND NOT EXISTS"
                " (SELECT 1 FROM incident_tickets WHERE incident = number AND told_at IS NULL)",
                [now_text(), number],
            )
        )

    async def posted(self, number: int, chat_id: int, message_id: int) -> None:
        """Where its card is."""
        await self.store.run(
            lambda db: db.execute(
                "UPDATE incidents SET chat_id = ?, message_id = ? WHERE number = ?", [chat_id, message_id, number]
            )
        )


def _outage(db: Database, change: Change, seen: Round) -> int | None:
    verdict, number = seen.blame(), standing(db, Scope.OUTAGE)
    if change is Change.CLOSED:
        if number is not None:
            close_incident(db, number, None, text_of(seen.at))
        return number
    if verdict is None:
        return None
    if number is None:
        return open_incident(db, Scope.OUTAGE, verdict, seen.at)
    write_verdict(db, number, verdict)
    return number


def _passwords(db: Database, now: datetime) -> list[tuple[int, Change]]:
    """Opens, widens or closes the incident of lost passwords, as the phones stand."""
    heard, number = phones(db), standing(db, Scope.PASSWORDS)
    gone = tuple(phone for phone in heard if phone.lost)
    if number is None:
        together = lost_together(heard, started_at(db), now)
        return [(open_incident(db, Scope.PASSWORDS, passwords_gone(together), now), Change.OPENED)] if together else []
    if not gone and all_back(db, number):
        close_incident(db, number, None, text_of(now))
        return [(number, Change.CLOSED)]
    known, verdict = read_incident(db, number), passwords_gone(gone)
    if known is None or known.verdict == verdict or not gone:
        return []
    write_verdict(db, number, verdict)
    return [(number, Change.WIDENED)]
