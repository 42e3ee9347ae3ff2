"""Which network is an address of, as far as its digits tell? Who owns it stands in no digit: bot/providers.py."""

from __future__ import annotations

import ipaddress

NEAR_BITS = {4: 24, 6: 56}  # one office, one street: the same router or provider's box
SAME_NET_BITS = {4: 16, 6: 32}  # addresses of one customer wander within a network of about this size


def network_of(address: str, bits: dict[int, int]) -> str:
    """The network of that size around an address. Raises ValueError for what is no address."""
    ip = ipaddress.ip_address(address)
    return str(ipaddress.ip_network(f"{ip}/{bits[ip.version]}", strict=False))


def public(address: str | None) -> str | None:
    """The address, where it is one of the internet; a private one is shared by half the world."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    return str(ip) if ip.is_global else None
