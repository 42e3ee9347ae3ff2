"""A stand-in for the PBX and its name server, for the played cases: answers OPTIONS, REGISTER and A on 127.0.0.1.

Its name server gives the address of a documentation network (RFC 5737), the one of the examples people are shown.
"""

from __future__ import annotations

import asyncio
import ipaddress
import struct
from asyncio import DatagramTransport
from collections.abc import Callable
from typing import cast

Address = tuple[str, int]
HERE, SIP_PORT = "127.0.0.1", 5060
SHOWN_ADDRESS = "203.0.113.10"
KNOWN_EXTENSION = b"1002"


class DemoPbx:
    """`async with DemoPbx() as pbx`: two UDP ports, 5060 if it is free, else of the kernel's choice."""

    sip_port: int
    dns_port: int

    async def __aenter__(self) -> DemoPbx:
        self._open: list[DatagramTransport] = []
        try:
            self.sip_port = await self._listen(sip_answer, SIP_PORT)
        except OSError:
            self.sip_port = await self._listen(sip_answer, 0)
        self.dns_port = await self._listen(dns_answer, 0)
        return self

    async def _listen(self, answer: Callable[[bytes], bytes | None], port: int) -> int:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(answer), (HERE, port))
        self._open.append(transport)
        return int(transport.get_extra_info("sockname")[1])

    async def __aexit__(self, *_: object) -> None:
        for transport in self._open:
            transport.close()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        answer = self._answer(data)
        if answer is not None:
            self._transport.sendto(answer, addr)


def sip_answer(request: bytes) -> bytes | None:
    """200 to OPTIONS, 401 or 404 to REGISTER (RFC 3261 8.2.6: Via, From, To, Call-ID and CSeq are copied)."""
    head, _, rest = request.partition(b"\r\n")
    copied = [
        line
        for line in rest.split(b"\r\n")
        if line.split(b":")[0].strip().lower() in (b"via", b"from", b"to", b"call-id", b"cseq")
    ]
    if head.startswith(b"OPTIONS "):
        status = b"200 OK"
    elif head.startswith(b"REGISTER "):
        status = b"401 Unauthorized" if KNOWN_EXTENSION in b"".join(copied) else b"404 Not Found"
    else:
        return None
    lines = [b"SIP/2.0 " + status, *copied, b"Content-Length: 0", b"", b""]
    return b"\r\n".join(lines)


def dns_answer(query: bytes) -> bytes | None:
    """SHOWN_ADDRESS to every question for an A record, nothing to others (RFC 1035 4.1)."""
    if len(query) < 17:
        return None
    end = query.find(b"\0", 12) + 5
    question = query[12:end]
    is_a = question[-4:-2] == b"\0\x01"
    head = query[:2] + struct.pack(">HHHHH", 0x8580, 1, int(is_a), 0, 0)
    record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + ipaddress.IPv4Address(SHOWN_ADDRESS).packed
    return head + question + (record if is_a else b"")
