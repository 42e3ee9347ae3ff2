"""The follower of the PBX's log loses no line and tells none twice, whatever happens to the files."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from bot.checks.check import NotTested
from bot.checks.log_follow import LogFollower, LogLine
from bot.model import Failure

LINE = "2026-11-22 19:27:12 +00:00: 2026-11-22 19:27:12 \x1b[32minfo\x1b[39m: [SIP] Received message from 192.0.2.7:{}"


class Heard:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []

    def __call__(self, lines: Sequence[LogLine]) -> None:
        self.lines += lines

    @property
    def texts(self) -> list[str]:
        return [line.text for line in self.lines]

    async def until(self, done: Callable[[], bool], limit_s: float = 10) -> None:
        async with asyncio.timeout(limit_s):
            while not done():  # noqa: ASYNC110 - files have no event
                await asyncio.sleep(0.01)

    async def hears(self, *texts: str) -> None:
        """Waits for as many lines; they are these and no others."""
        await self.until(lambda: len(self.lines) >= len(texts))
        await asyncio.sleep(0.25)  # what must not come would have come by now
        assert self.texts == list(texts)


@asynccontextmanager
async def following(*patterns: Path | str, command: str | None = None) -> AsyncIterator[tuple[LogFollower, Heard]]:
    heard = Heard()
    follower = LogFollower([str(pattern) for pattern in patterns], command, os.environ)
    follower.join(heard)
    try:
        yield follower, heard
    finally:
        await follower.close()


def add(path: Path, *texts: str) -> None:
    with path.open("a") as log:
        log.writelines(f"{text}\n" for text in texts)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""  # a zombie has none
    except FileNotFoundError:
        return False


async def test_only_what_is_written_from_now_on_is_told(tmp_path: Path) -> None:
    log = tmp_path / "out.log"
    add(log, "old")
    async with following(log) as (_, heard):
        add(log, "new", "newer")
        await heard.hears("new", "newer")


async def test_a_line_is_told_when_it_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "out.log"
    log.touch()
    async with following(log) as (_, heard):
        with log.open("a") as file:
            file.write("one ha")
            file.flush()
            await asyncio.sleep(0.3)
            assert heard.texts == []
            file.write("lf\n")
            file.flush()
            await heard.hears("one half")


async def test_a_renamed_log_is_read_to_its_end_and_the_new_one_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "out.log"
    add(log, "old")
    async with following(log) as (_, heard):
        with log.open("a") as writer:  # keeps the old file open, as pm2 does until it is told
            add(log, "1")
            log.rename(tmp_path / "out.log.1")
            await asyncio.sleep(0.3)
            writer.write("2\n")
            writer.flush()
            await heard.until(lambda: len(heard.lines) == 2)
        add(log, "3")
        await heard.hears("1", "2", "3")


async def test_a_rename_within_the_pattern_tells_nothing_twice(tmp_path: Path) -> None:
    log = tmp_path / "out.log"
    add(log, "old")
    async with following(tmp_path / "out.log*") as (_, heard):
        add(log, "1")
        log.rename(tmp_path / "out.log.1")
        add(log, "2")
        await heard.hears("1", "2")


@pytest.mark.parametrize("again", ["3", "a longer line than all that was there before it was emptied"])
async def test_an_emptied_log_is_read_from_its_beginning(tmp_path: Path, again: str) -> None:
    log = tmp_path / "out.log"
    add(log, "old", "older")
    async with following(log) as (_, heard):
        add(log, "1")
        await heard.until(lambda: heard.texts == ["1"])
        log.write_text(f"{again}\n")  # emptied and written in one go
        await heard.hears("1", again)


async def test_the_copy_that_copytruncate_leaves_is_no_news(tmp_path: Path) -> None:
    log = tmp_path / "out.log"
    add(log, "old", "older")
    async with following(tmp_path / "out*.log") as (_, heard):
        add(log, "1")
        await heard.until(lambda: heard.texts == ["1"])
        shutil.copy(log, tmp_path / "out-2026-11-22.log")
        log.write_text("")
        await asyncio.sleep(0.3)
        add(log, "2")
        await heard.hears("1", "2")


async def test_winstons_next_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    add(tmp_path / "combined.log", '{"message":"old"}')
    async with following(tmp_path / "combined*.log") as (_, heard):
        add(tmp_path / "combined.log", '{"message":"1"}')
        add(tmp_path / "combined1.log", '{"message":"2"}')
        add(tmp_path / "combined1.log", '{"message":"3"}')
        await heard.hears('{"message":"1"}', '{"message":"2"}', '{"message":"3"}')
        assert {line.stream for line in heard.lines} == {f"{tmp_path}/combined*.log (json)"}


async def test_a_log_that_does_not_exist_yet_is_waited_for(tmp_path: Path) -> None:
    async with following(tmp_path / "out.log") as (follower, heard):
        assert follower.trouble is not None
        assert follower.trouble.failure is Failure.UNREADABLE
        add(tmp_path / "out.log", "1")
        await heard.hears("1")
        assert follower.trouble is None


async def test_a_line_is_parsed_once_and_told_to_all(tmp_path: Path) -> None:
    log = tmp_path / "out.log"
    log.touch()
    async with following(log) as (follower, first):
        second = Heard()
        follower.join(second)
        add(log, LINE.format(5000))
        await first.until(lambda: bool(first.lines and second.lines))
        assert [a is b for a, b in zip(first.lines, second.lines, strict=True)] == [True]
        assert [event.source_port for event in first.lines[0].events] == [5000]


async def test_a_listener_that_crashes_takes_nothing_from_the_others(tmp_path: Path) -> None:
    log = tmp_path / "out.log"
    log.touch()

    def crash(lines: Sequence[LogLine]) -> None:
        raise ZeroDivisionError

    async with following(log) as (follower, heard):
        follower.leave(heard)
        follower.join(crash)
        follower.join(heard)
        add(log, "1")
        await heard.hears("1")


async def test_two_thousand_lines_a_second_are_all_told(tmp_path: Path) -> None:
    log = tmp_path / "out.log"
    log.touch()
    async with following(log) as (_, heard):
        wanted = [LINE.format(port) for port in range(1, 6001)]
        for at in range(0, len(wanted), 200):
            add(log, *wanted[at : at + 200])
            await asyncio.sleep(0.1)
        await heard.until(lambda: len(heard.lines) >= len(wanted), 20)
        assert heard.texts == wanted


async def test_nobody_listening_leaves_no_file_open(tmp_path: Path) -> None:
    log = tmp_path / "out.log"
    log.touch()
    before = len(os.listdir("/proc/self/fd"))
    async with following(log) as (follower, heard):
        await asyncio.sleep(0)
        assert len(os.listdir("/proc/self/fd")) == before + 1
        follower.leave(heard)
        await heard.until(lambda: len(os.listdir("/proc/self/fd")) == before)
        follower.join(heard)
        add(log, "1")
        await heard.hears("1")


async def test_a_command_is_followed_and_ended_with_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = f"echo one; sleep 300 & echo $! > {pid}; echo two; wait"
    async with following(command=f"sh -c '{script}'") as (_, heard):
        await heard.hears("one", "two")
        assert [line.stream for line in heard.lines] == ["command", "command"]
        child = int(pid.read_text())
    await heard.until(lambda: not alive(child))


async def test_the_history_a_command_begins_with_is_no_news() -> None:
    now = datetime.now(timezone(timedelta(hours=5, minutes=45)))  # Kathmandu
    old, new = (f"{at:%Y-%m-%d %H:%M:%S} info: x" for at in (now - timedelta(minutes=7), now))
    async with following(command=f'sh -c \'echo "{old}"; echo "{new}"; echo TAILING; sleep 300\'') as (_, heard):
        await heard.hears(new, "TAILING")


async def test_a_command_that_ends_is_started_again(tmp_path: Path) -> None:
    async with following(command=f"{sys.executable} -ISc 'print(1)'") as (_, heard):
        await heard.until(lambda: len(heard.lines) >= 2)
        assert set(heard.texts) == {"1"}


async def test_a_command_that_is_not_there_is_said(tmp_path: Path) -> None:
    async with following(command="no-such-program --raw") as (follower, heard):
        await heard.until(lambda: follower.trouble is not None and follower.trouble.failure is Failure.NO_TOOL)


async def test_nothing_to_follow_is_not_tested() -> None:
    with pytest.raises(NotTested) as told:
        LogFollower(()).join(Heard())
    assert told.value.failure is Failure.NOT_CONFIGURED
