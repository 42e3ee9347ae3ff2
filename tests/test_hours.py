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


# --- days off, and days on which the clocks change ---


def test_on_a_day_off_nobody_is_at_work_and_they_open_on_the_next_working_day() -> None:
    spring = Hours.parse("Mon-Sat 09:00-18:00; off 03-21, 2026-03-20", TASHKENT)

    def then(month: int, day: int, year: int = 2026) -> datetime:
        return datetime(year, month, day, 10, tzinfo=TASHKENT)

    days = [then(3, 19), then(3, 20), then(3, 21), then(3, 23), then(3, 20, 2028), then(3, 21, 2028)]
    assert [spring.is_open(day) for day in days] == [True, False, False, True, True, False]
    assert spring.opens(then(3, 20)) == datetime(2026, 3, 23, 9, tzinfo=TASHKENT)  # the 22nd is a Sunday
    assert spring.after(datetime(2026, 3, 19, 17, 30, tzinfo=TASHKENT), timedelta(hours=1)) == datetime(
        2026, 3, 23, 9, 30, tzinfo=TASHKENT
    )


def test_when_every_working_day_of_weeks_is_off_they_open_after_them() -> None:
    mondays = ",".join((datetime(2026, 1, 5) + timedelta(weeks=n)).date().isoformat() for n in range(49))
    rare = Hours.parse(f"off {mondays}; Mon 09:00-10:00", TASHKENT)
    assert rare.opens(datetime(2026, 1, 5, tzinfo=TASHKENT)) == datetime(2026, 12, 14, 9, tzinfo=TASHKENT)


@pytest.mark.parametrize(
    "text", ["Mon 09:00-18:00; off", "Mon 09:00-18:00; off 21.03", "Mon 09:00-18:00; off 02-30", "off 03-21",
             "Mon 09:00-18:00; off 2026-W12-6", "Mon 09:00-18:00; off " + ",".join(f"2026-0{m}-{d}" for m in (1, 3)
                                                                               for d in range(10, 31))
             + "," + ",".join(f"2026-05-{d}" for d in range(10, 31))]
)  # fmt: skip
def test_what_are_no_days_off_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="periods"):
        Hours.parse(text, TASHKENT)


@pytest.mark.parametrize(
    ("day", "hours"),
    [(datetime(2026, 3, 29), 23), (datetime(2026, 10, 25), 25), (datetime(2026, 10, 26), 24)],  # Berlin's clocks
)
def test_a_day_on_which_the_clocks_change_has_the_hours_it_has(day: datetime, hours: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    always = Hours.parse("Mon-Sun 00:00-24:00", berlin)
    begin = day.replace(tzinfo=berlin)
    assert always.between(begin, begin + timedelta(days=1)) == timedelta(hours=hours)  # by the wall clock
    assert always.after(begin, timedelta(hours=hours)) == begin + timedelta(days=1)
    early = Hours.parse("Mon-Sun 09:00-18:00", berlin)
    assert early.opens(begin).isoformat()[11:16] == "09:00"
