"""What people do in front of the fake Telegram: write, press, send pictures, block, move a group."""

from __future__ import annotations

import time
from typing import Any

from tests.fake_chats import BOT, JSON, Chat, Chats, Shown, shown

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000 1f15c4890000000d49444154789c6360000002000001"
    "e221bc330000000049454e44ae426082".replace(" ", "")
)


ADMIN_RIGHTS = (
    "can_be_edited",
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_pin_messages",
)


class People:
    """The deeds, on chats that a lock already guards (see FakeApi, which offers them to any thread)."""

    def __init__(self, chats: Chats) -> None:
        self.chats = chats

    def user(self, user_id: int, first_name: str = "Ali", language_code: str = "uz", **more: Any) -> JSON:
        """A person with a private chat; made once, later calls change it."""
        person: JSON = {
            "id": user_id,
            "is_bot": False,
            "first_name": first_name,
            "language_code": language_code,
            **more,
        }
        self.chats.people[user_id] = person
        if user_id not in self.chats.chats:
            body = {"id": user_id, "type": "private", "first_name": first_name}
            self.chats.chats[user_id] = Chat(user_id, body)
        return person

    def group(self, chat_id: int, title: str = "Staff", forum: bool = False, bot_is_admin: bool = True) -> None:
        """A group with the bot in it. Not an admin: it sees commands and replies to itself only."""
        kind = "supergroup" if forum or str(chat_id).startswith("-100") else "group"
        body: JSON = {"id": chat_id, "type": kind, "title": title, **({"is_forum": True} if forum else {})}
        self.chats.chats[chat_id] = Chat(chat_id, body, bot_is_admin=bot_is_admin)

    def send(self, user: int, chat: int | None = None, **body: Any) -> int:
        """Any message (`text=`, `voice=`, …); its message_id. `reply_to=`, `thread=` place it."""
        person = self.chats.people.get(user) or self.user(user)
        place = self.chats.chats[chat if chat is not None else user]
        if place.private and place.state == "blocked":
            place.state = "ok"  # who writes again has unblocked the bot
        quoted = place.messages.get(body.pop("reply_to", None) or 0)
        body["message_thread_id"] = body.pop("thread", None) or (quoted or {}).get("message_thread_id")
        text = str(body.get("text", ""))
        if text.startswith("/") and text[1:2].isalnum():  # `//` is no command to Telegram
            end = len(text.split(maxsplit=1)[0])
            body["entities"] = [{"type": "bot_command", "offset": 0, "length": end}]
        sender = body.pop("sender", person)
        message = self.chats.add(place, sender, reply_to_message=quoted, **body)
        to_bot = quoted is not None and quoted["from"]["id"] == BOT["id"]
        if place.private or place.bot_is_admin or to_bot or text.startswith("/"):
            self.chats.push("message", message)
        return int(message["message_id"])

    def send_text(self, user: int, text: str, chat: int | None = None, **place: Any) -> int:
        """A text; its message_id."""
        return self.send(user, chat, text=text, **place)

    def send_document(
        self,
        user: int,
        content: bytes,
        name: str = "MicroSIP.ini",
        mime: str = "text/plain",
        size: int | None = None,
        **body: Any,
    ) -> int:
        """A file; `size` may claim more bytes than `content` holds."""
        kept = self.chats.keep(content, name, size)
        document = {
            "file_id": kept.file_id,
            "file_unique_id": f"U{kept.file_id}",
            "file_name": name,
            "mime_type": mime,
            "file_size": kept.size,
        }
        return self.send(user, document=document, **body)

    def send_photo(self, user: int, content: bytes = PNG, caption: str | None = None, **body: Any) -> int:
        """A photo in two sizes, the last the largest."""
        small, large = self.chats.keep(content, "small.jpg"), self.chats.keep(content, "photo.jpg")
        sizes = [
            {
                "file_id": f.file_id,
                "file_unique_id": f"U{f.file_id}",
                "file_size": f.size,
                "width": w,
                "height": h,
            }
            for f, w, h in ((small, 90, 51), (large, 1280, 720))
        ]
        return self.send(user, photo=sizes, caption=caption, **body)

    def album(self, user: int, contents: list[bytes], caption: str | None = None, **body: Any) -> list[int]:
        """Several photos at once: one update each, the caption on the first."""
        group = str(self.chats.serial())
        return [
            self.send_photo(user, content, caption if n == 0 else None, media_group_id=group, **body)
            for n, content in enumerate(contents)
        ]

    def edit(self, user: int, message_id: int, text: str, chat: int | None = None) -> None:
        """A person changes a text of theirs."""
        messages = self.chats.chats[chat if chat is not None else user].messages
        changed = {**messages[message_id], "text": text, "edit_date": int(time.time())}
        messages[message_id] = changed
        self.chats.push("edited_message", changed)

    def press(
        self,
        user: int,
        message_id: int,
        data: str,
        chat: int | None = None,
        inaccessible: bool = False,
        force: bool = False,
    ) -> str:
        """A button with this data; the query's id. KeyError without the message or the button.

        `force` presses what is not there (an old client); `inaccessible` sends the message without content.
        """
        place = self.chats.chats[chat if chat is not None else user]
        message = place.messages[message_id]
        if not force and data not in [button.data for row in shown(message).buttons for button in row]:
            raise KeyError(f"no button {data!r} on message {message_id}")
        if inaccessible:
            message = {"chat": place.body, "message_id": message_id, "date": 0}
        query_id = str(self.chats.serial() + 10**15)
        self.chats.queries[query_id] = time.monotonic()
        person = self.chats.people.get(user) or self.user(user)
        query = {
            "id": query_id,
            "from": person,
            "chat_instance": str(place.id),
            "data": data,
            "message": message,
        }
        self.chats.push("callback_query", query)
        return query_id

    def block(self, user: int) -> None:
        """The person blocks the bot, which is told so."""
        self._member(self.chats.chats[user], "blocked", self.chats.people[user], "kicked")

    def kick(self, chat: int, by: int) -> None:
        """Somebody throws the bot out of a group."""
        self._member(self.chats.chats[chat], "kicked", self.chats.people[by], "kicked")

    def _member(self, chat: Chat, state: Any, by: JSON, status: str) -> None:
        chat.state = state
        new = {"status": status, "user": BOT, **({"until_date": 0} if status == "kicked" else {})}
        body = {"chat": chat.body, "from": by, "date": int(time.time())}
        self.chats.push(
            "my_chat_member",
            {**body, "old_chat_member": {"status": "member", "user": BOT}, "new_chat_member": new},
        )

    def migrate(self, chat: int, new_id: int, by: int) -> None:
        """The group becomes a supergroup under a new id; two service messages say so."""
        old = self.chats.chats[chat]
        self.group(new_id, old.body["title"])
        old.migrated_to = new_id
        person = self.chats.people[by]
        for place, note in (
            (old, {"migrate_to_chat_id": new_id}),
            (self.chats.chats[new_id], {"migrate_from_chat_id": chat}),
        ):
            self.chats.push("message", self.chats.add(place, person, **note))

    def raw(self, kind: str, body: Any, update_id: int | None = None) -> int:
        """An update of any shape (poison, a message from the future); its update_id."""
        return self.chats.push(kind, body, update_id)

    def delete_topic(self, chat: int, thread: int) -> None:
        """Somebody deletes a topic with all that stands in it; bots are not told."""
        place = self.chats.chats[chat]
        del place.topics[thread]
        for message_id, message in list(place.messages.items()):
            if message.get("message_thread_id") == thread:
                del place.messages[message_id]

    def delete_message(self, chat: int, message_id: int) -> None:
        """Somebody deletes a message; bots are not told."""
        del self.chats.chats[chat].messages[message_id]

    def promote(self, chat: int, by: int, *, topics: bool) -> None:
        """The bot's rights in a group change, and it is told so."""
        place = self.chats.chats[chat]
        place.bot_is_admin, place.bot_has_topics = True, topics
        right = {
            "status": "administrator",
            "user": BOT,
            **dict.fromkeys(ADMIN_RIGHTS, True),
            "can_manage_topics": topics,
        }
        old = {"status": "member", "user": BOT}
        body = {"chat": place.body, "from": self.chats.people[by], "date": int(time.time())}
        self.chats.push("my_chat_member", {**body, "old_chat_member": old, "new_chat_member": right})

    def topics(self, chat: int) -> list[JSON]:
        """The topics that there are, oldest first: `message_thread_id`, `name`, `closed`."""
        return [dict(topic) for topic in self.chats.chats[chat].topics.values()]

    def messages(self, chat: int) -> list[Shown]:
        """What stands in the chat now, oldest first."""
        return [shown(message) for message in self.chats.chats[chat].messages.values()]

    def answers(self, chat: int) -> list[Shown]:
        """What the bot wrote there and still stands."""
        return [message for message in self.messages(chat) if message.from_bot]

    def pending(self) -> int:
        """Updates that the bot has not confirmed."""
        return len(self.chats.queue)
