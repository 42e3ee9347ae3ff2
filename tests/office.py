"""The whole bot in the test's own event loop, at no pace, with a staff group: for stories in which time is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from bot.mailbox import migrations as mailbox
from bot.model import Ticket
from bot.schema import migrations as log
from bot.settings import Settings
from bot.store import Store
from handlers.app import Service, build
from handlers.demo import UNHURRIED
from tests.fake_api import FakeApi
from tests.fake_chats import JSON, Shown
from tests.fake_media import MEDIA
from tests.servers.kamailio import free_port

T = TypeVar("T")
USER, STAFF, STRANGER, GROUP = 501, 900, 901, -100777


class Clock:
    """The time it is said to be."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(slots=True)
class Office:
    """The bot, its Bot API, a person, a member of the staff and somebody who is none."""

    api: FakeApi
    service: Service
    clock: Clock
    running: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        """Ends the bot; the same folder can then be served again."""
        self.service.inbox.stop()
        if self.running is not None:
            running, self.running = self.running, None
            await running
            self.service.desk.tickets.store.close()

    async def until(self, predicate: Callable[[], T], timeout_s: float = 10.0) -> T:
        """The first true value; looked at outside the event loop."""
        return await asyncio.to_thread(self.api.wait_for, predicate, timeout_s)

    async def quiet(self) -> None:
        """Until everything that was sent is answered."""
        while self.api.pending() or self.service.inbox.busy:  # noqa: ASYNC110 - two conditions
            await asyncio.sleep(0.005)

    async def hears(self, words: str, chat: int = USER) -> Shown:
        """The first message of the bot there with these words; a card repeats them and is found by its number only."""

        def told() -> list[Shown]:
            said = [message for message in self.api.answers(chat) if words in message.text]
            return [message for message in said if words.startswith("№") or "→ Register" not in message.text]

        return (await self.until(told))[0]

    def texts(self, chat: int = USER) -> list[str]:
        """What the bot's messages there say now."""
        return [message.text for message in self.api.answers(chat)]

    async def ticket(self, number: int = 1) -> Ticket:
        """As the log tells it."""
        return await self.service.desk.fresh(number)

    async def called(self) -> Shown:
        """The person asks for a person; the card in the staff group."""
        self.api.send_text(USER, "/operator")
        await self.hears("Operatorga xabar berdim")
        return await self.hears("№1", GROUP)

    def media(self, kind: str, **more: Any) -> JSON:
        """A file that was uploaded, as a part of a message."""
        kept = self.api.chats.keep(b"x" * 100, f"{kind}.bin")
        return {kind: {"file_id": kept.file_id, "file_unique_id": f"U{kept.file_id}", **MEDIA[kind]}, **more}

    def edits(self, user: int, message_id: int, chat: int | None = None, **change: Any) -> None:
        """Somebody changes a message; None takes a part of it away."""
        messages = self.api.chats.chats[chat if chat is not None else user].messages
        changed = {**messages[message_id], **change, "edit_date": messages[message_id]["date"] + 1}
        messages[message_id] = {key: value for key, value in changed.items() if value is not None}
        self.api.raw("edited_message", messages[message_id])

    async def time_passes(self, **span: float) -> None:
        """So much later, the sweep has been."""
        await self.quiet()
        self.clock.ahead += timedelta(**span)
        await self.service.life.sweep()
        await self.quiet()


def settings_of(api: FakeApi, folder: Path, **more: Any) -> Settings:
    """A bot whose PBX is down, at our API."""
    known: dict[str, Any] = {
        "bot_token": api.token,
        "telegram_api_url": api.base_url,
        "telegram_file_url": api.base_file_url,
        "staff_chat_id": GROUP,
        "staff_ids": frozenset({STAFF}),
        "data_dir": folder,
        "pbx_probe_host": "127.0.0.1",
        "pbx_sip_port": free_port(),
        "pbx_on_this_host": "no",
        "dns_servers": ("127.0.0.1:9",),
        "check_timeout_s": 0.3,
        "check_ttl_s": 0.0,
        **more,
    }
    return Settings.load(**known)


@asynccontextmanager
async def serving(api: FakeApi, folder: Path, clock: Clock | None = None, **more: Any) -> AsyncIterator[Office]:
    """The bot while it runs; the same folder again is a restart."""
    store = Store(folder / "yordam.db", (log, mailbox))
    clock = clock or Clock()
    office = Office(api, build(settings_of(api, folder, **more), store, limits=UNHURRIED, now=clock), clock)
    office.running = asyncio.create_task(office.service.run())
    while not office.service.application.running:  # noqa: ASYNC110 - it says so nowhere else
        await asyncio.sleep(0.005)
    try:
        yield office
    finally:
        await office.stop()


@asynccontextmanager
async def office(folder: Path, *, forum: bool = False, **more: Any) -> AsyncIterator[Office]:
    """A Bot API with its people, and the bot."""
    with FakeApi() as api:
        api.user(USER, "Aziza")
        api.user(STAFF, "Nodir")
        api.user(STRANGER, "Begona")
        api.group(GROUP, "Operatorlar", forum=forum)
        async with serving(api, folder, **more) as made:
            yield made
