"""The tickets as they hang in the staff chat: a card each, in a topic each where the group is a forum.

The group's pace is slow (20 calls a minute, edits included), so nobody waits for a card: a change marks the ticket,
and the card is drawn when its turn comes, once for all changes until then. Cards leave a part of the pace to what
people say.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from telegram.error import BadRequest, NetworkError, TelegramError
from telegram.ext import ExtBot

from bot.tickets import Tickets
from handlers.actions import ENDED, Place
from handlers.card import Cards
from handlers.journey import journey, within
from handlers.mending import not_there
from handlers.pace import Limits, Pace
from handlers.pace import Place as Turn
from handlers.people import Spawn
from handlers.topics import Topics, topic_gone

log = logging.getLogger(__name__)
T = TypeVar("T")
CARDS_SHARE = 0.8  # of the group's pace; the rest is for answers to staff and what users say
AGAIN_S = 30.0  # after so long what the network swallowed is tried again


def cards_pace(limits: Limits) -> Pace:
    """The cards' own share of the pace of a group."""
    return Pace(replace(limits, group_calls=max(1, int(limits.group_calls * CARDS_SHARE))))


@dataclass(slots=True)
class Board:
    """`changed` is all that others need; `place` and `deliver` are for what is said about a ticket."""

    tickets: Tickets
    cards: Cards
    bot: ExtBot[Any]
    topics: Topics
    chat_id: Callable[[], int | None]
    spawn: Spawn
    pace: Pace
    unwritable: Callable[[TelegramError], Awaitable[None]]  # the staff chat takes no cards
    menus: dict[int, str] = field(default_factory=dict)  # ticket -> the menu that is open on its card
    again_s: float = AGAIN_S
    _shown: dict[int, int] = field(default_factory=dict)  # ticket -> a digest of what its card shows, where it is known
    _marked: set[int] = field(default_factory=set)  # to be drawn by a task that has not looked at the ticket yet
    _locks: WeakValueDictionary[int, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    def changed(self, number: int) -> None:
        """The ticket's card, posted or not yet, is to show what is true."""
        chat_id = self.chat_id()
        if chat_id is not None and number not in self._marked:
            self._marked.add(number)
            self.spawn(_source(number), self._refresh(number), chat_id)

    def open_menu(self, number: int, menu: str | None) -> None:
        """Somebody hangs these buttons under the card (None: the first ones); it keeps them when it is drawn."""
        self._shown.pop(number, None)
        if menu is None:
            self.menus.pop(number, None)
        else:
            self.menus[number] = menu

    async def place(self, number: int) -> Place | None:
        """Where the ticket lives, made when it is missing; None when the staff chat cannot be written to."""
        async with self._alone(number):
            return await self._or_none(number, self._placed)

    async def deliver(self, number: int, send: Callable[[Place], Awaitable[T]]) -> T | None:
        """Says something where the ticket lives; a topic that was deleted is made again, and it is said there.

        None when the staff chat cannot be written to. Raises what `send` raises for other reasons.
        """
        place = await self.place(number)
        if place is None:
            return None
        try:
            return await send(place)
        except BadRequest as error:
            if place.thread_id is None or not topic_gone(error):
                raise
        async with self._alone(number):
            moved = await self._or_none(number, lambda _: self._moved(number, place))
        return None if moved is None else await send(moved)

    async def _or_none(self, number: int, made: Callable[[int], Awaitable[Place | None]]) -> Place | None:
        try:
            return await made(number)
        except TelegramError as error:
            log.error("the staff chat does not take ticket %d: %s", number, error)
            return None

    async def _refresh(self, number: int) -> None:
        """Shows what is true, however long the network is away."""
        while True:
            try:
                with journey(_source(number)):  # of its own: what was given up before is taken up again
                    async with self._alone(number):
                        await self._show(number)
                return
            except TelegramError as error:
                log.error("ticket %d is not shown to the staff: %s", number, error)
                self._marked.discard(number)
                # To the library a BadRequest is a NetworkError, too.
                if isinstance(error, BadRequest):
                    await self.unwritable(error)
                    return
                if not isinstance(error, NetworkError):
                    return
            except Exception:
                self._marked.discard(number)
                raise
            await asyncio.sleep(self.again_s)
            self._marked.add(number)

    async def _show(self, number: int) -> None:
        place = await self._placed(number)
        if place is None:
            self._marked.discard(number)
        elif number in self._marked:  # else it was posted just now, and shows all
            await self._draw(number, place)

    async def _placed(self, number: int) -> Place | None:
        """Where the ticket lives, made when it is missing. Raises TelegramError."""
        chat_id, ticket = self.chat_id(), await self.tickets.get(number)
        if chat_id is None or ticket is None or ticket.emptied:
            return None
        known = await self.tickets.post(number, "card")
        if known is not None and known[0] == chat_id:
            return Place(chat_id, await self.topics.known(number, chat_id), known[1])
        thread_id = await self.topics.thread(ticket, chat_id)
        return await self._post(number, Place(chat_id, thread_id, None), known[1] if known else None)

    async def _draw(self, number: int, place: Place) -> None:
        """Edits the card when its turn has come; one that is gone is posted again, unless the ticket has ended."""
        async with self._turn(place.chat_id) as turn:
            self._marked.discard(number)
            ticket = await self.tickets.get(number)
            if ticket is None or ticket.emptied or place.card_id is None:
                return
            screen = self.cards.card(ticket, self.menus.get(number), in_topic=place.thread_id is not None)
            if self._shown.get(number) == hash(screen):  # a note, an answer: nothing that the card tells
                turn.unused = True
                return
            self._shown.pop(number, None)
            try:
                await self.bot.edit_message_text(
                    screen.html, place.chat_id, place.card_id, parse_mode="HTML", reply_markup=screen.keyboard
                )
                gone = False
            except BadRequest as error:
                gone = not_there(error)
                if not gone:
                    raise
        if not gone:
            if ticket.status not in ENDED:
                self._shown[number] = hash(screen)
            await self.topics.follow(ticket, self._turn)
        elif ticket.status not in ENDED:
            await self._post(number, place, place.card_id)

    async def _post(self, number: int, place: Place, instead_of: int | None) -> Place | None:
        """Posts the card when its turn has come; `instead_of`: the message that was it before."""
        step = "card" if instead_of is None else f"card instead of {instead_of}"
        try:
            async with self._turn(place.chat_id):
                self._marked.discard(number)
                ticket = await self.tickets.get(number)
                if ticket is None or ticket.emptied:
                    return None
                screen = self.cards.card(ticket, in_topic=place.thread_id is not None)
                message = await self.bot.send_message(
                    place.chat_id,
                    screen.html,
                    parse_mode="HTML",
                    reply_markup=screen.keyboard,
                    message_thread_id=place.thread_id,
                    rate_limit_args=step,
                )
        except BadRequest as error:
            if place.thread_id is None or not topic_gone(error):
                raise
            return await self._moved(number, replace(place, card_id=instead_of))
        await self.tickets.posted(number, message.chat_id, message.message_id, "card")
        if message.text and ticket.status not in ENDED:  # one of before a crash tells no words, and may show less
            self._shown[number] = hash(screen)
        await self.topics.follow(ticket, self._turn)
        return Place(message.chat_id, place.thread_id, message.message_id)

    async def _moved(self, number: int, place: Place) -> Place | None:
        """The topic was deleted: a new one with the card. Raises TelegramError."""
        ticket = await self.tickets.get(number)
        if ticket is None or place.thread_id is None:
            return None
        if not await self.topics.lost(number, place.thread_id):
            return await self._placed(number)  # somebody else found it out, too
        thread_id = await self.topics.thread(ticket, place.chat_id, instead_of=place.thread_id)
        return await self._post(number, Place(place.chat_id, thread_id, None), place.card_id)

    @asynccontextmanager
    async def _alone(self, number: int) -> AsyncIterator[None]:
        """One at a time at a ticket's place; what is sent is journalled as the card's."""
        async with self._locks.setdefault(number, asyncio.Lock()):
            with within(_source(number)):
                yield

    @asynccontextmanager
    async def _turn(self, chat_id: int) -> AsyncIterator[Turn]:
        """The cards' turn in the pace of the group."""
        async with self.pace.turn(chat_id), self.pace.departure(chat_id) as turn:
            yield turn


def _source(number: int) -> str:
    return f"card:{number}"
