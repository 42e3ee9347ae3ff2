"""A rule with a rate says how much it lets through, in the words of each tool."""

from __future__ import annotations

import pytest

from bot.model import Finding, Tag
from bot.parsers.firewall_rates import of_limit, per_minute

RULES = [
    ("-A INPUT -p udp --dport 5060 -m hashlimit --hashlimit-above 1/min --hashlimit-burst 5 -j DROP", 1),
    ("-A INPUT -p udp --dport 5060 -m hashlimit --hashlimit-upto 50/sec --hashlimit-mode srcip -j ACCEPT", 3000),
    ("-A INPUT -p udp --dport 5060 -m limit --limit 2/hour -j ACCEPT", 2 / 60),
    ("-A INPUT -p udp --dport 5060 -m limit --limit 5/s -j ACCEPT", 300),
    ("DROP udp -- 0.0.0.0/0 0.0.0.0/0 udp dpt:5060 limit: above 4/min burst 5 mode srcip", 4),
    ("ACCEPT udp -- 0.0.0.0/0 0.0.0.0/0 udp dpt:5060 limit: avg 100/sec burst 5", 6000),
    ("DROP udp -- 0.0.0.0/0 0.0.0.0/0 udp dpt:5060 limit: up to 3/min burst 5", 3),
    ("udp dport 5060 limit rate over 10/second burst 5 packets drop", 600),
    ("udp dport 5060 limit rate 1/day accept", 1 / 1440),
    ("update @seen { ip saddr limit rate over 30/minute } drop", 30),
    ("-A INPUT -p udp --dport 5060 -m recent --update --seconds 60 --hitcount 20 --name sip -j DROP", 20),
    ("DROP udp -- 0.0.0.0/0 0.0.0.0/0 udp dpt:5060 recent: UPDATE seconds: 30 hit_count: 6 name: sip", 12),
    ("-A INPUT -p udp --dport 5060 -m recent --rcheck --seconds 3600 --name bad -j DROP", None),
    ("-A INPUT -p udp --dport 5060 -m recent --update --seconds 0 --hitcount 20 -j DROP", None),
    ("-A INPUT -p udp --dport 5060 -m hashlimit --hashlimit-above 512kb/s -j DROP", None),
    ("udp dport 5060 limit rate over 10 mbytes/second drop", None),
    ("udp dport 5060 drop", None),
]


@pytest.mark.parametrize(("rule", "expected"), RULES)
def test_a_rate_is_read_in_each_tools_words(rule: str, expected: float | None) -> None:
    assert per_minute(rule) == expected


@pytest.mark.parametrize(
    ("rate", "tag"),
    [
        ("1/min", Tag.SERVER_FIREWALL_THROTTLES),
        ("5/min", Tag.SERVER_FIREWALL_THROTTLES),
        ("6/min", Tag.SERVER_FIREWALL_LIMITS),
        ("100/sec", Tag.SERVER_FIREWALL_LIMITS),
        ("512kb/s", Tag.SERVER_FIREWALL_LIMITS),  # what it counts is not known, so it is not blamed alone
    ],
)
def test_only_what_starves_one_phone_is_a_suspect_by_itself(rate: str, tag: Tag) -> None:
    rule = f"-A INPUT -p udp --dport 5060 -m hashlimit --hashlimit-above {rate} -j DROP"
    assert of_limit(rule) == Finding(tag, {"rule": rule})
