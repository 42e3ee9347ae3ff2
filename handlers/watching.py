"""The moment of truth in the chat: one message, edited as the packet is seen, while the user presses Save."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from bot.checks.register_watch import LIMIT_S, Stage, Watches
from bot.model import EventKind, Kind, Status, Ticket
from handlers.desk import Desk
from handlers.people import Spawn
from handlers.reply import Screen

TICK_S = 5.0
PATIENCE_S = 2 * 3600.0  # so long an open case looks out for a registration nobody told us of
OPEN = (Status.OPEN, Status.ESCALATED)


@dataclass(slots=True)
class Watching:
    """Runs watches for tickets; one at a time for each."""

    desk: Desk
    watches: Watches
    spawn: Spawn
    _running: set[int] = field(default_factory=set)
    _looking_out: dict[int, asyncio.Task[None]] = field(default_factory=dict)

    def look_out(self, number: int) -> None:
        """From now on a registration that is not told of is noticed, while the case is open. Costs one task."""
        target = self.desk.target
        if number not in self._looking_out and (target.log_files or target.log_command) and target.api_url:
            task = asyncio.create_task(self._wait(number))
            self._looking_out[number] = task
            task.add_done_callback(lambda _: self._looking_out.pop(number, None))

    async def _wait(self, number: int) -> None:
        ticket = await self.desk.tickets.get(number)
        if ticket is None or ticket.extension is None or ticket.status not in OPEN:
            return
        seen = await self.watches.until_registered(self.desk.target, ticket.extension, limit_s=PATIENCE_S)
        ticket = await self.desk.fresh(number)
        if not seen.confirmed or ticket.status not in OPEN or number in self._running:
            return
        body = {"results": [seen.result.to_json()], "extension": ticket.extension}
        source = f"ticket:{number}:{len(ticket.events)}:registered"
        await self.desk.tickets.append(number, EventKind.CHECKED, body)
        self.spawn(source, self.desk.advance(number), ticket.chat_id)

    async def close(self) -> None:
        """Looks no more."""
        for task in tuple(self._looking_out.values()):
            task.cancel()
        await self.watches.close()

    async def run(self, ticket: Ticket) -> None:
        """Watches until it is decided, logs what was seen, and lets the case go on."""
        if ticket.extension is None or ticket.number in self._running:
            return
        self._running.add(ticket.number)
        try:
            await self._watch(ticket, ticket.extension)
        finally:
            self._running.discard(ticket.number)
        await self.desk.advance(ticket.number)

    async def _watch(self, ticket: Ticket, extension: str) -> None:
        stages: list[Stage] = []
        left_s = LIMIT_S
        message = await self.desk.post.send(ticket.chat_id, self._screen(ticket, stages, left_s), "watch")

        def show(*, last: bool = False) -> None:
            if message is not None:
                self.desk.post.edit(message, self._screen(ticket, stages, 0 if last else left_s), last=last)

        def on_stage(stage: Stage) -> None:
            if stage is not Stage.WAITING and (not stages or stages[-1] is not stage):
                stages.append(stage)
                show()

        watch = asyncio.create_task(self.watches.watch(self.desk.target, extension, on_stage=on_stage, limit_s=LIMIT_S))
        while not watch.done():
            await asyncio.wait({watch}, timeout=TICK_S)
            left_s = max(0.0, left_s - TICK_S)
            if not watch.done():
                show()
        seen = await watch
        show(last=True)
        body = {"results": [seen.result.to_json()], "extension": extension}
        await self.desk.tickets.append(ticket.number, EventKind.CHECKED, body)
        answered = {"kind": Kind.LIVE_REGISTER.value, "finding": None}
        await self.desk.tickets.append(ticket.number, EventKind.ANSWERED, answered)

    def _screen(self, ticket: Ticket, stages: list[Stage], left_s: float) -> Screen:
        words = self.desk.screens.words
        lines = [words.html("watch.now")] if left_s and not stages else []
        lines += [words.html(f"watch.{stage}") for stage in stages]
        lines.append(words.html("watch.left", seconds=round(left_s)) if left_s else words.html("watch.over"))
        return Screen("\n".join(lines))
