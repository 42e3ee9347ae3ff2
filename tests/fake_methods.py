"""What each Bot API method does to the fake chats, and what it refuses with Telegram's own words."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.fake_call import Call, Uploads
from tests.fake_chats import BOT, JSON, Chat, Chats, Refusal, bad
from tests.fake_media import METHODS as MEDIA_METHODS
from tests.fake_people import ADMIN_RIGHTS

DOWNLOAD_LIMIT_BYTES = 20 << 20
DELETABLE_S = 48 * 3600
GIFTS = dict.fromkeys(
    ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False
)


def send_message(call: Call) -> JSON:
    chat = call.chat()
    words, markup, place = call.words("text", 4096, needed=True), call.markup(), call.place(chat)
    return call.chats.add(chat, BOT, reply_markup=markup, **place, **words)


def send_photo(call: Call) -> JSON:
    chat = call.chat()
    words, markup, place = call.words("caption", 1024, needed=False), call.markup(), call.place(chat)
    photo = [{**call.upload("photo"), "width": 1280, "height": 720}]
    return call.chats.add(chat, BOT, photo=photo, reply_markup=markup, **place, **words)


def send_document(call: Call) -> JSON:
    chat = call.chat()
    words, markup, place = call.words("caption", 1024, needed=False), call.markup(), call.place(chat)
    return call.chats.add(chat, BOT, document=call.upload("document"), reply_markup=markup, **place, **words)


def send_media_group(call: Call) -> list[JSON]:
    chat = call.chat()
    media = call.get("media")
    if not 2 <= len(media) <= 10:
        raise bad("group must contain 2-10 items")
    place = call.place(chat)
    group = str(call.chats.serial())
    ready = []
    for item in media:
        inner = Call(call.chats, {**item, "chat_id": chat.id}, call.uploads)
        words = inner.words("caption", 1024, needed=False)
        stored = call.upload("media", item["media"])
        body = [{**stored, "width": 1280, "height": 720}] if item["type"] == "photo" else stored
        ready.append({item["type"]: body, **words})
    return [call.chats.add(chat, BOT, media_group_id=group, **place, **body) for body in ready]


def edit_message_text(call: Call) -> JSON:
    message = call.own(chat := call.chat(), "edit")
    words, markup = call.words("text", 4096, needed=True), call.markup()
    return _changed(chat, message, words, markup, ("text", "entities"))


def edit_message_caption(call: Call) -> JSON:
    message = call.own(chat := call.chat(), "edit")
    words, markup = call.words("caption", 1024, needed=False), call.markup()
    return _changed(chat, message, words, markup, ("caption", "caption_entities"))


def edit_message_reply_markup(call: Call) -> JSON:
    message = call.own(chat := call.chat(), "edit")
    return _changed(chat, message, {}, call.markup(), ())


def _changed(chat: Chat, message: JSON, words: JSON, markup: JSON | None, replaced: tuple[str, ...]) -> JSON:
    # An edit without reply_markup takes the buttons away, as on the real server.
    kept = {key: value for key, value in message.items() if key not in (*replaced, "reply_markup", "edit_date")}
    new = {**kept, **words, **({"reply_markup": markup} if markup else {})}
    if new == {key: value for key, value in message.items() if key != "edit_date"}:
        raise bad(
            "message is not modified: specified new message content and reply markup are exactly the same"
            " as a current content and reply markup of the message"
        )
    new["edit_date"] = int(time.time())
    chat.messages[message["message_id"]] = new
    return new


def delete_message(call: Call) -> bool:
    chat = call.chat()
    message = chat.messages.get(call.get("message_id"))
    if message is None:
        raise bad("message to delete not found")
    if message["date"] < time.time() - DELETABLE_S:
        raise bad("message can't be deleted for everyone")
    del chat.messages[message["message_id"]]
    return True


def copy_message(call: Call) -> JSON:
    chat, origin = call.chat(), call.chats.chat(call.get("from_chat_id"))
    message = origin.messages.get(call.get("message_id"))
    if message is None:
        raise bad("message to copy not found")
    if message.get("poll", {}).get("type") == "quiz" and "correct_option_id" not in message["poll"]:
        raise bad("message can't be copied")
    body = {
        key: value
        for key, value in message.items()
        if key not in ("message_id", "from", "chat", "date", "edit_date", "reply_markup", "reply_to_message")
        and key not in ("message_thread_id", "is_topic_message", "media_group_id")
    }
    added = call.chats.add(chat, BOT, reply_markup=call.markup(), **call.place(chat), **body)
    return {"message_id": added["message_id"]}


def answer_callback_query(call: Call) -> bool:
    pressed = call.chats.queries.get(str(call.get("callback_query_id")))
    if pressed is None or time.monotonic() - pressed > call.chats.callback_ttl_s:
        raise bad("query is too old and response timeout expired or query ID is invalid")
    if len(str(call.get("text") or "")) > 200:
        raise bad("MESSAGE_TOO_LONG")
    return True


def get_file(call: Call) -> JSON:
    kept = call.chats.files.get(str(call.get("file_id")))
    if kept is None:
        raise bad("invalid file_id")
    if kept.size > DOWNLOAD_LIMIT_BYTES:
        raise bad("file is too big")
    return {
        "file_id": kept.file_id,
        "file_unique_id": f"U{kept.file_id}",
        "file_size": kept.size,
        "file_path": f"documents/{kept.file_id}",
    }


def send_chat_action(call: Call) -> bool:
    call.chat()
    return True


def get_chat(call: Call) -> JSON:
    return {**call.chat().body, "accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": GIFTS}


def get_chat_member(call: Call) -> JSON:
    chat, user_id = call.chat(), call.get("user_id")
    if user_id == BOT["id"]:
        rights = dict.fromkeys(ADMIN_RIGHTS, True)
        return (
            {"status": "administrator", "user": BOT, **rights, "can_manage_topics": chat.may_manage_topics}
            if chat.bot_is_admin
            else {"status": "member", "user": BOT}
        )
    if user_id not in call.chats.people:
        raise bad("member not found")
    return {"status": "member", "user": call.chats.people[user_id]}


def set_reaction(call: Call) -> bool:
    chat = call.chat()
    if call.get("message_id") not in chat.messages:
        raise bad("message to react not found")
    chat.reactions[call.get("message_id")] = call.get("reaction") or []
    return True


def _forum(call: Call) -> Chat:
    chat = call.chat()
    if not chat.body.get("is_forum"):
        raise bad("the chat is not a forum")
    if not chat.may_manage_topics:
        raise bad("not enough rights to create a topic")
    return chat


def create_topic(call: Call) -> JSON:
    chat, name = _forum(call), str(call.get("name") or "")
    if not 1 <= len(name) <= 128:
        raise bad("TOPIC_NAME_INVALID")
    topic: JSON = {"message_thread_id": call.chats.message_id(), "name": name, "icon_color": 7322096}
    chat.topics[topic["message_thread_id"]] = {**topic, "closed": False}
    return topic


def delete_topic(call: Call) -> bool:
    chat, thread_id = _forum(call), call.get("message_thread_id")
    if chat.topics.pop(thread_id, None) is None:
        raise bad("TOPIC_ID_INVALID")
    for message in [m for m in chat.messages.values() if m.get("message_thread_id") == thread_id]:
        del chat.messages[message["message_id"]]
    return True


def _topic(change: JSON, refusal: str) -> Callable[[Call], bool]:
    def method(call: Call) -> bool:
        topic = _forum(call).topics.get(call.get("message_thread_id"))
        if topic is None:
            raise bad("TOPIC_ID_INVALID")
        wanted = change or {"name": str(call.get("name") or topic["name"])}
        if all(topic[key] == value for key, value in wanted.items()):
            raise bad(refusal)
        topic.update(wanted)
        return True

    return method


def yes(_: Call) -> bool:
    return True


def set_webhook(call: Call) -> bool:
    call.chats.webhook_url = str(call.params.get("url", ""))
    return True


def delete_webhook(call: Call) -> bool:
    call.chats.webhook_url = ""
    if call.get("drop_pending_updates"):
        call.chats.queue.clear()
    return True


METHODS: dict[str, Callable[[Call], Any]] = {
    **MEDIA_METHODS,
    "getMe": lambda _: {**BOT, "can_join_groups": True, "can_read_all_group_messages": False},
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendDocument": send_document,
    "sendMediaGroup": send_media_group,
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "copyMessage": copy_message,
    "answerCallbackQuery": answer_callback_query,
    "getFile": get_file,
    "sendChatAction": send_chat_action,
    "getChat": get_chat,
    "getChatMember": get_chat_member,
    "setMessageReaction": set_reaction,
    "createForumTopic": create_topic,
    "deleteForumTopic": delete_topic,
    "closeForumTopic": _topic({"closed": True}, "TOPIC_NOT_MODIFIED"),
    "reopenForumTopic": _topic({"closed": False}, "TOPIC_NOT_MODIFIED"),
    "editForumTopic": _topic({}, "TOPIC_NOT_MODIFIED"),
    "setMyCommands": yes,
    "setMyDescription": yes,
    "setMyShortDescription": yes,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
}


def perform(chats: Chats, method: str, params: JSON, uploads: Uploads) -> Any:
    """The result of a call. Raises Refusal."""
    if method not in METHODS:
        raise Refusal(404, "Not Found")
    return METHODS[method](Call(chats, params, uploads))
