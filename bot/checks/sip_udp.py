"""What does the SIP server answer to one request over UDP? A non-INVITE client transaction (RFC 3261 17.1.2).

The request is sent again after 0.5, 1.5, 3.5, 7.5 s …; the answer must carry our branch, Call-ID and CSeq and
a single Via (8.1.3.3, 17.1.3), wherever it comes from. A laxer probe says 'answers' behind a SIP ALG that every
softphone fails with, and takes a late duplicate for the answer to another request.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import secrets
import socket
import struct
import sys
from dataclasses import dataclass
from typing import Literal

from sipmessage import URI, Address, CSeq, Message, Parameters, Request, Response, Via

from bot.checks.address import HOST, NO_WAY_OUT, literal
from bot.checks.check import NotTested, Probe
from bot.model import Failure

T1_S, T2_S = 0.5, 4.0
AGENT = "MicroSIP-Yordam"
IP_RECVERR, IPV6_RECVERR = 11, 25  # <linux/in.h>, <linux/in6.h>; Python has no names for them
PROHIBITED = frozenset({(3, 9), (3, 10), (3, 13), (1, 1)})  # ICMP 'administratively prohibited', v4 and v6
UNREADABLE_ANSWER = (ValueError, KeyError, IndexError, AttributeError, TypeError)  # of broken packets


@dataclass(frozen=True, slots=True)
class Exchange:
    """How it ended. `rtt_ms` is from the first packet to the answer, so a lost first packet costs 500 ms."""

    outcome: Literal["answered", "refused", "silent"]
    code: int | None = None
    rtt_ms: float | None = None
    sent: int = 0  # packets
    strangers: int = 0  # packets that came but are not an answer to this request


def request(method: str, domain: str, port: int, user: str | None = None) -> Request:
    """A request without Contact: it asks for nothing and binds nothing. Via is added when it is sent.

    Raises NotTested(UNREADABLE) on a domain or user that does not belong in a SIP URI.
    """
    if literal(domain) is None and not HOST.fullmatch(domain):
        raise NotTested(Failure.UNREADABLE, f"not a SIP domain: {domain!r}")
    host = f"[{domain.strip('[]')}]" if ":" in domain else domain
    made = Request(method, URI("sip", host, port=None if port == 5060 else port))
    who = URI("sip", host, user=user or "yordam")
    made.from_address = Address(who, parameters=Parameters(tag=secrets.token_hex(8)))
    made.to_address = Address(who if user else made.uri)
    made.call_id = secrets.token_hex(16)
    made.cseq = CSeq(1, method)
    made.max_forwards = 70
    made.headers.set("User-Agent", AGENT)
    made.headers.set("Content-Length", "0")
    for name in made.headers.keys():  # noqa: SIM118 - not a mapping
        _require_printable(made.headers[name])
    _require_printable(str(made.uri))
    return made


def _require_printable(value: str) -> None:
    # sipmessage lets CR and LF through; a header of ours must never become two.
    if not (value.isascii() and value.isprintable()):
        raise NotTested(Failure.UNREADABLE, f"not fit for a SIP header: {value!r}")


async def exchange(ask: Request, address: str, port: int, probe: Probe, *, limit_s: float) -> Exchange:
    """Sends the request to the address and waits at most limit_s for a final answer.

    Raises NotTested: UNREADABLE without a route, or when packets came but none was an answer to this request;
    NO_PERMISSION when this host's own firewall forbids sending.
    """
    loop = asyncio.get_running_loop()
    start = loop.time()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        source = _prepare(sock, address, port)
        local_port = sock.getsockname()[1]
        probe.own_ports.append(local_port)
        probe.note(f"local port {local_port}")
        ask.via = [_via(source, local_port)]
        ended = await _converse(ask, sock, (address, port), start + limit_s)
    if ended.outcome == "silent" and ended.strangers:
        raise NotTested(Failure.UNREADABLE, f"{ended.strangers} packets came, none answers our request")
    return ended


def _prepare(sock: socket.socket, address: str, port: int) -> str:
    """Binds the socket, asks for ICMP errors, gives the address it will send from."""
    sock.setblocking(False)
    if sys.platform == "linux":  # elsewhere an unconnected socket hears of no refusal, which reads as silence
        level = socket.IPPROTO_IPV6 if sock.family == socket.AF_INET6 else socket.IPPROTO_IP
        sock.setsockopt(level, IPV6_RECVERR if sock.family == socket.AF_INET6 else IP_RECVERR, 1)
    try:
        # Not this socket: a connected one would not hear an answer from another address.
        with socket.socket(sock.family, socket.SOCK_DGRAM) as scout:
            scout.connect((address, port))
            source = str(scout.getsockname()[0])
        sock.bind(("", 0))
    except OSError as error:
        raise NotTested(Failure.UNREADABLE, f"no way to {address}: {error.strerror}") from error
    return source


def _via(source: str, port: int) -> Via:
    host = f"[{source}]" if ":" in source else source
    branch = f"z9hG4bK{secrets.token_hex(12)}"
    return Via("UDP", host, port, Parameters(rport=None, branch=branch))


async def _converse(ask: Request, sock: socket.socket, server: tuple[str, int], until: float) -> Exchange:
    loop = asyncio.get_running_loop()
    start = next_at = loop.time()
    gap_s, sent, strangers = T1_S, 0, 0
    while True:
        try:
            if loop.time() >= next_at:
                sock.sendto(bytes(ask), server)
                sent, next_at, gap_s = sent + 1, next_at + gap_s, min(gap_s * 2, T2_S)
            async with asyncio.timeout_at(min(next_at, until)):
                packet, _ = await loop.sock_recvfrom(sock, 65535)
        except TimeoutError:
            if loop.time() >= until:
                return Exchange("silent", sent=sent, strangers=strangers)
            continue
        except OSError as error:
            if _refused(sock, error):
                return Exchange("refused", sent=sent, strangers=strangers)
            next_at = max(next_at, loop.time() + 0.02)  # no route for a moment is no reason to spin
            continue
        code = final_code(packet, ask)
        if code is None:
            strangers += 1
        elif code >= 200:  # 1xx: it works on it; keep waiting
            return Exchange("answered", code, (loop.time() - start) * 1000, sent, strangers)


def _refused(sock: socket.socket, error: OSError) -> bool:
    """Whether the far side said no. Raises NotTested when it was this host that could not send."""
    icmp = _icmp_errors(sock)
    if error.errno == errno.EPERM:
        raise NotTested(Failure.NO_PERMISSION, "this host's own firewall forbids sending")
    if error.errno == errno.ECONNREFUSED or icmp & PROHIBITED:
        return True
    if error.errno in NO_WAY_OUT and not icmp:
        raise NotTested(Failure.UNREADABLE, f"no way to the server: {error.strerror}")
    return False  # a router says 'unreachable': the same silence, only explained


def _icmp_errors(sock: socket.socket) -> frozenset[tuple[int, int]]:
    """(type, code) of what is in the error queue; empties it, or the event loop would be woken for ever."""
    seen = set()
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # BlockingIOError: empty
            while True:
                for _level, _kind, value in sock.recvmsg(512, 512, socket.MSG_ERRQUEUE)[1]:
                    if len(value) >= 8:  # struct sock_extended_err: errno, origin, type, code, pad
                        _errno, origin, icmp_type, icmp_code, _pad = struct.unpack_from("=IBBBB", value)
                        if origin in (2, 3):  # SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6
                            seen.add((icmp_type, icmp_code))
    return frozenset(seen)


def final_code(packet: bytes, ask: Request) -> int | None:
    """The status code of an answer to this very request; None for anything else, however broken."""
    if ask.call_id.encode() not in packet:  # only who saw our request gets as far as the grammar
        return None
    try:
        answer = Message.parse(packet)
        if not isinstance(answer, Response):
            return None
        vias = answer.via
        mine = (
            len(vias) == 1
            and vias[0].parameters.get("branch") == ask.via[0].parameters.get("branch")
            and answer.call_id == ask.call_id
            and answer.cseq == ask.cseq
        )
    except UNREADABLE_ANSWER:
        return None
    return answer.code if mine and 100 <= answer.code <= 699 else None
