"""The end of the PBX's log tells of trouble that lasts, and of the extension's own last try."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.checks.runner import Runner
from bot.model import Failure, Finding, Tag, Target
from tests.checks.conftest import RunOne
from tests.listed import write_list

BY_NAME = Finding(Tag.LOG_REQUEST_BY_NAME, {"host": "pbx.example"})
PORT_TAKEN, DB_DOWN = Finding(Tag.LOG_PORT_TAKEN), Finding(Tag.LOG_DB_DOWN)
NOW = datetime(2026, 11, 22, 19, 30, 0)  # the log's own clock; its zone is nobody's business
Lines = list[tuple[float, str]]  # seconds before the file was last written, message


def written(place: Path, lines: Lines, *, age_s: float = 0, name: str = "pm2-out.log") -> str:
    """A log file as pm2 writes it; its path."""
    text = ""
    for before_s, message in lines:
        at = (NOW - timedelta(seconds=before_s)).isoformat(" ")
        text += f"{at} +05:00: {at} \x1b[32minfo\x1b[39m: {message}\n"
    path = place / name
    path.write_text(text)
    os.utime(path, (time.time() - age_s, time.time() - age_s))
    return str(path)


def register(ago_s: float, outcome: str, ip: str = "192.0.2.7", port: int = 53193) -> Lines:
    """A REGISTER of 1002 with its challenge and what came of it."""
    messages = [
        f"[SIP] Received message from {ip}:{port}",
        "[SIP] Request: REGISTER sip:pbx.example SIP/2.0",
        f"[SIP] Processing REGISTER from {ip}:{port}",
        f"[SIP] Sending 401 challenge for 1002 to {ip}:{port}",
        f"[SIP] Received message from {ip}:{port}",
        "[SIP] Request: REGISTER sip:pbx.example SIP/2.0",
        f"[SIP] Processing REGISTER from {ip}:{port}",
        *outcome.format(where=f"{ip}:{port}").split("\n"),
    ]
    return [(ago_s, message) for message in messages]


WRONG = (
    "Digest auth verification failed for 1002\nAuthentication failed for 1002\n"
    "[SIP] Sending response 403 Forbidden to {where}"
)
LOST = (
    "SIP password not available for extension 1002. Password may need to be reset.\n"
    "Could not retrieve password for extension 1002. Please reset the password.\n"
    "Authentication failed for 1002\n[SIP] Sending response 403 Forbidden to {where}"
)
GOOD = "Extension 1002 registered from {where}"
EADDRINUSE = "SIP Server error: bind EADDRINUSE 0.0.0.0:5060"
STOPPED = "SIP Registrar stopped"
STARTED = "SIP Registrar started on 0.0.0.0:5060"
EPERM = (
    "[SIP] Sending 401 challenge for 1002 to {where}\n[SIP] Sending response to {where}\n"
    "[SIP] Error sending response to {where}: send EPERM {where}"
)
FORBIDDEN = Finding(Tag.LOG_SEND_EPERM, {"count": 1, "source_ip": "192.0.2.7"})
NO_DATABASE = "Error in handleRegister: connect ECONNREFUSED 127.0.0.1:5432"


def mine(tag: Tag, **more: int) -> Finding:
    return Finding(tag, {"extension": "1002", "source_ip": "192.0.2.7", **more})


CASES: list[tuple[str, Lines, list[Finding]]] = [
    ("quiet", [(5, "[SIP] Received message from 192.0.2.7:53193")], []),
    ("the port is taken", [(5, EADDRINUSE), (5, "Failed to start server: bind EADDRINUSE")], [PORT_TAKEN]),
    ("it was taken, but is served", [(60, EADDRINUSE), *register(9, WRONG)], [mine(Tag.LOG_WRONG_PASSWORD), BY_NAME]),
    ("the port was taken long ago", [(16 * 60, EADDRINUSE), (0, "[SIP] Empty request line")], []),
    ("the database is down", [(5, NO_DATABASE)], [DB_DOWN]),
    ("it was down and is back", [(60, NO_DATABASE), *register(9, WRONG)], [mine(Tag.LOG_WRONG_PASSWORD), BY_NAME]),
    ("a wrong password", register(20, WRONG), [mine(Tag.LOG_WRONG_PASSWORD), BY_NAME]),
    ("a lost password", register(20, LOST), [mine(Tag.LOG_PASSWORD_LOST), BY_NAME]),
    ("a registration just now", register(20, GOOD), [mine(Tag.LOG_REGISTERED, source_port=53193), BY_NAME]),
    ("a registration ten minutes ago", [*register(600, GOOD), (0, "[SIP] Empty request line")], []),
    ("another extension's trouble", [(5, "Authentication failed for 1004")], []),
    ("stopped just now: it may be a restart", [(1, STOPPED), (0, "HTTP server closed")], []),
    ("restarted", [(60, STOPPED), (59, STARTED)], []),
    ("a registration before a restart", [*register(20, GOOD), (9, STOPPED), (8, STARTED)], []),
    ("a registration after it", [(29, STOPPED), (28, STARTED), *register(20, GOOD)],
     [mine(Tag.LOG_REGISTERED, source_port=53193), BY_NAME]),
    ("answers forbidden now", register(9, EPERM), [FORBIDDEN, BY_NAME]),
    ("answers forbidden five minutes ago", [*register(300, EPERM), (0, "[SIP] Empty request line")], []),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
async def test_what_the_log_tells(
    run_one: RunOne, target: Target, tmp_path: Path, lines: Lines, expected: list[Finding]
) -> None:
    log = written(tmp_path, lines)
    asked = replace(target, log_files=(log,), extension="1002")
    assert await run_one("pbx_log", asked) == (tuple(expected), None)


async def test_a_stop_lasts_until_the_log_goes_on(run_one: RunOne, target: Target, tmp_path: Path) -> None:
    stopped = [(1.0, STOPPED), (0.0, "HTTP server closed")]
    log = written(tmp_path, [*register(30, GOOD), *stopped], age_s=60)
    assert await run_one("pbx_log", replace(target, log_files=(log,))) == ((Finding(Tag.LOG_PBX_STOPPED),), None)


async def test_a_packet_writes_no_stop_and_no_taken_port(run_one: RunOne, target: Target, tmp_path: Path) -> None:
    packet = ["[SIP] Received message from 192.0.2.7:5", "[SIP] Request: X", EADDRINUSE, STOPPED]
    log = written(tmp_path, [(0.0, line) for line in packet], age_s=60)
    assert await run_one("pbx_log", replace(target, log_files=(log,))) == ((), None)


@pytest.mark.parametrize(
    ("usual", "expected"),
    [
        (["185.74.5.9"], [Finding(Tag.NETWORK_UNUSUAL, {"address": "94.158.52.31"})]),
        (["185.74.5.9", "94.158.200.1"], []),
        ([], []),
        (["192.168.1.7"], []),  # a private address is no network of its own
    ],
)
async def test_a_network_from_which_the_number_never_registered_is_noticed(
    run_one: RunOne, target: Target, tmp_path: Path, usual: list[str], expected: list[Finding]
) -> None:
    before = [line for ip in usual for line in register(3000, GOOD, ip)]
    log = written(tmp_path, [*before, *register(20, WRONG, "94.158.52.31")])
    found, _ = await run_one("pbx_log", replace(target, log_files=(log,), extension="1002"))
    assert [one for one in found if one.tag is Tag.NETWORK_UNUSUAL] == expected


@pytest.mark.parametrize(("owner", "tags"), [("Uztelecom", []), ("Comnet", [Tag.PROVIDER_UNUSUAL])])
async def test_with_a_list_another_network_of_the_usual_provider_is_nothing_unusual(
    run_one: RunOne, target: Target, tmp_path: Path, owner: str, tags: list[Tag]
) -> None:
    listed = write_list(tmp_path / "asn.mmdb", {"185.74.4.0/22": "Uztelecom", "94.158.0.0/16": owner})
    log = written(tmp_path, [*register(3000, GOOD, "185.74.5.9"), *register(20, WRONG, "94.158.52.31")])
    asked = replace(target, log_files=(log,), extension="1002", providers_file=listed)
    found, _ = await run_one("pbx_log", asked)
    assert [one.tag for one in found if "unusual" in one.tag] == tags


async def test_an_old_file_says_nothing_about_now(run_one: RunOne, target: Target, tmp_path: Path) -> None:
    log = written(tmp_path, [(0, EADDRINUSE)], age_s=16 * 60)
    assert await run_one("pbx_log", replace(target, log_files=(log,))) == ((), None)


async def test_the_newest_file_of_all_patterns_is_read(run_one: RunOne, target: Target, tmp_path: Path) -> None:
    written(tmp_path, [(0, NO_DATABASE)], age_s=60, name="combined.log")
    written(tmp_path, [(0, EADDRINUSE)], name="combined1.log")
    patterns = (str(tmp_path / "none-*.log"), str(tmp_path / "combined*.log"))
    assert await run_one("pbx_log", replace(target, log_files=patterns)) == ((PORT_TAKEN,), None)


async def test_winstons_json_is_read_too(run_one: RunOne, target: Target, tmp_path: Path) -> None:
    log = tmp_path / "combined.log"
    log.write_text(
        '{"level":"error","message":"SIP Server error: bind EADDRINUSE 0.0.0.0:5060","service":"pbx-system",'
        '"timestamp":"2026-11-22 19:30:00"}\n'
    )
    assert await run_one("pbx_log", replace(target, log_files=(str(log),))) == ((PORT_TAKEN,), None)


async def test_only_the_end_of_a_long_log_is_read(run_one: RunOne, target: Target, tmp_path: Path) -> None:
    noise = [(1.0, "[SIP] Empty request line " + "x" * 200)] * 4000
    log = written(tmp_path, [(1, EADDRINUSE), *noise])
    assert await run_one("pbx_log", replace(target, log_files=(log,))) == ((), None)
    log = written(tmp_path, [*noise, (1, EADDRINUSE)])
    assert await run_one("pbx_log", replace(target, log_files=(log,))) == ((PORT_TAKEN,), None)


async def test_our_own_probe_is_not_the_user(target: Target, tmp_path: Path) -> None:
    runner = Runner()
    challenge = [(0.0, "[SIP] Sending 401 challenge for 1002 to 203.0.113.10:{port}")] * 4
    (probe,) = await runner.run(replace(target, extension="1002"), only=["extension"])
    assert probe.detail is not None
    port = next(iter(runner.own_ports))
    log = written(tmp_path, [(ago, line.format(port=port)) for ago, line in challenge])
    (result,) = await runner.run(replace(target, extension="1002", log_files=(log,)), only=["pbx_log"])
    assert (result.findings, result.failure) == ((), None)


async def test_the_name_our_own_probe_asks_for_is_not_the_users(target: Target, tmp_path: Path) -> None:
    runner = Runner()
    await runner.run(replace(target, extension="1002"), only=["extension"])
    users = [(ago, line.replace("pbx.example", "203.0.113.10")) for ago, line in register(5, WRONG)]
    probes = register(0, "[SIP] Sending response to {where}", "203.0.113.10", next(iter(runner.own_ports)))
    log = written(tmp_path, [*users, *probes])
    (result,) = await runner.run(replace(target, extension="1002", log_files=(log,)), only=["pbx_log"])
    by_address = Finding(Tag.LOG_REQUEST_BY_IP, {"host": "203.0.113.10"})
    assert result.findings == (mine(Tag.LOG_WRONG_PASSWORD), by_address)


async def test_what_cannot_be_read_is_no_finding(run_one: RunOne, target: Target, tmp_path: Path) -> None:
    assert await run_one("pbx_log", target) == ((), Failure.NOT_CONFIGURED)
    missing = replace(target, log_files=(str(tmp_path / "*.log"),))
    assert await run_one("pbx_log", missing) == ((), Failure.UNREADABLE)
    elsewhere = replace(missing, on_this_host=False)
    assert await run_one("pbx_log", elsewhere) == ((), Failure.NOT_HERE)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\x00" * 999, b"x" * 300_000, b"no stamp\n" * 99])
async def test_a_file_that_is_no_log_says_nothing(
    run_one: RunOne, target: Target, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "x.log").write_bytes(content)
    asked = replace(target, log_files=(str(tmp_path / "x.log"),), extension="1002")
    assert await run_one("pbx_log", asked) == ((), None)
