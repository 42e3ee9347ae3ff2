"""A wish to be forgotten, carried out to the end: rows, files, then what stands in the staff chat. A crash delays it.

Of Telegram's own copies the bot reaches its messages of the last 48 hours and whole topics (Bot API, deleteMessage);
older ones it can still rewrite.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from telegram.error import TelegramError

from bot.forgetting import Forgetting, Wish
from bot.mailbox import Mailbox
from bot.topics import TopicRows
from handlers.people import Spawn
from handlers.post import Post
from handlers.reply import Screens


@dataclass(slots=True)
class Erasing:
    """`begin` a wish; `resume` those that a crash interrupted."""

    forgetting: Forgetting
    mailbox: Mailbox
    post: Post
    screens: Screens
    spawn: Spawn
    left: Callable[[], Awaitable[None]]  # returns when what waited for the staff chat's pace has left
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
        await self.forgetting.erase(wish)
        await self.mailbox.forget(wish.chat_id, except_source=wish.source)
        await self.forgetting.scrub()
        await self.post.send(wish.chat_id, self.screens.say("mine.erased"), "erased")
        await self.mailbox.flush()  # that it was said outlives a crash during what follows
        for number in wish.tickets:
            await self._remove_topic(number)
        known = await self._messages(wish)
        await self._take_off(known)
        await self.left()
        await self._take_off(await self._messages(wish) - known)  # what was on its way there
        await self.forgetting.fulfilled(wish)
        await self.mailbox.forget(wish.chat_id)
        await self.forgetting.scrub()

    async def _remove_topic(self, number: int) -> None:
        """Removes a ticket's topic with all that stands in it."""
        rows = TopicRows(self.forgetting.store)
        topic = await rows.of(number)
        if topic is not None:
            try:
                await self.post.bot.delete_forum_topic(topic.chat_id, topic.thread_id)
            except TelegramError:  # no right to, or gone: then at least its name
                name = self.screens.words.plain("staff.topic_erased", number=number)
                with contextlib.suppress(TelegramError):
                    await self.post.bot.edit_forum_topic(topic.chat_id, topic.thread_id, name=name)

    async def _messages(self, wish: Wish) -> set[tuple[int, int]]:
        """(chat, message) of all that is known to stand in other chats than the person's own."""
        found = {place for number in wish.tickets for place in await self.forgetting.messages(number)}
        return {place for place in found if place[0] != wish.chat_id}

    async def _take_off(self, places: set[tuple[int, int]]) -> None:
        """Message by message, in the order they were written."""
        for chat_id, message_id in sorted(places):
            await self._take_one_off(chat_id, message_id)

    async def _take_one_off(self, chat_id: int, message_id: int) -> None:
        bot, words = self.post.bot, self.screens.words.plain("staff.erased")
        with contextlib.suppress(TelegramError):
            await bot.delete_message(chat_id, message_id)
            return
        with contextlib.suppress(TelegramError):  # older than 48 hours
            await bot.edit_message_text(words, chat_id, message_id)
            return
        with contextlib.suppress(TelegramError):  # a picture or file, or somebody was faster
            await bot.edit_message_caption(chat_id, message_id, caption=words)
