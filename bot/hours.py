"""When are there people at work? `Mon-Fri 09:00-13:00,14:00-18:00; Sat 10:00-14:00; off 03-21,2026-12-31`.

In the office's own time zone. Days off are dates, of every year or of one; moments are reckoned in UTC, so a day on
which the clocks change has the hours that it has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]  # tells the time now, aware
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PERIOD = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")
_MIDNIGHT = 24 * 60
_OFF, _OFF_MAX = "off", 50  # days: within a year there is a working week without one


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Hours:
    """Working hours of a week. Without any, there is always somebody at work."""

    zone: ZoneInfo
    week: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)  # Monday 0: periods, minutes of the day
    off: frozenset[str] = frozenset()  # dates, with a year or without

    @classmethod
    def parse(cls, text: str, zone: ZoneInfo) -> Hours:
        """Days and periods; groups are separated by semicolons. Raises ValueError with a word on what is wrong."""
        week: dict[int, tuple[tuple[int, int], ...]] = {}
        off: set[str] = set()
        for group in filter(None, (part.strip() for part in text.split(";"))):
            days, _, periods = group.partition(" ")
            if days.lower() == _OFF:
                off |= _dates(periods)
                continue
            found = _periods(periods)
            for day in _days(days.lower()):
                if day in week:
                    raise ValueError("a day is named twice")
                week[day] = found
        if len(off) > _OFF_MAX or (off and not week):
            raise ValueError("more days off than periods of work")
        return cls(zone, week, frozenset(off))

    def is_open(self, at: datetime) -> bool:
        """Whether somebody is at work at this moment (aware)."""
        if not self.week:
            return True
        return next(begin for begin, end in self._periods(at) if end > at) <= at

    def opens(self, at: datetime) -> datetime:
        """The next moment at which somebody is at work, in the office's time; `at` itself within working hours."""
        local = at.astimezone(self.zone)
        if self.is_open(at):
            return local
        return next(begin for begin, _ in self._periods(at) if begin >= at).astimezone(self.zone)

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
        """Periods from the day of `at` on, in order, in UTC."""
        day = at.astimezone(self.zone).date()
        for ahead in range(7 * (len(self.off) + 1) + 1):  # a week has a working day, unless it is off
            then = day + timedelta(days=ahead)
            if {then.isoformat(), then.strftime("%m-%d")} & self.off:
                continue
            midnight = datetime.combine(then, time(), self.zone)
            for begin, end in self.week.get(then.weekday(), ()):
                opens, closes = midnight + timedelta(minutes=begin), midnight + timedelta(minutes=end)
                yield opens.astimezone(UTC), closes.astimezone(UTC)


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


def _dates(text: str) -> set[str]:
    found = {part.strip() for part in text.split(",")}
    for one in found:
        whole = one if len(one) > len("03-21") else f"2024-{one}"  # a year that has every day
        try:
            known = date.fromisoformat(whole).isoformat()
        except ValueError:
            known = ""
        if known != whole:
            raise ValueError("days off are not dates like 03-21 or 2026-03-21, before or after periods")
    return found
