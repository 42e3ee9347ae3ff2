"""What is to be done for a ticket, and when? The table `due`: it survives a restart, and each entry fires once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlite_utils import Database

from bot.store import Store


@dataclass(frozen=True, slots=True)
class Due:
    """One thing to be done."""

    ticket: int
    what: str
    at: datetime  # aware UTC

    @property
    def source(self) -> str:
        """What its events and sends are remembered under: the same again when a crash made it fire again."""
        return f"due:{self.ticket}:{self.what}:{self.at.timestamp():.0f}"


class Dues:
    """The table; times are kept in whole seconds."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def plan(self, ticket: int, wanted: Mapping[str, datetime | None]) -> None:
        """From now on these times hold for a ticket; None: not to be done any more."""

        def work(db: Database) -> None:
            for what, at in wanted.items():
                db.execute("DELETE FROM due WHERE ticket = ? AND what = ?", [ticket, what])
                if at is not None:
                    db.execute("INSERT INTO due (ticket, what, at) VALUES (?, ?, ?)", [ticket, what, _seconds(at)])

        await self.store.run(work)

    async def ripe(self, now: datetime) -> list[Due]:
        """What is to be done by now, the oldest first."""
        sql = "SELECT ticket, what, at FROM due WHERE at <= ? ORDER BY at, ticket"
        return await self.store.run(lambda db: [_due(row) for row in db.execute(sql, [_seconds(now)]).fetchall()])

    async def get(self, ticket: int, what: str) -> Due | None:
        """When this is to be done for a ticket; None: it is not."""
        sql = "SELECT ticket, what, at FROM due WHERE ticket = ? AND what = ?"
        return await self.store.run(
            lambda db: next((_due(row) for row in db.execute(sql, [ticket, what]).fetchall()), None)
        )

    async def done(self, due: Due) -> None:
        """It was done; a later time for the same stays."""
        sql = "DELETE FROM due WHERE ticket = ? AND what = ? AND at = ?"
        await self.store.run(lambda db: db.execute(sql, [due.ticket, due.what, _seconds(due.at)]))


def _seconds(at: datetime) -> int:
    return round(at.timestamp())


def _due(row: tuple[int, str, int]) -> Due:
    return Due(row[0], row[1], datetime.fromtimestamp(row[2], UTC))
