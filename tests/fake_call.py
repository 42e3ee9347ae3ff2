"""One call to the fake Bot API: its parameters read and checked as Telegram checks them."""

from __future__ import annotations

import json
from typing import Any

from tests import fake_html
from tests.fake_chats import BOT, JSON, Chat, Chats, bad

Uploads = dict[str, tuple[str, bytes]]  # field -> file name, content


class Call:
    """The parameters of one call, as they came over the wire."""

    def __init__(self, chats: Chats, params: JSON, uploads: Uploads) -> None:
        self.chats = chats
        self.params = params
        self.uploads = uploads

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter, JSON decoded where it is JSON."""
        value = self.params.get(name, default)
        if isinstance(value, str) and name not in ("text", "caption", "parse_mode", "callback_query_id"):
            try:
                return json.loads(value)
            except ValueError:
                return value
        return value

    def chat(self) -> Chat:
        """The chat addressed, if it may be written to."""
        return self.chats.chat(self.get("chat_id"))

    def words(self, name: str, limit: int, *, needed: bool) -> JSON:
        """`{text|caption, …_entities}` after parsing; refusals for bad HTML, emptiness and length."""
        text = str(self.get(name) or "")
        entities: list[JSON] = self.get("entities" if name == "text" else "caption_entities") or []
        mode = self.get("parse_mode")
        if mode is not None and str(mode).lower() != "html":
            raise bad("unsupported parse_mode")
        if mode is not None:
            try:
                text, entities = fake_html.parse(text)
            except fake_html.EntityError as error:
                raise bad(f"can't parse entities: {error}") from error
        if not text.strip():
            if needed:
                raise bad("message text is empty")
            return {}
        if fake_html.utf16_len(text) > limit:
            raise bad("message is too long" if name == "text" else "message caption is too long")
        text = text.replace("\r", "").strip("\n ")
        found = {name: text}
        if entities:
            return {**found, "entities" if name == "text" else "caption_entities": entities}
        return found

    def markup(self) -> JSON | None:
        """The inline keyboard, checked. Other keyboards leave no trace on a message."""
        markup = self.get("reply_markup")
        if markup is None:
            return None
        if not isinstance(markup, dict):
            raise bad("object expected as reply markup")
        if "inline_keyboard" not in markup:
            return None
        actions = {"callback_data", "url", "copy_text", "web_app", "switch_inline_query", "login_url"}
        for button in (button for row in markup["inline_keyboard"] for button in row):
            if not button.get("text"):
                raise bad('can\'t parse inline keyboard button: Field "text" must be of type String')
            if len(actions & set(button)) != 1:
                raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
            if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= 64:
                raise bad("BUTTON_DATA_INVALID")
        return markup if any(markup["inline_keyboard"]) else None

    def place(self, chat: Chat) -> JSON:
        """Thread and reply of a new message; refused where they do not exist."""
        found: JSON = {}
        thread = self.get("message_thread_id")
        if thread is not None:
            if thread not in chat.topics:
                raise bad("message thread not found")
            if chat.topics[thread]["closed"] and not chat.may_manage_topics:
                raise bad("TOPIC_CLOSED")
            found["message_thread_id"] = thread
        reply = self.get("reply_parameters")
        if reply is not None:
            if reply["message_id"] in chat.messages:
                quoted = dict(chat.messages[reply["message_id"]])
                quoted.pop("reply_to_message", None)
                found["reply_to_message"] = quoted
                if (marked := reply.get("quote")) is not None:
                    if marked not in str(quoted.get("text") or quoted.get("caption") or ""):
                        raise bad("QUOTE_TEXT_INVALID")
                    found["quote"] = {"text": marked, "position": reply.get("quote_position", 0)}
            elif not reply.get("allow_sending_without_reply"):
                raise bad("message to be replied not found")
        return found

    def own(self, chat: Chat, verb: str) -> JSON:
        """A message of the bot's that may be edited."""
        message = chat.messages.get(self.get("message_id"))
        if message is None:
            raise bad(f"message to {verb} not found")
        if message["from"]["id"] != BOT["id"]:
            raise bad("message can't be edited")
        return message

    def upload(self, name: str, source: Any = None) -> JSON:
        """A file sent along, attached, or named by its id; Telegram's Document object."""
        value = source if source is not None else self.get(name)
        if isinstance(value, str) and value.startswith("attach://"):
            name, value = value.removeprefix("attach://"), None
        if isinstance(value, str):
            if value not in self.chats.files:
                raise bad("wrong file identifier/HTTP URL specified")
            kept = self.chats.files[value]
        elif name in self.uploads:
            file_name, content = self.uploads[name]
            if not content:
                raise bad("file must be non-empty")
            kept = self.chats.keep(content, file_name)
        else:
            raise bad(f"there is no {name} in the request")
        return {
            "file_id": kept.file_id,
            "file_unique_id": f"U{kept.file_id}",
            "file_size": kept.size,
            "file_name": kept.name,
        }
