"""All checks side by side: time limit, crash guard, single flight, kept answers, cancellation."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest

from bot import checks
from bot.checks import CHECKS, Check, NotTested, Probe
from bot.checks.runner import Runner
from bot.model import CheckResult, Failure, Finding, Tag, Target

GOOD = (Finding(Tag.API_ANSWERS),)


class Question:
    """A check that counts how often it is asked and answers when the test opens the gate."""

    def __init__(self, findings: tuple[Finding, ...] = GOOD, failure: Failure | None = None) -> None:
        self.findings, self.failure = findings, failure
        self.asked = 0
        self.cancelled = 0
        self.started = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, target: Target, probe: Probe) -> tuple[Finding, ...]:
        self.asked += 1
        self.started.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.failure is not None:
            raise NotTested(self.failure, "said the test")
        return self.findings


def check(run: Callable[[Target, Probe], Awaitable[tuple[Finding, ...]]], name: str = "one") -> Check:
    return Check(name, run, ("host", "extension"))


def told(results: tuple[CheckResult, ...]) -> list[tuple[str, tuple[Finding, ...], Failure | None]]:
    return [(one.name, one.findings, one.failure) for one in results]


async def test_results_come_in_the_registrys_order_whoever_is_first(target: Target) -> None:
    slow, quick = Question(), Question()
    slow.gate.clear()
    heard: list[str] = []

    def listen(result: CheckResult) -> None:
        heard.append(result.name)
        slow.gate.set()

    runner = Runner((check(slow, "slow"), check(quick, "quick")))
    results = await runner.run(target, on_result=listen)
    assert told(results) == [("slow", GOOD, None), ("quick", GOOD, None)]
    assert heard == ["quick", "slow"]


async def test_the_whole_takes_as_long_as_the_slowest_check(target: Target) -> None:
    async def wait(target: Target, probe: Probe) -> tuple[Finding, ...]:
        await asyncio.sleep(0.3)
        return GOOD

    start = time.monotonic()
    await Runner(tuple(check(wait, f"c{number}") for number in range(10))).run(target)
    took_s = time.monotonic() - start
    assert 0.3 <= took_s < 1.5  # one after the other: 3


async def test_a_check_that_takes_too_long_is_a_timeout_and_the_others_stand(target: Target) -> None:
    stuck, fine = Question(), Question()
    stuck.gate.clear()
    runner = Runner((replace(check(stuck, "stuck"), budget_s=0.05), check(fine, "fine")))
    results = await runner.run(target)
    assert told(results) == [("stuck", (), Failure.TIMEOUT), ("fine", GOOD, None)]
    assert stuck.cancelled == 1


async def test_a_crash_is_a_result_with_its_traceback_in_the_log(
    target: Target, caplog: pytest.LogCaptureFixture
) -> None:
    async def crash(target: Target, probe: Probe) -> tuple[Finding, ...]:
        raise ZeroDivisionError("the secret of the day")

    with caplog.at_level(logging.ERROR, "bot.checks.runner"):
        (result,) = await Runner((check(crash),)).run(target)
    assert (result.findings, result.failure, result.detail) == ((), Failure.CRASHED, "ZeroDivisionError")
    assert [record.exc_info is not None for record in caplog.records] == [True]


async def test_a_check_that_gives_no_tuple_crashes_alone(target: Target) -> None:
    async def nothing(target: Target, probe: Probe) -> tuple[Finding, ...]:
        return None  # type: ignore[return-value]

    assert told(await Runner((check(nothing),)).run(target)) == [("one", (), Failure.CRASHED)]


async def test_who_asks_at_the_same_time_gets_the_same_answer(target: Target) -> None:
    question = Question()
    question.gate.clear()
    runner = Runner((check(question),))
    waits = [asyncio.ensure_future(runner.run(target)) for _ in range(20)]
    await question.started.wait()
    question.gate.set()
    answers = await asyncio.gather(*waits)
    assert question.asked == 1
    assert all(answer == answers[0] for answer in answers)


async def test_a_young_answer_is_given_again_and_an_old_one_is_not(target: Target) -> None:
    question = Question()
    runner = Runner((check(question),))
    first = await runner.run(target)
    assert await runner.run(target) == first
    assert question.asked == 1
    stale = Runner((check(question),))
    await stale.run(replace(target, ttl_s=0))
    await stale.run(replace(target, ttl_s=0))
    assert question.asked == 3


async def test_answers_about_different_extensions_are_kept_apart(target: Target) -> None:
    question = Question()
    runner = Runner((check(question),))
    await runner.run(replace(target, extension="1002"))
    await runner.run(replace(target, extension="1003"))
    await runner.run(replace(target, extension="1002", user_ip="192.0.2.1"))  # it does not use user_ip
    assert question.asked == 2


async def test_a_failure_is_never_kept(target: Target) -> None:
    question = Question(failure=Failure.NO_PERMISSION)
    runner = Runner((check(question),))
    await runner.run(target)
    question.failure = None
    assert told(await runner.run(target)) == [("one", GOOD, None)]


async def test_a_re_check_asks_again_but_joins_a_running_one(target: Target) -> None:
    question = Question()
    runner = Runner((check(question),))
    await runner.run(target)
    question.gate.clear()
    question.started.clear()
    again = asyncio.ensure_future(runner.run(target, fresh=True))
    await question.started.wait()
    joined = asyncio.ensure_future(runner.run(target, fresh=True))
    await asyncio.sleep(0)
    question.gate.set()
    assert await again == await joined
    assert question.asked == 2


async def test_who_leaves_does_not_take_the_answer_from_who_stays(target: Target) -> None:
    question = Question()
    question.gate.clear()
    runner = Runner((check(question),))
    leaves, stays = (asyncio.ensure_future(runner.run(target)) for _ in range(2))
    await question.started.wait()
    leaves.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaves
    question.gate.set()
    assert told(await stays) == [("one", GOOD, None)]
    assert (question.asked, question.cancelled) == (1, 0)


async def test_when_the_last_one_leaves_the_check_is_cancelled_and_the_next_one_starts_anew(
    target: Target,
) -> None:
    question = Question()
    question.gate.clear()
    runner = Runner((check(question),))
    leaves = asyncio.ensure_future(runner.run(target))
    await question.started.wait()
    leaves.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaves
    question.gate.set()
    assert told(await runner.run(target)) == [("one", GOOD, None)]
    assert (question.asked, question.cancelled) == (2, 1)


async def test_a_crash_of_who_listens_spoils_nothing(target: Target) -> None:
    def listen(result: CheckResult) -> None:
        raise RuntimeError

    assert told(await Runner((check(Question()),)).run(target, on_result=listen)) == [("one", GOOD, None)]


async def test_a_check_of_an_unknown_name_is_a_mistake_of_the_caller(target: Target) -> None:
    with pytest.raises(ValueError, match="no such check: pong; there are one"):
        await Runner((check(Question()),)).run(target, only=["pong"])


async def test_what_several_checks_want_to_know_is_asked_once_a_run(target: Target) -> None:
    asked = []

    async def find_out() -> int:
        asked.append(1)
        await asyncio.sleep(0)
        return 5

    async def wants(target: Target, probe: Probe) -> tuple[Finding, ...]:
        assert await probe.once("the same", find_out) == 5
        return GOOD

    results = await Runner(tuple(check(wants, f"c{number}") for number in range(5))).run(target)
    assert [one.failure for one in results] == [None] * 5
    assert asked == [1]


async def test_without_what_it_needs_a_check_is_not_configured(target: Target) -> None:
    question = Question()
    needy = replace(check(question), needs="extension")
    assert told(await Runner((needy,)).run(target)) == [("one", (), Failure.NOT_CONFIGURED)]
    assert question.asked == 0


def test_the_registry_names_only_fields_of_the_target() -> None:
    known = {field.name for field in fields(Target)}
    assert [(one.name, name) for one in CHECKS for name in one.uses if name not in known] == []
    assert [one.name for one in CHECKS if one.needs is not None and one.needs not in one.uses] == []


def test_every_file_with_a_check_is_in_the_registry() -> None:
    place = Path(checks.__file__).parent
    written = {path.stem for path in place.glob("*.py") if "\nasync def check(" in path.read_text("utf-8")}
    registered = {one.run.__module__.rpartition(".")[2] for one in CHECKS}
    assert written == registered
    assert len({one.name for one in CHECKS}) == len(CHECKS)
