"""Does the bot still hear? One process a database, a pulse that others can read, a watchdog that restarts the deaf."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from telegram import Bot

from bot.health import DEAF_S
from bot.mailbox import Mailbox

log = logging.getLogger(__name__)
RENEW_AFTER_S = 60.0


class AlreadyRunningError(RuntimeError):
    """Another process works on this database."""


class Lock:
    """`with Lock(database_path):` - held by the kernel, so that it ends with the process however that dies.

    Taken before the database is opened for writing. Raises AlreadyRunningError, OSError.
    """

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(f"{database.name}.lock")
        self._file: IO[str] | None = None

    def __enter__(self) -> Lock:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self.path.open("a+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise AlreadyRunningError(f"process {holder} already works on {self.path.name[:-5]}") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def tell_systemd(message: str) -> None:
    """Sends `READY=1`, `WATCHDOG=1`, … to the supervisor; nothing happens without one (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
            supervisor.sendto(message.encode(), address)
    except OSError as error:
        log.warning("the supervisor does not listen: %s", error)


class Pulse:
    """The time of the last successful fetch, kept in the mailbox and fed to the watchdog."""

    def __init__(
        self,
        mailbox: Mailbox,
        clock: Callable[[], float] = time.monotonic,
        renew_after_s: float = RENEW_AFTER_S,
        deaf_after_s: float = DEAF_S,
        every_s: float | None = None,
    ) -> None:
        self.mailbox = mailbox
        self.clock = clock
        self.renew_after_s = renew_after_s
        self.deaf_after_s = deaf_after_s
        # systemd asks for a sign within WATCHDOG_USEC; a third of it survives one missed turn of the loop.
        self.every_s = every_s or min(10.0, int(os.environ.get("WATCHDOG_USEC") or 30_000_000) / 3e6)
        self._heard_at = self._renewed_at = clock()
        self._beaten_at: float | None = None

    def heard(self) -> None:
        """Updates were fetched, be they none."""
        self._heard_at = now = self.clock()
        if self._beaten_at is None or now - self._beaten_at >= 5.0:
            self._beaten_at = now
            self.mailbox.beat(polled_at=self.mailbox.now())

    @property
    def beats(self) -> bool:
        """Whether anything was fetched since the start, be it nothing."""
        return self._beaten_at is not None

    @property
    def silent_s(self) -> float:
        """Since the last successful fetch, or the start."""
        return self.clock() - self._heard_at

    def renewal_due(self) -> bool:
        """True once in every `renew_after_s` of silence."""
        now = self.clock()
        if now - max(self._heard_at, self._renewed_at) < self.renew_after_s:
            return False
        self._renewed_at = now
        return True

    async def feed(self) -> None:
        """Runs for ever in the event loop: a stuck loop or a deaf bot stops feeding, and systemd restarts it."""
        self.mailbox.beat(started_at=self.mailbox.now(), pid=float(os.getpid()))
        tell_systemd("READY=1")
        while True:
            if self.silent_s < self.deaf_after_s:
                tell_systemd("WATCHDOG=1")
            else:
                log.critical("no answer to getUpdates for %.0f s: the watchdog is fed no more", self.silent_s)
            await asyncio.sleep(self.every_s)


async def renew(bot: Bot) -> None:
    """Closes the connections that fetch updates and builds new ones; sends on their way are not touched."""
    fetching = bot._request[0]  # the library offers no other way to it
    try:
        await asyncio.wait_for(fetching.shutdown(), 5)
    except Exception:
        log.exception("the old connections could not be closed")
    await fetching.initialize()
