"""All checks side by side: each with its own time limit, stopwatch and crash guard, none asked twice at once.

A check that is running is joined, not started again (single flight); an answer younger than the target's
`ttl_s` is given again. A failure is never kept: the next one who asks deserves a new try.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.checks import CHECKS
from bot.checks.check import OWN_PORTS, Check, NotTested, Probe
from bot.model import CheckResult, Failure, Target

log = logging.getLogger(__name__)

Key = tuple[object, ...]
OnResult = Callable[[CheckResult], None]
KEPT = 1024  # answers at most, whoever's extension they are about


@dataclass(slots=True)
class _Flight:
    """A running check and how many wait for it; when the last of them is cancelled, so is the check."""

    task: asyncio.Task[CheckResult]
    waiting: int = 0


class Runner:
    """Runs the registry's checks. One per process: it keeps what is fresh and what is under way."""

    def __init__(self, checks: tuple[Check, ...] = CHECKS, env: Mapping[str, str] | None = None) -> None:
        self._checks = checks
        self._env = os.environ if env is None else env
        self._flights: dict[Key, _Flight] = {}
        self._kept: OrderedDict[Key, tuple[float, CheckResult]] = OrderedDict()
        self._own_ports: deque[int] = deque(maxlen=OWN_PORTS)
        self._memory: dict[str, object] = {}

    @property
    def own_ports(self) -> frozenset[int]:
        """Local UDP ports of our latest SIP probes: their lines in the PBX's log are not the user's."""
        return frozenset(self._own_ports)

    async def run(
        self,
        target: Target,
        *,
        only: Collection[str] | None = None,
        fresh: bool = False,
        on_result: OnResult | None = None,
    ) -> tuple[CheckResult, ...]:
        """One result a check, in the registry's order; takes as long as the slowest of them.

        `only` narrows to some names, without it the slow ones are left out; raises ValueError on a name that does
        not exist. `fresh` does not take a kept answer (unless the check's own keeping forbids it), but joins a
        check that is running. `on_result` hears of each result as soon as it is there.
        """
        chosen = self._choose(only)
        probe = Probe(self._env, fresh, self._memory, self._own_ports)
        waits = [asyncio.ensure_future(self._answer(c, target, probe, fresh, on_result)) for c in chosen]
        try:
            return tuple(await asyncio.gather(*waits))
        finally:
            for wait in waits:
                wait.cancel()  # of a finished one: nothing; when run() itself is cancelled: all let go

    def _choose(self, only: Collection[str] | None) -> tuple[Check, ...]:
        if only is None:
            return tuple(check for check in self._checks if not check.slow)
        names = {check.name for check in self._checks}
        if strangers := sorted(set(only) - names):
            raise ValueError(f"no such check: {', '.join(strangers)}; there are {', '.join(sorted(names))}")
        return tuple(check for check in self._checks if check.name in only)

    async def _answer(
        self, check: Check, target: Target, probe: Probe, fresh: bool, on_result: OnResult | None
    ) -> CheckResult:
        key = check.key(target)
        result = None if fresh and check.keep_s is None else self._recall(key)
        if result is None:
            result = await self._join(key, check, target, probe)
        if on_result is not None:
            try:
                on_result(result)
            except Exception:
                log.exception("whoever watches the checks crashed on %s", check.name)
        return result

    async def _join(self, key: Key, check: Check, target: Target, probe: Probe) -> CheckResult:
        flight = self._flights.get(key)
        if flight is None or flight.task.done() or flight.task.get_loop() is not asyncio.get_running_loop():
            flight = _Flight(asyncio.ensure_future(self._fly(key, check, target, probe)))
            self._flights[key] = flight
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                flight.task.cancel()
                # Whoever asks next must not join a flight that is being cancelled.
                if self._flights.get(key) is flight:
                    del self._flights[key]

    async def _fly(self, key: Key, check: Check, target: Target, probe: Probe) -> CheckResult:
        me = asyncio.current_task()
        try:
            result = await measure(check, target, probe)
            self._keep(key, target.ttl_s if check.keep_s is None else check.keep_s, result)
            return result
        finally:
            flight = self._flights.get(key)
            if flight is not None and flight.task is me:
                del self._flights[key]

    def _recall(self, key: Key) -> CheckResult | None:
        until, result = self._kept.get(key, (0.0, None))
        return result if time.monotonic() < until else None

    def _keep(self, key: Key, ttl_s: float, result: CheckResult) -> None:
        self._kept.pop(key, None)
        if result.failure is None:
            self._kept[key] = (time.monotonic() + ttl_s, result)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)


async def measure(check: Check, target: Target, probe: Probe) -> CheckResult:
    """One check under stopwatch, time limit and crash guard. Raises nothing but cancellation."""
    pad = probe.noting_apart()
    at, start = datetime.now(UTC), time.monotonic()

    def fail(failure: Failure, detail: str) -> CheckResult:
        return CheckResult(check.name, _since(start), failure=failure, detail="; ".join((detail, *pad.notes)), at=at)

    if check.needs is not None and getattr(target, check.needs) is None:
        return fail(Failure.NOT_CONFIGURED, f"{check.needs} is not known")
    limit_s = check.limit_s(target)
    try:
        async with asyncio.timeout(limit_s):
            findings = tuple(await check.run(target, pad))
    except NotTested as end:
        return fail(end.failure, end.detail)
    except TimeoutError:
        return fail(Failure.TIMEOUT, f"not done after {limit_s:g} s")
    except Exception as error:
        log.exception("check %s crashed", check.name)
        return fail(Failure.CRASHED, type(error).__name__)
    return CheckResult(check.name, _since(start), findings, None, "; ".join(pad.notes) or None, at)


def _since(start: float) -> float:
    return (time.monotonic() - start) * 1000
