"""An Application behind our inbox and courier, in the test's own event loop, against the fake Bot API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bot.mailbox import Mailbox, migrations
from bot.store import Store
from handlers.courier import Courier
from handlers.inbox import Inbox
from handlers.notices import Notices
from handlers.pace import Limits
from tests.echo_bot import UNLIMITED, App, build, handle_with
from tests.fake_api import FakeApi

T = TypeVar("T")


class Told(Notices):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.all: list[tuple[Any, ...]] = []

    async def repeated(self, chat_id: int, source: str, step: str) -> None:
        self.all.append(("repeated", chat_id, source, step))

    async def set_aside(self, update_id: int, chat_id: int, raw: Any, error: str) -> None:
        self.all.append(("set_aside", update_id, chat_id, raw, error))

    async def away(self, chat_id: int, since: float) -> None:
        self.all.append(("away", chat_id))

    async def failed(self, chat_id: int, source: str, error: BaseException) -> None:
        self.all.append(("failed", chat_id, source, str(error)))

    async def conflict(self, description: str) -> None:
        self.all.append(("conflict", description))

    async def migrated(self, old_id: int, new_id: int) -> None:
        self.all.append(("migrated", old_id, new_id))

    async def closed(self, chat_id: int, why: str) -> None:
        self.all.append(("closed", chat_id, why))


@dataclass(slots=True)
class Rig:
    """What a test holds of the running bot."""

    api: FakeApi
    store: Store
    mailbox: Mailbox
    courier: Courier
    application: App
    inbox: Inbox
    told: Told

    @property
    def bot(self) -> Any:
        """The bot whose every call goes through the courier."""
        return self.application.bot

    async def until(self, predicate: Callable[[], T], timeout_s: float = 10.0) -> T:
        """The first true value of `predicate()`; it is looked at outside the event loop."""
        return await asyncio.to_thread(self.api.wait_for, predicate, timeout_s)


@asynccontextmanager
async def assembled(api: FakeApi, folder: Path, limits: Limits | None = UNLIMITED, **inbox: Any) -> AsyncIterator[Rig]:
    """Everything built, nothing started. `limits=None`: Telegram's."""
    store, told = Store(folder / "bot.db", (migrations,)), Told()
    application, courier, mailbox = build(api.base_url, store, limits, told)
    try:
        yield Rig(api, store, mailbox, courier, application, Inbox(mailbox, application, courier, **inbox), told)
        await courier.shutdown()
    finally:
        store.close()


@asynccontextmanager
async def calling(api: FakeApi, folder: Path, limits: Limits | None = UNLIMITED) -> AsyncIterator[Rig]:
    """A bot that can call but does not listen."""
    async with assembled(api, folder, limits) as rig, rig.application:
        yield rig


@asynccontextmanager
async def listening(
    api: FakeApi,
    folder: Path,
    limits: Limits | None = UNLIMITED,
    register: Callable[[App], None] = handle_with,
    **inbox: Any,
) -> AsyncIterator[Rig]:
    """A bot that echoes, or does what `register` adds; stopped gracefully at the end."""
    async with assembled(api, folder, limits, **inbox) as rig:
        register(rig.application)
        running = asyncio.create_task(rig.inbox.run())
        try:
            yield rig
        finally:
            rig.inbox.stop()
            await running
