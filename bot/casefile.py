"""What is known of a case now? The ticket's events, folded into one frozen value: the conversation's state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from bot.diagnose import WATCH, heard
from bot.model import (
    CheckResult,
    Event,
    EventKind,
    Finding,
    Kind,
    Reading,
    Step,
    Tag,
    Ticket,
    Verdict,
)
from bot.rules import PRODUCES, SAME_NEWS, told_by

NEWS = frozenset(
    {
        EventKind.CHECKED,
        EventKind.READ,
        EventKind.ANSWERED,
        EventKind.SKIPPED,
        EventKind.TRIED,
        EventKind.RECHECK,
        EventKind.REOPENED,
    }
)
PHONE_SPEAKS = frozenset({Kind.MICROSIP_STATUS, Kind.MICROSIP_LOG})


@dataclass(frozen=True, slots=True)
class CaseFile:
    """Everything the next move depends on."""

    readings: tuple[Reading, ...] = ()
    results: tuple[CheckResult, ...] = ()
    answers: tuple[Finding, ...] = ()
    answered: frozenset[Kind] = frozenset()
    skipped: frozenset[Kind] = frozenset()
    tried: frozenset[Step] = frozenset()
    asked: Kind | None = None  # the question waiting for an answer
    unclear: int = 0  # messages since then in which nothing could be read
    verdict: Verdict | None = None  # the last one told to the user and still standing
    settled: bool = False  # the last move was ours: a question or a verdict
    news: int = 0  # how often something came that a move depends on; a move names the count it was made upon
    questions: int = 0  # asked since the case was opened for the last time
    ui_language: str | None = field(default=None)  # of the user's MicroSIP: en, ru, ru_old (its older pack), uz

    @property
    def closed(self) -> frozenset[Kind]:
        """Kinds not to ask for again."""
        return told_by(self.answered) | self.skipped


def fold(ticket: Ticket) -> CaseFile:
    """The state after all events of a ticket."""
    case = CaseFile()
    for event in ticket.events:
        if event.kind in NEWS:
            case = replace(case, news=case.news + 1)
        case = _after(case, event)
    return case


def _after(case: CaseFile, event: Event) -> CaseFile:
    body = event.body
    match event.kind:
        case EventKind.CHECKED:
            fresh = tuple(CheckResult.from_json(result) for result in body["results"])
            names = {result.name for result in fresh}
            kept = tuple(result for result in case.results if result.name not in names)
            live = any(result.name == WATCH and heard(result) for result in fresh)
            readings = tuple(r for r in case.readings if not (live and r.kind in PHONE_SPEAKS))
            unmoved = case.settled and "by" in body and _told(kept + fresh) == _told(case.results)
            return replace(case, results=kept + fresh, readings=readings, settled=unmoved)
        case EventKind.READ:
            return _read(case, Reading.from_log(body["reading"]))
        case EventKind.ANSWERED:
            return _answered(case, Kind(body["kind"]), body.get("finding"))
        case EventKind.EVIDENCE if body.get("unreadable"):
            return replace(case, unclear=case.unclear + 1)
        case EventKind.ASKED:
            asked, settled = Kind(body["question"]), _up_to_date(case, event)
            return replace(case, asked=asked, unclear=0, settled=settled, questions=case.questions + 1)
        case EventKind.SKIPPED:
            kind = Kind(body["question"])
            return replace(case, skipped=case.skipped | {kind}, asked=None, unclear=0, settled=False)
        case EventKind.VERDICT:
            told = Verdict.from_json(body["verdict"])
            return replace(case, verdict=told, asked=None, settled=_up_to_date(case, event))
        case EventKind.TRIED:
            return _tried(case, Step(body["step"]))
        case EventKind.RECHECK:
            return replace(case, verdict=None, settled=False)
        case EventKind.REOPENED:  # what was seen before it was closed may not be so any more
            return CaseFile(news=case.news, ui_language=case.ui_language)
        case _:
            return case


def _told(results: Iterable[CheckResult]) -> set[tuple[str, Tag | None]]:
    """What checks tell, without their numbers: checks that staff made and that tell nothing new are no news."""
    tags = {(result.name, finding.tag) for result in results for finding in result.findings}
    return tags | {(result.name, None) for result in results if result.failure is None}


def _up_to_date(case: CaseFile, move: Event) -> bool:
    """False when something came while the move was on its way: then it is ours to move again."""
    return bool(move.body.get("news", case.news) == case.news)


def _read(case: CaseFile, reading: Reading) -> CaseFile:
    language = reading.facts.get("pack") or reading.facts.get("language") or reading.facts.get("lang")
    if language == "ru" and case.ui_language == "ru_old":  # said without telling which of the two Russian packs
        language = case.ui_language
    return replace(
        case,
        readings=(*case.readings, reading),
        answered=case.answered | {reading.kind},
        skipped=case.skipped - {reading.kind},
        asked=None if case.asked is reading.kind or case.asked in SAME_NEWS.get(reading.kind, ()) else case.asked,
        unclear=0,
        settled=False,
        ui_language=language if language in ("en", "ru", "ru_old", "uz") else case.ui_language,
    )


def _answered(case: CaseFile, kind: Kind, finding: dict[str, object] | None) -> CaseFile:
    answers = tuple(answer for answer in case.answers if answer.tag not in PRODUCES.get(kind, frozenset()))
    if finding is not None:
        answers = (*answers, Finding.from_json(finding))
    return replace(
        case,
        answers=answers,
        answered=case.answered | {kind},
        asked=None if case.asked is kind else case.asked,
        unclear=0,
        settled=False,
    )


def _tried(case: CaseFile, step: Step) -> CaseFile:
    """The step was carried out: what it was based on, and what the phone said, may have changed and is asked anew."""
    stale_tags = {finding.tag for finding in case.verdict.because} if case.verdict else set()
    stale = [
        reading
        for reading in case.readings
        if reading.kind in PHONE_SPEAKS or stale_tags & {finding.tag for finding in reading.findings}
    ]
    stale_kinds = {reading.kind for reading in stale}
    return replace(
        case,
        tried=case.tried | {step},
        readings=tuple(reading for reading in case.readings if reading not in stale),
        answers=tuple(answer for answer in case.answers if answer.tag not in stale_tags),
        answered=case.answered - stale_kinds,
        verdict=None,
        settled=False,
    )
