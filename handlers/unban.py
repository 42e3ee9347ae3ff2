"""The staff's one tap that takes a user's address out of the ban list: asked for with its cause, never done alone.

Button data: 'unban:<ticket>'. The address is taken from the ticket's own log, never from the button.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from markupsafe import Markup
from telegram import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup, Message, Update
from telegram.constants import InlineKeyboardButtonLimit
from telegram.error import TelegramError
from telegram.ext import ContextTypes

from bot.casefile import fold
from bot.diagnose import Diagnosis, diagnose
from bot.model import Event, EventKind, Step, Tag, Ticket
from bot.unban import Lifted, Outcome, lift
from handlers.actions import Actions, Place
from handlers.desk import Desk
from handlers.journey import within
from handlers.people import Spawn
from handlers.reply import Screen
from handlers.staff import Staff, source, who

log = logging.getLogger(__name__)
Context = ContextTypes.DEFAULT_TYPE
PATTERN = "^unban:"
BANNED = (Tag.USER_IP_BANNED, Tag.EXTENSION_ADDRESS_BANNED)  # the surer one first
BANS = frozenset({Tag.SERVER_BANS.value, *(tag.value for tag in BANNED)})
FOR_A_PERSON = (Outcome.NO_RIGHTS, Outcome.ELSEWHERE, Outcome.FAILED)  # the commands are shown to be copied
COPY_MAX = int(InlineKeyboardButtonLimit.MAX_COPY_TEXT)
# What gets an address banned again if nobody mends it first.
CAUSES = (Tag.LOG_WRONG_PASSWORD, Tag.LOG_USERNAME_MISMATCH, Tag.LOG_NOT_FOUND, Tag.ACCOUNT_PASSWORD_EMPTY)


@dataclass(slots=True)
class Unbanning:
    """Asks the staff, does what they tap, looks again and tells the user."""

    staff: Staff
    desk: Desk
    actions: Actions
    spawn: Spawn
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)
    _at_work: set[int] = field(default_factory=set)

    async def consider(self, ticket: Ticket) -> None:
        """After a change of an open case: a banned address becomes a request to the staff, once a ban."""
        verdict, number = ticket.verdict, ticket.number
        if self.staff.chat_id is None or verdict is None or Step.UNBAN_USER not in (verdict.step, *verdict.also):
            return
        found = _judged(ticket)
        address = _banned(found)
        if address is None:
            return
        tries = [place for place, event in enumerate(ticket.events) if "unban" in event.body]
        if tries and not any(map(_tells_of_a_ban, ticket.events[tries[-1] :])):
            return  # what is known of the ban is older than the last tap
        screen = self._asking(ticket, found, address)

        async def send(place: Place) -> Message:
            return await self.staff.bot.send_message(
                place.chat_id,
                screen.html,
                parse_mode="HTML",
                reply_markup=screen.keyboard,
                message_thread_id=place.thread_id,
                rate_limit_args="unban",
            )

        with within(f"unban:{number}:{len(tries)}"):  # the same request after another change, or a crash, leaves once
            posted = await self.staff.board.deliver(number, send)
        if posted is not None:
            await self.desk.tickets.posted(number, posted.chat_id, posted.message_id, "unban")

    def _asking(self, ticket: Ticket, found: Diagnosis, address: str) -> Screen:
        """The cause first, then who, then the one button."""
        words, screens = self.desk.screens.words, self.desk.screens
        causes = [finding for finding in found.findings if finding.tag in CAUSES]
        cause = Markup("; ").join(screens.because(finding) for finding in causes) or words.html("unban.cause_unknown")
        extension = ticket.extension or words.plain("staff.no_extension")
        lines = [
            words.html("unban.cause", cause=cause),
            words.html(
                "unban.request", number=ticket.number, person=ticket.user_name, extension=extension, address=address
            ),
        ]
        if causes:
            lines.append(words.html("unban.mend_first"))
        rows = [
            [screens.button("unban", f"unban:{ticket.number}")],
            [InlineKeyboardButton(words.plain("button.copy_address"), copy_text=CopyTextButton(address))],
        ]
        return Screen(Markup("\n").join(lines), InlineKeyboardMarkup(rows))

    async def press(self, update: Update, context: Context) -> None:
        """The tap: answered at once; the work is done beside the handlers."""
        query = await self.staff.pressed(update)
        if query is None:
            return
        number = (query.data or "").partition(":")[2]
        ticket = await self.desk.tickets.get(int(number)) if number.isdecimal() and len(number) < 12 else None
        address = _banned(_judged(ticket)) if ticket is not None else None
        if ticket is None or address is None:
            await self.staff.toast(query, "toast.unbanned_already" if ticket else "toast.old")
            return
        if ticket.number in self._at_work:
            await self.staff.toast(query, "toast.unban_at_work")
            return
        self._at_work.add(ticket.number)
        await self.staff.toast(query, "toast.unban")
        cause = source(update)
        work = self._unban(ticket, address, who(update), cause, query.message.message_id if query.message else None)
        self.spawn(f"{cause}:unban", work, self.staff.chat_id or 0)

    async def _unban(self, ticket: Ticket, address: str, by: str, cause: str, pressed: int | None) -> None:
        try:
            ended = await lift(address, self.desk.target, self.env)
        except ValueError:  # what a log line named is no single host's address
            ended = Lifted(Outcome.NOT_BANNED)
        finally:
            self._at_work.discard(ticket.number)
        note = self.desk.screens.words.plain(f"unban.note_{ended.outcome}", address=address)
        body = {"text": "\n".join((note, *ended.commands)), "by": by, "unban": ended.outcome.value, "address": address}
        await self.desk.tickets.append(ticket.number, EventKind.NOTE, body, source=f"{cause}:unban")
        self.desk.on_change(ticket.number)
        await self._show(ticket.number, address, by, ended, pressed)
        if ended.outcome in (Outcome.LIFTED, Outcome.NOT_BANNED):
            await self.actions.check_now(ticket.number, by, source=cause)
        if ended.outcome is Outcome.LIFTED:
            again = self.desk.screens.button("again", f"{ticket.number}:again")
            screen = replace(self.desk.screens.say("unban.told_user"), keyboard=InlineKeyboardMarkup([[again]]))
            with within(cause):
                await self.desk.post.send(ticket.chat_id, screen, "unbanned")

    async def _show(self, number: int, address: str, by: str, ended: Lifted, pressed: int | None) -> None:
        """What came of it, in the place of the request."""
        words, chat_id = self.desk.screens.words, self.staff.chat_id
        lines = [words.html(f"unban.{ended.outcome}", number=number, address=address, by=by)]
        rows: list[list[InlineKeyboardButton]] = []
        if ended.outcome in FOR_A_PERSON:
            lines += [words.html("unban.command", command=command) for command in ended.commands]
            rows = [
                [InlineKeyboardButton(words.plain("button.copy_command"), copy_text=CopyTextButton(command))]
                for command in ended.commands[:1]
                if len(command) <= COPY_MAX
            ]
            rows.append([self.desk.screens.button("unban_again", f"unban:{number}")])
        html = Markup("\n").join(lines)
        if pressed is not None and chat_id is not None:
            with contextlib.suppress(TelegramError):  # deleted meanwhile; the note stands in the ticket
                await self.staff.bot.edit_message_text(
                    html, chat_id, pressed, parse_mode="HTML", reply_markup=InlineKeyboardMarkup(rows) if rows else None
                )


def _judged(ticket: Ticket) -> Diagnosis:
    """What the ticket's log says now."""
    case = fold(ticket)
    return diagnose(case.readings, case.results, answers=case.answers, tried=case.tried, closed=case.closed)


def _tells_of_a_ban(event: Event) -> bool:
    """Whether a check or a paste saw ban lists with somebody in them."""
    told = [*event.body.get("results", ()), event.body.get("reading") or {}]
    return any(finding["tag"] in BANS for one in told for finding in one.get("findings", ()))


def _banned(found: Diagnosis) -> str | None:
    """The user's address, where it is known to be banned; else the banned one his number last came from."""
    addresses = (f.args.get("address") for tag in BANNED for f in found.findings if f.tag is tag)
    return next((address for address in addresses if isinstance(address, str)), None)
