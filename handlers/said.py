"""What did somebody say, in a form that may be stored and said again on the other side? Pure: a message in, words out.

What people send is guarded: its secrets are taken out first, and formatting whose place is no longer sure goes with
them. Only formatting that can neither hide nor hold anything is kept.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from telegram import Message, MessageEntity

from bot.redact import redact
from handlers.mending import cut

TEXT_MAX, CAPTION_MAX = 4096, 1024  # UTF-16 units (Bot API)
CAPTIONED = ("animation", "photo", "video", "voice", "audio", "document")  # animation first: it is a document, too
FILES = (*CAPTIONED, "video_note", "sticker")
COPIED = ("venue", "location", "contact", "poll", "dice")  # venue first: it is a location, too
PLAIN_STYLES = frozenset(
    {"bold", "italic", "underline", "strikethrough", "spoiler", "code", "blockquote", "expandable_blockquote"}
)
LINKS = ("https://", "http://", "tg://", "mailto:", "tel:")
Entities = tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Said:
    """One message: its kind, its words and what is needed to send its file again."""

    kind: str  # 'text', one of FILES or of COPIED
    text: str = ""
    entities: Entities = ()
    file_id: str | None = None
    file_name: str = ""
    media_type: str = ""
    size_bytes: int = 0
    reply_to: int | None = None  # the message it answers, in its own chat
    guarded: bool = True  # said by a user: the content of a file is looked at before the staff get it
    replaced: bool = False  # an edit that brought another file

    def to_json(self) -> str:
        """For the table `relayed`."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Said:
        """The inverse of to_json."""
        body = json.loads(text)
        return cls(**{**body, "entities": tuple(body["entities"])})

    def under(self, head: str, most: int | None = None) -> tuple[str, list[MessageEntity]]:
        """The words with a bold `head` before them, and their formatting; where both are too long, without it."""
        most = most or (TEXT_MAX if self.kind == "text" else CAPTION_MAX)
        begin = f"{head} " if head and self.text else head
        if length(begin) + length(self.text) > most:
            begin = ""
        shift = length(begin)
        bold = [MessageEntity("bold", 0, length(begin.rstrip()))] if begin else []
        moved = [MessageEntity.de_json({**e, "offset": e["offset"] + shift}, None) for e in self.entities]
        text = f"{begin}{self.text}"
        return (cut(text, most) if text else ""), [*bold, *(e for e in moved if e.offset + e.length <= most)]


def said_of(message: Message, *, guarded: bool) -> Said | None:
    """What a message says; None for one that cannot be said again (a service message, a game, a story)."""
    reply_to = message.reply_to_message.message_id if message.reply_to_message else None
    if message.text:
        return Said("text", *_words(message.text, message.entities, guarded), reply_to=reply_to, guarded=guarded)
    for kind in FILES:
        if not (part := getattr(message, kind)):
            continue
        part = part[-1] if kind == "photo" else part
        words = _words(message.caption, message.caption_entities, guarded) if message.caption else ("", ())
        return Said(
            kind,
            *words,
            file_id=part.file_id,
            file_name=getattr(part, "file_name", None) or "",
            media_type=getattr(part, "mime_type", None) or "",
            size_bytes=part.file_size or 0,
            reply_to=reply_to,
            guarded=guarded,
        )
    kind = next((kind for kind in COPIED if getattr(message, kind)), "")
    return Said(kind, reply_to=reply_to, guarded=guarded) if kind else None


def file_of(message: Message) -> str | None:
    """What tells the file of a message from another; None: it has none."""
    for kind in FILES:
        if part := getattr(message, kind):
            unique = (part[-1] if kind == "photo" else part).file_unique_id
            return str(unique)
    return None


def words_of(message: Message) -> str:
    """The text or the caption."""
    return message.text or message.caption or ""


def stays_here(text: str) -> bool:
    """Whether words of the staff are for the staff: a note (`//`), or a command."""
    return text.lstrip().startswith("/")


def is_note(text: str) -> bool:
    """Whether they are a note and no other command."""
    first, _, _ = text.lstrip().partition(" ")
    return first.startswith("//") or first.lower().split("@")[0] == "/note"


def bare_note(text: str) -> str:
    """A note without its sign."""
    text = text.lstrip()
    if text.startswith("//"):
        return text[2:].strip()
    return text.partition(" ")[2].strip() if is_note(text) else text


def length(text: str) -> int:
    """As Telegram counts: UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _words(text: str, entities: tuple[MessageEntity, ...], guarded: bool) -> tuple[str, Entities]:
    kept = tuple(found for entity in entities if (found := _safe(entity)) is not None)
    if not guarded:
        return text, kept
    clean = redact(text)
    return clean, kept if clean == text else fitting(kept, text, clean)


def _safe(entity: MessageEntity) -> dict[str, Any] | None:
    place: dict[str, Any] = {"type": str(entity.type), "offset": entity.offset, "length": entity.length}
    if entity.type in PLAIN_STYLES:
        return place
    if entity.type == "pre":  # its language is a word of the sender's: it could hold anything
        return place
    url = entity.url or ""
    if entity.type == "text_link" and url.startswith(LINKS) and redact(url) == url:
        return {**place, "url": url}
    return None


def fitting(entities: Entities, before: str, after: str) -> Entities:
    """Those entities of a text that surely mean the same letters of what became of it."""
    same_begin = 0
    for old, new in zip(before, after, strict=False):
        if old != new:
            break
        same_begin += 1
    most = min(len(before), len(after)) - same_begin
    same_end = next((n for n in range(most) if before[-1 - n] != after[-1 - n]), most)
    begin, end = length(before[:same_begin]), length(before) - length(before[len(before) - same_end :])
    shift = length(after) - length(before)
    return tuple(
        entity if entity["offset"] + entity["length"] <= begin else {**entity, "offset": entity["offset"] + shift}
        for entity in entities
        if entity["offset"] + entity["length"] <= begin or entity["offset"] >= end
    )
