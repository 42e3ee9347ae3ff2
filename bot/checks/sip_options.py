"""Does the PBX answer a SIP OPTIONS, from the world (`sip`) and from its own host (`sip_loopback`)?"""

from __future__ import annotations

import asyncio

from bot.checks.address import pbx_address
from bot.checks.check import Probe
from bot.checks.here import is_own, require_here
from bot.checks.sip_udp import exchange, request
from bot.model import Finding, Tag, Target, Value

LOOPBACK = "127.0.0.1"
LOOPBACK_S = 1.0  # on one host the answer never took longer than 60 ms; one packet more at 0.5 s
MARGIN_S = 0.05  # silence has to be pronounced before the runner calls it a timeout


async def check(target: Target, probe: Probe) -> tuple[Finding, ...]:
    """SERVER_SIP_ANSWERS(code, rtt_ms, over_loopback), SERVER_SIP_REFUSED or SERVER_SIP_SILENT at the PBX's address.

    `over_loopback`: the PBX's address is this host's own, so the packets never met what the world meets; the
    answer then proves no more than that of `sip_loopback`. Silence and refusal prove the same as from outside.
    """
    until = asyncio.get_running_loop().time() + target.timeout_s - MARGIN_S
    address = await pbx_address(target, probe)
    limit_s = until - asyncio.get_running_loop().time()
    tags = (Tag.SERVER_SIP_ANSWERS, Tag.SERVER_SIP_REFUSED, Tag.SERVER_SIP_SILENT)
    return await _options(target, address, probe, limit_s, tags)


async def check_loopback(target: Target, probe: Probe) -> tuple[Finding, ...]:
    """LOOPBACK_SIP_ANSWERS(code, rtt_ms), LOOPBACK_SIP_REFUSED or LOOPBACK_SIP_SILENT.

    An answer proves that the PBX lives, nothing about the firewall, which lets loopback through.
    """
    await require_here(target, probe)
    tags = (Tag.LOOPBACK_SIP_ANSWERS, Tag.LOOPBACK_SIP_REFUSED, Tag.LOOPBACK_SIP_SILENT)
    return await _options(target, LOOPBACK, probe, LOOPBACK_S, tags)


async def _options(
    target: Target, address: str, probe: Probe, limit_s: float, tags: tuple[Tag, Tag, Tag]
) -> tuple[Finding, ...]:
    answers, refused, silent = tags
    ask = request("OPTIONS", target.host, target.sip_port)
    ended = await exchange(ask, address, target.sip_port, probe, limit_s=limit_s)
    if ended.code is not None and ended.rtt_ms is not None:
        args: dict[str, Value] = {"code": ended.code, "rtt_ms": round(ended.rtt_ms, 1)}
        if answers is Tag.SERVER_SIP_ANSWERS:
            args["over_loopback"] = is_own(address)
        return (Finding(answers, args),)
    return (Finding(refused if ended.outcome == "refused" else silent),)
