"""What does a command print that follows the PBX's log elsewhere, such as `pm2 logs pbx-system --raw --lines 0`?

It is started without a shell, again when it ends (later and later), and always reaped with its children.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shlex
import signal
import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime

from bot.checks.check import NotTested
from bot.checks.command import find, surroundings
from bot.model import Failure

WAITING_LINES = 50_000  # that nobody took yet; older ones are given up
PAUSES_S = (0.5, 2.0, 10.0, 60.0)  # before it is started again
LIVED_S = 60.0  # so long a life makes up for earlier ends
LINE_MAX = 64 * 1024
HISTORY_S = 2.0  # after its first line a command is done with what was written before
NOW_S = 5.0
ZONE_S = 15 * 60  # every zone of the world is a multiple of this away from UTC
STAMP = re.compile(r"20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d")


class CommandReader:
    """Keeps the command running and its lines for `take()`."""

    def __init__(self, command: str, env: Mapping[str, str]) -> None:
        self._argv = _words(command)
        self._env = env
        self._lines: deque[str] = deque(maxlen=WAITING_LINES)
        self._task: asyncio.Task[None] | None = None
        self.alive = False
        self.trouble: NotTested | None = None

    def start(self) -> None:
        """Begins in the background."""
        self._task = asyncio.create_task(self._keep_running(), name="pbx log command")

    def take(self) -> list[str]:
        """The lines since the last call."""
        taken = list(self._lines)
        self._lines.clear()
        return taken

    async def stop(self) -> None:
        """Ends the command and its children, and waits for them."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _keep_running(self) -> None:
        ends = 0
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await self._run()
            except NotTested as trouble:
                self.trouble = trouble
            if asyncio.get_running_loop().time() - began > LIVED_S:
                ends = 0
            await asyncio.sleep(PAUSES_S[min(ends, len(PAUSES_S) - 1)])
            ends += 1

    async def _run(self) -> None:
        path = find(self._argv[0], self._env) if self._argv else None
        if path is None:
            raise NotTested(Failure.NO_TOOL, "the log command is not installed")
        try:
            process = await asyncio.create_subprocess_exec(
                path,
                *self._argv[1:],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=surroundings(self._env),
                start_new_session=True,
                limit=LINE_MAX,
            )
        except OSError as error:
            raise NotTested(Failure.NO_TOOL, f"the log command: {error.strerror}") from error
        self.alive = True
        try:
            if process.stdout is not None:
                await self._read(process.stdout)
            self.trouble = NotTested(Failure.UNREADABLE, "the log command ended")
        finally:
            self.alive = False
            await _end(process)

    async def _read(self, printed: asyncio.StreamReader) -> None:
        began: float | None = None  # with its first line
        while True:
            try:
                line = await printed.readline()
            except ValueError:
                continue  # longer than the limit: the reader has dropped it
            if not line:
                return
            began = began or time.monotonic()
            text = line.decode("utf-8", "replace").rstrip("\n")
            if time.monotonic() - began > HISTORY_S or not is_history(text, datetime.now(UTC)):
                self._lines.append(text)


def is_history(line: str, now: datetime) -> bool:
    """Does the line carry a time that is not now, in any time zone? `pm2 logs` begins with the last lines there are."""
    stamps = STAMP.findall(line)
    if not stamps:
        return False
    try:
        written = datetime.fromisoformat(stamps[-1]).replace(tzinfo=UTC)
    except ValueError:
        return False
    apart_s = (now - written).total_seconds() % ZONE_S
    return min(apart_s, ZONE_S - apart_s) > NOW_S


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return []


async def _end(process: asyncio.subprocess.Process) -> None:
    # It leads a session of its own, so its children die with it, also when it has ended itself.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
