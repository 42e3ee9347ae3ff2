"""Which lines of the PBX's log are a client's own words? The PBX prints a request line with its line breaks."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.parsers.pbx_log_lines import LogEvent, Said

_PATIENCE = 64  # events after which a quotation that never ends is given up
_OPEN_METHODS = ("ACK", "BYE", "CANCEL", "REFER", "NOTIFY", "INFO", "UPDATE", "PRACK", "MESSAGE")


@dataclass(slots=True)
class Quotation:
    """Fed with each event of one stream in turn.

    The PBX deals with a packet at once, so after 'Request:' comes its own next line; whatever stands between is not
    its own (measured: one UDP packet can forge any line).
    """

    source: tuple[str | None, int | None] | None = None
    method: str | None = None
    waiting: bool = False
    dropped: list[LogEvent] = field(default_factory=list)
    echo: list[LogEvent] = field(default_factory=list)

    def believes(self, event: LogEvent) -> bool:
        """False for an event that a client wrote."""
        if self.echo and event == self.echo[0]:
            self.echo.pop(0)
            return False
        self.echo = []
        if self.waiting and not self._ends(event):
            self.dropped.append(event)
            self.waiting = len(self.dropped) < _PATIENCE
            return False
        if event.said is Said.RECEIVED:
            self.source = (event.source_ip, event.source_port)
        elif event.said is Said.REQUEST and self.source:
            self.method, self.waiting, self.dropped = event.text or "", True, []
        return True

    def _ends(self, event: LogEvent) -> bool:
        method = self.method or ""
        same = (event.source_ip, event.source_port) == self.source
        if method.startswith("REGISTER"):
            ends = (event.said is Said.PROCESSING and same) or event.said is Said.RECEIVED
        elif method.startswith(("OPTIONS", "INVITE")):
            ends = (event.said is Said.OTHER_REQUEST and same) or event.said is Said.RECEIVED
        else:
            ends = event.said is Said.IGNORED
            if ends:
                self.echo = self.dropped  # 'Unhandled method:' prints the same words again
            elif method.startswith(_OPEN_METHODS):
                ends = event.said is Said.RECEIVED
        self.waiting = not ends
        return ends
