"""Whose move is it, and when has somebody waited too long? Pure: a ticket's log in, moments out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from bot.casefile import fold
from bot.hours import Hours
from bot.model import Event, EventKind, Owner, Status, Ticket

REMIND_AFTER = timedelta(hours=24)  # the user left a question, or a step, without an answer
CLOSE_AFTER = timedelta(hours=72)
STALE_AFTER = timedelta(days=7)  # the staff had the last word, and nothing was said or done since
ANSWER_WITHIN = timedelta(minutes=30)  # of working time: so long may somebody wait for a person
REOPEN_WITHIN = timedelta(days=7)  # later the same trouble is another story
REMIND, CLOSE, STAFF, STALE = "remind", "close", "staff", "stale"  # what the table `due` calls them
USER, STAFF_SIDE = "user", "staff"  # who was reminded
BY_STAFF = frozenset({EventKind.STAFF_MESSAGE, EventKind.TAKEN})
FOR_STAFF = frozenset({EventKind.ESCALATED, EventKind.USER_MESSAGE})
MOVED = frozenset({EventKind.EVIDENCE, EventKind.ANSWERED, EventKind.SKIPPED, EventKind.TRIED, EventKind.RECHECK})
SPOKEN = FOR_STAFF | MOVED | {EventKind.STAFF_MESSAGE}


def lately(ticket: Ticket) -> tuple[Event, ...]:
    """The events since it was opened for the last time."""
    begins = [place for place, event in enumerate(ticket.events) if event.kind is EventKind.REOPENED]
    return ticket.events[begins[-1] :] if begins else ticket.events


def wants_person(ticket: Ticket) -> bool:
    """Whether the user has asked for a person, since it was opened for the last time."""
    return any(e.kind is EventKind.ESCALATED and e.body.get("reason") == "asked" for e in lately(ticket))


def in_hands(ticket: Ticket) -> bool:
    """Whether what the user says is for the staff: he asked for a person, one has it, or one has to act."""
    if ticket.status in (Status.SOLVED, Status.CLOSED):
        return False
    taken = any(event.kind is EventKind.TAKEN for event in lately(ticket))
    return ticket.status is Status.ESCALATED or taken or wants_person(ticket)


def was_in_hands(ticket: Ticket) -> bool:
    """The same of a ticket that was closed: a person of the staff had to do with it."""
    return any(event.kind in {*BY_STAFF, EventKind.ESCALATED} for event in lately(ticket))


def can_reopen(ticket: Ticket, now: datetime) -> bool:
    """Whether the same trouble now is this ticket's: it ended, or the staff wrote under it, less than a week ago."""
    if ticket.closed_at is None:
        return False
    written = _last(ticket.events, (EventKind.STAFF_MESSAGE,))
    return now - max(ticket.closed_at, written.at if written else ticket.closed_at) < REOPEN_WITHIN


def plan(ticket: Ticket, hours: Hours) -> dict[str, datetime | None]:
    """When the user is to be reminded, the ticket closed, the staff reminded; None: not as things stand."""
    nothing: dict[str, datetime | None] = {REMIND: None, CLOSE: None, STAFF: None, STALE: None}
    if ticket.status in (Status.SOLVED, Status.CLOSED):
        return nothing
    waited = _since_when_for_staff(ticket)
    if waited is not None:
        reminded = _reminded(ticket, STAFF_SIDE, waited)
        return nothing if reminded else {**nothing, STAFF: hours.after(waited, ANSWER_WITHIN)}
    asked = _since_when_for_user(ticket)
    if asked is None:
        silent = _since_when_silent(ticket)
        return {**nothing, STALE: silent + STALE_AFTER} if silent else nothing
    remind = None if _reminded(ticket, USER, asked) else asked + REMIND_AFTER
    return {**nothing, REMIND: remind, CLOSE: asked + CLOSE_AFTER}


def _since_when_for_staff(ticket: Ticket) -> datetime | None:
    """When the first word came that nobody of the staff has answered; None: nobody waits for one of them."""
    events = lately(ticket)
    if not in_hands(ticket):
        return None
    linked = any(e.kind is EventKind.LINKED and e.body.get("incident") for e in events)
    since: datetime | None = None
    for event in events:
        if event.kind is EventKind.TAKEN:
            since = since and event.at  # he who took it has his own time to answer
        elif event.kind is EventKind.STAFF_MESSAGE or _asked_by_staff(event):
            since = None
        elif linked and event.kind is EventKind.ESCALATED and event.body.get("reason") != "asked":
            continue  # an incident has people at it, and is told of as a whole
        elif event.kind in FOR_STAFF or (event.kind is EventKind.REOPENED and event.body.get("escalated")):
            since = since or event.at
    return since


def _since_when_for_user(ticket: Ticket) -> datetime | None:
    """When the user was asked, or told to do, what is still open; None: it is not his move, or a person spoke since."""
    moved = _last(ticket.events, (EventKind.ASKED, EventKind.VERDICT, EventKind.STAFF_MESSAGE))
    case = fold(ticket)
    to_do = case.verdict is not None and case.verdict.owner is Owner.USER
    if moved is None or moved.kind is EventKind.STAFF_MESSAGE or not case.settled or not (case.asked or to_do):
        return None
    answer = _last(ticket.events, (EventKind.EVIDENCE, EventKind.USER_MESSAGE))
    return max(moved.at, answer.at) if answer else moved.at


def _since_when_silent(ticket: Ticket) -> datetime | None:
    """When the last thing happened in a case in which the staff spoke last; None: it is somebody's move."""
    last = _last(lately(ticket), SPOKEN)
    return ticket.events[-1].at if last is not None and last.kind is EventKind.STAFF_MESSAGE else None


def _last(events: Sequence[Event], kinds: Collection[EventKind]) -> Event | None:
    return next((event for event in reversed(events) if event.kind in kinds), None)


def _asked_by_staff(event: Event) -> bool:
    return event.kind is EventKind.ASKED and bool(event.body.get("by"))


def _reminded(ticket: Ticket, whom: str, since: datetime) -> bool:
    return any(e.kind is EventKind.REMINDED and e.body["to"] == whom and e.at >= since for e in ticket.events)
