"""Which extensions got in, and which did the PBX send away because it had lost their password? Heard as it is written.

heard = Outcomes(target, runner)
heard.start()            # follows the log from now on; nothing happens where there is none
heard.take()             # (Outcome("1002", lost=True, at=…), …): the newest of each extension since the last call
await heard.close()
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.checks.check import NotTested
from bot.checks.log_follow import LogFollower, LogLine
from bot.checks.register_log import RegisterLog, Socket
from bot.checks.runner import Runner
from bot.model import Target
from bot.parsers.pbx_log_lines import LogEvent, Said

MOST = 5000  # extensions between two calls of `take`
KNOWN = frozenset({Said.REGISTERED, Said.WRONG_PASSWORD})  # to call a password wrong, the PBX has to know the right one


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an extension's last attempt. `lost`: the PBX had no password for it; else it had one."""

    extension: str
    lost: bool
    registered: bool  # it got in, or signed off
    at: datetime


class Outcomes:
    """One listener of the PBX's log; of its files, or of the log command where there are none."""

    def __init__(self, target: Target, runner: Runner, env: Mapping[str, str] | None = None) -> None:
        command = None if target.log_files else target.log_command
        self._follower = LogFollower(target.log_files, command, env)
        self._runner = runner
        self._book = RegisterLog(self._on_socket, lambda _: None)
        self._heard: OrderedDict[str, Outcome] = OrderedDict()

    def start(self) -> bool:
        """From now on it listens; False: there is no log to follow."""
        try:
            self._follower.join(self._on_lines)
        except NotTested:
            return False
        return True

    def take(self) -> tuple[Outcome, ...]:
        """What was heard since the last call, the newest of each extension."""
        heard = tuple(self._heard.values())
        self._heard.clear()
        return heard

    async def close(self) -> None:
        """Lets files and command go."""
        await self._follower.close()

    def _on_lines(self, lines: Sequence[LogLine]) -> None:
        now, json_there = time.monotonic(), self._follower.has_json
        for line in lines:
            self._book.feed(line, now, json_there=json_there)

    def _on_socket(self, socket: Socket, event: LogEvent) -> None:
        if event.extension is None or socket.port in self._runner.own_ports:
            return
        if self._follower.has_json and not socket.json:
            return  # winston's own log tells the same, and nobody can forge it
        if event.said in KNOWN or event.said is Said.PASSWORD_LOST:
            lost, registered = event.said is Said.PASSWORD_LOST, event.said is Said.REGISTERED
            self._heard[event.extension] = Outcome(event.extension, lost, registered, datetime.now(UTC))
            self._heard.move_to_end(event.extension)
            while len(self._heard) > MOST:
                self._heard.popitem(last=False)
