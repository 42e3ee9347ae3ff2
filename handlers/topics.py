"""A topic for each ticket where the staff group is a forum: made at a gentle pace, renamed, closed, made again.

Bots that made topics in bursts were banned, so they are made one by one, `Limits.topic_interval_s` apart; when the
last one was made is in the database, so a restart does not hurry. Who waits for a topic is found again at a start
by its ticket having no card.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from telegram import ChatMemberAdministrator, ChatMemberOwner
from telegram.error import BadRequest, TelegramError
from telegram.ext import ExtBot

from bot.model import Status, Ticket
from bot.topics import Topic, TopicRows
from messages import Catalogue

log = logging.getLogger(__name__)
KNOWN_S = 600.0  # so long is believed what a group was like
NAME_MAX = 128  # Bot API
# What Telegram says of a topic that was deleted: to a message (tdlib/telegram-bot-api#854), to a change of the topic.
# A closed one takes no message of a bot that may not manage topics any more: to it, it is as good as gone.
GONE = ("message thread not found", "topic_id_invalid", "topic_deleted", "topic_closed")
MARKS = {Status.ESCALATED: "🔴 ", Status.SOLVED: "✅ ", Status.CLOSED: "✅ "}


def topic_gone(error: TelegramError) -> bool:
    """Whether a call failed because its topic was deleted, or is closed to the bot."""
    return isinstance(error, BadRequest) and any(words in str(error).lower() for words in GONE)


class Topics:
    """`thread` gives a ticket its topic; `without_right` is told once a group why there are none."""

    def __init__(
        self,
        rows: TopicRows,
        bot: ExtBot[Any],
        words: Catalogue,
        interval_s: float,
        without_right: Callable[[], Awaitable[None]],
    ) -> None:
        self.rows = rows
        self.bot = bot
        self.words = words
        self.interval_s = interval_s
        self._without_right = without_right
        self._usable: dict[int, tuple[float, bool]] = {}  # chat -> until when that is believed, whether
        self._looking = asyncio.Lock()
        self._making = asyncio.Lock()
        self._made_at = 0.0

    def look_again(self, chat_id: int) -> None:
        """The bot's rights there, or the group itself, may have changed."""
        self._usable.pop(chat_id, None)

    async def usable(self, chat_id: int) -> bool:
        """Whether topics can be made in this group."""
        async with self._looking:  # one asks, the others learn it in the order in which they came
            until, known = self._usable.get(chat_id, (0.0, False))
            if time.monotonic() < until:
                return known
            try:
                known = await self._look(chat_id)
            except TelegramError as error:  # not believed, and asked again the next time
                log.warning("it is not known whether the staff chat has topics: %s", error)
                return False
            self._usable[chat_id] = (time.monotonic() + KNOWN_S, known)
            return known

    async def _look(self, chat_id: int) -> bool:
        chat = await self.bot.get_chat(chat_id)
        if not chat.is_forum:
            return False
        me = await self.bot.get_chat_member(chat_id, self.bot.id)
        if isinstance(me, ChatMemberOwner) or (isinstance(me, ChatMemberAdministrator) and me.can_manage_topics):
            return True
        await self._without_right()
        return False

    async def known(self, number: int, chat_id: int) -> int | None:
        """The topic that a ticket has in this group; None when it has none."""
        topic = await self.rows.of(number)
        return topic.thread_id if topic is not None and topic.chat_id == chat_id else None

    async def thread(self, ticket: Ticket, chat_id: int, *, instead_of: int | None = None) -> int | None:
        """The same, made when there is none; None where the group has no topics. `instead_of`: one that was lost."""
        known = await self.known(ticket.number, chat_id)
        if known is not None:
            return known
        if not await self.usable(chat_id):
            return None
        try:
            return await self._make(ticket, chat_id, instead_of)
        except BadRequest as error:  # whatever the reason: a card without a topic is better than none
            self.look_again(chat_id)
            if await self.usable(chat_id):  # the right is there, and yet: not again for a while
                self._usable[chat_id] = (time.monotonic() + KNOWN_S, False)
                log.error("no topic could be made: %s", error)
            return None

    async def _make(self, ticket: Ticket, chat_id: int, instead_of: int | None) -> int:
        step = f"topic in {chat_id}" if instead_of is None else f"topic instead of {instead_of}"
        async with self._making:
            await self._due()
            name = self._name(ticket)
            made = await self.bot.create_forum_topic(chat_id, name, rate_limit_args=step)
            self._made_at = time.time()
            await self.rows.keep(Topic(ticket.number, chat_id, made.message_thread_id, _digest(name)))
        return made.message_thread_id

    async def _due(self) -> None:
        last = max(self._made_at, await self.rows.last_made_at())
        # A clock that was set back must not stop the lane.
        await asyncio.sleep(min(self.interval_s, max(0.0, last + self.interval_s - time.time())))

    async def lost(self, number: int, thread_id: int) -> bool:
        """A ticket's topic was deleted and is forgotten; False: there is a newer one already."""
        known = await self.rows.of(number)
        if known is None or known.thread_id != thread_id:
            return False
        await self.rows.gone(known)
        return True

    async def follow(self, ticket: Ticket, turn: Callable[[int], AbstractAsyncContextManager[object]]) -> None:
        """The topic's name and whether it is closed become what the ticket says, each change when its turn comes."""
        known = await self.rows.of(ticket.number)
        if known is None:
            return
        name, ended = self._name(ticket), ticket.status in (Status.SOLVED, Status.CLOSED)
        try:
            if known.shown != _digest(name):
                async with turn(known.chat_id):
                    await self.bot.edit_forum_topic(known.chat_id, known.thread_id, name=name)
            if ended != known.closed:
                async with turn(known.chat_id):
                    change = self.bot.close_forum_topic if ended else self.bot.reopen_forum_topic
                    await change(known.chat_id, known.thread_id)
        except BadRequest as error:  # deleted, or the right was taken away: the card says it all
            log.warning("the topic of ticket %d does not follow: %s", ticket.number, error)
            return
        await self.rows.shows(replace(known, shown=_digest(name), closed=ended))

    def _name(self, ticket: Ticket) -> str:
        extension = ticket.extension or self.words.plain("staff.no_extension")
        name = self.words.plain("staff.topic", number=ticket.number, extension=extension, person=ticket.user_name)
        return (MARKS.get(ticket.status, "") + name)[:NAME_MAX]


def _digest(name: str) -> str:
    return blake2b(name.encode(), digest_size=8).hexdigest()
