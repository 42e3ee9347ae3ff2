"""`yordam run` as a process of its own against the fake Bot API: what end-to-end tests drive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from tests.fake_api import FakeApi

ROOT = Path(__file__).parent.parent
PERSON, STAFF, STAFF_CHAT = 501, 900, -100777


class Running:
    """A command of `yordam` that goes on until it is ended. Its log lies in the folder it works in."""

    log_name: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def data(self) -> Path:
        """DATA_DIR."""
        return self.folder / "data"

    @property
    def log(self) -> str:
        """What the process has written."""
        return (self.folder / self.log_name).read_text("utf-8")

    def begin(self, *command: str, **settings: str) -> None:
        """Starts the process and does not wait."""
        environment = {**os.environ, "DATA_DIR": str(self.data), "PYTHONPATH": str(ROOT), **settings}
        with (self.folder / self.log_name).open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, cwd=self.folder, stderr=log)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ends the process; its exit status."""
        self.process.send_signal(how)
        return self.process.wait(20)

    def end(self) -> None:
        """Whatever became of it, it runs no longer."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class RunningBot(Running):
    """The bot, its Bot API, one person and a staff group with one member."""

    log_name = "bot.log"

    def __init__(
        self, folder: Path, settings: Mapping[str, str] | None = None, *, prefix: tuple[str, ...] = ()
    ) -> None:
        super().__init__(folder)
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
        self.end()
        self.api.__exit__()

    def start(self) -> None:
        """Starts the process, and waits until it listens."""
        settings = {
            "BOT_TOKEN": self.api.token,
            "TELEGRAM_API_URL": self.api.base_url,
            "TELEGRAM_FILE_URL": self.api.base_file_url,
            "STAFF_CHAT_ID": str(STAFF_CHAT),
            "STAFF_IDS": str(STAFF),
            "CHECK_TTL_S": "0",
            "CHECK_TIMEOUT_S": "2",
            **self._settings,
        }
        starts = len(self.api.calls("deleteWebhook"))
        self.begin(*self._prefix, sys.executable, "-m", "bot", "run", **settings)
        self.api.wait_for(lambda: len(self.api.calls("deleteWebhook")) > starts or self.process.poll() is not None, 30)

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
        settings = {**os.environ, **self._settings, "DATA_DIR": str(self.data), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "bot", *words]
        done = subprocess.run(command, env=settings, cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout
