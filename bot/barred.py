"""Who is not to be heard, and until when? What staff decided about a person, kept with the person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlite_utils import Database

from bot.store import Store


@dataclass(frozen=True, slots=True)
class Bar:
    """How a person stands. Times are aware UTC."""

    banned_at: datetime | None = None  # since then nothing of theirs is taken
    muted_until: datetime | None = None  # until then the staff do not get their words; None: they do


class Barred:
    """Two columns of the table `people`."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def of(self, user_id: int, now: datetime) -> Bar:
        """How this person stands now."""
        sql = "SELECT blocked, muted_until FROM people WHERE user_id = ?"
        row = await self.store.run(lambda db: db.execute(sql, [user_id]).fetchone())
        banned, muted = row or (0, 0)
        return Bar(_time(banned), _time(muted) if muted > now.timestamp() else None)

    async def ban(self, user_id: int, at: datetime) -> None:
        """Nothing of theirs is taken from now on; who is banned already stays banned since then."""
        await self._set("blocked = iif(blocked, blocked, ?)", user_id, round(at.timestamp()))

    async def mute(self, user_id: int, until: datetime) -> None:
        """The staff do not get their words until then."""
        await self._set("muted_until = ?", user_id, round(until.timestamp()))

    async def lift(self, user_id: int) -> None:
        """Everything is as it was before."""
        await self._set("blocked = ?, muted_until = 0", user_id, 0)

    async def _set(self, what: str, user_id: int, value: int) -> None:
        def work(db: Database) -> None:
            db.execute(f"UPDATE people SET {what} WHERE user_id = ?", [value, user_id])  # noqa: S608 - our own words

        await self.store.run(work)


def _time(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
