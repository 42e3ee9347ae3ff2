"""Does the extension exist? A REGISTER without credentials and without Contact: 401 says yes, 404 says no.

It must never carry the user's password: the PBX keeps one binding an extension, and a probe that registers
takes the phone's place. Without credentials nothing is stored, and without Contact nothing is even asked for
(RFC 3261 10.2.3: a query). The PBX answers 404 for an unknown and for a disabled extension alike; other
registrars (Kamailio, Asterisk) challenge unknown ones too, so there 401 says little.
"""

from __future__ import annotations

import asyncio
import re

from bot.checks.address import pbx_address
from bot.checks.check import NotTested, Probe
from bot.checks.sip_options import MARGIN_S
from bot.checks.sip_udp import exchange, request
from bot.model import Failure, Finding, Tag, Target

EXTENSION = re.compile(r"[0-9A-Za-z_.+-]{1,32}")


async def check(target: Target, probe: Probe) -> tuple[Finding, ...]:
    """EXTENSION_EXISTS(extension) or EXTENSION_UNKNOWN(extension); the local port stands in the detail."""
    extension = target.extension or ""
    if not EXTENSION.fullmatch(extension):
        raise NotTested(Failure.UNREADABLE, "not an extension")
    until = asyncio.get_running_loop().time() + target.timeout_s - MARGIN_S
    address = await pbx_address(target, probe)
    limit_s = until - asyncio.get_running_loop().time()
    ask = request("REGISTER", target.host, target.sip_port, user=extension)
    ended = await exchange(ask, address, target.sip_port, probe, limit_s=limit_s)
    if ended.outcome == "silent":
        raise NotTested(Failure.TIMEOUT, "the PBX did not answer the REGISTER")
    if ended.outcome == "refused":
        raise NotTested(Failure.UNREADABLE, "nobody listens for the REGISTER")
    if ended.code == 401:
        return (Finding(Tag.EXTENSION_EXISTS, {"extension": extension}),)
    if ended.code == 404:
        return (Finding(Tag.EXTENSION_UNKNOWN, {"extension": extension}),)
    raise NotTested(Failure.UNREADABLE, f"the REGISTER was answered with {ended.code}")
