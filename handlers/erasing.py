"""A wish to be forgotten, carried out to the end: rows, files, then what stands in the staff chat. A crash delays it.

Of Telegram's own copies the bot reaches messages of the last 48 hours, where it may delete also those of others, and
whole topics (Bot API, deleteMessage); its own older texts it can still rewrite. For the rest the staff are asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup
from telegram.error import TelegramError

from bot.forgetting import Forgetting, Wish
from bot.mailbox import Mailbox
from bot.topics import TopicRows
from handlers.mending import Fate, fate
from handlers.people import Spawn
from handlers.post import Post
from handlers.reply import Screen, Screens

log = logging.getLogger(__name__)
AGAIN_S = 30.0  # after so long what the network swallowed is tried again
LINKS_MAX = 20  # in one message


@dataclass(slots=True)
class Erasing:
    """`begin` a wish; `resume` those that a crash interrupted."""

    forgetting: Forgetting
    mailbox: Mailbox
    post: Post
    screens: Screens
    spawn: Spawn
    left: Callable[[], Awaitable[None]]  # returns when what waited for the staff chat's pace has left
    again_s: float = AGAIN_S
    _in_hand: set[int] = field(default_factory=set)

    async def begin(self, user_id: int, chat_id: int) -> None:
        """Writes the wish down, and carries it out beside the handlers."""
        self._fulfil(await self.forgetting.wish(user_id, chat_id))

    async def resume(self) -> None:
        """Goes on with what was interrupted."""
        for wish in await self.forgetting.wishes():
            self._fulfil(wish)

    def _fulfil(self, wish: Wish) -> None:
        if wish.id not in self._in_hand:
            self._in_hand.add(wish.id)
            self.spawn(wish.source, self.fulfil(wish), wish.chat_id)

    async def fulfil(self, wish: Wish) -> None:
        """Carries a wish out; every step may be made again."""
        try:
            await self._carry_out(wish)
        finally:
            self._in_hand.discard(wish.id)

    async def _carry_out(self, wish: Wish) -> None:
        gone = await self.forgetting.erase(wish)
        await self.mailbox.forget(wish.chat_id, except_source=wish.source)
        await self.forgetting.scrub()
        words = self.screens.say("mine.erased" if gone.people else "mine.erased_barred")
        await self.post.send(wish.chat_id, words, "erased")
        await self.mailbox.flush()  # that it was said outlives a crash during what follows
        stands = [topic for number in wish.tickets if (topic := await self._remove_topic(number))]
        known = await self._messages(wish)
        stands += await self._take_off(known)
        await self.left()
        stands += await self._take_off(await self._messages(wish) - known)  # what was on its way there
        await self._ask_for(stands, wish)
        await self.forgetting.fulfilled(wish)
        await self.mailbox.forget(wish.chat_id)
        await self.forgetting.scrub()

    async def _remove_topic(self, number: int) -> tuple[int, int] | None:
        """Removes a ticket's topic with all that stands in it; (chat, topic) where it only lost its name."""
        topic = await TopicRows(self.forgetting.store).of(number)
        if topic is None:
            return None
        bot, name = self.post.bot, self.screens.words.plain("staff.topic_erased", number=number)
        if await self._done(lambda: bot.delete_forum_topic(topic.chat_id, topic.thread_id)):
            return None
        there = await self._done(lambda: bot.edit_forum_topic(topic.chat_id, topic.thread_id, name=name))
        return (topic.chat_id, topic.thread_id) if there else None  # Telegram's own lines in it tell the old name

    async def _messages(self, wish: Wish) -> set[tuple[int, int]]:
        """(chat, message) of all that is known to stand in other chats than the person's own."""
        found = {place for number in wish.tickets for place in await self.forgetting.messages(number)}
        return {place for place in found if place[0] != wish.chat_id}

    async def _take_off(self, places: set[tuple[int, int]]) -> list[tuple[int, int]]:
        """Message by message, in the order they were written; those that stand there still."""
        return [place for place in sorted(places) if not await self._taken_off(*place)]

    async def _taken_off(self, chat_id: int, message_id: int) -> bool:
        bot, words = self.post.bot, self.screens.words.plain("staff.erased")
        if await self._done(lambda: bot.delete_message(chat_id, message_id)):
            return True
        if await self._done(lambda: bot.edit_message_text(words, chat_id, message_id)):  # older than 48 hours
            return True
        # A picture or file stays behind its new caption; what others wrote stays as it is.
        await self._done(lambda: bot.edit_message_caption(chat_id, message_id, caption=words))
        return False

    async def _done(self, deed: Callable[[], Coroutine[Any, Any, object]]) -> bool:
        """Whether Telegram did it, however long the network is away; False: it said no."""
        while True:
            try:
                await deed()
            except TelegramError as error:
                if fate(error) is Fate.REFUSED:
                    return False
                log.warning("what is to be forgotten stands in the staff chat still: %s", type(error).__name__)
            else:
                return True
            await asyncio.sleep(self.again_s)

    async def _ask_for(self, stands: Collection[tuple[int, int]], wish: Wish) -> None:
        """What the bot may not delete, people can: an administrator of the group any message of any age."""
        if not stands:
            return
        chat_id = next(iter(stands))[0]
        words = self.screens.words
        numbers = ", ".join(f"№{number}" for number in wish.tickets)
        lines = [words.html("staff.left", numbers=numbers, count=len(stands))]
        lines += [Markup.escape(link) for place in [*stands][:LINKS_MAX] if (link := _link(*place))]
        with contextlib.suppress(TelegramError):
            if await self.post.send(chat_id, Screen(Markup("\n").join(lines)), "left") is not None:
                return
        log.error("of tickets %s there stand messages still in chat %d: %d", numbers, chat_id, len(stands))


def _link(chat_id: int, message_id: int) -> str:
    """Leads to a message of a supergroup, whose ids begin with -100 (Bot API); '' elsewhere, where none does."""
    inside = str(chat_id).removeprefix("-100")
    return f"https://t.me/c/{inside}/{message_id}" if inside != str(chat_id) else ""
