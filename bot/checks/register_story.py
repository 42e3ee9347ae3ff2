"""How far has one phone's attempt come, and what does it prove? The events of its socket in, stage and findings out.

The findings are those of the parser of pasted logs, so that the table of rules need not know where they come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.model import Context, Finding
from bot.parsers.pbx_log import last_outcome
from bot.parsers.pbx_log_findings import findings
from bot.parsers.pbx_log_lines import LogEvent, Said
from bot.parsers.pbx_log_trail import Trail

ANSWERS_LOST_AFTER = 5  # challenges to one socket: the last came 7.5 s after the first, no path is as slow as that
STOPPED_AFTER_S = 10.0  # after the only 401; a second REGISTER over the slowest path came after 3 s
BLOCKED_AFTER = 2  # answers that the server's own filter forbade; a single one may be an odd packet's


class Stage(StrEnum):
    """Where the registration stands, in the order of a good one; then how it can end."""

    WAITING = "waiting"  # nothing yet
    NOTHING_SEEN = "nothing_seen"  # nothing for 10 s; the watch goes on
    PACKET_SEEN = "packet_seen"  # a REGISTER came in
    CHALLENGED = "challenged"  # the PBX answered 401: 'who are you?'
    SECOND_REGISTER = "second_register"  # the phone sent its password's digest
    CONFIRMING = "confirming"  # the PBX wrote 'registered'; whether it is so is being asked
    REGISTERED = "registered"
    UNREGISTERED = "unregistered"  # the phone signed off; the watch goes on
    REFUSED = "refused"  # 403; the findings say why
    NOT_FOUND = "not_found"  # 404
    SERVER_ERROR = "server_error"  # 500, or the PBX in trouble
    HEADERS_REWRITTEN = "headers_rewritten"  # 400: a box on the way spoils the request
    ANSWERS_LOST = "answers_lost"  # the same request again and again: the 401 does not reach the phone
    STOPPED_AFTER_401 = "stopped_after_401"  # one 401 and nothing more
    ANSWERS_BLOCKED = "answers_blocked"  # the server's own filter forbids the answers (EPERM)


Events = Sequence[tuple[float, LogEvent]]
_BY_CODE = {400: Stage.HEADERS_REWRITTEN, 403: Stage.REFUSED, 404: Stage.NOT_FOUND}
ENDS = frozenset(
    {
        Stage.REFUSED,
        Stage.NOT_FOUND,
        Stage.SERVER_ERROR,
        Stage.HEADERS_REWRITTEN,
        Stage.ANSWERS_LOST,
        Stage.STOPPED_AFTER_401,
        Stage.ANSWERS_BLOCKED,
    }
)


@dataclass(slots=True)
class Story:
    """One attempt so far. `path`: the stages it went through, the last one is where it stands."""

    path: list[Stage]
    challenges: int = 0  # since the last outcome
    challenged_at: float = 0.0  # monotonic
    blocked: int = 0
    successes: int = 0  # 'registered' lines
    asks: bool = False  # its last request was a REGISTER: a refused call is another matter

    @property
    def stage(self) -> Stage:
        """Where it stands."""
        return self.path[-1]


def tell(events: Events, now: float) -> Story:
    """The story of a socket's events; `now` decides whether a phone that fell silent has stopped."""
    story = Story([Stage.PACKET_SEEN])
    for at, event in events:
        _next(story, at, event)
    if story.stage is Stage.CHALLENGED and story.challenges == 1 and now - story.challenged_at >= STOPPED_AFTER_S:
        story.path.append(Stage.STOPPED_AFTER_401)
    return story


def _next(story: Story, at: float, event: LogEvent) -> None:
    if event.said in (Said.PROCESSING, Said.OTHER_REQUEST):
        story.asks = event.said is Said.PROCESSING
    match event.said:
        case Said.PROCESSING if story.challenges:
            story.path.append(Stage.SECOND_REGISTER)  # unless the next line is a 401 again
        case Said.PROCESSING:
            story.path = [Stage.PACKET_SEEN]
        case Said.CHALLENGE:
            story.challenges += 1
            story.challenged_at = at
            story.path = [Stage.PACKET_SEEN, Stage.CHALLENGED]
            if story.challenges >= ANSWERS_LOST_AFTER:
                story.path.append(Stage.ANSWERS_LOST)
        case Said.REGISTERED:
            story.successes += 1
            story.challenges = 0
            story.path.append(Stage.CONFIRMING)
        case Said.ANSWER_CODE if event.code and story.asks:
            story.challenges = 0
            story.path.append(Stage.SERVER_ERROR if event.code >= 500 else _BY_CODE.get(event.code, Stage.REFUSED))
        case Said.ANSWER_SENT:
            story.blocked = 0  # what was forbidden before were odd packets
        case Said.SEND_ERROR if "EPERM" in (event.text or ""):
            story.blocked += 1
            if story.blocked >= BLOCKED_AFTER:
                story.path.append(Stage.ANSWERS_BLOCKED)


def prove(events: Events, context: Context) -> tuple[Finding, ...]:
    """What the parser of pasted logs finds in the same events."""
    trail = Trail(whole=False)  # forged lines were left out before
    for _, event in events:
        trail.feed(event)
    outcome = last_outcome(trail, context.extension)
    return findings(trail, outcome, "received_only" if outcome is None and not trail.challenges else "", context)
