"""Sends and edits screens: the calls every room of this folder makes of the Bot API."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

from telegram import Message
from telegram.error import Forbidden, TelegramError
from telegram.ext import ExtBot

from handlers.reply import Screen


@dataclass(slots=True)
class Post:
    """`send` waits for its turn (handlers/courier.py), `edit` does not."""

    bot: ExtBot[Any]
    _edits: set[asyncio.Task[None]] = field(default_factory=set)

    async def send(self, chat_id: int, screen: Screen, step: str | None = None) -> Message | None:
        """Sends a screen; None to a chat that does not take messages: its ticket stays."""
        try:
            return await self.bot.send_message(
                chat_id, screen.html, parse_mode="HTML", reply_markup=screen.keyboard, rate_limit_args=step
            )
        except Forbidden:
            return None

    def edit(self, message: Message, screen: Screen) -> None:
        """Edits when its turn comes; nobody waits for it, and one that fails is a progress line not seen."""

        async def edit() -> None:
            with contextlib.suppress(TelegramError):
                await message.edit_text(screen.html, parse_mode="HTML", reply_markup=screen.keyboard)

        task = asyncio.create_task(edit())
        self._edits.add(task)
        task.add_done_callback(self._edits.discard)
