"""A ticket as the staff see it: its card, its line in a list, its log. Pure: a ticket in, words out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from markupsafe import Markup

from bot.casefile import CaseFile, fold
from bot.model import Event, EventKind, Finding, Tag, Ticket
from bot.patience import wants_person
from bot.standing import standing
from bot.stations import stations
from bot.wording import for_staff, happened, sent, status
from handlers.actions import ENDED
from handlers.keyboards import keyboard
from handlers.mending import cut as shortened
from handlers.mending import plain
from handlers.reply import TEXT_MAX, Screen, Screens
from handlers.said import length

# About the network, said whatever the verdict.
NOTICED = frozenset({Tag.NEIGHBOURS_SAME_TROUBLE, Tag.NETWORK_UNUSUAL, Tag.PROVIDER_KNOWN, Tag.PROVIDER_UNUSUAL})
LINE_MAX = 220  # signs of one event in a list of many
SENT_MAX = 1500  # of what the user sent, the newest first; UTF-16 units
SENT_BESIDE_LOG = 400  # of the same, where the log stands below
RATED_MAX = 300  # signs of a comment
ARGUMENT_MAX = 120  # signs of what a finding tells
QUOTE = Markup("<blockquote expandable>{}</blockquote>")


class Cards:
    """Builds what the staff read, in one language."""

    def __init__(self, screens: Screens) -> None:
        self.screens = screens

    def card(
        self, ticket: Ticket, menu: str | None = None, *, in_topic: bool = False, sent_max: int = SENT_MAX
    ) -> Screen:
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
        lines += [words.html("staff.noticed", what=self._because(finding)) for finding in noticed.values()]
        lines += self._read(ticket, case)
        last = [words.html("staff.rated", what=cut(rated, RATED_MAX)) for rated in _rated(ticket)]
        if ticket.status not in ENDED:
            last.append(words.html("staff.write_how" if in_topic else "staff.reply_how"))
        room = TEXT_MAX - length(plain("\n".join([*lines, *last]))) - 2
        came = "\n---\n".join(self._came(ticket))
        if came and room > 0:
            lines.append(QUOTE.format(shortened(came, min(room, sent_max))))
        lines += last
        buttons = None if ticket.emptied else keyboard(self.screens, ticket, menu)
        return Screen(Markup("\n").join(lines), buttons)

    def with_log(self, ticket: Ticket) -> Screen:
        """The card, and below it as many of the newest events as one message takes."""
        card = self.card(ticket, sent_max=SENT_BESIDE_LOG)
        room = TEXT_MAX - 1 - length(plain(card.html))
        newest = fitting((self.event(event) for event in reversed(ticket.events)), room)
        return Screen("\n".join([card.html, *reversed(newest)]), card.keyboard)

    def _verdict(self, ticket: Ticket) -> list[Markup]:
        """What is true, because of what, and what to do on the server."""
        words, verdict = self.screens.words, ticket.verdict
        if verdict is None:
            return [words.html("staff.no_verdict")]
        sure = words.plain(f"staff.{verdict.certainty}")
        name = words.plain(f"step.{verdict.step}.name")
        lines = [words.html("staff.verdict", step=name, certainty=sure)]
        if verdict.because and not ticket.emptied:  # what was measured is not there any more
            because = Markup("; ").join(self._because(finding) for finding in verdict.because)
            lines.append(words.html("staff.because", because=because))
        return [*lines, for_staff(words, verdict, self.screens.target, ticket.extension)]

    def _because(self, finding: Finding) -> Markup:
        """A finding in words; what it fills in may come from a hostile log."""
        shown = {key: ", ".join(value) if isinstance(value, tuple) else value for key, value in finding.args.items()}
        args = {key: cut(value, ARGUMENT_MAX) if isinstance(value, str) else value for key, value in shown.items()}
        return self.screens.because(replace(finding, args=args))

    def _read(self, ticket: Ticket, case: CaseFile) -> list[Markup]:
        """How what the user sent was read, and what he answered with a button."""
        words = self.screens.words
        understood = {reading.source: reading for reading in case.readings}  # of each source the newest
        read = [Markup("{}: {}").format(words.plain(f"kind.{r.kind}"), status(words, r.status))
                for r in understood.values()]  # fmt: skip
        answered = {e.body["kind"]: e.body.get("finding") for e in ticket.events if e.kind is EventKind.ANSWERED}
        for kind, finding in answered.items():
            if finding and not ticket.emptied:
                told = self._because(Finding.from_json(finding))
                read.append(Markup("{}: {}").format(words.plain(f"kind.{kind}"), told))
        return [words.html("staff.read", read=Markup("; ").join(read))] if read else []

    def _came(self, ticket: Ticket) -> list[str]:
        """What the user sent, the newest first: his words, and what files, voices and the like there were."""
        came, evidence = [], None
        for event in ticket.events:
            said = (event.body.get("media") or "text", event.body.get("text") or "")
            if event.kind is EventKind.EVIDENCE:
                evidence = said
            elif event.kind is not EventKind.USER_MESSAGE:
                continue
            elif said == evidence:  # the same, now said to the staff
                evidence = None
                continue
            label = "" if said[0] in ("text", "button") else f"[{sent(self.screens.words, event)}]"
            came.append(f"{label} {said[1]}".strip())
        return [one for one in reversed(came) if one]

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


def fitting(lines: Iterable[str], room: int = TEXT_MAX) -> list[str]:
    """As many whole lines as fit, so that no tag is cut; `room` in UTF-16 units as Telegram counts them."""
    kept: list[str] = []
    for line in lines:
        room -= length(plain(line)) + 1
        if room < 0:
            break
        kept.append(line)
    return kept
