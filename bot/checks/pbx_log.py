"""Which trouble did the PBX write down in the last minutes: its own, and with this extension?

Only the end of the newest log file is read. A line's age is measured from the file's last one, which was written
when the file was last changed; so the time zone of the log does not matter.
"""

from __future__ import annotations

import asyncio
import glob
import os
import re
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.checks.check import NotTested, Probe
from bot.checks.here import require_here
from bot.checks.log_stamp import stamp_of
from bot.model import Context, Failure, Finding, Tag, Target
from bot.networks import public
from bot.parsers.page import Page
from bot.parsers.pbx_log import parse
from bot.parsers.pbx_log_lines import LogEvent, Said, read_line
from bot.parsers.pbx_log_quotation import Quotation
from bot.providers import Providers, providers

TAIL_BYTES = 256 * 1024
PAGE_CHARS = 64 * 1024
RECENT_S = 15 * 60.0
JUST_NOW_S = 30.0  # a registration longer ago is not the one the user is trying now; a filter may be mended since
REQUEST = "[SIP] Request:"
RESTART_S = 5.0  # a restart writes 'stopped' and, a second later, 'started'
DATABASE = re.compile(  # the text comes without blanks
    r":5432\b|database|idleclient|terminatingconnection|connectionterminated|SASL|toomanyclients|tryingtoconnect",
    re.I,
)
# What the PBX cannot write while its database is away, or its port is another's.
DATABASE_LIVES = frozenset({Said.CHALLENGE, Said.REGISTERED, Said.NOT_FOUND})
PORT_LIVES = DATABASE_LIVES | {Said.RECEIVED, Said.PROCESSING, Said.OPTIONS_ANSWERED}
PASSING = frozenset({Tag.LOG_REGISTERED, Tag.LOG_SEND_EPERM})  # true of its moment only
REQUESTS = frozenset({Tag.LOG_REQUEST_BY_NAME, Tag.LOG_REQUEST_BY_IP})  # how the user's own requests named the PBX
OWN_OUTCOMES = frozenset(
    {
        Tag.LOG_REGISTERED,
        Tag.LOG_WRONG_PASSWORD,
        Tag.LOG_PASSWORD_LOST,
        Tag.LOG_USERNAME_MISMATCH,
        Tag.LOG_AUTH_FAILED,
        Tag.LOG_NOT_FOUND,
        Tag.LOG_SERVER_ERROR,
        Tag.LOG_CHALLENGE_REPEATED,
        Tag.LOG_SEND_EPERM,
    }
)


@dataclass(frozen=True, slots=True)
class Line:
    """A log line and how long ago it was written."""

    age_s: float
    text: str


async def check(target: Target, probe: Probe) -> tuple[Finding, ...]:
    """LOG_PORT_TAKEN, LOG_DB_DOWN, LOG_PBX_STOPPED while they last, and the extension's own last outcome.

    NETWORK_UNUSUAL or PROVIDER_UNUSUAL beside it. () when all is quiet.
    """
    if not target.log_files:
        raise NotTested(Failure.NOT_CONFIGURED, "no log files")
    await require_here(target, probe)
    return await asyncio.to_thread(_look, target, probe)


def _look(target: Target, probe: Probe) -> tuple[Finding, ...]:
    path, changed_at = _newest(target.log_files)
    lines = _lines(_tail(path), time.time() - changed_at, probe.own_ports)
    recent = [line for line in lines if line.age_s <= RECENT_S]
    probe.note(f"{os.path.basename(path)}, {len(recent)} recent lines")
    found = list(_servers(recent, probe))
    if target.extension is not None:
        own = _users(recent, target)
        found += [finding for finding in own if finding not in found]
        unusual = _unusual(own, lines, target.extension, providers(target.providers_file))
        found += [unusual] if unusual else []
    return tuple(found)


def _unusual(own: Sequence[Finding], lines: Sequence[Line], extension: str, known: Providers) -> Finding | None:
    """That the user comes from a place from which his number never registered in this log; None: he does not."""
    here = next((public(ip) for one in own if isinstance(ip := one.args.get("source_ip"), str)), None)
    before = {
        address
        for _, event in _believed(lines)
        if event.said is Said.REGISTERED and event.extension == extension and (address := public(event.source_ip))
    }
    return None if here is None else known.unusual(here, before)


def _newest(patterns: Sequence[str]) -> tuple[str, float]:
    """The file written to last, and when (Unix time)."""
    found = []
    for pattern in patterns:
        for path in glob.glob(os.path.expanduser(pattern)):
            if os.path.isfile(path):
                found.append((os.stat(path).st_mtime, path))
    if not found:
        raise NotTested(Failure.UNREADABLE, "no log file is there, or its directory is closed to us")
    changed_at, path = max(found)
    return path, changed_at


def _tail(path: str) -> str:
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            tail = file.read(TAIL_BYTES)
    except PermissionError as error:
        raise NotTested(Failure.NO_PERMISSION, f"{os.path.basename(path)} may not be read") from error
    except OSError as error:
        raise NotTested(Failure.UNREADABLE, f"{os.path.basename(path)}: {error.strerror}") from error
    if size > TAIL_BYTES:
        tail = tail.partition(b"\n")[2]
    return tail.decode("utf-8", "replace")


def _lines(text: str, file_age_s: float, own_ports: Collection[int]) -> list[Line]:
    """The dated lines without our own probes'; a line without a time stamp is as old as the one before it."""
    dated: list[tuple[datetime, str]] = []
    for line in text.split("\n"):
        stamp = stamp_of(line) or (dated[-1][0] if dated else None)
        if stamp is not None and line.strip():
            dated.append((stamp, line))
    if not dated:
        return []
    last = dated[-1][0]
    return [
        Line(file_age_s + (last - stamp).total_seconds(), line) for stamp, line in _without_probes(dated, own_ports)
    ]


def _without_probes(
    dated: Sequence[tuple[datetime, str]], own_ports: Collection[int]
) -> Iterator[tuple[datetime, str]]:
    """The lines that are not about our own probes. A request line names no port: it is its packet's, written before."""
    own, ours = re.compile(rf":(?:{'|'.join(map(str, own_ports)) or 'x'})\b"), False
    for stamp, line in dated:
        ours = own.search(line) is not None or (ours and REQUEST in line)
        if not ours:
            yield stamp, line


def _servers(lines: Sequence[Line], probe: Probe) -> Iterator[Finding]:
    port_taken = database_down = False
    stopped_s: float | None = None  # ago
    lost: set[str] = set()
    for line, event in _believed(lines):
        if event.said is not Said.ELSE:
            stopped_s = line.age_s if event.said is Said.STOPPED else None
        port_taken = _is_taken(event) or (port_taken and event.said not in PORT_LIVES)
        database_down = _is_database(event) or (database_down and event.said not in DATABASE_LIVES)
        if event.said is Said.PASSWORD_LOST and event.extension:
            lost.add(event.extension)
    if port_taken:
        yield Finding(Tag.LOG_PORT_TAKEN)
    if database_down:
        yield Finding(Tag.LOG_DB_DOWN)
    if stopped_s is not None and stopped_s > RESTART_S:
        yield Finding(Tag.LOG_PBX_STOPPED)
    if lost:
        probe.note(f"password lost for {len(lost)} extensions")


def _believed(lines: Sequence[Line]) -> Iterator[tuple[Line, LogEvent]]:
    """The events without those that a client's packet wrote; nobody forges winston's own messages."""
    quotation = Quotation()
    for line in lines:
        for event in read_line(line.text):
            if line.text.startswith("{") or quotation.believes(event):
                yield line, event


def _is_taken(event: LogEvent) -> bool:
    return event.said is Said.SERVER_ERROR and "EADDRINUSE" in (event.text or "")


def _is_database(event: LogEvent) -> bool:
    of_it = event.said in (Said.SERVER_ERROR, Said.REGISTER_ERROR)
    return of_it and DATABASE.search(event.text or "") is not None


def _users(lines: Sequence[Line], target: Target) -> list[Finding]:
    found = _outcomes(lines, target)
    if any(finding.tag in PASSING for finding in found):
        now = _outcomes([line for line in lines if line.age_s <= JUST_NOW_S], target)
        return [finding for finding in now if finding in found]
    return found


def _outcomes(lines: Sequence[Line], target: Target) -> list[Finding]:
    page = Page.of("\n".join(line.text for line in lines)[-PAGE_CHARS:])
    context = Context(target.host, target.sip_port, target.expected_ips, target.extension)
    claims = parse(page, context)
    findings = claims[-1].reading.findings if claims else ()
    mine = (None, target.extension)
    own = [one for one in findings if one.tag in OWN_OUTCOMES and one.args.get("extension") in mine]
    return own + [one for one in findings if own and one.tag in REQUESTS]
