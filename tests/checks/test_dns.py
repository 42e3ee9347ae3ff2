"""The PBX's name is judged by what all resolvers that speak agree on."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from dataclasses import replace

import pytest

from bot.model import Failure, Finding, Tag, Target
from tests.checks.conftest import RunOne, Told, full_result
from tests.servers.dns import GARBAGE, REFERRAL, SILENT, DnsServer, Entry, Rcode

RIGHT = {"A": ("127.0.0.1",)}
WRONG = {"A": ("192.0.2.66",)}
OK = Finding(Tag.SERVER_DNS_OK, {"addresses": ("127.0.0.1",)})
WRONG_IP = Finding(Tag.SERVER_DNS_WRONG_IP, {"addresses": ("192.0.2.66",), "expected": ("127.0.0.1",)})
NXDOMAIN, SERVFAIL, REFUSED = Rcode("NXDOMAIN"), Rcode("SERVFAIL"), Rcode("REFUSED")


async def ask(run_one: RunOne, target: Target, *entries: Entry) -> tuple[Told, tuple[str, ...]]:
    """One resolver for each entry; what was found, and the resolvers' addresses."""
    with ExitStack() as stack:
        servers = [stack.enter_context(DnsServer({"pbx.example": entry})) for entry in entries]
        addresses = tuple(server.address for server in servers)
        return await run_one("dns", replace(target, dns_servers=addresses)), addresses


@pytest.mark.parametrize(
    ("entries", "findings"),
    [
        pytest.param([RIGHT], [OK], id="the right address"),
        pytest.param([WRONG], [WRONG_IP], id="another address"),
        pytest.param([RIGHT, WRONG, NXDOMAIN, SERVFAIL], [OK], id="one right address anywhere"),
        pytest.param([WRONG, NXDOMAIN], [WRONG_IP], id="none right, one wrong"),
        pytest.param([NXDOMAIN, {"TXT": ("x",)}], [Finding(Tag.SERVER_DNS_NO_ADDRESS)], id="none at all"),
        pytest.param([{"TXT": ("x",)}], [Finding(Tag.SERVER_DNS_NO_ADDRESS)], id="a name without address"),
        pytest.param([SERVFAIL], [Finding(Tag.SERVER_DNS_BROKEN, {"rcode": "SERVFAIL"})], id="servfail"),
        pytest.param([REFUSED], [Finding(Tag.SERVER_DNS_BROKEN, {"rcode": "REFUSED"})], id="refused"),
        pytest.param([REFERRAL, RIGHT], [OK], id="a resolver that only refers is not heard"),
        pytest.param([RIGHT, SILENT], [OK], id="a silent one is not heard"),
        pytest.param([{"CNAME": ("pbx.example.net.",)}], [Finding(Tag.SERVER_DNS_NO_ADDRESS)], id="dead CNAME"),
        pytest.param(
            [{**RIGHT, "AAAA": ("2001:db8::1",), "SRV": ("0 0 5060 sip.example.",)}],
            [OK, Finding(Tag.SERVER_DNS_HAS_AAAA, {"addresses": ("2001:db8::1",)})],
            id="beside IPv4 there is IPv6",
        ),
        pytest.param(
            [{"AAAA": ("2001:db8::1",)}],
            [Finding(Tag.SERVER_DNS_NO_ADDRESS), Finding(Tag.SERVER_DNS_HAS_AAAA, {"addresses": ("2001:db8::1",)})],
            id="IPv6 alone is no address for MicroSIP",
        ),
    ],
)  # fmt: skip
async def test_the_resolvers_words_become_one_finding(
    run_one: RunOne, target: Target, entries: list[Entry], findings: list[Finding]
) -> None:
    told, _ = await ask(run_one, target, *entries)
    assert told == (tuple(findings), None)


async def test_nxdomain_is_said_when_all_that_speak_say_so(run_one: RunOne, target: Target) -> None:
    told, servers = await ask(run_one, target, NXDOMAIN, SILENT, NXDOMAIN, REFUSED)
    expected = Finding(Tag.SERVER_DNS_NXDOMAIN, {"resolvers": (servers[0], servers[2])})
    assert told == ((expected,), None)


@pytest.mark.parametrize("entries", [[SILENT], [GARBAGE], [SILENT, SERVFAIL], [SILENT, REFUSED]])
async def test_when_nobody_knows_anything_it_may_be_our_own_network(
    run_one: RunOne, target: Target, entries: list[Entry]
) -> None:
    told, _ = await ask(run_one, target, *entries)
    assert told == ((), Failure.TIMEOUT)


async def test_no_resolver_there_is_a_timeout_too(run_one: RunOne, target: Target) -> None:
    assert await run_one("dns", target) == ((), Failure.TIMEOUT)


async def test_an_alias_is_followed(run_one: RunOne, target: Target) -> None:
    zone: dict[str, Entry] = {"pbx.example": {"CNAME": ("host.example.",)}, "host.example": RIGHT}
    with DnsServer(zone) as server:
        assert await run_one("dns", replace(target, dns_servers=(server.address,))) == ((OK,), None)


async def test_a_lost_packet_is_sent_again(run_one: RunOne, target: Target) -> None:
    with DnsServer({"pbx.example": RIGHT}, lose_first=4) as server:
        assert await run_one("dns", replace(target, dns_servers=(server.address,))) == ((OK,), None)


async def test_where_the_right_address_is_not_known_any_is_told(run_one: RunOne, target: Target) -> None:
    told, _ = await ask(run_one, replace(target, expected_ips=frozenset()), WRONG, RIGHT)
    expected = Finding(Tag.SERVER_DNS_OK, {"addresses": ("127.0.0.1", "192.0.2.66")})
    assert told == ((expected,), None)


async def test_service_records_are_noted(target: Target) -> None:
    zone: dict[str, Entry] = {
        "pbx.example": {**RIGHT, "NAPTR": ('10 50 "s" "SIP+D2U" "" _sip._udp.pbx.example.',)},
        "_sip._udp.pbx.example": {"SRV": ("0 0 5080 edge.example.",)},
    }
    with DnsServer(zone) as server:
        result = await full_result("dns", replace(target, dns_servers=(server.address,)))
    assert result.findings == (OK, Finding(Tag.SERVER_DNS_HAS_SRV, {"targets": ("edge.example:5080",)}))
    assert result.detail == f"{server.address} 127.0.0.1; NAPTR SIP+D2U _sip._udp.pbx.example"


async def test_an_address_needs_no_resolver(run_one: RunOne, target: Target) -> None:
    assert await run_one("dns", replace(target, host="127.0.0.1")) == ((OK,), None)


@pytest.mark.parametrize("host", ["", "a b", "x" * 64 + ".uz", "pbx\r\n.example", "пбх.example"])
async def test_what_is_no_host_name_is_not_asked_for(run_one: RunOne, target: Target, host: str) -> None:
    assert await run_one("dns", replace(target, host=host)) == ((), Failure.UNREADABLE)


async def test_resolvers_are_asked_side_by_side(run_one: RunOne, target: Target) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(DnsServer({"pbx.example": SILENT})) for _ in range(8)]
        here = replace(target, dns_servers=tuple(server.address for server in servers))
        start = time.monotonic()
        await asyncio.gather(run_one("dns", here))
        assert time.monotonic() - start < target.timeout_s
