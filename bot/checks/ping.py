"""Does the PBX's host answer ICMP echo? Three echoes side by side. Never decides alone: many block it.

Unprivileged ICMP sockets are closed by default on many kernels (net.ipv4.ping_group_range = 1 0), then a raw
socket is tried, which needs root, then the system's `ping`, which usually has the right to.
"""

from __future__ import annotations

import asyncio
import re

from icmplib import async_ping  # type: ignore[import-untyped]
from icmplib.exceptions import (  # type: ignore[import-untyped]
    ICMPLibError,
    SocketPermissionError,
)

from bot.checks.address import pbx_address
from bot.checks.check import NotTested, Probe
from bot.checks.command import ask
from bot.model import Failure, Finding, Tag, Target

ECHOES = 3
LONGEST_WAIT_S = 2.0
PING_TIME = re.compile(r"time[=<]\s?([0-9.]{1,12}) ?ms")


async def check(target: Target, probe: Probe) -> tuple[Finding, ...]:
    """SERVER_PING_ANSWERS(rtt_ms: the quickest) when any echo came back, else SERVER_PING_LOST."""
    address = await pbx_address(target, probe)
    wait_s = min(LONGEST_WAIT_S, target.timeout_s / 2)
    rtts_ms = await _echoes(address, wait_s, probe)
    if not rtts_ms:
        return (Finding(Tag.SERVER_PING_LOST),)
    probe.note(f"{len(rtts_ms)} of {ECHOES} came back")
    return (Finding(Tag.SERVER_PING_ANSWERS, {"rtt_ms": round(min(rtts_ms), 1)}),)


async def _echoes(address: str, wait_s: float, probe: Probe) -> list[float]:
    for privileged in (False, True):
        try:
            return await _by_socket(address, wait_s, privileged)
        except SocketPermissionError:
            continue
        except (ICMPLibError, OSError) as error:
            raise NotTested(Failure.UNREADABLE, f"no echo could be sent: {error}") from error
    try:
        return await _by_program(address, wait_s, probe)
    except NotTested as end:
        if end.failure is Failure.NO_TOOL:
            raise NotTested(Failure.NO_PERMISSION, "ICMP needs root, and there is no ping program") from end
        raise


async def _by_socket(address: str, wait_s: float, privileged: bool) -> list[float]:
    # One async_ping of three echoes waits for each answer before the next: thrice as long on a dead host.
    hosts = await asyncio.gather(
        *(async_ping(address, count=1, timeout=wait_s, privileged=privileged) for _ in range(ECHOES))
    )
    if not any(host.packets_sent for host in hosts):
        raise NotTested(Failure.UNREADABLE, f"no way to {address}")
    return [rtt_ms for host in hosts for rtt_ms in host.rtts]


async def _by_program(address: str, wait_s: float, probe: Probe) -> list[float]:
    argv = ("ping", "-n", "-c", "1", "-W", f"{max(1, round(wait_s))}", address)
    outputs = await asyncio.gather(*(ask(argv, probe.env, limit_s=wait_s + 1) for _ in range(ECHOES)))
    for output in outputs:
        if output.exit_code >= 2:  # 0 answered, 1 not answered, 2 could not
            trouble = output.err.strip()[:200]
            denied = "permitted" in trouble or "ermission" in trouble
            raise NotTested(Failure.NO_PERMISSION if denied else Failure.UNREADABLE, f"ping: {trouble}")
    return [float(found[1]) for output in outputs if (found := PING_TIME.search(output.out))]
