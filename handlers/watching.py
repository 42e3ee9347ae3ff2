"""The moment of truth in the chat: one message, edited as the packet is seen, while the user presses Save."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from bot.checks.register_watch import LIMIT_S, Stage, Watches
from bot.model import EventKind, Kind, Ticket
from handlers.desk import Desk
from handlers.reply import Screen

TICK_S = 5.0


@dataclass(slots=True)
class Watching:
    """Runs watches for tickets; one at a time for each."""

    desk: Desk
    watches: Watches
    _running: set[int] = field(default_factory=set)

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
