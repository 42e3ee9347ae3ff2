"""How is the help doing? Counts, shares and times of a period, read from the ticket log; pure functions of a database.

A case belongs to the period in which it was opened. Days are Uzbekistan's. Not measured is None, never 0.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from sqlite3 import Cursor
from typing import Any, Self

from sqlite_utils import Database

from bot.rules import owner_of
from bot.vocabulary import Owner, Status, Step

UZBEKISTAN = timezone(timedelta(hours=5))  # no summer time since 1992
STARS = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` until before `until`, aware times; counted in days of `zone`."""

    since: datetime
    until: datetime
    zone: timezone = UZBEKISTAN

    @classmethod
    def last(cls, days: int, now: datetime | None = None, zone: timezone = UZBEKISTAN) -> Self:
        """The last so many days, today's beginning included. Raises ValueError for fewer than one."""
        if days < 1:
            raise ValueError("a period has at least one day")
        until = now or datetime.now(UTC)
        first = until.astimezone(zone).date() - timedelta(days=days - 1)
        return cls(datetime.combine(first, time(), zone), until, zone)

    def days(self) -> tuple[date, ...]:
        """Every day the period touches."""
        first = self.since.astimezone(self.zone).date()
        last = (self.until - timedelta(microseconds=1)).astimezone(self.zone).date()
        return tuple(first + timedelta(days=n) for n in range((last - first).days + 1))

    @property
    def _stored(self) -> list[str]:
        """Both ends as the log writes times, so that text compares as time."""
        return [at.astimezone(UTC).isoformat(timespec="milliseconds") for at in (self.since, self.until)]


@dataclass(frozen=True, slots=True)
class Day:
    """One day's cases."""

    day: date
    opened: int
    solved: int  # of those opened on this day, whenever they were solved


@dataclass(frozen=True, slots=True)
class Cause:
    """How many cases had this step told as their last; `connected`: the phone worked from the start."""

    step: Step
    owner: Owner
    count: int


@dataclass(frozen=True, slots=True)
class Spread:
    """Times of a kind; None where there are none."""

    count: int
    median_s: float | None
    p90_s: float | None


@dataclass(frozen=True, slots=True)
class Rating:
    """What people thought of the help."""

    count: int
    mean: float | None
    stars: tuple[int, int, int, int, int]  # how often 1, 2, 3, 4, 5


@dataclass(frozen=True, slots=True)
class Now:
    """What waits at this moment, whenever it was opened."""

    open: int  # the bot and the user are at it
    waiting: int  # a person has to act
    unanswered: int  # of these: nobody of the staff has written yet
    oldest_waiting_at: datetime | None


@dataclass(frozen=True, slots=True)
class Score:
    """How one row of the table fared. `confirmed`: the phone worked after it was told last. `contradicted`: done in
    vain, or the fault was proven to lie with somebody else. What is neither is not known."""

    step: Step
    owner: Owner
    rule: str  # the row's reason in bot/table.py; '' where it was not logged
    given: int
    confirmed: int
    contradicted: int
    needed_person: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """Everything at once."""

    period: Period
    opened: int
    days: tuple[Day, ...]
    causes: tuple[Cause, ...]  # the most frequent first
    statuses: dict[Status, int]
    ended: int  # solved or closed
    solved_alone: int  # solved, and no person was needed
    first_answer: Spread  # opened → the bot's first question or verdict (progress lines do not count)
    first_staff: Spread  # first call for a person → first word of the staff
    solution: Spread  # opened → solved
    rating: Rating
    now: Now
    scores: tuple[Score, ...]

    @property
    def solved_alone_share(self) -> float | None:
        """Of the cases that ended; None when none has."""
        return self.solved_alone / self.ended if self.ended else None

    @property
    def solved_alone_pct(self) -> int | None:
        """The same in whole percent, as people are told it."""
        share = self.solved_alone_share
        return None if share is None else round(share * 100)

    def to_json(self) -> dict[str, Any]:
        """Plain values: times as ISO text, shares as fractions, durations in seconds."""
        body = asdict(self)
        body["period"] = {
            "since": self.period.since.isoformat(timespec="seconds"),
            "until": self.period.until.isoformat(timespec="seconds"),
        }
        body["days"] = [asdict(day) | {"day": day.day.isoformat()} for day in self.days]
        oldest = self.now.oldest_waiting_at
        body["now"]["oldest_waiting_at"] = oldest.isoformat(timespec="seconds") if oldest else None
        body["solved_alone_share"] = self.solved_alone_share
        return body


def numbers(db: Database, period: Period) -> Numbers:
    """All of them; a second at most on a million tickets."""
    statuses = statuses_of(db, period)
    return Numbers(
        period=period,
        opened=sum(statuses.values()),
        days=days_of(db, period),
        causes=causes_of(db, period),
        statuses=statuses,
        ended=statuses[Status.SOLVED] + statuses[Status.CLOSED],
        solved_alone=solved_alone(db, period),
        first_answer=spread_of(db, period, "answered_s"),
        first_staff=spread_of(db, period, "staff_s"),
        solution=spread_of(db, period, "solved_s"),
        rating=rating_of(db, period),
        now=waiting_now(db),
        scores=scores_of(db, period),
    )


def statuses_of(db: Database, period: Period) -> dict[Status, int]:
    """How the period's cases stand now."""
    found = {Status(status): int(count) for status, count in _cases(db, period, "status, count(*)", "GROUP BY 1")}
    return {status: found.get(status, 0) for status in Status}


def days_of(db: Database, period: Period) -> tuple[Day, ...]:
    """Every day of the period, also those without a case."""
    shift_s = period.zone.utcoffset(None).total_seconds()
    what = f"date(opened_at, '{shift_s:+.0f} seconds'), count(*), sum(status = 'solved')"
    found = {day: (int(opened), int(solved)) for day, opened, solved in _cases(db, period, what, "GROUP BY 1")}
    return tuple(Day(day, *found.get(day.isoformat(), (0, 0))) for day in period.days())


def causes_of(db: Database, period: Period) -> tuple[Cause, ...]:
    """What was wrong, the most frequent first; cases without a verdict have none."""
    rest = "AND cause IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
    rows = _cases(db, period, "cause, count(*)", rest)
    return tuple(Cause(Step(step), owner_of(Step(step)), int(count)) for step, count in rows)


def solved_alone(db: Database, period: Period) -> int:
    """Cases solved without a person of the staff."""
    return int(_cases(db, period, "count(*)", "AND status = 'solved' AND person = 0").fetchone()[0])


def spread_of(db: Database, period: Period, column: str) -> Spread:
    """Median and nearest-rank 90th percentile of one of the row's durations."""
    took_s = sorted(row[0] for row in _cases(db, period, column, f"AND {column} IS NOT NULL"))
    if not took_s:
        return Spread(0, None, None)
    middle = len(took_s) // 2
    median = took_s[middle] if len(took_s) % 2 else (took_s[middle - 1] + took_s[middle]) / 2
    return Spread(len(took_s), median, took_s[-(-len(took_s) * 9 // 10) - 1])


def rating_of(db: Database, period: Period) -> Rating:
    """The stars given to the period's cases."""
    rows = _cases(db, period, "stars, count(*)", "AND stars IS NOT NULL GROUP BY 1")
    found = {int(stars): int(count) for stars, count in rows}
    count = sum(found.values())
    one, two, three, four, five = (found.get(stars, 0) for stars in STARS)
    mean = sum(stars * n for stars, n in found.items()) / count if count else None
    return Rating(count, mean, (one, two, three, four, five))


def _cases(db: Database, period: Period, what: str, rest: str) -> Cursor:
    """Asks something of the period's cases, and of no others: SQLite by itself would go by status, through all."""
    cases = "tickets INDEXED BY tickets_by_opening WHERE opened_at >= ? AND opened_at < ?"
    sql = f"SELECT {what} FROM {cases} {rest}"  # noqa: S608 - words of this file
    return db.execute(sql, period._stored)


def waiting_now(db: Database) -> Now:
    """What is open at this moment."""
    open_now = db.execute("SELECT count(*) FROM tickets WHERE status = 'open'").fetchone()[0]
    waiting, unanswered, oldest = db.execute(
        "SELECT count(*), coalesce(sum(staff_s IS NULL), 0), min(escalated_at) FROM tickets WHERE status = 'escalated'"
    ).fetchone()
    return Now(int(open_now), int(waiting), int(unanswered), datetime.fromisoformat(oldest) if oldest else None)


def scores_of(db: Database, period: Period) -> tuple[Score, ...]:
    """The scoreboard of what was told in the period, the most often told first."""
    rows = db.execute(
        "SELECT r.step, r.owner, r.why, t.* FROM (SELECT rule, count(*) AS given, sum(outcome IS 'confirmed'),"
        " sum(outcome IS 'contradicted'), sum(person) FROM told INDEXED BY told_by_time WHERE at >= ? AND at < ?"
        " GROUP BY rule) t JOIN rules r ON r.id = t.rule ORDER BY t.given DESC, r.step, r.why",
        period._stored,
    )
    return tuple(Score(Step(step), Owner(owner), why, *map(int, counts)) for step, owner, why, _, *counts in rows)
