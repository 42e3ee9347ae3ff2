"""The probes against a real registrar, and the whole run against one that is well."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.checks.runner import Runner
from bot.model import CheckResult, Finding, Tag, Target
from tests.checks.conftest import RunOne
from tests.servers.dns import DnsServer
from tests.servers.kamailio import PROGRAM, Kamailio

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="not installed: kamailio")


@pytest.fixture(scope="module")
def kamailio() -> Iterator[Kamailio]:
    with Kamailio() as running:
        yield running


async def test_it_answers_options_with_200(run_one: RunOne, target: Target, kamailio: Kamailio) -> None:
    for name, tag in (("sip", Tag.SERVER_SIP_ANSWERS), ("sip_loopback", Tag.LOOPBACK_SIP_ANSWERS)):
        (found,), failure = await run_one(name, replace(target, sip_port=kamailio.port))
        assert (found.tag, found.args["code"], failure) == (tag, 200, None)


@pytest.mark.parametrize("extension", ["1002", "9999"])
async def test_it_challenges_unknown_extensions_too(
    run_one: RunOne, target: Target, kamailio: Kamailio, extension: str
) -> None:
    asked = replace(target, sip_port=kamailio.port, extension=extension)
    exists = Finding(Tag.EXTENSION_EXISTS, {"extension": extension})
    assert await run_one("extension", asked) == ((exists,), None)


async def test_the_whole_run_is_as_long_as_its_slowest_check(target: Target, kamailio: Kamailio) -> None:
    with DnsServer({"pbx.example": {"A": ("127.0.0.1",)}}) as resolver:
        asked = replace(
            target, sip_port=kamailio.port, dns_servers=(resolver.address,), extension="1002", timeout_s=4.0
        )
        heard: list[CheckResult] = []
        start = time.monotonic()
        results = await Runner().run(asked, on_result=heard.append)
        took_ms = (time.monotonic() - start) * 1000
    assert sorted(one.name for one in heard) == sorted(one.name for one in results)
    assert took_ms <= max(one.took_ms for one in results) + 100
