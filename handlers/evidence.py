"""What people send as evidence: words, files, pictures, albums. Secrets first, then reading, then the next move."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from telegram import InputFile, Message, Update
from telegram.constants import ChatType
from telegram.error import TelegramError
from telegram.ext import ContextTypes

from bot.attachments import Attachments
from bot.casefile import fold
from bot.folding import fold as folded
from bot.limits import PICTURES_AT_ONCE
from bot.model import EventKind, Evidence, Kind, Reading, Status, Ticket
from bot.parsers import is_picture
from bot.parsers.field_marks import ORDER, wrong_names
from bot.parsers.microsip_ini import decode_ini
from bot.patience import in_hands, was_in_hands
from bot.redact import holds_secret, redact
from handlers.carrier import can_be_checked
from handlers.desk import Desk
from handlers.intake import EXTENSION
from handlers.keeping import Keepable, keepable
from handlers.people import Person, person_of
from handlers.pictures import LABEL
from handlers.rating import Ratings
from handlers.relay import Relay
from handlers.reply import Screen
from handlers.said import Said, said_of

log = logging.getLogger(__name__)
Context = ContextTypes.DEFAULT_TYPE
TEXT_KB, FILE_MB, PICTURE_MB = 64, 5, 10
SIP_CODES = frozenset({"401", "403", "404", "405", "408", "480", "486", "500", "502", "503", "504"})
ALBUM_S = 2.0  # an album has no end mark: what came within this time belongs together
INI_NAME = "MicroSIP.ini"  # the name is ours, never the sender's


@dataclass(slots=True)
class Inflow:
    """The handler of every message that is no command."""

    desk: Desk
    relay: Relay
    rating: Ratings
    attachments: Attachments
    _albums: Counter[str] = field(default_factory=Counter)
    _pictures: Counter[int] = field(default_factory=Counter)

    async def message(self, update: Update, context: Context) -> None:
        """A message, new or edited (an edit is a new version of the evidence)."""
        message, person = update.effective_message, person_of(update)
        if message is None or person is None:
            return
        if holds_secret(message.text or message.caption or ""):
            await self._hide(message)
        edited = message.edit_date is not None
        if edited and await self.desk.tickets.current(person.chat_id) is None:
            return  # an edit starts nothing
        if message.text and not edited and await self.rating.comment(person, message.text):
            return
        if message.document or message.photo:
            await self._file(person, message)
        elif message.text:
            await self._text(person, message, message.text)
        else:
            await self._unread(person, message)

    async def _unread(self, person: Person, message: Message) -> None:
        """What no parser reads: the staff hear it, when a person has or had the case."""
        current = await self.desk.tickets.current(person.chat_id)
        heard = message.voice or message.audio or message.video_note or message.video
        if current is None and heard and (closed := await self.desk.closed_lately(person.chat_id)):
            current = await self.desk.open_ticket(person) if was_in_hands(closed) else None
        if not await self._passed_on(person, message, current):
            await self._say(person, "media.voice" if heard else "media.other")

    async def _passed_on(
        self, person: Person, message: Message, ticket: Ticket | None, instead: Said | None = None
    ) -> bool:
        """What is said in a case that a person has, or is to have, reaches the staff; False: it is the bot's."""
        if ticket is None or not in_hands(ticket):
            return False
        if answer := await self.relay.from_user(ticket, message, person, instead):
            await self.desk.post.send(person.chat_id, Screen(answer))
        return True

    # --- words ---

    async def _text(self, person: Person, message: Message, text: str) -> None:
        current = await self.desk.tickets.current(person.chat_id)
        bare = text.strip()
        a_number = current is not None and EXTENSION.fullmatch(bare)
        if current and a_number and (fold(current).asked is Kind.EXTENSION or bare not in SIP_CODES):
            await self.desk.name_extension(current, bare, source=person.source)
            await self._say(person, "case.extension_known", extension=bare)
            await self._passed_on(person, message, current)
            await self.desk.go_on(current.number)
            return
        if current is None and self._good_bye(text) and await self.desk.closed_lately(person.chat_id):
            await self._say(person, "relay.welcome")
            return
        if len(text.encode()) > TEXT_KB * 1024:
            await self._say(person, "media.too_long", limit_kb=TEXT_KB)
        evidence = Evidence(text=text)
        await self._take(person, message, evidence, "text", await self.desk.read(current, evidence))

    # --- files ---

    async def _file(self, person: Person, message: Message) -> None:
        part = message.document or message.photo[-1]
        declared = message.document.mime_type or "" if message.document else "image/jpeg"
        limit_mb = PICTURE_MB if declared.startswith("image/") else FILE_MB
        size_mb = (part.file_size or 0) / 2**20
        if size_mb > limit_mb:
            said = said_of(message, guarded=True)
            current = await self.desk.tickets.current(person.chat_id)
            if said and can_be_checked(said) and await self._passed_on(person, message, current):
                return
            await self._say(person, "media.too_big", size_mb=round(size_mb), limit_mb=limit_mb)
            return
        if self._pictures[person.chat_id] >= PICTURES_AT_ONCE:
            await self._say(person, "limit.pictures", count=PICTURES_AT_ONCE)
            return
        self._pictures[person.chat_id] += 1
        try:
            content = bytes(await (await part.get_file()).download_as_bytearray())
            await self._content(person, message, content, declared)
        except TelegramError:
            await self._say(person, "media.not_fetched")
        finally:
            self._pictures[person.chat_id] -= 1

    async def _content(self, person: Person, message: Message, content: bytes, declared: str) -> None:
        if is_picture(content) and not self.desk.reads_pictures:
            ticket = await self.desk.open_ticket(person)
            if await self._passed_on(person, message, ticket):
                return
            if await self.relay.from_user(ticket, message, person):
                await self._say(person, "media.picture")
            return
        evidence = Evidence(text=message.caption, content=content, media_type=declared)
        media = "photo" if is_picture(content) else "document"
        current = await self.desk.tickets.current(person.chat_id)
        readings = await self.desk.read(current, evidence)
        drawn = None
        for reading in readings:
            if reading.kind is Kind.MICROSIP_SCREEN:
                drawn = await self.desk.pictures.answer(person.chat_id, content, reading)
            elif reading.kind is Kind.MICROSIP_INI:
                await self._offer_corrected(person, content, reading)
        told = await self.desk.read(current, Evidence(text=message.caption)) if message.caption else ()
        kept = keepable(content, tuple(reading for reading in readings if reading not in told), drawn)
        shown = any(reading.facts.get("password_shown") for reading in readings)  # the file itself goes nowhere
        await self._take(person, message, evidence, media, readings, kept, self._hidden(message) if shown else None)
        ini = any(reading.kind is Kind.MICROSIP_INI for reading in readings) and holds_secret(decode_ini(content) or "")
        if ini or shown:
            await self._hide(message)

    def _hidden(self, message: Message) -> Said:
        """What the staff are told instead of a picture that shows a password."""
        word = self.desk.screens.words.plain("relay.password_in_picture")
        return Said("text", f"{word}\n{redact(message.caption or '')}".strip())

    async def _offer_corrected(self, person: Person, content: bytes, reading: Reading) -> None:
        """Their own file with only the wrong keys changed; it is made now, for the bytes are not kept."""
        current = await self.desk.tickets.current(person.chat_id)
        corrected = self.desk.corrected_ini(current, content)
        if corrected is None or corrected == content:
            return
        words = self.desk.screens.words
        case = fold(current) if current else None
        ui = case.ui_language if case else None
        wrong = ", ".join(
            words.bare_label(LABEL.get(name, name), ui) for name in ORDER if name in wrong_names([*reading.findings])
        )
        await self.desk.post.bot.send_document(
            person.chat_id,
            InputFile(corrected, filename=INI_NAME),
            caption=words.html("ini.corrected", ui, fields=wrong or "–"),
            parse_mode="HTML",
            rate_limit_args="corrected",
        )

    # --- both ---

    async def _take(
        self,
        person: Person,
        message: Message,
        evidence: Evidence,
        media: str,
        readings: tuple[Reading, ...],
        kept: Keepable | None = None,
        instead: Said | None = None,
    ) -> None:
        """Logs what was read and goes on. `instead`: what the staff are told of a message they must not see."""
        current = await self.desk.tickets.current(person.chat_id)
        closed = await self.desk.closed_lately(person.chat_id) if current is None else None
        if current is None and closed is None and not readings and media == "text":
            await self.desk.post.send(person.chat_id, self.desk.screens.begin("case.not_started"))
            return
        if not await self._allowed(person, "evidence" if current else "case"):
            return
        ticket = current or await self.desk.open_ticket(person)
        text = evidence.text or ""
        size = len(evidence.content or text.encode())
        source = f"{person.source}:evidence"
        name = await self._keep(ticket.number, kept)
        await self.desk.add(ticket, readings, text=text, source=source, media=media, size=size, attachment=name)
        if closed is not None:
            await self._say(person, "relay.reopened", number=ticket.number)
        passed_on = await self._passed_on(person, message, ticket, instead)
        if ticket.status is Status.ESCALATED:
            if readings:  # the card says what was read; mere words stand beside it
                self.desk.on_change(ticket.number)
            return
        if readings or current is None:
            await self._go_on(ticket.number, album=message.media_group_id)
        elif not passed_on and await self._first_of_album(message):
            await self._unreadable(person, await self.desk.fresh(ticket.number))

    async def _keep(self, number: int, kept: Keepable | None) -> str | None:
        """The name of the file that was kept; None when nothing was. A full disk stops no diagnosis."""
        if kept is None:
            return None
        try:
            return await asyncio.to_thread(self.attachments.keep, number, kept.content, kept.suffix)
        except OSError:
            log.exception("an attachment of ticket %d could not be written", number)
            return None

    async def _unreadable(self, person: Person, ticket: Ticket) -> None:
        """First: what was wrong and an example. Second: go on without it."""
        case = fold(ticket)
        if case.asked is None:
            await self._say(person, "ask.unreadable" if case.settled else "case.running")
        elif case.unclear < 2:
            screen = self.desk.screens.unreadable(ticket.number, case.asked, ui=case.ui_language)
            await self.desk.post.send(person.chat_id, screen)
        else:
            await self.desk.tickets.append(ticket.number, EventKind.SKIPPED, {"question": case.asked.value})
            await self._say(person, "ask.moved_on")
            await self.desk.go_on(ticket.number)

    async def _allowed(self, person: Person, wanted: str) -> bool:
        refusal = await self.desk.refusal(person.user_id, wanted)
        if refusal is not None:
            await self.desk.post.send(person.chat_id, refusal)
        return refusal is None

    async def _first_of_album(self, message: Message) -> bool:
        """Whether this is the picture of an album that is answered; the others are silent."""
        group = message.media_group_id
        if group is None:
            return True
        self._albums[group] += 1
        return self._albums[group] == 1

    async def _go_on(self, number: int, album: str | None) -> None:
        """At once; of an album, when it is whole."""
        await self.desk.go_on(number, self._album_is_over(album) if album else None)

    async def _album_is_over(self, group: str) -> bool:
        """One move for a whole album: the last picture of it makes it."""
        self._albums[group] += 1
        mine = self._albums[group]
        await asyncio.sleep(ALBUM_S)
        if self._albums[group] != mine:
            return False
        del self._albums[group]
        return True

    def _good_bye(self, text: str) -> bool:
        """Whether these are nothing but thanks: no reason to open anything again."""
        known = set(self.desk.screens.words.plain("relay.thanks").split())
        return set(re.findall(r"\w+", folded(text))) <= known

    async def _hide(self, message: Message) -> None:
        """A message with a password disappears from the chat, where that is allowed."""
        key = "case.secret_kept"
        if message.chat.type == ChatType.PRIVATE:
            try:
                await message.delete()
                key = "case.secret_deleted"
            except TelegramError:
                pass
        await self.desk.post.send(message.chat_id, self.desk.screens.say(key))

    async def _say(self, person: Person, key: str, **values: Any) -> None:
        await self.desk.post.send(person.chat_id, self.desk.screens.say(key, **values))
