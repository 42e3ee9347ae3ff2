"""What comes in of a case: tickets are opened, evidence is read and logged. Nothing is sent from here."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bot.casefile import fold
from bot.diagnose import context_of, read_together
from bot.hours import Clock, utc_now
from bot.limits import free_at
from bot.model import Context, EventKind, Evidence, Finding, Kind, Reading, Step, Target, Ticket
from bot.parsers.ini_corrected import corrected_ini
from bot.parsers.microsip_status import status_finding
from bot.patience import can_reopen, in_hands, lately, was_in_hands
from bot.tickets import Tickets
from handlers.people import Person
from handlers.pictures import unread, with_answer
from handlers.reply import Screen, Screens

EXTENSION = re.compile(r"\d{2,6}")
STALE_AFTER = timedelta(hours=12)  # what was seen so long ago may not be so any more
# What is asked again after a step was carried out, to see whether it helped.
PROOF_OF = {
    Step.FIX_DNS: Kind.NSLOOKUP,
    Step.WRONG_DNS_ANSWER: Kind.NSLOOKUP,
    Step.CHECK_INTERNET: Kind.PING,
    Step.REDUCE_LOSS: Kind.PING,
}


@dataclass(slots=True)
class Intake:
    """The half of the desk that listens."""

    tickets: Tickets
    target: Target
    screens: Screens
    now: Clock = field(default=utc_now, kw_only=True)

    async def start(self, person: Person) -> Ticket:
        """The ticket to go on with, everything looked at anew: the open one, one closed lately, else a new one."""
        current = await self.tickets.current(person.chat_id)
        if current is None:
            return await self.reopened(person) or await self._open(person)
        old = self.now() - lately(current)[0].at > STALE_AFTER and not in_hands(current)
        kind = EventKind.REOPENED if old else EventKind.RECHECK
        body: dict[str, Any] = {"reason": "user"} if old else {"checks": []}
        await self.tickets.append(current.number, kind, body, source=person.source)
        return await self.fresh(current.number)

    async def open_ticket(self, person: Person) -> Ticket:
        """The open ticket of this chat, the one closed lately, or a new one."""
        current = await self.tickets.current(person.chat_id)
        return current or await self.reopened(person, for_staff=True) or await self._open(person)

    async def closed_lately(self, chat_id: int) -> Ticket | None:
        """The chat's last ticket when it may be opened again; None: the next word begins a new one."""
        latest = await self.tickets.latest(chat_id)
        return latest if latest is not None and can_reopen(latest, self.now()) else None

    async def reopened(self, person: Person, *, for_staff: bool = False) -> Ticket | None:
        """The ticket that ended lately, open again; None: there is none. `for_staff`: who had it has it again."""
        closed = await self.closed_lately(person.chat_id)
        if closed is None:
            return None
        body = {"reason": "user", "escalated": for_staff and was_in_hands(closed)}
        await self.tickets.append(closed.number, EventKind.REOPENED, body, source=f"{person.source}:reopened")
        return await self.fresh(closed.number)

    async def _open(self, person: Person) -> Ticket:
        before = await self.tickets.latest(person.chat_id)
        ticket = await self.tickets.open(
            user_id=person.user_id,
            chat_id=person.chat_id,
            name=person.name,
            language=self.screens.words.language,
            source=person.source,
        )
        if before is None or before.number == ticket.number:
            return ticket
        body = {"ticket": before.number}
        await self.tickets.append(ticket.number, EventKind.LINKED, body, source=f"{person.source}:linked")
        return await self.fresh(ticket.number)

    async def refusal(self, user_id: int, wanted: str) -> Screen | None:
        """The answer to somebody who asks for too much: when to come back. None: go on."""
        until = free_at(await self.tickets.usage(user_id), wanted)
        if until is None:
            return None
        minutes = max(1, round((until - self.now()).total_seconds() / 60))
        return self.screens.say(f"limit.{wanted}", minutes=minutes)

    async def fresh(self, number: int) -> Ticket:
        """The ticket as the log tells it now. Raises LookupError for a number nobody gave out."""
        ticket = await self.tickets.get(number)
        if ticket is None:
            raise LookupError(f"no ticket {number}")
        return ticket

    async def read(self, ticket: Ticket | None, evidence: Evidence) -> tuple[Reading, ...]:
        """What the parsers read in this evidence, knowing what the case, if there is one, knows."""
        return await asyncio.to_thread(read_together, [evidence], self._context(ticket))

    def _context(self, ticket: Ticket | None) -> Context:
        if ticket is None:
            return context_of(self.target)
        return context_of(self.target, fold(ticket).results, ticket.extension)

    def read_status(self, status: str, ui: str | None) -> Reading:
        """What a press on one of the status bar's texts says. Raises ValueError for a text that is none."""
        label = self.screens.words.bare_label(f"st_{status}", ui or None)
        facts = {"label": label, "language": ui or None, "code": None}
        return Reading(Kind.MICROSIP_STATUS, None, status, facts, (status_finding(status),))

    async def add(
        self,
        ticket: Ticket,
        readings: tuple[Reading, ...],
        *,
        text: str | None,
        source: str,
        media: str = "text",
        size: int = 0,
        attachment: str | None = None,
    ) -> bool:
        """Logs evidence, what is kept of its file, and its readings; False when this update was logged before."""
        body = {"media": media, "text": (text or "")[:65536], "bytes": size, "unreadable": not readings}
        body["attachment"] = attachment
        if not await self.tickets.append(ticket.number, EventKind.EVIDENCE, body, source=source):
            return False
        for reading in readings:
            await self.tickets.append(ticket.number, EventKind.READ, {"reading": reading.to_log()})
            number = reading.facts.get("extension")
            if ticket.extension is None and isinstance(number, str) and EXTENSION.fullmatch(number):
                await self.tickets.set_extension(ticket.number, number)
        return True

    def of_field(self, ticket: Ticket, name: str, right: bool) -> Reading | None:
        """The newest picture's reading with the user's word on one field; None when no picture waits for it."""
        found = unread(fold(ticket))
        if found is None or found[1] != name:
            return None
        return with_answer(found[0], name, right, self._context(ticket))

    def corrected_ini(self, ticket: Ticket | None, content: bytes) -> bytes | None:
        """The user's MicroSIP.ini with only the wrong keys changed; None when it is none."""
        return corrected_ini(content, self._context(ticket))

    async def answer(self, number: int, kind: Kind, finding: Finding | None, *, source: str) -> None:
        """A button's answer."""
        body = {"kind": kind.value, "finding": finding.to_json() if finding else None}
        await self.tickets.append(number, EventKind.ANSWERED, body, source=source)

    async def name_extension(self, ticket: Ticket, extension: str, *, source: str) -> None:
        """The user's own number."""
        await self.tickets.set_extension(ticket.number, extension)
        body = {"kind": Kind.EXTENSION.value, "finding": None, "value": extension}
        await self.tickets.append(ticket.number, EventKind.ANSWERED, body, source=source)

    async def tried(self, ticket: Ticket, step: Step, *, source: str) -> Kind:
        """The user did as told; returns what to ask, to see whether it helped."""
        await self.tickets.append(ticket.number, EventKind.TRIED, {"step": step.value}, source=source)
        return PROOF_OF.get(step, Kind.MICROSIP_STATUS)

    async def recheck(self, ticket: Ticket, *, source: str) -> None:
        """Makes only those checks again that the verdict rests on; all of them when it rests on none."""
        case = fold(ticket)
        because = {finding.tag for finding in case.verdict.because} if case.verdict else set()
        names = [r.name for r in case.results if because & {finding.tag for finding in r.findings}]
        await self.tickets.append(ticket.number, EventKind.RECHECK, {"checks": names}, source=source)
