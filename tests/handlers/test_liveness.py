"""A bot that no longer hears is noticed, helps itself, and at last is restarted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.health import Health, health
from bot.mailbox import Letter
from handlers.liveness import AlreadyRunningError, Lock, Pulse, renew, tell_systemd
from handlers.poller import Poller
from tests.fake_api import FakeApi
from tests.handlers.rig import assembled, listening


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as server:
        server.user(7)
        yield server


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What systemd listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listener


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_lock_is_held_by_one_and_freed_with_its_holder(tmp_path: Path) -> None:
    database = tmp_path / "bot.db"
    with Lock(database):
        with pytest.raises(AlreadyRunningError, match=f"process {os.getpid()} already works on bot.db"), Lock(database):
            pass
        with Lock(tmp_path / "another.db"):
            pass
    with Lock(database):
        pass


async def test_systemd_is_told_of_the_start_and_fed_while_the_bot_hears(
    api: FakeApi, tmp_path: Path, supervisor: socket.socket
) -> None:
    async with assembled(api, tmp_path) as rig:
        clock = Clock()
        pulse = Pulse(rig.mailbox, clock=clock, every_s=0.01)
        feeding = asyncio.create_task(pulse.feed())
        loop = asyncio.get_running_loop()
        supervisor.setblocking(False)
        assert await loop.sock_recv(supervisor, 99) == b"READY=1"
        assert await loop.sock_recv(supervisor, 99) == b"WATCHDOG=1"
        clock.now += 181
        with contextlib.suppress(BlockingIOError):
            while supervisor.recv(99):  # what was sent until now
                pass
        await asyncio.sleep(0.1)
        with pytest.raises(BlockingIOError):
            supervisor.recv(99)
        pulse.heard()
        assert await asyncio.wait_for(loop.sock_recv(supervisor, 99), 5) == b"WATCHDOG=1"
        feeding.cancel()


def test_without_a_supervisor_nothing_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    tell_systemd("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    tell_systemd("READY=1")


async def test_connections_are_renewed_once_in_every_minute_of_silence(api: FakeApi, tmp_path: Path) -> None:
    async with assembled(api, tmp_path) as rig:
        clock = Clock()
        pulse = Pulse(rig.mailbox, clock=clock)
        seen = []
        for seconds in (59, 2, 30, 31, 29):
            clock.now += seconds
            seen.append(pulse.renewal_due())
        assert seen == [False, True, False, True, False]
        pulse.heard()
        assert (pulse.silent_s, pulse.renewal_due()) == (0.0, False)


async def test_a_renewed_client_fetches_again_even_when_the_old_one_was_closed(api: FakeApi, tmp_path: Path) -> None:
    async with assembled(api, tmp_path) as rig, rig.application:
        await rig.bot.do_api_request("get_Updates")
        await rig.bot._request[0].shutdown()
        await renew(rig.bot)
        assert await rig.bot.do_api_request("get_Updates") == []


async def test_a_poll_that_hangs_is_given_up_and_made_over_new_connections(api: FakeApi, tmp_path: Path) -> None:
    fault = api.fault("hang", "getUpdates", seconds=30, times=3)
    api.send_text(7, "salom")
    async with assembled(api, tmp_path) as rig, rig.application:
        pulse = Pulse(rig.mailbox, renew_after_s=0.1)
        poller = Poller(rig.bot, pulse, rig.courier.chats, rig.inbox.accept, poll_s=0, late_s=0.2)
        polling = asyncio.create_task(poller.run())
        await rig.until(lambda: api.pending() == 0)  # fetched, stored, confirmed
        polling.cancel()
        assert (fault.times, pulse.silent_s < 1) == (0, True)


async def test_health_tells_what_another_process_has_to_know(api: FakeApi, tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    async with listening(api, tmp_path) as rig:
        api.send_text(7, "a")
        await rig.until(lambda: api.answers(7) and not rig.inbox.busy)
        await rig.mailbox.flush()
        now = rig.mailbox.now()
        seen = health(path)
        assert (seen.queue, seen.oldest_waiting_s, seen.ok) == (0, None, True)
    async with assembled(api, tmp_path) as rig:
        await rig.mailbox.receive([Letter(1, 7, "{}", now - 30), Letter(2, 7, "{}", now - 20), Letter(3, 8, "{}", now)])
        rig.mailbox.finish(3, "TypeError: x")
        rig.mailbox.beat(polled_at=now - 10)
        await rig.mailbox.claim("update:1", "sendMessage#1", 7)
        await rig.mailbox.flush()
        expected = Health(410.0, 430.0, 2, 1, 1, sqlite3.sqlite_version)
        seen = health(path, now + 400)
        assert (round(seen.polled_s_ago or 0), round(seen.oldest_waiting_s or 0)) == (410, 430)
        assert seen == Health(seen.polled_s_ago, seen.oldest_waiting_s, *_tail(expected))
        assert seen.line() == (
            "DEAF: last poll 410 s ago, queue 2, oldest waits 430 s, set aside 1, unknown sends 1,"
            f" SQLite {sqlite3.sqlite_version}"
        )


def _tail(seen: Health) -> tuple[int, int, int, str]:
    return seen.queue, seen.set_aside, seen.unknown_sends, seen.sqlite_version


async def test_health_of_a_bot_that_never_ran_is_an_error_and_of_a_new_one_deaf(api: FakeApi, tmp_path: Path) -> None:
    with pytest.raises(sqlite3.Error):
        health(tmp_path / "none.db")
    async with assembled(api, tmp_path):
        pass
    assert health(tmp_path / "bot.db").ok is False
    with closing(sqlite3.connect(tmp_path / "bot.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
