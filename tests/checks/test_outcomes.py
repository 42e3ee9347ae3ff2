"""What is heard of phones in the PBX's log, and what nobody may put there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.checks.outcomes import Outcome, Outcomes
from bot.checks.runner import Runner
from bot.model import Target

LOST = "Could not retrieve password for extension {0}. Please reset the password."
IN = "Extension {0} registered from {1}"
WRONG = "Digest auth verification failed for {0}"


@dataclass(slots=True)
class Log:
    """A log being written, and what was heard of it."""

    path: Path
    heard: Outcomes
    json: bool

    def write(self, *messages: str) -> None:
        """Each message as winston, or as pm2, keeps it."""
        at = "2026-11-23 00:49:56"
        lines = [
            json.dumps({"level": "info", "message": message, "service": "pbx-system", "timestamp": at})
            if self.json
            else f"{at} +00:00: {at} info: {message}"
            for message in messages
        ]
        with self.path.open("a") as file:
            file.write("".join(f"{line}\n" for line in lines))

    def attempt(self, said: str, number: str, source: str = "198.51.100.7:50600") -> None:
        """A REGISTER and what became of it."""
        refused = f"[SIP] Sending response 403 Forbidden to {source}"
        self.write(
            f"[SIP] Received message from {source}",
            "[SIP] Request: REGISTER sip:call.soundz.uz SIP/2.0",
            f"[SIP] Processing REGISTER from {source}",
            said.format(number, source),
            *([] if said == IN else [f"Authentication failed for {number}", refused]),
        )

    async def until(self, done: Callable[[dict[str, Outcome]], bool]) -> dict[str, Outcome]:
        """What was heard, once it is enough."""
        found: dict[str, Outcome] = {}
        async with asyncio.timeout(5):
            while not done(found):
                await asyncio.sleep(0.02)
                found |= {one.extension: one for one in self.heard.take()}
        return found


@pytest.fixture(params=["json", "pm2"])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Log]:
    path = tmp_path / "combined.log"
    path.touch()
    target = Target("call.soundz.uz", 5060, frozenset(), "call.soundz.uz", log_files=(str(path),))
    heard = Outcomes(target, Runner())
    assert heard.start()
    yield Log(path, heard, request.param == "json")
    await heard.close()


async def test_each_outcome_is_heard_with_its_extension(log: Log) -> None:
    log.attempt(IN, "1002")
    log.attempt(LOST, "1003", "198.51.100.8:50601")
    log.attempt(WRONG, "1004", "198.51.100.9:50602")
    found = await log.until(lambda found: len(found) == 3)
    assert {number: (one.lost, one.registered) for number, one in found.items()} == {
        "1002": (False, True),
        "1003": (True, False),
        "1004": (False, False),  # to call a password wrong, the PBX has to know the right one
    }


async def test_the_newest_word_counts(log: Log) -> None:
    log.attempt(LOST, "1002")
    log.attempt(IN, "1002")
    log.attempt(IN, "1009")
    found = await log.until(lambda found: "1009" in found)
    assert (found["1002"].lost, found["1002"].registered) == (False, True)


async def test_what_a_client_wrote_into_the_log_is_not_believed(log: Log) -> None:
    words = f"X\n{LOST.format('1003')}"
    log.write("[SIP] Received message from 198.51.100.66:5060", f"[SIP] Request: {words}")
    log.write(f"[SIP] Unhandled method: {words}")
    log.attempt(IN, "1002")
    found = await log.until(lambda found: "1002" in found)
    assert sorted(found) == ["1002"]


async def test_the_hosts_own_phones_are_nobodys(log: Log) -> None:
    log.attempt(LOST, "1003", "127.0.0.1:50600")
    log.attempt(IN, "1002")
    assert sorted(await log.until(lambda found: "1002" in found)) == ["1002"]


async def test_without_a_log_nothing_is_listened_to() -> None:
    heard = Outcomes(Target("call.soundz.uz", 5060, frozenset(), "call.soundz.uz"), Runner())
    assert (heard.start(), heard.take()) == (False, ())
    await heard.close()
