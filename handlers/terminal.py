"""The whole bot without Telegram: the same Application over a Bot API that lives in this process.

`ConsoleApi` answers the library's requests from memory: what a person types becomes an update, what the bot sends
becomes a message on the screen.
"""

from __future__ import annotations

import asyncio
import html
import itertools
import json
import mimetypes
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from telegram.request import BaseRequest, RequestData

PERSON_ID, STAFF_ID = 1, -100
GUEST = "Mehmon"
BOT = {"id": 42, "is_bot": True, "first_name": "MicroSIP Yordam", "username": "microsip_yordam_bot"}
TOKEN = "42:in-process"  # noqa: S105 - of no bot anywhere
STAFF_CHAT = {"id": STAFF_ID, "type": "supergroup", "title": "Operatorlar"}
QUIET_S = 0.15
FILE = "📎"  # what a terminal shows of a file
FILES = frozenset(
    f"send{kind}" for kind in ("photo", "document", "voice", "audio", "video", "animation", "videonote", "sticker")
)
GIFTS = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
_TAG = re.compile(r"<[^<>]{1,200}>")


@dataclass(slots=True)
class Shown:
    """A message of the bot as the person sees it now."""

    message_id: int
    chat_id: int
    text: str
    buttons: list[dict[str, Any]] = field(default_factory=list)


class ConsoleApi(BaseRequest):
    """A Bot API for one person and one staff chat."""

    def __init__(self, on_message: Callable[[Shown], None] | None = None, name: str = GUEST) -> None:
        self.person = {"id": PERSON_ID, "is_bot": False, "first_name": name, "language_code": "uz"}
        self.chat = {"id": PERSON_ID, "type": "private", "first_name": name}
        self.shown: dict[int, Shown] = {}
        self._on_message = on_message
        self._ids = itertools.count(1)
        self._files: dict[str, bytes] = {}
        self._updates: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._called_at = time.monotonic()

    # --- the person's side ---

    def type(self, text: str) -> None:
        """A text message."""
        entities = []
        if text.startswith("/"):
            entities = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
        self._put({"message": self._message(self.chat, self.person, text=text, entities=entities)})

    def press(self, number: int) -> bool:
        """The n-th button of the newest message that has some; False when there is no such button."""
        buttons = self.buttons()
        if not 1 <= number <= len(buttons):
            return False
        message, button = buttons[number - 1]
        if "callback_data" not in button:
            return True  # a copy button: the terminal's own selection does that
        query = {
            "id": str(next(self._ids)),
            "from": self.person,
            "chat_instance": "1",
            "data": button["callback_data"],
            "message": self._message(self.chat, BOT, text=message.text, message_id=message.message_id),
        }
        self._put({"callback_query": query})
        return True

    def buttons(self) -> list[tuple[Shown, dict[str, Any]]]:
        """The buttons that a number presses."""
        private = [s for s in self.shown.values() if s.chat_id == PERSON_ID and s.buttons]
        return [(private[-1], button) for button in private[-1].buttons] if private else []

    def send_file(self, path: Path) -> None:
        """A document or, by its kind, a picture. Raises OSError when it cannot be read."""
        content = path.read_bytes()
        file_id = f"file{next(self._ids)}"
        self._files[file_id] = content
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        part = {"file_id": file_id, "file_unique_id": file_id, "file_size": len(content)}
        if kind in ("image/png", "image/jpeg", "image/webp"):
            body: dict[str, Any] = {"photo": [{**part, "width": 1, "height": 1}]}
        else:
            body = {"document": {**part, "file_name": path.name, "mime_type": kind}}
        self._put({"message": self._message(self.chat, self.person, **body)})

    async def quiet(self, busy: Callable[[], bool]) -> None:
        """Returns when the bot has answered all that was said."""
        self._called_at = time.monotonic()
        while busy() or not self._updates.empty() or time.monotonic() - self._called_at < QUIET_S:  # noqa: ASYNC110 - three conditions
            await asyncio.sleep(0.02)

    def _put(self, update: dict[str, Any]) -> None:
        self._updates.put_nowait({"update_id": next(self._ids), **update})

    def _message(self, chat: dict[str, Any], sender: dict[str, Any], **body: Any) -> dict[str, Any]:
        number = body.pop("message_id", None) or next(self._ids)
        return {"message_id": number, "date": int(time.time()), "chat": chat, "from": sender, **body}

    # --- the library's side ---

    @property
    def read_timeout(self) -> float | None:
        """No limit is needed inside one process."""
        return None

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_timeouts: Any, **_named: Any
    ) -> tuple[int, bytes]:
        """Bot API in, Bot API out."""
        name = url.rsplit("/", 1)[-1].replace("_", "")
        if url.rsplit("/", 1)[-1] in self._files:
            return 200, self._files[url.rsplit("/", 1)[-1]]
        if name.lower() != "getupdates":
            self._called_at = time.monotonic()
        body = {key: json.loads(value) if _is_json(value) else value for key, value in _parameters(request_data)}
        answer: Callable[[dict[str, Any]], Any] | None = getattr(self, f"_on_{name.lower()}", None)
        if name.lower() in FILES:
            answer = self._on_file
        result = answer(body) if answer else True
        if isinstance(result, Awaitable):
            result = await result
        return 200, json.dumps({"ok": True, "result": result}).encode()

    def _on_getme(self, body: dict[str, Any]) -> dict[str, Any]:
        return BOT

    def _on_getchat(self, body: dict[str, Any]) -> dict[str, Any]:
        about = {"accent_color_id": 0, "max_reaction_count": 0, "accepted_gift_types": dict.fromkeys(GIFTS, False)}
        return {**self._chat(body), **about}

    async def _on_getupdates(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            return [await asyncio.wait_for(self._updates.get(), float(body.get("timeout") or 0) or 0.01)]
        except TimeoutError:
            return []

    def _on_getfile(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"file_id": body["file_id"], "file_unique_id": body["file_id"], "file_path": body["file_id"]}

    def _on_sendmessage(self, body: dict[str, Any]) -> dict[str, Any]:
        message = self._message(self._chat(body), BOT, text=body["text"])
        self._show(message["message_id"], body)
        return message

    def _on_file(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._on_sendmessage({**body, "text": f"{FILE} {body.get('caption') or ''}".strip()})

    def _on_sendmediagroup(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        return [self._on_file({**body, **item}) for item in body["media"]]

    def _on_editmessagecaption(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._on_editmessagetext({**body, "text": f"{FILE} {body.get('caption') or ''}".strip()})

    def _on_editmessagetext(self, body: dict[str, Any]) -> dict[str, Any]:
        self._show(int(body["message_id"]), body)
        return self._message(self._chat(body), BOT, text=body["text"], message_id=int(body["message_id"]))

    def _on_copymessage(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"message_id": next(self._ids)}

    def _chat(self, body: dict[str, Any]) -> dict[str, Any]:
        return self.chat if int(body["chat_id"]) == PERSON_ID else STAFF_CHAT

    def _show(self, message_id: int, body: dict[str, Any]) -> None:
        rows = (body.get("reply_markup") or {}).get("inline_keyboard", [])
        text = plain(body["text"]) if body.get("parse_mode") == "HTML" else body["text"]
        shown = Shown(message_id, int(body["chat_id"]), text, [button for row in rows for button in row])
        new = message_id not in self.shown
        self.shown[message_id] = shown
        if new and self._on_message is not None:
            self._on_message(shown)


def plain(telegram_html: str) -> str:
    """A message's text as a terminal shows it."""
    return html.unescape(_TAG.sub("", telegram_html))


def _parameters(data: RequestData | None) -> list[tuple[str, str]]:
    return list(data.json_parameters.items()) if data else []


def _is_json(value: str) -> bool:
    return value[:1] in "{[" and value[-1:] in "}]"
