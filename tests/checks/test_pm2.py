"""pm2's word is taken twice, two seconds apart, and only where its daemon runs already."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.checks.runner import Runner
from bot.model import Failure, Finding, Tag, Target
from tests.checks.conftest import RunOne, Told
from tests.servers.pm2 import FakePm2, entry

DATA = Path(__file__).parent.parent / "data" / "checks"
SECRET = "example-secret-that-must-never-be-shown"


@pytest.fixture
def pm2(tmp_path: Path) -> Iterator[FakePm2]:
    with FakePm2(tmp_path) as installed:
        yield installed


def online(uptime_s: int, restarts: int = 3) -> Finding:
    return Finding(Tag.PM2_ONLINE, {"pid": 4242, "uptime_s": uptime_s, "restarts": restarts})


LATELY = Finding(Tag.PM2_RESTARTED_LATELY, {"uptime_s": 600})


def restarting(restarts: int = 3) -> Finding:
    return Finding(Tag.PM2_RESTARTING, {"restarts": restarts})


def stopped(status: str) -> Finding:
    return Finding(Tag.PM2_STOPPED, {"status": status})


def lists(**change: Any) -> str:
    return json.dumps([entry(**change)])


def looks() -> dict[str, tuple[tuple[str, ...], tuple[Finding, ...]]]:
    """What pm2 prints at the first and the second look, and what that proves. Uptimes count from now."""
    return {
        "it stays": ((lists(uptime_s=86400),), (online(86400),)),
        "it is young and has forgotten the passwords": ((lists(uptime_s=600),), (online(600), LATELY)),
        "one restart more": ((lists(), lists(restarts=4)), (restarting(4),)),
        "one unstable restart more": ((lists(), lists(unstable=1)), (restarting(),)),
        "another pid": ((lists(), lists(pid=4243)), (restarting(),)),
        "launching": ((lists(), lists(status="launching")), (restarting(),)),
        "waiting to be restarted": ((lists(), lists(status="waiting restart", pid=0)), (restarting(),)),
        "stopped": ((lists(pid=0, status="stopped"),), (stopped("stopped"),)),
        "stopping": ((lists(), lists(status="stopping")), (stopped("stopping"),)),
        "given up": ((lists(pid=0, status="errored"),), (stopped("errored"),)),
        "a real list, stopped": (((DATA / "jlist_stopped.json").read_text(),), (stopped("stopped"),)),
        "a real list, given up": (((DATA / "jlist_eaddrinuse.json").read_text(),), (stopped("errored"),)),
        "of several instances the best speaks": (
            (json.dumps([entry(status="errored", pid=0), entry(name="other"), entry(uptime_s=9000)]),),
            (online(9000),),
        ),
        "notes before the list": (
            ("\x1b[32m[PM2] \x1b[39mSpawning\n[PM2] note\n" + lists(pid=0, status="stopped"),),
            (stopped("stopped"),),
        ),
    }


async def test_what_two_looks_two_seconds_apart_prove(run_one: RunOne, target: Target, tmp_path: Path) -> None:
    async def look(number: int, printed: tuple[str, ...], expected: tuple[Finding, ...]) -> Told:
        (place := tmp_path / str(number)).mkdir()
        with FakePm2(place) as pm2:
            pm2.prints(*printed)
            found, failure = await run_one("pm2", target, pm2.env)
            assert pm2.calls == ["jlist", "jlist"]
        return tuple(_as_set(one, expected) for one in found), failure

    cases = looks()
    told = await asyncio.gather(*(look(number, *case) for number, case in enumerate(cases.values())))
    assert dict(zip(cases, told, strict=True)) == {name: (case[1], None) for name, case in cases.items()}


def _as_set(one: Finding, expected: tuple[Finding, ...]) -> Finding:
    """The uptime as the test set it, where it is at most ten seconds more: looking takes time."""
    seen = one.args.get("uptime_s")
    for other in expected:
        was = other.args.get("uptime_s")
        if isinstance(seen, int) and isinstance(was, int) and was <= seen <= was + 10:
            return Finding(one.tag, {**one.args, "uptime_s": was})
    return one


@pytest.mark.parametrize(
    "printed",
    [
        "[]",
        "\x1b[32m[PM2] \x1b[39mPM2 Successfully daemonized\n[]",
        json.dumps([entry(name="another-app")]),
        "",
        "{}",
        "[1, null]",
        '[{"name": "pbx-system"}]',
        "[" * 100000,
        ">>>> In-memory PM2 is out-of-date, do:\n",
    ],
)
async def test_a_list_without_the_pbx_is_the_wrong_list(
    run_one: RunOne, pm2: FakePm2, target: Target, printed: str
) -> None:
    pm2.prints(printed)
    assert await run_one("pm2", target, pm2.env) == ((), Failure.UNREADABLE)


async def test_pm2_is_not_asked_where_that_would_start_a_daemon(
    run_one: RunOne, target: Target, tmp_path: Path
) -> None:
    with FakePm2(tmp_path, daemon=False) as pm2:
        pm2.lists()
        assert await run_one("pm2", target, pm2.env) == ((), Failure.NOT_HERE)
        assert await run_one("pm2", target, {**pm2.env, "PM2_HOME": str(tmp_path / "none")}) == (
            (),
            Failure.NOT_HERE,
        )
        assert pm2.calls == []


@pytest.mark.skipif(shutil.which("pm2") is not None, reason="pm2 is installed here")
async def test_without_pm2_there_is_no_tool(run_one: RunOne, target: Target) -> None:
    assert await run_one("pm2", target, {"PATH": "/nowhere"}) == ((), Failure.NO_TOOL)


async def test_on_another_host_pm2_is_not_asked(run_one: RunOne, pm2: FakePm2, target: Target) -> None:
    pm2.lists()
    assert await run_one("pm2", replace(target, on_this_host=False), pm2.env) == ((), Failure.NOT_HERE)
    assert pm2.calls == []


async def test_a_pm2_that_hangs_is_ended_with_its_children(
    run_one: RunOne, pm2: FakePm2, target: Target, tmp_path: Path
) -> None:
    marker = tmp_path / "child"
    (tmp_path / "bin" / "pm2").write_text(f"#!/bin/sh\nsleep 61 & echo $! > {marker}\nwait\n")
    (tmp_path / "bin" / "pm2").chmod(0o755)
    start = time.monotonic()
    assert await run_one("pm2", target, pm2.env) == ((), Failure.TIMEOUT)
    assert time.monotonic() - start < 4
    assert not lives(int(marker.read_text()))


async def test_no_secret_of_pm2s_environment_gets_out(
    pm2: FakePm2, target: Target, caplog: pytest.LogCaptureFixture
) -> None:
    pm2.lists()
    with caplog.at_level(logging.DEBUG):
        (result,) = await Runner(env=pm2.env).run(target, only=["pm2"])
    assert SECRET not in f"{result}{caplog.text}"
    assert result.failure is None


def lives(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


PM2 = shutil.which("pm2")


@pytest.mark.skipif(PM2 is None, reason="not installed: pm2")
def test_a_real_pm2_is_understood(run_one: RunOne, target: Target, tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PM2_HOME": str(tmp_path / "p")}
    (tmp_path / "app.js").write_text("setInterval(() => {}, 1000)")

    def pm2(*argv: str) -> None:
        subprocess.run(["pm2", *argv], env=env, check=True, capture_output=True)

    def look() -> Told:
        async def ask() -> Told:
            return await run_one("pm2", target, env)

        return asyncio.run(ask())

    assert look() == ((), Failure.NOT_HERE)
    try:
        pm2("start", str(tmp_path / "app.js"), "--name", "pbx-system")
        found, failure = look()
        tags = [one.tag for one in found]
        assert (tags, failure) == ([Tag.PM2_ONLINE, Tag.PM2_RESTARTED_LATELY], None)
        pm2("stop", "pbx-system")
        assert look() == ((stopped("stopped"),), None)
        pm2("delete", "pbx-system")
        assert look() == ((), Failure.UNREADABLE)
    finally:
        pm2("kill")
