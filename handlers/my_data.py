"""A person's own data in their own hands: /my_data gives it, /forget_me erases it after one question."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from markupsafe import Markup
from telegram import InlineKeyboardButton, InputFile, Update
from telegram.error import Forbidden, TelegramError
from telegram.ext import ContextTypes

from bot.barred import Barred
from bot.own_log import OwnLog
from handlers.erasing import Erasing
from handlers.people import Person, person_of
from handlers.post import Post
from handlers.reply import Screen, Screens

Context = ContextTypes.DEFAULT_TYPE
FILE_NAME = "yordam-malumotlarim.json"
GIVEN_EVERY = timedelta(minutes=10)
ASKED_FOR_S = 3600  # so long a 'yes' is an answer to the question above it
COMMANDS = ("/my_data", "/forget_me")
PATTERN = r"^mine:(?:forget:\d{1,12}|keep)$"


def about_own_data(update: Update) -> bool:
    """Whether somebody asks for their own data, or answers the question whether to erase it."""
    message, query = update.effective_message, update.callback_query
    if query is not None:
        return (query.data or "").startswith("mine:")
    words = (message.text or "").split() if message is not None else []
    return bool(words) and words[0].partition("@")[0].lower() in COMMANDS


@dataclass(slots=True)
class MyData:
    """Two commands of a private chat, and the answer to the question of the second."""

    own_log: OwnLog
    barred: Barred
    erasing: Erasing
    post: Post
    screens: Screens

    async def my_data(self, update: Update, context: Context) -> None:
        """/my_data: everything that is kept of the person, as one file."""
        person = person_of(update)
        if person is None:
            return
        given_at = await self.own_log.given_at(person.user_id)
        wait = given_at + GIVEN_EVERY - datetime.now(UTC) if given_at else timedelta(0)
        if wait > timedelta(0):
            await self._say(person, "mine.wait", minutes=round(wait.total_seconds() / 60) or 1)
            return
        held = await self.own_log.of(person.user_id)
        if held is None:
            await self._say(person, "mine.nothing")
            return
        await self._give(person, held)
        await self.own_log.given(person.user_id)

    async def _give(self, person: Person, held: dict[str, Any]) -> None:
        words = self.screens.words
        about = words.plain("mine.about")
        text = json.dumps({"about": about, "made_at": _now(), **held}, ensure_ascii=False, indent=2)
        caption = words.html("mine.caption", count=len(held["tickets"]))
        with contextlib.suppress(Forbidden):
            await self.post.bot.send_document(
                person.chat_id,
                InputFile(text.encode(), filename=FILE_NAME),
                caption=caption,
                parse_mode="HTML",
                rate_limit_args="my_data",
            )

    async def forget_me(self, update: Update, context: Context) -> None:
        """/forget_me: what will be erased, what cannot be reached, and two buttons."""
        person = person_of(update)
        if person is None:
            return
        words = self.screens.words
        buttons = [
            [InlineKeyboardButton(words.plain("button.forget"), callback_data=f"mine:forget:{time.time():.0f}")],
            [InlineKeyboardButton(words.plain("button.keep"), callback_data="mine:keep")],
        ]
        bar = await self.barred.of(person.user_id, datetime.now(UTC))
        screen = self.screens.say("mine.ask", buttons=buttons)
        if bar.banned_at or bar.muted_until:
            screen = Screen(Markup("\n").join([screen.html, words.html("mine.barred")]), screen.keyboard)
        await self.post.send(person.chat_id, screen)

    async def press(self, update: Update, context: Context) -> None:
        """The answer: done once, and only while the question is fresh."""
        query, person = update.callback_query, person_of(update)
        if query is None or person is None or person.user_id != person.chat_id:  # the question is asked in private only
            return
        with contextlib.suppress(TelegramError):
            await query.answer()
        _, answer, *asked_at = (query.data or "").split(":")
        if answer == "keep":
            await self._replace(update, person, "mine.kept")
        elif time.time() - int(asked_at[0]) > ASKED_FOR_S:
            await self._replace(update, person, "mine.too_late")
        else:
            await self._replace(update, person, "mine.erasing")
            await self.erasing.begin(person.user_id, person.chat_id)

    async def _replace(self, update: Update, person: Person, key: str) -> None:
        """The question becomes the answer, so that no button of it is left."""
        query, screen = update.callback_query, self.screens.say(key)
        try:
            if query is not None:
                await query.edit_message_text(screen.html, parse_mode="HTML")
        except (TelegramError, TypeError):  # gone, or too old for Telegram to hand out
            await self.post.send(person.chat_id, screen)

    async def _say(self, person: Person, key: str, **values: Any) -> None:
        await self.post.send(person.chat_id, self.screens.say(key, **values))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
