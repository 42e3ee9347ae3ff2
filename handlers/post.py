"""Sends and edits screens: the calls every room of this folder makes of the Bot API."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

from telegram import Message
from telegram.error import Forbidden, TelegramError
from telegram.ext import ExtBot

from handlers.courier import PROGRESS
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

    def edit(self, message: Message, screen: Screen, *, last: bool = False) -> None:
        """Edits when its turn comes; nobody waits for it, answers go first unless it is the last of its message."""
        step = None if last else PROGRESS

        async def edit() -> None:
            with contextlib.suppress(TelegramError):  # a progress line not seen
                await self.bot.edit_message_text(
                    screen.html,
                    message.chat_id,
                    message.message_id,
                    parse_mode="HTML",
                    reply_markup=screen.keyboard,
                    rate_limit_args=step,
                )

        task = asyncio.create_task(edit())
        self._edits.add(task)
        task.add_done_callback(self._edits.discard)
