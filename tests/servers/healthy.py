"""A PBX with which everything is well, seen from another host: its name in a DNS server, a real registrar behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.dns import DnsServer
from tests.servers.kamailio import Kamailio

HOST = "call.soundz.uz"


@contextmanager
def healthy_pbx() -> Iterator[dict[str, str]]:
    """The settings of a bot that looks at it."""
    with DnsServer({HOST: {"A": ("127.0.0.1",)}}) as dns, Kamailio() as sip:
        yield {
            "PBX_HOST": HOST,
            "PBX_PROBE_HOST": "127.0.0.1",
            "PBX_SIP_PORT": str(sip.port),
            "PBX_ON_THIS_HOST": "no",
            "DNS_SERVERS": dns.address,
        }
