"""Stories that need a firewall of their own. Run inside `unshare -n` by tests/test_end_to_end.py, never alone:
they change the rules of the network they run in.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import PERSON, STAFF_CHAT, RunningBot
from tests.servers.dns import DnsServer
from tests.servers.kamailio import Kamailio

HOST, OUTSIDE = "call.soundz.uz", "203.0.113.10"
CLOSED = """
table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    iif "lo" accept
    ct state established,related accept
    tcp dport { 22, 80, 443 } accept
    icmp type echo-request accept
  }
}
"""


@pytest.fixture(autouse=True)
def network() -> Iterator[None]:
    assert "lo" in subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True).stdout
    for words in (
        "link set lo up",
        "link add wan type veth peer name far",
        f"address add {OUTSIDE}/24 dev wan",
        "link set wan up",
        "link set far up",
    ):
        subprocess.run(["ip", *words.split()], check=True)
    yield
    subprocess.run(["nft", "flush", "ruleset"], check=True)
    subprocess.run(["ip", "link", "delete", "wan"], check=True)


def test_the_missing_rule_is_named_and_the_user_is_asked_nothing(tmp_path: Path) -> None:
    subprocess.run(["nft", "-f", "-"], input=CLOSED, text=True, check=True)
    with DnsServer({HOST: {"A": (OUTSIDE,)}}) as dns, Kamailio(5060, "0.0.0.0") as sip:
        plan = {
            "PBX_HOST": HOST,
            "PBX_PROBE_HOST": OUTSIDE,
            "PBX_SIP_PORT": str(sip.port),
            "DNS_SERVERS": dns.address,
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        }
        with RunningBot(tmp_path, plan) as bot:
            bot.says("/diagnose")
            verdict = bot.wait_for("himoya devori (firewall) telefonlarni oʻtkazmayapti")
            assert verdict.text.startswith("Bu sizda emas, bizda.")
            assert "ufw allow 5060/udp" in bot.wait_for("firewall’ini ochish", STAFF_CHAT).text
            assert not any("nslookup" in message.text for message in bot.api.answers(PERSON))
