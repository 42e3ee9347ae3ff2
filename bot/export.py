"""The tickets as a table for others: CSV or JSON, a page at a time, and without people where that is wanted.

Anonymous: no name and no word of anybody; whom it was about, their extension and network become pseudonyms made with
a key that nobody keeps. The same person has the same pseudonym within one export, and another in the next.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any, TextIO

from sqlite_utils import Database

from bot.diagnose import user_address
from bot.model import CheckResult, Event, EventKind, Reading
from bot.ticket_rows import events_of

PAGE = 500  # tickets held at a time
COLUMNS = (
    "number", "status", "cause", "step", "owner", "certainty", "person_needed", "opened_at", "escalated_at",
    "closed_at", "first_answer_s", "first_staff_s", "solution_s", "stars", "language", "user", "extension", "network",
    "name", "said",
)  # fmt: skip
PERSONAL = ("user", "extension", "network")  # pseudonyms in an anonymous export
ANONYMOUS = tuple(column for column in COLUMNS if column not in ("name", "said"))
_ROW = """
    SELECT t.number, t.status, t.cause, t.step, t.owner, t.certainty, t.person AS person_needed, t.opened_at,
           t.escalated_at, t.closed_at, t.answered_s AS first_answer_s, t.staff_s AS first_staff_s,
           t.solved_s AS solution_s, t.stars, t.language, nullif(t.user_id, 0) AS user, t.extension, p.name
    FROM tickets t LEFT JOIN people p ON p.user_id = t.user_id
    WHERE t.number > ? AND t.opened_at >= ? ORDER BY t.number LIMIT ?
"""
_MEASURED = (EventKind.READ, EventKind.CHECKED)
_SAID = (EventKind.EVIDENCE, EventKind.USER_MESSAGE)
# What begins so is run by spreadsheets. A cell begins also where a spreadsheet set to another separator would cut the
# line: at a semicolon (as here, where the comma is the decimal sign), a tab, a new line. Full width signs count, too.
_FORMULA = re.compile(r"(?:^|(?<=[;\t\r\n]))(?=[ \"]*[=+\-@\t\r＝＋－＠])")
Row = dict[str, Any]


def rows(db: Database, since: datetime | None = None) -> Iterator[Row]:
    """A dict of COLUMNS for each ticket opened since then, oldest first. Durations in seconds."""
    after, begin = 0, since.astimezone(UTC).isoformat(timespec="milliseconds") if since else ""
    while page := list(db.query(_ROW, [after, begin, PAGE])):
        after = page[-1]["number"]
        events = events_of(db, [row["number"] for row in page], (*_MEASURED, *_SAID))
        for row in page:
            happened = events.get(row["number"], ())
            more = {"person_needed": bool(row["person_needed"]), "network": _network(happened), "said": _said(happened)}
            yield {column: (row | more)[column] for column in COLUMNS}


def anonymous(found: Iterable[Row]) -> Iterator[Row]:
    """The same without people."""
    name = _pseudonyms(secrets.token_bytes(32))
    for row in found:
        hidden = {column: name(column, row[column]) for column in PERSONAL}
        yield {column: (row | hidden)[column] for column in ANONYMOUS}


def _pseudonyms(key: bytes) -> Callable[[str, Any], str | None]:
    def pseudonym(kind: str, value: Any) -> str | None:
        if value is None:
            return None
        digest = hmac.new(key, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()
        return f"{kind}-{digest[:12]}"

    return pseudonym


def write_csv(found: Iterable[Row], out: TextIO, columns: Sequence[str] = COLUMNS) -> int:
    """A header and a line a ticket (RFC 4180); how many tickets. Safe to open in a spreadsheet."""
    writer, count = csv.writer(out), 0
    writer.writerow(columns)
    for row in found:
        writer.writerow([_cell(row[column]) for column in columns])
        count += 1
    return count


def write_json(found: Iterable[Row], out: TextIO) -> int:
    """One list, an object a ticket, a line each; how many tickets."""
    count = 0
    out.write("[")
    for row in found:
        out.write(",\n" if count else "\n")
        out.write(json.dumps(row, ensure_ascii=False))
        count += 1
    out.write("\n]\n")
    return count


def _cell(value: Any) -> Any:
    return _FORMULA.sub("'", value) if isinstance(value, str) else value


def _network(events: Iterable[Event]) -> str | None:
    """The network of the user's public address, as the newest evidence tells it: /24, or /48 of IPv6."""
    readings, results = [], []
    for event in events:
        if event.kind is EventKind.READ:
            readings.append(Reading.from_log(event.body["reading"]))
        elif event.kind is EventKind.CHECKED:
            results += [CheckResult.from_json(result) for result in event.body["results"]]
    address = user_address(readings, results)
    if address is None:
        return None
    try:
        return str(ip_network(f"{address}/{48 if ':' in address else 24}", strict=False))
    except ValueError:  # a log line can hold anything
        return None


def _said(events: Iterable[Event]) -> str | None:
    """What the person wrote, redacted as it is kept."""
    texts: list[Mapping[str, Any]] = [event.body for event in events if event.kind in _SAID]
    return "\n".join(text for body in texts if (text := body.get("text"))) or None
