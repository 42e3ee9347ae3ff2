"""The Bot API methods that send files other than pictures and documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fake_call import Call
from tests.fake_chats import BOT, JSON

# What Telegram's object of each kind must have beside its file.
MEDIA: dict[str, JSON] = {
    "voice": {"duration": 3},
    "audio": {"duration": 3},
    "video": {"duration": 3, "width": 640, "height": 480},
    "animation": {"duration": 3, "width": 640, "height": 480},
    "video_note": {"duration": 3, "length": 240},
    "sticker": {"width": 512, "height": 512, "type": "regular", "is_animated": False, "is_video": False},
}
WITHOUT_CAPTION = ("video_note", "sticker")


def _sends(kind: str) -> Callable[[Call], Any]:
    def method(call: Call) -> JSON:
        chat = call.chat()
        words = {} if kind in WITHOUT_CAPTION else call.words("caption", 1024, needed=False)
        markup, place = call.markup(), call.place(chat)
        body = {**call.upload(kind), **MEDIA[kind]}
        both = {"document": body} if kind == "animation" else {}  # as Telegram does
        return call.chats.add(chat, BOT, reply_markup=markup, **{kind: body}, **both, **place, **words)

    return method


METHODS: dict[str, Callable[[Call], Any]] = {
    f"send{''.join(part.capitalize() for part in kind.split('_'))}": _sends(kind) for kind in MEDIA
}
