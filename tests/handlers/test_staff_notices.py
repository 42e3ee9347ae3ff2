"""What breaks behind the handlers is told to the staff, and to a person only where one waits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake_api import FakeApi
from tests.handlers.serving import GROUP, PERSON, populated, serving


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as server:
        yield populated(server)


@pytest.mark.parametrize("chat", [0, GROUP, PERSON])
async def test_work_that_breaks_is_told_to_the_staff_and_to_who_waits_for_it(
    api: FakeApi, tmp_path: Path, chat: int
) -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    async with serving(api, tmp_path) as bot:
        bot.service.inbox.spawn("test:broken", broken(), chat)
        await bot.hears("⚠️ Botda xatolik: ZeroDivisionError")
        await bot.service.courier.chats.told()
    assert [len(api.answers(where)) for where in (GROUP, PERSON)] == [1, int(chat == PERSON)]
    assert api.refused() == []
