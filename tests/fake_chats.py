"""What the fake Telegram remembers: chats, messages, files, and the updates that wait for the bot."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Literal

JSON = dict[str, Any]
BOT: JSON = {"id": 4242, "is_bot": True, "first_name": "Yordam", "username": "yordam_bot"}
TOKEN = "4242:TEST-token_of-the-fake-server"


class Refusal(Exception):  # noqa: N818 - the word of the trade
    """The answer Telegram gives instead of a result."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


def bad(description: str, **parameters: Any) -> Refusal:
    """400 with Telegram's prefix."""
    return Refusal(400, f"Bad Request: {description}", **parameters)


@dataclass(frozen=True, slots=True)
class Button:
    """An inline button as a person sees it."""

    text: str
    data: str | None  # None: it opens an address or copies a text


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as it stands in the chat now."""

    message_id: int
    by: int  # the sender's id; the bot's is BOT["id"]
    text: str  # plain, or a caption; '' without
    buttons: tuple[tuple[Button, ...], ...]
    thread_id: int | None
    raw: JSON

    @property
    def from_bot(self) -> bool:
        """Whether the bot wrote it."""
        return self.by == int(BOT["id"])


@dataclass(slots=True)
class Chat:
    """A chat and its messages, oldest first."""

    id: int
    body: JSON  # Telegram's Chat object
    state: Literal["ok", "blocked", "kicked"] = "ok"
    migrated_to: int | None = None
    bot_is_admin: bool = True
    bot_has_topics: bool = True  # the right can_manage_topics
    messages: dict[int, JSON] = field(default_factory=dict)
    topics: dict[int, JSON] = field(default_factory=dict)
    reactions: dict[int, list[JSON]] = field(default_factory=dict)

    @property
    def private(self) -> bool:
        """A person's chat with the bot."""
        return self.id > 0

    @property
    def may_manage_topics(self) -> bool:
        """Whether the bot may make and change topics."""
        return self.bot_is_admin and self.bot_has_topics


@dataclass(slots=True)
class File:
    """A file on Telegram's servers; `size` may claim more than `content` holds."""

    file_id: str
    content: bytes
    name: str
    size: int


class Chats:
    """The whole state. Its owner holds a lock around every call."""

    def __init__(self) -> None:
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, File] = {}
        self.people: dict[int, JSON] = {}
        self.queue: list[JSON] = []  # not confirmed yet
        self.confirmed: list[int] = []
        self.allowed: list[str] | None = None
        self.webhook_url = ""
        self.queries: dict[str, float] = {}  # callback query id -> when pressed
        self.callback_ttl_s = 15.0
        self._update_id = 700_000_000
        self._message_id = 100
        self._serial = 0

    def serial(self) -> int:
        """A number never used before."""
        self._serial += 1
        return self._serial

    def message_id(self) -> int:
        """The next message's id."""
        self._message_id += 1
        return self._message_id

    def push(self, kind: str, body: Any, update_id: int | None = None) -> int:
        """Queues an update unless the bot did not ask for its kind; its id, or 0 when not wanted."""
        default = kind not in ("chat_member", "message_reaction", "message_reaction_count")
        if not (kind in self.allowed if self.allowed else default):
            return 0
        self._update_id = max(self._update_id + 1, update_id or 0)
        self.queue.append({"update_id": update_id or self._update_id, kind: body})
        return update_id or self._update_id

    def chat(self, chat_id: Any) -> Chat:
        """The chat the bot may write to. Raises Refusal as Telegram does."""
        try:
            found = self.chats.get(int(chat_id))
        except (TypeError, ValueError):
            found = None
        if found is None:
            raise bad("chat not found")
        if found.migrated_to is not None:
            raise bad(
                "group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=found.migrated_to,
            )
        if found.state == "blocked":
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        if found.state == "kicked":
            kind = found.body["type"]
            raise Refusal(403, f"Forbidden: bot was kicked from the {kind} chat")
        return found

    def add(self, chat: Chat, sender: JSON, **body: Any) -> JSON:
        """A new message in a chat."""
        message: JSON = {
            "message_id": self.message_id(),
            "from": sender,
            "chat": chat.body,
            "date": int(time.time()),
            **{key: value for key, value in body.items() if value is not None},
        }
        if message.get("message_thread_id"):
            message["is_topic_message"] = True
        chat.messages[message["message_id"]] = message
        return message

    def keep(self, content: bytes, name: str, size: int | None = None) -> File:
        """A file with a new id."""
        kept = File(f"FILE-{self.serial()}", content, name, len(content) if size is None else size)
        self.files[kept.file_id] = kept
        return kept


def shown(message: JSON) -> Shown:
    """The message as a person sees it."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return Shown(
        message["message_id"],
        message["from"]["id"],
        str(message.get("text") or message.get("caption") or ""),
        tuple(tuple(Button(button["text"], button.get("callback_data")) for button in row) for row in rows),
        message.get("message_thread_id"),
        message,
    )
