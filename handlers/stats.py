"""/stats: how the help is doing, for the staff. A picture with a caption; the text alone where nothing can be drawn."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass

from telegram import Message, Update
from telegram.error import BadRequest
from telegram.ext import ContextTypes

from bot.chart import draw
from bot.numbers import Numbers, Period, numbers
from bot.store import read_only
from handlers.figures import picture, text
from handlers.people import Spawn
from handlers.staff import Staff, source

log = logging.getLogger(__name__)
Context = ContextTypes.DEFAULT_TYPE
DAYS, DAYS_MAX = 7, 366
PERIOD = re.compile(r"(\d{1,3})(?:d|k|kun)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stats:
    """The handler of the command."""

    staff: Staff
    spawn: Spawn

    async def show(self, update: Update, context: Context) -> None:
        """/stats [7d|30d]: reading and drawing take a while, so neither is done here."""
        message = update.effective_message
        if message is None or not self.staff.allowed(update):
            return
        days = days_of((message.text or "").split()[1:])
        if days is None:
            await message.reply_html(self.staff.screens.words.html("stats.usage"))
        else:
            self.spawn(f"{source(update)}:stats", self._send(message, days), message.chat_id)

    async def _send(self, message: Message, days: int) -> None:
        words = self.staff.screens.words
        found = await asyncio.to_thread(self._read, days)
        if found is None or not found.opened:
            now = {"open": found.now.open, "waiting": found.now.waiting} if found else {"open": 0, "waiting": 0}
            await message.reply_html(words.html("stats.none", None, days=days, **now))
            return
        try:
            png = await asyncio.to_thread(draw, picture(words, found))
            await message.reply_photo(png, caption=text(words, found, bars=False), parse_mode="HTML")
        except (ImportError, BadRequest) as no_picture:  # no extra `stats`; a chat that takes no pictures of the bot's
            log.warning("/stats goes without its picture: %s", no_picture)
            await message.reply_html(text(words, found, bars=True))

    def _read(self, days: int) -> Numbers | None:
        with read_only(self.staff.tickets.store.path) as db:
            return numbers(db, Period.last(days)) if db is not None else None


def days_of(words: list[str]) -> int | None:
    """How many days are meant: '7d', '30 kun', '30'; a week when nothing is said. None: not understood."""
    if not words:
        return DAYS
    said = PERIOD.fullmatch("".join(words))
    days = int(said[1]) if said else 0
    return days if 1 <= days <= DAYS_MAX else None
