"""What does one person's watch know so far? The lines of one extension in; stages, findings and the end out."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from bot.checks.pbx_log import DATABASE
from bot.checks.register_confirm import online_now
from bot.checks.register_log import Socket
from bot.checks.register_story import ENDS, STOPPED_AFTER_S, Events, Stage, Story, prove, tell
from bot.checks.runner import Runner
from bot.model import Context, Finding, Tag, Target
from bot.parsers.pbx_log_lines import LogEvent, Said

NAMED_WITHIN_S = 0.5  # the PBX deals with a packet at once
WAITS_FOR_BETTER_S = 5.0  # after a request that only may be the user's
SETTLES_S = 1.5  # pressing Save signs off first and registers then
SUCCESS = [Stage.PACKET_SEEN, Stage.CHALLENGED, Stage.SECOND_REGISTER, Stage.CONFIRMING]
AT_THE_END = {Tag.LOG_CHALLENGE_REPEATED: Stage.ANSWERS_LOST, Tag.LOG_CHALLENGE_ONCE: Stage.STOPPED_AFTER_401}
FOR_OTHERS = (Tag.LOG_NOT_FOUND_OTHER, Tag.LOG_HEADERS_REWRITTEN)  # what lines without the user's number can tell


class Watcher:
    """One watch. `changed` is set whenever there may be something new to show."""

    def __init__(self, target: Target, runner: Runner, *, patient: bool = False) -> None:
        """`patient`: nobody presses anything now; it waits for a registration that may come some day."""
        self.patient = patient
        self.target = target
        self.extension = target.extension or ""
        self.user_ip = target.user_ip
        self.changed = asyncio.Event()
        self.stage = Stage.WAITING  # as last shown
        self.decided = False
        self.confirmed = False
        self.findings: tuple[Finding, ...] = ()
        self.notes: list[str] = []
        self._ending = Stage.WAITING  # what `advance` has to show last
        self._runner = runner
        self._context = Context(target.host, target.sip_port, target.expected_ips, target.extension)
        self._since = time.monotonic()
        self._sockets: list[Socket] = []  # that speak for this extension
        self._perhaps: list[Socket] = []  # that name nobody yet, and may be this user's
        self._other: tuple[Finding, ...] = ()
        self._other_since = 0.0  # monotonic
        self._offline: Finding | None = None
        self._judged = 0  # 'registered' lines that were looked into

    # What the keeper of the log tells.

    def mine(self, socket: Socket) -> None:
        """A line about a socket that speaks for this extension."""
        if socket.port in self._runner.own_ports:
            return
        if all(socket is not one for one in self._sockets):
            self._sockets.append(socket)
        self.changed.set()

    def perhaps_mine(self, socket: Socket, event: LogEvent) -> None:
        """A line about a socket that names nobody, or a number nobody watches.

        It is this user's when it comes from his address; or when he is the only one who is watched and the
        request names the PBX, for scanners ask by address.
        """
        if socket.port in self._runner.own_ports or socket.ip in self.target.expected_ips:
            return
        by_name = (socket.host or "").casefold().partition(":")[0] == self._context.host.casefold()
        if socket.ip != self.user_ip and not by_name:
            return
        if event.said is Said.ANSWER_CODE:
            heard = self._heard(socket)
            unnamed = prove(heard, replace(self._context, extension=None))
            found = [one for one in (*prove(heard, self._context), *unnamed) if one.tag in FOR_OTHERS]
            if socket.ip != self.user_ip:  # it may be somebody else's address: never to be unbanned for this user
                found = [replace(one, args={**one.args, "source_ip": None}) for one in found]
            self._other = tuple(found)
            # By his address it is surely his; else the right request may still follow.
            self._other_since = time.monotonic() - (WAITS_FOR_BETTER_S if socket.ip == self.user_ip else 0)
        if all(socket is not one for one in self._perhaps):
            self._perhaps.append(socket)
        self.changed.set()

    def trouble(self, event: LogEvent, *, alone: bool) -> None:
        """What is everybody's: the port is taken, the database is away. `alone`: nobody else is watched."""
        text = event.text or ""
        if event.said is Said.SERVER_ERROR and "EADDRINUSE" in text:
            self._end(Stage.SERVER_ERROR, Finding(Tag.LOG_PORT_TAKEN))
        elif event.said is Said.REGISTER_ERROR and DATABASE.search("".join(text.split())):
            self._end(Stage.SERVER_ERROR, Finding(Tag.LOG_DB_DOWN))
        elif event.said is Said.OTHER_PORT and alone:
            self._other = self._other or (Finding(Tag.LOG_OTHER_PORT),)
            self.changed.set()

    # What the watch asks.

    @property
    def heard(self) -> bool:
        """A line that is, or may be, about this user was seen."""
        return bool(self._sockets) or self._nameless()

    @property
    def source_ip(self) -> str | None:
        """The user's public address, from a line that names the extension."""
        socket = self._best()
        return socket.ip if socket else None

    def advance(self) -> list[Stage]:
        """The stages reached since the last call, in order. Ends the watch when they decide it."""
        if self.decided:
            return self._shown([self._ending])
        story = self._story()
        if story is None:
            return self._without_name()
        path = story.path
        if story.successes > self._judged:
            path = SUCCESS  # whatever came after it: first it is looked into
        elif story.stage is Stage.CONFIRMING:
            path = []  # that one was looked into
        elif story.stage is Stage.STOPPED_AFTER_401 and not self._surely_mine():
            path = path[:-1]  # a scanner's first packet looks the same
        shown = self._shown(path)
        if path and path[-1] in ENDS:
            self._end(path[-1], *self._proof())
        return shown

    def _without_name(self) -> list[Stage]:
        path = [Stage.PACKET_SEEN] if self._nameless() else []
        told = bool(self._other) and self._other[0].tag in FOR_OTHERS  # a packet on the other port proves little
        if told and time.monotonic() - self._other_since >= WAITS_FOR_BETTER_S:
            unnamed = self._other[0].tag is Tag.LOG_HEADERS_REWRITTEN
            path.append(Stage.HEADERS_REWRITTEN if unnamed else Stage.NOT_FOUND)
        shown = self._shown(path)
        if len(path) > 1:
            self._end(path[-1], *self._other)
        return shown

    def fell_silent(self) -> list[Stage]:
        """Nothing came for a while; the watch goes on."""
        return self._shown([Stage.NOTHING_SEEN])

    @property
    def unconfirmed(self) -> bool:
        """The log says 'registered', and that was not looked into yet."""
        story = self._story()
        return story is not None and story.successes > self._judged

    async def confirm(self) -> list[Stage]:
        """Asks the API whether the extension is online now, and ends the watch when it is.

        A sign-off leaves it offline: the watch goes on. Where the API cannot be asked, the log's word stands
        unless another line follows soon.
        """
        judged = self._successes()
        socket = self._best()
        answer = await online_now(self._runner, self.target, socket.stamp if socket else None)
        if answer.failure is not None:
            self.notes.append(f"not confirmed: {answer.failure}")
            await asyncio.sleep(SETTLES_S)
        self._judged = judged
        if self._successes() > judged:
            return []  # the next one is there already, and it is the one that counts
        if answer.online is not None:
            self.confirmed = True
            self._end(Stage.REGISTERED, *self._proof(), answer.online)
        elif answer.failure is not None:
            story = self._story()
            if story is not None and story.stage is Stage.CONFIRMING:  # nothing came after it
                self._end(Stage.REGISTERED, *self._proof())
        else:
            self._offline = answer.offline
            self.notes.append(answer.detail)
            return self._shown([Stage.UNREGISTERED])
        return []

    async def pbx_answers(self) -> bool:
        """Whether the PBX answers our own probe, which its log has to show."""
        results = await self._runner.run(self.target, only=["sip"], fresh=True)
        return any(one.tag is Tag.SERVER_SIP_ANSWERS for result in results for one in result.findings)

    def pause_s(self) -> float | None:
        """When silence itself will mean something; None: only a new line can."""
        story, left_s = self._story(), 0.0
        if story is None and self._other:
            left_s = self._other_since + WAITS_FOR_BETTER_S - time.monotonic()
        elif story is None and any(one.extension is None for one in self._perhaps):
            left_s = NAMED_WITHIN_S
        elif story is not None and story.stage is Stage.CHALLENGED and story.challenges == 1:
            left_s = story.challenged_at + STOPPED_AFTER_S - time.monotonic()
        return left_s if left_s > 0 else None

    def run_out(self) -> list[Stage]:
        """The time is over: what is known now is the result. The stages that follow from that."""
        if self.decided:
            return self.advance()
        story = self._story()
        if story is None:
            seen = self._nameless()
            self.findings = self._other or (Finding(Tag.LOG_PACKET_SEEN if seen else Tag.LOG_SILENT),)
            return self._shown([] if seen or self._other else [Stage.NOTHING_SEEN])
        self.findings = self._proof()
        if story.stage is Stage.CONFIRMING and story.successes <= self._judged:  # looked into, and not true
            told = (one for one in self.findings if one.tag is not Tag.LOG_REGISTERED)
            self.findings = (*told, *([self._offline] if self._offline else []))
        elif not self.findings or self.findings[0].tag in (Tag.LOG_REQUEST_BY_NAME, Tag.LOG_REQUEST_BY_IP):
            self.findings = (Finding(Tag.LOG_PACKET_SEEN, {"source_ip": self.source_ip}), *self.findings)
        return self._shown([AT_THE_END[one.tag] for one in self.findings if one.tag in AT_THE_END])

    # Its own book-keeping.

    def _shown(self, path: list[Stage]) -> list[Stage]:
        new = path[path.index(self.stage) + 1 :] if self.stage in path else path
        if path:
            self.stage = path[-1]
        return new

    def _end(self, stage: Stage, *findings: Finding) -> None:
        self._ending, self.findings, self.decided = stage, findings, True
        self.changed.set()

    def _nameless(self) -> bool:
        """A request that stayed without a name: a phone's is named by the next line, and most are colleagues'."""
        late = time.monotonic() - NAMED_WITHIN_S
        return bool(self._other) or any(one.extension is None and one.events[-1][0] <= late for one in self._perhaps)

    def _heard(self, socket: Socket) -> Events:
        return [(at, event) for at, event in socket.events if at >= self._since]

    def _best(self) -> Socket | None:
        """The socket that counts: surely the user's before a stranger's who tries his number, then the latest."""
        own = self._runner.own_ports
        heard = [one for one in self._sockets if one.port not in own and self._heard(one)]
        return max(heard, key=lambda one: (self._is_surely_mine(one), one.json, one.events[-1][0]), default=None)

    def _is_surely_mine(self, socket: Socket) -> bool:
        by_name = (socket.host or "").casefold().partition(":")[0] == self._context.host.casefold()
        return socket.ip == self.user_ip or by_name

    def _surely_mine(self) -> bool:
        socket = self._best()
        return socket is not None and self._is_surely_mine(socket)

    def _story(self) -> Story | None:
        socket = self._best()
        return tell(self._heard(socket), time.monotonic()) if socket else None

    def _successes(self) -> int:
        story = self._story()
        return story.successes if story else 0

    def _proof(self) -> tuple[Finding, ...]:
        socket = self._best()
        return prove(self._heard(socket), self._context) if socket else ()
