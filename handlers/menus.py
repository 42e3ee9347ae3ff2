"""Which commands does Telegram offer to whom? Menus by scope and language, and what the bot says about itself."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from telegram import (
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeChatMember,
)
from telegram.error import TelegramError
from telegram.ext import ExtBot

from handlers.staff import Staff
from messages import LANGUAGES, Catalogue, load

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Menus:
    """People see their commands in private, each of the staff the staff's in their group, strangers see none there."""

    bot: ExtBot[Any]
    staff: Staff
    for_users: tuple[str, ...]
    for_staff: tuple[str, ...]
    for_staff_alone: tuple[str, ...]  # in private

    async def announce(self) -> None:
        """Sets all of it; a refusal is logged, the bot works without."""
        own = self.staff.screens.words
        await self._speak(own, None)
        for language in LANGUAGES:
            await self._speak(load(language), language)

    async def _speak(self, words: Catalogue, language: str | None) -> None:
        """In one language; None: for everybody whose language has none of its own."""
        try:
            await self._offer(self.for_users, words, BotCommandScopeAllPrivateChats(), language)
            await self.bot.set_my_description(words.plain("bot.description"), language_code=language)
            await self.bot.set_my_short_description(words.plain("bot.about"), language_code=language)
        except TelegramError as error:
            log.warning("the menus could not be set: %s", error)
        if self.staff.chat_id is None:
            return
        for user_id in sorted(self.staff.roster.ids):
            member = BotCommandScopeChatMember(self.staff.chat_id, user_id)
            for names, scope in ((self.for_staff, member), (self.for_staff_alone, BotCommandScopeChat(user_id))):
                try:
                    await self._offer(names, words, scope, language)
                except TelegramError as error:  # not in the group (yet), or never wrote to the bot
                    log.info("no %s menu for staff member %d: %s", scope.type, user_id, error)

    async def _offer(
        self, names: tuple[str, ...], words: Catalogue, scope: BotCommandScope, language: str | None
    ) -> None:
        commands = [BotCommand(name, words.plain(f"command.{name}")) for name in names]
        await self.bot.set_my_commands(commands, scope=scope, language_code=language)
