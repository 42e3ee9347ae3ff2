"""Who are the staff, and may this person act? Only people of STAFF_IDS, and only in STAFF_CHAT_ID."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from telegram import Update, User
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.standing import Member
from handlers.people import name_of

log = logging.getLogger(__name__)
ANONYMOUS_ADMIN = 1087968824
# Telegram's stand-ins for 'somebody': never staff, whatever the list says (Bot API).
NOBODY = frozenset({ANONYMOUS_ADMIN, 777000, 136817688})


@dataclass(slots=True)
class Roster:
    """The staff by id, name and user name."""

    bot: ExtBot[Any]
    ids: frozenset[int]
    chat_id: Callable[[], int | None]
    _known: dict[int, User] = field(default_factory=dict)

    def may(self, update: Update) -> bool:
        """Whether this person may act here; a refusal is logged."""
        user, chat = update.effective_user, update.effective_chat
        if user is None or chat is None:
            return False
        if chat.id == self.chat_id() and user.id in self.ids - NOBODY:
            self._known[user.id] = user
            return True
        log.warning("refused: user %d in chat %d: %s", user.id, chat.id, _what(update))
        return False

    async def named(self, said: str) -> Member | None:
        """The one called '@user_name', by id or by name; None: nobody, or several."""
        wanted = said.strip().casefold()
        found = [user for user in await self._all() if wanted in _called(user)]
        return Member(name_of(found[0]), found[0].id) if len(found) == 1 else None

    async def _all(self) -> list[User]:
        chat_id = self.chat_id()
        for user_id in sorted(self.ids - NOBODY - self._known.keys()):
            if chat_id is None:
                break
            try:
                self._known[user_id] = (await self.bot.get_chat_member(chat_id, user_id)).user
            except TelegramError as error:  # not in the group: asked again the next time
                log.info("staff member %d is not known there: %s", user_id, error)
        return list(self._known.values())


def _called(user: User) -> set[str]:
    names = {str(user.id), name_of(user).casefold(), user.first_name.casefold()}
    return names | {f"@{user.username}".casefold()} if user.username else names


def _what(update: Update) -> str:
    """What was tried, without what was said: a command's name or a button's data."""
    if update.callback_query is not None:
        return f"button {(update.callback_query.data or '')[:64]!r}"
    text = (update.effective_message and update.effective_message.text) or ""
    return f"command {text.split()[0][:32]!r}" if text.startswith("/") else "a message"
