"""Where a chat is now, and whether its door is open: groups move, people block, groups throw the bot out."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from bot.mailbox import Mailbox
from handlers.journey import journey
from handlers.notices import Notices

log = logging.getLogger(__name__)


class Addresses:
    """What is remembered of chats, in memory and in the mailbox; changes are told to the notices."""

    def __init__(self, mailbox: Mailbox, notices: Notices) -> None:
        self.mailbox = mailbox
        self.notices = notices
        self._moved: dict[int, int] = {}
        self._closed: dict[int, str] = {}
        self._telling: set[asyncio.Task[None]] = set()

    async def load(self) -> dict[int, float]:
        """Reads all; the pauses that are not over: chat id (0: everybody) -> seconds left."""
        known = await self.mailbox.chats()
        self._moved, self._closed = known.moved, known.closed
        now = time.time()
        return {chat_id: until - now for chat_id, until in known.paused.items() if until > now}

    def where(self, chat_id: int) -> int:
        """The id a chat has now."""
        return self._moved.get(chat_id, chat_id)

    def why_closed(self, chat_id: int) -> str | None:
        """Telegram's words when nothing can be sent there; None: it can."""
        return self._closed.get(self.where(chat_id))

    def moved(self, old_id: int, new_id: int) -> None:
        """A group became a supergroup."""
        if self._moved.get(old_id) != new_id:
            self._moved[old_id] = new_id
            self.mailbox.moved(old_id, new_id)
            self.tell(lambda notices: notices.migrated(old_id, new_id), f"moved:{old_id}")

    def closed(self, chat_id: int, why: str) -> None:
        """A person blocked the bot or a group threw it out."""
        if chat_id not in self._closed:
            self._closed[chat_id] = why
            self.mailbox.closed(chat_id, why)
            self.tell(lambda notices: notices.closed(chat_id, why), f"closed:{chat_id}:{time.time():.0f}")

    def reopened(self, chat_id: int) -> None:
        """Somebody there wrote again."""
        if self._closed.pop(chat_id, None) is not None:
            self.mailbox.reopened(chat_id)

    def tell(self, notice: Callable[[Notices], Awaitable[None]], source: str) -> None:
        """Gives a notice in a task and a journey of its own."""

        async def telling() -> None:
            with journey(source):
                try:
                    await notice(self.notices)
                except Exception:
                    log.exception("a notice failed")

        task = asyncio.get_running_loop().create_task(telling(), name=source)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def told(self) -> None:
        """Waits for the notices on their way."""
        await asyncio.gather(*self._telling, return_exceptions=True)
