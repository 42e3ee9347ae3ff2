"""Does pm2 keep the PBX's process running, and since when? Asked twice, two seconds apart.

`online` alone is no proof: a process that dies every second is `online` whenever one looks, so the restart
counters are compared. The uptime matters because the PBX keeps SIP passwords in memory only: after a restart it
has forgotten all of them. `pm2 jlist` prints the whole environment of whoever started pm2, secrets included;
only the fields of `App` are taken, the rest is dropped at once.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.checks.check import NotTested, Probe
from bot.checks.command import ask, find
from bot.checks.here import require_here
from bot.model import Failure, Finding, Tag, Target

BETWEEN_S = 2.0
JLIST_S = 3.0  # a node process: 0.4 s, 0.9 s and more on a loaded host
BUDGET_S = BETWEEN_S + 2 * JLIST_S + 0.5
LATELY_S = 3600
LIVES = frozenset({"online", "launching", "waiting restart", "one-launch-status"})


@dataclass(frozen=True, slots=True)
class App:
    """One process of pm2's list. `pid` 0: not running. `started_ms`: Unix time of the last start."""

    pm_id: int
    pid: int
    status: str
    restarts: int
    unstable_restarts: int
    started_ms: int
    exit_code: int | None


async def check(target: Target, probe: Probe) -> tuple[Finding, ...]:
    """PM2_ONLINE(pid, uptime_s, restarts) and PM2_RESTARTED_LATELY(uptime_s), or PM2_RESTARTING(restarts), or
    PM2_STOPPED(status). Of several instances the one that does best speaks for the app.
    """
    await require_here(target, probe)
    before = await first_look(target, probe)
    await asyncio.sleep(BETWEEN_S)
    after = _ours(await jlist(probe), target.pm2_name)
    judged = [_judge({app.pm_id: app for app in before}.get(app.pm_id), app) for app in after]
    best = min(judged, key=lambda findings: ORDER.index(findings[0].tag))
    if best[0].tag is Tag.PM2_STOPPED:
        codes = sorted({str(app.exit_code) for app in after if app.exit_code is not None})
        probe.note(f"exit code {', '.join(codes)}" if codes else "no exit code")
    return best


ORDER = (Tag.PM2_ONLINE, Tag.PM2_RESTARTING, Tag.PM2_STOPPED)


def _judge(before: App | None, app: App) -> tuple[Finding, ...]:
    if app.status not in LIVES:
        return (Finding(Tag.PM2_STOPPED, {"status": app.status}),)
    turns = before is not None and (
        app.restarts > before.restarts or app.unstable_restarts > before.unstable_restarts or app.pid != before.pid
    )
    if turns or app.status != "online" or not app.pid:
        return (Finding(Tag.PM2_RESTARTING, {"restarts": app.restarts}),)
    uptime_s = max(0, round(time.time() - app.started_ms / 1000))
    online = Finding(Tag.PM2_ONLINE, {"pid": app.pid, "uptime_s": uptime_s, "restarts": app.restarts})
    if uptime_s < LATELY_S:
        return (online, Finding(Tag.PM2_RESTARTED_LATELY, {"uptime_s": uptime_s}))
    return (online,)


async def first_look(target: Target, probe: Probe) -> tuple[App, ...]:
    """The PBX's processes as pm2 lists them, asked once a run. Raises NotTested as `jlist`."""
    return _ours(await probe.once("pm2 jlist", lambda: jlist(probe)), target.pm2_name)


def _ours(listed: Sequence[Mapping[str, Any]], name: str) -> tuple[App, ...]:
    apps = tuple(app for entry in listed if entry.get("name") == name and (app := _app(entry)) is not None)
    if not apps:
        raise NotTested(Failure.UNREADABLE, f"pm2 does not know {name}: wrong PM2_HOME or name")
    return apps


def _app(entry: Mapping[str, Any]) -> App | None:
    state = entry.get("pm2_env")
    if not isinstance(state, dict):
        return None

    def number(value: object) -> int:
        return int(value) if isinstance(value, int | float) else 0

    code = state.get("exit_code")
    return App(
        pm_id=number(entry.get("pm_id")),
        pid=number(entry.get("pid")),
        status=str(state.get("status")),
        restarts=number(state.get("restart_time")),
        unstable_restarts=number(state.get("unstable_restarts")),
        started_ms=number(state.get("pm_uptime")),
        exit_code=code if isinstance(code, int) else None,
    )


async def jlist(probe: Probe) -> tuple[Mapping[str, Any], ...]:
    """pm2's list, of which only `name` and what `App` takes may be used.

    Raises NotTested: NO_TOOL without pm2, NOT_HERE without a running daemon under PM2_HOME (asking would start
    an empty one), NO_PERMISSION when it is another user's, UNREADABLE when no list is printed.
    """
    if find("pm2", probe.env) is None:
        raise NotTested(Failure.NO_TOOL, "pm2 is not installed")
    _require_daemon(probe.env)
    output = await ask(("pm2", "jlist"), probe.env, limit_s=JLIST_S)
    for at, line in enumerate(lines := output.out.splitlines()):
        if line.startswith("["):  # banners and '[PM2] …' notes may stand before the list
            try:
                listed = json.loads("\n".join(lines[at:]))
            except (ValueError, RecursionError):
                continue
            return tuple(entry for entry in listed if isinstance(entry, dict))
    raise NotTested(Failure.UNREADABLE, f"pm2 jlist printed no list, exit code {output.exit_code}")


def _require_daemon(env: Mapping[str, str]) -> None:
    home = Path(env.get("PM2_HOME") or Path(env.get("HOME", "/root")) / ".pm2")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
            door.settimeout(0.2)
            door.connect(str(home / "rpc.sock"))
    except PermissionError as error:
        raise NotTested(Failure.NO_PERMISSION, f"{home} belongs to another user") from error
    except OSError as error:  # no such file, nobody behind it, a path too long for a socket
        raise NotTested(Failure.NOT_HERE, f"no pm2 daemon runs under {home}") from error
