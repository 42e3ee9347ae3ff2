"""`yordam run` as a process of its own against the fake Bot API: what end-to-end tests drive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tests.fake_api import FakeApi

ROOT = Path(__file__).parent.parent
PERSON, STAFF, STAFF_CHAT = 501, 900, -100777


class RunningBot:
    """The bot, its Bot API, one person and a staff group with one member."""

    def __init__(
        self, folder: Path, settings: Mapping[str, str] | None = None, *, prefix: tuple[str, ...] = ()
    ) -> None:
        self.folder = folder
        self.api = FakeApi()
        self._settings = dict(settings or {})
        self._prefix = prefix

    def __enter__(self) -> Self:
        self.api.__enter__()
        self.api.user(PERSON, "Aziza")
        self.api.user(STAFF, "Nodir")
        self.api.group(STAFF_CHAT, "Operatorlar")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.api.__exit__()

    def start(self) -> None:
        """Starts the process, and waits until it listens."""
        settings = {
            "BOT_TOKEN": self.api.token,
            "TELEGRAM_API_URL": self.api.base_url,
            "TELEGRAM_FILE_URL": self.api.base_file_url,
            "STAFF_CHAT_ID": str(STAFF_CHAT),
            "STAFF_IDS": str(STAFF),
            "DATA_DIR": str(self.folder / "data"),
            "CHECK_TTL_S": "0",
            "CHECK_TIMEOUT_S": "2",
            **self._settings,
        }
        environment = {**os.environ, **settings, "PYTHONPATH": str(ROOT)}
        starts = len(self.api.calls("deleteWebhook"))
        command = [*self._prefix, sys.executable, "-m", "bot", "run"]
        with (self.folder / "bot.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, cwd=self.folder, stderr=log)
        self.api.wait_for(lambda: len(self.api.calls("deleteWebhook")) > starts or self.process.poll() is not None, 30)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ends the process; its exit status."""
        self.process.send_signal(how)
        return self.process.wait(20)

    def says(self, text: str, **more: Any) -> None:
        """The person writes."""
        self.api.send_text(PERSON, text, **more)

    def wait_for(self, words: str, chat: int = PERSON, *, after: int = 0, timeout: float = 20) -> Any:
        """The first message of the bot with these words among those that stand in the chat, skipping `after`."""
        return self.api.wait_for(
            lambda: next((m for m in self.api.answers(chat)[after:] if words in m.text), None), timeout
        )

    def place_of(self, message: Any) -> int:
        """How many messages of the bot stand up to this one."""
        return [m.message_id for m in self.api.answers(PERSON)].index(message.message_id) + 1

    def presses(self, message: Any, verb: str) -> None:
        """The person presses the button whose data holds this."""
        data = next(b.data for row in message.buttons for b in row if b.data and f":{verb}" in b.data)
        self.api.press(PERSON, message.message_id, data)

    def yordam(self, *words: str) -> str:
        """What a shell command prints on the same database."""
        settings = {**os.environ, **self._settings, "DATA_DIR": str(self.folder / "data"), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "bot", *words]
        done = subprocess.run(command, env=settings, cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout
