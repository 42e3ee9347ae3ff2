"""What people think of the help they got: stars under the last word of a case, and a comment if they like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.due import Dues
from bot.hours import Clock
from bot.model import EventKind, Ticket
from bot.patience import lately
from handlers.actions import ENDED
from handlers.desk import Desk
from handlers.people import Person

COMMENT = "comment"  # what the table `due` calls the end of the time for a comment
COMMENT_WITHIN = timedelta(minutes=10)
COMMENT_MAX = 1000  # signs
STARS = range(1, 6)


@dataclass(slots=True)
class Ratings:
    """Presses on stars, and the text that follows 'write a comment'."""

    desk: Desk
    dues: Dues
    now: Clock

    async def rate(self, ticket: Ticket, stars: int, person: Person) -> bool:
        """A press on stars; False for a number of stars that there is not, or a case that goes on."""
        if stars not in STARS or ticket.status not in ENDED:
            return False
        await self.desk.tickets.append(ticket.number, EventKind.RATED, {"stars": stars}, source=person.source)
        offer = [[self.desk.screens.button("comment", f"{ticket.number}:comment")]]
        await self.desk.post.send(person.chat_id, self.desk.screens.say("case.rated", buttons=offer))
        self.desk.on_change(ticket.number)
        return True

    async def ask(self, ticket: Ticket, person: Person) -> bool:
        """A press on 'write a comment': the next text is one. False where nothing was rated, or it goes on."""
        if _stars(ticket) is None or ticket.status not in ENDED:
            return False
        await self.dues.plan(ticket.number, {COMMENT: self.now() + COMMENT_WITHIN})
        await self.desk.post.send(person.chat_id, self.desk.screens.say("life.comment_how"))
        return True

    async def comment(self, person: Person, text: str) -> bool:
        """Takes a text as the comment that was asked for; False: none was, or the case goes on."""
        ticket = await self.desk.tickets.latest(person.chat_id)
        due = await self.dues.get(ticket.number, COMMENT) if ticket else None
        if ticket is None or due is None or due.at < self.now() or ticket.status not in ENDED:
            return False
        body = {"stars": _stars(ticket), "comment": text[:COMMENT_MAX]}
        await self.desk.tickets.append(ticket.number, EventKind.RATED, body, source=f"{person.source}:comment")
        await self.desk.post.send(person.chat_id, self.desk.screens.say("life.commented"))
        await self.dues.done(due)
        self.desk.on_change(ticket.number)
        return True


def _stars(ticket: Ticket) -> int | None:
    rated = [event.body["stars"] for event in lately(ticket) if event.kind is EventKind.RATED]
    return rated[-1] if rated else None
