"""Which forum topic belongs to which ticket, what does it show, and when was the last one made? The table `topics`."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlite_utils import Database

from bot.store import Store


@dataclass(frozen=True, slots=True)
class Topic:
    """A ticket's topic in a forum group."""

    ticket: int
    chat_id: int
    thread_id: int
    shown: str  # a digest of the name it has now: the name itself names a person
    closed: bool = False


class TopicRows:
    """Typed access to the table."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def of(self, ticket: int) -> Topic | None:
        """The topic of a ticket; None when it has none."""

        def work(db: Database) -> Topic | None:
            sql = "SELECT ticket, chat_id, thread_id, shown, closed FROM topics WHERE ticket = ?"
            row = db.execute(sql, [ticket]).fetchone()
            return Topic(row[0], row[1], row[2], row[3], bool(row[4])) if row else None

        return await self.store.run(work)

    async def at(self, chat_id: int, thread_id: int) -> int | None:
        """The ticket that lives in a topic; None in any other."""
        sql = "SELECT ticket FROM topics WHERE chat_id = ? AND thread_id = ?"
        row = await self.store.run(lambda db: db.execute(sql, [chat_id, thread_id]).fetchone())
        return int(row[0]) if row else None

    async def keep(self, topic: Topic) -> None:
        """A topic that was made now, in the place of one the ticket may have had."""
        sql = "REPLACE INTO topics (ticket, chat_id, thread_id, shown, closed, made_at) VALUES (?, ?, ?, ?, ?, ?)"
        values = [topic.ticket, topic.chat_id, topic.thread_id, topic.shown, int(topic.closed), time.time()]
        await self.store.run(lambda db: db.execute(sql, values))

    async def shows(self, topic: Topic) -> None:
        """Its name or state was changed."""
        sql = "UPDATE topics SET shown = ?, closed = ? WHERE ticket = ? AND thread_id = ?"
        values = [topic.shown, int(topic.closed), topic.ticket, topic.thread_id]
        await self.store.run(lambda db: db.execute(sql, values))

    async def gone(self, topic: Topic) -> None:
        """It was deleted in Telegram."""
        sql = "DELETE FROM topics WHERE ticket = ? AND thread_id = ?"
        await self.store.run(lambda db: db.execute(sql, [topic.ticket, topic.thread_id]))

    async def last_made_at(self) -> float:
        """When the newest topic was made, unix seconds; 0 when none was."""
        row = await self.store.run(lambda db: db.execute("SELECT max(made_at) FROM topics").fetchone())
        return float(row[0] or 0.0)
