"""The live watch on real parts: a PBX under pm2, a PJSIP phone behind NAT, firewalls and routers that misbehave.

The faults that take a phone half a minute are measured by `python -m tests.faultlab.measure`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bot.checks.register_watch import Stage
from tests.faultlab.faults import FAULTS
from tests.faultlab.lab import USER, Lab, Phone
from tests.faultlab.network import PBX, USER_IP

BY_NAME = {fault.name: fault for fault in FAULTS}
TRIED = [Stage.PACKET_SEEN, Stage.CHALLENGED, Stage.SECOND_REGISTER]


def watched(watch: subprocess.Popen[str]) -> tuple[list[Stage], dict[str, Any]]:
    """The stages shown and the last line of a watch."""
    said, _ = watch.communicate(timeout=60)
    lines = [json.loads(line) for line in said.splitlines()]
    return [Stage(line["stage"]) for line in lines if "at" in line], lines[-1]


def told(lab: Lab, phone: Phone, tmp_path: Path, *more: str, **settings: str) -> tuple[list[Stage], dict[str, Any]]:
    """What the watch shows and concludes when this phone registers."""
    watch = lab.start_watch(USER, 20, **settings)
    lab.register(phone, tmp_path / "phone.log", *more)
    return watched(watch)


CASES = [
    ("healthy", [*TRIED, Stage.CONFIRMING, Stage.REGISTERED], "proven"),
    ("wrong_password", [*TRIED, Stage.REFUSED], "proven"),
    ("wrong_login", [*TRIED, Stage.REFUSED], "proven"),
    ("password_lost", [*TRIED, Stage.REFUSED], "proven"),
    ("database_down", [Stage.SERVER_ERROR], "proven"),
]


@pytest.mark.parametrize(("name", "stages", "certainty"), CASES)
def test_a_fault_is_named_within_seconds_and_nothing_is_asked(
    lab: Lab, tmp_path: Path, name: str, stages: list[Stage], certainty: str
) -> None:
    fault = BY_NAME[name]
    lab.fresh_start()
    with fault.at_work(lab) as phone:
        shown, end = told(lab, phone, tmp_path)
    assert (shown, end["verdict"]["step"], end["verdict"]["certainty"]) == (stages, fault.step, certainty)
    assert end["seconds"] < 12


def test_pm2s_own_stream_tells_the_same(lab: Lab, tmp_path: Path) -> None:
    settings = {"PBX_LOG_FILES": "", "PBX_LOG_COMMAND": lab.log_command}
    lab.fresh_start()
    watch = lab.start_watch(USER, 20, **settings)
    time.sleep(2)  # pm2 needs a moment before it prints anything
    lab.register(Phone(password="another"), tmp_path / "phone.log")
    shown, end = watched(watch)
    assert (shown, end["findings"]) == ([*TRIED, Stage.REFUSED], ["log_wrong_password", "log_request_by_name"])


def test_a_router_that_eats_the_answers_is_told_from_the_pattern(lab: Lab, tmp_path: Path) -> None:
    lab.fresh_start()
    with BY_NAME["answers_lost"].at_work(lab) as phone:
        watch = lab.start_watch(USER, 20)
        calling = lab.start_phone(phone, tmp_path / "phone.log", "--limit", "9")
        shown, end = watched(watch)
        calling.communicate()
    assert shown == [Stage.PACKET_SEEN, Stage.CHALLENGED, Stage.ANSWERS_LOST]
    assert (end["findings"], end["source_ip"]) == (["log_challenge_repeated", "log_request_by_name"], USER_IP)


def test_a_phone_that_signs_off_is_not_connected(lab: Lab, tmp_path: Path) -> None:
    lab.fresh_start()
    lab.pbx.restart(ONLINE_HELD_MS="3000")  # a phone slower to sign off than the API to confirm was registered
    lab.give_password()
    try:
        watch = lab.start_watch(USER, 6)
        lab.register(Phone(), tmp_path / "phone.log", "--unregister")
        shown, end = watched(watch)
    finally:
        lab.pbx.restart(ONLINE_HELD_MS="0")
    # The sign-off's own line may be heard after the API has told of it: then it is looked into once more.
    signed_off = [*TRIED, Stage.CONFIRMING, Stage.UNREGISTERED]
    assert (shown[:5], shown[-1], end["confirmed"]) == (signed_off, Stage.UNREGISTERED, False)
    assert end["findings"] == ["log_request_by_name", "extension_offline"]


FORGE = f"""
import socket
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
line = "2026-11-22 19:31:00 info: "
forged = ["X", line + "[SIP] Sending 401 challenge for {USER} to {USER_IP}:1"]
forged += [line + "Extension {USER} registered from {USER_IP}:1"]
one.sendto("\\n".join(forged).encode(), ("{PBX}", 5060))
"""


def test_a_forged_line_is_not_believed(lab: Lab) -> None:
    lab.fresh_start()
    watch = lab.start_watch(USER, 4)
    lab.net.run("pc", sys.executable, "-ISc", FORGE)
    lab.pbx.wait_for(lambda: lab.pbx.said(f"Extension {USER} registered from {USER_IP}:1"), "the packet is not logged")
    shown, end = watched(watch)
    assert (shown, end["findings"], end["source_ip"]) == ([Stage.NOTHING_SEEN], ["log_silent"], None)
