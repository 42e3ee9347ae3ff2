"""The live watch: each person sees the stages of their own registration, and no lie counts as a success."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.checks.register_confirm import is_fresh
from bot.checks.register_watch import Stage, Watches, WatchResult
from bot.checks.runner import Runner
from bot.model import Context, Failure, Finding, Tag, Target
from bot.parsers.page import Page
from bot.parsers.pbx_log import parse
from tests.servers.pbx_api import PASSWORD, USER, PbxApi, registration
from tests.servers.pbx_log import (
    CHALLENGE,
    GOOD,
    HOST,
    IP,
    LOST,
    MISMATCH,
    NO_DATABASE,
    TOO_LONG,
    UNKNOWN,
    UNNAMED,
    WRONG,
    Log,
)
from tests.servers.sip import SipServer, always

BY_NAME = Finding(Tag.LOG_REQUEST_BY_NAME, {"host": HOST})


class Watching:
    """Watches on one log."""

    def __init__(self, log: Log, target: Target, watches: Watches) -> None:
        self.log, self.target, self.watches = log, target, watches

    def start(
        self, extension: str = "1002", limit_s: float = 2, user_ip: str | None = None
    ) -> tuple[list[Stage], asyncio.Task[WatchResult]]:
        """The stages shown so far, and the end of the watch."""
        stages: list[Stage] = []
        target = replace(self.target, user_ip=user_ip)
        watch = self.watches.watch(target, extension, on_stage=stages.append, limit_s=limit_s)
        return stages, asyncio.ensure_future(watch)

    async def sees(self, *actions: Callable[[], None], **how: Any) -> tuple[list[Stage], WatchResult]:
        """What one watch shows while this is written."""
        stages, end = self.start(**how)
        for action in actions:
            await asyncio.sleep(0.02)
            action()
        return stages, await end


@pytest.fixture
async def watching(tmp_path: Path, target: Target) -> AsyncIterator[Watching]:
    log = Log(tmp_path)
    watches = Watches(Runner())
    yield Watching(log, replace(target, host=HOST, log_files=(str(log.out), str(log.combined))), watches)
    await watches.close()


def about(tag: Tag, **more: Any) -> Finding:
    return Finding(tag, {"extension": "1002", "source_ip": IP, **more})


TRIED = [Stage.PACKET_SEEN, Stage.CHALLENGED, Stage.SECOND_REGISTER]
ANOTHER_LOGIN = Finding(Tag.LOG_USERNAME_MISMATCH, {"login": "admin", "extension": "1002", "source_ip": IP})
ENDS = [
    ("wrong password", WRONG, Stage.REFUSED, about(Tag.LOG_WRONG_PASSWORD)),
    ("lost password", LOST, Stage.REFUSED, about(Tag.LOG_PASSWORD_LOST)),
    ("another login", MISMATCH, Stage.REFUSED, ANOTHER_LOGIN),
]


@pytest.mark.parametrize(("answer", "stage", "finding"), [pytest.param(*end[1:], id=end[0]) for end in ENDS])
@pytest.mark.parametrize("json_too", [False, True])
async def test_a_refusal_is_told_with_its_cause(
    watching: Watching, answer: tuple[str, ...], stage: Stage, finding: Finding, json_too: bool
) -> None:
    def press() -> None:
        watching.log.register(*CHALLENGE, json_too=json_too)
        watching.log.register(*answer, json_too=json_too)

    began = time.monotonic()
    stages, seen = await watching.sees(press, limit_s=20)
    assert (stages, seen.stage, seen.source_ip) == ([*TRIED, stage], stage, IP)
    assert (seen.result.name, seen.result.findings) == ("register_watch", (finding, BY_NAME))
    assert time.monotonic() - began < 2  # at once, not at the end


async def test_not_found_and_server_error_are_told_at_once(watching: Watching) -> None:
    stages, seen = await watching.sees(lambda: watching.log.register(*UNKNOWN), limit_s=20)
    assert (stages, seen.result.findings[0]) == ([Stage.PACKET_SEEN, Stage.NOT_FOUND], about(Tag.LOG_NOT_FOUND))

    def press() -> None:
        watching.log.register(*CHALLENGE)
        watching.log.register(*TOO_LONG)

    stages, seen = await watching.sees(press, limit_s=20)
    assert stages == [*TRIED, Stage.SERVER_ERROR]
    assert [one.tag for one in seen.result.findings] == [Tag.LOG_SERVER_ERROR, Tag.LOG_REQUEST_BY_NAME]


async def test_a_database_that_is_down_is_everybodys_trouble(watching: Watching) -> None:
    first, one = watching.start("1002", 20)
    second, other = watching.start("1004", 20)
    await asyncio.sleep(0.05)
    watching.log.register(*NO_DATABASE)
    down = (Finding(Tag.LOG_DB_DOWN),)
    assert [(await end).result.findings for end in (one, other)] == [down, down]
    assert (first, second) == ([Stage.SERVER_ERROR], [Stage.SERVER_ERROR])


async def test_a_request_that_is_answered_again_and_again_does_not_hear_the_answer(watching: Watching) -> None:
    stages, seen = await watching.sees(*[lambda: watching.log.register(*CHALLENGE)] * 5, limit_s=20)
    assert stages == [Stage.PACKET_SEEN, Stage.CHALLENGED, Stage.ANSWERS_LOST]
    assert seen.result.findings == (
        Finding(Tag.LOG_CHALLENGE_REPEATED, {"count": 5, "extension": "1002", "source_ip": IP}),
        BY_NAME,
    )


async def test_a_slow_path_repeats_and_is_no_lost_answer(watching: Watching) -> None:
    again = [lambda: watching.log.register(*CHALLENGE)] * 4
    stages, seen = await watching.sees(*again, lambda: watching.log.register(*WRONG), limit_s=20)
    assert stages == [*TRIED, Stage.REFUSED]
    assert seen.result.findings[0] == about(Tag.LOG_WRONG_PASSWORD)


async def test_one_challenge_and_then_nothing(watching: Watching) -> None:
    stages, seen = await watching.sees(lambda: watching.log.register(*CHALLENGE), limit_s=1)
    assert stages == [Stage.PACKET_SEEN, Stage.CHALLENGED, Stage.STOPPED_AFTER_401]
    assert seen.result.findings == (about(Tag.LOG_CHALLENGE_ONCE), BY_NAME)


async def test_answers_that_the_server_forbids_itself(watching: Watching) -> None:
    forbidden = "error: [SIP] Error sending response to {where}: send EPERM 203.0.113.7:57705"
    again = [lambda: watching.log.register(*CHALLENGE, forbidden)] * 2
    stages, seen = await watching.sees(*again, limit_s=20)
    assert stages[-1] is Stage.ANSWERS_BLOCKED
    assert Finding(Tag.LOG_SEND_EPERM, {"count": 2, "source_ip": IP}) in seen.result.findings


async def test_odd_packets_that_are_forbidden_between_good_answers_block_nothing(watching: Watching) -> None:
    forbidden = "error: [SIP] Error sending response to {where}: send EPERM 203.0.113.7:57705"
    let_out = "info: [SIP] Response sent successfully to {where}"
    odd = [lambda: watching.log.register(*CHALLENGE, forbidden, let_out)] * 3
    _, seen = await watching.sees(*odd, limit_s=3)
    assert seen.stage is not Stage.ANSWERS_BLOCKED
    assert Tag.LOG_SEND_EPERM not in {finding.tag for finding in seen.result.findings}


async def test_silence_is_said_at_the_end(watching: Watching) -> None:
    _, seen = await watching.sees(lambda: watching.log.write("info: GET /health"), limit_s=0.5)
    assert (seen.stage, seen.result.findings) == (Stage.NOTHING_SEEN, (Finding(Tag.LOG_SILENT),))


@pytest.mark.parametrize(
    "stranger",
    [
        {"ext": "1004"},  # a colleague
        {"ip": "127.0.0.1"},  # this host
        {"ip": "81.95.237.14"},  # the provider
        {"ext": "100", "host": "203.0.113.10"},  # a scanner
    ],
)
async def test_others_are_not_the_user(watching: Watching, stranger: dict[str, Any]) -> None:
    def press() -> None:
        watching.log.register(*CHALLENGE, **stranger)
        watching.log.register(*WRONG, **stranger)

    stages, seen = await watching.sees(press, limit_s=0.5)
    assert (stages, seen.source_ip) == ([Stage.NOTHING_SEEN], None)
    assert seen.result.findings == (Finding(Tag.LOG_SILENT),)


async def test_a_packet_nothing_follows_is_seen_by_the_only_one_who_tries(watching: Watching) -> None:
    stages, seen = await watching.sees(lambda: watching.log.register(), limit_s=1.5)
    assert (stages, seen.source_ip) == ([Stage.PACKET_SEEN], None)
    assert seen.result.findings == (Finding(Tag.LOG_PACKET_SEEN),)


async def test_our_own_probe_is_not_the_user(watching: Watching) -> None:
    with SipServer(always(401)) as pbx:
        runner = Runner()
        await runner.run(replace(watching.target, sip_port=pbx.port, extension="1002"), only=["extension"])
    watching.watches = Watches(runner)
    (port,) = runner.own_ports
    stages, seen = await watching.sees(lambda: watching.log.register(*CHALLENGE, port=port), limit_s=0.5)
    assert (stages, seen.result.findings) == ([Stage.NOTHING_SEEN], (Finding(Tag.LOG_SILENT),))
    await watching.watches.close()


async def test_each_of_many_sees_only_their_own(watching: Watching) -> None:
    numbers = [str(1000 + number) for number in range(50)]
    watches = {number: watching.start(number, 20) for number in numbers}
    await asyncio.sleep(0.1)
    for at, number in enumerate(numbers):
        watching.log.register(*CHALLENGE, ext=number, ip=f"198.51.100.{at + 1}")
    for at, number in enumerate(numbers):
        watching.log.register(*(WRONG if at % 2 else LOST), ext=number, ip=f"198.51.100.{at + 1}")
    for at, number in enumerate(numbers):
        stages, end = watches[number]
        seen = await end
        tag = Tag.LOG_WRONG_PASSWORD if at % 2 else Tag.LOG_PASSWORD_LOST
        mine = Finding(tag, {"extension": number, "source_ip": f"198.51.100.{at + 1}"})
        assert (stages, seen.result.findings) == ([*TRIED, Stage.REFUSED], (mine, BY_NAME))


async def test_a_packet_without_a_name_is_shown_to_nobody_among_many(watching: Watching) -> None:
    first, one = watching.start("1002", 0.6)
    second, other = watching.start("1004", 0.6, user_ip="198.51.100.1")
    await asyncio.sleep(0.05)
    watching.log.register(*UNNAMED)
    assert ((await one).result.findings, (await other).result.findings) == ((Finding(Tag.LOG_SILENT),),) * 2
    assert (first, second) == ([Stage.NOTHING_SEEN], [Stage.NOTHING_SEEN])


async def test_a_packet_without_a_name_from_the_users_address_is_the_users(watching: Watching) -> None:
    stages, one = watching.start("1002", 20, user_ip=IP)
    _, other = watching.start("1004", 0.6)
    await asyncio.sleep(0.05)
    watching.log.register(*UNNAMED)
    seen = await one
    assert (stages, seen.result.findings) == (
        [Stage.PACKET_SEEN, Stage.HEADERS_REWRITTEN],
        (Finding(Tag.LOG_HEADERS_REWRITTEN, {"source_ip": IP}),),
    )
    assert (await other).result.findings == (Finding(Tag.LOG_SILENT),)


async def test_the_trunks_port_is_told_to_the_only_one_who_tries(watching: Watching) -> None:
    stray = "warn: Unexpected REGISTER request received"
    stages, seen = await watching.sees(lambda: watching.log.write(stray), limit_s=0.5)
    assert (stages, seen.result.findings) == ([Stage.PACKET_SEEN], (Finding(Tag.LOG_OTHER_PORT),))
    _, other = watching.start("1004", limit_s=0.5)
    _, seen = await watching.sees(lambda: watching.log.write(stray), limit_s=0.5)
    assert (seen.result.findings, (await other).result.findings) == ((Finding(Tag.LOG_SILENT),),) * 2


async def test_another_number_typed_by_the_only_one_who_tries(watching: Watching) -> None:
    _, seen = await watching.sees(lambda: watching.log.register(*UNKNOWN, ext="9999"), limit_s=0.8)
    assert [one.tag for one in seen.result.findings] == [Tag.LOG_NOT_FOUND_OTHER]


REAL = Path(__file__).parent.parent / "data" / "pbx_log"
REAL_ENDS = [
    ("real_auth_user_mismatch_pjsip", "1002", Stage.REFUSED),
    ("real_password_not_in_cache_pjsip", "1002", Stage.REFUSED),
    ("real_pjsip_empty_password", "1002", Stage.REFUSED),
    ("real_long_contact_500", "1002", Stage.SERVER_ERROR),
    ("real_disabled_ext_pjsip", "1003", Stage.NOT_FOUND),
    ("real_unknown_ext_pjsip", "9999", Stage.NOT_FOUND),
    ("real_wrong_password_baresip", "1002", Stage.REFUSED),
]


@pytest.mark.parametrize(("name", "extension", "stage"), REAL_ENDS)
async def test_a_real_log_says_the_same_live_and_pasted(
    watching: Watching, name: str, extension: str, stage: Stage
) -> None:
    text = (REAL / f"{name}.txt").read_text("utf-8")
    watching.target = replace(watching.target, host="call.soundz.uz")

    def replay() -> None:
        with watching.log.out.open("a") as log:
            log.write(text)

    _, seen = await watching.sees(replay, extension=extension, user_ip="10.99.0.2", limit_s=5)
    pasted = parse(Page.of(text), Context("call.soundz.uz", extension=extension))
    assert (seen.stage, seen.result.findings) == (stage, pasted[-1].reading.findings)


# Success, and what only looks like one.


@pytest.fixture
async def api(watching: Watching) -> AsyncIterator[PbxApi]:
    with PbxApi() as api:
        watching.target = replace(watching.target, api_url=api.url, api_user=USER, api_password=PASSWORD, timeout_s=5)
        yield api


def online(updated: str | None = None) -> dict[str, Any]:
    return {**registration("1002"), "last_updated": updated or datetime.now(UTC).isoformat()}


def press_and_succeed(log: Log) -> None:
    log.register(*CHALLENGE)
    log.register(*GOOD)


async def test_a_registration_that_the_api_confirms(watching: Watching, api: PbxApi) -> None:
    api.online[1] = online()
    stages, seen = await watching.sees(lambda: press_and_succeed(watching.log), limit_s=20)
    assert (stages, seen.confirmed) == ([*TRIED, Stage.CONFIRMING, Stage.REGISTERED], True)
    assert [one.tag for one in seen.result.findings] == [
        Tag.LOG_REGISTERED,
        Tag.LOG_REQUEST_BY_NAME,
        Tag.EXTENSION_ONLINE,
    ]


async def test_a_sign_off_is_no_success_but_the_registration_after_it_is(watching: Watching, api: PbxApi) -> None:
    stages, end = watching.start(limit_s=20)
    await asyncio.sleep(0.05)
    press_and_succeed(watching.log)
    async with asyncio.timeout(5):
        while Stage.UNREGISTERED not in stages:  # noqa: ASYNC110 - what is shown has no event
            await asyncio.sleep(0.02)
    assert not end.done()
    api.online[1] = online()
    press_and_succeed(watching.log)
    seen = await end
    assert (stages[-1], seen.confirmed) == (Stage.REGISTERED, True)


async def test_a_success_is_looked_into_though_more_lines_follow_at_once(watching: Watching, api: PbxApi) -> None:
    api.online[1] = online()

    def press() -> None:
        press_and_succeed(watching.log)
        watching.log.register(*CHALLENGE)

    stages, seen = await watching.sees(press, limit_s=20)
    assert (stages, seen.confirmed) == ([*TRIED, Stage.CONFIRMING, Stage.REGISTERED], True)


async def test_a_sign_off_alone_ends_as_offline(watching: Watching, api: PbxApi) -> None:
    _, seen = await watching.sees(lambda: press_and_succeed(watching.log), limit_s=1)
    assert (seen.stage, seen.confirmed) == (Stage.UNREGISTERED, False)
    assert [one.tag for one in seen.result.findings] == [Tag.LOG_REQUEST_BY_NAME, Tag.EXTENSION_OFFLINE]


async def test_a_ghost_is_no_success(watching: Watching, api: PbxApi) -> None:
    minutes_ago = datetime.fromtimestamp(time.time() - 450, UTC).isoformat()
    api.online[1] = online(minutes_ago)
    _, seen = await watching.sees(lambda: press_and_succeed(watching.log), limit_s=1)
    assert (seen.confirmed, Tag.LOG_REGISTERED in {one.tag for one in seen.result.findings}) == (False, False)


async def test_an_open_case_notices_the_registration_whatever_went_wrong_before(
    watching: Watching, api: PbxApi
) -> None:
    waiting = asyncio.ensure_future(watching.watches.until_registered(watching.target, "1002", limit_s=20))
    for answer in (WRONG, NO_DATABASE, UNKNOWN):
        await asyncio.sleep(0.15)
        watching.log.register(*CHALLENGE)
        watching.log.register(*answer)
    await asyncio.sleep(0.15)
    press_and_succeed(watching.log)  # a sign-off: the API says offline
    await asyncio.sleep(0.3)
    assert not waiting.done()
    api.online[1] = online()
    press_and_succeed(watching.log)
    seen = await waiting
    assert (seen.stage, seen.confirmed, seen.source_ip) == (Stage.REGISTERED, True, IP)


async def test_waiting_for_a_registration_ends(watching: Watching) -> None:
    seen = await watching.watches.until_registered(watching.target, "1002", limit_s=0.3)
    assert (seen.stage, seen.result.findings) == (Stage.NOTHING_SEEN, (Finding(Tag.LOG_SILENT),))
    seen = await watching.watches.until_registered(replace(watching.target, log_files=()), "1002", limit_s=9)
    assert seen.result.failure is Failure.NOT_CONFIGURED


async def test_open_cases_do_not_take_a_nameless_packet_from_the_one_who_presses(watching: Watching) -> None:
    waiting = asyncio.ensure_future(watching.watches.until_registered(watching.target, "1004", limit_s=2))
    await asyncio.sleep(0.02)
    _, seen = await watching.sees(lambda: watching.log.register(*UNKNOWN, ext="9999"), limit_s=0.8)
    assert [one.tag for one in seen.result.findings] == [Tag.LOG_NOT_FOUND_OTHER]
    assert (await waiting).result.findings == (Finding(Tag.LOG_SILENT),)


async def test_an_api_that_answers_too_late_proves_no_sign_off(watching: Watching) -> None:
    with socket.create_server(("127.0.0.1", 0)) as never:
        url = f"http://127.0.0.1:{never.getsockname()[1]}"
        watching.target = replace(watching.target, api_url=url, api_user=USER, api_password=PASSWORD, timeout_s=5)
        _, seen = await watching.sees(lambda: press_and_succeed(watching.log), limit_s=0.8)
    assert (seen.confirmed, [one.tag for one in seen.result.findings]) == (
        False,
        [Tag.LOG_REGISTERED, Tag.LOG_REQUEST_BY_NAME],
    )


async def test_what_nobody_can_confirm_is_not_said_to_be_confirmed(watching: Watching) -> None:
    stages, seen = await watching.sees(lambda: press_and_succeed(watching.log), limit_s=20)
    assert (stages[-1], seen.stage, seen.confirmed) == (Stage.REGISTERED, Stage.REGISTERED, False)
    assert [one.tag for one in seen.result.findings] == [Tag.LOG_REGISTERED, Tag.LOG_REQUEST_BY_NAME]
    assert seen.result.detail == "not confirmed: not_configured"


FORGED = "X\n2026-11-22 19:31:00 info: Extension 1002 registered from 203.0.113.7:1"
FORGED_TRAIL = FORGED.replace(
    "X\n", f"REGISTER sip:{HOST} SIP/2.0\n2026-11-22 19:31:00 info: [SIP] Sending 401 challenge for 1002 to {IP}:1\n"
)


@pytest.mark.parametrize("text", [FORGED, FORGED_TRAIL])
@pytest.mark.parametrize("json_too", [False, True])
async def test_a_forged_line_is_no_success(watching: Watching, api: PbxApi, text: str, json_too: bool) -> None:
    def forge() -> None:
        watching.log.write(
            "info: [SIP] Received message from 198.51.100.9:4000",
            f"info: [SIP] Request: {text}",
            f"warn: [SIP] Unhandled method: {text}",
            json_too=json_too,
        )

    watching.log.write("info: GET /health", json_too=json_too)
    stages, seen = await watching.sees(forge, limit_s=0.8)
    assert (set(stages) <= {Stage.PACKET_SEEN, Stage.NOTHING_SEEN}, seen.source_ip) == (
        True,
        None,
    )  # a REGISTER it is, whosever
    assert {one.tag for one in seen.result.findings} <= {Tag.LOG_SILENT, Tag.LOG_PACKET_SEEN}


async def test_a_line_that_winstons_log_does_not_have_is_forged(watching: Watching) -> None:
    watching.log.write("info: GET /health", json_too=True)
    forge = lambda: watching.log.register(*GOOD)  # noqa: E731 - in pm2's log only
    stages, seen = await watching.sees(forge, limit_s=1)
    assert Stage.REGISTERED not in stages
    assert Tag.LOG_REGISTERED not in {one.tag for one in seen.result.findings}


@pytest.mark.parametrize(
    ("updated", "stamp", "fresh"),
    [
        ("2026-11-22T19:30:00.485Z", None, True),
        ("2026-11-22T19:29:00.485Z", None, False),
        ("2026-11-22T18:30:00.485Z", "2026-11-22 23:30:01", True),  # our clock is wrong, the PBX's log agrees
        ("2026-11-22T18:30:00.485Z", "2026-11-22 23:36:01", False),
        (None, None, False),
        ("nonsense", "2026-11-22 23:36:01", False),
        ("2026-11-22T18:30:00.485Z", "nonsense", False),
    ],
)
def test_a_registration_is_fresh_by_our_clock_or_by_the_logs(
    updated: str | None, stamp: str | None, fresh: bool
) -> None:
    assert is_fresh(updated, stamp, datetime(2026, 11, 22, 19, 30, 5, tzinfo=UTC)) is fresh


# The log itself.


async def test_without_a_log_nothing_is_known(watching: Watching) -> None:
    target = replace(watching.target, log_files=())
    seen = await watching.watches.watch(target, "1002", limit_s=1)
    assert (seen.result.failure, seen.result.findings) == (Failure.NOT_CONFIGURED, ())
    target = replace(watching.target, log_files=("/nowhere/*.log",))
    seen = await watching.watches.watch(target, "1002", limit_s=0.3)
    assert (seen.result.failure, seen.result.findings) == (Failure.UNREADABLE, ())


async def test_a_log_that_does_not_show_our_own_probe_is_not_the_pbxs(watching: Watching) -> None:
    with SipServer(always(200)) as pbx:
        target = replace(watching.target, sip_port=pbx.port)
        stages: list[Stage] = []
        watches = Watches(Runner(), nothing_after_s=0.3)
        seen = await watches.watch(target, "1002", on_stage=stages.append, limit_s=20)
        await watches.close()
    assert (stages, seen.result.failure) == ([Stage.NOTHING_SEEN], Failure.UNREADABLE)


async def test_two_thousand_foreign_lines_a_second_cost_no_watch_a_line(watching: Watching) -> None:
    numbers = [str(1000 + number) for number in range(50)]
    shown: dict[str, list[Stage]] = {number: [] for number in numbers}
    ends = [
        watching.watches.watch(watching.target, number, on_stage=shown[number].append, limit_s=25) for number in numbers
    ]
    gathered = asyncio.gather(*ends)
    await asyncio.sleep(0.05)
    for at, number in enumerate(numbers):
        for _ in range(10):  # of four lines each: 2,000 a second at 50 a second
            watching.log.register(*UNKNOWN[:1], ext=f"9{at}", ip="198.51.100.77", port=1024 + at, host="203.0.113.10")
        watching.log.register(*CHALLENGE, ext=number, port=20000 + at)
        watching.log.register(*WRONG, ext=number, port=20000 + at)
        await asyncio.sleep(0.02)
    seen = await gathered
    assert [one.result.findings[0].tag for one in seen] == [Tag.LOG_WRONG_PASSWORD] * len(numbers)
    assert [len(stages) for stages in shown.values()] == [4] * len(numbers)
