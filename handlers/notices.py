"""What the delivery rooms tell the rest of the program; each notice does nothing unless overridden."""

from __future__ import annotations

from typing import Any


class Notices:
    """Subclass it and hand it to Courier and Inbox. An exception in a notice is logged and goes no further."""

    async def repeated(self, chat_id: int, source: str, step: str) -> None:
        """A send whose fate was unknown (crash, lost answer) is made again: the person may see it twice."""

    async def set_aside(self, update_id: int, chat_id: int, raw: Any, error: str) -> None:
        """An update that could not be read, or that killed its reader, will not be tried again."""

    async def away(self, chat_id: int, since: float) -> None:
        """The bot is about to answer what has waited since then (unix seconds); told once a chat."""

    async def failed(self, chat_id: int, source: str, error: BaseException) -> None:
        """Work started with Inbox.spawn ended in an unexpected exception."""

    async def conflict(self, description: str) -> None:
        """Another process polls with the same token; told every ten minutes at most."""

    async def migrated(self, old_id: int, new_id: int) -> None:
        """A group became a supergroup; sends to the old id go to the new one from now on."""

    async def closed(self, chat_id: int, why: str) -> None:
        """A person blocked the bot, or a group threw it out; nothing is sent there until somebody writes."""
