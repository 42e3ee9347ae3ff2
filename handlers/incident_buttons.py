"""What the buttons under an incident's card do: `inc:<number>:end` and `inc:<number>:close`."""

from __future__ import annotations

from dataclasses import dataclass

from telegram import Update
from telegram.ext import ContextTypes

from handlers.incident_card import CLOSE, END
from handlers.incidents import Incidents
from handlers.staff import Staff, who

PATTERN = "^inc:"


@dataclass(frozen=True, slots=True)
class IncidentButtons:
    """The handler; only for the staff."""

    staff: Staff
    incidents: Incidents

    async def press(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Answered at once; what it sets going is done beside the handlers."""
        query = await self.staff.pressed(update)
        if query is None:
            return
        _, number, verb, *_ = [*(query.data or "").split(":"), "", ""]
        incident = await self.incidents.log.get(int(number)) if number.isdecimal() and len(number) < 12 else None
        if incident is None or verb not in (END, CLOSE):
            await self.staff.toast(query, "toast.old")
        elif verb == END:
            ended = await self.incidents.end(incident.number, who(update))
            await self.staff.toast(query, "incident.ended" if ended else "incident.ended_already")
        elif incident.closed_at is not None:
            await self.incidents.close_linked(incident.number, who(update))
            await self.staff.toast(query, "incident.closing")
