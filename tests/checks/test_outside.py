"""Outside probes are asked one neutral question, sparingly, and what they say is never taken for more than it is."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio

from bot.checks import CHECKS, EVERY, QUICK, outside
from bot.checks.outside_results import heard_dns, heard_ping
from bot.checks.runner import Runner
from bot.diagnose import correlate
from bot.model import CheckResult, Failure, Finding, Tag, Target
from tests.servers.globalping import INVALID, KZ, LIMITED, Globalping, broken, dns, ping

HOST, RIGHT, WRONG = "call.soundz.uz", "192.0.2.10", "198.51.100.66"


@pytest_asyncio.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Globalping]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with Globalping() as running:
        yield running


@pytest.fixture
def pbx(target: Target, service: Globalping) -> Target:
    return replace(target, host=HOST, expected_ips=frozenset({RIGHT}), outside_url=service.url)


async def look(target: Target, runner: Runner | None = None, *, fresh: bool = False) -> CheckResult:
    (result,) = await (runner or Runner()).run(target, only=["outside"], fresh=fresh)
    return result


def found(tag: Tag, country: str = "UZ", probes: int = 3, **more: Any) -> Finding:
    return Finding(tag, {"probes": probes, "country": country, **more})


DNS_OK = found(Tag.OUTSIDE_DNS_OK, addresses=(RIGHT,))
PING_OK = found(Tag.OUTSIDE_PING_ANSWERS, rtt_ms=80.1)


async def test_three_probes_of_the_country_look_the_name_up_and_ping_the_host(service: Globalping, pbx: Target) -> None:
    assert (await look(pbx)).findings == (DNS_OK, PING_OK)


async def test_the_configured_name_is_all_that_leaves(service: Globalping, pbx: Target) -> None:
    await look(replace(pbx, extension="1002", user_ip="203.0.113.7", api_password="secret"))
    place = {"country": "UZ", "limit": 3}
    asked = sorted(service.orders, key=lambda order: str(order["type"]))
    assert asked == [
        {"type": "dns", "target": HOST, "locations": [place], "measurementOptions": {"query": {"type": "A"}}},
        {"type": "ping", "target": HOST, "locations": [place], "measurementOptions": {"packets": 3}},
    ]
    assert [agent.partition("/")[0] for agent in service.agents] == ["microsip-yordam"]


@pytest.mark.parametrize(
    ("kind", "results", "expected"),
    [
        ("dns", [dns(WRONG)] * 3, found(Tag.OUTSIDE_DNS_WRONG, addresses=(WRONG,))),
        ("dns", [dns(WRONG), dns(RIGHT)], found(Tag.OUTSIDE_DNS_OK, addresses=(WRONG, RIGHT), probes=2)),
        ("dns", [dns(rcode="NXDOMAIN")] * 2, found(Tag.OUTSIDE_DNS_FAILS, rcode="NXDOMAIN", probes=2)),
        ("dns", [dns(rcode="NXDOMAIN"), broken()], None),  # one is no witness
        ("dns", [dns(WRONG), broken("offline")], None),
        ("dns", [broken()] * 3, None),
        ("ping", [ping(0)] * 3, found(Tag.OUTSIDE_PING_LOST)),
        ("ping", [ping(0), ping(0), ping(1)], PING_OK),
        ("ping", [ping(0), broken()], None),
        ("ping", [ping(3, probe=KZ), ping(0)], found(Tag.OUTSIDE_PING_ANSWERS, "KZ, UZ", 2, rtt_ms=80.1)),
    ],
)
def test_what_the_probes_say_together(target: Target, kind: str, results: list[Any], expected: Finding | None) -> None:
    pbx = replace(target, expected_ips=frozenset({RIGHT}))
    told = heard_dns(results, pbx) if kind == "dns" else heard_ping(results)
    assert told.findings == (() if expected is None else (expected,))


async def test_which_address_is_right_may_be_known_elsewhere_only(service: Globalping, pbx: Target) -> None:
    (told, _) = (await look(replace(pbx, expected_ips=frozenset()))).findings
    assert told.tag is Tag.OUTSIDE_DNS_ANSWERS
    judged = {
        right: correlate([Finding(Tag.SERVER_DNS_OK, {"addresses": (right,)}), told])[1].tag for right in (RIGHT, WRONG)
    }
    assert judged == {RIGHT: Tag.OUTSIDE_DNS_OK, WRONG: Tag.OUTSIDE_DNS_WRONG}


async def test_without_a_probe_in_the_country_its_neighbours_are_asked(service: Globalping, pbx: Target) -> None:
    service.places = {"Central Asia"}
    service.results = {"dns": [dns(RIGHT, probe=KZ)] * 3, "ping": [ping(3, probe=KZ)] * 3}
    assert {finding.args["country"] for finding in (await look(pbx)).findings} == {"KZ"}
    assert [order["locations"][0].get("region") for order in service.orders].count("Central Asia") == 2


async def test_without_any_probe_near_nothing_is_claimed_and_nothing_asked_again_soon(
    service: Globalping, pbx: Target
) -> None:
    service.places, runner = set(), Runner()
    first, orders = await look(pbx, runner), len(service.orders)
    second = await look(pbx, runner)
    assert [(one.findings, one.failure) for one in (first, second)] == [((), Failure.UNREADABLE)] * 2
    assert len(service.orders) == orders


async def test_a_limit_is_respected_as_long_as_it_says(service: Globalping, pbx: Target) -> None:
    service.refusal, runner = (429, LIMITED, {"Retry-After": "1800"}), Runner()
    first, orders = await look(pbx, runner), len(service.orders)
    service.refusal = None
    second = await look(pbx, runner, fresh=True)
    assert (first.failure, second.failure) == (Failure.RATE_LIMITED, Failure.RATE_LIMITED)
    assert "1800 s" in (first.detail or "")
    assert len(service.orders) == orders


@pytest.mark.parametrize(
    "refusal", [(400, INVALID, {}), (401, {}, {}), (422, INVALID, {}), (500, "Oops", {}), (202, {"id": "../x"}, {})]
)
async def test_a_refusal_is_not_tested(
    service: Globalping, pbx: Target, refusal: tuple[int, Any, dict[str, str]]
) -> None:
    service.refusal = refusal
    result = await look(pbx)
    assert (result.findings, result.failure) == ((), Failure.UNREADABLE)


GARBAGE: list[Any] = [[], [1], [{}], [{"result": []}], [{"probe": 1, "result": {"status": "finished"}}]]


@pytest.mark.parametrize("garbage", ["", "{", "[]", '"x"', "null", "<html>", "{" * 5000])
async def test_what_is_no_answer_is_not_tested(service: Globalping, pbx: Target, garbage: str) -> None:
    service.garbage = garbage
    result = await look(pbx)
    assert (result.findings, result.failure) == ((), Failure.UNREADABLE)


@pytest.mark.parametrize("garbage", GARBAGE)
def test_what_is_no_result_says_nothing(target: Target, garbage: list[Any]) -> None:
    assert (heard_dns(garbage, target).findings, heard_ping(garbage).findings) == ((), ())


async def test_probes_that_did_nothing_are_not_tested(service: Globalping, pbx: Target) -> None:
    service.results = {"dns": [broken()], "ping": [broken("offline")]}
    result = await look(pbx)
    assert (result.findings, result.failure) == ((), Failure.UNREADABLE)


async def test_an_answer_without_end_is_not_swallowed(service: Globalping, pbx: Target) -> None:
    service.results = {"dns": [dns(RIGHT)], "ping": [{**ping(3), "rawOutput": "x" * 2 * outside.MOST_BYTES}]}
    assert [finding.tag for finding in (await look(pbx)).findings] == [Tag.OUTSIDE_DNS_OK]


async def test_one_half_that_fails_leaves_the_other(service: Globalping, pbx: Target) -> None:
    service.results["dns"] = [broken()]
    assert (await look(pbx)).findings == (PING_OK,)


async def test_it_waits_between_two_looks_at_a_measurement(service: Globalping, pbx: Target) -> None:
    service.busy_polls, service.poll_refusals = 1, 1
    assert (await look(replace(pbx, host=RIGHT))).findings == (PING_OK,)  # an address needs no lookup
    assert len(service.polls) == 3
    assert all(later - earlier >= 0.5 for earlier, later in pairwise(service.polls))


async def test_an_answer_stands_for_minutes_also_for_who_asks_anew(service: Globalping, pbx: Target) -> None:
    runner = Runner()
    first = await look(replace(pbx, ttl_s=0.0), runner)
    assert await look(replace(pbx, ttl_s=0.0), runner, fresh=True) == first
    assert len(service.orders) == 2


async def test_nobody_waits_for_it_who_does_not_name_it(service: Globalping, pbx: Target) -> None:
    service.slow_s = 5.0
    started = time.monotonic()
    results = await Runner().run(replace(pbx, timeout_s=0.3, dns_servers=("127.0.0.1:9",)))
    assert tuple(one.name for one in results) == QUICK
    assert time.monotonic() - started < 5.0
    assert set(EVERY) - set(QUICK) == {"outside"}
    assert service.orders == []


async def test_a_service_that_is_away_or_switched_off_is_not_tested(target: Target) -> None:
    away = await look(replace(target, host=HOST, outside_url="http://127.0.0.1:9"))
    off = await look(replace(target, host=HOST))
    assert (away.failure, off.failure) == (Failure.UNREADABLE, Failure.NOT_CONFIGURED)


async def test_a_service_that_dawdles_is_a_timeout(service: Globalping, pbx: Target) -> None:
    service.busy_polls = 1000
    (check,) = (replace(one, budget_s=1.5) for one in CHECKS if one.name == "outside")
    result = await look(pbx, Runner((check,)))
    assert (result.findings, result.failure) == ((), Failure.TIMEOUT)
