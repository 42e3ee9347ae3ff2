"""Who is next? Letters in memory: in order inside a chat, chats side by side, the same request once."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace

from bot.mailbox import Letter


class Waiting:
    """A chat is handed out again only after its letter is done, so no two workers serve one chat."""

    def __init__(self, most_bodies: int = 1000) -> None:
        self.most_bodies = most_bodies  # beyond, the body stays in the database until its turn
        self._chats: dict[int, deque[Letter]] = {}
        self._ready: asyncio.Queue[int] = asyncio.Queue()
        self._bodies = 0
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def put(self, letter: Letter) -> None:
        """At the end of its chat's line."""
        if letter.body is not None:
            if self._bodies < self.most_bodies:
                self._bodies += 1
            else:
                letter = replace(letter, body=None)
        self._length += 1
        if letter.chat_id in self._chats:
            self._chats[letter.chat_id].append(letter)
        else:
            self._chats[letter.chat_id] = deque([letter])
            self._ready.put_nowait(letter.chat_id)

    async def take(self) -> tuple[Letter, list[Letter]]:
        """The next letter, and those behind it that ask for the same: they leave the line."""
        line = self._chats[await self._ready.get()]
        letter = line[0]
        if letter.request is None or len(line) == 1:
            return letter, []
        repeats = [other for other in line if other.request == letter.request and other is not letter]
        for repeat in repeats:
            line.remove(repeat)
            self._gone(repeat)
        return letter, repeats

    def done(self, letter: Letter) -> None:
        """It leaves the line; the chat's next letter may be taken."""
        line = self._chats[letter.chat_id]
        line.popleft()
        self._gone(letter)
        if line:
            self._ready.put_nowait(letter.chat_id)
        else:
            del self._chats[letter.chat_id]

    def later(self, letter: Letter, seconds: float) -> None:
        """It stays first in its line, which stands still for so long."""
        self._chats[letter.chat_id][0] = letter
        asyncio.get_running_loop().call_later(seconds, self._ready.put_nowait, letter.chat_id)

    def _gone(self, letter: Letter) -> None:
        self._length -= 1
        self._bodies -= letter.body is not None
