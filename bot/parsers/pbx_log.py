"""What a pasted log of the PBX tells about the user: registered, refused (and why), challenged, or silence.

0|pbx-syst | 2026-11-23 00:51:18 +05:00: 2026-11-23 00:51:18 warn: Authentication failed for 1002
0|pbx-syst | 2026-11-23 00:51:18 +05:00: 2026-11-23 00:51:18 info: [SIP] Sending response 403 Forbidden to 192.0…
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.model import Context, Finding, Kind, Reading
from bot.parsers.cut_lines import cut_widths
from bot.parsers.page import MAX_LINE, Claim, Page
from bot.parsers.pbx_log_findings import findings
from bot.parsers.pbx_log_lines import LogEvent, Said, begins_record, may_be_log, read_line
from bot.parsers.pbx_log_trail import Outcome, Source, Trail

_GAP = 4  # so many lines of something else part two logs
_MAX_JOINED = 12  # physical lines of one wrapped log line
_MAX_CHARS = 4096  # of it
# Lines inside a log that carry no event: the SIP text of the PBX's own REGISTER, printed without time stamps.
_SIP_TEXT = re.compile(
    r"\s*(?:(?:Via|From|To|Call-ID|CSeq|Contact|Max-Forwards|User-Agent|Expires|Content-Length|Allow"
    r"|Authorization|WWW-Authenticate|Server):|REGISTER sip:|SIP/2\.0 \d)"
)
_JSON = re.compile(r"\"message\" ?:")


@dataclass(frozen=True, slots=True)
class Stretch:
    """The events of one log and the lines it stands on."""

    first: int
    last: int
    events: tuple[LogEvent, ...]
    tool: str


def parse(page: Page, context: Context) -> list[Claim]:
    """One claim a log, in text order. Status and facts: docs/flow.md."""
    if not may_be_log(page.text):
        return []
    return [Claim(part.first, part.last, _reading(part, context)) for part in _stretches(page)]


def _stretches(page: Page) -> Iterator[Stretch]:
    typed = {command.line for command in page.commands}
    events: list[LogEvent] = []
    first = last = gap = json_lines = 0
    for start, end, found in _logical(page.lines):
        if found:
            if events and (gap >= _GAP or typed & set(range(last + 1, start + 1))):
                yield Stretch(first, last, tuple(events), _tool(json_lines))
                events, json_lines = [], 0
            first = first if events else start
            events.extend(found)
            last, gap = end, 0
            json_lines += _JSON.search(page.lines[start]) is not None
        elif page.lines[start].strip() and not _SIP_TEXT.match(page.lines[start]):
            gap += 1
    if events:
        yield Stretch(first, last, tuple(events), _tool(json_lines))


def _tool(json_lines: int) -> str:
    return "winston-json" if json_lines else "pm2"


def _logical(lines: tuple[str, ...]) -> Iterator[tuple[int, int, tuple[LogEvent, ...]]]:
    """First and last physical line and the events of each log line; one cut at an odd width is mended."""
    widths = cut_widths(lines, begins_record)
    at = 0
    while at < len(lines):
        end, text = at, lines[at]
        found = read_line(text)
        if begins_record(text):
            while end - at < _MAX_JOINED and len(text) < _MAX_CHARS and _goes_on(lines, end, text, found, widths):
                end += 1
                text += lines[end]
                found = read_line(text)
            if end > at and not _strong(found):  # what follows may be something else
                end = end if len(lines[at]) in widths else at
                found = read_line(lines[at])
        yield at, end, found
        at = end + 1


def _goes_on(lines: tuple[str, ...], end: int, text: str, found: tuple[LogEvent, ...], widths: frozenset[int]) -> bool:
    """Is the next physical line the rest of this one?"""
    if end + 1 >= len(lines) or not lines[end + 1].strip() or begins_record(lines[end + 1]):
        return False
    if text.lstrip().startswith("{") and not text.endswith("}"):
        return True
    # A whole message needs no rest, unless the line is as long as all that were cut, or was folded for length.
    return not _strong(found) or len(lines[end]) in widths or len(lines[end]) > MAX_LINE // 2


def _strong(found: tuple[LogEvent, ...]) -> bool:
    return any(event.said is not Said.ELSE for event in found)


def _reading(part: Stretch, context: Context) -> Reading:
    said = {event.said for event in part.events}
    whole = Said.RECEIVED in said and bool(said & {Said.PROCESSING, Said.IGNORED, Said.OTHER_REQUEST})
    trail = Trail(whole=whole, own=context.expected_ips)
    for event in part.events:
        trail.feed(event)
    outcome = last_outcome(trail, context.extension)
    status, facts = _facts(trail, outcome, context.extension)
    found: tuple[Finding, ...] = findings(trail, outcome, status, context)
    return Reading(Kind.PBX_LOG, part.tool, status, facts, found)


def last_outcome(trail: Trail, extension: str | None) -> Outcome | None:
    """The last final outcome of the extension; of any, when it is not known; None: there is none."""
    outcomes = [o for o in trail.outcomes if o.source is None or not o.source.foreign]
    if extension is None:
        return outcomes[-1] if outcomes else None
    mine = [o for o in outcomes if o.extension == extension or (o.extension is None and o.status == "server_error")]
    if not mine and all(number != extension for number, _ in trail.challenges):
        mine = [o for o in outcomes if o.extension is None]  # a thinned log names no number
    return mine[-1] if mine else None


def _facts(trail: Trail, outcome: Outcome | None, extension: str | None) -> tuple[str, dict[str, Any]]:
    if outcome is not None:
        facts = _where(outcome.extension, outcome.source)
        if outcome.status == "auth_failed":
            facts["reason"] = outcome.reason
        return outcome.status, facts
    challenges = [c for c in trail.challenges if extension in (None, c[0])]
    if challenges:
        return "challenged_only", _where(*challenges[-1])
    sources = {source.ip for source in trail.sources.values() if not source.foreign}
    if sources or trail.other_port:
        alone = sources.pop() if len(sources) == 1 else None
        return "received_only", {"extension": None, "source_ip": alone}
    return "no_sip", {"extension": None, "source_ip": None}


def _where(extension: str | None, source: Source | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"extension": extension, "source_ip": source.ip if source else None}
    if source:
        facts["source_port"] = source.port
    return facts
