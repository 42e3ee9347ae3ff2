"""The moment of truth, on real parts: a PBX that logs as the real one does, MicroSIP's own SIP stack as the phone.

Run inside `unshare -n` by tests/test_end_to_end.py: a phone on loopback would not count as a user's.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import phone
from tests.inside_a_network import OUTSIDE, network
from tests.pbx import running as pbx_running
from tests.pbx.running import API_PASSWORD, API_USER, Pbx
from tests.running import PERSON, ROOT, STAFF_CHAT, RunningBot
from tests.servers.healthy import looking_at, named

__all__ = ["network"]  # the fixture that makes the network
missing = phone.WHY_NOT or pbx_running.why_not()
pytestmark = pytest.mark.skipif(missing is not None, reason=str(missing))


@pytest.fixture
def pbx(tmp_path: Path) -> Iterator[Pbx]:
    with Pbx(tmp_path / "pbx") as server:
        yield server


@pytest.fixture
def bot(tmp_path: Path, pbx: Pbx) -> Iterator[RunningBot]:
    log_and_api = {
        "PBX_LOG_FILES": f"{pbx.logs}/combined*.log",
        "PBX_API_URL": pbx.api_url,
        "PBX_API_USER": API_USER,
        "PBX_API_PASSWORD": API_PASSWORD,
    }
    with named() as dns, RunningBot(tmp_path, looking_at(dns, pbx.sip_port, **log_and_api)) as running:
        yield running


def register(pbx: Pbx, password: str) -> int:
    """What Save does: MicroSIP's stack registers 1002; the code it ends with."""
    where = f"{OUTSIDE}:{pbx.sip_port}"  # as a proxy, so that the request names the PBX without a resolver here
    account = ["--server", "call.soundz.uz", "--proxy", where, "--user", "1002", "--password", password]
    command = [sys.executable, "-m", "tests.phone", *account]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    (told,) = (line for line in done.stdout.splitlines() if line.startswith("{"))  # PJSIP's own lines stand around it
    return int(json.loads(told)["code"])


def come(bot: RunningBot, status: str) -> Any:
    """The person tells what the phone says, and the number; the offer to watch."""
    bot.says("/diagnose")
    bot.presses(bot.wait_for("pastki chap burchagida"), f"st:{status}")
    bot.wait_for("Ichki raqamingiz necha")
    bot.says("1002")
    return bot.wait_for("birga kuzatamiz")


def watch(bot: RunningBot, status: str) -> None:
    """The person comes as far as the watch, and starts it."""
    bot.presses(come(bot, status), "watch")
    bot.wait_for("Hozir MicroSIP")


def verdict(bot: RunningBot) -> tuple[str, str, str]:
    found = json.loads(bot.yordam("ticket", "1", "--json"))["verdict"]
    return found["step"], found["owner"], found["certainty"]


def test_who_presses_save_with_the_right_password_reads_that_it_worked(bot: RunningBot, pbx: Pbx) -> None:
    pbx.create("1002", "secret")
    watch(bot, "timeout")
    assert register(pbx, "secret") == 200
    bot.wait_for("Serverda roʻyxatdan oʻtdingiz")
    bot.wait_for("MicroSIP serverga ulandi")
    assert verdict(bot) == ("connected", "none", "proven")


def test_a_wrong_password_is_proven_by_the_servers_own_log(bot: RunningBot, pbx: Pbx) -> None:
    pbx.create("1002", "secret")
    watch(bot, "timeout")
    assert register(pbx, "another") == 403
    bot.wait_for("Server rad etdi")
    bot.wait_for("parol serverdagisiga mos kelmadi")
    assert verdict(bot) == ("fix_password", "user", "proven")


def test_a_password_the_server_lost_is_the_servers_fault_and_the_staff_know(bot: RunningBot, pbx: Pbx) -> None:
    pbx.create("1002", "secret")
    pbx.restart()
    watch(bot, "wrong_password")
    assert register(pbx, "secret") == 403
    said = bot.wait_for("parolingizni yoʻqotgan")
    assert said.text.startswith("Bu sizda emas, bizda.\nSabab aniq:")
    assert "1002" in bot.wait_for("ichki raqam parolini qayta saqlash", STAFF_CHAT).text
    assert verdict(bot) == ("reset_extension_password", "server", "proven")
    assert not any("parolni qaytadan kiriting" in message.text for message in bot.api.answers(PERSON))


def test_who_gets_through_later_without_telling_is_noticed(bot: RunningBot, pbx: Pbx) -> None:
    pbx.create("1002", "secret")
    come(bot, "timeout")
    bot.wait_for("ichki raqam: 1002", STAFF_CHAT)
    assert register(pbx, "secret") == 200
    bot.wait_for("MicroSIP serverga ulandi")
    assert verdict(bot) == ("connected", "none", "proven")
