"""Who is not to be heard: staff mute or ban a person, and the gate at which a banned one is stopped."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import timedelta

from telegram import Update
from telegram.constants import ChatType
from telegram.error import TelegramError
from telegram.ext import ApplicationHandlerStop

from bot.barred import Barred
from bot.hours import Clock
from handlers.journey import journey
from handlers.my_data import about_own_data
from handlers.people import person_of
from handlers.staff_commands import Context, Order, StaffCommands

MUTE_H, MUTE_MAX_H = 24, 720  # without a word on it, and at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Barring(StaffCommands):
    """The handlers of /mute, /ban and /unban_user, and the one before all others."""

    barred: Barred
    now: Clock

    async def gate(self, update: Update, context: Context) -> None:
        """Stops what a banned person sends; he is told once, politely. Staff, and his own data, always come through."""
        person, chat = person_of(update), update.effective_chat
        if person is None or chat is None or chat.type != ChatType.PRIVATE or update.my_chat_member is not None:
            return
        if person.user_id in self.staff.roster.ids or about_own_data(update):  # a ban takes nobody's data from them
            return
        banned_at = (await self.barred.of(person.user_id, self.now())).banned_at
        if banned_at is None:
            return
        if update.callback_query is not None:
            with contextlib.suppress(TelegramError):  # too old to be answered
                await update.callback_query.answer()
        with journey(f"ban:{person.user_id}:{banned_at.timestamp():.0f}"):  # what was sent there once stays sent
            await self.actions.desk.post.send(chat.id, self.staff.screens.say("life.banned"), "banned")
        raise ApplicationHandlerStop

    async def mute(self, update: Update, context: Context) -> None:
        """/mute N [hours]: the staff get nothing of this person for a while; the bot goes on with him."""
        if order := await self._order(update, "mute", 0):
            said = order.rest[0] if order.rest else str(MUTE_H)
            hours = int(said) if said.isascii() and said.isdigit() and len(said) < 5 else 0
            if not 1 <= hours <= MUTE_MAX_H:
                await self._usage(order.message, "mute")
                return
            await self.barred.mute(order.ticket.user_id, self.now() + timedelta(hours=hours))
            await self._told(order, "life.now_muted", hours=hours)

    async def ban(self, update: Update, context: Context) -> None:
        """/ban N: nothing of this person is taken any more."""
        if order := await self._order(update, "ban", 0):
            await self.barred.ban(order.ticket.user_id, self.now())
            await self._told(order, "life.now_banned")

    async def unban(self, update: Update, context: Context) -> None:
        """/unban_user N: he is heard as before."""
        if order := await self._order(update, "unban_user", 0):
            await self.barred.lift(order.ticket.user_id)
            await self._told(order, "life.now_free")

    async def _told(self, order: Order, key: str, **values: int) -> None:
        """The answer, which is also a note in the log: who did it, and when."""
        known = {"number": order.ticket.number, "person": order.ticket.user_name, **values}
        text = self.staff.screens.words.plain(key, None, **known)
        await self.actions.note(order.ticket.number, text, order.by, source=order.source)
        await self._say(order.message, key, **known)
