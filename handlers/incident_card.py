"""An incident in words: its card for the staff, and what each of those it concerns is told. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup
from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.incident_rows import Incident
from bot.incidents import Scope
from bot.model import Certainty, Step
from bot.wording import for_staff
from handlers.reply import Screen, Screens

END, CLOSE = "end", "close"
SHOWN_EXTENSIONS = 40
SHOWN_TICKETS = 20  # the newest
# What is repaired by starting the PBX anew; that costs it the passwords it holds in memory.
RESTARTS = frozenset({Step.START_PBX, Step.BIND_ALL_INTERFACES, Step.FREE_PORT, Step.SERVER_ERROR})


class IncidentScreens:
    """Builds them in one language."""

    def __init__(self, screens: Screens) -> None:
        self.screens = screens
        self.words = screens.words

    def card(self, incident: Incident) -> Screen:
        """One message in the staff chat, edited as the incident goes on."""
        number, verdict = incident.number, incident.verdict
        step = self.words.plain(f"step.{verdict.step}.name")
        over = incident.closed_at is not None
        lines = [self.words.html("incident.head_over" if over else "incident.head", number=number, step=step)]
        if over:
            lines += self._outcome(incident)
        else:
            sure = "incident.proven" if verdict.certainty is Certainty.PROVEN else "incident.likely"
            because = Markup("; ").join(self.screens.because(finding) for finding in verdict.because)
            lines.append(self.words.html(sure, because=because))
            lines.append(self.to_do(incident))
        lines.append(self.words.html("incident.linked", count=incident.linked))
        if incident.tickets:
            named = ", ".join(f"№{ticket}" for ticket in incident.tickets[-SHOWN_TICKETS:])
            lines.append(self.words.html("incident.tickets", tickets=named))
        return Screen(Markup("\n").join(lines), self._buttons(incident))

    def to_do(self, incident: Incident) -> Markup:
        """What to do on the server, with commands to copy."""
        extensions: list[str] = []
        for finding in incident.verdict.because:
            named = finding.args.get("extensions")
            extensions += named if isinstance(named, tuple) else ()
        shown = ", ".join(extensions[:SHOWN_EXTENSIONS]) + (" …" if len(extensions) > SHOWN_EXTENSIONS else "")
        return for_staff(self.words, incident.verdict, self.screens.target, shown or None)

    def turned(self, incident: Incident) -> Screen:
        """Something else is to be done now: a word that is heard, unlike an edit."""
        step = self.words.plain(f"step.{incident.verdict.step}.name")
        head = self.words.html("incident.turned", number=incident.number, step=step)
        return Screen(Markup("\n").join([head, self.to_do(incident)]))

    def _outcome(self, incident: Incident) -> list[Markup]:
        ended = self.words.html("incident.lasted", minutes=_minutes(incident.opened_at, incident.closed_at))
        lines = [ended, self.words.html("incident.told", count=incident.told)]
        if incident.missed:
            lines.append(self.words.html("incident.missed", count=incident.missed))
        for key, who in (("incident.ended_by", incident.closed_by), ("incident.closed_by", incident.tickets_closed_by)):
            if who is not None:
                lines.append(self.words.html(key, by=who))
        return lines

    def _buttons(self, incident: Incident) -> InlineKeyboardMarkup | None:
        if incident.closed_at is None:
            button = InlineKeyboardButton(
                self.words.plain("button.incident_end"), callback_data=f"inc:{incident.number}:{END}"
            )
        elif incident.open_tickets and incident.tickets_closed_by is None:
            button = InlineKeyboardButton(
                self.words.plain("button.incident_close", count=incident.open_tickets),
                callback_data=f"inc:{incident.number}:{CLOSE}",
            )
        else:
            return None
        return InlineKeyboardMarkup([[button]])

    # --- for those it concerns ---

    def known(self, screen: Screen, others: int) -> Screen:
        """The verdict, and that it is known already."""
        key = "incident.known_others" if others else "incident.known"
        return Screen(Markup("\n\n").join([Markup(screen.html), self.words.html(key, count=others)]), screen.keyboard)  # noqa: S704 - a screen's own words

    def notice(self, scope: Scope) -> Markup:
        """A word on an incident that may be this person's trouble, or not."""
        return self.words.html(f"incident.notice_{scope}")

    def over(self, incident: Incident, going_on: Sequence[int]) -> Screen:
        """The end, told once to each; `going_on`: theirs that stay open."""
        step = incident.verdict.step
        what = "passwords" if incident.scope is Scope.PASSWORDS else "restarted" if step in RESTARTS else "outage"
        lines = [self.words.html("incident.over"), self.words.html(f"incident.over_{what}")]
        if not going_on:
            lines.append(self.words.html("incident.over_closed"))
            return Screen(Markup("\n\n").join(lines), InlineKeyboardMarkup([[self._button("diagnose", "0:go")]]))
        number = going_on[-1]
        buttons = [self._button("again", f"{number}:again"), self._button("person", f"{number}:person")]
        return Screen(Markup("\n\n").join(lines), InlineKeyboardMarkup([buttons]))

    def _button(self, name: str, data: str) -> InlineKeyboardButton:
        return self.screens.button(name, data)


def _minutes(begin: datetime, end: datetime | None) -> int:
    return max(1, round((end - begin).total_seconds() / 60)) if end else 0
