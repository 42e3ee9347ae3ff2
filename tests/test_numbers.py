"""The numbers of a period: a person can count them by hand, and none is made up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from bot.model import Certainty, EventKind, Finding, Owner, Status, Step, Tag, Verdict
from bot.numbers import Cause, Day, Now, Period, Rating, Score, Spread, numbers
from bot.rules import decide, owner_of, row_of
from bot.schema import migrations
from bot.store import Store
from bot.table import RULES
from bot.ticket_summary import follow

NOON = datetime(2026, 11, 23, 7, tzinfo=UTC)  # in Tashkent
WEEK = Period.last(7, NOON)
Happening = tuple[float, EventKind, dict[str, Any]]  # seconds after the opening, what, its body


def told(after_s: float, step: Step, certainty: Certainty = Certainty.LIKELY, rule: str = "") -> Happening:
    verdict = Verdict(step, owner_of(step), certainty)
    return after_s, EventKind.VERDICT, {"verdict": verdict.to_json(), "rule": rule}


def asked(after_s: float) -> Happening:
    return after_s, EventKind.ASKED, {"question": "ping"}


def tried(after_s: float, step: Step) -> Happening:
    return after_s, EventKind.TRIED, {"step": step.value}


def escalated(after_s: float) -> Happening:
    return after_s, EventKind.ESCALATED, {"reason": "asked"}


def answered_by_staff(after_s: float) -> Happening:
    return after_s, EventKind.STAFF_MESSAGE, {"text": "Salom", "by": "Nodir"}


def closed(after_s: float, reason: str = "solved") -> Happening:
    return after_s, EventKind.CLOSED, {"reason": reason}


def rated(after_s: float, stars: int) -> Happening:
    return after_s, EventKind.RATED, {"stars": stars}


def connected(after_s: float) -> tuple[Happening, Happening]:
    return told(after_s, Step.CONNECTED, Certainty.PROVEN), closed(after_s)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    store = Store(tmp_path / "yordam.db", (migrations,))
    store.close()
    database = Database(tmp_path / "yordam.db")
    yield database
    database.close()


def case(db: Database, *happened: Happening, ago: timedelta = timedelta(hours=1)) -> int:
    """A ticket opened so long before NOON, and what happened to it."""
    opened_at = NOON - ago
    stored = opened_at.isoformat(timespec="milliseconds")
    number: int = db.execute(
        "INSERT INTO tickets (user_id, chat_id, status, language, opened_at, updated_at, source)"
        " VALUES (7, 7, 'open', 'uz', ?, ?, hex(randomblob(8))) RETURNING number",
        [stored, stored],
    ).fetchone()[0]
    for after_s, kind, body in happened:
        at = (opened_at + timedelta(seconds=after_s)).isoformat(timespec="milliseconds")
        db.execute(
            "INSERT INTO events (ticket, at, kind, body) VALUES (?, ?, ?, ?)", [number, at, kind, json.dumps(body)]
        )
        follow(db, number, kind, body, at)
    return number


def test_without_a_case_nothing_is_made_up(db: Database) -> None:
    found = numbers(db, WEEK)
    assert (found.opened, found.causes, found.solved_alone_share, found.scores) == (0, (), None, ())
    assert (found.first_answer, found.rating) == (Spread(0, None, None), Rating(0, None, (0, 0, 0, 0, 0)))
    assert (found.now, sum(found.statuses.values())) == (Now(0, 0, 0, None), 0)
    assert [day.day for day in found.days] == [date(2026, 11, 17) + timedelta(days=n) for n in range(7)]


def test_a_day_is_a_day_in_uzbekistan(db: Database) -> None:
    case(db, ago=timedelta(hours=12, minutes=1))  # 23:59 in Tashkent, still evening of the 22nd
    case(db, *connected(60), ago=timedelta(hours=11, minutes=59))
    assert numbers(db, WEEK).days[-2:] == (Day(date(2026, 11, 22), 1, 0), Day(date(2026, 11, 23), 1, 1))


def test_a_period_begins_at_midnight_and_leaves_older_cases_out(db: Database) -> None:
    case(db, ago=timedelta(days=6, hours=11))
    case(db, ago=timedelta(days=6, hours=13))
    assert numbers(db, WEEK).opened == 1


def test_that_the_phone_works_now_is_not_the_cause(db: Database) -> None:
    case(db, told(5, Step.FIX_DNS), *connected(90))
    case(db, told(5, Step.FIX_DNS), told(60, Step.REMOVE_PROXY), *connected(90))
    case(db, told(5, Step.FIX_DNS))
    case(db, *connected(3))
    case(db, asked(2))
    assert numbers(db, WEEK).causes == (
        Cause(Step.FIX_DNS, Owner.USER, 2),
        Cause(Step.CONNECTED, Owner.NONE, 1),
        Cause(Step.REMOVE_PROXY, Owner.USER, 1),
    )


def test_alone_means_that_no_person_was_called_and_none_wrote(db: Database) -> None:
    case(db, told(5, Step.FIX_DNS), *connected(90))
    case(db, told(5, Step.FIX_DNS), escalated(20), *connected(90))
    case(db, told(5, Step.FIX_DNS), answered_by_staff(20), *connected(90))
    case(db, told(5, Step.FIX_DNS), closed(90, "stale"))
    case(db, told(5, Step.FIX_DNS))
    found = numbers(db, WEEK)
    assert (found.solved_alone, found.ended, found.solved_alone_share) == (1, 4, 0.25)
    assert found.statuses == {Status.OPEN: 1, Status.ESCALATED: 0, Status.SOLVED: 3, Status.CLOSED: 1}


def test_times_are_median_and_nearest_rank_90th_percentile(db: Database) -> None:
    for seconds in range(1, 11):
        case(db, asked(seconds), told(100, Step.FIX_DNS), escalated(200), answered_by_staff(200 + 60 * seconds))
    found = numbers(db, WEEK)
    assert (found.first_answer, found.first_staff) == (Spread(10, 5.5, 9.0), Spread(10, 330.0, 540.0))


def test_the_time_to_a_solution_counts_solved_cases_only(db: Database) -> None:
    case(db, told(5, Step.FIX_DNS), *connected(600))
    case(db, told(5, Step.FIX_DNS), closed(9000, "stale"))
    case(db, told(5, Step.FIX_DNS), *connected(600), (700, EventKind.REOPENED, {}))
    assert numbers(db, WEEK).solution == Spread(1, 600.0, 600.0)


@pytest.mark.parametrize(("alone", "ended", "pct"), [(2, 3, 67), (29, 100, 29), (0, 4, 0), (0, 0, None)])
def test_the_share_solved_alone_is_told_in_whole_percent(db: Database, alone: int, ended: int, pct: int | None) -> None:
    assert replace(numbers(db, WEEK), solved_alone=alone, ended=ended).solved_alone_pct == pct


def test_the_last_rating_of_a_case_counts(db: Database) -> None:
    case(db, *connected(9), rated(10, 1), rated(20, 5))
    case(db, *connected(9), rated(10, 4))
    assert numbers(db, WEEK).rating == Rating(2, 4.5, (0, 0, 0, 1, 1))


def test_what_waits_now_is_counted_whenever_it_was_opened(db: Database) -> None:
    case(db, escalated(60), ago=timedelta(days=40))
    case(db, escalated(60), answered_by_staff(90))
    case(db, asked(1))
    oldest = NOON - timedelta(days=40) + timedelta(seconds=60)
    assert numbers(db, WEEK).now == Now(1, 2, 1, oldest)


def score(db: Database, step: Step) -> tuple[int, int, int, int]:
    (found,) = [score for score in numbers(db, WEEK).scores if score.step is step]
    return found.given, found.confirmed, found.contradicted, found.needed_person


@pytest.mark.parametrize(
    ("happened", "expected"),
    [
        ([*connected(90)], (1, 1, 0, 0)),
        ([tried(60, Step.FIX_DNS), *connected(90)], (1, 1, 0, 0)),
        ([closed(90)], (1, 1, 0, 0)),
        ([closed(90, "no_answer")], (1, 0, 0, 0)),
        ([tried(60, Step.FIX_DNS)], (1, 0, 0, 0)),
        ([tried(60, Step.FIX_DNS), told(80, Step.REMOVE_PROXY)], (1, 0, 1, 0)),
        ([told(80, Step.REMOVE_PROXY), *connected(90)], (1, 0, 0, 0)),
        ([told(80, Step.START_PBX, Certainty.LIKELY)], (1, 0, 0, 0)),
        ([told(80, Step.START_PBX, Certainty.PROVEN)], (1, 0, 1, 0)),
        ([escalated(80)], (1, 0, 0, 1)),
        ([answered_by_staff(80)], (1, 0, 0, 1)),
        ([*connected(80), answered_by_staff(90)], (1, 1, 0, 0)),
        ([closed(80), (90, EventKind.REOPENED, {})], (1, 0, 0, 0)),
        ([*connected(80), (90, EventKind.REOPENED, {})], (1, 1, 0, 0)),
        ([*connected(80), (90, EventKind.REOPENED, {}), told(95, Step.START_PBX, Certainty.PROVEN)], (1, 1, 0, 0)),
        ([*connected(80), (90, EventKind.REOPENED, {}), escalated(95), answered_by_staff(99)], (1, 1, 0, 0)),
        ([*connected(80), (90, EventKind.REOPENED, {}), told(95, Step.REMOVE_PROXY), closed(96),
          (97, EventKind.REOPENED, {})], (1, 1, 0, 0)),
        ([*connected(80), (90, EventKind.REOPENED, {}), tried(95, Step.FIX_DNS), told(99, Step.REMOVE_PROXY)],
          (1, 1, 0, 0)),
        ([tried(60, Step.FIX_DNS), told(80, Step.FIX_DNS, Certainty.PROVEN), *connected(90)], (2, 1, 1, 0)),
    ],
)  # fmt: skip
def test_a_step_is_right_when_the_phone_works_after_it_and_wrong_when_it_was_done_in_vain(
    db: Database, happened: list[Happening], expected: tuple[int, int, int, int]
) -> None:
    case(db, told(5, Step.FIX_DNS), *happened)
    assert score(db, Step.FIX_DNS) == expected


def test_rows_of_one_step_have_scores_of_their_own(db: Database) -> None:
    case(db, told(5, Step.FIX_DNS, rule="the name is unknown"), *connected(60))
    case(db, told(5, Step.FIX_DNS, rule="no answer"), tried(50, Step.FIX_DNS), told(60, Step.CALL_STAFF), escalated(60))
    assert numbers(db, WEEK).scores == (
        Score(Step.CALL_STAFF, Owner.NONE, "", 1, 0, 0, 1),
        Score(Step.FIX_DNS, Owner.USER, "no answer", 1, 0, 1, 1),
        Score(Step.FIX_DNS, Owner.USER, "the name is unknown", 1, 1, 0, 0),
    )


def test_the_row_that_gave_a_verdict_is_found_again() -> None:
    for rule in RULES:
        findings = tuple(Finding(sorted(need)[0]) for need in rule.needs)
        verdict = decide(findings)
        assert verdict is not None
        row = row_of(verdict, findings)
        assert row is not None
        assert (row.step, row.certainty, row.because(findings)) == (verdict.step, verdict.certainty, verdict.because)


def test_each_row_of_the_table_has_a_reason_of_its_own() -> None:
    assert len({(rule.step, rule.why) for rule in RULES}) == len(RULES)


def test_a_row_passed_over_because_it_was_tried_did_not_give_the_verdict() -> None:
    findings = (Finding(Tag.USER_DNS_TIMEOUT), Finding(Tag.SERVER_DNS_OK))
    first = decide(findings)
    assert first is not None
    assert row_of(Verdict(Step.CALL_STAFF, Owner.NONE, Certainty.LIKELY), findings) is None


def test_all_of_it_can_be_had_as_json(db: Database) -> None:
    case(db, told(5, Step.FIX_DNS, rule="no answer"), escalated(20))
    body = json.loads(json.dumps(numbers(db, WEEK).to_json()))
    assert body["causes"] == [{"step": "fix_dns", "owner": "user", "count": 1}]
    assert body["now"] == {"open": 0, "waiting": 1, "unanswered": 1, "oldest_waiting_at": "2026-11-23T06:00:20+00:00"}
    assert body["period"] == {"since": "2026-11-17T00:00:00+05:00", "until": "2026-11-23T07:00:00+00:00"}
    assert body["days"][-1] == {"day": "2026-11-23", "opened": 1, "solved": 0}


def test_a_log_of_before_is_summed_up_when_the_bot_starts(db: Database) -> None:
    case(db, asked(2), told(5, Step.FIX_DNS), tried(60, Step.FIX_DNS), told(80, Step.REMOVE_PROXY), *connected(90))
    case(db, told(5, Step.FIX_DNS), escalated(20), answered_by_staff(50), closed(90, "staff"), rated(99, 3))
    kept = "cause, person, escalated_at, answered_s, staff_s, solved_s, stars"
    before = list(db.query(f"SELECT {kept} FROM tickets")), numbers(db, WEEK)  # noqa: S608
    indexes = db.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'tickets' AND sql <> ''")
    undo = "".join(f"DROP INDEX {name};" for (name,) in indexes.fetchall())
    undo += "DROP VIEW cause_stats; DROP TABLE told; DROP TABLE rules; CREATE VIEW cause_stats AS SELECT 1;"
    undo += "".join(f"ALTER TABLE tickets DROP COLUMN {column};" for column in kept.split(", "))
    db.executescript(undo)
    db.execute("DELETE FROM _sqlite_migrations WHERE name = 'm_numbers'")
    migrations.apply(db)
    assert (list(db.query(f"SELECT {kept} FROM tickets")), numbers(db, WEEK)) == before  # noqa: S608
