"""What happens at the edge of delivery, said to whom it concerns: a send made twice, somebody gone, a second bot."""

from __future__ import annotations

from typing import Any

from bot.relayed import Relayed
from handlers.desk import Desk
from handlers.notices import Notices
from handlers.staff import Staff


class StaffNotices(Notices):
    """What happens at the edge of delivery, said to whom it concerns."""

    staff: Staff
    desk: Desk

    async def repeated(self, chat_id: int, source: str, step: str) -> None:
        """The person may have seen an answer twice: the staff know."""
        number = await self._about(chat_id, source)
        if number is None:
            await self.staff.alert("staff.repeat_here")
        else:
            key = "staff.repeat_topic" if step.startswith("topic") else "staff.repeat"
            await self.staff.alert(key, number=number)

    async def _about(self, chat_id: int, source: str) -> int | None:
        """The ticket that something was said about; None: a word to the staff about none."""
        room, _, rest = source.partition(":")
        if room in ("ticket", "card"):
            return int(rest.partition(":")[0])
        if room == "relay":
            chat, _, what = rest.partition(":")
            return await Relayed(self.desk.tickets.store).ticket_of(int(chat), what)
        latest = await self.desk.tickets.latest(chat_id)
        return latest.number if latest else None

    async def set_aside(self, update_id: int, chat_id: int, raw: Any, error: str) -> None:
        """An update that cannot be read: the staff see which, the person gets an answer."""
        await self.staff.alert("staff.trouble", error=f"update {update_id}: {error}")
        if chat_id:
            await self.desk.post.send(chat_id, self.desk.screens.say("media.other"))

    async def away(self, chat_id: int, since: float) -> None:
        """One word to each person who has waited."""
        await self.desk.post.send(chat_id, self.desk.screens.say("error.away"))

    async def failed(self, chat_id: int, source: str, error: BaseException) -> None:
        """Background work broke: the person and the staff hear of it."""
        if chat_id > 0:  # groups have negative numbers (Bot API); 0: nobody waits for it
            await self.desk.post.send(chat_id, self.desk.screens.say("error.unexpected"))
        await self.staff.alert("staff.trouble", error=type(error).__name__)

    async def migrated(self, old_id: int, new_id: int) -> None:
        """The staff group has another number: nothing of what stood under the old one can be reached."""
        if new_id == self.staff.chat_id:
            await self.staff.catch_up()

    async def closed(self, chat_id: int, why: str) -> None:
        """A person blocked the bot, or the staff group threw it out."""
        if chat_id == self.staff.chat_id:
            await self.staff.tell_each("staff.thrown_out")
            return
        ticket = await self.desk.tickets.current(chat_id)
        if ticket is None or chat_id in self.staff.answering:  # who writes there is told under his own words
            return
        await self.staff.blocked(ticket)

    async def conflict(self, description: str) -> None:
        """A second bot with the same token."""
        await self.staff.alert("staff.second_bot")
