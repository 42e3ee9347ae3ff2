"""The watch of our own side: a round of checks every minute, also over restarts, and what the PBX's log says between.

The time of the next round stands in the database and is written together with what the last one meant: a bot that
was down makes the round it missed at once, and no round counts twice.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from telegram.ext import JobQueue

from bot.checks.outcomes import Outcome, Outcomes
from bot.checks.runner import Runner
from bot.incident_log import IncidentLog
from bot.incidents import Phone, Round
from bot.model import CheckResult, Tag, Target
from handlers.incidents import Incidents

log = logging.getLogger(__name__)
# What can blame our own side. Measurements from outside are left out: others pay for them.
OWN_SIDE = ("dns", "ping", "sip", "sip_loopback", "sockets", "firewall", "pm2", "pbx_log", "api")
AT_ONCE_S = 1.0  # a time that is over when the job queue starts would be put off by a whole interval


@dataclass(slots=True)
class Patrol:
    """Makes the rounds; one at a time."""

    runner: Runner
    target: Target
    log: IncidentLog
    incidents: Incidents
    every_s: float
    outcomes: Outcomes
    _round: asyncio.Task[None] | None = None
    _registered_at: datetime | None = field(default=None)  # the last time a phone got in

    @classmethod
    def of(cls, target: Target, runner: Runner, incidents: Incidents, every_s: float) -> Patrol:
        """The watch of one PBX, which tells these incidents."""
        return cls(runner, target, incidents.log, incidents, every_s, Outcomes(target, runner))

    async def begin(self, jobs: JobQueue[Any]) -> None:
        """Listens from now on, and looks whenever it is due."""
        self.outcomes.start()
        now = datetime.now(UTC)
        await self.log.begin(now + timedelta(seconds=self.every_s))
        wait_s = ((await self.log.due_at() or now) - now).total_seconds()
        if wait_s < AT_ONCE_S:
            await self._tick(None)
        jobs.run_repeating(self._tick, interval=self.every_s, first=wait_s if wait_s >= AT_ONCE_S else self.every_s)

    async def _tick(self, _: object) -> None:
        """A stop of the bot does not wait for a round: it is made at the next start."""
        if self._round is None or self._round.done():
            self._round = asyncio.create_task(self._guarded(), name="patrol")

    async def _guarded(self) -> None:
        try:
            await self.make_round()
        except Exception:
            log.exception("a round of our own side failed")

    async def make_round(self) -> None:
        """Looks, counts, and hands on what changed."""
        results = await self.runner.run(self.target, only=OWN_SIDE, fresh=True)
        now = datetime.now(UTC)
        heard = self.outcomes.take()
        self._registered_at = max((one.at for one in heard if one.registered), default=self._registered_at)
        seen = Round(now, results, self._registered_at, await self.log.answered_at())
        due_at = now + timedelta(seconds=self.every_s)
        changes = await self.log.count(seen, due_at, [_phone(one) for one in heard], _started_at(results, now))
        await self.incidents.follow(seen, changes)

    async def close(self) -> None:
        """Looks no more."""
        if self._round is not None:
            self._round.cancel()
            await asyncio.wait({self._round})
        await self.outcomes.close()


def _phone(one: Outcome) -> Phone:
    return Phone(one.extension, lost_at=one.at) if one.lost else Phone(one.extension, known_at=one.at)


def _started_at(results: tuple[CheckResult, ...], now: datetime) -> datetime | None:
    """When pm2 started the PBX; None where it was not told."""
    ups = [f.args.get("uptime_s") for result in results for f in result.findings if f.tag is Tag.PM2_ONLINE]
    return next((now - timedelta(seconds=up) for up in ups if isinstance(up, int | float)), None)
