"""Who of the staff has a ticket, how urgent is it, what is it tagged with? Folded from its events."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.model import EventKind, Ticket

PRIORITIES = ("low", "normal", "high")


@dataclass(frozen=True, slots=True)
class Member:
    """One of the staff. Two may be called the same, and a name may change: the id tells who it is."""

    name: str  # as the others see it
    id: int | None = None  # of the Telegram user; None: in a log that did not tell it

    def is_same(self, other: Member) -> bool:
        """Whether both are one person; by their names only where an id is not known."""
        if self.id is None or other.id is None:
            return self.name == other.name
        return self.id == other.id


@dataclass(frozen=True, slots=True)
class Standing:
    """What staff have settled about a ticket."""

    holder: Member | None = None  # None: nobody has taken it yet
    priority: str = "normal"
    tags: tuple[str, ...] = ()

    @property
    def taken_by(self) -> str | None:
        """The holder's name; None: nobody's yet."""
        return self.holder.name if self.holder else None


def standing(ticket: Ticket) -> Standing:
    """As it is after all events; a ticket that was opened again is anybody's."""
    found = Standing()
    for event in ticket.events:
        match event.kind:
            case EventKind.TAKEN:
                name = str(event.body.get("to") or event.body["by"])
                found = replace(found, holder=Member(name, event.body.get("holder_id")))
            case EventKind.TAGGED:
                found = replace(found, tags=tuple(event.body["tags"]))
            case EventKind.PRIORITY:
                found = replace(found, priority=str(event.body["level"]))
            case EventKind.REOPENED:
                found = replace(found, holder=None)
    return found
