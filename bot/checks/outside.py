"""Do other networks of the country find the PBX's name and reach its host? Asked of Globalping's public probes.

    POST /v1/measurements {"type": "dns", "target": "call.soundz.uz", "locations": [{"country": "UZ", "limit": 3}]}
    -> 202 {"id": "PY5f…", "probesCount": 3}; then GET /v1/measurements/PY5f… until "status" is not "in-progress"

Nothing about a user leaves: the configured host name is the whole question, and what is measured is kept there for
some days. The probes cannot send SIP, and their ping proves little, so nobody is blamed by them for sure
(docs/decisions/0009-outside-probes.md). Shapes, limits and errors: Globalping's public API specification, v1.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import httpx

from bot.checks.address import HOST, literal
from bot.checks.check import NotTested, Probe
from bot.checks.outside_results import Told, heard_dns, heard_ping
from bot.model import Failure, Finding, Target

BUDGET_S = 25.0  # a look takes 2 to 10 s; nobody waits for it
KEEP_S = 300.0
PROBES = 3
# From where, most wanted first; the next where no probe of one is online.
PLACES: tuple[Mapping[str, object], ...] = (
    {"country": "UZ", "limit": PROBES},
    {"region": "Central Asia", "limit": PROBES},
)
PACKETS = 3
BETWEEN_POLLS_S = 0.6  # the specification asks for 500 ms after each answer
LONGEST_PAUSE_S = 3600.0
PAUSE_S = 300.0  # where a refusal does not say how long
ONE_CALL_S = 8.0
MOST_BYTES = 256 * 1024  # of an answer: three probes' results are a few KiB
PAUSE = "outside pause"


@dataclass(frozen=True, slots=True)
class _Pause:
    """Until when (monotonic) the service is left alone, and why."""

    until: float
    failure: Failure
    why: str


class _NoProbesError(Exception):
    """422: no probe is online at that place."""


async def check(target: Target, probe: Probe) -> tuple[Finding, ...]:
    """OUTSIDE_DNS_OK | _ANSWERS | _WRONG | _FAILS and OUTSIDE_PING_ANSWERS | _LOST, as far as enough probes told.

    Raises NotTested where neither is known: RATE_LIMITED, or UNREADABLE with the reason.
    """
    if not HOST.fullmatch(target.host) and literal(target.host) is None:
        raise NotTested(Failure.UNREADABLE, "not a host name")
    _mind_the_pause(probe)
    async with httpx.AsyncClient(
        base_url=(target.outside_url or "").rstrip("/"),
        timeout=ONE_CALL_S,
        headers={"User-Agent": f"microsip-yordam/{_version()}", "Accept": "application/json"},
    ) as http:
        looks = [_look(_Service(http, probe), "ping", target, probe)]
        if literal(target.host) is None:
            looks.insert(0, _look(_Service(http, probe), "dns", target, probe))
        ended = await asyncio.gather(*looks, return_exceptions=True)
    findings: list[Finding] = []
    trouble: NotTested | None = None
    for one in ended:
        if isinstance(one, Told):
            findings += one.findings
            probe.note(one.note)
        elif isinstance(one, NotTested):
            trouble = trouble or one
            probe.note(one.detail)
        else:
            raise one
    if not findings:
        raise trouble or NotTested(Failure.UNREADABLE, "too few probes did their work")
    return tuple(findings)


async def _look(service: _Service, kind: str, target: Target, probe: Probe) -> Told:
    """One measurement, from the first place that has probes."""
    for place in PLACES:
        try:
            number = await service.order(_question(kind, target.host, place))
        except _NoProbesError:
            continue
        results = await service.results(number)
        return heard_dns(results, target) if kind == "dns" else heard_ping(results)
    probe.memory[PAUSE] = _Pause(time.monotonic() + PAUSE_S, Failure.UNREADABLE, "no probe near is online")
    raise NotTested(Failure.UNREADABLE, "no probe near is online")


def _question(kind: str, host: str, place: Mapping[str, object]) -> dict[str, object]:
    asked: dict[str, object] = {"type": kind, "target": host, "locations": [place]}
    return asked | {"measurementOptions": {"packets": PACKETS} if kind == "ping" else {"query": {"type": "A"}}}


class _Service:
    """The calls of one look."""

    def __init__(self, http: httpx.AsyncClient, probe: Probe) -> None:
        self._http, self._probe = http, probe

    async def order(self, question: Mapping[str, object]) -> str:
        """The number of a measurement that was begun. Raises _NoProbesError, NotTested."""
        answer = await self._send("POST", "/v1/measurements", json=question)
        if answer.status_code == 429:
            raise self._leave_alone(answer)
        body = _json(answer)
        if answer.status_code == 422 and _error_type(body) == "no_probes_found":
            raise _NoProbesError
        number = body.get("id")
        if answer.status_code != 202 or not isinstance(number, str) or not (number.isascii() and number.isalnum()):
            raise NotTested(Failure.UNREADABLE, f"the probes' service answered {answer.status_code}")
        return number[:64]

    async def results(self, number: str) -> Sequence[Any]:
        """What the probes found, once all are done; the runner's time limit ends the waiting."""
        while True:
            await asyncio.sleep(BETWEEN_POLLS_S)
            answer = await self._send("GET", f"/v1/measurements/{number}")
            if answer.status_code == 429:
                await asyncio.sleep(_wait_s(answer, BETWEEN_POLLS_S))
                continue
            body = _json(answer)
            if answer.status_code != 200:
                raise NotTested(Failure.UNREADABLE, f"the probes' service answered {answer.status_code}")
            if body.get("status") != "in-progress":
                results = body.get("results")
                return results[: 4 * PROBES] if isinstance(results, list) else []

    async def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            async with self._http.stream(method, path, **more) as answer:
                body = bytearray()
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > MOST_BYTES:
                        raise NotTested(Failure.UNREADABLE, "the probes' service answers too much")
                # The stream is read by hand for its length; the decoded bytes are handed on as they are.
                headers = {name: value for name, value in answer.headers.items() if name != "content-encoding"}
                return httpx.Response(answer.status_code, headers=headers, content=bytes(body))
        except httpx.TimeoutException as error:
            raise NotTested(Failure.TIMEOUT, "the probes' service did not answer") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotTested(Failure.UNREADABLE, f"the probes' service: {type(error).__name__}") from error

    def _leave_alone(self, answer: httpx.Response) -> NotTested:
        wait_s = _wait_s(answer, PAUSE_S)
        why = f"the probes' service asks us to wait {wait_s:.0f} s"
        self._probe.memory[PAUSE] = _Pause(time.monotonic() + wait_s, Failure.RATE_LIMITED, why)
        return NotTested(Failure.RATE_LIMITED, why)


def _mind_the_pause(probe: Probe) -> None:
    pause = probe.memory.get(PAUSE)
    if isinstance(pause, _Pause) and time.monotonic() < pause.until:
        raise NotTested(pause.failure, pause.why)


def _wait_s(answer: httpx.Response, otherwise_s: float) -> float:
    for name in ("Retry-After", "X-RateLimit-Reset"):
        if (value := answer.headers.get(name, "")).isdecimal():
            return min(float(value), LONGEST_PAUSE_S)
    return otherwise_s


def _json(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise NotTested(Failure.UNREADABLE, f"the probes' service answered {answer.status_code} without JSON")
    return body


def _error_type(body: Mapping[str, Any]) -> str | None:
    error = body.get("error")
    kind = error.get("type") if isinstance(error, dict) else None
    return kind if isinstance(kind, str) else None


def _version() -> str:
    try:
        return version("microsip-yordam")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "0"
