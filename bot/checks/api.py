"""What does the PBX's own HTTP API say about the extension: unknown, disabled, offline, online?

Only three of its answers are true and used: the login, the list of extensions, the status of one extension.
Left out on purpose, for they were measured to lie: /health ('ok' with the database down), /sip-status/server
(`running` while bound to loopback only), /sip-status/extensions (always empty), /sip-status/trunks (always an
error). The API allows 100 requests in 15 minutes an address; the list carries password hashes. So: one login a
day, the list once in two minutes (a confirmation right after a diagnosis is one call), six calls at most each time,
a pause is kept, and no body is ever logged.

POST /auth/login {"username", "password"} -> {"success":true,"data":{"token":…}} | 401 | 500 (database down)
GET /extensions -> {"success":true,"data":[{"id":1,"username":"1002","enabled":true, …}]}
GET /extensions/1/status -> {"success":true,"data":{"online":true,"registration":{"contact_uri", "last_updated"}}}
"""

from __future__ import annotations

import asyncio
import errno
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from bot.checks.check import NotTested, Probe
from bot.model import Failure, Finding, Tag, Target

PREFIX = "/api/v1"
MOST_CALLS = 6
TOKEN_LIVES_S = 23 * 3600.0  # the API gives 24 h
ID_LIVES_S = 120.0  # so long an extension that was there and enabled is not looked for in the list again
IDS_KEPT = 4096
PAUSE_S, LONGEST_PAUSE_S = 900.0, 3600.0  # where a 429 does not say how long, and at most
Key = tuple[str, str, str]


@dataclass(slots=True)
class _Session:
    """What the process remembers about one API account. Times are of the monotonic clock."""

    token: str | None = None
    token_until: float = 0.0
    paused_until: float = 0.0
    login: asyncio.Lock = field(default_factory=asyncio.Lock)  # two who start at once log in once
    ids: dict[str, int] = field(default_factory=dict)  # of enabled extensions, by user name
    ids_until: float = 0.0


_sessions: dict[Key, _Session] = {}


class _RefusedError(Exception):
    """The TCP connection was refused: nobody listens."""


class _DatabaseDownError(Exception):
    """The login was answered with 500."""


async def check(target: Target, probe: Probe) -> tuple[Finding, ...]:
    """API_ANSWERS and EXTENSION_ONLINE | _OFFLINE | _DISABLED | _UNKNOWN, or API_DOWN, or API_DB_DOWN."""
    url, user, password = target.api_url, target.api_user, target.api_password
    if not (url and user and password):
        raise NotTested(Failure.NOT_CONFIGURED, "no API address, user or password")
    session = _sessions.setdefault((url, user, password), _Session())
    async with httpx.AsyncClient(
        base_url=url.rstrip("/").removesuffix(PREFIX) + PREFIX,
        timeout=target.timeout_s,
        trust_env=False,  # the PBX is ours; a proxy for the internet does not know the way
    ) as http:
        try:
            return await _ask(_Calls(http, session, user, password), session, target.extension)
        except _RefusedError:
            return (Finding(Tag.API_DOWN),)
        except _DatabaseDownError:
            return (Finding(Tag.API_DB_DOWN),)


async def _ask(calls: _Calls, session: _Session, extension: str | None) -> tuple[Finding, ...]:
    answers = Finding(Tag.API_ANSWERS)
    known = session.ids.get(extension or "") if time.monotonic() < session.ids_until else None
    if known is not None and extension is not None:
        try:
            return (answers, _status(await calls.get(f"/extensions/{known}/status"), extension))
        except NotTested as end:
            if end.failure is not Failure.UNREADABLE:
                raise
            session.ids_until = 0.0  # it may have got another id, or none: the list tells
    listed = await calls.get("/extensions")
    if not isinstance(listed, list):
        raise NotTested(Failure.UNREADABLE, "the list of extensions is not a list")
    session.ids, session.ids_until = _enabled(listed), time.monotonic() + ID_LIVES_S
    if extension is None:
        return (answers,)
    named = {"extension": extension}
    ours = [one for one in listed if isinstance(one, dict) and str(one.get("username")) == extension]
    if not ours:
        return (answers, Finding(Tag.EXTENSION_UNKNOWN, named))
    if ours[0].get("enabled") is False:
        return (answers, Finding(Tag.EXTENSION_DISABLED, named))
    number = ours[0].get("id")
    if not isinstance(number, int):
        raise NotTested(Failure.UNREADABLE, "an extension without id")
    return (answers, _status(await calls.get(f"/extensions/{number}/status"), extension))


def _enabled(listed: list[object]) -> dict[str, int]:
    """The ids of the extensions that may register; nothing else of the list is kept."""
    return {
        str(one.get("username")): one["id"]
        for one in listed[:IDS_KEPT]
        if isinstance(one, dict) and one.get("enabled") is not False and isinstance(one.get("id"), int)
    }


def _status(status: object, extension: str) -> Finding:
    if not isinstance(status, dict) or not isinstance(status.get("online"), bool):
        raise NotTested(Failure.UNREADABLE, "the status does not say online or not")
    if not status["online"]:
        return Finding(Tag.EXTENSION_OFFLINE, {"extension": extension})
    registration = status.get("registration")
    registration = registration if isinstance(registration, dict) else {}
    return Finding(
        Tag.EXTENSION_ONLINE,
        {
            "extension": extension,
            "contact_uri": _text(registration.get("contact_uri")),
            "last_updated": _text(registration.get("last_updated")),
        },
    )


def _text(value: object) -> str | None:
    return value[:255] if isinstance(value, str) else None


class _Calls:
    """The calls of one diagnosis: counted, with the kept token, never before the pause is over."""

    def __init__(self, http: httpx.AsyncClient, session: _Session, user: str, password: str) -> None:
        self._http, self._session, self._user, self._password = http, session, user, password
        self._left = MOST_CALLS

    async def get(self, path: str) -> Any:
        """The `data` of an answer; logs in first where there is no token, and once more when it has expired."""
        for attempt in (1, 2):
            token = await self._logged_in()
            answer = await self._send("GET", path, headers={"Authorization": f"Bearer {token}"})
            if answer.status_code == 401 and attempt == 1:
                self._session.token = None
                continue
            break
        if answer.status_code >= 500:
            # The list comes from the database: a new login tells whether that is what is broken.
            self._session.token = None
            await self._logged_in()
        return _content(answer)

    async def _logged_in(self) -> str:
        async with self._session.login:
            if self._session.token is None or time.monotonic() >= self._session.token_until:
                self._session.token = await self._log_in()
                self._session.token_until = time.monotonic() + TOKEN_LIVES_S
            return self._session.token

    async def _log_in(self) -> str:
        answer = await self._send("POST", "/auth/login", json={"username": self._user, "password": self._password})
        if answer.status_code == 500:
            raise _DatabaseDownError
        if answer.status_code in (401, 403):
            raise NotTested(Failure.NO_PERMISSION, "the API refuses our user or password")
        content = _content(answer)
        token = content.get("token") if isinstance(content, dict) else None
        if not isinstance(token, str) or not (token.isascii() and token.isprintable()):
            raise NotTested(Failure.UNREADABLE, "the login gave no token")
        return token

    async def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        pause_s = self._session.paused_until - time.monotonic()
        if pause_s > 0:
            raise NotTested(Failure.RATE_LIMITED, f"the API asked us to wait {pause_s:.0f} s more")
        if not self._left:
            raise NotTested(Failure.UNREADABLE, f"no answer after {MOST_CALLS} calls")
        self._left -= 1
        try:
            answer = await self._http.request(method, path, **more)
        except httpx.TimeoutException as error:
            raise NotTested(Failure.TIMEOUT, "the API did not answer") from error
        except httpx.ConnectError as error:
            if _was_refused(error):
                raise _RefusedError from error
            raise NotTested(Failure.UNREADABLE, "no way to the API") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotTested(Failure.UNREADABLE, f"the API: {type(error).__name__}") from error
        if answer.status_code == 429:
            wait_s = _wait_s(answer)
            self._session.paused_until = time.monotonic() + wait_s
            raise NotTested(Failure.RATE_LIMITED, f"the API asks us to wait {wait_s:.0f} s")
        return answer


def _content(answer: httpx.Response) -> Any:
    """The `data` of a successful answer; the body itself goes nowhere, it may hold hashes."""
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        body = None
    if answer.status_code != 200 or not isinstance(body, dict) or body.get("success") is not True:
        raise NotTested(Failure.UNREADABLE, f"the API answered {answer.status_code}")
    return body.get("data")


def _wait_s(answer: httpx.Response) -> float:
    for name in ("Retry-After", "RateLimit-Reset"):
        if (value := answer.headers.get(name, "")).isdecimal():
            return min(float(value), LONGEST_PAUSE_S)
    return PAUSE_S


def _was_refused(error: BaseException | None) -> bool:
    """Whether ECONNREFUSED stands behind the error, and not a name that does not resolve or a missing route."""
    seen: list[BaseException] = []
    while error is not None and error not in seen and len(seen) < 16:
        if isinstance(error, OSError) and error.errno == errno.ECONNREFUSED:
            return True
        if isinstance(error, BaseExceptionGroup):
            return all(_was_refused(one) for one in error.exceptions)
        seen.append(error)
        error = error.__cause__ or error.__context__
    return False
