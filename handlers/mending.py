"""A call failed: what does that mean for the person, and how can the same be said so that Telegram takes it?"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from telegram import InputMedia, ReplyParameters
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

TAG = re.compile(
    r"</?(?:a|b|strong|i|em|s|strike|del|u|ins|tg-spoiler|tg-emoji|tg-time|span|pre|code|blockquote)"
    r"(?:\s[^<>]*)?>",
    re.IGNORECASE,
)
LONGEST_UTF16 = {"text": 4096, "caption": 1024}
# Named, not imported: the transport may be any BaseRequest, and only these come before the first byte left.
NOT_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "ConnectionRefusedError", "gaierror"}
NOT_THERE = ("message to edit not found", "message can't be edited", "message_id_invalid")
NOT_QUOTED = ("quote_text_invalid", "quote not found")
DONE_ALREADY = ("message is not modified", "message to delete not found", "topic_not_modified")


class Fate(StrEnum):
    """What became of a call that raised."""

    NOT_SENT = "not_sent"  # it never left, or Telegram refused it for now
    FAILED_THERE = "failed_there"  # Telegram's side said that it failed (5xx)
    LOST = "lost"  # the answer is missing: it may have been done
    REFUSED = "refused"  # Telegram understood and said no


def fate(error: TelegramError) -> Fate:
    """The fate of a call that ended in this error."""
    if isinstance(error, RetryAfter):
        return Fate.NOT_SENT
    if isinstance(error, BadRequest | ChatMigrated | Forbidden | InvalidToken):
        return Fate.REFUSED
    if isinstance(error, NetworkError):
        cause = error.__cause__
        if type(cause).__name__ in NOT_SENT:
            return Fate.NOT_SENT
        if type(error) is NetworkError and (cause is None or isinstance(cause, TelegramError)):
            return Fate.FAILED_THERE
        return Fate.LOST
    if type(error) is TelegramError:  # an answer that is no JSON
        return Fate.LOST
    return Fate.REFUSED


def seconds_of(error: RetryAfter) -> float:
    """How long Telegram wants to be left alone."""
    pause = error.retry_after
    return float(pause) if isinstance(pause, int) else pause.total_seconds()


def done_already(error: TelegramError) -> bool:
    """Refused because it stands so already: as good as success."""
    return isinstance(error, BadRequest) and any(words in str(error).lower() for words in DONE_ALREADY)


def not_there(error: TelegramError) -> bool:
    """Whether a message of ours could not be edited because somebody deleted it."""
    return isinstance(error, BadRequest) and any(words in str(error).lower() for words in NOT_THERE)


def sendable(body: Mapping[str, Any]) -> dict[str, Any]:
    """A copy whose words can be encoded: half a character (from a paste cut in the middle) becomes '?'."""
    return {
        key: value.encode("utf-8", "replace").decode() if key in LONGEST_UTF16 and isinstance(value, str) else value
        for key, value in body.items()
    }


def mended(body: dict[str, Any], error: TelegramError) -> dict[str, Any] | None:
    """The same call in a form that will be taken; None where there is none.

    Markup that cannot be parsed and texts that are too long are said in plain words, cut at Telegram's length;
    a quoted message that is gone is not quoted, nor words that it does not say.
    """
    words = str(error).lower()
    if not isinstance(error, BadRequest):
        return None
    if "message to be replied not found" in words or "replied message not found" in words:
        return {key: value for key, value in body.items() if key not in ("reply_parameters", "reply_to_message_id")}
    reply = body.get("reply_parameters")
    if isinstance(reply, ReplyParameters) and any(known in words for known in NOT_QUOTED):
        return {**body, "reply_parameters": ReplyParameters(reply.message_id, allow_sending_without_reply=True)}
    if any(known in words for known in ("can't parse entities", "message is too long", "caption is too long")):
        return _plain_body(body)
    return None


def _plain_body(body: dict[str, Any]) -> dict[str, Any]:
    dropped = ("parse_mode", "entities", "caption_entities")
    new = {key: value for key, value in body.items() if key not in dropped}
    is_html = bool(body.get("parse_mode"))
    for field, longest in LONGEST_UTF16.items():
        if isinstance(new.get(field), str) and new[field]:
            new[field] = cut(plain(new[field]) if is_html else new[field], longest)
    if "media" in new and isinstance(new["media"], list | tuple):
        new["media"] = [_plain_media(item) for item in new["media"]]
    return new


def _plain_media(item: Any) -> Any:
    if not isinstance(item, InputMedia) or not item.caption:
        return item
    caption = cut(plain(item.caption), LONGEST_UTF16["caption"])
    return type(item)(media=item.media, caption=caption, parse_mode=None)  # type: ignore[call-arg]


def plain(markup: str) -> str:
    """The text without Telegram's own tags; what only looks like a tag stays readable."""
    return html.unescape(TAG.sub("", markup))


def cut(text: str, longest_utf16: int) -> str:
    """At most so many UTF-16 units, with an ellipsis where something is missing; never empty."""
    units = text.encode("utf-16-le", "replace")
    if len(units) <= 2 * longest_utf16:
        return text if text.strip() else "…"
    return units[: 2 * (longest_utf16 - 1)].decode("utf-16-le", "ignore") + "…"
