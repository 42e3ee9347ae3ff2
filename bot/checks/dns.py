"""What do the resolvers say about the PBX's name? Each is asked by itself, so that they can be compared.

What counts is what all agree on. A resolver that is silent, refuses us or fails says nothing about the name:
- one right address anywhere: the name works (SERVER_DNS_OK); who disagrees is noted in the detail;
- nobody gives a right one, somebody a wrong one: SERVER_DNS_WRONG_IP (only where the right ones are known);
- every resolver that speaks says NXDOMAIN: SERVER_DNS_NXDOMAIN; some say 'no such record': NO_ADDRESS, for
  that much is common to both;
- all asked answered, each of them SERVFAIL or REFUSED: SERVER_DNS_BROKEN. If one of them was silent, it may
  as well be our own network: a local forwarder says SERVFAIL when it cannot get out;
- none answered: a timeout, never a finding.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA
from dns.rdtypes.IN.NAPTR import NAPTR
from dns.rdtypes.IN.SRV import SRV

from bot.checks.address import HOST, literal, split_port
from bot.checks.check import NotTested, Probe
from bot.model import Failure, Finding, Tag, Target

PUBLIC = ("1.1.1.1", "8.8.8.8")
TRIES = 3  # packets a question; together they take three quarters of the time limit
SILENT, MUTE = "silent", frozenset({"SERVFAIL", "REFUSED", "NOTIMP", "FORMERR", "NOTAUTH"})


@dataclass(frozen=True, slots=True)
class Said:
    """What one resolver said to one question: an rcode or 'silent', and the records of the final name."""

    rcode: str
    records: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """What one resolver said about the PBX's name."""

    server: str
    a: Said
    aaaa: Said
    srv: Said
    naptr: Said


async def check(target: Target, probe: Probe) -> tuple[Finding, ...]:
    """SERVER_DNS_* as above, and SERVER_DNS_HAS_AAAA and _HAS_SRV where there are such records."""
    if (address := literal(target.host)) is not None:
        return (Finding(Tag.SERVER_DNS_OK, {"addresses": (str(address),)}),)
    name = host_name(target.host)
    servers = [split_port(server, 53) for server in target.dns_servers or _usual_resolvers()]
    wait_s = target.timeout_s * 0.75 / TRIES
    words = await asyncio.gather(*(ask_resolver(name, ip, port, wait_s) for ip, port in servers))
    probe.note(", ".join(f"{word.server} {' '.join(word.a.records) or word.a.rcode}" for word in words))
    if naptr := _all(word.naptr for word in words):
        probe.note(f"NAPTR {' '.join(naptr)}")
    return (*judge(words, target.expected_ips), *_beside(words))


def judge(words: Sequence[Word], expected: frozenset[str]) -> tuple[Finding, ...]:
    """The one finding about the A records. Raises NotTested(TIMEOUT) when nobody answered."""
    answered = [word for word in words if word.a.rcode != SILENT]
    speaking = [word for word in answered if word.a.rcode not in MUTE]
    right = [word for word in speaking if word.a.records and (not expected or expected & set(word.a.records))]
    if right:
        return (Finding(Tag.SERVER_DNS_OK, {"addresses": _all(word.a for word in right)}),)
    if wrong := _all(word.a for word in speaking):
        args = {"addresses": wrong, "expected": tuple(sorted(expected))}
        return (Finding(Tag.SERVER_DNS_WRONG_IP, args),)
    if speaking and all(word.a.rcode == "NXDOMAIN" for word in speaking):
        return (Finding(Tag.SERVER_DNS_NXDOMAIN, {"resolvers": tuple(word.server for word in speaking)}),)
    if speaking:
        return (Finding(Tag.SERVER_DNS_NO_ADDRESS),)
    if answered and len(answered) == len(words):
        return (Finding(Tag.SERVER_DNS_BROKEN, {"rcode": answered[0].a.rcode}),)
    raise NotTested(Failure.TIMEOUT, "no resolver said anything about the name")


def _beside(words: Sequence[Word]) -> list[Finding]:
    found = []
    if aaaa := _all(word.aaaa for word in words):
        found.append(Finding(Tag.SERVER_DNS_HAS_AAAA, {"addresses": aaaa}))
    if srv := _all(word.srv for word in words):
        found.append(Finding(Tag.SERVER_DNS_HAS_SRV, {"targets": srv}))
    return found


def _all(said: Iterable[Said]) -> tuple[str, ...]:
    return tuple(sorted({record for one in said for record in one.records}))


def host_name(host: str) -> dns.name.Name:
    """The name as DNS has it. Raises NotTested(UNREADABLE) on what is none."""
    try:
        if not HOST.fullmatch(host):
            raise dns.name.BadLabelType
        return dns.name.from_text(host)
    except dns.exception.DNSException as error:
        raise NotTested(Failure.UNREADABLE, f"not a host name: {host!r}") from error


def _usual_resolvers() -> tuple[str, ...]:
    try:
        own = [str(server) for server in dns.resolver.Resolver().nameservers]
    except dns.resolver.NoResolverConfiguration:
        own = []
    return tuple(dict.fromkeys((*own, *PUBLIC)))


async def ask_resolver(name: dns.name.Name, ip: str, port: int, wait_s: float) -> Word:
    """What one resolver says about the name; each packet waits for wait_s, three are sent at most."""
    service = dns.name.from_text("_sip._udp", name)
    a, aaaa, srv, naptr = await asyncio.gather(
        _query(name, "A", ip, port, [wait_s] * TRIES),
        _query(name, "AAAA", ip, port, [wait_s] * TRIES),
        _query(service, "SRV", ip, port, [wait_s]),
        _query(name, "NAPTR", ip, port, [wait_s]),
    )
    return Word(ip if port == 53 else f"{ip}:{port}", a, aaaa, srv, naptr)


async def _query(name: dns.name.Name, rdtype: str, ip: str, port: int, waits_s: list[float]) -> Said:
    """Asked once for each wait; an answer to another question or from another address is not heard."""
    query = dns.message.make_query(name, rdtype, use_edns=False)  # as the simplest stub resolver asks
    for wait_s in waits_s:
        try:
            answer, _ = await dns.asyncquery.udp_with_fallback(
                query, ip, timeout=wait_s, port=port, ignore_unexpected=True, ignore_errors=True
            )
            return _read(answer)
        except dns.exception.Timeout:
            continue
        except (OSError, EOFError, dns.exception.DNSException):  # nobody listens there, or it speaks no DNS
            break
    return Said(SILENT)


def _read(answer: dns.message.Message) -> Said:
    rcode = dns.rcode.to_text(answer.rcode())
    if rcode != "NOERROR" or not isinstance(answer, dns.message.QueryMessage):
        return Said(rcode)
    rrset = answer.resolve_chaining().answer
    if rrset is None and not answer.flags & dns.flags.AA and _refers(answer):
        return Said("REFUSED")  # 'ask those': it does not look things up for us
    return Said(rcode, tuple(text for rdata in rrset or () if (text := _record(rdata))))


def _refers(answer: dns.message.QueryMessage) -> bool:
    kinds = {rrset.rdtype for rrset in answer.authority}
    return dns.rdatatype.NS in kinds and dns.rdatatype.SOA not in kinds


def _record(rdata: object) -> str:
    match rdata:
        case A() | AAAA():
            return str(rdata.address)
        case SRV():
            target = rdata.target.to_text(omit_final_dot=True)
            return "" if target in ("", ".", "@") else f"{target}:{rdata.port}"
        case NAPTR():
            service = rdata.service.decode("ascii", "replace")
            return f"{service} {rdata.replacement.to_text(omit_final_dot=True)}"
    return ""
