"""What stands on the outside of an update: whose chat, when sent, which request. Read from raw JSON of any shape."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")


def _at(body: Any, *path: str) -> Any:
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _contents(raw: Any) -> Iterator[dict[str, Any]]:
    if isinstance(raw, dict):
        yield from (value for value in raw.values() if isinstance(value, dict))


def _number(*candidates: Any) -> int:
    return next((c for c in candidates if isinstance(c, int) and abs(c) < 1 << 62), 0)


def update_id_of(raw: Any) -> int | None:
    """The update's id; None when it has none and so can be neither stored nor confirmed."""
    found = _at(raw, "update_id")
    return found if isinstance(found, int) and abs(found) < 1 << 62 else None


def chat_of(raw: Any) -> int:
    """The chat an update belongs to, else its sender, else 0."""
    for content in _contents(raw):
        return _number(_at(content, "chat", "id"), _at(content, "message", "chat", "id"), _at(content, "from", "id"))
    return 0


def sent_at(raw: Any, received_at: float) -> float:
    """When the person sent it, as far as it is told (presses are not); unix seconds."""
    dates = [_number(_at(raw, kind, key)) for kind in ALLOWED_UPDATES[:2] for key in ("edit_date", "date")]
    return min(received_at, float(next((date for date in dates if date), received_at)))


def request_of(raw: Any) -> str | None:
    """The same for the same request: a repeated command, or a press on the same button. None: not a request."""
    sender = _at(raw, "message", "from", "id")
    text = _at(raw, "message", "text")
    if isinstance(text, str) and text.startswith("/"):
        return _digest("command", sender, text.strip())
    query = _at(raw, "callback_query")
    if isinstance(_at(query, "data"), str):
        message = _at(query, "message", "message_id")
        return _digest("press", _at(query, "from", "id"), message, query["data"])
    return None


def _digest(*parts: Any) -> str:
    return blake2b(json.dumps(parts).encode(), digest_size=8).hexdigest()  # a command may hold a secret


def membership_of(raw: Any) -> str | None:
    """The bot's new status in the chat ('kicked', 'member', …), when that is what the update tells."""
    status = _at(raw, "my_chat_member", "new_chat_member", "status")
    return status if isinstance(status, str) else None


def new_id_of(raw: Any) -> int | None:
    """The supergroup this group has become, when that is what the update tells."""
    return _number(_at(raw, "message", "migrate_to_chat_id")) or None
