"""The staff's side: one card a ticket in their chat, replies to it reach the user, three commands.

Only people of STAFF_IDS in STAFF_CHAT_ID may do anything; everybody else is refused and logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

from telegram import Message, Update
from telegram.constants import ChatMemberStatus
from telegram.error import Forbidden, TelegramError
from telegram.ext import ContextTypes, ExtBot

from bot.model import EventKind, Status, Ticket
from bot.redact import redact
from bot.tickets import Tickets
from handlers.actions import Actions
from handlers.card import Cards, cut, whole_lines
from handlers.people import Spawn
from handlers.reply import Screen, Screens

log = logging.getLogger(__name__)
Context = ContextTypes.DEFAULT_TYPE
# Telegram's stand-ins for 'somebody': never staff, whatever the list says (Bot API).
NOBODY = frozenset({1087968824, 777000, 136817688})
PRESENT = (ChatMemberStatus.MEMBER, ChatMemberStatus.ADMINISTRATOR)
SHOWN_EVENTS = 30


@dataclass(slots=True)
class Staff:
    """Handlers and notices of the staff chat."""

    tickets: Tickets
    screens: Screens
    cards: Cards
    bot: ExtBot[Any]
    configured_chat: int | None
    ids: frozenset[int]
    where: Callable[[int], int]  # the id a chat has now: a group that grows gets another
    spawn: Spawn
    actions: Actions = field(init=False)  # they need the desk, which tells the staff of changes
    _locks: WeakValueDictionary[int, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    @property
    def chat_id(self) -> int | None:
        """The staff chat as it is called today; None when there is none."""
        return None if self.configured_chat is None else self.where(self.configured_chat)

    # --- the card: the group's pace is slow (20 a minute), so nobody waits for it ---

    def on_change(self, number: int) -> None:
        """Posts the ticket's card, or edits it to what is true now."""
        if self.chat_id is not None:
            self.spawn(f"card:{number}", self._card(number), self.chat_id)

    def forward(self, ticket: Ticket, message: Message) -> None:
        """What an escalated user writes reaches the staff under the ticket's card."""
        if self.chat_id is not None:
            self.spawn(f"forward:{message.chat_id}:{message.message_id}", self._forward(ticket, message), self.chat_id)

    async def joined(self, update: Update, context: Context) -> None:
        """The bot is (back) in the staff chat: open tickets that have no card there get one."""
        change = update.my_chat_member
        if change is None or change.chat.id != self.chat_id or change.new_chat_member.status not in PRESENT:
            return
        for status in (Status.OPEN, Status.ESCALATED):
            for ticket in await self.tickets.list(status=status.value, limit=50):
                if await self.tickets.post(ticket.number, "card") is None:
                    self.on_change(ticket.number)

    async def _card(self, number: int) -> None:
        async with self._locks.setdefault(number, asyncio.Lock()):
            await self._post_card(number)

    async def _post_card(self, number: int) -> None:
        ticket = await self.tickets.get(number)
        if ticket is None:
            return
        screen = self.cards.card(ticket)
        known = await self.tickets.post(number, "card")
        if known is not None:
            with contextlib.suppress(TelegramError):  # deleted by somebody: the next change posts a new one
                await self.bot.edit_message_text(
                    screen.html, known[0], known[1], parse_mode="HTML", reply_markup=screen.keyboard
                )
            return
        message = await self._post(screen, "card")
        if message is not None:
            await self.tickets.posted(number, message.chat_id, message.message_id, "card")

    async def _forward(self, ticket: Ticket, message: Message) -> None:
        if self.chat_id is None:
            return
        words = self.screens.words
        if message.text:
            text = words.html(
                "staff.says", number=ticket.number, person=ticket.user_name, text=cut(redact(message.text), 3000)
            )
            posted = await self._post(Screen(text), "forward")
        else:
            await self._post(Screen(words.html("staff.says", number=ticket.number, person=ticket.user_name, text="📎")))
            caption = redact(message.caption) if message.caption else None
            copied = await self.bot.copy_message(self.chat_id, message.chat_id, message.message_id, caption=caption)
            await self.tickets.posted(ticket.number, self.chat_id, copied.message_id, "forward")
            return
        if posted is not None:
            await self.tickets.posted(ticket.number, posted.chat_id, posted.message_id, "forward")

    async def alert(self, key: str, **values: Any) -> None:
        """A word to the staff about the bot itself."""
        await self._post(Screen(self.screens.words.html(key, **values)))

    async def tell_each(self, key: str) -> None:
        """A word to each of the staff in private, for when their chat is gone; who never wrote to us hears nothing."""
        for user_id in sorted(self.ids):
            with contextlib.suppress(TelegramError):
                await self.bot.send_message(user_id, self.screens.words.html(key), parse_mode="HTML")

    async def _post(self, screen: Screen, step: str | None = None) -> Message | None:
        if self.chat_id is None:
            return None
        try:
            return await self.bot.send_message(
                self.chat_id, screen.html, parse_mode="HTML", reply_markup=screen.keyboard, rate_limit_args=step
            )
        except TelegramError as error:
            log.error("the staff chat does not take messages: %s", error)
            return None

    # --- what staff say and order ---

    def allowed(self, update: Update) -> bool:
        """Whether this person may act here; a refusal is logged."""
        user, chat = update.effective_user, update.effective_chat
        if user is None or chat is None or chat.id != self.chat_id:
            return False
        if user.id in self.ids and user.id not in NOBODY:
            return True
        log.warning("refused: user %d is not of the staff", user.id)
        return False

    async def reply(self, update: Update, context: Context) -> None:
        """A reply to a card, or to a forwarded word, goes to the user."""
        message = update.effective_message
        if message is None or message.reply_to_message is None or not self.allowed(update):
            return
        number = await self.tickets.by_post(message.chat_id, message.reply_to_message.message_id)
        ticket = await self.tickets.get(number) if number is not None else None
        if ticket is None or (message.text or "").startswith("//"):
            if ticket is not None:
                await self.actions.note(ticket.number, message.text or "", _who(update), source=_source(update))
            return
        if message.text:
            sent = await self.actions.reply(ticket.number, message.text, _who(update), source=_source(update))
        else:
            sent = await self._copy(ticket, message, update)
        await self._say(message, "staff.sent" if sent else "staff.not_sent")

    async def _copy(self, ticket: Ticket, message: Message, update: Update) -> bool:
        body = {"text": message.caption or "", "by": _who(update)}
        await self.tickets.append(ticket.number, EventKind.STAFF_MESSAGE, body, source=_source(update))
        try:
            await self.bot.copy_message(ticket.chat_id, message.chat_id, message.message_id)
        except Forbidden:
            return False
        return True

    async def tickets_list(self, update: Update, context: Context) -> None:
        """/tickets: what is open."""
        message = update.effective_message
        if message is None or not self.allowed(update):
            return
        waiting = [
            ticket
            for status in (Status.ESCALATED, Status.OPEN)
            for ticket in await self.tickets.list(status=status.value, limit=25)
        ]
        words = self.screens.words
        if not waiting:
            await self._say(message, "staff.list_none")
            return
        lines = [words.html("staff.list_head", count=len(waiting))] + [self.cards.line(ticket) for ticket in waiting]
        await message.reply_html(whole_lines(lines))

    async def ticket(self, update: Update, context: Context) -> None:
        """/ticket N: the card and the log, which can be replied to as well."""
        found = await self._named(update, context, "staff.usage_ticket")
        message = update.effective_message
        if found is None or message is None:
            return
        events = [self.cards.event(event) for event in found.events[-SHOWN_EVENTS:]]
        card = self.cards.card(found)
        posted = await message.reply_html(whole_lines([*card.html.split("\n"), *events]))
        await self.tickets.posted(found.number, posted.chat_id, posted.message_id, "copy")

    async def close(self, update: Update, context: Context) -> None:
        """/close N: ends a ticket and tells the user."""
        found = await self._named(update, context, "staff.usage_close")
        message = update.effective_message
        if found is None or message is None:
            return
        await self.actions.close(found.number, "staff", _who(update), source=_source(update))
        await self._say(message, "staff.closed", number=found.number)

    async def _named(self, update: Update, context: Context, usage: str) -> Ticket | None:
        message = update.effective_message
        if message is None or not self.allowed(update):
            return None
        words = (message.text or "").split()
        if len(words) < 2 or not words[1].lstrip("№#").isdigit():
            await self._say(message, usage)
            return None
        ticket = await self.tickets.get(int(words[1].lstrip("№#")[:12]))
        if ticket is None:
            await self._say(message, "staff.no_such")
        return ticket

    async def _say(self, message: Message, key: str, **values: Any) -> None:
        await message.reply_html(self.screens.words.html(key, **values))


def _who(update: Update) -> str:
    return update.effective_user.full_name if update.effective_user else ""


def _source(update: Update) -> str:
    return f"update:{update.update_id}"
