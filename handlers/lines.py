"""The connections to Telegram: one for fetching, and for sending as many single ones as are needed at once.

The HTTP library looks at every connection of its pool at every call; sixteen idle ones in one pool halve what a bot
can send. So each line is a pool of one, and the line used last is used first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import httpx
from telegram.request import BaseRequest, HTTPXRequest, RequestData

MOST_LINES = 20
# At an answer that is no JSON this logger prints it whole, people's words included; the error itself is raised.
logging.getLogger("telegram.request.BaseRequest").setLevel(logging.CRITICAL)


class Lines(BaseRequest):
    """A BaseRequest over up to `most` others, made by `build` when there is need. Who finds none waits."""

    def __init__(self, build: Callable[[], BaseRequest], most: int = MOST_LINES) -> None:
        self._build = build
        self._free = asyncio.Semaphore(most)
        self._all = [build()]
        self._idle = list(self._all)

    @property
    def read_timeout(self) -> float | None:
        """Seconds; that of every line."""
        return self._all[0].read_timeout

    async def initialize(self) -> None:
        """Opens the lines there are."""
        for line in self._all:
            await line.initialize()

    async def shutdown(self) -> None:
        """Closes them."""
        for line in self._all:
            await line.shutdown()

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *timeouts: Any, **named: Any
    ) -> tuple[int, bytes]:
        """One call over one line; HTTP status and body."""
        async with self._free:
            line = self._idle.pop() if self._idle else await self._another()
            try:
                return await line.do_request(url, method, request_data, *timeouts, **named)
            finally:
                self._idle.append(line)

    async def _another(self) -> BaseRequest:
        line = self._build()
        self._all.append(line)
        await line.initialize()
        return line


def requests() -> tuple[BaseRequest, BaseRequest]:
    """`.get_updates_request(…)` and `.request(…)` of the ApplicationBuilder."""

    # One set of certificates for all: loading them takes 25 ms. Kept open between two messages of a conversation.
    kept = {
        "verify": httpx.create_ssl_context(),
        "limits": httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=30),
    }

    def line() -> BaseRequest:
        return HTTPXRequest(1, read_timeout=20, connect_timeout=10, pool_timeout=10, httpx_kwargs=kept)

    return line(), Lines(line)
