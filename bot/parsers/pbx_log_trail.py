"""What became of each REGISTER in the PBX's log: events in, outcomes out, matched by IP:PORT and by order.

    Processing REGISTER from 192.0.2.7:57705
    Authentication failed for 1002
    Sending response 403 Forbidden to 192.0.2.7:57705

The failing lines carry no address and the 403 no number, and clients interleave: hence the book-keeping. Works
on a pasted log and, event by event, on one that is being written.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bot.parsers.pbx_log_lines import LogEvent, Said
from bot.parsers.pbx_log_quotation import Quotation

REGISTERED = "registered"
AUTH_FAILED = "auth_failed"
NOT_FOUND = "not_found"
SERVER_ERROR = "server_error"

_BY_CODE = {403: AUTH_FAILED, 404: NOT_FOUND}
_REASONS = {
    Said.WRONG_PASSWORD: "wrong_password",
    Said.PASSWORD_LOST: "password_not_cached",
    Said.USERNAME_MISMATCH: "username_mismatch",
}
_TRUNK = "81.95.237."  # the provider's network


@dataclass(slots=True)
class Source:
    """One client socket (IP:PORT) as the log knows it."""

    ip: str
    port: int
    method: str | None = None  # of its last request
    host: str | None = None  # of its REGISTER's request URI
    extension: str | None = None  # it was challenged for
    challenges: int = 0  # since its last outcome
    packets: int = 0  # since its last challenge
    asked: bool = False  # it sent something else than OPTIONS
    seen: bool = False  # the PBX dealt with a REGISTER of it
    coded: bool = False  # the answer being sent is a refusal or a challenge
    blocked: int = 0  # answers the server's own filter forbade (EPERM), since one last went out
    unnamed: bool = False  # its From header could not be read
    ours: bool = False  # it is at the PBX's own address: whoever probes from there is no user

    @property
    def foreign(self) -> bool:
        """Not a user's phone: this host itself, or the provider."""
        return self.ours or self.ip.startswith(("127.", _TRUNK))


@dataclass(slots=True)
class Outcome:
    """How one REGISTER ended. None: not written, or not to be told from the lines."""

    status: str
    extension: str | None = None
    source: Source | None = None
    reason: str | None = None
    login: str | None = None
    text: str | None = None
    challenges: int = 0  # before it, to the same socket
    settled: bool = False  # its last line was written
    answered: bool = False  # the line that names its socket was written
    provisional: bool = False  # only an answer without a refusal was seen
    before_start: bool = False  # the PBX was started since, and knows nothing of it any more


class Trail:
    """The state after the events fed so far. `whole`: not thinned out by grep. `own`: the PBX's addresses."""

    def __init__(self, *, whole: bool = True, own: Collection[str] = ()) -> None:
        self.whole, self._own = whole, own
        self.outcomes: list[Outcome] = []
        self.challenges: list[tuple[str, Source]] = []
        self._challenged: dict[str, Source] = {}
        self.sources: dict[tuple[str, int], Source] = {}
        self.packets = 0  # from clients
        self.other_port = 0
        self.last: Said | None = None  # what the PBX itself said last
        self._quotation = Quotation()
        self._current: Source | None = None  # of the last packet
        self._last: Source | None = None  # of the last packet or challenge
        self._received = False

    @property
    def stopped(self) -> bool:
        """The PBX ended, and wrote nothing since."""
        return self.last is Said.STOPPED

    def feed(self, event: LogEvent) -> None:
        """Takes the next event of the log."""
        if self.whole and not self._quotation.believes(event):
            return
        source = self._source(event)
        if event.said is not Said.ELSE:
            self.last = event.said
        match event.said:
            case Said.RECEIVED if source:
                self._packet(source)
            case Said.REQUEST:
                self._request(event)
            case Said.RESPONSE:
                self._no_packet()
            case Said.IGNORED if self._current:
                self._current.asked = True
            case Said.PROCESSING if source:
                source.method, source.coded, source.seen, source.asked = "REGISTER", False, True, True
                self._last = source
            case Said.OTHER_REQUEST if source:
                source.method = "OTHER"
            case Said.CHALLENGE if source and event.extension:
                self._challenge(source, event.extension)
            case Said.OTHER_PORT:
                self.other_port += 1
            case Said.STARTED:
                for outcome in self.outcomes:
                    outcome.before_start = True
            case Said.NO_USERNAME if self._last:
                self._last.unnamed = True
            case Said.SEND_ERROR if source and "EPERM" in (event.text or ""):
                source.blocked += 1
            case Said.ANSWER_SENT if source:
                self._let_out(source)
            case _:
                self._conclude(event, source)

    def _conclude(self, event: LogEvent, source: Source | None) -> None:
        match event.said:
            case Said.ANSWER_CODE if source and event.code:
                self._refused(source, event.code)
            case Said.ANSWER if source:
                self._answered(source)
            case Said.OPTIONS_ANSWERED if source:
                self._take_back(source)
            case Said.REGISTERED if source:
                self._registered(source, event.extension)
            case Said.AUTH_FAILED | Said.WRONG_PASSWORD | Said.PASSWORD_LOST | Said.USERNAME_MISMATCH:
                self._auth_failed(event)
            case Said.NOT_FOUND:
                self.outcomes.append(Outcome(NOT_FOUND, event.extension, self._last))
            case Said.REGISTER_ERROR:
                self.outcomes.append(Outcome(SERVER_ERROR, None, self._last, text=event.text))
            case Said.SERVER_ERROR:
                self.outcomes.append(Outcome(SERVER_ERROR, text=event.text, answered=True))

    def _let_out(self, source: Source) -> None:
        """The filter let an answer to this client out: what it forbade before was odd packets, or is mended."""
        for one in self.sources.values():
            if one.ip == source.ip:
                one.blocked = 0

    def _source(self, event: LogEvent) -> Source | None:
        if event.source_ip is None or event.source_port is None:
            return None
        key = (event.source_ip, event.source_port)
        return self.sources.setdefault(key, Source(*key, ours=event.source_ip in self._own))

    def _packet(self, source: Source) -> None:
        self._current = self._last = source
        self._received = True
        source.method = None
        source.packets += 1
        self.packets += not source.foreign

    def _no_packet(self) -> None:
        """What came in was an answer: no client asked for anything."""
        source, self._current = self._current, None
        if source is None:
            return
        self.packets -= not source.foreign
        source.packets -= 1
        if source.packets <= 0 and not source.asked:
            self.sources.pop((source.ip, source.port), None)

    def _request(self, event: LogEvent) -> None:
        if self._current and event.text:
            self._current.method = event.text if event.text in ("REGISTER", "INVITE", "OPTIONS") else "OTHER"
            self._current.asked |= event.text != "OPTIONS"
            if event.text == "REGISTER":
                self._current.host = event.host

    def _challenge(self, source: Source, extension: str) -> None:
        self._last = source
        source.extension, source.coded, source.packets = extension, True, 0
        source.seen = source.asked = True
        source.challenges += 1
        self._challenged[extension] = source
        if not source.foreign:
            self.challenges.append((extension, source))

    def _registered(self, source: Source, extension: str | None) -> None:
        if self.whole and self._received and not source.seen and source.method != "REGISTER":
            return  # nobody asked from there: a forged line
        self._take_back(source)
        outcome = Outcome(REGISTERED, extension, source, settled=True)
        before = next((o for o in reversed(self.outcomes[-4:]) if o.source is source), None)
        again = before is not None and before.status == REGISTERED and not source.challenges
        self._end(outcome)
        if again and before is not None:  # a copy of the request that was answered already
            outcome.challenges = max(2, before.challenges)

    def _answered(self, source: Source) -> None:
        """'Sending response to', which is a 200 unless a line before it says otherwise."""
        if not source.coded and (source.method == "REGISTER" or (source.method is None and source.extension)):
            self._end(Outcome(REGISTERED, source.extension, source, settled=True, provisional=True))
        source.coded = False
        source.seen = source.seen or not self._received

    def _take_back(self, source: Source) -> None:
        """The answer turned out to be another one, or its line with the number follows."""
        for number, outcome in reversed(list(enumerate(self.outcomes[-8:], max(0, len(self.outcomes) - 8)))):
            if outcome.provisional and outcome.source is source:
                source.challenges = outcome.challenges
                del self.outcomes[number]
                return

    def _end(self, outcome: Outcome) -> None:
        if outcome.source:
            outcome.challenges, outcome.source.challenges = outcome.source.challenges, 0
        self.outcomes.append(outcome)

    def _auth_failed(self, event: LogEvent) -> None:
        reason = _REASONS.get(event.said)
        opened = self._open(AUTH_FAILED, event.extension)
        if opened is None or (reason and opened.reason not in (None, reason)):
            challenged = self._challenged.get(event.extension or "", self._last)
            opened = Outcome(AUTH_FAILED, event.extension, challenged)
            self.outcomes.append(opened)
        opened.reason = opened.reason or reason
        opened.login = opened.login if event.login is None else event.login
        opened.settled = event.said is Said.AUTH_FAILED

    def _open(self, status: str, extension: str | None) -> Outcome | None:
        """The outcome whose lines are still coming."""
        for outcome in reversed(self.outcomes[-8:]):
            if outcome.status == status and outcome.extension == extension:
                return None if outcome.settled or outcome.answered else outcome
        return None

    def _refused(self, source: Source, code: int) -> None:
        """'Sending response 403 Forbidden to IP:PORT' names the socket of the failure just written."""
        source.coded = True
        status = SERVER_ERROR if code >= 500 else _BY_CODE.get(code)
        if status is None or source.method in ("OTHER", "INVITE", "OPTIONS"):
            return
        written = (o for o in reversed(self.outcomes[-4:]) if o.status == status and not o.answered)
        outcome = next(written, None)
        if outcome is None:  # grep left only the '[SIP]' lines: the number stands in the challenge before, if any
            outcome = Outcome(status, None if status == NOT_FOUND else source.extension)
            self.outcomes.append(outcome)
        if status == SERVER_ERROR:
            outcome.extension = source.extension
        outcome.source, outcome.answered = source, True
        outcome.challenges, source.challenges = source.challenges, 0
