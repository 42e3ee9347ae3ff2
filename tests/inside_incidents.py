"""The PBX is restarted under pm2, as on the real host, and forgets what everybody's phone needs. On real parts.

Run inside `unshare -n` by tests/test_incident_stories.py: a phone on loopback would not count as a user's.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests import phone
from tests.inside_a_network import HOST, OUTSIDE, network
from tests.pbx import running as pbx_running
from tests.pbx.running import PLACES, Pm2Pbx
from tests.running import ROOT, STAFF_CHAT, RunningBot
from tests.servers.dns import DnsServer

__all__ = ["network"]  # the fixture that makes the network
missing = phone.WHY_NOT or pbx_running.why_not(pm2=True)
pytestmark = pytest.mark.skipif(missing is not None, reason=str(missing))
NUMBERS = ("1002", "1003", "1004")


@pytest.fixture
def pbx(tmp_path: Path) -> Iterator[Pm2Pbx]:
    with Pm2Pbx(tmp_path / "pbx") as server:
        for number in NUMBERS:
            server.create(number, "secret")
        yield server


@pytest.fixture
def bot(tmp_path: Path, pbx: Pm2Pbx) -> Iterator[RunningBot]:
    with DnsServer({HOST: {"A": (OUTSIDE,)}}) as dns:
        plan = {
            "PBX_HOST": HOST,
            "PBX_PROBE_HOST": OUTSIDE,
            "PBX_SIP_PORT": str(pbx.sip_port),
            "DNS_SERVERS": dns.address,
            "PBX_LOG_FILES": f"{pbx.logs}/combined*.log",
            "PM2_HOME": str(pbx.home),
            "PATH": f"{PLACES}:/usr/sbin:/sbin",
            "OWN_SIDE_EVERY_S": "2",
        }
        with RunningBot(tmp_path, plan) as running:
            running.api.wait_for(lambda: any(m.method == "setMyCommands" for m in running.api.calls()))
            yield running


def register(pbx: Pm2Pbx, *numbers: str) -> list[int]:
    """What these phones are answered, all with the right password. They stand behind the outer interface."""

    def one(number: str) -> int:
        where = f"{OUTSIDE}:{pbx.sip_port}"
        account = ["--server", HOST, "--proxy", where, "--user", number, "--password", "secret"]
        command = [sys.executable, "-m", "tests.phone", *account]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        (told,) = (line for line in done.stdout.splitlines() if line.startswith("{"))
        return int(json.loads(told)["code"])

    with ThreadPoolExecutor() as phones:
        return list(phones.map(one, numbers))


def until(bot: RunningBot, question: str, answer: int) -> None:
    """Waits until the bot's own log answers a question with this number."""

    def answered() -> bool:
        with closing(sqlite3.connect(bot.folder / "data" / "yordam.db")) as db:
            return bool(db.execute(question).fetchone() == (answer,))

    bot.api.wait_for(answered, 30)


def test_a_restart_that_loses_passwords_is_one_alert_and_over_when_they_are_back(bot: RunningBot, pbx: Pm2Pbx) -> None:
    until(bot, "SELECT count(*) FROM patrol WHERE started_at IS NOT NULL", 1)  # it has looked, and listens
    assert register(pbx, *NUMBERS) == [200, 200, 200]
    until(bot, "SELECT count(*) FROM pbx_phones WHERE known_at IS NOT NULL", 3)
    pbx.restart()
    assert register(pbx, "1002", "1003") == [403, 403]
    alert = bot.wait_for("Nosozlik №1", STAFF_CHAT, timeout=40)
    assert "1002, 1003" in alert.text

    for person, number in ((1, "1002"), (2, "1004")):
        bot.api.user(person, f"Odam {person}")
        bot.api.send_text(person, "/diagnose")
        bot.wait_for("pastki chap burchagida", person)
        bot.api.send_text(person, number)
    assert "Parolingiz toʻgʻri" in bot.wait_for("Bu nosozlikni bilamiz", 1).text
    assert "parolingiz, ehtimol, toʻgʻri" in bot.wait_for("Bu nosozlikni bilamiz", 2).text

    for place, _ in enumerate(NUMBERS, 1):
        pbx.call("POST", f"/extensions/{place}/password", {"password": "secret"})
    assert register(pbx, *NUMBERS) == [200, 200, 200]
    bot.wait_for("Bizdagi nosozlik tugadi", 1, timeout=40)
    bot.wait_for("Bizdagi nosozlik tugadi", 2, timeout=40)
    bot.api.wait_for(lambda: "tugadi" in bot.api.answers(STAFF_CHAT)[0].text, 40)
    assert bot.stop() == 0
    said = [call.params["text"] for call in bot.api.calls("sendMessage") if call.ok]
    assert sum("Nosozlik №" in text for text in said) == 1
