"""Time passes in a ticket's life: reminders, the end of a case nobody answers, people who are not to be heard.

When something is due lies in the database (bot/due.py) and is planned anew from the ticket's log at each change, so
a restart forgets nothing; `sweep` does what is due, once.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from markupsafe import Markup
from telegram.ext import JobQueue

from bot.casefile import fold
from bot.due import Due, Dues
from bot.hours import Clock, Hours
from bot.model import EventKind, Ticket
from bot.patience import ANSWER_WITHIN, CLOSE, REMIND, STAFF, STAFF_SIDE, STALE, USER, plan
from bot.relayed import Fate
from bot.store import Store
from handlers.actions import Actions
from handlers.journey import journey
from handlers.relay import Relay
from handlers.reply import Screen
from handlers.staff import Staff
from handlers.waits import Waits

log = logging.getLogger(__name__)
SWEEP_EVERY_S = 60.0  # how late a reminder may be
ROUNDING = timedelta(seconds=1)  # the table keeps whole seconds
TRY_AGAIN = timedelta(hours=1)
SHOWN_MAX = 20  # of those who wait for a person; the others are named a minute later
BY = "MicroSIP Yordam"
BY_BOT = {CLOSE: "no_answer", STALE: "stale"}  # why the bot itself closes a ticket


@dataclass(slots=True)
class Lifecycle:
    """`changed` plans, `sweep` does what is due; the job queue only wakes it."""

    actions: Actions
    staff: Staff
    relay: Relay
    dues: Dues
    waits: Waits
    now: Clock

    @classmethod
    def over(cls, store: Store, hours: Hours, actions: Actions, relay: Relay, now: Clock) -> Lifecycle:
        """With its table in `store`."""
        waits = Waits(store, hours, actions.desk.screens.words, now)
        made = cls(actions, relay.staff, relay, Dues(store), waits, now)
        relay.heard, relay.away = made.changed, waits.away
        return made

    def begin(self, jobs: JobQueue[Any]) -> None:
        """From now on it looks once a minute."""

        async def sweep(_: object) -> None:
            await self.sweep()
            await self.relay.resume()

        jobs.run_repeating(sweep, interval=SWEEP_EVERY_S, first=SWEEP_EVERY_S)

    async def resume(self, numbers: Sequence[int]) -> None:
        """At a start: what waits goes on its way, and open tickets have their times, whatever wrote their log."""
        await self.relay.resume()
        for number in numbers:
            self.changed(number)

    async def let_lie(self) -> None:
        """At the first start on a copy that was put back: what waited, or was due, the bot that was copied has done."""
        for row in await self.relay.rows.unfinished():
            await self.relay.rows.settle(row.chat_id, row.message_id, row.fate if row.other_chat else Fate.REFUSED)
        for due in await self.dues.ripe(self.now()):
            await self.dues.done(due)

    def changed(self, number: int) -> None:
        """Plans what is due for a ticket, as its log stands now."""
        self.staff.spawn(f"plan:{number}", self.plan(number), 0)

    async def plan(self, number: int) -> None:
        """The same, waited for."""
        ticket = await self.staff.tickets.get(number)
        if ticket is not None:
            await self.dues.plan(number, plan(ticket, self.waits.hours))

    async def sweep(self) -> None:
        """Does everything that is due by now."""
        waiting: list[tuple[Due, Ticket]] = []
        for due in await self.dues.ripe(self.now()):
            ticket = await self._still_due(due)
            if ticket is None:
                await self.dues.done(due)
            elif due.what == STAFF:
                waiting.append((due, ticket))
            else:
                await self._tried(due, ticket)
        if waiting:
            await self._remind_staff(waiting[:SHOWN_MAX])

    async def _still_due(self, due: Due) -> Ticket | None:
        """The ticket, when its log still says so; what came meanwhile may have moved the time."""
        ticket = await self.staff.tickets.get(due.ticket)
        wanted = plan(ticket, self.waits.hours).get(due.what) if ticket else None
        if ticket is None or wanted is None:
            return None
        bar = await self.relay.barred.of(ticket.user_id, self.now())
        if bar.banned_at is not None and due.what not in BY_BOT:
            return None  # nobody waits for his answer, or he for ours
        if due.what == STAFF:
            wanted = max(wanted, bar.muted_until or wanted)
        if wanted - self.now() > ROUNDING:
            await self.dues.plan(due.ticket, {due.what: wanted})
            return None
        return ticket

    async def _tried(self, due: Due, ticket: Ticket) -> None:
        """One ticket's trouble must not keep the others waiting: it is tried again later."""
        try:
            await self._do(due, ticket)
        except Exception:
            log.exception("what was due for ticket %d could not be done", due.ticket)
            await self.dues.plan(due.ticket, {due.what: self.now() + TRY_AGAIN})

    async def _do(self, due: Due, ticket: Ticket) -> None:
        if due.what in BY_BOT:
            await self._close(due, ticket)
        elif due.what == REMIND:
            with journey(due.source):
                await self.actions.desk.post.send(ticket.chat_id, self._reminder(ticket), "remind")
            await self._reminded(due, USER)
        await self.dues.done(due)
        await self.plan(ticket.number)

    async def _close(self, due: Due, ticket: Ticket) -> None:
        """With a word to the user, unless he is banned: it would ask him to write."""
        if (await self.relay.barred.of(ticket.user_id, self.now())).banned_at is None:
            await self.actions.close(ticket.number, BY_BOT[due.what], BY, source=due.source)
            return
        body = {"reason": BY_BOT[due.what], "by": BY}
        await self.staff.tickets.append(ticket.number, EventKind.CLOSED, body, source=f"{due.source}:closed")
        self.actions.desk.on_change(ticket.number)

    async def _reminded(self, due: Due, whom: str) -> None:
        body = {"to": whom}
        await self.staff.tickets.append(due.ticket, EventKind.REMINDED, body, source=f"{due.source}:reminded")

    def _reminder(self, ticket: Ticket) -> Screen:
        """The question, or what was to be done, once more, with its buttons."""
        screens, case = self.actions.desk.screens, fold(ticket)
        if case.asked is not None:
            question = screens.question(ticket.number, case.asked, ui=case.ui_language)
            return Screen(f"{screens.words.html('life.remind')}\n\n{question.html}", question.keyboard)
        told = screens.verdict(ticket.number, case.verdict, ui=case.ui_language) if case.verdict else None
        return Screen(screens.words.html("life.remind_step"), told.keyboard if told else None)

    async def _remind_staff(self, waiting: list[tuple[Due, Ticket]]) -> None:
        """One message for all who wait, so that a busy morning does not fill the group."""
        words = self.staff.screens.words
        lines = [words.html("life.waiting")]
        for due, ticket in waiting:
            wait = self.waits.span(self.waits.hours.between(due.at, self.now()) + ANSWER_WITHIN)
            who = ticket.user_name
            lines.append(words.html("life.waiting_line", number=ticket.number, person=who, wait=wait))
        first = waiting[0][0]
        with journey(f"{first.source}:{len(waiting)}"):
            about = [ticket.number for _, ticket in waiting]
            said = await self.staff.say(Screen(Markup("\n").join(lines)), "waiting", about=about)
        if said is None and self.staff.chat_id is not None:
            return  # the staff chat may be back in a minute
        for due, _ in waiting:
            await self._reminded(due, STAFF_SIDE)
            await self.dues.done(due)
