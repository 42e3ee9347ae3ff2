"""What did the number do before: is the address it last came from banned, was the PBX restarted since it registered?

Both are known to the server, as far back as its log goes, so nobody has to be asked for them. Who tries a number is
not its owner yet: a scanner asks for the PBX by its address, so only who registered, or asked by the PBX's name,
counts. What a client smuggled into the log counts for nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from ipaddress import IPv4Address

from bot.checks import firewall
from bot.checks.check import NotTested, Probe
from bot.checks.extension import EXTENSION
from bot.checks.here import is_own, require_here
from bot.checks.log_search import Place, places
from bot.model import Failure, Finding, Tag, Target
from bot.parsers.pbx_log_lines import Said
from bot.parsers.pbx_log_trail import REGISTERED, Source

DAY_S = 24 * 3600.0  # an address of longer ago may be somebody else's by now
LOOKED_AT = 40  # places that are read with what stands before them


@dataclass(frozen=True, slots=True)
class LastSeen:
    """`address`: the owner's last one. `before_restart`: he registered, and nobody has since the PBX's last start."""

    address: str | None = None
    before_restart: bool = False


async def check(target: Target, probe: Probe) -> tuple[Finding, ...]:
    """EXTENSION_ADDRESS_BANNED(extension, address), EXTENSION_BEFORE_RESTART(extension); () when all is well."""
    if not target.log_files:
        raise NotTested(Failure.NOT_CONFIGURED, "no log files")
    if not EXTENSION.fullmatch(target.extension or ""):
        raise NotTested(Failure.UNREADABLE, "not an extension")
    await require_here(target, probe)
    seen = await asyncio.to_thread(last_seen, target)
    named = {"extension": target.extension}
    found = [Finding(Tag.EXTENSION_BEFORE_RESTART, named)] if seen.before_restart else []
    if seen.address is not None:
        try:
            if await firewall.keeps_out(IPv4Address(seen.address), target, probe):
                found.insert(0, Finding(Tag.EXTENSION_ADDRESS_BANNED, {**named, "address": seen.address}))
        except NotTested as end:
            if not found:
                raise
            probe.note(f"bans: {end.detail}")
    return tuple(found)


def last_seen(target: Target) -> LastSeen:
    """Searches the log's files from their newest line back. Blocks. Raises NotTested as `places`."""
    number, address, read = target.extension or "", None, 0
    served = restarted = False  # on the way back: somebody registered; before that, the PBX was started
    for place in places(target.log_files, number):
        if place.age_s > DAY_S or read >= LOOKED_AT:
            break
        if place.said is Said.STARTED:
            if not restarted:
                restarted, read = place.trail().last is Said.STARTED, read + 1
            continue
        served = served or (place.said is Said.REGISTERED and not restarted)
        if place.extension != number or place.ip in target.expected_ips or is_own(place.ip or ""):
            continue  # somebody else, or our own probe
        source, read = _owner(place, target.host), read + 1
        if source is None:
            continue
        address = address or source.ip
        if served or place.said is Said.REGISTERED:
            return LastSeen(address, restarted and not served)
    return LastSeen(address)


def _owner(place: Place, host: str) -> Source | None:
    """The socket of the line, where it is the owner's of the number; None for anybody else's, and for a forged line."""
    trail = place.trail()
    if trail.last is not place.said:
        return None
    source: Source | None = None
    if place.said is Said.REGISTERED and trail.outcomes:
        last = trail.outcomes[-1]
        source = last.source if (last.status, last.extension) == (REGISTERED, place.extension) else None
    elif trail.challenges:
        asked = trail.challenges[-1][1]
        source = asked if (asked.host or "").casefold().partition(":")[0] == host.casefold() else None
    return source if source is not None and source.ip == place.ip and not source.foreign else None
