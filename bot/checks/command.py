"""What does a program of the host print? Started with an argument list, bounded in time, always reaped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.checks.check import NotTested
from bot.model import Failure

OUR_SECRETS = ("BOT_TOKEN", "PBX_API_PASSWORD")  # of the environment; pm2 would show them in its list
SYSTEM_PLACES = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # services often lack sbin


@dataclass(frozen=True, slots=True)
class Output:
    """How the program ended and what it printed (undecodable bytes replaced)."""

    exit_code: int
    out: str
    err: str


def find(program: str, env: Mapping[str, str]) -> str | None:
    """The program's path, or None when it is not installed."""
    return shutil.which(program, path=_places(env))


def surroundings(env: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program of the host: with the system's places, without our secrets."""
    kept = {name: value for name, value in env.items() if name not in OUR_SECRETS}
    return {**kept, "PATH": _places(env)}


def _places(env: Mapping[str, str]) -> str:
    return f"{env.get('PATH', '')}:{SYSTEM_PLACES}"


async def ask(argv: Sequence[str], env: Mapping[str, str], *, limit_s: float) -> Output:
    """Runs argv[0] and waits for its end. English messages (LC_ALL=C), no stdin, no shell.

    Raises NotTested: NO_TOOL when it is not installed, NO_PERMISSION when it may not be started, TIMEOUT when
    it is not done after limit_s; then it and its children are killed.
    """
    path = find(argv[0], env)
    if path is None:
        raise NotTested(Failure.NO_TOOL, f"{argv[0]} is not installed")
    try:
        process = await asyncio.create_subprocess_exec(
            path,
            *argv[1:],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**surroundings(env), "LC_ALL": "C"},
            start_new_session=True,
        )
    except PermissionError as error:
        raise NotTested(Failure.NO_PERMISSION, f"{argv[0]} may not be started") from error
    except OSError as error:
        raise NotTested(Failure.NO_TOOL, f"{argv[0]}: {error.strerror}") from error
    try:
        async with asyncio.timeout(limit_s):
            out, err = await process.communicate()
    except TimeoutError as error:
        raise NotTested(Failure.TIMEOUT, f"{argv[0]} took longer than {limit_s:g} s") from error
    finally:
        await _end(process)
    return Output(process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace"))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # it leads a session of its own, so its children die with it
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            await process.wait()
