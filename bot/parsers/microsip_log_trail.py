"""How the last attempt of MicroSIP to register went, from the events of its log."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.parsers.microsip_log_lines import LogEvent, Said

UNANSWERED = 3  # retransmissions without an answer that count as a timeout
# PJSIP's own error numbers where it gives up without a final answer.
CREDENTIAL_REFUSED = frozenset({171100, 171111})  # the answer was refused, once or too often
_RESOLVING = frozenset({70018, *range(320045, 320060)})


@dataclass(slots=True)
class Attempt:
    """One try to register: the packets since the last outcome."""

    sent: dict[int, int] = field(default_factory=dict)  # CSeq: how often
    resent: int = 0  # by the transaction's own lines
    answers: dict[int, int] = field(default_factory=dict)  # CSeq: code
    last_cseq: int | None = None
    discarded: int = 0  # packets from the server that were no SIP answer to anything

    @property
    def retransmissions(self) -> int:
        """Of the request sent last."""
        return max(self.resent, self.sent.get(self.last_cseq or -1, 0) - 1)

    @property
    def challenged(self) -> bool:
        """A 401 or 407 did come in."""
        return any(code in (401, 407) for code in self.answers.values())


class Trail:
    """The state after the events fed so far; call `finish` after the last."""

    def __init__(self) -> None:
        self.code: int | None = None  # SIP code of the last outcome; None: no outcome yet
        self.error: int | None = None  # PJSIP's number, where it gave one
        self.reason: str | None = None
        self.extension: str | None = None
        self.attempt = Attempt()  # that led to the last outcome, or is still running
        self.unanswered = False  # still running, sent again and again
        self.answered_with: int | None = None
        self.host: str | None = None  # that was resolved last
        self.address: str | None = None  # where it was sent last
        self.port: int | None = None
        self.transport: str | None = None
        self.resolved_at = -1  # offset of the last word about a name: what stands before is an older try
        self._leaving = False  # un-registering: its outcome is not wanted
        self._ended = False

    def feed(self, event: LogEvent) -> None:
        """Takes the next event of the log."""
        match event.said:
            case Said.REGISTERING:
                self._leaving = False
            case Said.UNREGISTERING:
                self._leaving = True
            case Said.EXPIRES if event.code is not None:
                self._leaving = event.code == 0
            case Said.SENT if event.cseq is not None:
                self._sent(event, event.cseq)
            case Said.RESENDING:
                self.attempt.resent += 1
            case Said.ANSWERED if event.code and event.cseq is not None:
                self._answered(event.code, event.cseq)
            case Said.DISCARDED if event.address == self.address:
                self._running().discarded += 1
            case Said.RESOLVED | Said.UNRESOLVED | Said.CONNECT_FAILED | Said.SEND_FAILED:
                self._on_the_way(event)
            case Said.FAILED | Said.ERROR | Said.SUCCEEDED | Said.UNREGISTERED:
                self._ended_with(event)

    def finish(self) -> None:
        """Says what an attempt without an outcome line comes to."""
        attempt = self.attempt
        silent = attempt.last_cseq not in attempt.answers
        self.unanswered = not self._ended and not self._leaving and silent and attempt.retransmissions >= UNANSWERED
        refused_twice = sum(code in (401, 407) for code in attempt.answers.values()) > 1
        if not self._ended and not self._leaving and refused_twice and not self.unanswered:
            self.code = 401

    def _running(self) -> Attempt:
        if self._ended:
            self.attempt, self._ended = Attempt(), False
        return self.attempt

    def _sent(self, event: LogEvent, cseq: int) -> None:
        attempt = self._running()
        attempt.resent = attempt.resent if cseq == attempt.last_cseq else 0
        attempt.sent[cseq] = attempt.sent.get(cseq, 0) + 1
        attempt.last_cseq = cseq
        self.transport, self.address, self.port = event.transport, event.address, event.port

    def _answered(self, code: int, cseq: int) -> None:
        if code < 200 or self._leaving:
            return
        known = self.attempt.answers.get(cseq) == code  # the log mentions each answer several times
        if known and self._ended:
            return
        self._running().answers[cseq] = code
        if code not in (401, 407):
            self.code, self.error, self.reason, self.answered_with = code, None, None, code
            self._ended = True

    def _on_the_way(self, event: LogEvent) -> None:
        self.transport = event.transport or self.transport
        if event.said in (Said.RESOLVED, Said.UNRESOLVED):
            self.resolved_at = event.at
        if event.said is Said.RESOLVED:
            self.host, self.address, self.port = event.host, event.address, event.port
        elif event.said is Said.UNRESOLVED:
            self.host, self.address, self.port = event.host, None, None
            self._end(502)
        elif event.said is Said.SEND_FAILED and event.code is not None:
            self._end(502 if event.code in _RESOLVING else 503)

    def _end(self, code: int) -> None:
        if not self._leaving:
            self._running()
            self.code, self.error, self.reason, self._ended = code, None, None, True

    def _ended_with(self, event: LogEvent) -> None:
        if event.said is Said.UNREGISTERED or self._leaving:
            self._ended, self._leaving = True, False
            return
        if event.said is Said.ERROR:
            self.error = event.code
            self.code = 502 if event.code in _RESOLVING else 401
        else:
            self.code, self.error = event.code, None
        self.reason = _reason(event.text)
        self.extension = event.extension or self.extension
        self._ended = True


def _reason(text: str | None) -> str | None:
    """The words in brackets, with the brackets within them."""
    if text is None:
        return None
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return text[:at].strip()
    return text.strip()
