"""Who of the staff has a ticket, how urgent is it, what is it tagged with? Folded from its events."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.model import EventKind, Ticket

PRIORITIES = ("low", "normal", "high")


@dataclass(frozen=True, slots=True)
class Standing:
    """What staff have settled about a ticket."""

    taken_by: str | None = None  # the name as staff see it; None: nobody yet
    priority: str = "normal"
    tags: tuple[str, ...] = ()


def standing(ticket: Ticket) -> Standing:
    """As it is after all events; a ticket that was opened again is anybody's."""
    found = Standing()
    for event in ticket.events:
        match event.kind:
            case EventKind.TAKEN:
                found = replace(found, taken_by=str(event.body.get("to") or event.body["by"]))
            case EventKind.TAGGED:
                found = replace(found, tags=tuple(event.body["tags"]))
            case EventKind.PRIORITY:
                found = replace(found, priority=str(event.body["level"]))
            case EventKind.REOPENED:
                found = replace(found, taken_by=None)
    return found
