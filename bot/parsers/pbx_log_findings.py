"""What the trail of a PBX log proves about the user, as findings."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.model import Context, Finding, Tag, Value
from bot.parsers.pbx_log_trail import AUTH_FAILED, NOT_FOUND, REGISTERED, Outcome, Source, Trail

_REPEATED = 3  # challenges to one socket that are no coincidence any more
_ABOUT_EVERYBODY = frozenset({Tag.LOG_PORT_TAKEN, Tag.LOG_DB_DOWN, Tag.LOG_SILENT, Tag.LOG_PBX_STOPPED})
_IP = re.compile(r"[\d.]+(?::\d+)?")
_DB = re.compile(r":5432\b|[Dd]atabase|idleclient|terminatingconnection|SASL|too many clients")


def findings(trail: Trail, outcome: Outcome | None, status: str, context: Context) -> tuple[Finding, ...]:
    """Findings about the user of `context`; about the only client when nobody is known; else about the server."""
    number = context.extension or (outcome.extension if outcome else None)
    if outcome is None and number is None and trail.challenges:
        number = trail.challenges[-1][0]
    mine = _sources(trail, outcome, number)
    found = [
        *_outcome(trail, outcome, number),
        *_challenges(trail, outcome, number),
        *_nothing_more(trail, status, context),
        *_transport(mine),
        *_stopped(trail),
        *_asked_for(mine, context),
    ]
    if context.extension is None and len(_numbers(trail)) > 1:
        return tuple(finding for finding in found if finding.tag in _ABOUT_EVERYBODY)  # whose is whose is not known
    return tuple(found)


def _numbers(trail: Trail) -> set[str]:
    """The extensions that somebody asked for."""
    return {o.extension for o in trail.outcomes if o.extension} | {number for number, _ in trail.challenges}


def _sources(trail: Trail, outcome: Outcome | None, number: str | None) -> list[Source]:
    """The sockets that are the user's; all clients' when none can be told apart."""
    clients = [source for source in trail.sources.values() if not source.foreign and source.asked]
    mine = [s for s in clients if (number and s.extension == number) or (outcome and s is outcome.source)]
    if mine or number is not None:
        ips = {source.ip for source in mine}
        return [s for s in clients if s in mine or (s.ip in ips and s.extension is None)]
    return clients


def _where(source: Source | None) -> dict[str, Value]:
    return {"source_ip": source.ip if source else None}


def _outcome(trail: Trail, outcome: Outcome | None, number: str | None) -> list[Finding]:
    if outcome is None:
        return []
    args: dict[str, Value] = {"extension": outcome.extension, **_where(outcome.source)}
    if outcome.status == REGISTERED:
        if outcome.before_start or _challenged_since(trail, outcome) >= _REPEATED:
            return []  # the PBX forgot it in its restart, or now the phone asks again and again
        found = [Finding(Tag.LOG_REGISTERED, args | {"source_port": outcome.source.port if outcome.source else None})]
        if outcome.challenges > 1:
            found.append(Finding(Tag.LOG_REGISTER_DUPLICATED, {"count": outcome.challenges}))
        return found
    if outcome.status == AUTH_FAILED:
        return [_auth_failed(outcome, args)]
    if outcome.status == NOT_FOUND:
        return [Finding(Tag.LOG_NOT_FOUND, args)]
    return [_server_error(outcome, args)]


def _auth_failed(outcome: Outcome, args: Mapping[str, Value]) -> Finding:
    if outcome.reason == "wrong_password":
        return Finding(Tag.LOG_WRONG_PASSWORD, args)
    if outcome.reason == "password_not_cached":
        return Finding(Tag.LOG_PASSWORD_LOST, args)
    if outcome.reason == "username_mismatch":
        return Finding(Tag.LOG_USERNAME_MISMATCH, {"login": outcome.login, **args})
    return Finding(Tag.LOG_AUTH_FAILED, args)


def _server_error(outcome: Outcome, args: Mapping[str, Value]) -> Finding:
    text = outcome.text or ""
    if "EADDRINUSE" in text:
        return Finding(Tag.LOG_PORT_TAKEN)
    if _DB.search(text):
        return Finding(Tag.LOG_DB_DOWN)
    return Finding(Tag.LOG_SERVER_ERROR, {"reason": outcome.text, **args})


def _challenged_since(trail: Trail, outcome: Outcome) -> int:
    """Challenges for the same number that are still without an outcome."""
    return max((s.challenges for n, s in trail.challenges if n == outcome.extension), default=0)


def _challenges(trail: Trail, outcome: Outcome | None, number: str | None) -> list[Finding]:
    asked = [source for n, source in trail.challenges if n == number]
    if not asked:
        return []
    source = asked[-1]
    args = {"extension": number, **_where(source)}
    if source.challenges >= _REPEATED:
        return [Finding(Tag.LOG_CHALLENGE_REPEATED, {"count": source.challenges, **args})]
    if outcome is None and source.challenges == 1 and source.packets == 0:
        return [Finding(Tag.LOG_CHALLENGE_ONCE, args)]
    return []


def _nothing_more(trail: Trail, status: str, context: Context) -> list[Finding]:
    """No answer to the user is in the log: did anything of him come in?"""
    if status == "no_sip":
        # A PBX that has ended hears nobody: its silence says nothing about the way to it.
        return [] if trail.stopped else [Finding(Tag.LOG_SILENT)]
    if status != "received_only":
        return []
    if trail.other_port:
        return [Finding(Tag.LOG_OTHER_PORT)]
    other = _other_number(trail, context)
    if other:
        return [other]
    strangers = {id(o.source) for o in trail.outcomes} | {id(source) for _, source in trail.challenges}
    unknown = [s for s in trail.sources.values() if s.asked and not s.foreign and id(s) not in strangers]
    if unknown:
        return [Finding(Tag.LOG_PACKET_SEEN, _where(unknown[-1]))]
    # Others were served meanwhile and of this user nothing came: silence, as far as he is concerned.
    return [Finding(Tag.LOG_SILENT)] if context.extension and trail.packets else []


def _other_number(trail: Trail, context: Context) -> Finding | None:
    """A number that is not known here, asked for by our name: scanners ask by address."""
    for outcome in reversed(trail.outcomes):
        source = outcome.source
        if outcome.status == NOT_FOUND and outcome.extension and source and source.host == context.host:
            args = {"extension": outcome.extension, "known": context.extension, **_where(source)}
            return Finding(Tag.LOG_NOT_FOUND_OTHER, args)
    return None


def _stopped(trail: Trail) -> list[Finding]:
    """The log's last word is that the PBX ended."""
    return [Finding(Tag.LOG_PBX_STOPPED)] if trail.stopped else []


def _transport(mine: list[Source]) -> list[Finding]:
    found = []
    refused = next((source for source in mine if source.blocked), None)
    if refused:
        found.append(Finding(Tag.LOG_SEND_EPERM, {"count": refused.blocked, **_where(refused)}))
    unnamed = next((source for source in mine if source.unnamed), None)
    if unnamed:
        found.append(Finding(Tag.LOG_HEADERS_REWRITTEN, _where(unnamed)))
    return found


def _asked_for(mine: list[Source], context: Context) -> list[Finding]:
    """The name in the user's own REGISTER: the one he typed, unless a box on the way changed it."""
    host = next((source.host for source in reversed(mine) if source.host), None)
    if host is None:
        return []
    if _IP.fullmatch(host):
        return [Finding(Tag.LOG_REQUEST_BY_IP, {"host": host})]
    if host.casefold().partition(":")[0] == context.host.casefold():
        return [Finding(Tag.LOG_REQUEST_BY_NAME, {"host": host})]
    return []
