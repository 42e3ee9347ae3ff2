"""One case with one person: evidence comes in, the next move goes out. State lives in the ticket log alone.

A handler stores what came and returns; `advance` then makes the next move in a task of its own: checks, a question
or the verdict. It reads the log afresh each time, so a restart in the middle goes on where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from weakref import WeakValueDictionary

from telegram import Message

from bot.casefile import CaseFile, fold
from bot.checks import CHECKS, QUICK
from bot.checks.runner import Runner
from bot.diagnose import diagnose, user_address
from bot.model import (
    Certainty,
    CheckResult,
    EventKind,
    Finding,
    Kind,
    Owner,
    Status,
    Step,
    Tag,
    Ticket,
    Verdict,
)
from bot.rules import row_of
from handlers.incidents import INCIDENT, Incidents
from handlers.intake import Intake
from handlers.journey import journey
from handlers.people import Spawn
from handlers.pictures import Pictures
from handlers.post import Post
from handlers.reply import Screen

QUESTIONS_MAX = 5
ANEW = (EventKind.RECHECK, EventKind.REOPENED)  # after these the server is looked at again
ALL_CHECKS = QUICK
BY_EXTENSION = tuple(check.name for check in CHECKS if "extension" in check.uses)  # a known number makes these possible
ANSWERED_BY_PBX = frozenset({Tag.PHONE_SAYS_WRONG_PASSWORD, Tag.PHONE_GOT_403, Tag.PHONE_SAYS_NOT_FOUND})


@dataclass(slots=True)
class Desk(Intake):
    """Where cases are handled: it listens (Intake) and moves."""

    runner: Runner
    post: Post
    on_change: Callable[[int], object]  # the staff's card follows the ticket, at its own pace
    pictures: Pictures
    incidents: Incidents
    staffed: bool
    spawn: Spawn
    reads_pictures: bool = False  # whether that can be done here
    _locks: WeakValueDictionary[int, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    async def advance(self, number: int) -> None:
        """Makes the next move of a case, if it is ours to make. Safe to call at any time and again."""
        async with self._locks.setdefault(number, asyncio.Lock()):
            ticket = await self.fresh(number)
            if ticket.status in (Status.SOLVED, Status.CLOSED):
                return
            case = fold(ticket)
            if case.settled:
                return
            due = self._checks_due(ticket)
            if known := await self.incidents.known(ticket, case):
                due = due if due == BY_EXTENSION and case.results else ()  # nobody waits for what is known
                case = await self._checked(ticket, known)
            if due:
                case = await self._check(ticket, case, due)
            ticket = await self.fresh(number)
            if ticket.status in (Status.SOLVED, Status.CLOSED):  # while the checks were made
                return
            await self._move(ticket, case, known=bool(known))
            self.on_change(number)

    async def go_on(self, number: int, when: Awaitable[bool] | None = None) -> None:
        """The next move, made beside the handler; only if `when`, waited for there, says yes."""
        ticket = await self.fresh(number)

        async def move() -> None:
            if when is None or await when:
                await self.advance(number)

        self.spawn(f"ticket:{number}:{len(ticket.events)}", move(), ticket.chat_id)

    def _checks_due(self, ticket: Ticket) -> tuple[str, ...]:
        """Which checks to make now: all at the start and on demand, the user's own once his number is known."""
        kinds = (EventKind.CHECKED, *ANEW)
        made = [event for event in ticket.events if event.kind in kinds and not event.body.get("aside")]
        if not made or made[-1].kind in ANEW:
            wanted = made[-1].body.get("checks") if made else None
            return tuple(name for name in ALL_CHECKS if name in (wanted or ())) or ALL_CHECKS
        if ticket.extension and all(event.body.get("extension") != ticket.extension for event in made):
            return BY_EXTENSION
        return ()

    async def _check(self, ticket: Ticket, case: CaseFile, due: tuple[str, ...]) -> CaseFile:
        target = replace(self.target, extension=ticket.extension, user_ip=user_address(case.readings, case.results))
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
        if again and due != BY_EXTENSION and any(result.name == INCIDENT for result in case.results):
            results = (*results, CheckResult(INCIDENT, 0.0))  # he asked for a look at his own case
        return await self._checked(ticket, results)

    async def _checked(self, ticket: Ticket, results: tuple[CheckResult, ...]) -> CaseFile:
        body = {"results": [result.to_json() for result in results], "extension": ticket.extension}
        await self.tickets.append(ticket.number, EventKind.CHECKED, body)
        return fold(await self.fresh(ticket.number))

    async def _move(self, ticket: Ticket, case: CaseFile, *, known: bool) -> None:
        """A verdict when one stands, else the question that helps most, else a person. `known`: of an incident."""
        doubt = self.pictures.doubt(ticket.number, case)
        if doubt is not None and ticket.status is Status.OPEN:
            await self._say(ticket, case, doubt, "doubt")
            body = {"question": Kind.MICROSIP_SCREEN.value, "news": case.news}
            await self.tickets.append(ticket.number, EventKind.ASKED, body)
            return
        closed = set(case.closed) | self._not_to_be_had(ticket, case)
        found = diagnose(case.readings, case.results, answers=case.answers, tried=case.tried, closed=closed)
        ours = known and found.verdict is not None and found.verdict.owner is Owner.SERVER  # told at once
        if found.question is not None and not ours and case.questions < QUESTIONS_MAX and ticket.status is Status.OPEN:
            await self.ask(ticket, case, found.question, first=case.questions == 0)
            return
        nothing_new = found.verdict is None or found.verdict.step is Step.CALL_STAFF
        if nothing_new and ticket.status is Status.ESCALATED:
            return  # a person has it; there is nothing to add
        if found.verdict is not None and found.verdict == case.verdict:
            return  # said already, and nothing changed
        verdict = found.verdict or Verdict(Step.CALL_STAFF, Owner.NONE, Certainty.LIKELY)
        await self._tell(ticket, case, verdict, found.findings)

    def _not_to_be_had(self, ticket: Ticket, case: CaseFile) -> set[Kind]:
        """Kinds that would tell nothing here: no picture reader, a number known, or one that nothing could use."""
        closed = set() if self.reads_pictures else {Kind.MICROSIP_SCREEN}
        heard = {finding.tag for reading in case.readings for finding in reading.findings}
        traced = bool(self.target.log_files or self.target.log_command or self.target.api_url)
        if ticket.extension or not (traced or heard & ANSWERED_BY_PBX):
            closed.add(Kind.EXTENSION)
        if not ticket.extension or not (self.target.log_files or self.target.log_command):
            closed.add(Kind.LIVE_REGISTER)
        return closed

    async def send_settings(self, chat_id: int, extension: str | None) -> None:
        """The card of right settings, and the same as a block for MicroSIP.ini."""
        await self.post.send(chat_id, self.screens.settings(extension), "settings")

    async def ask(self, ticket: Ticket, case: CaseFile, kind: Kind, *, first: bool = False) -> None:
        """Asks for one kind of evidence; the first time after a word on the server."""
        screen = self.screens.question(ticket.number, kind, ui=case.ui_language)
        if kind is case.asked:
            screen = self.screens.say("ask.still")
        elif first:
            intro = self.screens.words.html("server.fine" if _fine(case.results) else "server.unknown")
            if notice := await self.incidents.notice(ticket):
                intro = notice
            screen = Screen(f"{intro}\n\n{screen.html}", screen.keyboard)
        message = await self._say(ticket, case, screen, "ask")
        if message is not None:
            await self.tickets.posted(ticket.number, ticket.chat_id, message.message_id, "question")
        await self.tickets.append(ticket.number, EventKind.ASKED, {"question": kind.value, "news": case.news})

    async def _tell(self, ticket: Ticket, case: CaseFile, verdict: Verdict, findings: tuple[Finding, ...]) -> None:
        screen = self.screens.verdict(
            ticket.number, verdict, ui=case.ui_language, extension=ticket.extension, staffed=self.staffed
        )
        if verdict.owner is Owner.SERVER:
            screen = await self.incidents.told(ticket, case, verdict, screen)
        await self._say(ticket, case, screen, "verdict")
        row = row_of(verdict, findings)
        known = [finding.to_json() for finding in findings]
        body = {"verdict": verdict.to_json(), "rule": row.why if row else "", "findings": known, "news": case.news}
        await self.tickets.append(ticket.number, EventKind.VERDICT, body)
        if verdict.step is Step.CONNECTED:
            await self.tickets.append(ticket.number, EventKind.CLOSED, {"reason": "solved"})
        elif verdict.owner is Owner.SERVER or verdict.step is Step.CALL_STAFF:
            await self.tickets.append(ticket.number, EventKind.ESCALATED, {"reason": verdict.step.value})

    async def _say(self, ticket: Ticket, case: CaseFile, screen: Screen, step: str) -> Message | None:
        """Sends a move; made again upon the same news after a crash, it is the same send and leaves once."""
        with journey(f"ticket:{ticket.number}:news:{case.news}"):
            return await self.post.send(ticket.chat_id, screen, step)

    async def open_numbers(self) -> list[int]:
        """Every ticket that somebody is still at."""
        found = [await self.tickets.list(status=status.value, limit=500) for status in (Status.OPEN, Status.ESCALATED)]
        return [ticket.number for tickets in found for ticket in tickets]

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
