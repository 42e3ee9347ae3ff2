"""A ruleset is read as one packet meets it, however long its ban lists are."""

from __future__ import annotations

import time
from ipaddress import IPv4Address

import pytest

from bot.checks import NotTested
from bot.checks.ruleset import Dump, Packet, rules
from bot.model import Failure
from bot.parsers.firewall_rules import BLOCKED, NO_RULE, OPEN, judge

WAN = frozenset({"eth0"})
MANY = [f"10.{number >> 8}.{number & 255}.9" for number in range(20000)]


def status(dumped: Dump, source: str | None = None, interfaces: frozenset[str] = WAN) -> str:
    packet = Packet(interfaces, IPv4Address(source) if source else None)
    return judge(rules(dumped, packet, 5060, frozenset())).status


def nft(*body: str, members: str = "") -> Dump:
    bad = f"\tset bad {{\n\t\ttype ipv4_addr\n\t\telements = {{ {members} }}\n\t}}\n\n" if members else ""
    lines = "\n".join(f"\t\t{line}" for line in body)
    return Dump(f"table inet f2b {{\n{bad}\tchain i {{\n{lines}\n\t}}\n}}\n", "")


def saved(*lines: str) -> Dump:
    return Dump("", "\n".join(("*filter", *lines, "COMMIT", "")))


ACCEPTING = "type filter hook input priority filter; policy accept;"
DROPPING = "type filter hook input priority filter; policy drop;"


@pytest.mark.parametrize("source", [MANY[0], MANY[-1]])
def test_a_ban_list_of_thousands_is_read_to_its_end(source: str) -> None:
    start = time.monotonic()
    listed = nft(ACCEPTING, "ip saddr @bad udp dport 5060 drop", members=",\n\t\t\t     ".join(MANY))
    assert (status(listed, source), status(listed, "192.0.2.1"), status(listed)) == (BLOCKED, OPEN, OPEN)
    chain = saved(":INPUT ACCEPT [0:0]", *(f"[0:0] -A INPUT -s {ip}/32 -j DROP" for ip in MANY))
    assert (status(chain, source), status(chain, "192.0.2.1"), status(chain)) == (BLOCKED, OPEN, OPEN)
    assert time.monotonic() - start < 20


def test_members_with_a_term_and_a_comment_are_members() -> None:
    timed = nft(
        ACCEPTING,
        "ip saddr @bad drop",
        members="192.0.2.7 timeout 10m expires 9m59s, 198.51.100.0/24, 203.0.113.1-203.0.113.9",
    )
    told = [status(timed, ip) for ip in ("192.0.2.7", "198.51.100.200", "203.0.113.5", "203.0.113.10")]
    assert told == [BLOCKED, BLOCKED, BLOCKED, OPEN]


def test_ipsets_are_looked_into() -> None:
    dumped = saved(":INPUT ACCEPT [0:0]", "[0:0] -A INPUT -m set --match-set bad src -j DROP")
    with_set = Dump(dumped.nft, dumped.saved, {"bad": ("192.0.2.0/24",)})
    assert [status(with_set, ip) for ip in ("192.0.2.7", "192.0.3.7")] == [BLOCKED, OPEN]


def test_a_set_that_lets_in_is_looked_into_too() -> None:
    office = nft(DROPPING, "ip saddr @bad udp dport 5060 accept", members="192.0.2.7")
    assert [status(office, ip) for ip in ("192.0.2.7", "192.0.2.8")] == [OPEN, NO_RULE]


@pytest.mark.parametrize(
    ("interface", "expected"),
    [('iifname "eth0" ', OPEN), ('iifname "eth*" ', OPEN), ('iifname { "lo", "eth0" } ', OPEN),
     ('iifname != "eth0" ', NO_RULE), ('iifname "tun0" ', NO_RULE), ('iif "lo" ', NO_RULE)],
)  # fmt: skip
def test_the_interface_the_world_comes_in_by_is_known(interface: str, expected: str) -> None:
    assert status(nft(DROPPING, f"{interface}udp dport 5060 accept")) == expected


def test_of_iptables_tables_the_twin_nft_shows_is_not_read() -> None:
    twin = (
        "table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy drop;\n\t\t"
        'udp dport 5060 xt match "comment" counter packets 0 bytes 0 accept\n\t}\n}\n'
    )
    save = saved(":INPUT DROP [0:0]", "-A INPUT -p udp -m udp --dport 5060 -m comment --comment sip -j ACCEPT")
    assert status(Dump(twin, save.saved)) == OPEN


def test_more_rules_than_can_be_read_are_not_judged() -> None:
    with pytest.raises(NotTested) as end:
        status(nft(ACCEPTING, *["tcp dport 80 accept"] * 30000))
    assert end.value.failure is Failure.UNREADABLE
