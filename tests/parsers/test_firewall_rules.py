"""Are netfilter rules walked as the kernel walks them, and does no text hold a reader up?"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import Context
from bot.parsers import firewall, listening
from bot.parsers.firewall_iptables_save import read_save
from bot.parsers.firewall_nft import read_nft
from bot.parsers.firewall_nft_json import read_json
from bot.parsers.firewall_rules import Judgement, admits_port, judge
from bot.parsers.page import Page


def saved(*rules: str, policy: str = "DROP") -> Judgement:
    read = read_save("\n".join((f"-P INPUT {policy}", *rules)), 5060)
    assert read is not None
    return judge(read[0].ruleset())


def nft(*rules: str, policy: str = "drop", before: str = "") -> Judgement:
    body = "\n".join(rules)
    read = read_nft(
        f"table inet filter {{\n{before}\nchain input {{\ntype filter hook input priority filter; policy {policy};\n"
        f"{body}\n}}\n}}",
        5060,
        frozenset({"69.62.127.9"}),
    )
    assert read is not None
    return judge(read[0])


@pytest.mark.parametrize(
    ("ports", "admitted"),
    [
        ("5060", True), ("sip", True), ("5060:5080", True), ("5000-6000", True), (":6000", True), ("5061:", False),
        ("22,5060", True), ("{ 4569, 5060 }", True), ("sip-tls", False), ("15060", False), ("50600", False),
        ("sip:5080", True), ("http:sip", True), ("", False), ("nonsense", False), ("10000:20000", False),
    ],
)  # fmt: skip
def test_lists_and_ranges_of_ports(ports: str, admitted: bool) -> None:
    assert admits_port(ports, 5060) is admitted


@pytest.mark.parametrize(
    ("rules", "policy", "status"),
    [
        (["-A INPUT -p udp -m udp --dport 5060 -j ACCEPT"], "DROP", "open"),
        (["-A INPUT -i lo -j ACCEPT"], "DROP", "no_rule"),
        (["-A INPUT -s 10.0.0.0/8 -p udp -m udp --dport 5060 -j ACCEPT"], "DROP", "no_rule"),
        (["-A INPUT -p udp -m udp --sport 5060 -j ACCEPT"], "DROP", "no_rule"),
        (["-A INPUT -p tcp -m tcp --dport 5060 -j ACCEPT"], "DROP", "no_rule"),
        (["-A INPUT -p udp -m udp ! --dport 22 -j DROP"], "ACCEPT", "blocked"),
        (["-A INPUT -p udp --dport 5060 -m string --string friendly --algo bm -j DROP"], "ACCEPT", "open"),
        (["-A INPUT -p udp --dport 5060 -m limit --limit 5/s -j ACCEPT"], "DROP", "no_rule"),
        (["-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"], "DROP", "no_rule"),
        (["-A INPUT -p udp -m conntrack --ctstate NEW -m udp --dport 5060 -j ACCEPT"], "DROP", "open"),
        (["-A INPUT -m addrtype --dst-type LOCAL -j ACCEPT"], "DROP", "open"),
        (["-A INPUT -j SIP", "-A SIP -p udp --dport 5060 -j DROP"], "ACCEPT", "blocked"),
        (["-A INPUT -j SIP", "-A INPUT -j ACCEPT", "-A SIP -p udp -j RETURN", "-A SIP -j DROP"], "DROP", "open"),
        (["-A INPUT -g SIP", "-A INPUT -j ACCEPT", "-A SIP -p tcp -j DROP"], "DROP", "no_rule"),
        (["-A INPUT -j A", "-A A -j B", "-A B -j A", "-A INPUT -p udp -j ACCEPT"], "DROP", "open"),
        (["-A INPUT -p udp -j ACCEPT\nrahmat, -j DROP emas"], "DROP", "open"),
    ],
)
def test_the_first_iptables_rule_for_everybody_decides(rules: list[str], policy: str, status: str) -> None:
    assert saved(*rules, policy=policy).status == status


@pytest.mark.parametrize(
    ("rules", "before", "status"),
    [
        (["udp dport 5060 accept"], "", "open"),
        (["udp dport { 5060, 5061 } counter packets 3 bytes 9 accept comment \"tcp drop\""], "", "open"),
        (["ip daddr 69.62.127.9 udp dport 5060 accept"], "", "open"),
        (["ip daddr 10.1.1.1 udp dport 5060 accept"], "", "no_rule"),
        (["ip saddr @f2b drop", "udp dport 5060 accept"], "set f2b {\nelements = { 1.2.3.4 }\n}", "open"),
        (["udp dport @sip accept"], "set sip {\ntype inet_service\nelements = { 5060 }\n}", "open"),
        (["udp dport vmap { 5060 : drop, 5061 : accept }"], "", "blocked"),
        (["ct state vmap { established : accept, invalid : drop }"], "", "no_rule"),
        (["meta l4proto . th dport { udp . 5060 } accept"], "", "open"),
        (["udp dport 5060 limit rate over 10/second drop", "udp dport 5060 accept"], "", "open"),
        (["ip6 saddr ::/0 udp dport 5060 accept"], "", "no_rule"),
        (["jump sip", "accept"], "chain sip {\nudp dport 5060 reject with icmp port-unreachable\n}", "blocked"),
    ],
)  # fmt: skip
def test_the_first_nft_rule_for_everybody_decides(rules: list[str], before: str, status: str) -> None:
    assert nft(*rules, before=before).status == status


def test_a_drop_in_any_base_chain_beats_every_accept() -> None:
    text = (
        "table inet a {\nchain in {\ntype filter hook input priority 0; policy accept;\nudp dport 5060 accept\n}\n}\n"
        "table inet b {\nchain in {\ntype filter hook input priority 10; policy accept;\nudp dport 5060 drop\n}\n}"
    )
    read = read_nft(text, 5060)
    assert read is not None
    assert judge(read[0]).status == "blocked"


def test_counters_and_bans_are_kept_where_they_are_printed() -> None:
    judgement = saved("[38:1500] -A INPUT -p udp -m udp --dport 5060 -j DROP", "-A f2b-sip -s 192.0.2.7/32 -j REJECT")
    assert judgement.rule is not None
    assert (judgement.rule.packets, judgement.banned) == (38, ("192.0.2.7",))


def test_json_without_tables_is_an_open_host_and_broken_json_is_nothing() -> None:
    read = read_json('{"nftables": [{"metainfo": {"version": "1.0.6"}}]}', 5060)
    assert read is not None
    assert judge(read[0]).status == "open"
    assert read_json('{"nftables": [{"rule": 5}]}', 5060) is None


_WORDS = st.sampled_from(
    [
        "-A",
        "INPUT",
        "-p",
        "udp",
        "--dport",
        "5060",
        "-j",
        "ACCEPT",
        "!",
        "-m",
        "{",
        "}",
        "table",
        "chain",
        "inet",
        "x",
        "udp",
        "dport",
        "vmap",
        ":",
        ",",
        ";",
        "accept",
        "jump",
        "\n",
        "ALLOW",
        "Anywhere",
        "5060/udp",
        "(v6)",
        "UNCONN",
        "0",
        "0.0.0.0:5060",
        "*:*",
        "Chain",
        "(policy",
        "DROP)",
        "--",
        "all",
        "anywhere",
        "rule",
        "family=",
        "ports:",
        "Status:",
        "active",
        "elements",
        "=",
        "set",
        "@s",
        "hook",
        "input",
        "priority",
        "target:",
        "ports:",
        "rich",
        "rules:",
        "--------------------",
        "UDP",
        "Any",
        '"',
        "'",
        "ufw:",
        "lsof",
        "IPv4",
        "123",
        "*filter",
        "COMMIT",
        "Proto",
        "Recv-Q",
        "\t",
        "[1]",
        "#",
        "ERROR:",
        "jail",
        "users:((",
    ]
)


@given(st.lists(_WORDS, max_size=60).map(" ".join) | st.text(max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    page = Page.of(text)
    assert [type(claims) for claims in (firewall.parse(page, Context()), listening.parse(page, Context()))] == [
        list,
        list,
    ]


@pytest.mark.parametrize(
    "unit",
    [
        "-A INPUT -p udp ", "table x { chain y { ", "{ ", "a: ", "[ 1] ALLOW ", "udp dport { ", "rule ", "UDP ",
        "-------------------- ", "jump x ", "0 0 udp -- ", "ufw: \n", "Chain INPUT (policy DROP)\n", "IPv4 1 ",
        "udp 0 0 ", "chain chain { ", "x:y:z: ", "ports: ", '"\\" ', "-P INPUT DROP\n", "meta ", "\n\n \n",
    ],
)  # fmt: skip
def test_reading_time_grows_with_the_text_alone(unit: str) -> None:
    page = Page.of(unit * (65536 // len(unit)))
    began = time.process_time()
    firewall.parse(page, Context())
    listening.parse(page, Context())
    assert time.process_time() - began < 1.0
