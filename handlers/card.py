"""A ticket as the staff see it: its card, its line in a list, its log. Pure: a ticket in, words out."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from bot.casefile import CaseFile, fold
from bot.model import Event, EventKind, Tag, Ticket
from bot.patience import wants_person
from bot.standing import standing
from bot.stations import stations
from bot.wording import happened, status
from handlers.actions import ENDED
from handlers.keyboards import keyboard
from handlers.reply import TEXT_MAX, Screen, Screens

# About the network, said whatever the verdict.
NOTICED = frozenset({Tag.NEIGHBOURS_SAME_TROUBLE, Tag.NETWORK_UNUSUAL, Tag.PROVIDER_KNOWN, Tag.PROVIDER_UNUSUAL})
LINE_MAX = 220  # signs of one event in a list of many
SENT_MAX = 1500  # signs of what the user sent, the newest first


class Cards:
    """Builds what the staff read, in one language."""

    def __init__(self, screens: Screens) -> None:
        self.screens = screens

    def card(self, ticket: Ticket, menu: str | None = None, *, in_topic: bool = False) -> Screen:
        """Who, what is known, the verdict and what to do on the server; `menu`: which buttons (handlers/keyboards)."""
        words, case = self.screens.words, fold(ticket)
        extension = ticket.extension or words.plain("staff.no_extension")
        lines = [
            words.html("staff.card", number=ticket.number, person=self._person(ticket), extension=extension),
            *self._standing(ticket),
            words.html("staff.path", path=path_line(case, self.screens.target.sip_port)),
        ]
        if wants_person(ticket):
            lines.append(words.html("staff.wants_person"))
        lines += self._verdict(ticket)
        noticed = {one.tag: one for result in case.results for one in result.findings if one.tag in NOTICED}
        lines += [words.html("staff.noticed", what=self.screens.because(finding)) for finding in noticed.values()]
        lines += self._came(ticket, case)
        lines += [words.html("staff.rated", what=rated) for rated in _rated(ticket)]
        if ticket.status not in ENDED:
            lines.append(words.html("staff.write_how" if in_topic else "staff.reply_how"))
        buttons = None if ticket.emptied else keyboard(self.screens, ticket, menu)
        return Screen(Markup("\n").join(lines), buttons)

    def _verdict(self, ticket: Ticket) -> list[Markup]:
        """What is true, because of what, and what to do on the server."""
        words, verdict = self.screens.words, ticket.verdict
        if verdict is None:
            return [words.html("staff.no_verdict")]
        sure = words.plain(f"staff.{verdict.certainty}")
        name = words.plain(f"step.{verdict.step}.name")
        lines = [words.html("staff.verdict", step=name, certainty=sure)]
        if verdict.because and not ticket.emptied:  # what was measured is not there any more
            because = Markup("; ").join(self.screens.because(finding) for finding in verdict.because)
            lines.append(words.html("staff.because", because=because))
        values = self.screens.values(verdict, ticket.extension)
        return [*lines, words.html(f"step.{verdict.step}.staff", None, **values)]

    def _came(self, ticket: Ticket, case: CaseFile) -> list[Markup]:
        """What the user sent: how it was read, and the words themselves, the newest first."""
        words, lines = self.screens.words, []
        understood = {reading.source: reading for reading in case.readings}  # of each source the newest
        if understood:
            read = "; ".join(f"{words.plain(f'kind.{r.kind}')}: {status(words, r.status)}" for r in understood.values())
            lines.append(words.html("staff.read", read=read))
        sent = [e.body["text"] for e in ticket.events if e.kind is EventKind.EVIDENCE and e.body.get("text")]
        if sent:
            newest = cut("\n---\n".join(reversed(sent)), SENT_MAX)
            lines.append(Markup("<blockquote expandable>{}</blockquote>").format(newest))
        return lines

    def _person(self, ticket: Ticket) -> str:
        return self.screens.words.plain("staff.nobody") if ticket.emptied else ticket.user_name

    def _standing(self, ticket: Ticket) -> list[Markup]:
        """Where it stands, who has it, how urgent it is, its tags."""
        words, now = self.screens.words, standing(ticket)
        lines = [words.html("staff.state", state=words.plain(f"case.state_{ticket.status}"))]
        if now.taken_by:
            lines.append(words.html("staff.taken_by", by=now.taken_by))
        if now.priority != "normal":
            lines.append(words.html(f"staff.priority_{now.priority}", level=words.plain(f"priority.{now.priority}")))
        if now.tags:
            lines.append(words.html("staff.tags", tags=" ".join(f"#{tag}" for tag in now.tags)))
        return [Markup(" · ").join(lines)]

    def line(self, ticket: Ticket) -> Markup:
        """One line of a list."""
        words = self.screens.words
        return words.html(
            "staff.list_line",
            number=ticket.number,
            state=words.plain(f"case.state_{ticket.status}"),
            step=words.plain(f"step.{ticket.verdict.step}.name") if ticket.verdict else "–",
            extension=ticket.extension or "–",
            person=self._person(ticket),
            standing=self._list_standing(ticket),
        )

    def _list_standing(self, ticket: Ticket) -> str:
        """Who has it and how urgent it is; nothing for a ticket without its events."""
        words, now = self.screens.words, standing(ticket)
        parts = [words.plain("staff.taken_by", by=now.taken_by)] if now.taken_by else []
        parts += [words.plain("staff.urgent")] if now.priority == "high" else []
        return "".join(f" · {part}" for part in parts)

    def event(self, event: Event) -> Markup:
        """One line of the log."""
        what = cut(happened(self.screens.words, event), LINE_MAX)
        return self.screens.words.html("staff.event", at=event.at.strftime("%d.%m %H:%M"), what=what)


def _rated(ticket: Ticket) -> list[str]:
    """The last word on the help, when there was one: stars and comment."""
    last = [event.body for event in ticket.events if event.kind is EventKind.RATED][-1:]
    return [" ".join(filter(None, ("⭐" * (body["stars"] or 0), body.get("comment")))) for body in last]


def path_line(case: CaseFile, port: int = 5060) -> str:
    """`DNS ✅ → ping ✅ → 5060/UDP ❌ → MicroSIP ? → Register ?`: where it ends, `?` for not tested."""
    return " → ".join(f"{station.name} {station.mark}" for station in stations(case, port))


def cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def whole_lines(lines: Iterable[str]) -> str:
    """As many whole lines as one message takes, so that no tag is cut."""
    kept, used = [], 0
    for line in lines:
        used += len(line.encode("utf-16-le")) // 2 + 1
        if used > TEXT_MAX - 1:
            break
        kept.append(line)
    return "\n".join(kept)
