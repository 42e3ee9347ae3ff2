"""Fetching updates as raw JSON: an offset confirms what is stored already, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from telegram import Bot
from telegram.error import Conflict, RetryAfter, TelegramError

from handlers.addresses import Addresses
from handlers.envelope import ALLOWED_UPDATES
from handlers.liveness import Pulse, renew
from handlers.mending import seconds_of

log = logging.getLogger(__name__)
CONFLICT_NOTICE_S = 600.0


class Poller:
    """`accept(batch)` stores updates and gives the offset that confirms them.

    Telegram answers an empty poll after `poll_s`; an answer later than `late_s` after that means a dead connection.
    """

    def __init__(
        self,
        bot: Bot,
        pulse: Pulse,
        chats: Addresses,
        accept: Callable[[list[Any]], Awaitable[int]],
        poll_s: int = 10,
        late_s: float = 8.0,
    ) -> None:
        self.bot = bot
        self.pulse = pulse
        self.chats = chats
        self.poll_s = poll_s
        self.late_s = late_s
        self._accept = accept
        self._told_at = float("-inf")

    async def run(self) -> None:
        """Polls for ever; nothing that goes wrong ends it."""
        offset, failures = 0, 0
        while True:
            try:
                batch = await self._fetch(offset)
                self.pulse.heard()
                if batch:
                    offset = await self._accept(batch) or offset
                failures = 0
            except (TelegramError, TimeoutError) as error:
                failures += 1
                await self._failed(error, failures)
            except Exception:
                failures += 1
                log.exception("updates could not be stored: they stay with Telegram")
                await _pause(failures)

    async def _fetch(self, offset: int) -> list[Any]:
        params = {"offset": offset, "timeout": self.poll_s, "allowed_updates": list(ALLOWED_UPDATES)}
        # get_updates would parse before we can store; this spelling is the library's raw way without a warning.
        async with asyncio.timeout(self.poll_s + 2 * self.late_s):
            batch = await self.bot.do_api_request(
                "get_Updates", api_kwargs=params, read_timeout=self.poll_s + self.late_s
            )
        return batch if isinstance(batch, list) else []

    async def _failed(self, error: BaseException, failures: int) -> None:
        log.warning("getUpdates failed (%d in a row): %s", failures, type(error).__name__)
        if isinstance(error, Conflict):
            await self._conflict(str(error))
        if self.pulse.renewal_due():
            log.error("nothing heard for %.0f s: new connections", self.pulse.silent_s)
            await renew(self.bot)
        if isinstance(error, RetryAfter):
            await asyncio.sleep(seconds_of(error))
        await _pause(failures)

    async def _conflict(self, description: str) -> None:
        if "webhook" in description.lower():
            with contextlib.suppress(TelegramError):
                await self.bot.delete_webhook()  # what waits is kept
        if time.monotonic() - self._told_at >= CONFLICT_NOTICE_S:
            self._told_at = time.monotonic()
            self.chats.tell(lambda notices: notices.conflict(description), f"conflict:{time.time():.0f}")


async def _pause(failures: int) -> None:
    await asyncio.sleep(min(15.0, 0.125 * 2 ** min(failures, 8)))
