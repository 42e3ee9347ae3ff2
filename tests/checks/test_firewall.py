"""Real rules of nft, iptables and ufw in network namespaces: does a client's packet reach the SIP port?"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bot.model import Failure, Finding, Tag, Target
from tests.servers.namespace import Namespace, why_not

REASON = why_not("nft", "iptables", "iptables-save")
pytestmark = pytest.mark.skipif(REASON is not None, reason=REASON or "")

OPEN = Finding(Tag.SERVER_FIREWALL_OPEN)
INACTIVE = Finding(Tag.SERVER_FIREWALL_INACTIVE)


def blocks(tool: str, rule: str) -> Finding:
    return Finding(Tag.SERVER_FIREWALL_BLOCKS, {"tool": tool, "rule": rule})


def no_rule(tool: str) -> Finding:
    return Finding(Tag.SERVER_FIREWALL_NO_RULE, {"tool": tool})


def bans(*addresses: str) -> Finding:
    return Finding(Tag.SERVER_BANS, {"addresses": addresses})


def banned(address: str) -> Finding:
    return Finding(Tag.USER_IP_BANNED, {"address": address})


def apply(space: Namespace, rules: str) -> None:
    """`iptables` lines as they are typed, or one nft ruleset."""
    if "table " in rules:
        space.run("nft", "-f", "-", stdin=rules)
        return
    for line in rules.strip().splitlines():
        space.run("iptables", *line.split())


IPTABLES = {
    "nothing at all": ("", [INACTIVE]),
    "chains without rules": ("-P INPUT ACCEPT", [INACTIVE]),
    "the port dropped": (
        "-A INPUT -p udp --dport 5060 -j DROP",
        [blocks("iptables", "-A INPUT -p udp -m udp --dport 5060 -j DROP")],
    ),
    "the port dropped in raw": (
        "-t raw -A PREROUTING -p udp --dport 5060 -j DROP\n-A INPUT -p udp --dport 5060 -j ACCEPT",
        [blocks("iptables", "-A PREROUTING -p udp -m udp --dport 5060 -j DROP")],
    ),
    "the port allowed, all else dropped": (
        "-P INPUT DROP\n-A INPUT -i lo -j ACCEPT\n-A INPUT -p udp -m multiport --dports 5060,5061 -j ACCEPT",
        [OPEN],
    ),
    "allowed with a comment": (
        "-P INPUT DROP\n-A INPUT -p udp --dport 5060 -m comment --comment sip -j ACCEPT",
        [OPEN],
    ),
    "allowed on the outer interface": (
        "-P INPUT DROP\n-A INPUT -i wan -p udp --dport 5060 -j ACCEPT",
        [OPEN],
    ),
    "allowed on another interface": (
        "-P INPUT DROP\n-A INPUT -i tun0 -p udp --dport 5060 -j ACCEPT",
        [no_rule("iptables")],
    ),
    "all dropped but loopback": ("-P INPUT DROP\n-A INPUT -i lo -j ACCEPT", [no_rule("iptables")]),
    "TCP only": ("-P INPUT DROP\n-A INPUT -p tcp --dport 5060 -j ACCEPT", [no_rule("iptables")]),
    "established only": (
        "-P INPUT DROP\n-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        [no_rule("iptables")],
    ),
    "one scanner dropped by its words": (
        "-A INPUT -p udp --dport 5060 -m string --string friendly-scanner --algo bm -j DROP",
        [OPEN],
    ),
    "dropped beyond a rate": (
        "-A INPUT -p udp --dport 5060 -m hashlimit --hashlimit-above 1/min --hashlimit-mode srcip"
        " --hashlimit-name sip -j DROP",
        [
            OPEN,
            Finding(
                Tag.SERVER_FIREWALL_THROTTLES,
                {
                    "rule": "-A INPUT -p udp -m udp --dport 5060 -m hashlimit --hashlimit-above 1/min"
                    " --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name sip -j DROP"
                },
            ),
        ],
    ),
    "dropped beyond a rate no phone reaches": (
        "-A INPUT -p udp --dport 5060 -m hashlimit --hashlimit-above 100/sec --hashlimit-mode srcip"
        " --hashlimit-name sip -j DROP",
        [
            OPEN,
            Finding(
                Tag.SERVER_FIREWALL_LIMITS,
                {
                    "rule": "-A INPUT -p udp -m udp --dport 5060 -m hashlimit --hashlimit-above 100/sec"
                    " --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name sip -j DROP"
                },
            ),
        ],
    ),
    "let in up to a rate no phone reaches": (
        "-P INPUT DROP\n-A INPUT -p udp --dport 5060 -m limit --limit 100/sec --limit-burst 200 -j ACCEPT",
        [OPEN],
    ),
    "let in up to such a rate, the rest dropped": (
        "-A INPUT -p udp --dport 5060 -m hashlimit --hashlimit-upto 50/sec --hashlimit-mode srcip"
        " --hashlimit-name sip -j ACCEPT\n-A INPUT -p udp --dport 5060 -j DROP",
        [OPEN],
    ),
    "let in up to a rate that starves a phone": (
        "-A INPUT -p udp --dport 5060 -m limit --limit 1/min -j ACCEPT\n-A INPUT -p udp --dport 5060 -j DROP",
        [blocks("iptables", "-A INPUT -p udp -m udp --dport 5060 -j DROP")],
    ),
    "whoever is in a list of the kernel's": (
        "-A INPUT -p udp --dport 5060 -m recent --rcheck --seconds 3600 --name bad -j DROP",
        [
            OPEN,
            Finding(
                Tag.SERVER_FIREWALL_LIMITS,
                {
                    "rule": "-A INPUT -p udp -m udp --dport 5060 -m recent --rcheck --seconds 3600 --name bad"
                    " --mask 255.255.255.255 --rsource -j DROP"
                },
            ),
        ],
    ),
    "answers dropped": (
        "-A OUTPUT -p udp --sport 5060 -j DROP",
        [
            OPEN,
            Finding(Tag.SERVER_FIREWALL_BLOCKS_ANSWERS, {"rule": "-A OUTPUT -p udp -m udp --sport 5060 -j DROP"}),
        ],
    ),
    "answers dropped on the outer interface": (
        "-A OUTPUT -o lo -j ACCEPT\n-A OUTPUT -o wan -p udp --sport 5060 -j DROP",
        [
            OPEN,
            Finding(Tag.SERVER_FIREWALL_BLOCKS_ANSWERS, {"rule": "-A OUTPUT -p udp -m udp --sport 5060 -j DROP"}),
        ],
    ),
    "answers dropped on another interface": ("-A OUTPUT -o tun0 -p udp --sport 5060 -j DROP", [OPEN]),
    "a nat table only": ("-t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080", [INACTIVE]),
}
NFT = {
    "answers dropped on the outer interface": (
        "table inet f { chain o { type filter hook output priority 0;"
        ' oifname "lo" accept; oifname "wan" udp sport 5060 drop; }; }',
        [OPEN, Finding(Tag.SERVER_FIREWALL_BLOCKS_ANSWERS, {"rule": "udp sport 5060 drop"})],
    ),
    "the port dropped": (
        "table inet f { chain i { type filter hook input priority 0; udp dport 5060 counter drop; }; }",
        [blocks("nft", "udp dport 5060 drop")],
    ),
    "allowed on the outer interface": (
        "table inet f { chain i { type filter hook input priority 0; policy drop;"
        ' iifname "wan" udp dport 5060 accept; }; }',
        [OPEN],
    ),
    "all dropped": (
        'table inet f { chain i { type filter hook input priority 0; policy drop; iif "lo" accept; }; }',
        [no_rule("nft")],
    ),
    "a later chain drops what an earlier one accepts": (
        "table inet a { chain i { type filter hook input priority 0; udp dport 5060 accept; }; }\n"
        "table inet b { chain i { type filter hook input priority 10; udp dport { 5060, 5061 } drop; }; }",
        [blocks("nft", "udp dport { 5060, 5061 } drop")],
    ),
    "another port": (
        "table inet f { chain i { type filter hook input priority 0; udp dport 5061 drop; }; }",
        [OPEN],
    ),
    "let in up to a rate no phone reaches": (
        "table inet f { chain i { type filter hook input priority 0; policy drop;"
        " udp dport 5060 limit rate 100/second burst 200 packets counter accept; }; }",
        [OPEN],
    ),
    "dropped beyond a rate that starves a phone": (
        "table inet f { chain i { type filter hook input priority 0; udp dport 5060 limit rate over 1/minute"
        " burst 3 packets drop; }; }",
        [
            OPEN,
            Finding(
                Tag.SERVER_FIREWALL_THROTTLES,
                {"rule": "udp dport 5060 limit rate over 1/minute burst 3 packets drop"},
            ),
        ],
    ),
}  # fmt: skip
CASES = [pytest.param(*case, id=f"iptables: {name}") for name, case in IPTABLES.items()] + [
    pytest.param(*case, id=f"nft: {name}") for name, case in NFT.items()
]


@pytest.mark.parametrize(("rules", "expected"), CASES)
def test_what_happens_to_anybodys_packet(space: Namespace, pbx: Target, rules: str, expected: list[Finding]) -> None:
    apply(space, rules)
    assert space.check("firewall", pbx) == (tuple(expected), None)


def test_a_native_drop_beside_clean_iptables_is_found(space: Namespace, pbx: Target) -> None:
    apply(space, "-A INPUT -p udp --dport 5060 -j ACCEPT")
    apply(space, "table inet f { chain i { type filter hook input priority -5; udp dport 5060 drop; }; }")
    assert space.check("firewall", pbx) == ((blocks("nft", "udp dport 5060 drop"),), None)


FAIL2BAN = """
-N f2b-call-soundz
-A INPUT -p udp -m multiport --dports 5060,5061 -j f2b-call-soundz
-A f2b-call-soundz -s 203.0.113.77/32 -j REJECT --reject-with icmp-port-unreachable
-A f2b-call-soundz -j RETURN
-N f2b-sshd
-A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd
-A f2b-sshd -s 203.0.113.88/32 -j REJECT --reject-with icmp-port-unreachable
"""
NFT_SET = """table inet f2b-table {
  set addr-set-sip { type ipv4_addr; flags interval; elements = { 198.51.100.0/24, 203.0.113.77 } }
  chain f2b-chain {
    type filter hook input priority filter - 1; policy accept;
    udp dport { 5060, 5061 } ip saddr @addr-set-sip reject
  }
}"""


@pytest.mark.parametrize(
    ("rules", "user_ip", "expected"),
    [
        pytest.param(
            FAIL2BAN, "203.0.113.77", [OPEN, bans("203.0.113.77",), banned("203.0.113.77")],
            id="in the jail of the SIP port",
        ),
        pytest.param(
            FAIL2BAN, "203.0.113.88", [OPEN, bans("203.0.113.77",)], id="in another service's jail"
        ),
        pytest.param(
            FAIL2BAN, "203.0.113.99", [OPEN, bans("203.0.113.77",)], id="in no jail"
        ),
        pytest.param(NFT_SET, "203.0.113.77", [OPEN, bans("203.0.113.77"), banned("203.0.113.77")], id="in a set"),
        pytest.param(
            NFT_SET, "198.51.100.9", [OPEN, bans("203.0.113.77"), banned("198.51.100.9")], id="in a set's network"
        ),
        pytest.param(
            "-A INPUT -s 198.51.100.0/24 -p udp --dport 5060 -j DROP", "198.51.100.9", [OPEN, banned("198.51.100.9")],
            id="in a banned network",
        ),
        pytest.param(
            "-A INPUT -m iprange --src-range 198.51.100.1-198.51.100.20 -j DROP", "198.51.100.9",
            [OPEN, banned("198.51.100.9")], id="in a banned range",
        ),
        pytest.param(
            "-P INPUT DROP\n-A INPUT -s 198.51.100.0/24 -p udp --dport 5060 -j ACCEPT", "198.51.100.9", [OPEN],
            id="in the one office that is let in",
        ),
        pytest.param(
            "-P INPUT DROP\n-A INPUT -s 198.51.100.0/24 -p udp --dport 5060 -j ACCEPT", "203.0.113.77",
            [no_rule("iptables")], id="outside of the one office that is let in",
        ),
        pytest.param(
            "-A INPUT ! -s 198.51.100.0/24 -p udp --dport 5060 -j DROP", "198.51.100.9", [OPEN],
            id="in the office that alone is not barred",
        ),
        pytest.param(
            "table ip f { chain i { type filter hook input priority 0;"
            " ip saddr != 198.51.100.0/24 udp dport 5060 drop; }; }",
            "198.51.100.9", [OPEN], id="the same in nft",
        ),
    ],
)  # fmt: skip
def test_what_happens_to_one_users_packet(
    space: Namespace, pbx: Target, rules: str, user_ip: str, expected: list[Finding]
) -> None:
    apply(space, rules)
    assert space.check("firewall", replace(pbx, user_ip=user_ip)) == (tuple(expected), None)


def test_a_counter_that_rises_while_we_look_is_told(space: Namespace, pbx: Target) -> None:
    apply(space, "-A INPUT -p udp --dport 5060 -j DROP")
    rule = "-A INPUT -p udp -m udp --dport 5060 -j DROP"
    assert space.check("firewall", pbx) == ((blocks("iptables", rule),), None)
    space.send("203.0.113.10", 5060, 7)
    rose = Finding(Tag.SERVER_FIREWALL_COUNTER_ROSE, {"rule": rule, "packets": 7})
    assert space.check("firewall", pbx, again=True) == ((blocks("iptables", rule), rose), None)


@pytest.mark.parametrize(("rate", "rises"), [("100/second", False), ("1/minute", True)])
def test_what_a_limit_drops_counts_only_where_it_starves_phones(
    space: Namespace, pbx: Target, rate: str, rises: bool
) -> None:
    rule = f"udp dport 5060 limit rate over {rate} burst 1 packets counter drop"
    apply(space, "table inet f { chain i { type filter hook input priority 0; RULE; }; }".replace("RULE", rule))
    space.check("firewall", pbx)
    space.send("203.0.113.10", 5060, 7)
    found, _ = space.check("firewall", pbx, again=True)
    assert any(one.tag is Tag.SERVER_FIREWALL_COUNTER_ROSE for one in found) is rises


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="not installed: setpriv")
def test_without_rights_nothing_is_guessed(space: Namespace, pbx: Target) -> None:
    assert space.check("firewall", pbx, user="65534") == ((), Failure.NO_PERMISSION)


def test_without_tools_nothing_is_guessed(space: Namespace, pbx: Target, tmp_path: Path) -> None:
    # Their usual places are always looked at, so there they have to be shadowed by programs that fail.
    for name in ("nft", "iptables-save"):
        (tmp_path / name).write_text("#!/bin/sh\necho out of order >&2; exit 3\n")
        (tmp_path / name).chmod(0o755)
    assert space.check("firewall", pbx, env={"PATH": str(tmp_path)}) == ((), Failure.UNREADABLE)


def test_another_hosts_firewall_is_not_read(space: Namespace, pbx: Target) -> None:
    assert space.check("firewall", replace(pbx, on_this_host=False)) == ((), Failure.NOT_HERE)


@pytest.mark.parametrize(
    ("banned_now", "expected"),
    [
        ("[{'call-soundz': ['203.0.113.77']}]", [bans("203.0.113.77"), banned("203.0.113.77")]),
        ("[{'sshd': ['203.0.113.77']}]", [bans("203.0.113.77")]),
        ("[{'call-soundz': []}, {'sshd': []}]", []),
        ("[]", []),
        ("__import__('os')", []),
        ("[7, {'x': 7}]", []),
    ],
)
def test_what_fail2ban_itself_says_counts_too(
    space: Namespace, pbx: Target, tmp_path: Path, banned_now: str, expected: list[Finding]
) -> None:
    program = tmp_path / "fail2ban-client"
    program.write_text(f'#!/bin/sh\ncat <<"E"\n{banned_now}\nE\n')
    program.chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    asked = replace(pbx, user_ip="203.0.113.77")
    assert space.check("firewall", asked, env=env) == ((INACTIVE, *expected), None)


UFW = shutil.which("ufw")


@pytest.mark.skipif(UFW is None, reason="not installed: ufw")
@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ("22/tcp", no_rule("ufw")),
        ("5060/tcp", no_rule("ufw")),
        ("5060/udp", OPEN),
        ("5060", OPEN),
    ],
)
def test_what_ufw_lets_in(space: Namespace, pbx: Target, tmp_path: Path, allowed: str, expected: Finding) -> None:
    with_ufw(space, tmp_path, "allow", allowed)
    assert space.check("firewall", pbx) == ((expected,), None)


@pytest.mark.skipif(UFW is None, reason="not installed: ufw")
def test_what_ufw_denies_is_blocked_by_ufw(space: Namespace, pbx: Target, tmp_path: Path) -> None:
    with_ufw(space, tmp_path, "deny", "5060/udp")
    rule = "-A ufw-user-input -p udp -m udp --dport 5060 -j DROP"
    assert space.check("firewall", pbx) == ((blocks("ufw", rule),), None)


def with_ufw(space: Namespace, place: Path, *order: str) -> None:
    """Enables ufw in the namespace, with a copy of its configuration of its own."""
    for directory in ("etc/default", "etc/ufw", "lib/ufw"):
        source = next(path for path in (Path("/", directory), Path("/usr", directory)) if path.exists())
        shutil.copytree(source, place / directory)
    script = (
        f"mount --bind {place}/etc/ufw /etc/ufw && mount --bind {place}/etc/default /etc/default && "
        f"ufw --force enable >/dev/null && ufw {' '.join(order)} >/dev/null"
    )
    space.run("unshare", "-m", "sh", "-c", script)
