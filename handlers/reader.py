"""One letter is opened: parsed, handled by the Application inside its journey, and what became of it is noted."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from telegram import Update
from telegram.ext import Application

from bot.mailbox import Letter, Mailbox
from handlers.addresses import Addresses
from handlers.envelope import membership_of, new_id_of, sent_at
from handlers.journey import Journey, current, journey

log = logging.getLogger(__name__)
MOST_TRIES = 12  # processes that died over one update
SUSPECT_TRIES = 5  # from here it waits before it is touched again, each time twice as long
MOST_LOST_TRIES = 2  # times an update is handled again because Telegram's answers got lost
LONGEST_RETRY_S = 86400.0  # as long as Telegram itself keeps an update
AWAY_AFTER_S = 300.0
GONE = ("kicked", "left")


def quarantine_s(tries: int) -> float:
    """How long an update that may have killed its readers waits after a start, so that others are served first.

    Most are bystanders of somebody else's crash: none is given up before it has had its turn almost alone.
    """
    return 5.0 * 2.0 ** (tries - SUSPECT_TRIES) if SUSPECT_TRIES <= tries < MOST_TRIES else 0.0


class Reader:
    """`read(letter)` gives None when it is done for good, else the seconds until it is to be tried again."""

    def __init__(
        self,
        mailbox: Mailbox,
        application: Application[Any, Any, Any, Any, Any, Any],
        chats: Addresses,
        redact: Callable[[str], str],
    ) -> None:
        self.mailbox = mailbox
        self.application = application
        self.chats = chats
        self._redact = redact
        self._greeted: set[int] = set()  # chats told that the bot was away
        self._retries: dict[int, int] = {}
        application.add_error_handler(self._note_error)

    async def read(self, letter: Letter) -> float | None:
        """Raises nothing but CancelledError; a cancelled letter stays for the next start."""
        self.mailbox.begin(letter.update_id)
        try:
            return await self._read(letter)
        except Exception as error:
            log.exception("update %d could not be handled", letter.update_id)
            self._finish(letter, self._words(error))
            return None
        except BaseException:
            self.mailbox.postpone(letter.update_id)
            raise

    async def _read(self, letter: Letter) -> float | None:
        raw: Any = None
        try:
            raw = json.loads(letter.body or await self.mailbox.body_of(letter.update_id) or "null")
            if letter.tries >= MOST_TRIES:
                raise RuntimeError(f"the process died {letter.tries} times over it")
            self._note_chat(letter.chat_id, raw)
            if not isinstance(raw, dict):
                raise TypeError("not an object")
            update = Update.de_json(raw, self.application.bot)
        except Exception as error:
            self._set_aside(letter, raw, error)
            return None
        await self._greet(letter, sent_at(raw, letter.received_at))
        with journey(f"update:{letter.update_id}") as made:
            made.retried = True
            await self.application.process_update(update)
        return self._outcome(letter, made)

    def _outcome(self, letter: Letter, made: Journey) -> float | None:
        if made.unfinished and self.mailbox.now() - letter.received_at < LONGEST_RETRY_S:
            retries = self._retries[letter.update_id] = self._retries.get(letter.update_id, 0) + 1
            if made.unfinished == "not_sent" or retries < MOST_LOST_TRIES:
                delay_s = min(600.0, 15.0 * 2.0 ** min(retries, 10))
                self.mailbox.postpone(letter.update_id, self.mailbox.now() + delay_s)
                return delay_s
        self._finish(letter, made.error)
        return None

    def _finish(self, letter: Letter, error: str | None) -> None:
        self._retries.pop(letter.update_id, None)
        self.mailbox.finish(letter.update_id, error)

    def _set_aside(self, letter: Letter, raw: Any, error: Exception) -> None:
        words = self._words(error)
        log.error("update %d is set aside: %s", letter.update_id, words)
        self._finish(letter, words)
        update_id, chat_id = letter.update_id, letter.chat_id
        self.chats.tell(lambda notices: notices.set_aside(update_id, chat_id, raw, words), f"aside:{update_id}")

    def _note_chat(self, chat_id: int, raw: Any) -> None:
        """Doors open when somebody writes, close when the bot is thrown out; groups move."""
        status, new_id = membership_of(raw), new_id_of(raw)
        if new_id is not None:
            self.chats.moved(chat_id, new_id)
        elif status in GONE:
            self.chats.closed(chat_id, f"the bot's status there is now '{status}'")
        else:
            self.chats.reopened(chat_id)

    async def _greet(self, letter: Letter, since: float) -> None:
        """Says once a chat that what comes now answers something old."""
        if self.mailbox.now() - since < AWAY_AFTER_S or letter.chat_id in self._greeted:
            return
        if len(self._greeted) > 10_000:
            self._greeted.clear()
        self._greeted.add(letter.chat_id)
        with journey(f"away:{letter.update_id}"):
            try:
                await self.chats.notices.away(letter.chat_id, since)
            except Exception:
                log.exception("a notice failed")

    async def _note_error(self, _: object, context: Any) -> None:
        if (made := current()) is not None:
            made.error = self._words(context.error)

    def _words(self, error: BaseException) -> str:
        text = f"{type(error).__name__}: {error}".replace(self.application.bot.token, "<token>")
        return self._redact(text)[:500]
