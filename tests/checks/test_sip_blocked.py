"""What a firewall does to a SIP probe, told apart: refused, silent, or our own host's fault."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model import Failure, Finding, Tag, Target
from tests.checks.conftest import Told
from tests.servers.namespace import Namespace, why_not

REASON = why_not("iptables", "nft")
pytestmark = pytest.mark.skipif(REASON is not None, reason=REASON or "")
REFUSED: Told = ((Finding(Tag.SERVER_SIP_REFUSED),), None)
SILENT: Told = ((Finding(Tag.SERVER_SIP_SILENT),), None)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("INPUT -p udp --dport 5060 -j DROP", SILENT),
        ("INPUT -p udp --dport 5060 -j REJECT", REFUSED),
        ("INPUT -p udp --dport 5060 -j REJECT --reject-with icmp-admin-prohibited", REFUSED),
        ("INPUT -p udp --dport 5060 -j REJECT --reject-with icmp-host-prohibited", REFUSED),
        ("INPUT -p udp --dport 5060 -j REJECT --reject-with icmp-host-unreachable", SILENT),
        ("OUTPUT -p udp --dport 5060 -j DROP", ((), Failure.NO_PERMISSION)),
    ],
)
def test_how_a_rule_shows(space: Namespace, target: Target, rule: str, expected: Told) -> None:
    space.listen("0.0.0.0", 5060)
    space.run("iptables", "-A", *rule.split())
    asked = replace(target, sip_port=5060, probe_host="203.0.113.10", timeout_s=0.8)
    assert space.check("sip", asked) == expected


def test_a_port_nobody_listens_on_refuses_from_afar(space: Namespace, target: Target) -> None:
    asked = replace(target, sip_port=5060, probe_host="203.0.113.77")
    assert space.check("sip", asked) == REFUSED


def test_a_host_that_is_not_there_is_silent(space: Namespace, target: Target) -> None:
    asked = replace(target, sip_port=5060, probe_host="203.0.113.200", timeout_s=4.0)
    assert space.check("sip", asked) == SILENT
