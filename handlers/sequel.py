"""What follows a change of a case behind its back: others in trouble there, other networks' view, a ban to lift."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from functools import partial
from weakref import WeakValueDictionary

from bot.casefile import fold
from bot.diagnose import user_address
from bot.model import CheckResult, EventKind, Ticket
from bot.neighbours import Neighbours
from bot.networks import public
from bot.providers import providers
from bot.store import Store
from handlers.actions import ENDED, Actions
from handlers.desk import Desk
from handlers.outlook import Outlook
from handlers.people import Spawn
from handlers.staff import Staff
from handlers.unban import Unbanning

NEIGHBOURS = "neighbours"


@dataclass(slots=True)
class Sequel:
    """`consider` after each change of a case; nobody waits for it."""

    desk: Desk
    neighbours: Neighbours
    outlook: Outlook
    unbanning: Unbanning
    spawn: Spawn
    _locks: WeakValueDictionary[int, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    @classmethod
    def over(cls, store: Store, desk: Desk, staff: Staff, actions: Actions, spawn: Spawn) -> Sequel:
        """With all that follows."""
        unbanning = Unbanning(staff, desk, actions, spawn, os.environ)
        named = partial(providers, desk.target.providers_file)
        named()  # the log says at the start how old the list is, or why there is none
        neighbours = Neighbours(store, named)
        return cls(desk, neighbours, Outlook(desk, spawn), unbanning, spawn)

    def consider(self, number: int) -> None:
        """A case changed."""
        self.spawn(f"sequel:{number}", self._consider(number), 0)

    async def _consider(self, number: int) -> None:
        async with self._locks.setdefault(number, asyncio.Lock()):  # several changes at once: one look after the other
            ticket = await self.desk.tickets.get(number)
            if ticket is None or ticket.status in ENDED:
                return
            await self._look_around(ticket)
            self.outlook.consider(ticket)
            await self.unbanning.consider(ticket)

    async def _look_around(self, ticket: Ticket) -> None:
        """Who else is in trouble there? It becomes part of the case: its verdict may change, its card says it."""
        case = fold(ticket)
        address = public(user_address(case.readings, case.results))
        if address is None:
            return
        await self.neighbours.seen(ticket.number, address)
        if case.verdict is None:
            return  # whose trouble is the same is known with the verdict
        around = await self.neighbours.around(ticket.number, address)
        fresh = CheckResult(NEIGHBOURS, 0.0, around.findings(address))
        known = next((result.findings for result in case.results if result.name == NEIGHBOURS), ())
        if fresh.findings == known:
            return
        source = f"neighbours:{ticket.number}:{len(ticket.events)}"
        body = {"results": [fresh.to_json()], "aside": True}  # no round of checks: one that is due is due all the same
        if await self.desk.tickets.append(ticket.number, EventKind.CHECKED, body, source=source):
            self.spawn(source, self.desk.advance(ticket.number), ticket.chat_id)
