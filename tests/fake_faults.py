"""What goes wrong between the bot and the fake Telegram: faults ordered by a test, and flood limits."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.fake_chats import JSON, Refusal

FaultKind = Literal["drop", "drop_after", "status", "flood", "garbage", "hang"]
SENDS = ("send", "edit", "copy", "forward", "createForum", "closeForum", "reopenForum")


@dataclass(slots=True)
class Fault:
    """One thing to go wrong.

    drop: the connection closes and nothing happened. drop_after: it happened, the answer is lost.
    status: a bare HTTP status, nothing happened. flood: 429 with retry_after.
    garbage: it happened, the answer is no JSON.
    hang: nothing happens for `seconds`, then the connection closes.
    """

    kind: FaultKind
    method: str | None = None  # None: any but getUpdates
    contains: str | None = None  # only calls with this in a parameter
    times: int = 1
    status: int = 502
    seconds: float = 1.0

    def meets(self, method: str, params: JSON) -> bool:
        """Whether this call is the one."""
        if self.times <= 0 or (method != self.method if self.method else method == "getUpdates"):
            return False
        return self.contains is None or any(self.contains in str(value) for value in params.values())


@dataclass(slots=True)
class Flood:
    """Telegram's limits, as strict as they are documented, and who broke a pause that was ordered."""

    on: bool = False
    private_burst: int = 3  # then 1 a second
    group_per_min: int = 20
    group_window_s: float = 60.0  # shorter: a minute passes faster
    all_per_s: int = 30
    refusals: int = 0
    violations: int = 0  # calls made before retry_after was over
    _recent: dict[int, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _until: dict[int, float] = field(default_factory=dict)  # 0: everybody
    _level: dict[int, tuple[float, float]] = field(default_factory=dict)  # of a private chat: level, when

    def pause(self, chat_id: int, seconds: float, now: float) -> Refusal:
        """Orders a pause. chat 0: of the whole bot."""
        whole = max(1, math.ceil(seconds))
        self.refusals += 1
        self._until[chat_id] = max(self._until.get(chat_id, 0.0), now + whole)
        return Refusal(429, f"Too Many Requests: retry after {whole}", retry_after=whole)

    def check(self, method: str, params: JSON, now: float) -> None:
        """Raises the refusal that Telegram would answer now."""
        if not method.startswith(SENDS) or "chat_id" not in params:
            return
        chat_id = _number(params["chat_id"])
        for scope in (0, chat_id):
            if now < self._until.get(scope, 0.0):
                self.violations += 1
                raise self.pause(scope, self._until[scope] - now, now)
        if not self.on:
            return
        everybody, one = self._recent[0], self._recent[chat_id]
        _forget(everybody, now - 1.0)
        if len(everybody) >= self.all_per_s:
            raise self.pause(0, 1.0, now)
        if chat_id < 0:
            _forget(one, now - self.group_window_s)
            if len(one) >= self.group_per_min:
                raise self.pause(chat_id, one[0] + self.group_window_s - now, now)
            one.append(now)
        else:
            level, last = self._level.get(chat_id, (0.0, now))
            level = max(0.0, level - (now - last)) + 1.0
            if level > self.private_burst:
                raise self.pause(chat_id, 1.0, now)
            self._level[chat_id] = (level, now)
        everybody.append(now)


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 1


def _forget(times: deque[float], before: float) -> None:
    while times and times[0] < before:
        times.popleft()
