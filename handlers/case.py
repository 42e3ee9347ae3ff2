"""Commands and presses of one person. Each handler stores, and hands on."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

from telegram import Update
from telegram.error import TelegramError
from telegram.ext import ContextTypes

from bot.casefile import fold
from bot.model import EventKind, Finding, Kind, Status, Step, Tag, Ticket
from bot.patience import wants_person
from handlers.desk import Desk
from handlers.people import Person, Spawn, person_of
from handlers.rating import Ratings
from handlers.relay import Relay
from handlers.reply import Screen
from handlers.waits import Waits
from handlers.watching import Watching

Context = ContextTypes.DEFAULT_TYPE


@dataclass(slots=True)
class Case:
    """Handlers of a private chat."""

    desk: Desk
    watching: Watching
    spawn: Spawn
    rating: Ratings
    waits: Waits
    relay: Relay
    retention_days: int

    # --- commands ---

    async def start(self, update: Update, context: Context) -> None:
        """/start: who we are, and the one button."""
        if person := person_of(update):
            await self.desk.tickets.see(person.user_id, person.name, self.desk.screens.words.language)
            await self.desk.post.send(person.chat_id, self.desk.screens.begin("start.hello", name=person.name))

    async def help(self, update: Update, context: Context) -> None:
        """/help: what can be done, and what is kept."""
        if person := person_of(update):
            await self._say(person, "start.help", days=self.retention_days)

    async def diagnose(self, update: Update, context: Context) -> None:
        """/diagnose: the server is checked first."""
        person = person_of(update)
        if person is None:
            return
        if refusal := await self.desk.refusal(person.user_id, "case"):
            await self.desk.post.send(person.chat_id, refusal)
            return
        await self.desk.go_on((await self.desk.start(person)).number)

    async def status(self, update: Update, context: Context) -> None:
        """/status: where the ticket stands."""
        person = person_of(update)
        if person is None:
            return
        ticket = await self.desk.tickets.latest(person.chat_id)
        if ticket is None:
            await self._say(person, "case.none")
            return
        state = self.desk.screens.words.plain(f"case.state_{ticket.status}")
        await self._say(person, "case.where", number=ticket.number, state=state)

    async def settings(self, update: Update, context: Context) -> None:
        """/sozlama: the right settings, to copy."""
        if person := person_of(update):
            latest = await self.desk.tickets.latest(person.chat_id)
            await self.desk.send_settings(person.chat_id, latest.extension if latest else None)

    async def operator(self, update: Update, context: Context) -> None:
        """/operator: a person, at any moment."""
        if person := person_of(update):
            await self._escalate(update, person)

    async def _escalate(self, update: Update, person: Person) -> None:
        ticket = await self.desk.open_ticket(person)
        if await self.relay.muted(person.user_id):
            await self._say(person, "relay.muted")
            return
        already = wants_person(ticket) and not await self.desk.tickets.logged(person.source)
        if not already:
            body = {"reason": "asked"}
            await self.desk.tickets.append(ticket.number, EventKind.ESCALATED, body, source=person.source)
            asked_in = update.message.message_id if update.message else -update.update_id
            await self.relay.call(ticket, asked_in, person)
            self.desk.on_change(ticket.number)
        staffed = self.relay.reachable
        key = "operator.unstaffed" if not staffed else "operator.already" if already else "operator.asked"
        words = self.desk.screens.words.html(key, number=ticket.number)
        wait = await self.waits.said() if staffed else None
        await self.desk.post.send(person.chat_id, Screen(f"{words}\n\n{wait}" if wait else words))

    # --- presses ---

    async def press(self, update: Update, context: Context) -> None:
        """A button: answered at once, then acted upon. Data: '<ticket>:<verb>[:<what>[:<how>]]'."""
        query, person = update.callback_query, person_of(update)
        if query is None or person is None:
            return
        with contextlib.suppress(TelegramError):  # too old to be answered; what it asks for is done all the same
            await query.answer()
        number, verb, *rest = [*(query.data or "").split(":"), "", ""]
        if verb == "go":
            await self.diagnose(update, context)
            return
        ticket = await self.desk.tickets.get(int(number[:12])) if number[:12].isdecimal() else None
        if ticket is None or ticket.chat_id != person.chat_id:
            await self._say(person, "case.old_button")
            return
        try:
            await self._pressed(update, person, ticket, verb, rest)
        except (ValueError, KeyError):  # a button of another version: its words are no longer ours
            await self._say(person, "case.old_button")

    async def _pressed(self, update: Update, person: Person, ticket: Ticket, verb: str, rest: list[str]) -> None:
        if verb in ("rate", "comment"):
            rated = self.rating.rate(ticket, int(rest[0]), person) if rest[0] else self.rating.ask(ticket, person)
            if not await rated:
                await self._say(person, "case.old_button")
        elif verb == "settings":
            await self.desk.send_settings(person.chat_id, ticket.extension)
        elif verb == "person":
            await self._escalate(update, person)
        elif ticket.status in (Status.SOLVED, Status.CLOSED):
            await self._say(person, "case.old_button")
        elif verb == "os":
            ui = fold(ticket).ui_language
            await self._redraw(update, ticket, Kind(rest[0]), unix=rest[1] == "unix", ui=ui)
        elif verb == "ui":
            await self._redraw(update, ticket, Kind.MICROSIP_STATUS, ui=rest[0])
        else:
            await self._moved(person, ticket, verb, rest)

    async def _moved(self, person: Person, ticket: Ticket, verb: str, rest: list[str]) -> None:
        """Presses after which the case goes on."""
        log, source = self.desk.tickets, person.source
        if verb == "st":
            reading = self.desk.read_status(rest[0], rest[1])
            await self.desk.add(ticket, (reading,), text=None, source=source, media="button")
        elif verb == "field":
            reading_of = self.desk.of_field(ticket, rest[0], rest[1] == "yes")
            if reading_of is None:
                await self._say(person, "case.old_button")
                return
            await self.desk.add(ticket, (reading_of,), text=None, source=source, media="button")
        elif verb == "net":
            tag = Tag.OTHER_NETWORK_WORKS if rest[0] == "works" else Tag.OTHER_NETWORK_FAILS
            await self.desk.answer(ticket.number, Kind.OTHER_NETWORK, Finding(tag), source=source)
        elif verb == "skip":
            kind = Kind(rest[0])
            if fold(ticket).asked is kind:
                await log.append(ticket.number, EventKind.SKIPPED, {"question": kind.value}, source=source)
        elif verb == "watch":
            self.spawn(f"watch:{source}", self.watching.run(ticket), ticket.chat_id)
            return
        elif verb == "again":
            if refusal := await self.desk.refusal(person.user_id, "check"):
                await self.desk.post.send(person.chat_id, refusal)
                return
            await self.desk.recheck(ticket, source=source)
        elif verb == "done":
            kind = await self.desk.tried(ticket, Step(rest[0]), source=source)
            fresh = await self.desk.fresh(ticket.number)
            if not fold(fresh).settled:
                await self.desk.ask(fresh, fold(fresh), kind)
            return
        else:
            await self._say(person, "case.old_button")
            return
        await self.desk.go_on(ticket.number)

    async def _redraw(
        self, update: Update, ticket: Ticket, kind: Kind, *, unix: bool = False, ui: str | None = None
    ) -> None:
        """The same question for another system, or with the labels of another language."""
        query = update.callback_query
        screen = self.desk.screens.question(ticket.number, kind, ui=ui, unix=unix)
        try:
            if query is not None:
                await query.edit_message_text(screen.html, parse_mode="HTML", reply_markup=screen.keyboard)
        except (TelegramError, TypeError):  # gone, or too old for Telegram to hand out
            await self.desk.post.send(ticket.chat_id, screen)

    # --- small change ---

    async def _say(self, person: Person, key: str, **values: Any) -> None:
        await self.desk.post.send(person.chat_id, self.desk.screens.say(key, **values))
