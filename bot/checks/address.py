"""To which address does a probe of the PBX go? A literal as it stands, a name as this host resolves it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import re
import socket
import threading
from collections.abc import Callable
from typing import TypeVar, cast

from bot.checks.check import NotTested, Probe
from bot.model import Failure, Target

T = TypeVar("T")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

HOST = re.compile(r"[0-9A-Za-z_](?:[0-9A-Za-z_.-]{0,251}[0-9A-Za-z_])?\.?")
NO_WAY_OUT = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})  # not the PBX: us


def literal(host: str) -> Address | None:
    """The address a host is written as, None for a name. IPv6 may stand in brackets."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def split_port(server: str, default_port: int) -> tuple[str, int]:
    """'ip', 'ip:port' or '[v6]:port' as (ip, port). Raises NotTested(UNREADABLE) on anything else."""
    host, colon, port = server.rpartition(":")
    if literal(server) is not None:
        return server.strip("[]"), default_port
    number = int(port) if re.fullmatch(r"[0-9]{1,5}", port) else 0
    if not colon or literal(host) is None or not 0 < number < 65536:
        raise NotTested(Failure.UNREADABLE, f"not an address with a port: {server!r}")
    return host.strip("[]"), number


async def pbx_address(target: Target, probe: Probe) -> str:
    """Where the PBX is probed: `probe_host`, but never a host that is not the PBX.

    Where the PBX's addresses are known, its name need not be asked for: with a wrong or dead name the probe would
    go astray or nowhere, and one fault would look like two. What the name says is the `dns` check's matter.
    Raises NotTested as `resolve`, and UNREADABLE when the name leads to no host at all (0.0.0.0).
    """
    known = sorted(target.expected_ips, key=lambda ip: (":" in ip, ip))
    if known and target.probe_host == target.host:
        return known[0]
    address = await resolve(target.probe_host, probe)
    parsed = literal(address)
    if parsed is not None and (parsed.is_unspecified or parsed.is_multicast):
        raise NotTested(Failure.UNREADABLE, f"{target.probe_host} leads to {address}")
    return address


async def resolve(host: str, probe: Probe) -> str:
    """The host's address, IPv4 first, for MicroSIP uses IPv4 only.

    Raises NotTested: UNREADABLE when the name has no address (the `dns` check says why), TIMEOUT when no
    resolver answered.
    """
    address = literal(host)
    if address is not None:
        return str(address)
    return await probe.once(f"address of {host}", lambda: _look_up(host))


async def _look_up(host: str) -> str:
    if not HOST.fullmatch(host):
        raise NotTested(Failure.UNREADABLE, f"not a host name: {host!r}")
    try:
        found = await _in_own_thread(lambda: socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM))
    except socket.gaierror as error:
        failure = Failure.TIMEOUT if error.errno == socket.EAI_AGAIN else Failure.UNREADABLE
        raise NotTested(failure, f"{host} does not resolve here: {error.strerror}") from error
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    return str(found[0][4][0])


async def _in_own_thread(work: Callable[[], T]) -> T:
    # Not the loop's executor: with dead resolvers getaddrinfo blocks for ten seconds and more, and the end of
    # the program would wait for it. A daemon thread is left behind.
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(cast("T", result))

    def labour() -> None:
        result, trouble = None, None
        try:
            result = work()
        except Exception as error:
            trouble = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, trouble)

    threading.Thread(target=labour, name="resolve", daemon=True).start()
    return await answer
