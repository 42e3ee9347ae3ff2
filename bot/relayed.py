"""Which message on the other side is this one's copy, and what still has to be carried over? The table `relayed`.

A row is one message as it was written, on either side. What is to be carried over is kept in it until it is done,
so a crash forgets nothing; afterwards only the pair of numbers stays, by which edits and quotes find their way.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlite_utils import Database

from bot.store import Store


class Fate(StrEnum):
    """What became of a message."""

    WAITING = "waiting"  # to be carried over
    SENT = "sent"  # its copy stands on the other side
    REFUSED = "refused"  # the other side takes no messages
    NOTE = "note"  # of the staff for the staff: nothing of it is carried over any more, whatever it is edited into
    STRANGER = "stranger"  # written in the staff chat by somebody who is not of the staff


@dataclass(frozen=True, slots=True)
class Row:
    """A message and its copy."""

    chat_id: int
    message_id: int  # negative: of a press, for which there is no message
    ticket: int
    fate: Fate
    album: str | None = None
    file: str | None = None  # what tells its file from another
    said: str | None = None  # JSON of what is still to be carried over: the whole, or an edit of it
    version: int = 0  # counts the edits
    by_id: int | None = None  # who wrote it
    other_chat: int | None = None
    other_message: int | None = None


_COLUMNS = "chat_id, message_id, ticket, fate, album, file, said, version, by_id, other_chat, other_message"


def _row(values: tuple[Any, ...]) -> Row:
    return Row(values[0], values[1], values[2], Fate(values[3]), *values[4:])


class Relayed:
    """The table. A message is named by its chat and number."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def keep(self, row: Row) -> bool:
        """Notes a message; False when it was noted before."""

        def work(db: Database) -> bool:
            values = [getattr(row, name) for name in _COLUMNS.split(", ")]
            sql = f"INSERT OR IGNORE INTO relayed ({_COLUMNS}) VALUES ({', '.join('?' * len(values))})"  # noqa: S608 - ours
            return bool(db.conn.execute(sql, values).rowcount)

        return await self.store.run(work)

    async def get(self, chat_id: int, message_id: int) -> Row | None:
        """A message as it was written; None: it was never noted."""
        return await self._one("chat_id = ? AND message_id = ?", chat_id, message_id)

    async def copied(self, chat_id: int, message_id: int) -> Row | None:
        """The message whose copy this is; None: it is no copy."""
        return await self._one("other_chat = ? AND other_message = ?", chat_id, message_id)

    async def counterpart(self, chat_id: int, message_id: int, ticket: int) -> tuple[int, int] | None:
        """(chat, message) of the same words on the other side, whichever of the two is the copy.

        Of this ticket only: what another one has may stand in another topic.
        """
        row = await self.get(chat_id, message_id)
        if row is not None:
            known = row.ticket == ticket and row.other_chat and row.other_message
            return (row.other_chat or 0, row.other_message or 0) if known else None
        row = await self.copied(chat_id, message_id)
        return (row.chat_id, row.message_id) if row and row.ticket == ticket and row.message_id > 0 else None

    async def album(self, chat_id: int, album: str) -> list[Row]:
        """The parts of an album noted so far, in order."""
        return await self._all("chat_id = ? AND album = ? ORDER BY message_id", chat_id, album)

    async def ticket_of(self, chat_id: int, what: str) -> int | None:
        """The ticket of a message, or of an album, by its id there; None: it was never noted."""
        row = await self._one("chat_id = ? AND (album = ? OR message_id = ?)", chat_id, what, what)
        return row.ticket if row else None

    async def unfinished(self) -> list[Row]:
        """Everything that is still to be carried over, in the order it came."""
        return await self._all("said IS NOT NULL ORDER BY +rowid")

    async def backlog(self, ticket: int) -> int:
        """How many messages of a ticket wait to be carried over."""
        sql = "SELECT count(*) FROM relayed WHERE ticket = ? AND fate = ?"
        return await self.store.run(lambda db: int(db.execute(sql, [ticket, Fate.WAITING]).fetchone()[0]))

    async def before(self, row: Row) -> Row | None:
        """What was said before this about its ticket, on either side, notes apart."""
        mine = "(SELECT rowid FROM relayed WHERE chat_id = ? AND message_id = ?)"
        where = f"ticket = ? AND fate IN ('waiting', 'sent', 'refused') AND rowid < {mine} ORDER BY rowid DESC"
        return await self._one(where, row.ticket, row.chat_id, row.message_id)

    async def met(self, chat_id: int, by_id: int) -> bool:
        """Whether this stranger was told already that his words go nowhere."""
        found = await self._one("chat_id = ? AND by_id = ? AND fate = 'stranger'", chat_id, by_id)
        return found is not None

    async def change(self, chat_id: int, message_id: int, said: str, file: str | None) -> None:
        """An edit: the newest version is the one to be carried over. Notes stay where they are."""
        sql = (
            "UPDATE relayed SET said = ?, file = ?, version = version + 1"
            " WHERE chat_id = ? AND message_id = ? AND fate IN ('waiting', 'sent')"
        )
        await self._do(sql, said, file, chat_id, message_id)

    async def settle(self, chat_id: int, message_id: int, fate: Fate) -> None:
        """Nothing more of this message is carried over."""
        sql = "UPDATE relayed SET fate = ?, said = NULL WHERE chat_id = ? AND message_id = ?"
        await self._do(sql, fate, chat_id, message_id)

    async def sent(self, row: Row, other_chat: int, other_message: int) -> None:
        """The copy of `row`, as it was read, stands there. An edit that came meanwhile is still to be carried over."""
        sql = (
            "UPDATE relayed SET other_chat = ?, other_message = ?, fate = iif(fate = 'waiting', 'sent', fate),"
            " said = iif(version = ?, NULL, said) WHERE chat_id = ? AND message_id = ?"
        )
        await self._do(sql, other_chat, other_message, row.version, row.chat_id, row.message_id)

    async def _do(self, sql: str, *values: Any) -> None:
        await self.store.run(lambda db: db.execute(sql, values))

    async def _one(self, where: str, *values: Any) -> Row | None:
        return next(iter(await self._all(f"{where} LIMIT 1", *values)), None)

    async def _all(self, where: str, *values: Any) -> list[Row]:
        sql = f"SELECT {_COLUMNS} FROM relayed WHERE {where}"  # noqa: S608 - our own words
        return await self.store.run(lambda db: [_row(found) for found in db.execute(sql, values).fetchall()])
