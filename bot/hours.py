"""When are there people at work? `Mon-Fri 09:00-13:00,14:00-18:00; Sat 10:00-14:00`, in the office's own time zone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]  # tells the time now, aware
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PERIOD = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")
_MIDNIGHT = 24 * 60
_LOOK_AHEAD_DAYS = 8  # a week has at least one working day


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Hours:
    """Working hours of a week. Without any, there is always somebody at work."""

    zone: ZoneInfo
    week: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)  # Monday 0: periods, minutes of the day

    @classmethod
    def parse(cls, text: str, zone: ZoneInfo) -> Hours:
        """Days and periods; groups are separated by semicolons. Raises ValueError with a word on what is wrong."""
        week: dict[int, tuple[tuple[int, int], ...]] = {}
        for group in filter(None, (part.strip() for part in text.split(";"))):
            days, _, periods = group.partition(" ")
            found = _periods(periods)
            for day in _days(days.lower()):
                if day in week:
                    raise ValueError(f"{DAYS[day]} is named twice")
                week[day] = found
        return cls(zone, week)

    def is_open(self, at: datetime) -> bool:
        """Whether somebody is at work at this moment (aware)."""
        if not self.week:
            return True
        return any(begin <= at < end for begin, end in self._periods(at))

    def opens(self, at: datetime) -> datetime:
        """The next moment at which somebody is at work, in the office's time; `at` itself within working hours."""
        local = at.astimezone(self.zone)
        if self.is_open(at):
            return local
        return next(begin for begin, _ in self._periods(at) if begin >= at)

    def after(self, at: datetime, work: timedelta) -> datetime:
        """The moment when so much working time has passed since `at`."""
        if not self.week:
            return at + work
        left, now = work, at
        while True:
            begin, end = next((max(begin, now), end) for begin, end in self._periods(now) if end > now)
            if end - begin >= left:
                return begin + left
            left, now = left - (end - begin), end

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much working time lies between two moments."""
        if not self.week:
            return max(timedelta(), end - start)
        total, now = timedelta(), start
        while now < end:
            begin, close = next((max(begin, now), close) for begin, close in self._periods(now) if close > now)
            total += max(timedelta(), min(close, end) - begin)
            now = close
        return total

    def _periods(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Periods from the day of `at` on, in order."""
        day = at.astimezone(self.zone).date()
        for ahead in range(_LOOK_AHEAD_DAYS):
            date = day + timedelta(days=ahead)
            midnight = datetime.combine(date, time(), self.zone)
            for begin, end in self.week.get(date.weekday(), ()):
                yield midnight + timedelta(minutes=begin), midnight + timedelta(minutes=end)


def _periods(text: str) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for part in text.split(","):
        match = _PERIOD.fullmatch(part.strip())
        if match is None:
            raise ValueError("not days and periods like Mon-Sat 09:00-18:00")
        begin = int(match[1]) * 60 + int(match[2])
        end = int(match[3]) * 60 + int(match[4]) if match[3] else _MIDNIGHT
        if begin >= end:
            raise ValueError("a period ends before it begins")
        if found and begin < found[-1][1]:
            raise ValueError("periods overlap")
        found.append((begin, end))
    return tuple(found)


def _days(text: str) -> Iterator[int]:
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError("not days and periods like Mon-Sat 09:00-18:00")
        begin, end = DAYS.index(first), DAYS.index(last if dash else first)
        yield from range(begin, end + 1) if begin <= end else (*range(begin, 7), *range(end + 1))
