"""How long will a person take to answer? Told honestly: what was measured, or when somebody is at work again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from bot.hours import DAYS, Clock, Hours
from bot.model import Ticket
from bot.patience import FOR_STAFF
from bot.store import Store
from bot.waits import usual_wait
from messages import Catalogue

REMEMBERED = timedelta(minutes=10)  # so long a measurement is told again


@dataclass(slots=True)
class Waits:
    """Tells the waiting time in one language."""

    store: Store
    hours: Hours
    words: Catalogue
    now: Clock
    _measured: tuple[datetime, timedelta | None] | None = None

    async def said(self) -> Markup | None:
        """What somebody who asks for a person is told; None where neither hours nor a measurement are known."""
        now = self.now()
        if not self.hours.is_open(now):
            return self.words.html("life.closed_now", when=self.moment(self.hours.opens(now), now))
        usual = await self._usual(now)
        if usual is not None:
            return self.words.html("life.usual_wait", wait=self.span(usual))
        return self.words.html("life.in_hours") if self.hours.week else None

    def away(self, ticket: Ticket) -> Markup | None:
        """What somebody who writes out of hours is told; None within them, or when he heard it since they closed."""
        now = self.now()
        asked = [e for e in ticket.events if e.kind in FOR_STAFF and e.body.get("reason", "asked") == "asked"]
        if self.hours.is_open(now) or (asked and not self.hours.between(asked[-1].at, now)):
            return None
        return self.words.html("life.closed_now", when=self.moment(self.hours.opens(now), now))

    async def _usual(self, now: datetime) -> timedelta | None:
        if self._measured is None or now - self._measured[0] > REMEMBERED:
            self._measured = (now, await usual_wait(self.store, self.hours, now))
        return self._measured[1]

    def span(self, wait: timedelta) -> str:
        """A wait in whole words, rounded up: rather a promise that is kept."""
        minutes = max(1, -(-int(wait.total_seconds()) // 60))
        if minutes <= 10:
            return self.words.plain("life.minutes", count=minutes)
        if minutes <= 90:
            return self.words.plain("life.minutes", count=-(-minutes // 5) * 5)
        return self.words.plain("life.hours", count=-(-minutes // 60))

    def moment(self, at: datetime, now: datetime) -> str:
        """`bugun soat 14:00 da`, `ertaga …`, `dushanba kuni …`, a week ahead with its date: in the office's time."""
        days = (at.date() - now.astimezone(at.tzinfo).date()).days
        named = {0: "life.today", 1: "life.tomorrow"}.get(days)
        if named:
            return self.words.plain(named, clock=at.strftime("%H:%M"))
        day = self.words.plain(f"life.day.{DAYS[at.weekday()]}")
        if days >= len(DAYS):
            day = f"{at.strftime('%d.%m')}, {day}"
        return self.words.plain("life.on_day", day=day, clock=at.strftime("%H:%M"))
