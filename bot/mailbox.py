"""What came in and what went out: the tables that let a crash lose nothing and repeat next to nothing.

Knows nothing of any messenger. An inbox row is one update, kept before its sender is told that it arrived; an
outbox row is one send, claimed before it is made and filled with its result afterwards. All times are unix
seconds, UTC.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlite_utils import Database, Migrations

from bot.batched import Batched
from bot.store import Store

migrations = Migrations("mailbox")
KEPT_S = 30 * 86400.0


@migrations()
def m001_mailbox(db: Database) -> None:
    """Inbox, outbox, and what is known of chats."""
    db.execute(
        "CREATE TABLE inbox (seq INTEGER PRIMARY KEY, update_id INTEGER NOT NULL UNIQUE, chat_id INTEGER NOT NULL,"
        " body TEXT, request TEXT, received_at REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0,"
        " not_before REAL NOT NULL DEFAULT 0, done_at REAL, error TEXT) STRICT"
    )
    db.execute("CREATE INDEX inbox_open ON inbox (seq) WHERE done_at IS NULL")
    db.execute(
        "CREATE TABLE outbox (source TEXT NOT NULL, step TEXT NOT NULL, chat_id INTEGER NOT NULL,"
        " claimed_at REAL NOT NULL, result TEXT, message_id INTEGER, PRIMARY KEY (source, step)) STRICT"
    )
    db.execute("CREATE TABLE chat_moved (old_id INTEGER PRIMARY KEY, new_id INTEGER NOT NULL) STRICT")
    db.execute("CREATE TABLE chat_closed (chat_id INTEGER PRIMARY KEY, at REAL NOT NULL, why TEXT NOT NULL) STRICT")
    db.execute("CREATE TABLE chat_pause (chat_id INTEGER PRIMARY KEY, until REAL NOT NULL) STRICT")
    db.execute("CREATE TABLE pulse (name TEXT PRIMARY KEY, value REAL NOT NULL) STRICT")


@dataclass(frozen=True, slots=True)
class Letter:
    """One update as it came, or as it waits."""

    update_id: int
    chat_id: int  # 0: none
    body: str | None  # JSON; None: read it with `body_of`
    received_at: float
    request: str | None = None  # equal for letters that ask for the same; None: each counts
    tries: int = 0
    not_before: float = 0.0


class Claim(StrEnum):
    """What the journal says of a send."""

    FRESH = "fresh"  # never made
    FILLED = "filled"  # made, its result is known
    UNKNOWN = "unknown"  # claimed by a process that died, or its answer was lost


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim and, when FILLED, the result."""

    state: Claim
    result: Any = None


@dataclass(frozen=True, slots=True)
class Chats:
    """What is remembered of chats."""

    moved: dict[int, int]  # old id -> new id
    closed: dict[int, str]  # blocked or kicked -> why
    paused: dict[int, float]  # until when nothing may be sent; 0: to anybody


class Mailbox(Batched):
    """The tables of one Store; `now` gives unix seconds."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        super().__init__(store)
        self.now = now

    # --- inbox ---

    async def receive(self, letters: Iterable[Letter]) -> list[Letter]:
        """Stores a batch so that a power cut cannot lose it; those never seen before, in order."""
        batch = list(letters)

        def work(db: Database) -> list[Letter]:
            new = []
            for letter in batch:
                cursor = db.conn.execute(
                    "INSERT OR IGNORE INTO inbox (update_id, chat_id, body, request, received_at)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (letter.update_id, letter.chat_id, letter.body, letter.request, letter.received_at),
                )
                if cursor.rowcount:
                    new.append(letter)
            return new

        return await self.store.run(work, durable=True)

    async def open_letters(self) -> list[Letter]:
        """Every letter not done yet, oldest first, without bodies."""
        return await self.ask(
            lambda db: [
                Letter(*row)
                for row in db.conn.execute(
                    "SELECT update_id, chat_id, NULL, received_at, request, tries, not_before FROM inbox"
                    " WHERE done_at IS NULL ORDER BY seq"
                )
            ]
        )

    async def waits(self, chat_id: int, words: str) -> bool:
        """Whether an update of this chat with these words in its JSON is not done yet."""
        sql = "SELECT 1 FROM inbox WHERE done_at IS NULL AND chat_id = ? AND instr(body, ?) LIMIT 1"
        return await self.ask(lambda db: db.conn.execute(sql, (chat_id, words)).fetchone() is not None)

    async def body_of(self, update_id: int) -> str | None:
        """The JSON of a letter that waits; None when it is done."""
        row = await self.ask(
            lambda db: db.conn.execute("SELECT body FROM inbox WHERE update_id = ?", (update_id,)).fetchone()
        )
        return row[0] if row else None

    def begin(self, update_id: int) -> None:
        """Counts a try, so that a letter that kills its reader is found out."""
        self.post(lambda db: db.conn.execute("UPDATE inbox SET tries = tries + 1 WHERE update_id = ?", (update_id,)))

    def finish(self, update_id: int, error: str | None = None) -> None:
        """Done: the body is forgotten, the error (redacted by the caller) kept."""
        at = self.now()
        self.post(
            lambda db: db.conn.execute(
                "UPDATE inbox SET done_at = ?, error = ?, body = NULL WHERE update_id = ?", (at, error, update_id)
            )
        )

    def postpone(self, update_id: int, not_before: float = 0.0) -> None:
        """To be tried again; this try was not the letter's fault and is not counted."""
        self.post(
            lambda db: db.conn.execute(
                "UPDATE inbox SET not_before = ?, tries = max(0, tries - 1) WHERE update_id = ?",
                (not_before, update_id),
            )
        )

    # --- outbox ---

    async def claim(self, source: str, step: str, chat_id: int) -> Claimed:
        """Claims a send before it is made; says when it was made, or claimed, before."""
        at = self.now()

        def work(db: Database) -> Claimed:
            row = db.conn.execute("SELECT result FROM outbox WHERE source = ? AND step = ?", (source, step)).fetchone()
            if row is None:
                db.conn.execute(
                    "INSERT INTO outbox (source, step, chat_id, claimed_at) VALUES (?, ?, ?, ?)",
                    (source, step, chat_id, at),
                )
                return Claimed(Claim.FRESH)
            return Claimed(Claim.UNKNOWN) if row[0] is None else Claimed(Claim.FILLED, json.loads(row[0]))

        return await self.ask(work)

    def fill(self, source: str, step: str, result: Any, message_id: int | None) -> None:
        """The send was made; committed before any later claim is."""
        text = json.dumps(result)
        self.post(
            lambda db: db.conn.execute(
                "UPDATE outbox SET result = ?, message_id = ? WHERE source = ? AND step = ?",
                (text, message_id, source, step),
            )
        )

    def release(self, source: str, step: str) -> None:
        """The send was surely not made: the claim is taken back."""
        self.post(
            lambda db: db.conn.execute(
                "DELETE FROM outbox WHERE source = ? AND step = ? AND result IS NULL", (source, step)
            )
        )

    async def sent(self, source: str) -> dict[str, int | None]:
        """What went out for a source: step -> message id; None: not known whether it arrived."""
        rows = await self.ask(
            lambda db: db.conn.execute(
                "SELECT step, message_id FROM outbox WHERE source = ? ORDER BY claimed_at", (source,)
            ).fetchall()
        )
        return dict(rows)

    # --- chats ---

    async def chats(self) -> Chats:
        """All that is remembered of chats."""
        return await self.ask(
            lambda db: Chats(
                dict(db.conn.execute("SELECT old_id, new_id FROM chat_moved").fetchall()),
                dict(db.conn.execute("SELECT chat_id, why FROM chat_closed").fetchall()),
                dict(db.conn.execute("SELECT chat_id, until FROM chat_pause").fetchall()),
            )
        )

    def moved(self, old_id: int, new_id: int) -> None:
        """A group has a new id."""
        self.post(lambda db: db.conn.execute("REPLACE INTO chat_moved VALUES (?, ?)", (old_id, new_id)))

    def closed(self, chat_id: int, why: str) -> None:
        """Nothing can be sent there until somebody writes again."""
        at = self.now()
        self.post(lambda db: db.conn.execute("REPLACE INTO chat_closed VALUES (?, ?, ?)", (chat_id, at, why)))

    def reopened(self, chat_id: int) -> None:
        """Somebody wrote again."""
        self.post(lambda db: db.conn.execute("DELETE FROM chat_closed WHERE chat_id = ?", (chat_id,)))

    def paused(self, chat_id: int, until: float) -> None:
        """Nothing may be sent there (0: to anybody) before `until`, not even after a restart."""
        self.post(lambda db: db.conn.execute("REPLACE INTO chat_pause VALUES (?, ?)", (chat_id, until)))

    # --- the whole ---

    def beat(self, **values: float) -> None:
        """Notes signs of life for `health`: `polled_at`, `started_at`, `pid`, …"""
        rows = list(values.items())
        self.post(lambda db: db.conn.executemany("REPLACE INTO pulse VALUES (?, ?)", rows))

    async def purge(self, kept_s: float = KEPT_S) -> None:
        """Forgets what was done more than `kept_s` ago."""
        before = self.now() - kept_s

        def work(db: Database) -> None:
            db.conn.execute("DELETE FROM inbox WHERE done_at < ?", (before,))
            db.conn.execute("DELETE FROM outbox WHERE claimed_at < ?", (before,))
            db.conn.execute("DELETE FROM chat_closed WHERE at < ?", (before,))  # the next send finds out
            db.conn.execute("DELETE FROM chat_pause WHERE until < ?", (self.now(),))

        await self.ask(work)

    async def forget(self, chat_id: int, *, except_source: str = "") -> None:
        """Forgets a person's chat, except the bare ids that keep updates from being answered twice.

        `except_source`: work that is still in hand, whose sends stay journalled.
        """

        def work(db: Database) -> None:
            db.conn.execute(
                "UPDATE inbox SET body = NULL, request = NULL, error = NULL, chat_id = 0"
                " WHERE chat_id = ? AND done_at IS NOT NULL",
                (chat_id,),
            )
            db.conn.execute(  # a source may name the chat, though it sends to another
                "DELETE FROM outbox WHERE (chat_id = ? OR instr(source || ':', ?)) AND source <> ?",
                (chat_id, f":{chat_id}:", except_source),
            )
            db.conn.execute("DELETE FROM chat_closed WHERE chat_id = ?", (chat_id,))
            db.conn.execute("DELETE FROM chat_pause WHERE chat_id = ?", (chat_id,))

        await self.ask(work)
