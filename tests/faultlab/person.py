"""The user of a story: MicroSIP on a PC of the laboratory, and a chat with the bot, whose questions get true answers.

Save was pressed before the first word to the bot, as everybody does. What is pasted was printed on that PC, the
status is what the phone ended with.
"""

from __future__ import annotations

import subprocess
from types import TracebackType
from typing import Self

from bot.model import Kind
from tests.fake_chats import Shown
from tests.faultlab.asking import SHOWN
from tests.faultlab.lab import Lab, Phone, outcome
from tests.faultlab.network import HOST
from tests.running import RunningBot

GIVES_UP = 408  # what PJSIP says in its 32nd second: nobody waits for it who has heard nothing till then
PATIENCE_S = 60.0


class Person:
    """Somebody with this phone and this number of their own; `shows`: the status bar, where it was read at a moment."""

    def __init__(self, lab: Lab, bot: RunningBot, phone: Phone, number: str, shows: str | None) -> None:
        self.lab, self.bot = lab, bot
        self.phone, self.number, self.shows = phone, number, shows
        self.asked: list[Kind] = []
        self._calling: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.presses_save()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._closes_microsip()

    def presses_save(self) -> None:
        """MicroSIP begins to register, anew."""
        self._closes_microsip()
        self._calling = self.lab.start_phone(self.phone, self.bot.folder / "microsip_log.txt")

    def _closes_microsip(self) -> None:
        if self._calling is not None:
            self._calling.kill()
            self._calling.communicate()
            self._calling = None

    def is_told(self) -> Shown:
        """Writes /diagnose and answers what is asked; the message with the verdict."""
        self.bot.says("/diagnose")
        seen = 0
        while True:
            message: Shown = self.bot.wait_for("", after=seen, timeout=PATIENCE_S)
            seen += 1
            kind = asks(message)
            if kind is not None:
                self.asked.append(kind)
                self._answers(kind, message)
            elif "Murojaat №" in message.text:
                return message

    def _answers(self, kind: Kind, message: Shown) -> None:
        match kind:
            case Kind.MICROSIP_STATUS:
                self.bot.presses(message, f"st:{self._status()}:")
            case Kind.EXTENSION:
                self.bot.says(self.number)
            case Kind.NSLOOKUP:
                # as long as on Windows
                self.bot.says(self.lab.net.run("pc", "nslookup", "-timeout=2", HOST, check=False))
            case Kind.PING:
                self.bot.says(self.lab.net.run("pc", "ping", "-c", "10", "-i", "0.2", HOST, check=False))
            case Kind.LIVE_REGISTER:
                self.bot.presses(message, "watch")
                self.bot.wait_for("Hozir MicroSIP’da", timeout=PATIENCE_S)
                self.presses_save()
            case _:
                raise AssertionError(f"nobody in these stories has to be asked for this: {message.text}")

    def _status(self) -> str:
        """The word of the status bar."""
        if self.shows is not None:
            return self.shows
        assert self._calling is not None
        if self._calling.poll() is None:
            return SHOWN[GIVES_UP]
        ended, self._calling = self._calling, None
        return SHOWN[outcome(ended)["code"]]


def asks(message: Shown) -> Kind | None:
    """What a message of the bot asks for: every question can be skipped."""
    buttons = [button.data or "" for row in message.buttons for button in row]
    return next((Kind(data.split(":")[2]) for data in buttons if ":skip:" in data), None)
