"""What is forgotten, and when: old tickets after RETENTION_DAYS, a person's own on their wish.

A ticket is emptied, not removed (bot/emptying.py). Then bytes are overwritten (`secure_delete`), the search index is
merged, the file written anew and the write-ahead log emptied, so that the files hold nothing of it either. That this
is still to be done stands in the database, so a crash only delays it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlite_utils import Database

from bot.attachments import Attachments
from bot.emptying import (
    Forgotten,
    before,
    empty,
    old_tickets,
    part_with,
    part_with_strangers,
    strangers,
    telling,
    unlead,
    unmention,
)
from bot.model import EventKind
from bot.store import Store
from bot.ticket_search import merge
from bot.tickets import log_event

# How the tables of the database forget. A test finds the table that stands nowhere here.
EMPTIED = frozenset({"tickets", "events", "search", "due", "addresses"})  # with the ticket
LEADS_TO_MESSAGES = ("posts", "relayed", "topics", "mentions")  # by ticket; until those messages are gone
OF_PEOPLE = frozenset({"people", "forgetting"})
OF_CHATS = frozenset({"inbox", "outbox", "chat_closed", "chat_pause"})  # Mailbox.forget
BY_EXTENSION = frozenset({"pbx_phones", "incidents"})  # of the PBX itself; a person's own number is taken out
OF_NOBODY = frozenset({
    "chat_moved", "pulse", "orders_done", "rules", "told", "incident_tickets", "patrol",
    "_sqlite_migrations",
})  # fmt: skip

BATCH = 100  # tickets emptied in one transaction: others write in between
REWRITTEN_BYTES = 256 << 20  # of a file: so large it is written anew in some three seconds, in which nothing else is
SCRUB_DUE = "scrub_due"  # a row of the table `pulse`: since when, unix seconds
log = logging.getLogger(__name__)
_ALL = "SELECT value FROM json_each(?)"


@dataclass(frozen=True, slots=True)
class Wish:
    """A person's wish to be forgotten, until it is fulfilled."""

    id: int
    user_id: int
    chat_id: int
    tickets: tuple[int, ...]

    @property
    def source(self) -> str:
        """What its messages are remembered under."""
        return f"forget:{self.id}"


class Forgetting:
    """Forgets in the log and among its files. Works beside everything else, a little at a time.

    `rewritten_bytes`: a larger file is not written anew, for others would wait.
    """

    def __init__(self, store: Store, attachments: Attachments, rewritten_bytes: float = REWRITTEN_BYTES) -> None:
        self.store = store
        self.attachments = attachments
        self.rewritten_bytes = rewritten_bytes

    # --- by age ---

    async def purge(self, retention_days: int) -> Forgotten:
        """Empties tickets that ended so long ago; one that nobody touched for as long is closed first.

        People who were not seen since, and files that no event mentions, go as well.
        """
        gone = Forgotten()
        while numbers := await self.store.run(lambda db: old_tickets(db, retention_days, BATCH)):
            await self.store.run(partial(unlead, numbers=numbers))  # first: no later purge looks at emptied ones
            gone += await self.empty(numbers, "stale")
        people = await self.store.run(partial(_part_with_strangers, retention_days=retention_days))
        await self.sweep()
        await self.scrub()
        return replace(gone, people=people)

    async def empty(self, numbers: Sequence[int], reason: str) -> Forgotten:
        """Empties these tickets; an open one is closed for `reason`. The same again changes nothing."""
        now = before(0)

        def work(db: Database) -> Forgotten:
            _scrub_is_due(db)
            for number in _open_ones(db, numbers):
                log_event(db, number, EventKind.CLOSED, {"reason": reason}, f"emptied:{number}", now)
            return sum((empty(db, number) for number in numbers), Forgotten())

        gone = await self.store.run(work)
        files, freed = await asyncio.to_thread(self._remove_files, numbers)
        return replace(gone, files=files, size_bytes=gone.size_bytes + freed)

    def _remove_files(self, numbers: Sequence[int]) -> tuple[int, int]:
        names = [name for number in numbers for name in self.attachments.of_ticket(number)]
        return len(names), self.attachments.forget(names)

    async def sweep(self) -> tuple[str, ...]:
        """Removes files that no event mentions; their names."""
        names = await asyncio.to_thread(self.attachments.names)
        numbers = sorted({int(name.partition("-")[0]) for name in names})
        mentioned: set[str] = set()
        for start in range(0, len(numbers), BATCH):
            mentioned |= await self.store.run(partial(_mentioned, numbers=numbers[start : start + BATCH]))
        return await asyncio.to_thread(self.attachments.sweep, mentioned)

    async def settle(self, longest_s: float) -> bool:
        """Waits until nobody reads any more and the log of writes is emptied; False: not within this time."""
        until = time.monotonic() + longest_s
        while not (emptied := await self.store.checkpoint()) and time.monotonic() < until:  # noqa: ASYNC110 - of SQLite
            await asyncio.sleep(0.2)
        return emptied

    async def scrub(self) -> None:
        """What was deleted leaves no bytes: in the search index, which only marks, in pages, in the log of writes.

        The index in one piece is searched faster, too.
        """
        while await self.store.run(merge):
            continue
        await self.store.checkpoint()
        if self.store.path.stat().st_size > self.rewritten_bytes or not await self.store.run(_scrub_due):
            return
        try:
            await self.store.rewrite()
        except sqlite3.Error as trouble:  # no room on the disk, say
            log.warning("the database could not be written anew, it will be tried again: %s", trouble)
            return
        await self.store.run(lambda db: db.execute("DELETE FROM pulse WHERE name = ?", [SCRUB_DUE]))
        await self.store.checkpoint()

    # --- by wish ---

    async def wish(self, user_id: int, chat_id: int) -> Wish:
        """Writes the wish down for good: from now on a crash only delays it. Twice is once."""

        def work(db: Database) -> Wish:
            numbers = [row["number"] for row in db.query("SELECT number FROM tickets WHERE user_id = ?", [user_id])]
            db.execute(
                "INSERT OR IGNORE INTO forgetting (user_id, chat_id, tickets, asked_at) VALUES (?, ?, ?, ?)",
                [user_id, chat_id, json.dumps(numbers), datetime.now(UTC).isoformat(timespec="milliseconds")],
            )
            return next(map(_wish, db.query("SELECT * FROM forgetting WHERE user_id = ?", [user_id])))

        return await self.store.run(work, durable=True)

    async def wishes(self) -> tuple[Wish, ...]:
        """Those not fulfilled yet, oldest first."""
        return await self.store.run(lambda db: tuple(map(_wish, db.query("SELECT * FROM forgetting ORDER BY id"))))

    async def erase(self, wish: Wish) -> Forgotten:
        """Empties the person's tickets and forgets who they are; `people` is 0 where a ban or a mute stays with the id.

        What stands in chats is not touched from here.
        """
        await self.store.run(lambda db: unmention(db, wish.user_id))
        gone = await self.empty(wish.tickets, "forgotten")
        barred = await self.store.run(lambda db: part_with(db, wish.user_id), durable=True)
        return replace(gone, people=1 - barred)

    async def messages(self, number: int) -> list[tuple[int, int]]:
        """Where words about a ticket stand, as (chat, message): our own, copies, and what they are copies of."""
        sql = (
            "SELECT chat_id AS chat, message_id AS message FROM posts WHERE ticket = :ticket"
            " UNION SELECT chat_id, message_id FROM relayed WHERE ticket = :ticket"
            " UNION SELECT other_chat, other_message FROM relayed WHERE ticket = :ticket AND other_chat IS NOT NULL"
            " UNION SELECT chat_id, message_id FROM mentions WHERE ticket = :ticket"
        )
        rows = await self.store.run(lambda db: list(db.query(sql, {"ticket": number})))
        return [(row["chat"], row["message"]) for row in rows]

    async def fulfilled(self, wish: Wish) -> None:
        """Forgets the wish itself, and which messages the tickets had."""

        def work(db: Database) -> None:
            for table in LEADS_TO_MESSAGES:
                sql = f"DELETE FROM {table} WHERE ticket = ?"  # noqa: S608 - our own words
                db.conn.executemany(sql, [(number,) for number in wish.tickets])
            db.execute("DELETE FROM forgetting WHERE id = ?", [wish.id])
            _scrub_is_due(db)

        await self.store.run(work, durable=True)


def would_purge(db: Database, attachments: Attachments, retention_days: int) -> Forgotten:
    """What `purge` would forget of tickets, people and their files; reads only."""
    gone = Forgotten(people=strangers(db, retention_days))
    for number in old_tickets(db, retention_days):
        names = attachments.of_ticket(number)
        told = telling(db, number)
        gone += replace(told, files=len(names), size_bytes=told.size_bytes + attachments.size_of(names))
    return gone


def _scrub_is_due(db: Database) -> None:
    db.execute("INSERT OR IGNORE INTO pulse VALUES (?, ?)", [SCRUB_DUE, time.time()])


def _part_with_strangers(db: Database, retention_days: int) -> int:
    done = db.conn.total_changes
    gone = part_with_strangers(db, retention_days)
    if db.conn.total_changes > done:
        _scrub_is_due(db)
    return gone


def _scrub_due(db: Database) -> bool:
    return bool(db.execute("SELECT 1 FROM pulse WHERE name = ?", [SCRUB_DUE]).fetchone())


def _open_ones(db: Database, numbers: Sequence[int]) -> list[int]:
    sql = f"SELECT number FROM tickets WHERE number IN ({_ALL}) AND status IN ('open', 'escalated')"  # noqa: S608 - ours
    return [row["number"] for row in db.query(sql, [json.dumps(numbers)])]


def _mentioned(db: Database, numbers: Sequence[int]) -> set[str]:
    """The files that these tickets' events mention."""
    sql = (
        "SELECT json_extract(body, '$.attachment') AS name FROM events"  # noqa: S608 - our own words
        f" WHERE ticket IN ({_ALL}) AND kind = 'evidence' AND json_extract(body, '$.attachment') IS NOT NULL"
    )
    return {row["name"] for row in db.query(sql, [json.dumps(numbers)])}


def _wish(row: Mapping[str, Any]) -> Wish:
    return Wish(row["id"], row["user_id"], row["chat_id"], tuple(json.loads(row["tickets"])))
