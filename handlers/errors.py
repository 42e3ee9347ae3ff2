"""What happens when something unexpected breaks: it is logged once, the person is told, the staff hear of it."""

from __future__ import annotations

import logging

from telegram import Update
from telegram.constants import ChatType
from telegram.error import NetworkError, TelegramError
from telegram.ext import ContextTypes

from bot.redact import redact
from handlers.reply import Screens
from handlers.staff import Staff

log = logging.getLogger(__name__)


class Errors:
    """PTB's error handler."""

    def __init__(self, screens: Screens, staff: Staff) -> None:
        self.screens = screens
        self.staff = staff

    async def handle(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        """`update` is None for errors of polling and of jobs."""
        error = context.error
        log.error("a handler failed: %s", redact(repr(error)), exc_info=error)
        if isinstance(error, NetworkError):
            return  # the network is the courier's business, and telling about it would need it
        if isinstance(update, Update) and update.effective_chat and update.effective_chat.type == ChatType.PRIVATE:
            text = self.screens.words.html("error.unexpected")
            try:
                await context.bot.send_message(update.effective_chat.id, text, parse_mode="HTML")
            except TelegramError:
                log.exception("the person could not be told")
        await self.staff.alert("staff.trouble", error=type(error).__name__)
