"""A PBX with which everything is well, seen from another host: its name in a DNS server, a real registrar behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.servers.dns import DnsServer
from tests.servers.kamailio import PROGRAM, Kamailio

HOST, ADDRESS = "call.soundz.uz", "127.0.0.1"
needs_kamailio = pytest.mark.skipif(PROGRAM is None, reason="not installed: kamailio")


def named(address: str = ADDRESS) -> DnsServer:
    """A name server that knows where the PBX is."""
    return DnsServer({HOST: {"A": (address,)}})


def looking_at(dns: DnsServer, sip_port: int, **more: str) -> dict[str, str]:
    """The settings of a bot whose PBX has this port of this machine, but is not on its own host."""
    return {
        "PBX_HOST": HOST,
        "PBX_PROBE_HOST": ADDRESS,
        "PBX_SIP_PORT": str(sip_port),
        "PBX_ON_THIS_HOST": "no",
        "DNS_SERVERS": dns.address,
        **more,
    }


@contextmanager
def healthy_pbx(**more: str) -> Iterator[dict[str, str]]:
    """The settings of a bot that looks at it."""
    with named() as dns, Kamailio() as sip:
        yield looking_at(dns, sip.port, **more)
