"""Who is speaking, and where an answer goes: what every handler needs of an update."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from telegram import Update, User

Spawn = Callable[[str, Coroutine[Any, Any, None], int], object]
# Signs that hide, turn or cut what stands beside them.
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\x00-\x1f]")
NAME_MAX = 64


@dataclass(frozen=True, slots=True)
class Person:
    """A person in a chat, and the update through which they speak."""

    user_id: int
    chat_id: int
    name: str
    source: str  # what the update is remembered under


def name_of(user: User) -> str:
    """A person's name without signs that hide or turn text; a number when nothing is left of it."""
    return _INVISIBLE.sub("", user.full_name).strip()[:NAME_MAX] or user.username or str(user.id)


def person_of(update: Update) -> Person | None:
    """Who sent the update; None when nobody did (a channel's post)."""
    user, chat = update.effective_user, update.effective_chat
    if user is None or chat is None:
        return None
    return Person(user.id, chat.id, name_of(user), f"update:{update.update_id}")
