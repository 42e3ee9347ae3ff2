"""What have the staff ordered on the review page, and who is logged in there? A small file of its own, web.db.

Each SQLite file has one writer (docs/decisions/0002-one-writer.md): the review page writes this one and reads the
ticket log; the bot reads this one and writes into its own what became of an order (table `orders_done`).
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, get_args

from sqlite_utils import Database, Migrations

from bot.passes import Pass
from bot.store import Store, read_only

Action = Literal["reply", "note", "close", "reopen", "take"]
ACTIONS: tuple[Action, ...] = get_args(Action)
FORGOTTEN_AFTER = timedelta(days=1)  # the ticket log has it; after a longer absence nobody may be surprised by it
SESSION = timedelta(hours=8)
migrations = Migrations("web")


@migrations()
def m001_orders(db: Database) -> None:
    """Orders to the bot; logins, each the use of one link."""
    db.executescript("""
        CREATE TABLE orders (
            id TEXT PRIMARY KEY, ticket INTEGER NOT NULL, action TEXT NOT NULL, text TEXT NOT NULL,
            by_id INTEGER NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL
        ) STRICT;
        CREATE INDEX orders_by_ticket ON orders (ticket, at);
        CREATE TABLE logins (
            nonce TEXT PRIMARY KEY, user_id INTEGER NOT NULL, name TEXT NOT NULL, until TEXT NOT NULL,
            ended INTEGER NOT NULL DEFAULT 0
        ) STRICT;
    """)


@dataclass(frozen=True, slots=True)
class Order:
    """What one of the staff wants done to a ticket. `text`: of a reply or note; of a close its reason."""

    id: str
    ticket: int
    action: Action
    text: str
    by_id: int
    by: str
    at: datetime

    @property
    def source(self) -> str:
        """What its events and messages are remembered under."""
        return f"order:{self.id}"


def new_order_id() -> str:
    """For a form: sent twice by an impatient hand, it is one order."""
    return secrets.token_hex(8)


class OrderBook:
    """The review page's side: the only writer of the file."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def give(self, order: Order) -> None:
        """Writes an order down for the bot; the same form sent twice is one order."""

        def work(db: Database) -> None:
            db.execute(
                "INSERT OR IGNORE INTO orders (id, ticket, action, text, by_id, by, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [order.id, order.ticket, order.action, order.text, order.by_id, order.by, _stored(order.at)],
            )

        await self.store.run(work, durable=True)

    async def tickets(self) -> frozenset[int]:
        """Those of which orders lie here."""
        sql = "SELECT DISTINCT ticket FROM orders"
        return await self.store.run(lambda db: frozenset(row["ticket"] for row in db.query(sql)))

    async def forget(self, emptied: Collection[int] = ()) -> None:
        """Old orders and sessions, and orders about tickets that were emptied, leave the file, and no bytes behind."""
        now = datetime.now(UTC)

        def work(db: Database) -> None:
            db.conn.executemany("DELETE FROM orders WHERE ticket = ?", [(number,) for number in emptied])
            db.execute("DELETE FROM orders WHERE at < ?", [_stored(now - FORGOTTEN_AFTER)])
            db.execute("DELETE FROM logins WHERE until < ?", [_stored(now)])

        await self.store.run(work)
        await self.store.checkpoint()

    async def given_to(self, ticket: int) -> tuple[Order, ...]:
        """The orders about a ticket, oldest first, of the last day."""
        return await self.store.run(
            lambda db: _orders(db, "SELECT * FROM orders WHERE ticket = ? ORDER BY at, rowid", [ticket])
        )

    async def enter(self, link: Pass) -> bool:
        """Uses a link up: its session begins. False when it was used before, even before a restart."""
        now = datetime.now(UTC)

        def work(db: Database) -> bool:
            return bool(
                db.execute(
                    "INSERT OR IGNORE INTO logins (nonce, user_id, name, until) VALUES (?, ?, ?, ?)",
                    [link.nonce, link.user_id, link.name, _stored(now + SESSION)],
                ).rowcount
            )

        return await self.store.run(work, durable=True)

    async def used(self, nonce: str) -> bool:
        """Whether this link was used up."""
        sql = "SELECT 1 FROM logins WHERE nonce = ?"
        return await self.store.run(lambda db: db.execute(sql, [nonce]).fetchone() is not None)

    async def session(self, nonce: str) -> Pass | None:
        """Who is logged in under this nonce; None when nobody is, or no longer."""

        def work(db: Database) -> Pass | None:
            row = db.execute(
                "SELECT user_id, name, until FROM logins WHERE nonce = ? AND ended = 0 AND until > ?",
                [nonce, _stored(datetime.now(UTC))],
            ).fetchone()
            return Pass(row[0], row[1], nonce, datetime.fromisoformat(row[2])) if row else None

        return await self.store.run(work)

    async def leave(self, nonce: str) -> None:
        """Ends a session for good; its link stays used."""
        await self.store.run(lambda db: db.execute("UPDATE logins SET ended = 1 WHERE nonce = ?", [nonce]))


class Outcomes:
    """The bot's side: what became of each order, in the bot's own file."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def known(self) -> frozenset[str]:
        """The orders that are done."""
        return await self.store.run(lambda db: frozenset(row["id"] for row in db.query("SELECT id FROM orders_done")))

    async def write(self, order_id: str, outcome: str) -> None:
        """An order is done; those that nobody can look at any more are forgotten."""
        now = datetime.now(UTC)

        def work(db: Database) -> None:
            db.execute("DELETE FROM orders_done WHERE done_at < ?", [_stored(now - 2 * FORGOTTEN_AFTER)])
            db.execute("INSERT OR REPLACE INTO orders_done VALUES (?, ?, ?)", [order_id, _stored(now), outcome])

        await self.store.run(work, durable=True)


def orders_given(path: Path, done: Collection[str]) -> tuple[Order, ...]:
    """The bot's side: orders of the last day that are not done, oldest first; none while there is no such file."""
    try:
        with read_only(path) as db:
            if db is None:
                return ()
            since = _stored(datetime.now(UTC) - FORGOTTEN_AFTER)
            found = _orders(db, "SELECT * FROM orders WHERE at >= ? ORDER BY at, rowid", [since])
    except sqlite3.OperationalError:  # being made at this moment: the next look will do
        return ()
    return tuple(order for order in found if order.id not in done)


def of_emptied(log: Path, tickets: Collection[int]) -> tuple[int, ...]:
    """Which of these tickets of the log were emptied: what was ordered about them is to go, too."""
    sql = "SELECT number FROM tickets WHERE emptied_at IS NOT NULL AND number IN (SELECT value FROM json_each(?))"
    with read_only(log) as db:
        return tuple(row["number"] for row in db.query(sql, [json.dumps([*tickets])])) if db is not None else ()


def _orders(db: Database, sql: str, values: list[object]) -> tuple[Order, ...]:
    return tuple(
        Order(
            row["id"],
            row["ticket"],
            row["action"],
            row["text"],
            row["by_id"],
            row["by"],
            datetime.fromisoformat(row["at"]),
        )
        for row in db.query(sql, values)
    )


def _stored(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
