"""ICMP echo with whatever right there is to send it."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import pytest

from bot.checks.check import NotTested, Probe
from bot.checks.ping import _by_program
from bot.model import Failure, Finding, Tag, Target
from tests.checks.conftest import RunOne
from tests.servers.namespace import Namespace, why_not

NO_SPACE = why_not()


@pytest.mark.skipif(os.geteuid() != 0 and shutil.which("ping") is None, reason="not root, and no ping program")
async def test_a_host_that_answers(run_one: RunOne, target: Target) -> None:
    (found,), failure = await run_one("ping", target)
    assert (found.tag, failure) == (Tag.SERVER_PING_ANSWERS, None)
    rtt_ms = found.args["rtt_ms"]
    assert isinstance(rtt_ms, float)
    assert 0 <= rtt_ms < 500


async def test_a_name_that_is_none_is_not_lost(run_one: RunOne, target: Target) -> None:
    assert await run_one("ping", replace(target, probe_host="a b")) == ((), Failure.UNREADABLE)


@pytest.mark.skipif(shutil.which("ping") is None, reason="not installed: ping")
async def test_the_program_tells_the_same() -> None:
    rtts_ms = await _by_program("127.0.0.1", 1.0, Probe(os.environ))
    assert (len(rtts_ms), max(rtts_ms) < 500) == (3, True)


async def test_without_the_program_it_is_the_right_that_is_missing() -> None:
    with pytest.raises(NotTested) as end:
        await _by_program("not an address", 1.0, Probe(os.environ))
    assert end.value.failure in (Failure.UNREADABLE, Failure.NO_TOOL)


@pytest.mark.skipif(NO_SPACE is not None, reason=NO_SPACE or "")
def test_a_host_that_drops_echoes_is_lost_and_one_without_route_was_not_tested(target: Target) -> None:
    with Namespace() as space:
        beyond = replace(target, probe_host="203.0.113.77")
        (found,), failure = space.check("ping", beyond)
        assert (found.tag, failure) == (Tag.SERVER_PING_ANSWERS, None)
        absent = replace(target, probe_host="203.0.113.200")  # nobody answers its ARP
        assert space.check("ping", absent) == ((Finding(Tag.SERVER_PING_LOST),), None)
        space.run("ip", "route", "delete", "default")
        nowhere = replace(target, probe_host="198.51.100.1")
        assert space.check("ping", nowhere) == ((), Failure.UNREADABLE)


@pytest.mark.skipif(
    NO_SPACE is not None or shutil.which("setpriv") is None, reason=NO_SPACE or "not installed: setpriv"
)
def test_without_root_one_of_the_ways_is_found_or_the_right_is_missing(target: Target) -> None:
    with Namespace() as space:
        found, failure = space.check("ping", target, user="65534")
    answered = [one.tag for one in found] == [Tag.SERVER_PING_ANSWERS]
    assert answered or failure is Failure.NO_PERMISSION
