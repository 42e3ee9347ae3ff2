"""How do the checks compare with the tools an admin would type, and with being run one after another?

Everything runs on 127.0.0.1 against a real Kamailio and a small name server. The contenders take turns within one
run, so a busy neighbour slows all of them alike: read the ratios, not the milliseconds.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from bot.checks import CHECKS
from bot.checks.check import Probe
from bot.checks.command import ask
from bot.checks.dns import ask_resolver, host_name
from bot.checks.runner import Runner
from bot.checks.sip_udp import exchange, request
from bot.model import Target
from tests.servers.dns import SILENT, DnsServer
from tests.servers.kamailio import PROGRAM, Kamailio
from tests.servers.sip import SipServer, silent

ROUNDS = 25
HOST = "pbx.example"
Contender = Callable[[], Awaitable[object]]


def rows() -> list[tuple[str, str]]:
    """(what was compared, its ratio with the medians), in the order they were measured."""
    return asyncio.run(_rows())


async def _rows() -> list[tuple[str, str]]:
    return [*await _sip(), *await _dns(), *await _whole()]


async def _sip() -> list[tuple[str, str]]:
    if PROGRAM is None or shutil.which("sipsak") is None:
        return [("SIP OPTIONS against sipsak", "not measured: kamailio or sipsak is not installed")]
    with Kamailio() as kamailio:
        probe = Probe(os.environ)
        sipsak = ("sipsak", "-s", f"sip:127.0.0.1:{kamailio.port}")

        async def ours() -> object:
            asked = request("OPTIONS", HOST, kamailio.port)
            return await exchange(asked, "127.0.0.1", kamailio.port, probe, limit_s=1)

        async def theirs() -> object:
            return await ask(sipsak, os.environ, limit_s=5)

        return [_ratio("SIP OPTIONS answered: sipsak / our probe", await _take_turns(theirs, ours))]


async def _dns() -> list[tuple[str, str]]:
    if shutil.which("dig") is None:
        return [("DNS against dig", "not measured: dig is not installed")]
    with DnsServer({HOST: {"A": ("127.0.0.1",)}}) as server:
        dig = ("dig", "+short", "@127.0.0.1", "-p", str(server.port), HOST, "A")

        async def ours() -> object:
            return await ask_resolver(host_name(HOST), "127.0.0.1", server.port, 1.0)

        async def theirs() -> object:
            return await ask(dig, os.environ, limit_s=5)

        name = "DNS: dig of A alone / our A, AAAA, SRV and NAPTR"
        return [_ratio(name, await _take_turns(theirs, ours))]


async def _whole() -> list[tuple[str, str]]:
    """All checks, healthy and with a server that drops everything: side by side, then one after another."""
    found = []
    with DnsServer({HOST: {"A": ("127.0.0.1",)}}) as resolver, SipServer(silent) as dead:
        target = Target(
            HOST, 9, frozenset({"127.0.0.1"}), "127.0.0.1", (resolver.address,), timeout_s=2, extension="1002"
        )
        if PROGRAM is not None:
            with Kamailio() as kamailio:
                found.append(await _both("healthy", replace(target, sip_port=kamailio.port)))
        with DnsServer({HOST: SILENT}) as mute:
            faulty = replace(target, sip_port=dead.port, dns_servers=(mute.address,))
            found.append(await _both("a firewall that drops all, a resolver that is silent", faulty))
    return found


async def _both(name: str, target: Target) -> tuple[str, str]:
    async def together() -> object:
        return await Runner().run(target)

    async def in_turn() -> object:
        runner = Runner()
        return [await runner.run(target, only=[check.name]) for check in CHECKS]

    return _ratio(f"all checks, {name}: one after another / side by side", await _take_turns(in_turn, together, 3))


async def _take_turns(theirs: Contender, ours: Contender, rounds: int = ROUNDS) -> Mapping[str, list[float]]:
    """Milliseconds of each, round by round, the first round not counted."""
    took: dict[str, list[float]] = {"theirs": [], "ours": []}
    for number in range(rounds + 1):
        for name, contender in (("theirs", theirs), ("ours", ours)):
            start = time.perf_counter()
            await contender()
            if number:
                took[name].append((time.perf_counter() - start) * 1000)
    return took


def _ratio(name: str, took: Mapping[str, list[float]]) -> tuple[str, str]:
    theirs, ours = (statistics.median(took[one]) for one in ("theirs", "ours"))
    return name, f"{theirs / ours:.1f} ({theirs:.1f} ms / {ours:.1f} ms)"


if __name__ == "__main__":
    for name, ratio in rows():
        print(f"{name:90} {ratio}")
