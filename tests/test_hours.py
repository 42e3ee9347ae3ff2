"""Working hours: what may be written, and what follows from it."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.hours import Hours

TASHKENT = ZoneInfo("Asia/Tashkent")
LUNCH = Hours.parse("Mon-Sat 09:00-13:00,14:00-18:00", TASHKENT)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(TASHKENT))


def at(day: int, clock: str) -> datetime:
    """A moment of November 2026 in Tashkent; the 2nd is a Monday."""
    return datetime.fromisoformat(f"2026-11-{day:02}T{clock}:00").replace(tzinfo=TASHKENT)


@pytest.mark.parametrize(
    ("day", "clock", "open_then"),
    [(2, "08:59", False), (2, "09:00", True), (2, "13:00", False), (2, "13:30", False), (2, "14:00", True),
     (2, "17:59", True), (2, "18:00", False), (7, "10:00", True), (8, "10:00", False)],
)  # fmt: skip
def test_lunch_and_sunday_are_no_working_hours(day: int, clock: str, open_then: bool) -> None:
    assert LUNCH.is_open(at(day, clock)) == open_then


@pytest.mark.parametrize(
    ("now", "opens"),
    [(at(2, "08:00"), at(2, "09:00")), (at(2, "13:10"), at(2, "14:00")), (at(2, "15:00"), at(2, "15:00")),
     (at(7, "18:30"), at(9, "09:00")), (at(8, "12:00"), at(9, "09:00"))],
)  # fmt: skip
def test_when_they_open_again(now: datetime, opens: datetime) -> None:
    assert LUNCH.opens(now) == opens


def test_working_time_stands_still_at_lunch_at_night_and_on_sunday() -> None:
    hour = timedelta(hours=1)
    assert LUNCH.after(at(2, "12:30"), hour) == at(2, "14:30")
    assert LUNCH.after(at(7, "17:30"), hour) == at(9, "09:30")
    assert LUNCH.between(at(7, "17:00"), at(9, "10:00")) == 2 * hour


@pytest.mark.parametrize(
    "text", ["Mon", "Mon-Sat", "Mon-Sat 9-18", "Mon-Sat 18:00-09:00", "Mon-Xyz 09:00-18:00",
             "Mon 09:00-12:00,11:00-18:00", "Mon 09:00-18:00; Mon 10:00-11:00", "Mon 25:00-26:00", "Du-Sha 09:00-18:00"]
)  # fmt: skip
def test_what_is_no_working_week_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"periods?|twice"):
        Hours.parse(text, TASHKENT)


def test_days_may_be_listed_wrap_round_the_week_and_last_until_midnight() -> None:
    odd = Hours.parse("Mon,Wed 20:00-24:00; sat-sun 00:00-06:00", TASHKENT)
    assert [odd.is_open(at(*when)) for when in ((2, "23:59"), (3, "20:30"), (4, "20:00"), (8, "05:59"))] == [
        True, False, True, True,
    ]  # fmt: skip
    assert Hours.parse("Sat-Mon 10:00-11:00", TASHKENT).week.keys() == {5, 6, 0}


def test_without_hours_there_is_always_somebody() -> None:
    always = Hours(TASHKENT)
    assert (always.is_open(at(8, "03:00")), always.opens(at(8, "03:00"))) == (True, at(8, "03:00"))
    assert always.after(at(8, "03:00"), timedelta(hours=1)) == at(8, "04:00")


@given(MOMENTS, st.timedeltas(timedelta(minutes=1), timedelta(days=20)))
def test_so_much_work_later_is_so_much_working_time_away(now: datetime, work: timedelta) -> None:
    assert LUNCH.between(now, LUNCH.after(now, work)) == work


@given(MOMENTS)
def test_they_open_at_a_working_moment_and_none_lies_before_it(now: datetime) -> None:
    opens = LUNCH.opens(now)
    assert LUNCH.is_open(opens)
    assert LUNCH.between(now, opens) == timedelta()
