"""Orders that the staff gave on the review page: looked for every second, carried out as if given in the chat.

An order's events and messages are remembered under its id, so one made again after a crash is made once. What became
of it is written beside the log, where the page reads it.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from telegram.ext import JobQueue

from bot.orders import Order, Outcomes, orders_given
from bot.standing import Member
from handlers.actions import ENDED, Actions
from handlers.journey import within
from handlers.people import Spawn

log = logging.getLogger(__name__)
EVERY_S = 1.0
DONE = "done"


@dataclass(slots=True)
class Orders:
    """The bot's side of the review page."""

    file: Path  # written by the review page alone
    outcomes: Outcomes
    actions: Actions
    staff: frozenset[int]
    spawn: Spawn
    _known: set[str] = field(default_factory=set)  # done, or in hand
    _readable: bool = True
    _turns: WeakValueDictionary[int, asyncio.Lock] = field(default_factory=WeakValueDictionary)  # a ticket's

    async def begin(self, jobs: JobQueue[Any]) -> None:
        """Looks from now on."""
        self._known = set(await self.outcomes.known())
        jobs.run_repeating(self._look, interval=EVERY_S, first=0.0)

    async def _look(self, _: object) -> None:
        try:
            fresh = await asyncio.to_thread(orders_given, self.file, frozenset(self._known))
        except sqlite3.DatabaseError:  # spoiled: it is told once, not every second
            if self._readable:
                self._readable = False
                raise
            return
        self._readable = True
        self._known |= {order.id for order in fresh}
        by_ticket = attrgetter("ticket")
        for number, some in groupby(sorted(fresh, key=by_ticket), by_ticket):  # stable: their order stays
            turn = self._turns.setdefault(number, asyncio.Lock())
            self.spawn(f"orders:{number}", self._carry_out(tuple(some), turn), 0)

    async def _carry_out(self, orders: Sequence[Order], turn: asyncio.Lock) -> None:
        """One ticket's orders, one after the other, also after those of an earlier look: a reply may wait its turn."""
        async with turn:
            for order in orders:
                outcome = await self._outcome(order)
                await self.outcomes.write(order.id, outcome)

    async def _outcome(self, order: Order) -> str:
        if order.by_id not in self.staff:
            log.warning("refused: user %d of order %s is not of the staff", order.by_id, order.id)
            return "refused"
        try:
            with within(order.source):
                return await self._do(order)
        except LookupError:
            return "no_ticket"
        except Exception:
            log.exception("order %s failed", order.id)
            return "failed"

    async def _do(self, order: Order) -> str:
        number, text, by, source = order.ticket, order.text, order.by, order.source
        ticket = await self.actions.desk.fresh(number)
        if ticket.emptied:  # the form was open while the person had all erased
            return "emptied"
        match order.action:
            case "reply":
                return DONE if await self.actions.reply(number, text, by, source=source) else "unreachable"
            case "note":
                await self.actions.note(number, text, by, source=source)
                return DONE
            case "close":
                return DONE if await self.actions.close(number, text, by, source=source) else "closed_already"
            case "reopen":
                now = await self.actions.reopen(number, by, source=source)
                return "not_closed" if now is None else DONE if now == number else "goes_on"
            case "take" if ticket.status in ENDED:  # … or while somebody closed it
                return "closed_already"
            case "take":
                me = Member(by, order.by_id)
                holder = await self.actions.take(number, by, by_id=me.id, source=source)
                return DONE if holder.is_same(me) else "taken_already"
