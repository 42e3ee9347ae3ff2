"""What of what is said in the staff chat is for a user? Replies are, in a ticket's topic anything is; notes never are.

A reply that is edited into a note is a note from then on, and an edit never starts anything: only a new message does.
Words of people who are not of the staff go nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from telegram import Message, Update
from telegram.ext import ContextTypes, filters

from bot.model import EventKind
from bot.relayed import Fate, Row
from handlers.actions import Actions
from handlers.carrier import Spot
from handlers.people import name_of
from handlers.relay import Relay
from handlers.said import bare_note, file_of, is_note, said_of, stays_here, words_of

Context = ContextTypes.DEFAULT_TYPE
# What looks like an order, under a picture too; a note there is none.
ORDERED = filters.COMMAND | filters.CaptionRegex(r"(?i)^\s*/(?!/|note\b)\w")
SAID = filters.ChatType.GROUPS & filters.UpdateType.MESSAGE & ~filters.COMMAND & ~filters.StatusUpdate.ALL


@dataclass(slots=True)
class Talk:
    """The handlers of what is said in the staff chat and is no command, or none that there is."""

    relay: Relay
    actions: Actions

    async def from_staff(self, update: Update, context: Context) -> None:
        """A message in a ticket's topic, or a reply to its card or to what its user said; new or edited."""
        message, user = update.effective_message, update.effective_user
        if message is None or user is None or message.chat_id != self.relay.staff.chat_id:
            return
        known = await self.relay.rows.get(message.chat_id, message.message_id)
        number = known.ticket if known else await self._ticket_of(message)
        if number is None:
            await self._of_nobody(update, message)
            return
        if not self.relay.staff.allowed(update):
            await self._stranger(message, number, user.id)
        elif update.edited_message is None:
            await self._written(message, number, name_of(user), f"update:{update.update_id}")
        elif known is None:
            await self._say(message, "relay.not_by_edit")
        else:
            await self._rewritten(message, known, name_of(user), f"update:{update.update_id}")

    async def no_order(self, update: Update, context: Context) -> None:
        """An order that is none: mistyped, forwarded, under a picture. It goes nowhere, and who gave it is told."""
        message = update.effective_message
        if message is None or not self.relay.staff.allowed(update):
            return
        if message.media_group_id and (number := await self._ticket_of(message)) is not None:
            await self._stays(message, number)
        if _of_another_bot(message):
            return
        if message.forward_origin is not None:
            await self._say(message, "staff.not_forwarded")
        else:
            await self._say(message, "staff.no_command" if message.text else "staff.not_in_caption")

    async def _of_nobody(self, update: Update, message: Message) -> None:
        """An answer to a list of those who wait, or to an incident, looks like one to them; that it is none is said."""
        answered = message.reply_to_message
        if answered is None or update.edited_message is not None or stays_here(words_of(message)):
            return
        if answered.from_user != message.get_bot().bot:  # the staff among themselves, under an order
            return
        tickets = self.relay.staff.tickets
        if await tickets.mentions(message.chat_id, answered.message_id) and self.relay.staff.allowed(update):
            await self._say(message, "relay.whose")

    async def _ticket_of(self, message: Message) -> int | None:
        thread_id = message.message_thread_id if message.is_topic_message else None
        if thread_id is not None:
            number = await self.relay.staff.board.topics.rows.at(message.chat_id, thread_id)
            if number is not None:
                return number
        if message.reply_to_message is None:
            return None
        said_to = (message.chat_id, message.reply_to_message.message_id)
        copy = await self.relay.rows.copied(*said_to)
        return copy.ticket if copy else await self.relay.staff.tickets.by_post(*said_to)

    async def _written(self, message: Message, number: int, by: str, source: str) -> None:
        text, place, album = words_of(message), (message.chat_id, message.message_id), message.media_group_id
        if (await self.actions.desk.fresh(number)).emptied:
            await self._say(message, "staff.emptied", number=number)
            return
        if stays_here(text) or await self._of_a_note(message):
            await self._stays(message, number)
            if is_note(text):
                await self.actions.note(number, bare_note(text), by, source=source)
                await self.relay.receipts.noted(Row(*place, number, Fate.NOTE))
            return
        said = said_of(message, guarded=False)
        if said is None:
            await self._say(message, "relay.cannot")
            return
        await self._log(number, text, by, source, said.kind)
        row = Row(*place, number, Fate.WAITING, album, file_of(message), said.to_json())
        await self.relay.rows.keep(row)
        self.relay.spawn(row)

    async def _rewritten(self, message: Message, known: Row, by: str, source: str) -> None:
        """An edit of the staff: of a note, of a reply, or of one into the other."""
        text, place = words_of(message), (message.chat_id, message.message_id)
        if known.fate is Fate.NOTE or stays_here(text):
            await self.relay.rows.settle(*place, Fate.NOTE)
            await self._all_parts_stay(message.chat_id, message.media_group_id)
            await self.actions.note(known.ticket, bare_note(text), by, source=source)
            if known.fate is Fate.SENT:
                await self._say(message, "relay.seen_already")
            elif known.fate is Fate.NOTE and not stays_here(text):
                await self._say(message, "relay.stays_note")
            return
        said = said_of(message, guarded=False)
        if said is None or known.fate not in (Fate.SENT, Fate.WAITING):
            await self._say(message, "relay.not_by_edit")
            return
        await self._log(known.ticket, text, by, source, said.kind, edited=True)
        file = file_of(message)
        await self.relay.rows.change(*place, replace(said, replaced=file != known.file).to_json(), file)
        self.relay.spawn(known)

    async def _of_a_note(self, message: Message) -> bool:
        """Whether it is a part of an album whose words are a note: they stand on one part and mean all."""
        album = message.media_group_id
        parts = await self.relay.rows.album(message.chat_id, album) if album else []
        return any(part.fate is Fate.NOTE for part in parts)

    async def _stays(self, message: Message, number: int) -> None:
        """Nothing of it, and of the album it is a part of, is for the user."""
        album = message.media_group_id
        await self.relay.rows.keep(Row(message.chat_id, message.message_id, number, Fate.NOTE, album))
        await self._all_parts_stay(message.chat_id, album)

    async def _all_parts_stay(self, chat_id: int, album: str | None) -> None:
        for part in await self.relay.rows.album(chat_id, album) if album else ():
            await self.relay.rows.settle(chat_id, part.message_id, Fate.NOTE)

    async def _log(self, number: int, text: str, by: str, source: str, media: str, *, edited: bool = False) -> None:
        body: dict[str, Any] = {"text": text, "by": by, "media": media, **({"edited": True} if edited else {})}
        await self.relay.staff.tickets.append(number, EventKind.STAFF_MESSAGE, body, source=source)
        self.actions.desk.on_change(number)

    async def _stranger(self, message: Message, number: int, user_id: int) -> None:
        """Somebody who is not of the staff speaks to a user: he is told once that it goes nowhere."""
        met = await self.relay.rows.met(message.chat_id, user_id)
        await self.relay.rows.keep(Row(message.chat_id, message.message_id, number, Fate.STRANGER, by_id=user_id))
        if not met:
            await self._say(message, "relay.not_staff")

    async def _say(self, message: Message, key: str, **values: object) -> None:
        thread_id = message.message_thread_id if message.is_topic_message else None
        await self.relay.receipts.say(Spot(message.chat_id, thread_id, message.message_id), key, **values)


def _of_another_bot(message: Message) -> bool:
    _, _, name = words_of(message).split(maxsplit=1)[0].partition("@")
    return bool(name) and name.lower() != (message.get_bot().username or "").lower()
