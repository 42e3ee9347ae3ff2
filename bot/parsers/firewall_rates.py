"""How many packets a minute does a rule with a rate let through, and is that enough for one phone?

-m hashlimit --hashlimit-above 1/min --hashlimit-burst 5 …      limit rate over 10/second      hit_count: 20
"""

from __future__ import annotations

import re

from bot.model import Finding, Tag

# A phone keeps its way open every 15 s and registers with two requests, each sent again when it is not answered.
ONE_PHONE_PER_MINUTE = 6.0
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_RATE = re.compile(r"(?:limit(?:-above|-upto)?:?|above|avg|up to|rate(?: over)?) (\d{1,9})/([smhdw])")
_SECONDS = re.compile(r"\bseconds:? (\d{1,9})")
_HITS = re.compile(r"\bhit_?count:? (\d{1,9})")


def per_minute(rule: str) -> float | None:
    """As the rule's text says it; None where it counts something else, or not at all."""
    if found := _RATE.search(rule):
        return int(found[1]) * 60 / _UNITS_S[found[2]]
    hits, seconds = _HITS.search(rule), _SECONDS.search(rule)
    return int(hits[1]) * 60 / int(seconds[1]) if hits and seconds and int(seconds[1]) else None


def starves_a_phone(rule: str) -> bool:
    """Less gets through than one phone sends."""
    rate = per_minute(rule)
    return rate is not None and rate < ONE_PHONE_PER_MINUTE


def is_ample(rule: str) -> bool:
    """Known to let through what a phone sends."""
    rate = per_minute(rule)
    return rate is not None and rate >= ONE_PHONE_PER_MINUTE


def of_limit(rule: str) -> Finding:
    """SERVER_FIREWALL_THROTTLES(rule), or _LIMITS(rule) of one that only a crowd or a flood meets."""
    tag = Tag.SERVER_FIREWALL_THROTTLES if starves_a_phone(rule) else Tag.SERVER_FIREWALL_LIMITS
    return Finding(tag, {"rule": rule})
