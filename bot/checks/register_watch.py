"""The user presses Save: what became of the packet? The PBX's log, live, told as stages and ended with a verdict.

    watches = Watches(runner)                       # one a process
    seen = await watches.watch(target, "1002", on_stage=show, limit_s=35)
    seen.stage            # Stage.REFUSED; `show` was called with PACKET_SEEN, CHALLENGED, SECOND_REGISTER, REFUSED
    seen.result           # CheckResult("register_watch", findings=(LOG_WRONG_PASSWORD, LOG_REQUEST_BY_NAME))
    seen.source_ip        # '203.0.113.254': the user's public address, for the ban list
    await watches.close()

Many watch at once and each sees the lines of one extension only. Before the 401 a packet has no name: it is shown
to nobody unless it comes from the user's known address, or there is nobody else it could be, and then without its
address. 'Registered' is written for a sign-off too and can be forged, so it counts as proven only when the PBX's
API confirms it (EXTENSION_ONLINE); where the API cannot be asked, LOG_REGISTERED stands alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.checks.check import NotTested
from bot.checks.log_follow import LogFollower, LogLine
from bot.checks.register_log import RegisterLog, Socket
from bot.checks.register_story import Stage
from bot.checks.register_watcher import Watcher
from bot.checks.runner import Runner
from bot.model import CheckResult, Failure, Target
from bot.parsers.pbx_log_lines import LogEvent, Said

__all__ = ["NAME", "Stage", "WatchResult", "Watches"]

log = logging.getLogger(__name__)

NAME = "register_watch"
LIMIT_S = 35.0  # PJSIP itself gives up after 32 s
NOTHING_AFTER_S = 10.0  # by then an unheard phone has sent five copies
DEAF_S = 2.0  # so long the log may need to show our own probe
OnStage = Callable[[Stage], None]


@dataclass(frozen=True, slots=True)
class WatchResult:
    """How the watch ended. `confirmed`: the API says that the extension is online. `source_ip`: None where no line
    of this extension was seen."""

    result: CheckResult
    stage: Stage
    source_ip: str | None
    confirmed: bool


class Watches:
    """All watches of the process: one follower of the log, one book of who is who."""

    def __init__(
        self, runner: Runner, env: Mapping[str, str] | None = None, *, nothing_after_s: float = NOTHING_AFTER_S
    ) -> None:
        self._runner = runner
        self._nothing_after_s = nothing_after_s
        self._env = os.environ if env is None else env
        self._followers: dict[tuple[object, ...], _Log] = {}

    async def watch(
        self, target: Target, extension: str, *, on_stage: OnStage = lambda _: None, limit_s: float = LIMIT_S
    ) -> WatchResult:
        """Until it is decided, else for `limit_s`. Raises nothing but cancellation; `on_stage` must not block.

        A log that cannot be followed, or that does not show our own probe either, ends in a failure.
        """
        watcher = Watcher(replace(target, extension=extension), self._runner)
        return await self._watch(watcher, on_stage, limit_s)

    async def until_registered(self, target: Target, extension: str, *, limit_s: float) -> WatchResult:
        """For a case that is still open: waits, unseen, until the extension registers, else for `limit_s`.

        What goes wrong meanwhile is not told. The stage is REGISTERED when it came, `confirmed` as ever. A failure
        ends it too: the log cannot be followed.
        """
        until = time.monotonic() + limit_s
        while True:
            watcher = Watcher(replace(target, extension=extension), self._runner, patient=True)
            seen = await self._watch(watcher, lambda _: None, until - time.monotonic())
            if seen.stage is Stage.REGISTERED or seen.result.failure or time.monotonic() >= until:
                return seen

    async def _watch(self, watcher: Watcher, on_stage: OnStage, limit_s: float) -> WatchResult:
        at, start, target = datetime.now(UTC), time.monotonic(), watcher.target
        try:
            source = self._log_of(target)
            source.enter(watcher)
        except NotTested as end:
            return _failed(end, Stage.WAITING, at, start)
        try:
            if not target.log_command and (trouble := source.follower.trouble):
                raise trouble
            async with asyncio.timeout(limit_s):
                await self._until_decided(watcher, source, on_stage)
        except TimeoutError:
            if (trouble := source.follower.trouble) and not watcher.heard:
                return _failed(trouble, watcher.stage, at, start)
            _show(on_stage, watcher.run_out())
        except NotTested as end:
            return _failed(end, watcher.stage, at, start)
        finally:
            source.leave(watcher)
        took_ms = (time.monotonic() - start) * 1000
        result = CheckResult(NAME, took_ms, watcher.findings, None, "; ".join(watcher.notes) or None, at)
        return WatchResult(result, watcher.stage, watcher.source_ip, watcher.confirmed)

    async def _until_decided(self, watcher: Watcher, source: _Log, on_stage: OnStage) -> None:
        started = time.monotonic()
        while True:
            watcher.changed.clear()
            _show(on_stage, watcher.advance())
            if watcher.decided:
                return
            if watcher.unconfirmed:
                _show(on_stage, await watcher.confirm())
                continue
            pause_s = watcher.pause_s()
            if watcher.stage is Stage.WAITING and not watcher.patient:
                left_s = started + self._nothing_after_s - time.monotonic()
                pause_s = left_s if pause_s is None else min(pause_s, left_s)
                if left_s <= 0:
                    _show(on_stage, watcher.fell_silent())
                    await _hear_ourselves(watcher, source, started)
                    continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await watcher.changed.wait()

    def _log_of(self, target: Target) -> _Log:
        key = (target.log_files, target.log_command)
        if key not in self._followers:
            self._followers[key] = _Log(LogFollower(target.log_files, target.log_command, self._env))
        return self._followers[key]

    async def close(self) -> None:
        """Lets files and command go."""
        for source in self._followers.values():
            await source.follower.close()


def _failed(end: NotTested, stage: Stage, at: datetime, start: float) -> WatchResult:
    took_ms = (time.monotonic() - start) * 1000
    return WatchResult(CheckResult(NAME, took_ms, (), end.failure, end.detail, at), stage, None, False)


def _show(on_stage: OnStage, stages: Sequence[Stage]) -> None:
    for stage in stages:
        try:
            on_stage(stage)
        except Exception:
            log.exception("whoever shows the stages crashed")


async def _hear_ourselves(watcher: Watcher, source: _Log, started: float) -> None:
    """Raises NotTested when the PBX answers our own probe and the log does not show it: it is another log."""
    if trouble := source.follower.trouble:
        raise trouble
    if source.heard_since(started) or not await watcher.pbx_answers():
        return
    until = time.monotonic() + DEAF_S
    while not source.heard_since(started):
        if time.monotonic() > until:
            raise NotTested(Failure.UNREADABLE, "the log does not show our own probe either")
        await asyncio.sleep(0.05)


class _Log:
    """One followed log, its book, and who watches which extension."""

    def __init__(self, follower: LogFollower) -> None:
        self.follower = follower
        self.book = RegisterLog(self._on_socket, self._on_server, self._is_watched)
        self._watchers: dict[str, list[Watcher]] = {}
        self._by_ip: dict[str, list[Watcher]] = {}
        self._pressing: list[Watcher] = []  # now, not some day
        self._heard_at = 0.0

    def enter(self, watcher: Watcher) -> None:
        """From now on it hears of its extension. Raises NotTested when there is no log."""
        if not self._watchers:
            self.book = RegisterLog(
                self._on_socket, self._on_server, self._is_watched
            )  # what went on unseen is not guessed at
            self.follower.join(self._on_lines)
        self._watchers.setdefault(watcher.extension, []).append(watcher)
        if watcher.patient:
            return
        self._pressing.append(watcher)
        if watcher.user_ip:
            self._by_ip.setdefault(watcher.user_ip, []).append(watcher)

    def leave(self, watcher: Watcher) -> None:
        """It hears no more; the last one who leaves stops the follower."""
        if watcher in self._pressing:
            self._pressing.remove(watcher)
        for table, key in ((self._watchers, watcher.extension), (self._by_ip, watcher.user_ip)):
            if key and watcher in table.get(key, ()):
                table[key].remove(watcher)
                if not table[key]:
                    del table[key]
        if not self._watchers:
            self.follower.leave(self._on_lines)

    def heard_since(self, at: float) -> bool:
        """Whether any line came after that monotonic time."""
        return self._heard_at > at

    def _is_watched(self, extension: str | None) -> bool:
        return extension in self._watchers

    def _on_lines(self, lines: Sequence[LogLine]) -> None:
        now = time.monotonic()
        if lines:
            self._heard_at = now
        json_there = self.follower.has_json
        for line in lines:
            self.book.feed(line, now, json_there=json_there)

    def _on_socket(self, socket: Socket, event: LogEvent) -> None:
        if socket.extension in self._watchers:
            for watcher in self._watchers[socket.extension]:
                watcher.mine(socket)
        elif socket.registers or event.said is Said.REQUEST:
            self._nameless(socket, event)
        if event.said is Said.REGISTER_ERROR:
            self._on_server(event)

    def _nameless(self, socket: Socket, event: LogEvent) -> None:
        """A packet nobody watches by name: its sender's address, or being alone, may tell whose it is."""
        watchers = self._by_ip.get(socket.ip) or (self._pressing if self._one_is_pressing() else [])
        for watcher in watchers:
            watcher.perhaps_mine(socket, event)

    def _on_server(self, event: LogEvent) -> None:
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.trouble(event, alone=self._one_is_pressing())

    def _one_is_pressing(self) -> bool:
        return len({watcher.extension for watcher in self._pressing}) == 1
