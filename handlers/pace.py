"""When may the next call be made? A lane per chat, one gate for all, and the pauses Telegram orders.

A call occupies its place from the moment it leaves until a window after its answer came. So the limits hold at
Telegram's end as well, however long a call travels.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """Telegram's limits, a little below what is documented."""

    private_burst: int = 3  # messages at once to a person …
    private_interval_s: float = 1.05  # … then one in this time
    group_calls: int = 19  # messages and edits in a group …
    group_window_s: float = 60.0  # … in this time
    all_calls: int = 29  # messages and edits to anybody …
    all_window_s: float = 1.0  # … in this time
    topic_interval_s: float = 6.0  # between two new forum topics: who made them in bursts was banned


@dataclass(slots=True)
class Place:
    """A permission to send now; set `unused` when nothing was sent after all."""

    unused: bool = False


@dataclass(slots=True)
class _Window:
    """At most `limit` calls in `window_s`, those on their way counted."""

    limit: int
    window_s: float
    under_way: int = 0
    ended: deque[float] = field(default_factory=deque)

    def wait_s(self, now: float, weight: int) -> float:
        while self.ended and self.ended[0] <= now - self.window_s:
            self.ended.popleft()
        over = self.under_way + len(self.ended) + min(weight, self.limit) - self.limit
        if over <= 0:
            return 0.0
        if over <= len(self.ended):
            return max(0.001, self.ended[over - 1] + self.window_s - now)
        return 0.02  # calls on their way hold the places

    def leave(self, weight: int) -> None:
        self.under_way += weight

    def arrive(self, now: float, weight: int, unused: bool) -> None:
        self.under_way -= weight
        if not unused:
            self.ended.extend([now] * weight)


@dataclass(slots=True)
class _Lane:
    """One chat: one call at a time, in order."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    window: _Window | None = None  # of a group
    level: float = 0.0  # of a person's bucket, at `level_at`
    level_at: float = 0.0
    paused_until: float = 0.0


class Pace:
    """The lanes. Times are those of `clock`, a monotonic one."""

    def __init__(self, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits or Limits()
        self.clock = clock
        self._lanes: dict[int, _Lane] = {}
        self._all = _Window(self.limits.all_calls, self.limits.all_window_s)
        self._gate = asyncio.Lock()
        self._paused_until = 0.0

    def pause(self, chat_id: int | None, seconds: float) -> None:
        """Nothing to this chat (None: to anybody) for so long."""
        until = self.clock() + seconds
        if chat_id is None:
            self._paused_until = max(self._paused_until, until)
        else:
            lane = self._lane(chat_id)
            lane.paused_until = max(lane.paused_until, until)

    def whose_pause(self, chat_id: int) -> int | None:
        """Whom a 429 from this chat concerns: the group that is near its own limit, else (None) everybody."""
        window = self._lane(chat_id).window
        crowded = len(self._all.ended) + self._all.under_way >= 0.8 * self._all.limit
        return chat_id if window is not None and not crowded else None

    def _lane(self, chat_id: int) -> _Lane:
        if (lane := self._lanes.get(chat_id)) is None:
            if len(self._lanes) > 5000:
                self._forget()
            lane = self._lanes[chat_id] = _Lane()
            if chat_id < 0:
                lane.window = _Window(self.limits.group_calls, self.limits.group_window_s)
        return lane

    def _forget(self) -> None:
        now = self.clock()
        self._lanes = {
            chat_id: lane
            for chat_id, lane in self._lanes.items()
            if lane.users or lane.paused_until > now or (lane.window and not self._idle(lane.window, now))
        }

    @staticmethod
    def _idle(window: _Window, now: float) -> bool:
        return not window.under_way and (not window.ended or window.ended[-1] <= now - window.window_s)

    @asynccontextmanager
    async def turn(self, chat_id: int) -> AsyncIterator[None]:
        """The chat's lane: who came first goes first, and alone."""
        lane = self._lane(chat_id)
        lane.users += 1
        try:
            async with lane.lock:
                yield
        finally:
            lane.users -= 1

    def busy(self, chat_id: int) -> bool:
        """Whether a call to this chat would have to wait, or it is a group."""
        lane = self._lane(chat_id)
        return chat_id < 0 or lane.users > 0 or max(self._lane_wait_s(lane, 1), self._gate_wait_s(1)) > 0

    @asynccontextmanager
    async def departure(self, chat_id: int, weight: int = 1) -> AsyncIterator[Place]:
        """Waits until `weight` messages may go to this chat; the call is made inside. Needs the turn."""
        lane = self._lane(chat_id)
        await self._until_free(lane, weight)
        self._all.leave(weight)
        if lane.window:
            lane.window.leave(weight)
        place = Place()
        try:
            yield place
        finally:
            now = self.clock()
            self._all.arrive(now, weight, place.unused)
            if lane.window:
                lane.window.arrive(now, weight, place.unused)
            elif not place.unused:
                lane.level = self._level(lane, now) + weight * self.limits.private_interval_s
                lane.level_at = now

    async def _until_free(self, lane: _Lane, weight: int) -> None:
        while True:
            await self._sleep_while(lambda: self._lane_wait_s(lane, weight))
            async with self._gate:
                await self._sleep_while(lambda: self._gate_wait_s(weight))
                if self._lane_wait_s(lane, weight) <= 0:
                    return  # nothing awaits between here and leave()

    def calm(self, chat_id: int) -> bool:
        """Whether a message could follow one that is sent now without waiting."""
        lane = self._lane(chat_id)
        return not lane.users and self._lane_wait_s(lane, 2) <= 0

    async def free(self) -> None:
        """Waits for the end of a pause for everybody: calls that are no messages need no more."""
        await self._sleep_while(lambda: self._paused_until - self.clock())

    async def _sleep_while(self, wait_s: Callable[[], float]) -> None:
        while (seconds := wait_s()) > 0:  # noqa: ASYNC110 - it waits for a time, and that may have grown
            await asyncio.sleep(seconds)

    def _gate_wait_s(self, weight: int) -> float:
        now = self.clock()
        return max(self._paused_until - now, self._all.wait_s(now, weight))

    def _lane_wait_s(self, lane: _Lane, weight: int) -> float:
        now = self.clock()
        waits = lane.paused_until - now
        if lane.window:
            return max(waits, lane.window.wait_s(now, weight))
        room = (self.limits.private_burst - min(weight, self.limits.private_burst)) * self.limits.private_interval_s
        return max(waits, self._level(lane, now) - room)

    def _level(self, lane: _Lane, now: float) -> float:
        """Seconds of sending not yet paid for by waiting."""
        return max(0.0, lane.level - (now - lane.level_at))
