"""Whether the PBX runs on this host is said by the settings or found out without sending anything."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from bot.checks.check import Probe
from bot.checks.here import on_this_host
from bot.model import Target

HERE, ELSEWHERE = "127.0.0.1", "192.0.2.1"


@pytest.mark.parametrize(
    ("said", "expected_ips", "probe_host", "answer"),
    [
        (True, [], ELSEWHERE, True),
        (False, [HERE], HERE, False),
        (None, [HERE], ELSEWHERE, True),
        (None, [ELSEWHERE], HERE, True),
        (None, [ELSEWHERE], ELSEWHERE, False),
        (None, [], "127.9.9.9", True),
        (None, [], "localhost", True),
        (None, [], "0.0.0.0", False),
        (None, [], "224.0.0.1", False),
        (None, [], "not a host", False),
    ],
)
async def test_where_the_pbx_is(
    target: Target, said: bool | None, expected_ips: list[str], probe_host: str, answer: bool
) -> None:
    asked = replace(target, on_this_host=said, expected_ips=frozenset(expected_ips), probe_host=probe_host)
    assert await on_this_host(asked, Probe(os.environ)) is answer
