"""What the tests of the checks share: a target on 127.0.0.1 and a way to run one check."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import pytest

from bot.checks.runner import Runner
from bot.model import CheckResult, Failure, Finding, Target

Told = tuple[tuple[Finding, ...], Failure | None]
RunOne = Callable[..., Awaitable[Told]]


@pytest.fixture
def target() -> Target:
    """The PBX on this host, at a port nobody uses; tests replace what they are about."""
    return Target(
        host="pbx.example",
        sip_port=9,
        expected_ips=frozenset({"127.0.0.1"}),
        probe_host="127.0.0.1",
        dns_servers=("127.0.0.1:9",),
        timeout_s=1.0,
    )


@pytest.fixture
def pbx(target: Target) -> Target:
    """The PBX on the host of a Namespace."""
    return replace(target, sip_port=5060, expected_ips=frozenset({"203.0.113.10"}), probe_host="203.0.113.10")


@pytest.fixture
def run_one() -> RunOne:
    """`await run_one(name, target)`: (findings, failure) of one check of the registry."""

    async def run(name: str, target: Target, env: Mapping[str, str] | None = None) -> Told:
        result = await full_result(name, target, env)
        return result.findings, result.failure

    return run


async def full_result(name: str, target: Target, env: Mapping[str, str] | None = None) -> CheckResult:
    """The whole result of one check of the registry."""
    runner = Runner(env=os.environ if env is None else env)
    (result,) = await runner.run(target, only=[name])
    return result
