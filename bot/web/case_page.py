"""What does the page of one ticket show? The log, told as a timeline; the verdict with the row that fired; its like.

Pure functions of what was read from the log; words are filled in where a sentence depends on a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from markupsafe import Markup

from bot.model import CheckResult, Event, EventKind, Finding, Owner, Reading, Tag, Ticket, Verdict
from bot.rules import decide
from bot.stations import DOUBTFUL
from bot.table import RULES, Rule
from bot.wording import Words, because, happened, kind_of_finding, reason

PICTURES = (".jpg", ".png")
# What the timeline looks like at a glance: whose deed it was.
WHOSE = {
    EventKind.EVIDENCE: "user",
    EventKind.ANSWERED: "user",
    EventKind.SKIPPED: "user",
    EventKind.TRIED: "user",
    EventKind.RECHECK: "user",
    EventKind.USER_MESSAGE: "user",
    EventKind.RATED: "user",
    EventKind.STAFF_MESSAGE: "staff",
    EventKind.NOTE: "note",
    EventKind.TAKEN: "staff",
    EventKind.TAGGED: "staff",
    EventKind.PRIORITY: "staff",
}
SAYS_ITS_TEXT = (EventKind.USER_MESSAGE, EventKind.STAFF_MESSAGE, EventKind.NOTE)


@dataclass(frozen=True, slots=True)
class Detail:
    """A line under an event: a mark (✅ ❌ ⚠️ ➖ •) and its words."""

    mark: str
    text: Markup


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the timeline."""

    at: datetime
    whose: str  # bot, user, staff or note
    title: str
    by: str | None = None
    said: str | None = None  # somebody's own words, shown as a message
    pasted: str | None = None  # evidence, shown as it came
    attachment: str | None = None
    is_picture: bool = False
    leads_to: str | None = None  # the page of what it names
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """One need of a rule: the finding that met it, and how many others could have."""

    met_by: Markup
    others: tuple[Markup, ...]


@dataclass(frozen=True, slots=True)
class Fired:
    """The row of the table (bot/table.py) that led to the verdict."""

    place: int  # counted from 1, as in docs/table.md
    why: str
    needs: tuple[Need, ...] = field(default=())


def timeline(words: Words, events: Iterable[Event], port: int) -> tuple[Entry, ...]:
    """The log as the staff read it, oldest first. `port`: SIP's."""
    return tuple(_entry(words, event, port) for event in events)


def _entry(words: Words, event: Event, port: int) -> Entry:
    body = event.body
    text = str(body.get("text") or "") or None
    name = body.get("attachment")
    talks = event.kind in SAYS_ITS_TEXT
    bare = Event(event.at, event.kind, {**body, "text": ""}) if talks else event
    return Entry(
        at=event.at,
        whose="staff" if body.get("by") and event.kind not in WHOSE else WHOSE.get(event.kind, "bot"),
        title=happened(words, bare).rstrip(" :"),
        by=None if event.kind is EventKind.TAKEN and not body.get("to") else body.get("by"),  # the title names them
        said=text if talks or event.kind is EventKind.CLOSED else None,
        pasted=text if event.kind is EventKind.EVIDENCE else None,
        attachment=name,
        is_picture=bool(name) and str(name).endswith(PICTURES),
        leads_to=_leads_to(event) if event.kind is EventKind.LINKED else None,
        details=tuple(_details(words, event, port)),
    )


def _leads_to(event: Event) -> str:
    incident = event.body.get("incident")
    return f"/incidents/{incident}" if incident else f"/tickets/{event.body['ticket']}"


def _details(words: Words, event: Event, port: int) -> Iterator[Detail]:
    body = event.body
    if event.kind is EventKind.CHECKED:
        for result in map(CheckResult.from_json, body["results"]):
            yield _measured(words, result, port)
    elif event.kind is EventKind.READ:
        for finding in Reading.from_log(body["reading"]).findings:
            yield Detail("•", because(words, finding))
    elif event.kind is EventKind.ANSWERED and body.get("finding"):
        yield Detail("•", because(words, Finding.from_json(body["finding"])))
    elif event.kind is EventKind.VERDICT:
        for finding in Verdict.from_json(body["verdict"]).because:
            yield Detail("•", because(words, finding))


def _measured(words: Words, result: CheckResult, port: int) -> Detail:
    """A check's line. What could not be measured is not tested, never fine."""
    key = f"check.{result.name}"
    name = words.html(key, port=port) if key in words else Markup("{}").format(result.name)
    if result.failure is not None:
        return Detail("➖", Markup("{} – {}").format(name, words.plain(f"web.failure.{result.failure}")))
    verdict = decide(result.findings)
    mark = "❌" if verdict is not None and verdict.owner is Owner.SERVER else "✅"
    if mark == "✅" and any(finding.tag in DOUBTFUL for finding in result.findings):
        mark = "⚠️"
    said = Markup("; ").join(because(words, finding) for finding in result.findings)
    return Detail(mark, Markup("{}: {}").format(name, said) if said else name)


def fired(words: Words, ticket: Ticket) -> Fired | None:
    """The row that led to the standing verdict; None when there is none, or the table has changed since."""
    told = next((event for event in reversed(ticket.events) if event.kind is EventKind.VERDICT), None)
    if told is None or ticket.verdict is None:
        return None
    findings = tuple(Finding.from_json(finding) for finding in told.body.get("findings", ()))
    known = {finding.tag for finding in findings}
    for place, rule in enumerate(RULES, 1):
        if rule.step is ticket.verdict.step and rule.certainty is ticket.verdict.certainty and rule.fires(known):
            return Fired(place, reason(words, rule.why), tuple(_needs(words, rule, findings)))
    return None


def _needs(words: Words, rule: Rule, findings: tuple[Finding, ...]) -> Iterator[Need]:
    for need, met in zip(rule.needs, rule.because(findings), strict=True):
        others: list[Tag] = sorted(need - {met.tag})
        yield Need(because(words, met), tuple(kind_of_finding(words, tag) for tag in others))
