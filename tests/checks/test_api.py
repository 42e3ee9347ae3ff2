"""The PBX's API is asked sparingly, and only its true answers are believed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.checks.runner import Runner
from bot.model import Failure, Finding, Tag, Target
from tests.checks.conftest import RunOne
from tests.servers.kamailio import free_port
from tests.servers.pbx_api import HASH, PASSWORD, TOKEN, USER, PbxApi, extension, registration

ANSWERS = Finding(Tag.API_ANSWERS)
LOGIN, LIST, STATUS = "POST /api/v1/auth/login", "GET /api/v1/extensions", "GET /api/v1/extensions/1/status"


@pytest.fixture
def api() -> Iterator[PbxApi]:
    with PbxApi() as running:
        yield running


@pytest.fixture
def pbx(target: Target, api: PbxApi) -> Target:
    return replace(target, api_url=api.url, api_user=USER, api_password=PASSWORD, extension="1002")


def about(tag: Tag, extension: str, **more: str) -> Finding:
    return Finding(tag, {"extension": extension, **more})


@pytest.mark.parametrize(
    ("extension", "expected"),
    [
        ("1002", about(Tag.EXTENSION_OFFLINE, "1002")),
        ("1003", about(Tag.EXTENSION_DISABLED, "1003")),
        ("1004", about(Tag.EXTENSION_UNKNOWN, "1004")),
    ],
)
async def test_what_the_api_knows_about_an_extension(
    run_one: RunOne, pbx: Target, extension: str, expected: Finding
) -> None:
    assert await run_one("api", replace(pbx, extension=extension)) == ((ANSWERS, expected), None)


async def test_online_is_told_with_where_and_since_when(run_one: RunOne, api: PbxApi, pbx: Target) -> None:
    api.online[1] = registration("1002")
    online = about(
        Tag.EXTENSION_ONLINE,
        "1002",
        contact_uri="sip:1002@10.99.0.2:42997;ob",
        last_updated="2026-11-22T19:31:08.694Z",
    )
    assert await run_one("api", pbx) == ((ANSWERS, online), None)


async def test_one_login_serves_many_diagnoses(run_one: RunOne, api: PbxApi, pbx: Target) -> None:
    await run_one("api", pbx)
    await run_one("api", pbx)
    assert api.calls == [LOGIN, LIST, STATUS, STATUS]


async def test_a_confirmation_after_a_diagnosis_is_one_call(run_one: RunOne, api: PbxApi, pbx: Target) -> None:
    await run_one("api", pbx)
    api.calls.clear()
    api.online[1] = registration("1002")
    assert [finding.tag for finding in (await run_one("api", pbx))[0]] == [Tag.API_ANSWERS, Tag.EXTENSION_ONLINE]
    assert api.calls == [STATUS]


async def test_an_extension_that_is_gone_or_was_missing_is_looked_for_again(
    run_one: RunOne, api: PbxApi, pbx: Target
) -> None:
    missing = replace(pbx, extension="1004")
    assert await run_one("api", missing) == ((ANSWERS, about(Tag.EXTENSION_UNKNOWN, "1004")), None)
    api.extensions.append(extension(7, "1004"))
    assert await run_one("api", missing) == ((ANSWERS, about(Tag.EXTENSION_OFFLINE, "1004")), None)
    api.extensions.pop()
    assert await run_one("api", missing) == ((ANSWERS, about(Tag.EXTENSION_UNKNOWN, "1004")), None)


async def test_two_who_come_at_once_log_in_once(run_one: RunOne, api: PbxApi, pbx: Target) -> None:
    await asyncio.gather(run_one("api", pbx), run_one("api", replace(pbx, extension="1003")))
    assert api.calls.count(LOGIN) == 1


async def test_a_token_that_expired_is_renewed_once(run_one: RunOne, api: PbxApi, pbx: Target) -> None:
    await run_one("api", pbx)
    api.token = "a-newer-token"
    api.calls.clear()
    assert await run_one("api", pbx) == ((ANSWERS, about(Tag.EXTENSION_OFFLINE, "1002")), None)
    assert api.calls == [STATUS, LOGIN, STATUS]


async def test_without_an_extension_the_list_is_enough(run_one: RunOne, api: PbxApi, pbx: Target) -> None:
    assert await run_one("api", replace(pbx, extension=None)) == ((ANSWERS,), None)
    assert api.calls == [LOGIN, LIST]


async def test_a_wrong_password_of_ours_is_no_finding(run_one: RunOne, pbx: Target) -> None:
    assert await run_one("api", replace(pbx, api_password="wrong")) == ((), Failure.NO_PERMISSION)


async def test_the_database_down_is_told_with_and_without_a_token(run_one: RunOne, api: PbxApi, pbx: Target) -> None:
    api.database = False
    assert await run_one("api", pbx) == ((Finding(Tag.API_DB_DOWN),), None)
    api.database = True
    await run_one("api", pbx)
    api.database = False
    assert await run_one("api", pbx) == ((Finding(Tag.API_DB_DOWN),), None)


async def test_nobody_there_is_down(run_one: RunOne, pbx: Target) -> None:
    dead = replace(pbx, api_url=f"http://127.0.0.1:{free_port()}/")
    assert await run_one("api", dead) == ((Finding(Tag.API_DOWN),), None)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "not an address"])
async def test_no_way_there_is_not_down(run_one: RunOne, pbx: Target, url: str) -> None:
    assert await run_one("api", replace(pbx, api_url=url)) == ((), Failure.UNREADABLE)


async def test_a_pause_that_is_asked_for_is_kept(run_one: RunOne, api: PbxApi, pbx: Target) -> None:
    api.limited_s = 861
    assert await run_one("api", pbx) == ((), Failure.RATE_LIMITED)
    api.limited_s = None
    assert await run_one("api", pbx) == ((), Failure.RATE_LIMITED)
    assert api.calls == [LOGIN]


async def test_when_the_pause_is_over_it_is_asked_again(run_one: RunOne, api: PbxApi, pbx: Target) -> None:
    api.limited_s = 0
    assert await run_one("api", pbx) == ((), Failure.RATE_LIMITED)
    api.limited_s = None
    assert (await run_one("api", pbx))[1] is None


@pytest.mark.parametrize(
    "garbage",
    ["", "{", "[]", "null", '{"success":true}', '{"success":true,"data":{}}', '{"success":false,"error":"x"}',
     '{"success":true,"data":{"token":7}}', '{"success":true,"data":{"token":"a\\nb"}}', "[" * 100000],
)  # fmt: skip
async def test_answers_that_are_none_are_unreadable(run_one: RunOne, api: PbxApi, pbx: Target, garbage: str) -> None:
    api.garbage = garbage
    assert await run_one("api", pbx) == ((), Failure.UNREADABLE)


async def test_never_more_than_six_calls(run_one: RunOne, api: PbxApi, pbx: Target) -> None:
    await run_one("api", pbx)
    api.calls.clear()
    api.token = "refused at once"
    await run_one("api", pbx)
    assert len(api.calls) <= 6


async def test_no_settings_no_question(run_one: RunOne, target: Target) -> None:
    assert await run_one("api", target) == ((), Failure.NOT_CONFIGURED)
    assert await run_one("api", replace(target, api_url="http://127.0.0.1:9")) == (
        (),
        Failure.NOT_CONFIGURED,
    )


async def test_neither_token_nor_password_nor_hash_is_logged(
    api: PbxApi, pbx: Target, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        runner = Runner()
        (good,) = await runner.run(pbx, only=["api"])
        api.garbage = '{"token": "' + TOKEN + HASH
        (bad,) = await runner.run(pbx, only=["api"], fresh=True)
    written = f"{caplog.text}{good}{bad}{pbx}"
    assert [secret for secret in (TOKEN, HASH, PASSWORD) if secret in written] == []
