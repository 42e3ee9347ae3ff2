"""A banned person, the staff's one tap, and who else is in trouble there. Run inside `unshare -n` by
tests/handlers/test_unban.py, never alone: the stories change the rules of the network they run in.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.inside_a_network import HOST, OUTSIDE, network
from tests.running import PERSON, STAFF, STAFF_CHAT, RunningBot
from tests.servers.dns import DnsServer
from tests.servers.kamailio import Kamailio

__all__ = ["network"]  # the fixture that makes the network
BANNED, NEAR, COLLEAGUE = "94.158.52.31", "94.158.52.77", 502
BANS = f"""
table inet f2b-table {{
  set addr-set-call {{ type ipv4_addr; elements = {{ {BANNED} }} }}
  chain f2b-chain {{
    type filter hook input priority -1; policy accept;
    udp dport 5060 ip saddr @addr-set-call reject
  }}
}}
"""


def written(at: datetime, *messages: str) -> str:
    """As pm2 keeps it."""
    stamp = f"{at:%Y-%m-%d %H:%M:%S}"
    return "".join(f"{stamp} +05:00: {stamp} warn: {message}\n" for message in messages)


def wrong_password(extension: str, ip: str) -> str:
    """What the PBX writes of a try with a wrong password, just now."""
    return written(
        datetime.now(),
        f"[SIP] Received message from {ip}:53193",
        f"[SIP] Request: REGISTER sip:{HOST} SIP/2.0",
        f"[SIP] Processing REGISTER from {ip}:53193",
        f"[SIP] Sending 401 challenge for {extension} to {ip}:53193",
        f"[SIP] Processing REGISTER from {ip}:53193",
        f"Digest auth verification failed for {extension}",
        f"Authentication failed for {extension}",
        f"[SIP] Sending response 403 Forbidden to {ip}:53193",
    )


def registered_this_morning(extension: str, ip: str) -> str:
    """What it wrote hours ago, when all was well."""
    return written(
        datetime.now() - timedelta(hours=3),
        f"[SIP] Received message from {ip}:53193",
        f"[SIP] Request: REGISTER sip:{HOST} SIP/2.0",
        f"[SIP] Processing REGISTER from {ip}:53193",
        f"Extension {extension} registered from {ip}:53193",
    )


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[RunningBot]:
    (tmp_path / "pm2-out.log").write_text(wrong_password("1002", BANNED) + wrong_password("1003", NEAR))
    with DnsServer({HOST: {"A": (OUTSIDE,)}}) as dns, Kamailio(5060, "0.0.0.0") as sip:
        plan = {
            "PBX_HOST": HOST,
            "PBX_PROBE_HOST": OUTSIDE,
            "PBX_SIP_PORT": str(sip.port),
            "PBX_ON_THIS_HOST": "yes",
            "PBX_LOG_FILES": str(tmp_path / "pm2-out.log"),
            "DNS_SERVERS": dns.address,
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        }
        with RunningBot(tmp_path, plan) as running:
            yield running


def comes(bot: RunningBot, person: int, extension: str, status: str) -> None:
    """A person tells what the phone says, and the number."""
    bot.api.send_text(person, "/diagnose")
    asked = bot.wait_for("pastki chap burchagida", person)
    data = next(b.data for row in asked.buttons for b in row if b.data and f":st:{status}" in b.data)
    bot.api.press(person, asked.message_id, data)
    bot.wait_for("Ichki raqamingiz necha", person)
    bot.api.send_text(person, extension)


def ticket(bot: RunningBot, number: int) -> Any:
    return json.loads(bot.yordam("ticket", str(number), "--json"))


def tap(bot: RunningBot, request: Any, user: int = STAFF) -> None:
    data = next(b.data for row in request.buttons for b in row if b.data and b.data.startswith("unban:"))
    bot.api.press(user, request.message_id, data, STAFF_CHAT)


def banned() -> bool:
    return BANNED in subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout


def test_one_tap_of_the_staff_lifts_the_ban_and_nobody_elses(bot: RunningBot) -> None:
    subprocess.run(["nft", "-f", "-"], input=BANS, text=True, check=True)
    comes(bot, PERSON, "1002", "timeout")
    bot.wait_for("vaqtincha bloklangan")
    request = bot.wait_for("Blokdan chiqaraymi?", STAFF_CHAT)
    assert request.text.startswith("🔒 Bloklanish sababi: ")
    assert BANNED in request.text
    presses = len(bot.api.calls("answerCallbackQuery"))
    bot.api.user(777, "Begona")
    tap(bot, request, 777)
    answered = bot.api.wait_for(lambda: bot.api.calls("answerCallbackQuery")[presses:])
    assert [call.params.get("text") for call in answered] == ["Bu tugmalar faqat operatorlar uchun."]
    assert banned()
    tap(bot, request)
    done = bot.wait_for("blokdan chiqarildi (Nodir)", STAFF_CHAT)
    assert (done.message_id, done.buttons) == (request.message_id, ())
    assert not banned()
    bot.wait_for("Internet manzilingiz blokdan chiqarildi")
    notes = [event for event in ticket(bot, 1)["events"] if event["kind"] == "note"]
    command = f"nft delete element inet f2b-table addr-set-call '{{' {BANNED} '}}'"
    assert [(one["by"], one["unban"], one["address"]) for one in notes] == [("Nodir", "lifted", BANNED)]
    assert command in notes[0]["text"]
    assert len([m for m in bot.api.answers(STAFF_CHAT) if "Blokdan chiqaraymi?" in m.text]) == 0


def test_a_ban_of_the_address_the_number_came_from_this_morning_needs_no_more_than_the_number(bot: RunningBot) -> None:
    log = registered_this_morning("1002", BANNED) + wrong_password("1003", NEAR)
    (bot.folder / "pm2-out.log").write_text(log)
    subprocess.run(["nft", "-f", "-"], input=BANS, text=True, check=True)
    comes(bot, PERSON, "1002", "timeout")
    bot.wait_for("raqamingiz oxirgi marta ulangan internet manzil serverda vaqtincha bloklangan")
    request = bot.wait_for("Blokdan chiqaraymi?", STAFF_CHAT)
    assert BANNED in request.text
    tap(bot, request)
    bot.wait_for("blokdan chiqarildi (Nodir)", STAFF_CHAT)
    assert not banned()


def test_others_in_the_same_network_with_the_same_trouble_stand_on_the_card(bot: RunningBot) -> None:
    bot.api.user(COLLEAGUE, "Botir")
    comes(bot, PERSON, "1002", "wrong_password")
    bot.wait_for("parol serverdagisiga mos kelmadi")
    comes(bot, COLLEAGUE, "1003", "wrong_password")
    card = bot.wait_for("shu tarmoqda (94.158.52.0/24) yana 1 kishida xuddi shu muammo bor", STAFF_CHAT)
    assert "Botir" in card.text
    findings = [f for event in ticket(bot, 2)["events"] for r in event.get("results", ()) for f in r["findings"]]
    noticed = {"tag": "neighbours_same_trouble", "args": {"count": 1, "network": "94.158.52.0/24"}}
    assert findings.count(noticed) == 1
