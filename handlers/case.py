"""What people send in private: commands, words, files, pictures, presses. Each handler stores, and hands on."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from telegram import Message, Update, User
from telegram.constants import ChatType
from telegram.error import TelegramError
from telegram.ext import ContextTypes

from bot.casefile import fold
from bot.model import EventKind, Evidence, Finding, Kind, Status, Step, Tag, Ticket
from bot.redact import holds_secret
from handlers.desk import EXTENSION, Desk
from handlers.reply import Screen

Spawn = Callable[[str, Coroutine[Any, Any, None], int], object]
Context = ContextTypes.DEFAULT_TYPE
TEXT_KB, FILE_MB = 64, 10
SIP_CODES = frozenset({"401", "403", "404", "405", "408", "480", "486", "500", "502", "503", "504"})
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\x00-\x1f]")


def name_of(user: User) -> str:
    """A person's name without what would turn or hide other text; a user name or number when nothing is left."""
    return INVISIBLE.sub("", user.full_name).strip()[:64] or user.username or str(user.id)


def source_of(update: Update) -> str:
    """Under what an update is remembered."""
    return f"update:{update.update_id}"


@dataclass(slots=True)
class Case:
    """Handlers of a private chat."""

    desk: Desk
    spawn: Spawn
    to_staff: Callable[[Ticket, Message], Awaitable[None]]
    retention_days: int

    # --- commands ---

    async def start(self, update: Update, context: Context) -> None:
        """/start: who we are, and the one button."""
        if update.effective_user and update.effective_chat:
            name = name_of(update.effective_user)
            await self.desk.tickets.see(update.effective_user.id, name, self.desk.screens.words.language)
            await self.desk.send(update.effective_chat.id, self.desk.screens.hello(name))

    async def help(self, update: Update, context: Context) -> None:
        """/help: what can be done, and what is kept."""
        await self._say(update, "start.help", days=self.retention_days)

    async def diagnose(self, update: Update, context: Context) -> None:
        """/diagnose: the server is checked first."""
        if update.effective_user and update.effective_chat:
            ticket = await self.desk.start(
                user_id=update.effective_user.id,
                chat_id=update.effective_chat.id,
                name=name_of(update.effective_user),
                source=source_of(update),
            )
            self._go_on(ticket)

    async def status(self, update: Update, context: Context) -> None:
        """/status: where the ticket stands."""
        ticket = await self.desk.tickets.latest(update.effective_chat.id) if update.effective_chat else None
        if ticket is None:
            await self._say(update, "case.none")
            return
        state = self.desk.screens.words.plain(f"case.state_{ticket.status}")
        await self._say(update, "case.where", number=ticket.number, state=state)

    async def operator(self, update: Update, context: Context) -> None:
        """/operator: a person, at any moment."""
        ticket = await self._ticket(update)
        if ticket is not None:
            await self._escalate(ticket, source_of(update))

    async def _escalate(self, ticket: Ticket, source: str) -> None:
        if ticket.status is Status.ESCALATED:
            await self.desk.send(ticket.chat_id, self.desk.screens.say("operator.already", number=ticket.number))
            return
        await self.desk.tickets.append(ticket.number, EventKind.ESCALATED, {"reason": "asked"}, source=source)
        key = "operator.asked" if self.desk.staffed else "operator.unstaffed"
        await self.desk.send(ticket.chat_id, self.desk.screens.say(key, number=ticket.number))
        await self.desk.on_change(ticket.number)

    # --- evidence ---

    async def message(self, update: Update, context: Context) -> None:
        """Any message, new or edited: a secret is taken out of sight, then it is read as evidence."""
        message = update.effective_message
        if message is None or update.effective_chat is None or update.effective_user is None:
            return
        words = message.text or message.caption or ""
        if holds_secret(words):
            await self._hide(message)
        if message.voice or message.audio or message.video_note:
            await self._say(update, "media.voice")
        elif message.document or message.photo:
            await self._file(update, message)
        elif message.text:
            await self._text(update, message, message.text)
        else:
            await self._say(update, "media.other")

    async def _text(self, update: Update, message: Message, text: str) -> None:
        current = await self.desk.tickets.current(message.chat_id)
        bare = text.strip()
        if current is not None and EXTENSION.fullmatch(bare):
            asked = fold(current).asked
            if asked is Kind.EXTENSION or (asked is not Kind.MICROSIP_STATUS and bare not in SIP_CODES):
                await self.desk.name_extension(current, bare, source=source_of(update))
                await self._say(update, "case.extension_known", extension=bare)
                self._go_on(await self.desk.fresh(current.number))
                return
        if len(text.encode()) > TEXT_KB * 1024:
            await self._say(update, "media.too_long", limit_kb=TEXT_KB)
        await self._evidence(update, message, Evidence(text=text), text, "text")

    async def _file(self, update: Update, message: Message) -> None:
        part = message.document or message.photo[-1]
        size_mb = (part.file_size or 0) / 2**20
        if size_mb > FILE_MB:
            await self._say(update, "media.too_big", size_mb=round(size_mb), limit_mb=FILE_MB)
            return
        picture = not message.document or (message.document.mime_type or "").startswith("image/")
        if picture and not self.desk.pictures:
            ticket = await self._ticket(update)
            if ticket is not None:
                await self.to_staff(ticket, message)
            await self._say(update, "media.picture")
            return
        try:
            content = bytes(await (await part.get_file()).download_as_bytearray())
        except TelegramError:
            await self._say(update, "media.other")
            return
        media_type = message.document.mime_type if message.document else "image/jpeg"
        evidence = Evidence(text=message.caption, content=content, media_type=media_type)
        await self._evidence(update, message, evidence, message.caption or "", "photo" if picture else "document")

    async def _evidence(self, update: Update, message: Message, evidence: Evidence, text: str, media: str) -> None:
        current = await self.desk.tickets.current(message.chat_id)
        readings = await self.desk.read(current, evidence)
        if current is None and not readings:
            await self._send(message, self.desk.screens.say("case.not_started", buttons=[[self._begin()]]))
            return
        ticket = current or await self._ticket(update)
        if ticket is None:
            return
        await self.desk.add(ticket, readings, text=text, source=f"{source_of(update)}:evidence", media=media)
        if ticket.status is Status.ESCALATED:
            await self.desk.tickets.append(ticket.number, EventKind.USER_MESSAGE, {"text": text})
            await self.to_staff(ticket, message)
            await self._say(update, "operator.passed_on")
            return
        if readings:
            self._go_on(await self.desk.fresh(ticket.number))
        else:
            await self._unreadable(await self.desk.fresh(ticket.number), update)

    async def _unreadable(self, ticket: Ticket, update: Update) -> None:
        """First: what was wrong and an example. Second: go on without it."""
        case = fold(ticket)
        if case.asked is None:
            await self._say(update, "case.running" if not case.settled else "ask.unreadable")
        elif case.unclear < 2:
            await self._send_to(ticket, self.desk.screens.unreadable(ticket.number, case.asked, ui=case.ui_language))
        else:
            await self.desk.tickets.append(ticket.number, EventKind.SKIPPED, {"question": case.asked.value})
            await self._say(update, "ask.moved_on")
            self._go_on(await self.desk.fresh(ticket.number))

    async def _hide(self, message: Message) -> None:
        """A message with a password disappears from the chat, where that is allowed."""
        key = "case.secret_kept"
        if message.chat.type == ChatType.PRIVATE:
            try:
                await message.delete()
                key = "case.secret_deleted"
            except TelegramError:
                pass
        await self._send(message, self.desk.screens.say(key))

    # --- presses ---

    async def press(self, update: Update, context: Context) -> None:
        """A button: answered at once, then acted upon. Data: '<ticket>:<verb>[:<what>[:<how>]]'."""
        query = update.callback_query
        if query is None or update.effective_chat is None:
            return
        with contextlib.suppress(TelegramError):  # too old to be answered; what it asks for is done all the same
            await query.answer()
        number, verb, *rest = [*(query.data or "").split(":"), ""]
        if verb == "go":
            await self.diagnose(update, context)
            return
        ticket = await self.desk.tickets.get(int(number)) if number.isdigit() else None
        if ticket is None or ticket.chat_id != update.effective_chat.id:
            await self._say(update, "case.old_button")
            return
        await self._pressed(update, ticket, verb, rest)

    async def _pressed(self, update: Update, ticket: Ticket, verb: str, rest: list[str]) -> None:
        source = source_of(update)
        if verb == "rate":
            await self.desk.tickets.append(ticket.number, EventKind.RATED, {"stars": int(rest[0])}, source=source)
            await self._say(update, "case.rated")
        elif ticket.status in (Status.SOLVED, Status.CLOSED):
            await self._say(update, "case.old_button")
        elif verb == "person":
            await self._escalate(ticket, source)
        elif verb == "os":
            await self._redraw(update, ticket, Kind(rest[0]), unix=rest[1] == "unix", ui=fold(ticket).ui_language)
        elif verb == "skip":
            if fold(ticket).asked is Kind(rest[0]):
                await self.desk.tickets.append(ticket.number, EventKind.SKIPPED, {"question": rest[0]}, source=source)
                self._go_on(await self.desk.fresh(ticket.number))
        elif verb == "ui":
            await self._redraw(update, ticket, Kind.MICROSIP_STATUS, ui=rest[0])
        elif verb == "st":
            readings = await self.desk.read_status(ticket, rest[0], rest[1] or None)
            await self.desk.add(ticket, readings, text=None, source=source, media="button")
            self._go_on(await self.desk.fresh(ticket.number))
        elif verb == "net":
            tag = Tag.OTHER_NETWORK_WORKS if rest[0] == "works" else Tag.OTHER_NETWORK_FAILS
            await self.desk.answer(ticket.number, Kind.OTHER_NETWORK, Finding(tag), source=source)
            self._go_on(await self.desk.fresh(ticket.number))
        elif verb == "again":
            await self.desk.recheck(ticket, source=source)
            self._go_on(await self.desk.fresh(ticket.number))
        elif verb == "done":
            kind = await self.desk.tried(ticket, Step(rest[0]), source=source)
            fresh = await self.desk.fresh(ticket.number)
            await self.desk.ask(fresh, fold(fresh), kind)

    async def _redraw(
        self, update: Update, ticket: Ticket, kind: Kind, *, unix: bool = False, ui: str | None = None
    ) -> None:
        """The same question for another system, or with the labels of another language."""
        query = update.callback_query
        screen = self.desk.screens.question(ticket.number, kind, ui=ui, unix=unix)
        try:
            if query is not None:
                await query.edit_message_text(screen.html, parse_mode="HTML", reply_markup=screen.keyboard)
        except TelegramError:
            await self._send_to(ticket, screen)

    # --- small change ---

    def _go_on(self, ticket: Ticket) -> None:
        source = f"ticket:{ticket.number}:{len(ticket.events)}"
        self.spawn(source, self.desk.advance(ticket.number), ticket.chat_id)

    def _begin(self) -> Any:
        return self.desk.screens.button("diagnose", "0:go")

    async def _ticket(self, update: Update) -> Ticket | None:
        """The open ticket of this chat, or a new one."""
        user, chat = update.effective_user, update.effective_chat
        if user is None or chat is None:
            return None
        current = await self.desk.tickets.current(chat.id)
        return current or await self.desk.start(
            user_id=user.id, chat_id=chat.id, name=name_of(user), source=source_of(update)
        )

    async def _say(self, update: Update, key: str, **values: Any) -> None:
        if update.effective_chat is not None:
            await self.desk.send(update.effective_chat.id, self.desk.screens.say(key, **values))

    async def _send(self, message: Message, screen: Screen) -> None:
        await self.desk.send(message.chat_id, screen)

    async def _send_to(self, ticket: Ticket, screen: Screen) -> None:
        await self.desk.send(ticket.chat_id, screen)
