"""What does the PBX write into its log now? One follower of its files and of a log command, shared by all readers.

A file is followed through renames (logrotate), truncation (copytruncate, `pm2 flush`) and into the next one of
its pattern (winston goes from combined.log to combined1.log). Only what is written after the start is told. Each
line is parsed once, however many read along.

    follower = LogFollower(("/root/.pm2/logs/pbx-system-out.log", "/srv/pbx/logs/combined*.log"))
    follower.join(listener)      # listener(lines) from now on, in the event loop
    follower.leave(listener)     # the last one who leaves stops it
"""

from __future__ import annotations

import asyncio
import contextlib
import glob
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.checks.check import NotTested
from bot.checks.log_command import CommandReader
from bot.model import Failure
from bot.parsers.pbx_log_lines import LogEvent, read_line

log = logging.getLogger(__name__)

POLL_S = 0.1
CHUNK = 64 * 1024  # bytes read before others get their turn
HEAD = 256  # bytes that tell a file from another one
FILES_MAX = 64  # of one pattern
STILL_WRITTEN_S = 30.0  # to a file that was renamed out of its pattern, until its writer opens the new one
LINE_MAX = 8 * 1024  # the rest of a longer line is not read


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line, what it says, and where it comes from: lines of one stream are in order, two may tell the same."""

    stream: str  # the pattern or 'command'; winston's JSON lines are a stream of their own
    text: str
    events: tuple[LogEvent, ...]


Listener = Callable[[Sequence[LogLine]], None]


@dataclass(slots=True)
class _File:
    """A followed file. `head`: its first bytes when it was last read."""

    stream: str
    path: str
    file: int  # descriptor
    offset: int
    head: bytes = b""
    rest: bytes = b""  # of a line that is still being written
    left_at: float | None = None  # its name does not fit the pattern any more (monotonic clock)


@dataclass(slots=True)
class _Files:
    """All files of the patterns, by device and inode: a renamed file is the same file."""

    patterns: Sequence[str]
    known: dict[tuple[int, int], _File] = field(default_factory=dict)
    denied: str | None = None

    def look(self, *, first: bool) -> None:
        """Opens what is new: from its end at the start, else from its beginning unless it is a copy."""
        seen, now = set(), time.monotonic()
        for pattern in self.patterns:
            for path in sorted(glob.glob(os.path.expanduser(pattern)))[:FILES_MAX]:
                with contextlib.suppress(FileNotFoundError):
                    seen.add(self._meet(pattern, path, first))
        for key, one in list(self.known.items()):
            one.left_at = None if key in seen else one.left_at or now
            if one.left_at is not None and now - one.left_at > STILL_WRITTEN_S:
                os.close(self.known.pop(key).file)

    def _meet(self, pattern: str, path: str, first: bool) -> tuple[int, int]:
        state = os.stat(path)
        key = (state.st_dev, state.st_ino)
        if key in self.known:
            self.known[key].path = path
        elif os.path.isfile(path):
            try:
                file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except PermissionError:
                self.denied = os.path.basename(path)
                return key
            head = os.pread(file, HEAD, 0)
            begins = 0 if not first and not self._is_copy(head) else state.st_size
            self.known[key] = _File(pattern, path, file, begins, head)
        return key

    def _is_copy(self, head: bytes) -> bool:
        """copytruncate leaves a copy beside the log: its old lines are no news."""
        return bool(head) and any(one.head[: len(head)] == head[: len(one.head)] != b"" for one in self.known.values())

    def lines(self) -> Iterator[list[LogLine]]:
        """What was written since the last call, a chunk of a file at a time."""
        for one in list(self.known.values()):
            while new := _more(one):
                *whole, one.rest = (one.rest + new).split(b"\n")
                one.rest = one.rest[:LINE_MAX]
                yield [_line(one.stream, text[:LINE_MAX].decode("utf-8", "replace")) for text in whole]

    def close(self) -> None:
        """Lets all files go."""
        for one in self.known.values():
            os.close(one.file)
        self.known.clear()


def _more(one: _File) -> bytes:
    """The next bytes of the file; from its beginning again when it was emptied and written anew."""
    size = os.fstat(one.file).st_size
    if size == one.offset and size:
        return b""
    head = os.pread(one.file, HEAD, 0)
    if size < one.offset or head[: len(one.head)] != one.head:
        one.offset, one.rest = 0, b""
    one.head = head
    new = os.pread(one.file, CHUNK, one.offset)
    one.offset += len(new)
    return new


class LogFollower:
    """One per process and PBX. Everything happens in the event loop; no method blocks for long."""

    def __init__(
        self, patterns: Sequence[str], command: str | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        self._patterns, self._argv = tuple(patterns), command
        self._env = os.environ if env is None else env
        self._files, self._command = _Files(self._patterns), self._reader()
        self._listeners: list[Listener] = []
        self._task: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()  # and the one that runs

    def _reader(self) -> CommandReader | None:
        return CommandReader(self._argv, self._env) if self._argv else None

    def join(self, listener: Listener) -> None:
        """The listener hears of every line that is written from now on; the first one starts the follower.

        Raises NotTested(NOT_CONFIGURED) when there is nothing to follow.
        """
        if not self._patterns and self._command is None:
            raise NotTested(Failure.NOT_CONFIGURED, "no log files and no log command")
        if not self._listeners:
            # Files and command of its own: the run before may still be ending.
            self._files, self._command = _Files(self._patterns), self._reader()
            self._files.look(first=True)
            self._task = asyncio.create_task(self._follow(self._files, self._command), name="pbx log")
            self._ending.add(self._task)
            self._task.add_done_callback(self._ending.discard)
        self._listeners.append(listener)

    def leave(self, listener: Listener) -> None:
        """The listener hears no more. The last one who leaves stops the follower."""
        self._listeners.remove(listener)
        if not self._listeners and self._task is not None:
            self._task.cancel()

    async def close(self) -> None:
        """Stops it, whoever listens, and waits until files and command are let go."""
        self._listeners.clear()
        for task in self._ending:
            task.cancel()
        if self._ending:
            await asyncio.wait(set(self._ending))

    @property
    def has_json(self) -> bool:
        """Winston's own log is among the files."""
        return any(one.head.startswith(b"{") for one in self._files.known.values())

    @property
    def trouble(self) -> NotTested | None:
        """Why nothing can be heard: no file and no command; None while at least one of them is followed."""
        if self._files.known or (self._command is not None and self._command.alive):
            return None
        if self._files.denied:
            return NotTested(Failure.NO_PERMISSION, f"{self._files.denied} may not be read")
        if self._command is not None and self._command.trouble:
            return self._command.trouble
        return NotTested(Failure.UNREADABLE, "no log file is there, or its directory is closed to us")

    async def _follow(self, files: _Files, command: CommandReader | None) -> None:
        if command is not None:
            command.start()
        try:
            while True:
                told = False
                for lines in files.lines():
                    told = True
                    self._tell(lines)
                    await asyncio.sleep(0)  # a burst must not keep others waiting
                if command is not None and (text := command.take()):
                    told = True
                    self._tell([_line("command", line) for line in text])
                if not told:
                    await asyncio.sleep(POLL_S)
                files.look(first=False)
        finally:
            files.close()
            if command is not None:
                await command.stop()

    def _tell(self, lines: Sequence[LogLine]) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(lines)
            except Exception:
                log.exception("whoever reads the PBX's log along crashed")


def _line(stream: str, text: str) -> LogLine:
    if text.startswith("{"):
        stream += " (json)"
    return LogLine(stream, text, read_line(text))
