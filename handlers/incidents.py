"""Incidents as people meet them: one alert, everybody linked told at once, one word to each at the end, one tap.

What is still to be said stands in the tables, so a restart goes on where it was; each send has a name of its own in
the journal, so it leaves once. The patrol (handlers/patrol.py) tells what it saw; the desk asks what is known.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from weakref import WeakValueDictionary

from markupsafe import Markup
from telegram.error import BadRequest, TelegramError

from bot.casefile import CaseFile
from bot.incident_links import IncidentLinks
from bot.incident_log import IncidentLog
from bot.incident_rows import Incident
from bot.incidents import EVERYBODYS, Change, Phone, Round, Scope, Sight, fits
from bot.model import CheckResult, EventKind, Status, Step, Tag, Ticket, Verdict
from bot.store import Store
from bot.tickets import Tickets
from handlers.incident_board import IncidentBoard
from handlers.incident_card import IncidentScreens
from handlers.journey import journey
from handlers.people import Spawn
from handlers.post import Post
from handlers.reply import Screen, Screens

log = logging.getLogger(__name__)
ENDED = (Status.SOLVED, Status.CLOSED)
INCIDENT = "incident"  # the result that carries what an incident says of one extension
FAILURES_MAX = 3  # then it is the network and not a chat
OLD = timedelta(minutes=5)  # an older round says nothing about this moment
WANTS_STAFF = (EventKind.USER_MESSAGE, EventKind.STAFF_MESSAGE, EventKind.TAKEN)


@dataclass(slots=True)
class Incidents:
    """What stands, who is linked to it, and what is still to be said."""

    log: IncidentLog
    links: IncidentLinks
    tickets: Tickets
    screens: IncidentScreens
    post: Post
    board: IncidentBoard
    show_card: Callable[[int], object]  # a ticket's own card in the staff chat
    spawn: Spawn
    close_ticket: Callable[..., Awaitable[bool]]  # Actions.close
    _last: Round | None = None  # the newest round, when it blamed our side
    _quiet: set[int] = field(default_factory=set)  # linked tickets that the incident's card stands for
    _failed: set[int] = field(default_factory=set)  # chats on which Telegram failed
    _locks: WeakValueDictionary[int, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    @classmethod
    def over(
        cls,
        store: Store,
        screens: Screens,
        post: Post,
        staff_chat: Callable[[], int | None],
        show_card: Callable[[int], object],
        spawn: Spawn,
        close_ticket: Callable[..., Awaitable[bool]],
    ) -> Incidents:
        """The incidents of one database."""
        log, links, words = IncidentLog(store), IncidentLinks(store), IncidentScreens(screens)
        board = IncidentBoard(log, words, post, staff_chat)
        return cls(log, links, Tickets(store), words, post, board, show_card, spawn, close_ticket)

    async def resume(self) -> None:
        """After a start: what was left unsaid is said."""
        self._quiet |= set(await self.links.without_card())
        await self.tend_all()

    # --- what the patrol saw ---

    async def follow(self, seen: Round, changes: Iterable[tuple[int, Change]]) -> None:
        """A round was counted."""
        verdict = seen.blame()
        sight = seen.sight(verdict, ())
        if sight is not Sight.UNKNOWN:
            self._last = seen if sight is Sight.BAD else None
        await self._changed(changes)
        await self.tend_all()

    async def _changed(self, changes: Iterable[tuple[int, Change]]) -> None:
        for number, change in changes:
            log.warning("incident %d: %s", number, change)
            if change is Change.OPENED:
                for ticket in await self.links.kindred(number):
                    await self._link(number, ticket)
            elif change is Change.TURNED:
                turned = await self.log.get(number)
                if turned is not None:
                    await self.board.turned(turned)
            self._tend_soon(number)

    async def tend_all(self) -> None:
        """Goes on with everything that is not settled."""
        for number in await self.log.unsettled():
            self._tend_soon(number)

    # --- what the desk asks ---

    async def known(self, ticket: Ticket, case: CaseFile) -> tuple[CheckResult, ...]:
        """What explains this ticket already, as results of checks; the ticket is linked. (): nothing, or told before.

        Told before means: who presses “check again” gets a real check.
        """
        heard = {finding.tag for reading in case.readings for finding in reading.findings}
        now, linked = datetime.now(UTC), await self.links.linked(ticket.number)
        outage, last = await self.log.standing(Scope.OUTAGE), self._last
        if outage and last and now - last.at < OLD and outage.number not in linked and fits(Scope.OUTAGE, heard):
            return last.results if await self._link(outage.number, ticket.number) else ()
        finding = await self.log.concerns(ticket.extension, now)
        gone = await self.log.standing(Scope.PASSWORDS) if finding else None
        if finding and gone and gone.number not in linked and fits(Scope.PASSWORDS, heard):
            stands = await self._link(gone.number, ticket.number)
            return (CheckResult(INCIDENT, 0.0, (finding,), at=now),) if stands else ()
        return ()

    async def told(self, ticket: Ticket, case: CaseFile, verdict: Verdict, screen: Screen) -> Screen:
        """The verdict's screen; where it is an incident's, the ticket is linked and the person hears that we know."""
        if lost := _lost(ticket, case, verdict):
            await self._changed(await self.log.hear([lost], datetime.now(UTC)))
        scope = _scope(verdict.step)
        incident = await self.log.standing(scope) if scope else None
        if incident is None:
            return screen
        await self._link(incident.number, ticket.number)
        others = await self.links.others(incident.number, ticket.chat_id)
        return self.screens.known(screen, others)

    async def notice(self, ticket: Ticket) -> Markup | None:
        """A word before the first question: something stands, and nothing says yet that it is this person's trouble."""
        if await self.log.standing(Scope.OUTAGE) is not None:
            return self.screens.notice(Scope.OUTAGE)
        if ticket.extension is None and await self.log.standing(Scope.PASSWORDS) is not None:
            return self.screens.notice(Scope.PASSWORDS)
        return None

    async def _link(self, number: int, ticket: int) -> bool:
        """False: the incident ended in this very moment; what it explained may be well again."""
        if not await self.links.link(number, ticket):
            return True
        source = f"incident:{number}:link:{ticket}"
        await self.tickets.append(ticket, EventKind.LINKED, {"incident": number}, source=source)
        if await self.tickets.post(ticket, "card") is None:
            self._quiet.add(ticket)
        incident = await self.log.get(number)
        stands = incident is not None and incident.closed_at is None
        if not stands:  # he is told at once; else the next round shows it
            self._tend_soon(number)
        return stands

    # --- the staff's cards ---

    def card_changed(self, ticket: int) -> None:
        """A ticket changed: its own card follows, unless the incident's card stands for it."""
        if ticket in self._quiet:
            self.spawn(f"incident card:{ticket}", self._needs_own_card(ticket), 0)
        else:
            self.show_card(ticket)

    async def _needs_own_card(self, number: int) -> None:
        """Who asks for a person, writes, or goes on after the end, is no longer one of many."""
        ticket = await self.tickets.get(number)
        if ticket is None or ticket.status in ENDED:
            return
        asked = any(e.kind is EventKind.ESCALATED and e.body.get("reason") == "asked" for e in ticket.events)
        spoken = any(event.kind in WANTS_STAFF for event in ticket.events)
        linked = await self.links.linked(number)
        ends = [one.closed_at for n in linked if (one := await self.log.get(n)) is not None]
        went_on = all(end is not None and ticket.events[-1].at > end for end in ends)
        if asked or spoken or went_on:
            self._quiet.discard(number)
            self.show_card(number)
            for incident in linked:  # its card counts one less
                self._tend_soon(incident)

    def _tend_soon(self, number: int) -> None:
        self.spawn(f"incident:{number}", self._tend(number), 0)

    async def _tend(self, number: int) -> None:
        """Says and does what is left of one incident; safe to call at any time and again."""
        async with self._locks.setdefault(number, asyncio.Lock()):
            incident = await self.log.get(number)
            if incident is None:
                return
            await self.board.show(incident)
            if incident.closed_at is None or not await self._tell_all(incident):
                return
            if incident.tickets_closed_by is not None:
                for ticket in await self.links.waiting(number):
                    source = f"incident:{number}:close"
                    await self.close_ticket(ticket, INCIDENT, incident.tickets_closed_by, source=f"{source}:{ticket}")
            await self.log.settled(number)
            if (after := await self.log.get(number)) is not None:
                await self.board.show(after)

    # --- the end ---

    async def _tell_all(self, incident: Incident) -> bool:
        """One word to each linked chat; False: the network did not let all of them go, the next round goes on.

        Last come those on which Telegram failed before: so they stop no round for ever.
        """
        number, failures = incident.number, 0
        untold = await self.links.untold(number)
        for chat_id, tickets in sorted(untold.items(), key=lambda item: item[0] in self._failed):
            try:
                heard = await self._tell(incident, chat_id, tickets)
            except TelegramError as error:
                log.warning("incident %d: not everybody was told: %s", number, type(error).__name__)
                failures += 1
                self._failed.add(chat_id)
                if failures == FAILURES_MAX:
                    return False
                continue
            await self.links.told(number, tickets, heard=heard)
        return not failures

    async def _tell(self, incident: Incident, chat_id: int, tickets: tuple[int, ...]) -> bool:
        """One chat hears it, and its tickets are closed where that was ordered; False: it takes no messages."""
        number, by = incident.number, incident.tickets_closed_by
        closing = await self.links.waiting(number, chat_id) if by is not None else ()
        going_on = [ticket for ticket in tickets if ticket not in closing and await self._is_open(ticket)]
        try:
            with journey(f"incident:{number}:over:{chat_id}"):
                message = await self.post.send(chat_id, self.screens.over(incident, going_on), "over")
        except BadRequest as error:  # an account that is gone
            log.warning("incident %d: chat %d takes no messages: %s", number, chat_id, error)
            message = None
        for ticket in await self.links.waiting(number, chat_id) if by is not None else ():
            source = f"incident:{number}:close:{ticket}:{EventKind.CLOSED}"
            await self.tickets.append(ticket, EventKind.CLOSED, {"reason": INCIDENT, "by": by}, source=source)
            self.card_changed(ticket)
        return message is not None

    async def _is_open(self, number: int) -> bool:
        ticket = await self.tickets.get(number)
        return ticket is not None and ticket.status not in ENDED

    async def end(self, number: int, by: str) -> bool:
        """The staff's tap: it is over, everybody is told, their tickets are closed. False: it was over before."""
        ended = await self.log.end(number, by)
        if ended:
            self._last = None
            self._tend_soon(number)
        return ended

    async def close_linked(self, number: int, by: str) -> None:
        """The linked tickets are closed together."""
        await self.log.order_close(number, by)
        self._tend_soon(number)


def _scope(step: Step) -> Scope | None:
    if step is Step.RESET_EXTENSION_PASSWORD:
        return Scope.PASSWORDS
    return Scope.OUTAGE if step in EVERYBODYS else None


def _lost(ticket: Ticket, case: CaseFile, verdict: Verdict) -> Phone | None:
    """The ticket's extension, when the PBX's own log, read by us, says that its password is lost."""
    if verdict.step is not Step.RESET_EXTENSION_PASSWORD or ticket.extension is None:
        return None
    read_by_us = (finding for result in case.results if result.name != INCIDENT for finding in result.findings)
    if any(f.tag is Tag.LOG_PASSWORD_LOST and f.args.get("extension") == ticket.extension for f in read_by_us):
        return Phone(ticket.extension, lost_at=datetime.now(UTC))
    return None
