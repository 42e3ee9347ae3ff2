"""How MicroSIP's own log says its last registration ended, and what happened to its packets on the way.

09:15:02.303            pjsua_acc.c  ...<sip:201@call.soundz.uz>: registration success, status=200 (OK), will re-regi…
09:15:34.190            pjsua_acc.c  ....SIP registration failed, status=408 (Request Timeout)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.model import Context, Kind, Reading
from bot.parsers.cut_lines import mended
from bot.parsers.microsip_log_findings import findings
from bot.parsers.microsip_log_lines import is_log_line, is_sip_text, read
from bot.parsers.microsip_log_trail import Trail
from bot.parsers.page import Claim, Page

_GAP = 6  # so many lines of something else part two logs
_FEW = 4  # lines that may be of any program
_REST = 4  # pieces a broken log line has at most
_MARKS = ("egistration", "REGISTER", "pjsua", "sip_", "STUN", "nameserver", "resolve")
_STATUS = {
    200: "registered",
    401: "auth_failed",
    403: "auth_failed",
    407: "auth_failed",
    404: "not_found",
} | {
    408: "timeout",
    500: "server_error",
    502: "dns_error",
    503: "unreachable",
}
_FROM = re.compile(r"(?:From|To)\s?:\s?[^<\n]{0,60}<sips?:([^@>;\s]{1,64})@")
_ACCOUNT = re.compile(
    r"(?:id=\s?|Account\s|Contact\sfor\sacc\s?\d{1,3}\supdated:\s?)<sips?:([^@>;\s]{1,64})@", re.MULTILINE
)
_ANYONE = re.compile(r"\bsips?:([^@<>;:\s]{1,64})@")
_LOCAL = re.compile(
    r"(?:(?:socket\s*reachable\s*at|published\s*address\s*is)\s*|Via:\s*SIP/2\.0/\w{3}\s*)(\d{1,3}(?:\.\d{1,3}){3})"
)
_RECEIVED = re.compile(r"received=(\d{1,3}(?:\.\d{1,3}){3})")
_REACH = 900  # characters from a message's first mention to its From header


def parse(page: Page, context: Context) -> list[Claim]:
    """One claim a log. Status and facts: docs/flow.md."""
    if not any(mark in page.text for mark in _MARKS):
        return []
    claims = []
    for first, last in _stretches(page):
        last = _end_of_last(page.lines, first, last)
        lines = mended(page.lines[first : last + 1], _begins)
        reading = _reading("\n".join(lines), context)
        if reading is not None:
            claims.append(Claim(first, last, reading))
    return claims


def _end_of_last(lines: tuple[str, ...], first: int, last: int) -> int:
    """The line where the last log line ends, should a narrow window have broken it."""
    tail = lines[max(first, last - _REST) : last + 1]
    known = len(read("\n".join(tail)))
    for end in range(last + 1, min(last + 1 + _REST, len(lines))):
        if not lines[end].strip():
            break
        tail = (*tail, lines[end])
        if len(read("\n".join(tail))) > known:
            return end
    return last


def _begins(line: str) -> bool:
    return is_log_line(line) or is_sip_text(line)


def _stretches(page: Page) -> Iterator[tuple[int, int]]:
    typed = {command.line for command in page.commands}
    first, last, gap = -1, -1, 0
    for number, line in enumerate(page.lines):
        if is_log_line(line):
            if first >= 0 and (gap >= _GAP or typed & set(range(last + 1, number))):
                yield first, last
                first = number
            first = number if first < 0 else first
            last, gap = number, 0
        elif is_sip_text(line):
            last, gap = (number, 0) if first >= 0 else (last, gap)
        elif line.strip():
            gap += 1
    if first >= 0:
        yield first, last


def _reading(text: str, context: Context) -> Reading | None:
    trail = Trail()
    for event in read(text):
        trail.feed(event)
    trail.finish()
    found = findings(trail, text, _local_ip(text), context)
    if trail.code is None and not trail.unanswered and not found and text.count("\n") < _FEW:
        return None  # a line or two of such a log that tell nothing
    facts: dict[str, Any] = {
        "code": None if trail.unanswered else trail.code,
        "extension": _extension(text, trail),
    }
    received = _RECEIVED.findall(text)
    facts |= {
        "local_ip": _local_ip(text),
        "public_ip": received[-1] if received else None,
        "host": trail.host,
        "transport": trail.transport and trail.transport.casefold(),
    }
    return Reading(Kind.MICROSIP_LOG, "microsip", _status(trail), facts, found)


def _status(trail: Trail) -> str:
    if trail.unanswered:
        return "timeout"
    code = trail.code
    if code is None:
        return "no_outcome"
    if code == 502 and trail.answered_with == 502:
        return "server_error"  # the server itself said so, names were resolved
    return _STATUS.get(code) or ("server_error" if code >= 500 else "other_code")


def _extension(text: str, trail: Trail) -> str | None:
    """Of the last outcome; else of the last REGISTER printed up to it; else of the account."""
    if trail.extension:
        return trail.extension
    named = [m[1] for m in _FROM.finditer(text) if "REGISTER" in text[max(0, m.start() - _REACH) : m.start()]]
    named = named or _ACCOUNT.findall(text) or _ANYONE.findall(text)
    return named[-1] if named else None


def _local_ip(text: str) -> str | None:
    match = _LOCAL.search(text)
    return match[1] if match else None
