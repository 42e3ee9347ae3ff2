"""The whole service in the test's own event loop, with the fake Bot API: a person, two of the staff, a stranger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bot.mailbox import migrations as mailbox_migrations
from bot.model import EventKind, Ticket
from bot.schema import migrations
from bot.settings import Settings
from bot.store import Store
from handlers.app import Service, build
from handlers.pace import Limits
from tests.fake_api import FakeApi
from tests.fake_chats import Shown

T = TypeVar("T")
PERSON, STAFF, STAFF_2, STRANGER, GROUP = 501, 900, 901, 77, -100777
QUICK = Limits(1000, 0.0, 1000, 1.0, 1000, 1.0, topic_interval_s=0.0)


@dataclass(slots=True)
class Serving:
    """What a test holds of the running service."""

    api: FakeApi
    service: Service

    async def until(self, predicate: Callable[[], T | None], timeout_s: float = 10.0) -> T:
        """The first true value of `predicate()`; it is looked at outside the event loop. Raises TimeoutError."""
        found = await asyncio.to_thread(self.api.wait_for, predicate, timeout_s)
        assert found is not None
        return found

    async def opened(self, person: int = PERSON, name: str = "Aziza", extension: str | None = "1002") -> int:
        """A ticket of a person who waits for the staff; its card is on its way."""
        self.api.user(person, name)
        tickets = self.service.desk.tickets
        count = len(await tickets.list(limit=1000))
        ticket = await tickets.open(
            user_id=person, chat_id=person, name=name, language="uz", source=f"test:{person}:{count}"
        )
        if extension is not None:
            await tickets.set_extension(ticket.number, extension)
        await tickets.append(ticket.number, EventKind.ESCALATED, {"reason": "asked"})
        self.service.staff.on_change(ticket.number)
        return ticket.number

    async def card(self, number: int, words: str = "") -> Shown:
        """The ticket's card once it stands in the group with these words."""
        return await self.until(lambda: next(iter(self.cards(number, words)), None))

    def cards(self, number: int, words: str = "") -> list[Shown]:
        """The messages of the bot in the group that are cards of this ticket."""
        head = f"№{number} · "
        return [
            m for m in self.api.answers(GROUP) if m.text.startswith(head) and "Holat:" in m.text and words in m.text
        ]

    async def hears(self, words: str, chat: int = GROUP) -> Shown:
        """The first message of the bot with these words."""
        return await self.until(lambda: next((m for m in self.api.answers(chat) if words in m.text), None))

    async def presses(self, data: str, message: Shown, by: int = STAFF) -> str:
        """A press on a card's button; the short word it was answered with."""
        seen = len(self.api.calls("answerCallbackQuery"))
        self.api.press(by, message.message_id, data, chat=GROUP)
        answer = await self.until(lambda: self.api.calls("answerCallbackQuery")[seen:])
        return str(answer[0].params.get("text", ""))

    async def orders(self, text: str, by: int = STAFF, **place: int) -> Shown:
        """A command in the group; the answer to it."""
        said = self.api.send_text(by, text, chat=GROUP, **place)
        return await self.until(lambda: next((m for m in self.api.answers(GROUP) if quoted(m) == said), None))

    async def ticket(self, number: int) -> Ticket:
        """As the log tells it now."""
        return await self.service.desk.fresh(number)

    async def settled(self) -> None:
        """All that arrived is answered, all that was begun is done."""
        while self.service.inbox.busy or self.api.pending():  # noqa: ASYNC110 - two conditions
            await asyncio.sleep(0.01)


def quoted(message: Shown) -> int:
    """The message that one replies to; 0: none."""
    return int(message.raw.get("reply_to_message", {}).get("message_id", 0))


@asynccontextmanager
async def serving(api: FakeApi, folder: Path, limits: Limits = QUICK, **settings: object) -> AsyncIterator[Serving]:
    """The service from its start to its graceful stop; the database in `folder` outlives it."""
    plan = {
        "bot_token": api.token,
        "telegram_api_url": api.base_url,
        "telegram_file_url": api.base_file_url,
        "staff_chat_id": GROUP,
        "staff_ids": f"{STAFF},{STAFF_2}",
        "data_dir": folder,
        "pbx_probe_host": "127.0.0.1",
        "pbx_sip_port": 9,
        "pbx_on_this_host": "no",
        "dns_servers": "127.0.0.1:9",
        "check_timeout_s": 0.2,
        **settings,
    }
    store = Store(folder / "yordam.db", (migrations, mailbox_migrations))
    try:
        service = build(Settings.load(**plan), store, limits=limits)
        running = asyncio.create_task(service.run())
        yielded = Serving(api, service)
        starts = len(api.calls("setMyShortDescription"))
        await yielded.until(lambda: len(api.calls("setMyShortDescription")) > starts)  # the last thing of a start
        try:
            yield yielded
        finally:
            service.inbox.stop()
            await running
    finally:
        store.close()


def populated(api: FakeApi, *, forum: bool = False) -> FakeApi:
    """The person, the staff, a stranger, and their group."""
    api.user(PERSON, "Aziza")
    api.user(STAFF, "Nodir", username="nodir")
    api.user(STAFF_2, "Sevara")
    api.user(STRANGER, "Begona")
    api.group(GROUP, "Operatorlar", forum=forum)
    return api
