"""The ticket log: open, append, read, search, close. Append-only; it is the conversation's whole state.

Everything written passes `redact` first, so no secret reaches the file or its write-ahead log.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlite_utils import Database

from bot.limits import DAY, HOUR, Usage
from bot.model import EventKind, Status, Ticket
from bot.redact import redact
from bot.store import Store
from bot.ticket_rows import first_row, list_tickets, read_ticket
from bot.ticket_search import remember
from bot.ticket_summary import follow

SEARCHED = (EventKind.EVIDENCE, EventKind.USER_MESSAGE, EventKind.STAFF_MESSAGE, EventKind.NOTE)
OPEN_STATUSES = (Status.OPEN.value, Status.ESCALATED.value)


class Tickets:
    """Typed access to the log. Times are aware UTC."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def open(self, *, user_id: int, chat_id: int, name: str, language: str, source: str) -> Ticket:
        """A new ticket, or the one the same source update opened before a crash."""

        def work(db: Database) -> int:
            now = _now()
            person = first_row(db, "SELECT extension FROM people WHERE user_id = ?", [user_id])
            _see(db, user_id, name, language, now)
            old = first_row(db, "SELECT number FROM tickets WHERE source = ?", [source])
            if old:
                return int(old["number"])
            number = db.execute(
                "INSERT INTO tickets (user_id, chat_id, status, language, extension, opened_at, updated_at,"
                " source) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING number",
                [
                    user_id,
                    chat_id,
                    Status.OPEN.value,
                    language,
                    person and person["extension"],
                    now,
                    now,
                    source,
                ],
            ).fetchone()[0]
            log_event(db, number, EventKind.OPENED, {}, None, now)
            remember(db, number, f"{redact(name)} {person['extension'] or ''}" if person else redact(name))
            return int(number)

        number = await self.store.run(work)
        ticket = await self.get(number)
        if ticket is None:
            raise LookupError(f"ticket {number} vanished")
        return ticket

    async def append(
        self,
        number: int,
        kind: EventKind,
        body: Mapping[str, Any] | None = None,
        *,
        source: str | None = None,
    ) -> bool:
        """One event more; False when this source was written before (a replay after a crash), or all was forgotten."""
        clean = _clean(body or {})
        return await self.store.run(lambda db: log_event(db, number, kind, clean, source, _now()))

    async def logged(self, source: str) -> bool:
        """Whether the event of this source has been written before."""
        sql = "SELECT 1 FROM events WHERE source = ?"
        return await self.store.run(lambda db: first_row(db, sql, [source]) is not None)

    async def get(self, number: int) -> Ticket | None:
        """The whole ticket; None when there is no such number."""
        return await self.store.run(lambda db: read_ticket(db, number))

    async def current(self, chat_id: int) -> Ticket | None:
        """The newest ticket of this chat that is not closed."""

        def work(db: Database) -> Ticket | None:
            row = first_row(
                db,
                "SELECT number FROM tickets WHERE chat_id = ? AND status IN (?, ?) ORDER BY number DESC",
                [chat_id, *OPEN_STATUSES],
            )
            return read_ticket(db, int(row["number"])) if row else None

        return await self.store.run(work)

    async def latest(self, chat_id: int) -> Ticket | None:
        """The newest ticket of this chat, open or not."""

        def work(db: Database) -> Ticket | None:
            row = first_row(db, "SELECT number FROM tickets WHERE chat_id = ? ORDER BY number DESC", [chat_id])
            return read_ticket(db, int(row["number"])) if row else None

        return await self.store.run(work)

    async def list(
        self, *, status: str | None = None, search: str | None = None, limit: int = 50
    ) -> tuple[Ticket, ...]:
        """The newest tickets without events, of one status, matching every word of a search."""
        return await self.store.run(lambda db: list_tickets(db, status, search, limit))

    async def set_extension(self, number: int, extension: str) -> None:
        """Remembers the person's own number, for this ticket and the next."""

        def work(db: Database) -> None:
            sql = "UPDATE tickets SET extension = ? WHERE number = ? AND emptied_at IS NULL"
            if not db.execute(sql, [extension, number]).rowcount:
                return
            db.execute(
                "UPDATE people SET extension = ? WHERE user_id = (SELECT user_id FROM tickets WHERE number = ?)",
                [extension, number],
            )
            remember(db, number, redact(extension))

        await self.store.run(work)

    async def see(self, user_id: int, name: str, language: str) -> None:
        """Notes that a person was here."""
        await self.store.run(lambda db: _see(db, user_id, name, language, _now()))

    async def posted(self, number: int, chat_id: int, message_id: int, role: str) -> None:
        """Remembers which message of ours belongs to a ticket, so that a reply to it finds its way."""
        await self.store.run(
            lambda db: db.execute(
                "INSERT OR REPLACE INTO posts (chat_id, message_id, ticket, role) VALUES (?, ?, ?, ?)",
                [chat_id, message_id, number, role],
            )
        )

    async def mentioned(self, numbers: Iterable[int], chat_id: int, message_id: int) -> None:
        """Remembers that a message in the staff chat tells of these tickets; no answer to it is one to their people."""
        rows = [(number, chat_id, message_id) for number in numbers]
        sql = "INSERT OR IGNORE INTO mentions (ticket, chat_id, message_id) VALUES (?, ?, ?)"
        await self.store.run(lambda db: db.conn.executemany(sql, rows))

    async def mentions(self, chat_id: int, message_id: int) -> bool:
        """Whether a message in the staff chat only tells of tickets, or of an incident with its tickets."""
        tables = ("mentions", "incidents")
        sql = " UNION ALL ".join(f"SELECT 1 FROM {name} WHERE chat_id = ? AND message_id = ?" for name in tables)
        return await self.store.run(lambda db: db.execute(sql, [chat_id, message_id] * 2).fetchone() is not None)

    async def post(self, number: int, role: str) -> tuple[int, int] | None:
        """(chat, message) of the newest message in this role; None when there is none."""
        row = await self.store.run(
            lambda db: first_row(
                db,
                "SELECT chat_id, message_id FROM posts WHERE ticket = ? AND role = ? ORDER BY rowid DESC",
                [number, role],
            )
        )
        return (row["chat_id"], row["message_id"]) if row else None

    async def by_post(self, chat_id: int, message_id: int) -> int | None:
        """The ticket a message of ours belongs to."""
        row = await self.store.run(
            lambda db: first_row(
                db, "SELECT ticket FROM posts WHERE chat_id = ? AND message_id = ?", [chat_id, message_id]
            )
        )
        return int(row["ticket"]) if row else None

    async def without_fresh_card(self, since: timedelta, chat_id: int | None) -> tuple[int, ...]:
        """Tickets whose card may not show what is true: open ones that have none in this chat, all touched lately."""
        after = (datetime.now(UTC) - since).isoformat(timespec="milliseconds")
        rows = await self.store.run(
            lambda db: tuple(
                db.query(
                    "SELECT number FROM tickets WHERE updated_at > ? AND emptied_at IS NULL UNION"
                    " SELECT number FROM tickets t WHERE status IN (?, ?)"
                    " AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.ticket = t.number AND p.role = 'card'"
                    " AND p.chat_id = ?)",
                    [after, *OPEN_STATUSES, chat_id],
                )
            )
        )
        return tuple(sorted(int(row["number"]) for row in rows))

    async def usage(self, user_id: int) -> Usage:
        """What this person had lately."""

        def times(db: Database, kind: EventKind, since: timedelta) -> list[tuple[datetime, int]]:
            after = (datetime.now(UTC) - since).isoformat(timespec="milliseconds")
            rows = db.query(
                "SELECT e.at AS at, coalesce(json_extract(e.body, '$.bytes'), 0) AS size FROM tickets t"
                " JOIN events e ON e.ticket = t.number WHERE t.user_id = ? AND e.kind = ? AND e.at > ? ORDER BY e.id",
                [user_id, kind.value, after],
            )
            return [(datetime.fromisoformat(row["at"]), row["size"]) for row in rows]

        def work(db: Database) -> Usage:
            return Usage(
                cases=[at for at, _ in times(db, EventKind.OPENED, DAY)],
                checks=[at for at, _ in times(db, EventKind.CHECKED, HOUR)],
                evidence=times(db, EventKind.EVIDENCE, DAY),
            )

        return await self.store.run(work)


def log_event(
    db: Database, number: int, kind: EventKind, body: Mapping[str, Any], source: str | None, now: str
) -> bool:
    """Writes one event, its body without secrets, and what follows from it; False: as of `Tickets.append`."""
    if source and first_row(db, "SELECT 1 FROM events WHERE source = ?", [source]):
        return False
    if first_row(db, "SELECT 1 FROM tickets WHERE number = ? AND emptied_at IS NOT NULL", [number]):
        return False  # what was forgotten is not begun to be told anew
    db.execute(
        "INSERT INTO events (ticket, at, kind, body, source) VALUES (?, ?, ?, ?, ?)",
        [number, now, kind.value, json.dumps(body, ensure_ascii=False), source],
    )
    follow(db, number, kind, body, now)
    if kind in SEARCHED and body.get("text"):
        remember(db, number, redact(str(body["text"])))
    return True


def _see(db: Database, user_id: int, name: str, language: str, now: str) -> None:
    db.execute(
        "INSERT INTO people (user_id, name, language, seen_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (user_id) DO UPDATE SET name = excluded.name, seen_at = excluded.seen_at",
        [user_id, redact(name), language, now],
    )


def _clean(value: Any) -> Any:
    """The same structure with every string redacted."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {key: _clean(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(part) for part in value]
    return value


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
