"""One case with one person: evidence comes in, the next move goes out. State lives in the ticket log alone.

A handler stores what came and returns; `advance` then makes the next move in a task of its own: checks, a question
or the verdict. It reads the log afresh each time, so a restart in the middle goes on where it was.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from telegram import Message

from bot.casefile import CaseFile, fold
from bot.checks import CHECKS
from bot.checks.runner import Runner
from bot.diagnose import context_of, diagnose, read_together
from bot.limits import free_at
from bot.model import (
    Certainty,
    CheckResult,
    EventKind,
    Evidence,
    Finding,
    Kind,
    Owner,
    Reading,
    Status,
    Step,
    Tag,
    Target,
    Ticket,
    Verdict,
)
from bot.parsers.ini_corrected import corrected_ini
from bot.parsers.microsip_status import status_finding
from bot.tickets import Tickets
from handlers.people import Person
from handlers.post import Post
from handlers.reply import Screen, Screens

EXTENSION = re.compile(r"\d{2,6}")
STALE_AFTER = timedelta(hours=12)  # an older open case is another story: a new ticket
QUESTIONS_MAX = 5
ALL_CHECKS = tuple(check.name for check in CHECKS)
BY_EXTENSION = tuple(check.name for check in CHECKS if "extension" in check.uses)  # a known number makes these possible
ANSWERED_BY_PBX = frozenset({Tag.PHONE_SAYS_WRONG_PASSWORD, Tag.PHONE_GOT_403, Tag.PHONE_SAYS_NOT_FOUND})
# What is asked again after a step was carried out, to see whether it helped.
PROOF_OF = {
    Step.FIX_DNS: Kind.NSLOOKUP,
    Step.WRONG_DNS_ANSWER: Kind.NSLOOKUP,
    Step.CHECK_INTERNET: Kind.PING,
    Step.REDUCE_LOSS: Kind.PING,
}


@dataclass(slots=True)
class Desk:
    """Where cases are handled."""

    tickets: Tickets
    runner: Runner
    target: Target
    screens: Screens
    post: Post
    on_change: Callable[[int], object]  # the staff's card follows the ticket, at its own pace
    staffed: bool
    pictures: bool = False  # whether pictures can be read here
    _locks: defaultdict[int, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    # --- what comes in -------------------------------------------------------------------------------------------

    async def start(self, person: Person) -> Ticket:
        """The ticket to go on with: the open one when it is fresh, else a new one."""
        current = await self.tickets.current(person.chat_id)
        if current is not None:
            if datetime.now(UTC) - current.opened_at < STALE_AFTER:
                await self.tickets.append(current.number, EventKind.RECHECK, {"checks": []}, source=person.source)
                return await self.fresh(current.number)
            await self.tickets.append(current.number, EventKind.CLOSED, {"reason": "stale"})
        return await self._open(person)

    async def open_ticket(self, person: Person) -> Ticket:
        """The open ticket of this chat, or a new one."""
        return await self.tickets.current(person.chat_id) or await self._open(person)

    async def _open(self, person: Person) -> Ticket:
        return await self.tickets.open(
            user_id=person.user_id,
            chat_id=person.chat_id,
            name=person.name,
            language=self.screens.words.language,
            source=person.source,
        )

    async def refusal(self, user_id: int, wanted: str) -> Screen | None:
        """The answer to somebody who asks for too much: when to come back. None: go on."""
        until = free_at(await self.tickets.usage(user_id), wanted)
        if until is None:
            return None
        minutes = max(1, round((until - datetime.now(UTC)).total_seconds() / 60))
        return self.screens.say(f"limit.{wanted}", minutes=minutes)

    async def fresh(self, number: int) -> Ticket:
        """The ticket as the log tells it now. Raises LookupError for a number nobody gave out."""
        ticket = await self.tickets.get(number)
        if ticket is None:
            raise LookupError(f"no ticket {number}")
        return ticket

    async def read(self, ticket: Ticket | None, evidence: Evidence) -> tuple[Reading, ...]:
        """What the parsers read in this evidence, knowing what the case, if there is one, knows."""
        results = fold(ticket).results if ticket else ()
        context = context_of(self.target, results, ticket.extension if ticket else None)
        return await asyncio.to_thread(read_together, [evidence], context)

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
    ) -> bool:
        """Logs evidence and its readings; False when this update was logged before."""
        body = {"media": media, "text": (text or "")[:65536], "bytes": size, "unreadable": not readings}
        if not await self.tickets.append(ticket.number, EventKind.EVIDENCE, body, source=source):
            return False
        for reading in readings:
            await self.tickets.append(ticket.number, EventKind.READ, {"reading": reading.to_log()})
            number = reading.facts.get("extension")
            if ticket.extension is None and isinstance(number, str) and EXTENSION.fullmatch(number):
                await self.tickets.set_extension(ticket.number, number)
        return True

    def corrected_ini(self, ticket: Ticket | None, content: bytes) -> bytes | None:
        """The user's MicroSIP.ini with only the wrong keys changed; None when it is none."""
        results = fold(ticket).results if ticket else ()
        return corrected_ini(content, context_of(self.target, results, ticket.extension if ticket else None))

    async def send_settings(self, chat_id: int, extension: str | None) -> None:
        """The card of right settings, and the same as a block for MicroSIP.ini."""
        await self.post.send(chat_id, self.screens.settings(extension), "settings")

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

    # --- what goes out -------------------------------------------------------------------------------------------

    async def advance(self, number: int) -> None:
        """Makes the next move of a case, if it is ours to make. Safe to call at any time and again."""
        async with self._locks[number]:
            ticket = await self.fresh(number)
            if ticket.status in (Status.SOLVED, Status.CLOSED):
                return
            case = fold(ticket)
            if case.settled:
                return
            if due := self._checks_due(ticket):
                case = await self._check(ticket, case, due)
                ticket = await self.fresh(number)
            await self._move(ticket, case)
            self.on_change(number)

    def _checks_due(self, ticket: Ticket) -> tuple[str, ...]:
        """Which checks to make now: all at the start and on demand, the user's own once his number is known."""
        made = [event for event in ticket.events if event.kind in (EventKind.CHECKED, EventKind.RECHECK)]
        if not made or made[-1].kind is EventKind.RECHECK:
            wanted = made[-1].body.get("checks") if made else None
            return tuple(wanted) if wanted else ALL_CHECKS
        if ticket.extension and all(event.body.get("extension") != ticket.extension for event in made):
            return BY_EXTENSION
        return ()

    async def _check(self, ticket: Ticket, case: CaseFile, due: tuple[str, ...]) -> CaseFile:
        target = replace(self.target, extension=ticket.extension)
        again = bool(case.results)
        seen: list[CheckResult] = []
        message: Message | None = None

        def show() -> Screen:
            waiting = [name for name in due if name not in {result.name for result in seen}]
            return self.screens.progress(seen, waiting, again=again, seconds=round(target.timeout_s) + 1)

        def follow(result: CheckResult) -> None:
            seen.append(result)
            if message is not None:
                self.post.edit(message, show())

        if due != BY_EXTENSION:
            message = await self.post.send(ticket.chat_id, show(), "progress")
        results = await self.runner.run(target, only=due, fresh=again, on_result=follow)
        seen = list(results)
        if message is not None:
            self.post.edit(message, show(), last=True)
        body = {"results": [result.to_json() for result in results], "extension": ticket.extension}
        await self.tickets.append(ticket.number, EventKind.CHECKED, body)
        return fold(await self.fresh(ticket.number))

    async def _move(self, ticket: Ticket, case: CaseFile) -> None:
        """A verdict when one stands, else the question that helps most, else a person."""
        asked = sum(event.kind is EventKind.ASKED for event in ticket.events)
        closed = set(case.closed) | self._not_to_be_had(ticket, case)
        found = diagnose(case.readings, case.results, answers=case.answers, tried=case.tried, closed=closed)
        if found.question is not None and asked < QUESTIONS_MAX and ticket.status is Status.OPEN:
            await self.ask(ticket, case, found.question, first=asked == 0)
            return
        nothing_new = found.verdict is None or found.verdict.step is Step.CALL_STAFF
        if nothing_new and ticket.status is Status.ESCALATED:
            return  # a person has it; there is nothing to add
        if found.verdict is not None and found.verdict == case.verdict:
            return  # said already, and nothing changed
        verdict = found.verdict or Verdict(Step.CALL_STAFF, Owner.NONE, Certainty.LIKELY)
        await self._tell(ticket, case, verdict, [finding.to_json() for finding in found.findings])

    def _not_to_be_had(self, ticket: Ticket, case: CaseFile) -> set[Kind]:
        """Kinds that would tell nothing here: no picture reader, a number known, or one that nothing could use."""
        closed = set() if self.pictures else {Kind.MICROSIP_SCREEN}
        heard = {finding.tag for reading in case.readings for finding in reading.findings}
        traced = bool(self.target.log_files or self.target.log_command or self.target.api_url)
        if ticket.extension or not (traced or heard & ANSWERED_BY_PBX):
            closed.add(Kind.EXTENSION)
        if not ticket.extension or not (self.target.log_files or self.target.log_command):
            closed.add(Kind.LIVE_REGISTER)
        return closed

    async def ask(self, ticket: Ticket, case: CaseFile, kind: Kind, *, first: bool = False) -> None:
        """Asks for one kind of evidence; the first time after a word on the server."""
        screen = self.screens.question(ticket.number, kind, ui=case.ui_language)
        if kind is case.asked:
            screen = self.screens.say("ask.still")
        elif first:
            intro = self.screens.words.html("server.fine" if _fine(case.results) else "server.unknown")
            screen = Screen(f"{intro}\n\n{screen.html}", screen.keyboard)
        message = await self.post.send(ticket.chat_id, screen, "ask")
        if message is not None:
            await self.tickets.posted(ticket.number, ticket.chat_id, message.message_id, "question")
        await self.tickets.append(ticket.number, EventKind.ASKED, {"question": kind.value, "news": case.news})

    async def _tell(self, ticket: Ticket, case: CaseFile, verdict: Verdict, findings: list[object]) -> None:
        screen = self.screens.verdict(
            ticket.number, verdict, ui=case.ui_language, extension=ticket.extension, staffed=self.staffed
        )
        await self.post.send(ticket.chat_id, screen, "verdict")
        body = {"verdict": verdict.to_json(), "findings": findings, "news": case.news}
        await self.tickets.append(ticket.number, EventKind.VERDICT, body)
        if verdict.step is Step.CONNECTED:
            await self.tickets.append(ticket.number, EventKind.CLOSED, {"reason": "solved"})
        elif verdict.owner is Owner.SERVER or verdict.step is Step.CALL_STAFF:
            await self.tickets.append(ticket.number, EventKind.ESCALATED, {"reason": verdict.step.value})

    async def unfinished(self) -> list[int]:
        """Tickets whose next move was ours when the bot went down."""
        waiting = await self.tickets.list(status=Status.OPEN.value, limit=500)
        return [t.number for t in waiting if not fold(await self.fresh(t.number)).settled]


def _fine(results: tuple[CheckResult, ...]) -> bool:
    """Whether the PBX was heard in a way that proves it reachable: an answer over loopback passes any firewall."""
    found = [finding for result in results for finding in result.findings]
    heard = [finding for finding in found if finding.tag is Tag.SERVER_SIP_ANSWERS]
    open_to_all = any(f.tag in (Tag.SERVER_FIREWALL_OPEN, Tag.SERVER_FIREWALL_INACTIVE) for f in found)
    return any(open_to_all or not finding.args.get("over_loopback") for finding in heard)
