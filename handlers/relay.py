"""What people and staff say reaches the other side: once, in order, with its edits and quotes.

What is said is kept in the table `relayed` and carried over at the pace of the other chat, by a task of its own. What
a crash left lying is carried over later; a send made again under the same source leaves once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from weakref import WeakValueDictionary

from markupsafe import Markup
from telegram import Message
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.barred import Barred
from bot.hours import Clock
from bot.model import EventKind, Ticket
from bot.relayed import Fate, Relayed, Row
from bot.store import Store
from handlers.actions import Place
from handlers.carrier import Carrier, Copies, Spot
from handlers.journey import within
from handlers.people import Person
from handlers.receipts import Receipts
from handlers.said import COPIED, Said, file_of, said_of
from handlers.staff import Staff

log = logging.getLogger(__name__)
ALBUM_S = 2.0  # an album has no end mark: what came within this time belongs together
ALBUM_PARTS = 10  # Bot API
PASSED_ON = "operator.passed_on"
REST_OF = "rest of {}"  # the role of the messages that the rest of a copy needed
BACKLOG_MAX = 20  # messages of one ticket that wait for the group's pace


@dataclass(slots=True)
class Relay:
    """Takes what a person says (the staff: handlers/talk.py); `spawn` brings it over, `resume` what was left lying."""

    staff: Staff
    rows: Relayed
    carrier: Carrier
    receipts: Receipts
    barred: Barred
    now: Clock
    coming: Callable[[int, str], Awaitable[bool]]  # whether parts of an album may lie unhandled: handlers/inbox.py
    why_closed: Callable[[int], str | None]  # why a chat takes no messages: handlers/addresses.py
    heard: Callable[[int], object] = lambda _: None  # somebody waits for an answer: handlers/lifecycle.py
    away: Callable[[Ticket], Markup | None] = lambda _: None  # what he is told out of hours: handlers/waits.py
    album_s: float = ALBUM_S
    _locks: WeakValueDictionary[tuple[int, bool], asyncio.Lock] = field(default_factory=WeakValueDictionary)
    _carrying: set[tuple[int, int]] = field(default_factory=set)

    @classmethod
    def over(
        cls,
        store: Store,
        staff: Staff,
        now: Clock,
        coming: Callable[[int, str], Awaitable[bool]],
        why_closed: Callable[[int], str | None],
    ) -> Relay:
        """With its tables in `store`."""
        rows = Relayed(store)
        receipts = Receipts(staff.bot, rows, staff.board.topics.rows, staff.screens.words)
        return cls(staff, rows, Carrier(staff.bot), receipts, Barred(store), now, coming, why_closed)

    # --- from a person ---

    async def from_user(
        self, ticket: Ticket, message: Message, person: Person, instead: Said | None = None
    ) -> Markup | None:
        """Takes what a person says to the staff, or what may be told `instead`; what to answer, None where silence is
        right."""
        key = await self._taken(ticket, message, person, instead)
        if key is None:
            return None
        away = self.away(ticket) if key == PASSED_ON else None
        said = self.staff.screens.words.html(key)
        return said if away is None else Markup("\n\n").join([said, away])

    async def _taken(self, ticket: Ticket, message: Message, person: Person, instead: Said | None) -> str | None:
        said = instead or said_of(message, guarded=True)
        if said is None:
            return "media.other"
        edited = message.edit_date is not None
        if edited and said.kind in COPIED:
            return None  # a place that moves, a poll that is voted on: nothing is said by it
        body = {"text": said.text, "media": said.kind, **({"edited": True} if edited else {})}
        tickets = self.staff.tickets
        await tickets.append(ticket.number, EventKind.USER_MESSAGE, body, source=f"{person.source}:said")
        self.heard(ticket.number)
        if self.staff.chat_id is None:
            return "relay.kept"
        if await self.muted(person.user_id):
            return "relay.muted"
        place = (message.chat_id, message.message_id)
        known = await self.rows.get(*place) if edited else None
        if known is not None:
            await self._change(known, message, said)
            return None
        album = None if instead else message.media_group_id  # a word in a picture's stead is no part of an album
        begun = album is not None and await self.rows.album(place[0], album)  # what has begun to come comes whole
        if not begun and await self.rows.backlog(ticket.number) >= BACKLOG_MAX:
            return "relay.slow_down"
        row = Row(*place, ticket.number, Fate.WAITING, album, file_of(message), said.to_json(), by_id=person.user_id)
        await self.rows.keep(row)
        first = album is None or (await self.rows.album(place[0], album))[0].message_id == row.message_id
        self.spawn(row)
        if not first:
            return None
        return PASSED_ON if self.reachable else "relay.kept"  # until they are back

    async def call(self, ticket: Ticket, message_id: int, person: Person) -> None:
        """He asks for a person: an edited card is silent, so it is said below it. A card to come says it itself.

        `message_id`: of what he wrote; of a press, which is no message, a number that no message has.
        """
        if self.staff.chat_id is None or await self.staff.tickets.post(ticket.number, "card") is None:
            return
        said = Said("text", self.staff.screens.words.plain("relay.waits"))
        row = Row(person.chat_id, message_id, ticket.number, Fate.WAITING, said=said.to_json(), by_id=person.user_id)
        await self.rows.keep(row)
        self.spawn(row)

    async def _change(self, known: Row, message: Message, said: Said) -> None:
        file = file_of(message)
        newest = replace(said, replaced=file != known.file).to_json()
        await self.rows.change(known.chat_id, known.message_id, newest, file)
        self.spawn(known)

    @property
    def reachable(self) -> bool:
        """Whether there is a staff chat, and it takes messages."""
        return self.staff.chat_id is not None and self.why_closed(self.staff.chat_id) is None

    async def muted(self, user_id: int) -> bool:
        """Whether staff do not want to hear this person for now."""
        return (await self.barred.of(user_id, self.now())).muted_until is not None

    async def resume(self) -> None:
        """Brings over what a crash, or a chat that took no messages, left lying."""
        for row in await self.rows.unfinished():
            self.spawn(row)

    def spawn(self, row: Row) -> None:
        """Brings it over in a task of its own."""
        chat_id = self.staff.chat_id
        if chat_id is not None and (row.chat_id, row.message_id) not in self._carrying:
            self._carrying.add((row.chat_id, row.message_id))
            self.staff.spawn(_source(row), self.carry(row), row.chat_id)

    # --- what waits is carried over ---

    async def carry(self, row: Row) -> None:
        """Brings a message over, and then its edits, until nothing of it waits."""
        lock = self._locks.setdefault((row.ticket, by_staff(row)), asyncio.Lock())
        try:
            async with lock:
                with within(_source(row)):
                    await self._until_done(row)
        finally:
            self._carrying.discard((row.chat_id, row.message_id))

    async def _until_done(self, row: Row) -> None:
        now = await self.rows.get(row.chat_id, row.message_id)  # another part of its album may have taken it along
        if now is not None and now.album is not None and now.fate is Fate.WAITING:
            await self._album_is_whole(now.chat_id, now.album)
        while await self._step(row):
            pass

    async def _album_is_whole(self, chat_id: int, album: str) -> None:
        """One part may be a note, which keeps them all here: none leaves while another may be on its way."""
        seen, all_here = 0, False
        while (now := len(await self.rows.album(chat_id, album))) < ALBUM_PARTS and not (all_here and now == seen):
            seen, all_here = now, not await self.coming(chat_id, album)
            await asyncio.sleep(self.album_s)

    async def _step(self, row: Row) -> bool:
        """One send or edit; False when nothing is left to be done now."""
        ticket = await self.staff.tickets.get(row.ticket)
        now = await self.rows.get(row.chat_id, row.message_id)  # the last thing: an edit after it begins anew
        if now is None or now.said is None or ticket is None:
            return False
        with self.staff.writing(ticket.chat_id) if by_staff(row) else contextlib.nullcontext():
            return await self._carried(now, ticket)

    async def _carried(self, now: Row, ticket: Ticket) -> bool:
        try:
            if now.fate is Fate.SENT:
                return await self._edit(now, ticket)
            parts = [now]
            if now.album is not None:
                album = await self.rows.album(now.chat_id, now.album)
                parts = [part for part in album if part.fate is Fate.WAITING and part.said][:ALBUM_PARTS]
            return bool(parts) and await self._send(parts, ticket)  # none: a note, since it was looked at
        except (Forbidden, BadRequest) as error:
            log.warning("a message of ticket %d cannot be carried over: %s", now.ticket, error)
            if by_staff(now):
                await self.receipts.undelivered(now, error)
                return False
            if isinstance(error, Forbidden):
                return False  # the staff chat may be back one day
            await self.rows.settle(now.chat_id, now.message_id, Fate.REFUSED)
            await self.staff.alert("relay.failed", number=now.ticket)
        except TelegramError as error:  # the network: it is tried again once a minute
            log.warning("a message of ticket %d waits: %s", now.ticket, type(error).__name__)
        return False

    async def _send(self, parts: list[Row], ticket: Ticket) -> bool:
        said = [Said.from_json(part.said or "") for part in parts]
        step = f"relay {parts[0].message_id}"

        async def send(spot: Spot, head: str, first: Said) -> Copies:
            if len(parts) > 1:
                return await self.carrier.say_album([first, *said[1:]], head, spot, step)
            origin = (parts[0].chat_id, parts[0].message_id)
            return await self.carrier.say(first, head, spot, origin, step)

        chat_id, copies = await self._there(parts[0], said[0], ticket, send)
        for part, number in zip(parts, copies.numbers, strict=False):
            await self.rows.sent(part, chat_id, number)
        await self._keep_rest(ticket, chat_id, copies)
        if copies.numbers and by_staff(parts[0]):
            await self.receipts.delivered(parts[0])
        return bool(copies.numbers)

    async def _keep_rest(self, ticket: Ticket, chat_id: int, copies: Copies) -> None:
        """So that an answer to the second half of something long finds its way, too."""
        for number in copies.rest:
            await self.staff.tickets.posted(ticket.number, chat_id, number, REST_OF.format(copies.numbers[0]))

    async def _edit(self, row: Row, ticket: Ticket) -> bool:
        """The copy says what the original says now; where that cannot be, the new version stands under the old one."""
        said, copy = Said.from_json(row.said or ""), (row.other_chat or 0, row.other_message or 0)
        place = await self.staff.board.place(ticket.number) if not by_staff(row) else None
        head = self._head(ticket, place, edited=not by_staff(row))
        long = await self.staff.tickets.post(ticket.number, REST_OF.format(copy[1]))  # its second half would stay
        if not said.replaced and long is None and await self.carrier.change(said, head, *copy):
            await self.rows.sent(row, *copy)
            return True

        async def send(spot: Spot, head: str, said: Said) -> Copies:
            under = replace(spot, reply_to=copy[1], quote=None)
            origin = (row.chat_id, row.message_id)
            return await self.carrier.say(said, head, under, origin, f"version {row.version}")

        chat_id, copies = await self._there(row, said, ticket, send, edited=True)
        for number in copies.numbers:
            await self.rows.sent(row, chat_id, number)
        await self._keep_rest(ticket, chat_id, copies)
        return bool(copies.numbers)

    async def _there(
        self,
        row: Row,
        said: Said,
        ticket: Ticket,
        send: Callable[[Spot, str, Said], Awaitable[Copies]],
        *,
        edited: bool = False,
    ) -> tuple[int, Copies]:
        """Says something on the other side, in its right spot; no numbers when the staff chat takes nothing."""
        quoted = await self.rows.counterpart(row.chat_id, said.reply_to, row.ticket) if said.reply_to else None
        if by_staff(row):
            spot = Spot(ticket.chat_id, reply_to=quoted[1] if quoted else None, quote=said)
            return ticket.chat_id, await send(spot, self.staff.screens.words.plain("relay.operator"), said)
        told = replace(said, answered="") if quoted else said  # what can be pointed at need not be said again

        async def there(place: Place) -> tuple[int, Copies]:
            under_card = place.card_id if place.thread_id is None else None
            spot = Spot(place.chat_id, place.thread_id, quoted[1] if quoted else under_card, said if quoted else None)
            return place.chat_id, await send(spot, self._head(ticket, place, edited=edited), told)

        return await self.staff.board.deliver(ticket.number, there) or (0, Copies())

    def _head(self, ticket: Ticket, place: Place | None, *, edited: bool) -> str:
        """Who says it: a group without topics has to be told, and that it is a new version."""
        words = self.staff.screens.words
        if place is None:
            return words.plain("relay.operator")
        who = words.plain("relay.person", number=ticket.number, person=ticket.user_name) if not place.thread_id else ""
        return f"{words.plain('relay.edited')} {who}".strip() if edited else who


def by_staff(row: Row) -> bool:
    """Groups have negative numbers, people positive ones (Bot API)."""
    return row.chat_id < 0


def _source(row: Row) -> str:
    """What the sends for a message are remembered under; one album is one send."""
    return f"relay:{row.chat_id}:{row.album or row.message_id}"
