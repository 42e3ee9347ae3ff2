"""What does the review page know? One frozen value, put together by whoever starts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.attachments import Attachments
from bot.model import Target
from bot.orders import OrderBook
from bot.wording import Words

LOGIN, LOGOUT, STATIC = "/login", "/logout", "/static"
TICKET = r"/tickets/(?P<number>[1-9][0-9]{0,11})"


@dataclass(frozen=True, slots=True)
class Room:
    """The ticket log it reads, the file it writes, who may come in, and how it speaks."""

    database: Path
    orders: OrderBook
    key: bytes  # the installation's, see bot/passes.py
    staff: Callable[[], frozenset[int]]  # asked at every request: who is struck off is out at once
    words: Words
    target: Target
    attachments: Attachments
    url: str  # as browsers reach it

    @property
    def secure(self) -> bool:
        """Whether browsers come over TLS."""
        return self.url.startswith("https://")

    @property
    def cookie(self) -> str:
        """The session's; over TLS bound to this very host by its prefix (RFC 6265bis)."""
        return "__Host-yordam" if self.secure else "yordam"
