"""Does a value in an nft rule fit an arbitrary client's packet, or the PBX's answer to it?

udp dport { 5060, 5061 }: the field 'dport' has the value '5060' in a request, no known one in an answer
"""

from __future__ import annotations

import re

from bot.parsers.firewall_rules import admits_port

REQUEST, ANSWER = 0, 1
_STATES = ({"new", "0x8"}, {"established", "0x2"})  # of a request, of an answer; as `nft -n` prints them
_EVERYONE = frozenset(("0.0.0.0/0", "0.0.0.0-255.255.255.255"))


def meets(name: str, value: str, question: int, port: int, own: frozenset[str]) -> bool:
    """Whether the packet of the question has this value in this field; False where that cannot be known."""
    if value == "*":
        return name != "more"
    match name:
        case "dport":
            return question == REQUEST and admits_port(value, port)
        case "sport":
            return question == ANSWER and admits_port(value, port)
        case "l4proto":
            return value.lower() in ("udp", "17")
        case "nfproto":
            return value.lower() in ("ipv4", "ip", "0x0800", "2")
        case "state":
            states = {part.strip() for part in re.split(r"[,|]", value)}
            return bool(states & _STATES[question])
        case "saddr":
            return value in _EVERYONE or (question == ANSWER and value in own)
        case "daddr":
            return value in _EVERYONE or (question == REQUEST and value.removesuffix("/32") in own)
        case "daddr type":
            return value in ("local", "2") and question == REQUEST
        case "pkttype":
            return value in ("host", "unicast", "0")
        case "count":
            return True
    return False


def deniable(name: str) -> bool:
    """Fields of which 'not this value' is true for an arbitrary client."""
    return name not in ("never", "more", "iif", "oif", "count")


def key_of(element: str) -> str:
    """A set's element without `timeout 1h expires 50m comment "x" counter …`."""
    words: list[str] = []
    for word in element.split():
        if word in ("timeout", "expires", "comment", "counter", "limit", ":"):
            break
        words.append(word)
    return " ".join(words)
