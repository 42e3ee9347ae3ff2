"""Other networks are asked behind a case's back, and `yordam check` says what they see."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.running import ROOT, RunningBot
from tests.servers.globalping import Globalping, dns, in_thread
from tests.servers.healthy import healthy_pbx, needs_kamailio

WRONG = "198.51.100.66"
LIE = (
    "C:\\Users\\User>nslookup call.soundz.uz\nServer:  UnKnown\nAddress:  192.168.1.1\n\n"
    f"Non-authoritative answer:\nName:    call.soundz.uz\nAddress:  {WRONG}\n"
)


@pytest.fixture
def service() -> Iterator[Globalping]:
    with in_thread() as running:
        yield running


def plan(service: Globalping) -> dict[str, str]:
    return {
        "PBX_PROBE_HOST": "127.0.0.1",
        "PBX_ON_THIS_HOST": "no",
        "PBX_EXPECTED_IPS": "127.0.0.1",
        "OUTSIDE_PROBES": "globalping",
        "OUTSIDE_API_URL": service.url,
        "NO_PROXY": "127.0.0.1",
    }


def outside(results: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = [result for result in results if result["name"] == "outside"]
    return {finding["tag"]: finding["args"] for finding in found["findings"]} | {"failure": found["failure"]}


@needs_kamailio
def test_a_wrong_answer_that_the_whole_country_gets_is_not_the_persons_fault(
    tmp_path: Path, service: Globalping
) -> None:
    service.results["dns"] = [dns(WRONG)] * 3
    with healthy_pbx(**plan(service)) as settings, RunningBot(tmp_path, settings) as bot:
        bot.says("/diagnose")
        bot.presses(bot.wait_for("pastki chap burchagida"), "st:no_server")
        assert service.orders == []  # nobody waits for it
        bot.wait_for("nslookup call.soundz.uz")
        bot.says(LIE)
        theirs = bot.wait_for("Sabab aniq")
        ours = bot.wait_for("nomi boshqa tarmoqlarda ham notoʻgʻri manzilga ochilyapti", after=bot.place_of(theirs))
        assert ours.text.startswith("Bu sizda emas, bizda.\nSabab, ehtimol:")
        bot.says("/diagnose")  # the next case, or a re-check, is answered from what is kept
        bot.wait_for("Qayta tekshiryapman")
        assert len(service.orders) == 2
        events = json.loads(bot.yordam("ticket", "1", "--json"))["events"]
        looks = [event["results"] for event in events if event["kind"] == "checked"]
        assert [outside(look)["failure"] for look in looks if look[0]["name"] == "outside"] == [None]


def check(folder: Path, settings: dict[str, str], *words: str) -> tuple[int, dict[str, Any]]:
    environment = {**os.environ, "DATA_DIR": str(folder), "PYTHONPATH": str(ROOT), **settings}
    command = [sys.executable, "-m", "bot", "check", "--json", *words]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    body: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, body


def test_the_shell_command_tells_what_other_networks_see(tmp_path: Path, service: Globalping) -> None:
    service.results["dns"] = [dns(WRONG)] * 3
    status, body = check(tmp_path, plan(service), "--only", "outside")
    assert (status, body["verdict"]["step"], body["verdict"]["certainty"]) == (1, "server_dns", "likely")
    assert outside(body["results"]) == {
        "outside_dns_wrong": {"addresses": [WRONG], "probes": 3, "country": "UZ"},
        "outside_ping_answers": {"rtt_ms": 80.1, "probes": 3, "country": "UZ"},
        "failure": None,
    }


def test_switched_off_it_is_not_tested(tmp_path: Path, service: Globalping) -> None:
    settings = {**plan(service), "OUTSIDE_PROBES": "off", "CHECK_TIMEOUT_S": "0.3", "DNS_SERVERS": "127.0.0.1:9"}
    _, body = check(tmp_path, settings)
    assert outside(body["results"]) == {"failure": "not_configured"}
    assert service.orders == []
