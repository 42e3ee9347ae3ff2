"""What did somebody say, in a form that may be stored and said again on the other side? Pure: a message in, words out.

What people send is guarded: its secrets are taken out first, and formatting whose place is no longer sure goes with
them. Only formatting that can neither hide nor hold anything is kept.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

from telegram import Message, MessageEntity

from bot.redact import redact
from handlers.mending import cut

TEXT_MAX, CAPTION_MAX = 4096, 1024  # UTF-16 units (Bot API); people who pay write longer captions
NEAR = 100  # letters before the end of a piece in which a better place to cut is looked for
ANSWERED_MAX = 200  # UTF-16 units of what was answered to that are said again
CAPTIONED = ("animation", "photo", "video", "voice", "audio", "document")  # animation first: it is a document, too
FILES = (*CAPTIONED, "video_note", "sticker")
COPIED = ("venue", "location", "contact", "poll", "dice")  # venue first: it is a location, too
PLAIN_STYLES = frozenset(
    {"bold", "italic", "underline", "strikethrough", "spoiler", "code", "blockquote", "expandable_blockquote"}
)
QUOTED_STYLES = frozenset({"bold", "italic", "underline", "strikethrough", "spoiler"})  # a quote has them (Bot API)
LINKS = ("https://", "http://", "tg://", "mailto:", "tel:")
Entities = tuple[dict[str, Any], ...]
Piece = tuple[str, list[MessageEntity]]


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
    quote: str = ""  # the part of that message which was marked …
    quote_entities: Entities = ()
    quote_at: int | None = None  # … and where it begins there, in UTF-16 units
    answered: str = ""  # of a user: words of what he answers, for a side that has no copy of it
    spoiler: bool = False  # a picture that is covered
    above: bool = False  # the caption stands above the picture
    guarded: bool = True  # said by a user: the content of a file is looked at before the staff get it
    replaced: bool = False  # an edit that brought another file

    def to_json(self) -> str:
        """For the table `relayed`."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Said:
        """The inverse of to_json."""
        body = json.loads(text)
        styles = {name: tuple(body.get(name, ())) for name in ("entities", "quote_entities")}
        return cls(**{**body, **styles})

    def pieces(self, head: str) -> list[Piece]:
        """The words with a bold `head` before them, and their formatting, in as many messages as they need.

        The first is the caption of a file, where it is one.
        """
        text, entities = self._under(head)
        begin, found = 0, []
        for piece in _cut(text, TEXT_MAX if self.kind == "text" else CAPTION_MAX):
            if piece.strip() or not begin:
                found.append((piece, _within(entities, begin, begin + length(piece))))
            begin += length(piece)
        return found

    def _under(self, head: str) -> tuple[str, Entities]:
        begin, styled = head, []
        if head:
            styled.append({"type": "bold", "offset": 0, "length": length(head)})
        if self.answered:
            begin += "\n" if head else ""
            styled.append({"type": "blockquote", "offset": length(begin), "length": length(self.answered)})
            begin += f"{self.answered}\n"
        elif head and self.text:
            begin += " "
        shift = length(begin)
        moved = ({**entity, "offset": entity["offset"] + shift} for entity in self.entities)
        return begin + self.text, (*styled, *moved)


def said_of(message: Message, *, guarded: bool) -> Said | None:
    """What a message says; None for one that cannot be said again (a service message, a game, a story)."""
    answers: dict[str, Any] = {**_answers(message, guarded), "guarded": guarded}
    if message.text:
        return Said("text", *_words(message.text, message.entities, guarded), **answers)
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
            spoiler=bool(message.has_media_spoiler),
            above=bool(message.show_caption_above_media),
            **answers,
        )
    kind = next((kind for kind in COPIED if getattr(message, kind)), "")
    return Said(kind, **answers) if kind else None


def _answers(message: Message, guarded: bool) -> dict[str, Any]:
    """What the message answers, and which part of it was marked."""
    answered, marked = message.reply_to_message, message.quote
    found: dict[str, Any] = {"reply_to": answered.message_id if answered else None}
    if marked is not None:
        styles = tuple(one for one in map(_safe, marked.entities or ()) if one and one["type"] in QUOTED_STYLES)
        clean = not guarded or redact(marked.text) == marked.text
        found |= {"quote": marked.text, "quote_entities": styles, "quote_at": marked.position} if clean else {}
    if guarded:  # what the staff answer is theirs
        words = marked.text if marked else words_of(answered) if answered else ""
        found["answered"] = cut(redact(words), ANSWERED_MAX) if words.strip() else ""
    return found


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


def _cut(text: str, most: int) -> Iterator[str]:
    """Pieces of at most `most` UTF-16 units (the first) and TEXT_MAX (the others), after a line or a word."""
    while length(text) > most:
        end = bisect_right(list(accumulate(1 + (letter > "\uffff") for letter in text)), most)
        line, word = (text.rfind(sign, end - NEAR, end) for sign in "\n ")
        end = (line if line >= 0 else word if word >= 0 else end - 1) + 1
        yield text[:end]
        text, most = text[end:], TEXT_MAX
    yield text


def _within(entities: Entities, begin: int, end: int) -> list[MessageEntity]:
    """Those parts of the entities that stand between two places."""
    found = []
    for entity in entities:
        first, last = max(entity["offset"], begin), min(entity["offset"] + entity["length"], end)
        if first < last:
            found.append(MessageEntity.de_json({**entity, "offset": first - begin, "length": last - first}, None))
    return found


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
