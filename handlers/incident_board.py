"""An incident as it hangs in the staff chat: one card, edited as it goes on, posted anew where somebody deleted it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from telegram.error import BadRequest, TelegramError

from bot.incident_log import IncidentLog
from bot.incident_rows import Incident
from handlers.incident_card import IncidentScreens
from handlers.journey import journey, within
from handlers.mending import not_there
from handlers.post import Post
from handlers.reply import Screen

log = logging.getLogger(__name__)


@dataclass(slots=True)
class IncidentBoard:
    """`show` may be called at any time; what the network swallowed, the next round shows."""

    log: IncidentLog
    screens: IncidentScreens
    post: Post
    staff_chat: Callable[[], int | None]
    _shown: dict[int, Screen] = field(default_factory=dict)  # what stands on an incident's card

    async def show(self, incident: Incident) -> None:
        """Its card says what is true."""
        chat_id, screen = self.staff_chat(), self.screens.card(incident)
        if chat_id is None or self._shown.get(incident.number) == screen:
            return
        try:
            stands = incident.place is not None and await self._edited(incident.place, screen)
            if stands or await self._posted(incident, chat_id, screen):
                self._shown[incident.number] = screen
        except TelegramError as error:
            log.error("the staff chat does not take the card of incident %d: %s", incident.number, error)

    async def _posted(self, incident: Incident, chat_id: int, screen: Screen) -> bool:
        """False: the staff chat has thrown the bot out."""
        step = "alert" if incident.place is None else f"alert instead of {incident.place[1]}"
        with within(f"incident:{incident.number}"):
            message = await self.post.send(chat_id, screen, step)
        if message is not None:
            await self.log.posted(incident.number, message.chat_id, message.message_id)
        return message is not None

    async def _edited(self, place: tuple[int, int], screen: Screen) -> bool:
        """False: somebody deleted it."""
        try:
            await self.post.bot.edit_message_text(screen.html, *place, parse_mode="HTML", reply_markup=screen.keyboard)
        except BadRequest as error:
            if not_there(error):
                return False
            raise
        return True

    async def turned(self, incident: Incident) -> None:
        """Something else has to be done now: a word that is heard, unlike an edit."""
        chat_id = self.staff_chat()
        if chat_id is None:
            return
        with journey(f"incident:{incident.number}:turned:{incident.verdict.step}"), contextlib.suppress(TelegramError):
            await self.post.send(chat_id, self.screens.turned(incident), "turned")
