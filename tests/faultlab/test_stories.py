"""A person writes to the bot while a real fault is at work on a real host: who has to act is right, little is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faultlab.faults import FAULTS
from tests.faultlab.lab import USER, Lab, why_not
from tests.running import PERSON, STAFF_CHAT, RunningBot

pytestmark = [
    pytest.mark.skipif(why_not() is not None, reason=f"skipped: {why_not()}"),
    pytest.mark.xdist_group("faultlab"),
]
BY_NAME = {fault.name: fault for fault in FAULTS}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


@pytest.fixture
def bot(lab: Lab, tmp_path: Path) -> Iterator[RunningBot]:
    with lab.net.entered("host"):
        bot = RunningBot(tmp_path, lab.settings())
        bot.__enter__()
    try:
        yield bot
    finally:
        with lab.net.entered("host"):
            bot.__exit__()


SERVERS = [
    ("ufw_no_rule", "himoya devori (firewall)", "ufw allow 5060/udp"),
    ("iptables_drop", "himoya devori (firewall)", "5060"),
    ("stopped", "Bu sizda emas, bizda.", "pm2"),
    ("loopback", "Bu sizda emas, bizda.", "0.0.0.0"),
]


@pytest.mark.parametrize(("name", "told", "staff"), SERVERS)
def test_a_fault_of_the_server_is_named_and_the_user_is_asked_nothing(
    lab: Lab, bot: RunningBot, name: str, told: str, staff: str
) -> None:
    with BY_NAME[name].at_work(lab):
        bot.says("/diagnose")
        assert told in bot.wait_for("Bu sizda emas, bizda.", timeout=40).text
        assert staff in bot.wait_for(staff, STAFF_CHAT, timeout=40).text
    assert not any("nslookup" in message.text for message in bot.api.answers(PERSON))


LIVE = ("healthy", "wrong_password", "wrong_login", "password_lost")


@pytest.mark.parametrize("name", LIVE)
def test_who_presses_save_while_the_bot_watches_reads_the_cause(
    lab: Lab, bot: RunningBot, tmp_path: Path, name: str
) -> None:
    fault = BY_NAME[name]
    lab.fresh_start()
    with fault.at_work(lab) as phone:
        bot.says("/diagnose")
        asked = bot.wait_for("MicroSIP oynasining", timeout=40)
        bot.says(USER)
        bot.wait_for(f"Ichki raqamingiz: {USER}")
        bot.presses(asked, "skip")
        bot.presses(bot.wait_for("birga kuzatamiz", timeout=40), "watch")
        bot.wait_for("Hozir MicroSIP’da", timeout=40)
        lab.register(phone, tmp_path / "phone.log")
        bot.wait_for("Kuzatuv tugadi.", timeout=40)
        verdict = bot.api.wait_for(lambda: _verdict(bot), 20)
    assert verdict == (fault.step, "proven")


def _verdict(bot: RunningBot) -> tuple[str, str] | None:
    verdict = json.loads(bot.yordam("ticket", "1", "--json"))["verdict"]
    return (verdict["step"], verdict["certainty"]) if verdict else None
