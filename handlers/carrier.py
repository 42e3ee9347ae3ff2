"""Says again what was said on the other side: text, files, albums; a text file of a user without its secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from telegram import (
    InputFile,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    MessageEntity,
    ReplyParameters,
)
from telegram.error import BadRequest
from telegram.ext import ExtBot

from bot.parsers.mojibake import decode
from bot.redact import redact
from handlers.said import CAPTIONED, FILES, Piece, Said

CHECKED_MB = 5  # a larger file is not looked into
TEXT_SUFFIXES = (".ini", ".txt", ".log", ".csv", ".json", ".xml", ".conf", ".cfg", ".reg")
OPAQUE = ("image/", "video/", "audio/", "application/zip", "application/pdf")  # media types without readable text
SEEN = ("photo", "video", "animation")  # these may be covered, and have their caption above them
MEDIA = {
    "photo": InputMediaPhoto,
    "video": InputMediaVideo,
    "document": InputMediaDocument,
    "audio": InputMediaAudio,
}


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something is said: the chat, its topic, the message it answers."""

    chat_id: int
    thread_id: int | None = None
    reply_to: int | None = None
    quote: Said | None = None  # says which part of that message was marked

    @property
    def parameters(self) -> dict[str, Any]:
        """As the Bot API takes them; a quoted message that is gone is not quoted."""
        reply = None
        if self.reply_to:
            marked = _marked(self.quote) if self.quote and self.quote.quote else {}
            reply = ReplyParameters(self.reply_to, allow_sending_without_reply=True, **marked)
        return {"chat_id": self.chat_id, "message_thread_id": self.thread_id, "reply_parameters": reply}


def _marked(said: Said) -> dict[str, Any]:
    entities = [MessageEntity.de_json(entity, None) for entity in said.quote_entities]
    return {"quote": said.quote, "quote_entities": entities, "quote_position": said.quote_at}


def _look(said: Said) -> dict[str, Any]:
    return {"has_spoiler": said.spoiler, "show_caption_above_media": said.above} if said.kind in SEEN else {}


@dataclass(frozen=True, slots=True)
class Copies:
    """Numbers of the messages that say it again: one for each part, and those that the rest of long words needed."""

    numbers: tuple[int, ...] = ()
    rest: tuple[int, ...] = ()


def can_be_checked(said: Said) -> bool:
    """False for a user's document that is too large to look into and may hold readable text."""
    return not (
        said.kind == "document"
        and said.guarded
        and said.size_bytes > CHECKED_MB * 2**20
        and (not said.media_type.startswith(OPAQUE) or PurePath(said.file_name).suffix.lower() in TEXT_SUFFIXES)
    )


@dataclass(frozen=True, slots=True)
class Carrier:
    """Sends and edits. All raise TelegramError."""

    bot: ExtBot[Any]

    async def say(self, said: Said, head: str, spot: Spot, origin: tuple[int, int], step: str) -> Copies:
        """Says it there. `origin`: where it was said, for what has no file to send."""
        (text, entities), *more = said.pieces(head)
        if said.kind == "text":
            sent = await self.bot.send_message(text=text, entities=entities, rate_limit_args=step, **spot.parameters)
        elif said.kind in FILES:
            words = {"caption": text, "caption_entities": entities} if said.kind in CAPTIONED else {}
            file = {said.kind: await self._file(said)}
            send = getattr(self.bot, f"send_{said.kind}")
            sent = await send(rate_limit_args=step, **file, **words, **_look(said), **spot.parameters)
        else:
            chat_id, message_id = origin
            copied = await self.bot.copy_message(
                from_chat_id=chat_id, message_id=message_id, rate_limit_args=step, **spot.parameters
            )
            return Copies((copied.message_id,))
        number = int(sent.message_id)
        return Copies((number,), await self._go_on(more, replace(spot, reply_to=number, quote=None), step))

    async def say_album(self, parts: Sequence[Said], head: str, spot: Spot, step: str) -> Copies:
        """2 to 10 parts as one album. The head stands on the first."""
        media: list[Any] = []
        more: list[Piece] = []
        for place, said in enumerate(parts):
            (text, entities), *rest = said.pieces(head if place == 0 else "")
            more += rest
            file = await self._file(said)
            media.append(MEDIA[said.kind](file, caption=text, caption_entities=entities, **_look(said)))
        sent = await self.bot.send_media_group(media=media, rate_limit_args=step, **spot.parameters)
        numbers = tuple(message.message_id for message in sent)
        return Copies(numbers, await self._go_on(more, replace(spot, reply_to=numbers[0], quote=None), step))

    async def _go_on(self, pieces: Sequence[Piece], spot: Spot, step: str) -> tuple[int, ...]:
        """What is left of words that one message could not hold."""
        numbers = []
        for place, (text, entities) in enumerate(pieces, 2):
            named = f"{step} ({place})"
            sent = await self.bot.send_message(text=text, entities=entities, rate_limit_args=named, **spot.parameters)
            numbers.append(sent.message_id)
        return tuple(numbers)

    async def change(self, said: Said, head: str, chat_id: int, message_id: int) -> bool:
        """Makes the copy say what was made of the original; False when the copy cannot."""
        (text, entities), *more = said.pieces(head)
        if more:
            return False
        try:
            if said.kind == "text":
                await self.bot.edit_message_text(text, chat_id, message_id, entities=entities)
            elif said.kind in CAPTIONED:
                above = said.above if said.kind in SEEN else None
                await self.bot.edit_message_caption(
                    chat_id, message_id, caption=text, caption_entities=entities, show_caption_above_media=above
                )
        except BadRequest:  # deleted there, or too old
            return False
        return True

    async def _file(self, said: Said) -> str | InputFile:
        """The file as Telegram knows it; a user's text file that holds a secret is made anew without it."""
        file_id = said.file_id or ""
        if said.kind != "document" or not said.guarded or said.size_bytes > CHECKED_MB * 2**20:
            return file_id
        content = bytes(await (await self.bot.get_file(file_id)).download_as_bytearray())
        clean = await asyncio.to_thread(_without_secrets, content)
        if clean is None:
            return file_id
        suffix = PurePath(said.file_name).suffix.lower()
        return InputFile(clean.encode(), filename=f"fayl{suffix if suffix in TEXT_SUFFIXES else '.txt'}")


def _without_secrets(content: bytes) -> str | None:
    """The text without its secrets; None when there are none, or it is no text."""
    text = decode(content)
    strange = sum((letter < " " and letter not in "\t\r\n\f") or letter == "\ufffd" for letter in text[:65536])
    if strange * 20 > len(text[:65536]):
        return None
    clean = redact(text)
    return None if clean == text else clean
