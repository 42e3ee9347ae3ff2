"""Which phone's attempt does each line of the live log belong to? Lines of all streams in, events by socket out.

    [SIP] Processing REGISTER from 192.0.2.7:57705      the socket is in the line
    Authentication failed for 1002                      no socket: waits for the next line,
    [SIP] Sending response 403 Forbidden to 192.0.2.7:57705      which names it at once

What a client smuggled into the log is left out. Sockets that are no user's phone (loopback, the provider, our own
probes) are followed too, for their lines stand between the others, but nobody is told of them.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bot.checks.log_follow import LogLine
from bot.parsers.pbx_log_lines import LogEvent, Said
from bot.parsers.pbx_log_quotation import Quotation
from bot.parsers.pbx_log_trail import Source

SOCKETS_MAX = 4096  # that are remembered; the ones longest silent are forgotten
EVENTS_MAX = 96  # of one socket
LOOSE_MAX = 64  # lines that wait for the one that names their socket
STAMP = re.compile(r"20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d")

REFUSAL = {
    Said.WRONG_PASSWORD: 403,
    Said.PASSWORD_LOST: 403,
    Said.USERNAME_MISMATCH: 403,
    Said.AUTH_FAILED: 403,
    Said.NOT_FOUND: 404,
    Said.NO_USERNAME: 400,
    Said.REGISTER_ERROR: 500,
}
OF_THE_PACKET = frozenset({Said.REQUEST, Said.RESPONSE, Said.IGNORED})
NAMING = frozenset({Said.CHALLENGE, Said.REGISTERED, *REFUSAL})


@dataclass(slots=True)
class Socket:
    """One client's IP:PORT in one stream, and what was written about it, oldest first, with the time of hearing."""

    stream: str
    ip: str
    port: int
    events: deque[tuple[float, LogEvent]] = field(default_factory=lambda: deque(maxlen=EVENTS_MAX))
    extension: str | None = None  # it was last challenged, refused or registered for
    host: str | None = None  # of its last REGISTER's request URI
    registers: bool = False  # it sent a REGISTER
    stamp: str | None = None  # of its last line, in the log's own time: '2026-11-22 19:27:12'

    @property
    def json(self) -> bool:
        """From winston's own log, whose messages nobody can forge."""
        return self.stream.endswith("(json)")

    @property
    def foreign(self) -> bool:
        """This host itself, or the provider."""
        return Source(self.ip, self.port).foreign


@dataclass(slots=True)
class _Stream:
    """Where one stream stands."""

    json: bool  # as of Socket
    quotation: Quotation = field(default_factory=Quotation)
    packet: Socket | None = None  # of the last packet
    loose: list[LogEvent] = field(default_factory=list)


OnEvent = Callable[[Socket, LogEvent], None]
OnServer = Callable[[LogEvent], None]


class RegisterLog:
    """`on_socket` hears of each event with its socket, `on_server` of what concerns everybody.

    `keep` says of an extension that its sockets must not be forgotten, however many strangers come.
    """

    def __init__(
        self, on_socket: OnEvent, on_server: OnServer, keep: Callable[[str | None], bool] = lambda _: False
    ) -> None:
        self._on_socket, self._on_server, self._keep = on_socket, on_server, keep
        self._streams: dict[str, _Stream] = {}
        self._sockets: OrderedDict[tuple[str, str, int], Socket] = OrderedDict()

    def feed(self, line: LogLine, now: float, *, json_there: bool = False) -> None:
        """Takes the next line; `now` is the monotonic time it was heard at.

        `json_there`: winston's own log is read as well, so 'registered' is believed there only.
        """
        if not line.events:
            return
        stream = self._streams.get(line.stream)
        if stream is None:
            stream = self._streams[line.stream] = _Stream(line.stream.endswith("(json)"))
        for event in line.events:
            # Winston's messages are anchored, nobody forges them; the others have to be in their place.
            if stream.json or stream.quotation.believes(event):
                if event.said is Said.REGISTERED and json_there and not stream.json:
                    continue
                for socket, one in self._placed(stream, line.stream, event):
                    self._enter(socket, one, line.text, now)

    def _placed(self, stream: _Stream, name: str, event: LogEvent) -> Iterator[tuple[Socket, LogEvent]]:
        socket = self._socket(name, event)
        if event.said is Said.RECEIVED:
            stream.packet = socket
        elif event.said in OF_THE_PACKET:
            socket = stream.packet
        elif event.said in (Said.SERVER_ERROR, Said.OTHER_PORT):
            self._on_server(event)
        elif event.said in REFUSAL:
            stream.loose = [*stream.loose[-LOOSE_MAX:], event]
        elif event.said is Said.ANSWER_CODE and socket is not None:
            for cause in _claimed(stream, event.code or 0):
                yield socket, cause
        if socket is not None:
            yield socket, event

    def _socket(self, stream: str, event: LogEvent) -> Socket | None:
        if event.source_ip is None or event.source_port is None:
            return None
        key = (stream, event.source_ip, event.source_port)
        socket = self._sockets.get(key)
        if socket is None:
            socket = self._sockets[key] = Socket(*key)
            self._forget()
        else:
            self._sockets.move_to_end(key)
        return socket

    def _forget(self) -> None:
        for _ in range(len(self._sockets) - SOCKETS_MAX):
            key, oldest = next(iter(self._sockets.items()))
            if self._keep(oldest.extension):
                self._sockets.move_to_end(key)  # the next call looks at the next one
            else:
                del self._sockets[key]

    def _enter(self, socket: Socket, event: LogEvent, text: str, now: float) -> None:
        socket.events.append((now, event))
        if event.said in NAMING and event.extension:
            socket.extension = event.extension
            socket.stamp = (STAMP.findall(text) or [None])[-1]  # pm2's own stands before the PBX's
        elif event.said is Said.PROCESSING:
            socket.registers = True
        elif event.said is Said.REQUEST and event.text == "REGISTER":
            socket.host = event.host
        if not socket.foreign:
            self._on_socket(socket, event)


def _claimed(stream: _Stream, code: int) -> list[LogEvent]:
    """The waiting lines the answer belongs to: those of the extension written last, for it follows at once."""
    fitting = [event for event in stream.loose if REFUSAL[event.said] == code or (code >= 500 <= REFUSAL[event.said])]
    if not fitting:
        return []
    claimed = [event for event in fitting if event.extension == fitting[-1].extension]
    stream.loose = [event for event in stream.loose if all(event is not one for one in claimed)]
    return claimed
