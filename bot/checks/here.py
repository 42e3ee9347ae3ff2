"""Does the PBX run on this host? Only then can its sockets, its firewall and its process be looked at."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from ipaddress import ip_address

from bot.checks.address import resolve
from bot.checks.check import NotTested, Probe
from bot.model import Failure, Target

LOOK_UP_S = 1.0


async def on_this_host(target: Target, probe: Probe) -> bool:
    """What the settings say, else whether the PBX's address is one of this host's own.

    A host behind 1:1 NAT does not carry its public address: there the settings have to say it.
    """
    if target.on_this_host is not None:
        return target.on_this_host
    return await probe.once("is the PBX here", lambda: _find_out(target, probe))


async def require_here(target: Target, probe: Probe) -> None:
    """Raises NotTested(NOT_HERE) when the PBX runs elsewhere."""
    if not await on_this_host(target, probe):
        raise NotTested(Failure.NOT_HERE, "the PBX does not run on this host")


async def _find_out(target: Target, probe: Probe) -> bool:
    if any(is_own(address) for address in target.expected_ips):
        return True
    try:
        async with asyncio.timeout(LOOK_UP_S):
            return is_own(await resolve(target.probe_host, probe))
    except TimeoutError as error:
        raise NotTested(Failure.TIMEOUT, "no resolver tells whether the PBX is here") from error
    except NotTested as end:
        if end.failure is Failure.TIMEOUT:
            raise
        return False


def is_own(address: str) -> bool:
    """Whether a UDP socket may be bound to the address. Nothing is sent."""
    with contextlib.suppress(ValueError, OSError):
        ip = ip_address(address)
        if ip.is_loopback:
            return True
        if ip.is_unspecified or ip.is_multicast or _any_address_may_be_bound(ip.version):
            return False
        family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
        with socket.socket(family, socket.SOCK_DGRAM) as one:
            one.bind((address, 0))
        return True
    return False


def _any_address_may_be_bound(version: int) -> bool:
    # With ip_nonlocal_bind (hosts with a floating address) binding succeeds always and proves nothing.
    try:
        with open(f"/proc/sys/net/ipv{version}/ip_nonlocal_bind", encoding="ascii") as setting:
            return setting.read().strip() != "0"
    except OSError:
        return False
