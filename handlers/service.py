"""The bot while it runs: what goes on at a start, what is done from time to time, what is closed at the end."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from telegram.error import TelegramError
from telegram.ext import Application

from bot.mailbox import KEPT_S
from handlers.actions import Actions
from handlers.courier import Courier
from handlers.desk import Desk
from handlers.erasing import Erasing
from handlers.inbox import Inbox
from handlers.lifecycle import Lifecycle
from handlers.menus import Menus
from handlers.orders import Orders
from handlers.patrol import Patrol
from handlers.restored import restored
from handlers.staff import Staff
from handlers.watching import Watching
from handlers.webhook import Webhook

log = logging.getLogger(__name__)
App = Application[Any, Any, Any, Any, Any, Any]
JUST_BEFORE = timedelta(minutes=10)  # what happened then may not have reached the staff
FORGET_EVERY_S = 6 * 3600.0
HEAR_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class Service:
    """The bot, ready to run."""

    application: App
    inbox: Inbox
    courier: Courier
    desk: Desk
    staff: Staff
    actions: Actions
    orders: Orders
    watching: Watching
    patrol: Patrol
    erasing: Erasing
    life: Lifecycle
    menus: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]  # of people, of the staff, of these in private
    retention_days: int

    async def resume(self) -> None:
        """Goes on with the cases whose next move was ours when the process ended."""
        await self.patrol.incidents.resume()
        open_numbers = await self.desk.open_numbers()
        for number in open_numbers:
            self.watching.look_out(number)
        for number in await self.desk.tickets.without_fresh_card(JUST_BEFORE, self.staff.chat_id):
            self.patrol.incidents.card_changed(number)
        await self.erasing.resume()
        unfinished = await self.desk.unfinished()
        if await restored(self.inbox.mailbox.store, self.staff, self.inbox.spawn, unfinished):
            await self.life.let_lie()
            return
        await self.life.resume(open_numbers)
        for number in unfinished:
            await self.desk.go_on(number)

    async def _forget(self, _: object) -> None:
        gone = await self.erasing.forgetting.purge(self.retention_days)
        await self.inbox.mailbox.purge(min(KEPT_S, self.retention_days * 86400.0))
        if gone.tickets:
            log.info("emptied %d tickets older than %d days", len(gone.tickets), self.retention_days)

    async def _hear(self, _: object) -> None:
        with contextlib.suppress(TelegramError):
            await self.application.bot.get_me()
            self.inbox.pulse.heard()

    async def run(self, *, webhook: Webhook | None = None) -> None:
        """Until stopped; polls, or receives updates at a webhook. Raises InvalidToken."""

        async def begin(_: App) -> None:
            await self.resume()
            if webhook is not None:
                await webhook.open(self.application.bot, self.inbox.accept)
            menus = Menus(self.application.bot, self.staff, *self.menus)
            self.staff.on_arrival = lambda: self.inbox.spawn("menus", menus.announce(), 0)
            self.staff.on_arrival()
            jobs = self.application.job_queue
            if jobs is None:
                return
            jobs.run_repeating(self._forget, interval=FORGET_EVERY_S, first=60.0)
            self.life.begin(jobs)
            await self.patrol.begin(jobs)
            await self.orders.begin(jobs)
            if webhook is not None:  # nothing is polled, so hearing Telegram at all has to do
                jobs.run_repeating(self._hear, interval=HEAR_EVERY_S, first=0.0)

        self.application.post_init = begin
        try:
            await self.inbox.run(poll=webhook is None)
        finally:
            await self.watching.close()
            await self.patrol.close()
