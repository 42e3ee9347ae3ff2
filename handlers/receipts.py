"""What became of what one of the staff wrote? A sign under it, or a word where a sign is not enough."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

from telegram.error import BadRequest, TelegramError
from telegram.ext import ExtBot

from bot.relayed import Fate, Relayed, Row
from bot.topics import TopicRows
from handlers.carrier import Spot
from messages import Catalogue

DELIVERED, UNDELIVERED, NOTED = "👍", "👎", "✍"  # reactions, which the group's pace does not count
GONE = ("chat not found", "user not found", "peer_id_invalid", "deactivated")  # an account that is no more


@dataclass(frozen=True, slots=True)
class Receipts:
    """Tells the writer, as far as the staff chat takes it; only `say` raises TelegramError."""

    bot: ExtBot[Any]
    rows: Relayed
    topics: TopicRows
    words: Catalogue

    async def delivered(self, row: Row) -> None:
        """It has reached the user; one that was made a note of on its way did all the same."""
        now = await self.rows.get(row.chat_id, row.message_id)
        if now is not None and now.fate is Fate.NOTE:
            await self._under(row, "relay.seen_already")
        else:
            await self._sign_or_say(row, DELIVERED, "staff.sent")

    async def noted(self, row: Row) -> None:
        """It stays with the staff."""
        await self._sign_or_say(row, NOTED, "relay.noted")

    async def undelivered(self, row: Row, error: TelegramError) -> None:
        """The user does not get it; why is said once, then a sign does, until something reaches one of them again."""
        gone = not isinstance(error, BadRequest) or any(words in str(error).lower() for words in GONE)
        before = await self.rows.before(row)
        await self.rows.settle(row.chat_id, row.message_id, Fate.REFUSED)
        known = gone and before is not None and before.fate is Fate.REFUSED
        if not await self._signed(row, UNDELIVERED) or not known:
            await self._under(row, "staff.not_sent" if gone else "relay.cannot")

    async def say(self, spot: Spot, key: str, **values: object) -> None:
        """A word to one of the staff, under what he wrote."""
        words = self.words.html(key, None, **values)
        step = f"{key} {spot.reply_to}"
        await self.bot.send_message(text=words, parse_mode="HTML", rate_limit_args=step, **spot.parameters)

    async def _sign_or_say(self, row: Row, sign: str, key: str) -> None:
        if not await self._signed(row, sign):
            await self._under(row, key)

    async def _signed(self, row: Row, sign: str) -> bool:
        """False: reactions are switched off in this group."""
        try:
            return await self.bot.set_message_reaction(row.chat_id, row.message_id, sign)
        except TelegramError:
            return False

    async def _under(self, row: Row, key: str) -> None:
        topic = await self.topics.of(row.ticket)
        thread_id = topic.thread_id if topic is not None and topic.chat_id == row.chat_id else None
        with contextlib.suppress(TelegramError):  # what became of the message itself is as it is
            await self.say(Spot(row.chat_id, thread_id, row.message_id), key)
