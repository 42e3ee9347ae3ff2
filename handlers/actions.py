"""What staff do to a ticket, whichever door they came through: a button, a command, the review page.

A deed is an event under a source of its own, so one made again after a crash is written once; what it tells the
user is journalled under the same source and leaves once. All raise LookupError for a number nobody gave out.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakValueDictionary

from telegram import Message
from telegram.error import BadRequest

from bot.casefile import fold
from bot.diagnose import user_address
from bot.model import EventKind, Kind, Status, Ticket
from bot.patience import can_reopen
from bot.standing import PRIORITIES, Member, standing
from handlers.desk import ALL_CHECKS, Desk
from handlers.journey import within
from handlers.people import Spawn
from handlers.reply import Screen

CLOSE_REASONS = ("solved", "staff", "no_answer", "stale", "incident")
UNANSWERED = ("no_answer", "stale")  # nobody was helped yet: there is nothing to rate
BY_HAND = CLOSE_REASONS[:3]  # the others are the bot's own
ENDED = (Status.SOLVED, Status.CLOSED)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ticket lives in the staff chat."""

    chat_id: int
    thread_id: int | None  # its topic; None in a group without topics
    card_id: int | None  # its card's message


@dataclass(frozen=True, slots=True)
class Actions:
    """The deeds. `by` is the staff member's name as shown to staff, `source` names the deed's cause."""

    desk: Desk
    spawn: Spawn
    _locks: WeakValueDictionary[int, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    async def take(
        self, number: int, by: str, *, by_id: int | None = None, to: Member | None = None, source: str
    ) -> Member:
        """Who has the ticket now: `to`, else whoever came first."""
        async with self._locks.setdefault(number, asyncio.Lock()):
            holder = standing(await self.desk.fresh(number)).holder
            if to is None and holder is not None:
                return holder
            holder = to or Member(by, by_id)
            body = {"by": by, **({"to": to.name} if to else {}), "holder_id": holder.id}
            await self._append(number, EventKind.TAKEN, body, source)
        return holder

    async def close(self, number: int, reason: str, by: str, *, source: str, words: str = "") -> bool:
        """Ends a ticket and tells the user why, in `words` when there are some; False: it was closed already.

        Raises ValueError for a reason that is none of CLOSE_REASONS.
        """
        if reason not in CLOSE_REASONS:
            raise ValueError(f"no such reason: {reason}")
        async with self._locks.setdefault(number, asyncio.Lock()):
            ticket = await self.desk.fresh(number)
            if ticket.status in ENDED and not await self._made(EventKind.CLOSED, source):
                return False
            body = {"reason": reason, "by": by, **({"text": words} if words else {})}
            await self._append(number, EventKind.CLOSED, body, source)
        key = "closing.because" if words else f"closing.{reason}"
        stars = () if reason in UNANSWERED else self.desk.screens.stars(number)
        screen = self.desk.screens.say(key, buttons=stars, number=number, reason=words)
        await self._tell(ticket, screen, source, "closed")
        return True

    async def reopen(self, number: int, by: str, *, source: str) -> int | None:
        """Opens a ticket again: the user is told and the server is looked at anew. The number under which it goes on.

        After more than a week that is a new one; another of the same person's that is open goes on as it is. None: it
        was not closed, or it was emptied and is nobody's.
        """
        async with self._locks.setdefault(number, asyncio.Lock()):
            ticket, made = await self.desk.fresh(number), await self._made(EventKind.REOPENED, source)
            if ticket.emptied or not (ticket.status in ENDED or made):
                return None
            begun = await self._made(EventKind.LINKED, source)
            other = await self.desk.tickets.current(ticket.chat_id)
            if other is not None and not (made or begun):
                return other.number
            key = "closing.reopened"
            if made or can_reopen(ticket, self.desk.now()):
                await self._append(number, EventKind.REOPENED, {"by": by}, source)
            else:
                key, ticket = "closing.anew", await self._begin_anew(ticket, source)
        await self._tell(ticket, self.desk.screens.say(key, number=ticket.number), source, "reopened")
        self.spawn(f"{source}:again", self.desk.advance(ticket.number), ticket.chat_id)
        return ticket.number

    async def _begin_anew(self, old: Ticket, source: str) -> Ticket:
        """A new ticket of the same person that names the old one."""
        ticket = await self.desk.tickets.open(
            user_id=old.user_id,
            chat_id=old.chat_id,
            name=old.user_name,
            language=old.language,
            source=f"{source}:anew",
        )
        await self._append(ticket.number, EventKind.LINKED, {"ticket": old.number}, source)
        return ticket

    async def note(self, number: int, text: str, by: str, *, source: str) -> None:
        """A word among staff; it never reaches the user."""
        await self.desk.fresh(number)
        await self._append(number, EventKind.NOTE, {"text": text, "by": by}, source)

    async def reply(self, number: int, text: str, by: str, *, source: str) -> bool:
        """A staff member's words to the user; False: the chat takes no messages."""
        ticket = await self.desk.fresh(number)
        await self._append(number, EventKind.STAFF_MESSAGE, {"text": text, "by": by}, source)
        screen = self.desk.screens.say("operator.reply", text=text)
        return await self._tell(ticket, screen, source, "to_user") is not None

    async def ask(self, number: int, kind: Kind, by: str, *, source: str) -> bool:
        """Asks the user for one kind of evidence, as the bot itself would; False: the chat takes no messages."""
        ticket = await self.desk.fresh(number)
        case = fold(ticket)
        question = self.desk.screens.question(number, kind, ui=case.ui_language)
        intro = self.desk.screens.words.html("operator.asks")
        screen = Screen(f"{intro}\n\n{question.html}", question.keyboard)
        message = await self._tell(ticket, screen, source, "ask")
        if message is None:
            return False  # nobody was asked: nobody is to be reminded, or to be closed for his silence
        await self.desk.tickets.posted(number, ticket.chat_id, message.message_id, "question")
        await self._append(number, EventKind.ASKED, {"question": kind.value, "news": case.news, "by": by}, source)
        return True

    async def check_now(self, number: int, by: str, *, source: str) -> None:
        """The server-side checks again, beside the handlers; a verdict that changes is told to the user."""
        ticket = await self.desk.fresh(number)
        self.spawn(f"{source}:check", self._check(ticket, by, source), ticket.chat_id)

    async def _check(self, ticket: Ticket, by: str, source: str) -> None:
        case = fold(ticket)
        address = user_address(case.readings, case.results)
        target = replace(self.desk.target, extension=ticket.extension, user_ip=address)
        results = await self.desk.runner.run(target, only=ALL_CHECKS, fresh=True)
        body = {"results": [result.to_json() for result in results], "extension": ticket.extension, "by": by}
        await self._append(ticket.number, EventKind.CHECKED, body, source)
        await self.desk.advance(ticket.number)

    async def tag(self, number: int, tags: list[str], by: str, *, source: str) -> None:
        """Sets all tags a ticket has from now on."""
        await self.desk.fresh(number)
        await self._append(number, EventKind.TAGGED, {"tags": list(dict.fromkeys(tags)), "by": by}, source)

    async def priority(self, number: int, level: str, by: str, *, source: str) -> None:
        """How urgent it is: low, normal or high. Raises ValueError for another word."""
        if level not in PRIORITIES:
            raise ValueError(f"no such priority: {level}")
        await self.desk.fresh(number)
        await self._append(number, EventKind.PRIORITY, {"level": level, "by": by}, source)

    # --- small change ---

    async def _append(self, number: int, kind: EventKind, body: dict[str, Any], source: str) -> None:
        """One event a deed and source; the card follows."""
        await self.desk.tickets.append(number, kind, body, source=f"{source}:{kind}")
        self.desk.on_change(number)

    async def _made(self, kind: EventKind, source: str) -> bool:
        """Whether this very deed was written before a crash."""
        return await self.desk.tickets.logged(f"{source}:{kind}")

    async def _tell(self, ticket: Ticket, screen: Screen, source: str, step: str) -> Message | None:
        """Says something to the user, once a source; None: the chat takes no messages."""
        with within(source):
            try:
                return await self.desk.post.send(ticket.chat_id, screen, step)
            except BadRequest:  # an account or a chat that is gone
                return None
