"""Does it look the same from other networks? Asked behind a case's back, where the answer could change the verdict."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from bot.casefile import fold
from bot.model import EventKind, Status, Step, Ticket
from handlers.desk import Desk
from handlers.people import Spawn

log = logging.getLogger(__name__)
OUTSIDE = "outside"
# Verdicts that other networks' view can sharpen: nothing matched, or something between is suspected.
IN_DOUBT = frozenset({Step.CALL_STAFF, Step.TRY_OTHER_NETWORK, Step.OPEN_SERVER_FIREWALL, Step.WRONG_DNS_ANSWER})


@dataclass(slots=True)
class Outlook:
    """Looks once a case. Nobody waits for it, the end of the program neither."""

    desk: Desk
    spawn: Spawn
    _looking: dict[int, asyncio.Task[None]] = field(default_factory=dict)

    def consider(self, ticket: Ticket) -> None:
        """After a change of a case. Costs nothing where outside probes are off."""
        number = ticket.number
        if self.desk.target.outside_url is None or number in self._looking or not _wanted(ticket):
            return
        task = asyncio.create_task(self._look(number), name=f"outside:{number}")
        self._looking[number] = task
        task.add_done_callback(lambda done: self._ended(number, done))

    def _ended(self, number: int, task: asyncio.Task[None]) -> None:
        self._looking.pop(number, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the look from outside failed", exc_info=error)

    async def _look(self, number: int) -> None:
        (result,) = await self.desk.runner.run(self.desk.target, only=[OUTSIDE])
        ticket = await self.desk.fresh(number)
        if not _wanted(ticket):  # it went on meanwhile; the answer is kept for a while should it come back here
            return
        body = {"results": [result.to_json()], "aside": True}
        if await self.desk.tickets.append(number, EventKind.CHECKED, body, source=f"outside:{number}"):
            self.spawn(f"outside:{number}", self.desk.advance(number), ticket.chat_id)


def _wanted(ticket: Ticket) -> bool:
    """Whether a verdict in doubt stands, and other networks were not asked yet."""
    if ticket.status not in (Status.OPEN, Status.ESCALATED):
        return False
    case = fold(ticket)
    asked = any(result.name == OUTSIDE for result in case.results)
    return not asked and case.verdict is not None and case.verdict.step in IN_DOUBT
