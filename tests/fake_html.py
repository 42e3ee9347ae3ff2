"""What Telegram makes of a text in parse_mode HTML: the plain text with its entities, or its refusal.

Follows Telegram's own parser (td, MessageEntity.cpp, parse_html): tags, attributes, nesting, words of errors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

TAGS = {
    "a": "text_link",
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "u": "underline",
    "ins": "underline",
    "tg-spoiler": "spoiler",
    "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
    "span": "spoiler",
    "pre": "pre",
    "code": "code",
    "blockquote": "blockquote",
}
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
REFERENCE = re.compile(r"&(?:#x([0-9a-fA-F]{1,8})|#([0-9]{1,8})|(lt|gt|amp|quot));?")
SPACE = " \t\r\n\v\f"


class EntityError(ValueError):
    """The description Telegram would answer, without 'Bad Request: can't parse entities: '."""


@dataclass(slots=True)
class Open:
    """A start tag that waits for its end."""

    name: str
    offset: int
    attributes: dict[str, str]


def utf16_len(text: str) -> int:
    """The length as Telegram counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def unescape(text: str) -> str:
    """Character references replaced as Telegram does: four names and the numeric ones, the rest stays."""

    def letter(found: re.Match[str]) -> str:
        hexadecimal, decimal, name = found.groups()
        if name:
            return NAMED[name]
        code = int(hexadecimal, 16) if hexadecimal else int(decimal)
        return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else found.group()

    return REFERENCE.sub(letter, text)


def parse(html: str) -> tuple[str, list[dict[str, Any]]]:
    """The plain text and its entities (offsets in UTF-16 units). Raises EntityError with Telegram's words."""
    plain: list[str] = []
    length = 0
    entities: list[dict[str, Any]] = []
    nested: list[Open] = []
    at = 0
    while at < len(html):
        end = html.find("<", at)
        end = len(html) if end < 0 else end
        piece = unescape(html[at:end])
        plain.append(piece)
        length += utf16_len(piece)
        if end == len(html):
            break
        if html.startswith("</", end):
            at, entity = _close(html, end, nested, length)
            if entity:
                entities.append(entity)
        else:
            at, opened = _open(html, end, length)
            nested.append(opened)
    if nested:
        raise EntityError(f'Can\'t find end tag corresponding to start tag "{nested[-1].name}"')
    return "".join(plain), sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))


def _byte(html: str, at: int) -> int:
    return len(html[:at].encode("utf-8", "surrogatepass"))


def _open(html: str, begin: int, length: int) -> tuple[int, Open]:
    at = begin + 1
    while at < len(html) and html[at] not in SPACE + ">":
        at += 1
    if at >= len(html):
        raise EntityError(f"Unclosed start tag at byte offset {_byte(html, begin)}")
    name = html[begin + 1 : at].lower()
    if name not in TAGS:
        raise EntityError(f'Unsupported start tag "{name}" at byte offset {_byte(html, begin)}')
    attributes: dict[str, str] = {}
    while True:
        while at < len(html) and html[at] in SPACE:
            at += 1
        if at < len(html) and html[at] == ">":
            break
        at = _attribute(html, at, begin, name, attributes)
    if name == "span" and attributes.get("class") != "tg-spoiler":
        raise EntityError(f'Tag "span" must have class "tg-spoiler" at byte offset {_byte(html, begin)}')
    return at + 1, Open(name, length, attributes)


def _attribute(html: str, at: int, begin: int, name: str, attributes: dict[str, str]) -> int:
    unclosed = EntityError(f'Unclosed start tag "{name}" at byte offset {_byte(html, begin)}')
    start = at
    while at < len(html) and html[at] not in SPACE + "=>":
        at += 1
    key = html[start:at].lower()
    if at >= len(html):
        raise unclosed
    if not key:
        raise EntityError(f'Empty attribute name in the tag "{name}" at byte offset {_byte(html, begin)}')
    while at < len(html) and html[at] in SPACE:
        at += 1
    if at >= len(html):
        raise unclosed
    if html[at] != "=":
        attributes[key] = ""
        return at
    at += 1
    while at < len(html) and html[at] in SPACE:
        at += 1
    if at >= len(html):
        raise unclosed
    if html[at] in "'\"":
        end = html.find(html[at], at + 1)
        if end < 0:
            raise unclosed
        attributes[key] = unescape(html[at + 1 : end])
        return end + 1
    start = at
    while at < len(html) and (html[at].isalnum() or html[at] in ".-"):
        at += 1
    if at >= len(html) or html[at] not in SPACE + ">":
        raise EntityError(f"Unexpected end of name token at byte offset {_byte(html, start)}")
    attributes[key] = html[start:at].lower()
    return at


def _close(html: str, begin: int, nested: list[Open], length: int) -> tuple[int, dict[str, Any] | None]:
    offset = _byte(html, begin)
    if not nested:
        raise EntityError(f"Unexpected end tag at byte offset {offset}")
    at = begin + 2
    while at < len(html) and html[at] not in SPACE + ">":
        at += 1
    found = html[begin + 2 : at].lower()
    while at < len(html) and html[at] in SPACE:
        at += 1
    if at >= len(html) or html[at] != ">":
        raise EntityError(f"Unclosed end tag at byte offset {offset}")
    opened = nested.pop()
    if found not in ("", opened.name):
        raise EntityError(f'Unmatched end tag at byte offset {offset}, expected "</{opened.name}>", found "</{found}>"')
    if length == opened.offset:
        return at + 1, None
    kind = TAGS[opened.name]
    entity: dict[str, Any] = {"type": kind, "offset": opened.offset, "length": length - opened.offset}
    if kind == "text_link":
        if not re.match(r"(https?|tg|tel|mailto)[:/]", opened.attributes.get("href", "")):
            return at + 1, None  # a bad address is dropped in silence
        entity["url"] = opened.attributes["href"]
    if kind == "blockquote" and "expandable" in opened.attributes:
        entity["type"] = "expandable_blockquote"
    return at + 1, entity
