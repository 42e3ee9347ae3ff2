"""Many with the same trouble: which tickets are linked to an incident, and who was told of its end."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlite_utils import Database

from bot.incident_rows import WAITS, now_text, read_incident
from bot.store import Store
from bot.ticket_rows import first_row

JUST_BEFORE = timedelta(hours=1)  # who was told the same verdict so shortly before is concerned as well


class IncidentLinks:
    """Typed access. Times are aware UTC."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def link(self, number: int, ticket: int) -> bool:
        """The ticket is one of this incident; False: it was already. Over meanwhile: it will be told at once."""

        def work(db: Database) -> bool:
            cursor = db.execute(
                "INSERT OR IGNORE INTO incident_tickets (incident, ticket, linked_at) VALUES (?, ?, ?)",
                [number, ticket, now_text()],
            )
            if cursor.rowcount:
                db.execute("UPDATE incidents SET settled_at = NULL WHERE number = ?", [number])
            return bool(cursor.rowcount)

        return await self.store.run(work)

    async def linked(self, ticket: int) -> tuple[int, ...]:
        """The incidents a ticket is linked to."""
        rows = await self.store.run(
            lambda db: tuple(db.query("SELECT incident FROM incident_tickets WHERE ticket = ?", [ticket]))
        )
        return tuple(int(row["incident"]) for row in rows)

    async def others(self, number: int, chat_id: int) -> int:
        """How many other people are linked to it."""
        row = await self.store.run(
            lambda db: first_row(
                db,
                "SELECT count(DISTINCT t.chat_id) AS count FROM incident_tickets i JOIN tickets t"
                " ON t.number = i.ticket WHERE i.incident = ? AND t.chat_id != ?",
                [number, chat_id],
            )
        )
        return int(row["count"]) if row else 0

    async def kindred(self, number: int) -> tuple[int, ...]:
        """Open tickets that were told this incident's step shortly before it was known to be one."""

        def work(db: Database) -> tuple[int, ...]:
            found = read_incident(db, number)
            if found is None:
                return ()
            after = (found.opened_at - JUST_BEFORE).isoformat(timespec="milliseconds")
            rows = db.query(
                "SELECT number FROM tickets WHERE status = 'escalated' AND step = ? AND updated_at > ? ORDER BY number",
                [found.verdict.step.value, after],
            )
            return tuple(int(row["number"]) for row in rows)

        return await self.store.run(work)

    async def untold(self, number: int) -> dict[int, tuple[int, ...]]:
        """Whom to tell of the end: chat -> linked tickets. Who is connected already need not hear it."""

        def work(db: Database) -> dict[int, tuple[int, ...]]:
            db.execute(
                "UPDATE incident_tickets SET told_at = ? WHERE incident = ? AND told_at IS NULL AND EXISTS"
                " (SELECT 1 FROM tickets WHERE number = ticket AND status = 'solved')",
                [now_text(), number],
            )
            chats: dict[int, tuple[int, ...]] = {}
            for row in db.query(
                "SELECT t.chat_id AS chat, t.number AS ticket FROM incident_tickets i JOIN tickets t"
                " ON t.number = i.ticket WHERE i.incident = ? AND i.told_at IS NULL ORDER BY t.number",
                [number],
            ):
                chats[row["chat"]] = (*chats.get(row["chat"], ()), int(row["ticket"]))
            return chats

        return await self.store.run(work)

    async def told(self, number: int, tickets: Collection[int], *, heard: bool) -> None:
        """These were told; not `heard`: their chat takes no messages."""
        await self.store.run(
            lambda db: db.conn.executemany(
                "UPDATE incident_tickets SET told_at = ?, heard = ? WHERE incident = ? AND ticket = ?",
                [(now_text(), heard, number, ticket) for ticket in tickets],
            )
        )

    async def waiting(self, number: int, chat_id: int | None = None) -> tuple[int, ...]:
        """The linked tickets, of one chat or all, that wait for the end: not those with which a person has gone on."""
        sql = (  # CROSS: from its own tickets, not from all that wait
            "SELECT t.number AS number FROM incident_tickets i CROSS JOIN tickets t ON t.number = i.ticket"  # noqa: S608 - ours
            f" JOIN incidents n ON n.number = i.incident WHERE i.incident = ? AND {WAITS}"
            " AND t.chat_id = coalesce(?, t.chat_id) ORDER BY t.number"
        )
        rows = await self.store.run(lambda db: tuple(db.query(sql, [number, chat_id])))
        return tuple(int(row["number"]) for row in rows)

    async def without_card(self) -> tuple[int, ...]:
        """Open linked tickets that the staff see on the incident's card only."""
        rows = await self.store.run(
            lambda db: tuple(
                db.query(
                    "SELECT DISTINCT t.number AS number FROM incident_tickets i JOIN tickets t ON t.number = i.ticket"
                    " WHERE t.status IN ('open', 'escalated') AND NOT EXISTS"
                    " (SELECT 1 FROM posts p WHERE p.ticket = t.number AND p.role = 'card')"
                )
            )
        )
        return tuple(int(row["number"]) for row in rows)
