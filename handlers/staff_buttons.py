"""What the buttons under a ticket's card do: each press is answered at once with a short word, then acted upon."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import timedelta

from telegram import CallbackQuery, Update
from telegram.error import TelegramError
from telegram.ext import ContextTypes

from bot.casefile import fold
from bot.model import EventKind, Kind, Ticket
from handlers.actions import BY_HAND, ENDED, Actions
from handlers.keyboards import ASKABLE, MENUS, canned, keyboard
from handlers.staff import Staff, member, source, who

Context = ContextTypes.DEFAULT_TYPE
PATTERN = "^s:"
DOUBLE_TAP = timedelta(seconds=10)  # so soon nobody asks, or says, the same again on purpose


@dataclass(frozen=True, slots=True)
class StaffButtons:
    """The handler of `s:<ticket>:<verb>[:<what>]`."""

    staff: Staff
    actions: Actions

    async def press(self, update: Update, context: Context) -> None:
        """Refuses politely who is not of the staff; a button of another version says that it is old."""
        query = await self.staff.pressed(update)
        if query is None:
            return
        _, number, verb, what, *_ = [*(query.data or "").split(":"), "", "", ""]
        ticket = await self.staff.tickets.get(int(number)) if number.isdecimal() and len(number) < 12 else None
        if ticket is not None and ticket.emptied:
            await self.staff.toast(query, "toast.emptied")
            return
        if ticket is None or not await self._done(update, query, ticket, verb, what):
            await self.staff.toast(query, "toast.old")

    async def _done(self, update: Update, query: CallbackQuery, ticket: Ticket, verb: str, what: str) -> bool:
        """False for a verb, or what it is about, that there is none of."""
        if verb == "menu" and what in (*MENUS, "first"):
            await self.staff.toast(query)
            await self._open(query, ticket, None if what == "first" else what)
        elif verb == "canned" and what in canned(self.staff.screens.words):
            await self.staff.toast(query, text=self._canned(ticket, what), alert=True)
            await self._open(query, ticket, f"canned:{what}")
        elif verb == "take" and ticket.status in ENDED:
            await self.staff.toast(query, "toast.closed_already")
            await self._settle(query, ticket.number)
        elif verb == "take":
            me = member(update)
            holder = await self.actions.take(ticket.number, me.name, by_id=me.id, source=source(update))
            key = "toast.taken" if holder.is_same(me) else "toast.taken_already"
            await self.staff.toast(query, key, by=holder.name)
        elif verb == "reopen":
            await self._reopen(update, query, ticket)
        elif (verb, what) in self._deeds():
            await self._deed(update, query, ticket, verb, what)
        else:
            return False
        return True

    def _deeds(self) -> set[tuple[str, str]]:
        names = canned(self.staff.screens.words)
        pairs = [("close", BY_HAND), ("ask", tuple(kind.value for kind in ASKABLE)), ("send", names), ("check", ("",))]
        return {(verb, what) for verb, whats in pairs for what in whats}

    async def _deed(self, update: Update, query: CallbackQuery, ticket: Ticket, verb: str, what: str) -> None:
        """What is only done to a ticket that has not ended."""
        ended = ticket.status in ENDED
        await self.staff.toast(query, "toast.closed_already" if ended else f"toast.{verb}")
        self.staff.board.open_menu(ticket.number, None)
        by, cause = who(update), source(update)
        if verb == "close":  # also when it has ended: perhaps by this very press, before a crash
            await self.actions.close(ticket.number, what, by, source=cause)
        elif ended:
            return
        elif verb == "check":
            await self.actions.check_now(ticket.number, by, source=cause)
        elif not await self._twice(ticket, verb, what, cause):
            await self._to_user(ticket, verb, what, by, cause)
        await self._settle(query, ticket.number)

    async def _to_user(self, ticket: Ticket, verb: str, what: str, by: str, cause: str) -> None:
        """Asks, or says a ready answer; who does not take it is named where the ticket lives."""
        with self.staff.writing(ticket.chat_id):
            if verb == "ask":
                reached = await self.actions.ask(ticket.number, Kind(what), by, source=cause)
            else:
                reached = await self.actions.reply(ticket.number, self._canned(ticket, what), by, source=cause)
            if not reached:
                await self.staff.blocked(ticket)

    async def _twice(self, ticket: Ticket, verb: str, what: str, cause: str) -> bool:
        """Whether a second tap asks for, or says, what the first one just did."""
        kind = EventKind.ASKED if verb == "ask" else EventKind.STAFF_MESSAGE
        if await self.staff.tickets.logged(f"{cause}:{kind}"):
            return False  # it was this very press, before a crash
        said = {"question": what} if verb == "ask" else {"text": self._canned(ticket, what)}
        since = self.actions.desk.now() - DOUBLE_TAP
        lately = [event.body for event in ticket.events if event.kind is kind and event.at > since]
        return any("by" in body and said.items() <= body.items() for body in lately)

    async def _reopen(self, update: Update, query: CallbackQuery, ticket: Ticket) -> None:
        await self.staff.toast(query, "toast.reopen" if ticket.status in ENDED else "toast.open_already")
        now = await self.actions.reopen(ticket.number, who(update), source=source(update))
        if now not in (None, ticket.number):
            await self.staff.alert("staff.goes_on", about=[ticket.number], number=ticket.number, now=now)
        await self._settle(query, ticket.number)

    def _canned(self, ticket: Ticket, name: str) -> str:
        """A ready answer with the labels of the user's MicroSIP."""
        target, ui = self.staff.screens.target, fold(ticket).ui_language
        return self.staff.screens.words.plain(f"canned.{name}.text", ui, host=target.host, port=target.sip_port)

    async def _open(self, query: CallbackQuery, ticket: Ticket, menu: str | None) -> None:
        """Another menu in the place of the one that was pressed; the card remembers it when it is drawn again."""
        self.staff.board.open_menu(ticket.number, menu)
        await self._hang(query, ticket, menu)

    async def _settle(self, query: CallbackQuery, number: int) -> None:
        """A copy of the card shows the first menu again; the card itself is drawn anew by the deed."""
        card = await self.staff.tickets.post(number, "card")
        ticket = await self.staff.tickets.get(number)
        if ticket is not None and query.message is not None and (card is None or card[1] != query.message.message_id):
            await self._hang(query, ticket, None)

    async def _hang(self, query: CallbackQuery, ticket: Ticket, menu: str | None) -> None:
        pressed = query.message  # perhaps too old for Telegram to hand out, its place is known all the same
        if pressed is not None:
            with contextlib.suppress(TelegramError):  # deleted meanwhile
                await self.staff.bot.edit_message_reply_markup(
                    pressed.chat.id, pressed.message_id, reply_markup=keyboard(self.staff.screens, ticket, menu)
                )
