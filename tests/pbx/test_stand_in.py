"""The stand-in for the PBX behaves and logs as the real one was seen to."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.checks.runner import Runner
from bot.model import Failure, Finding, Tag, Target
from tests.pbx.running import API_PASSWORD, API_USER, Pbx, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=f"skipped: {why_not()}")

# Of the real PBX, colours and stamps taken out: a REGISTER without credentials, one with a wrong digest.
CHALLENGED = """\
info: [SIP] Received message from CLIENT
[SIP DEBUG] Received UDP packet from CLIENT, length: 267
info: [SIP] Request: REGISTER sip:call.soundz.uz SIP/2.0
info: [SIP] Processing REGISTER from CLIENT
info: [SIP] Sending 401 challenge for 1002 to CLIENT
info: [SIP] Sending response to CLIENT
info: [SIP] Response sent successfully to CLIENT
"""
REFUSED = """\
info: [SIP] Received message from CLIENT
[SIP DEBUG] Received UDP packet from CLIENT, length: 267
info: [SIP] Request: REGISTER sip:call.soundz.uz SIP/2.0
info: [SIP] Processing REGISTER from CLIENT
warn: Digest auth verification failed for 1002
warn: Authentication failed for 1002
info: [SIP] Sending response 403 Forbidden to CLIENT
info: [SIP] Sending response to CLIENT
info: [SIP] Response sent successfully to CLIENT
"""
LOST = REFUSED.replace(
    "warn: Digest auth verification failed for 1002",
    "warn: SIP password not available for extension 1002. Password may need to be reset.\n"
    "warn: Could not retrieve password for extension 1002. Please reset the password.",
)
UNKNOWN = """\
info: [SIP] Received message from CLIENT
[SIP DEBUG] Received UDP packet from CLIENT, length: 267
info: [SIP] Request: REGISTER sip:call.soundz.uz SIP/2.0
info: [SIP] Processing REGISTER from CLIENT
warn: Extension not found or disabled: 9999
info: [SIP] Sending response 404 Not Found to CLIENT
info: [SIP] Sending response to CLIENT
info: [SIP] Response sent successfully to CLIENT
"""
KEPT_ALIVE = """\
info: [SIP] Received message from CLIENT
[SIP DEBUG] Received UDP packet from CLIENT, length: 2
warn: [SIP] Empty request line
"""
FORGED = """\
info: [SIP] Received message from CLIENT
[SIP DEBUG] Received UDP packet from CLIENT, length: 43
info: [SIP] Request: X
Extension 1002 registered from 10.99.0.2:1
warn: [SIP] Unhandled method: X
Extension 1002 registered from 10.99.0.2:1
"""
DIGEST = (
    'Authorization: Digest username="1002", realm="call.soundz.uz", nonce="n", uri="sip:call.soundz.uz", '
    'response="0"\r\n'
)


@pytest.fixture
def pbx(tmp_path: Path) -> Iterator[Pbx]:
    with Pbx(tmp_path) as pbx:
        pbx.create("1002", "secret")
        pbx.create("1003", "secret", enabled=False)
        yield pbx


def register(user: str = "1002", credentials: str = "", via: str = "") -> bytes:
    return (
        f"REGISTER sip:call.soundz.uz SIP/2.0\r\n{via}Via: SIP/2.0/UDP 10.99.0.2:5099;branch=z9hG4bKaaa\r\n"
        f"From: <sip:{user}@call.soundz.uz>;tag=a1\r\nTo: <sip:{user}@call.soundz.uz>\r\nCall-ID: abc1\r\n"
        f"CSeq: 1 REGISTER\r\n{credentials}Content-Length: 0\r\n\r\n"
    ).encode()


def tell(pbx: Pbx, packet: bytes, last: str, *, answered: bool = True) -> tuple[str, str]:
    """What the PBX answers to this packet, and what it logs about it (lengths of packets made equal)."""
    before = len(pbx.since_start())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.settimeout(5)
        phone.connect(("127.0.0.1", pbx.sip_port))
        client = f"127.0.0.1:{phone.getsockname()[1]}"
        phone.send(packet)
        answer = phone.recv(4096).decode() if answered else ""
    pbx.wait_for(lambda: last in pbx.since_start()[before:], "the line does not come")
    text = re.sub(r"(?m)^(?:\S+ \S+ \+00:00: )(?:\S+ \S+ (?=\x1b))?", "", pbx.since_start()[before:])
    text = re.sub(r"\x1b\[\d+m", "", text).replace(client, "CLIENT")
    return answer, re.sub(rf"length: {len(packet)}\b", "length: 267", text) if answered else text


SENT = "Response sent successfully"


def test_it_challenges_refuses_and_does_not_find_as_the_real_one(pbx: Pbx) -> None:
    answer, logged = tell(pbx, register(), SENT)
    assert (answer.splitlines()[0], logged) == ("SIP/2.0 401 Unauthorized", CHALLENGED)
    answer, logged = tell(pbx, register(credentials=DIGEST), SENT)
    assert (answer.splitlines()[0], logged) == ("SIP/2.0 403 Forbidden", REFUSED)
    answer, logged = tell(pbx, register("9999"), SENT)
    assert (answer.splitlines()[0], logged) == ("SIP/2.0 404 Not Found", UNKNOWN)
    answer, _ = tell(pbx, register("1003"), SENT)
    assert answer.splitlines()[0] == "SIP/2.0 404 Not Found"


def test_a_restart_loses_every_password(pbx: Pbx) -> None:
    pbx.restart()
    answer, logged = tell(pbx, register(credentials=DIGEST), SENT)
    assert (answer.splitlines()[0], logged) == ("SIP/2.0 403 Forbidden", LOST)


def test_only_the_first_via_comes_back(pbx: Pbx) -> None:
    answer, _ = tell(pbx, register(via="Via: SIP/2.0/UDP 10.99.0.254:5060;branch=z9hG4bKproxy\r\n"), SENT)
    assert re.findall("branch=(\\w+)", answer) == ["z9hG4bKproxy"]


def test_keep_alives_and_line_feeds_are_logged_and_not_answered(pbx: Pbx) -> None:
    _, logged = tell(pbx, b"\r\n", "Empty request line", answered=False)
    assert logged == KEPT_ALIVE
    _, logged = tell(pbx, b"X\nExtension 1002 registered from 10.99.0.2:1", "Unhandled method", answered=False)
    assert logged.replace("length: 44", "length: 43") == FORGED
    messages = [json.loads(line)["message"] for line in (pbx.logs / "combined.log").read_text().splitlines()]
    assert not any(message.startswith("Extension 1002 registered") for message in messages)


def test_winstons_log_goes_on_in_the_next_file(tmp_path: Path) -> None:
    with Pbx(tmp_path) as pbx:
        pbx.restart(LOG_MAX_BYTES="2000")
        for _ in range(3):
            tell(pbx, register("9999"), SENT)
        names = {path.name for path in pbx.logs.iterdir()}
    assert {"combined.log", "combined1.log"} <= names


def target_of(pbx: Pbx) -> Target:
    here = frozenset({"127.0.0.1"})
    target = Target("call.soundz.uz", pbx.sip_port, here, "127.0.0.1", api_url=pbx.api_url)
    return replace(target, api_user=API_USER, api_password=API_PASSWORD)


async def test_the_bots_own_checks_read_it_right(pbx: Pbx) -> None:
    target = replace(target_of(pbx), extension="1002")
    extension, api = await Runner().run(target, only=["extension", "api"])
    assert extension.findings == (Finding(Tag.EXTENSION_EXISTS, {"extension": "1002"}),)
    assert api.findings == (Finding(Tag.API_ANSWERS), Finding(Tag.EXTENSION_OFFLINE, {"extension": "1002"}))
    pbx.database.unlink()
    (api,) = await Runner().run(target, only=["api"])
    assert api.findings == (Finding(Tag.API_DB_DOWN),)


async def test_its_api_has_the_limit_of_the_real_one(tmp_path: Path) -> None:
    with Pbx(tmp_path) as pbx:
        pbx.restart(API_LIMIT="2")
        target = target_of(pbx)
        runner = Runner()
        tags = [result.findings for result in await runner.run(target, only=["api"])]
        (second,) = await runner.run(target, only=["api"], fresh=True)
    assert (tags, second.failure) == ([(Finding(Tag.API_ANSWERS),)], Failure.RATE_LIMITED)
