"""What does the log hold of one person? Everything they said, and all that was read, concluded and answered, for them.

What staff say among themselves is theirs, and is left out: notes, who has the ticket, how they sort it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlite_utils import Database

from bot.model import Event, EventKind
from bot.store import Store
from bot.ticket_rows import first_row, read_ticket

AMONG_STAFF = frozenset({EventKind.NOTE, EventKind.TAKEN, EventKind.TAGGED, EventKind.PRIORITY, EventKind.LINKED})
_OURS = ("by", "to", "news", "attachment")  # names of staff and files, a counter of the program's


class OwnLog:
    """One person's part of the log. Times are aware UTC."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def of(self, user_id: int) -> dict[str, Any] | None:
        """All of it, ready for JSON; None when nothing is known of this person."""

        def work(db: Database) -> dict[str, Any] | None:
            sql = "SELECT user_id, name, language, extension, seen_at FROM people WHERE user_id = ?"
            person = first_row(db, sql, [user_id])
            numbers = [row["number"] for row in db.query("SELECT number FROM tickets WHERE user_id = ?", [user_id])]
            tickets = [ticket for number in numbers if (ticket := read_ticket(db, number)) is not None]
            if person is None and not tickets:
                return None
            return {
                "person": dict(person) if person else None,
                "tickets": [
                    {
                        **ticket.to_json(events=False),
                        "events": [_event(event) for event in ticket.events if event.kind not in AMONG_STAFF],
                    }
                    for ticket in tickets
                ],
            }

        return await self.store.run(work)

    async def given_at(self, user_id: int) -> datetime | None:
        """When they had their copy last; None: never."""
        sql = "SELECT given_at FROM people WHERE user_id = ?"
        row = await self.store.run(lambda db: first_row(db, sql, [user_id]))
        return datetime.fromisoformat(row["given_at"]) if row and row["given_at"] else None

    async def given(self, user_id: int) -> None:
        """They have it now."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        await self.store.run(lambda db: db.execute("UPDATE people SET given_at = ? WHERE user_id = ?", [now, user_id]))


def _event(event: Event) -> dict[str, Any]:
    kept = {"file_kept": True} if event.body.get("attachment") else {}
    return {key: value for key, value in event.to_json().items() if key not in _OURS} | kept
