"""What staff do to a ticket: once for each cause, also when it is done again after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.casefile import fold
from bot.model import EventKind, Kind, Status
from bot.standing import Member, Standing, standing
from tests.fake_api import FakeApi
from tests.handlers.serving import PERSON, populated, serving


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as server:
        yield populated(server)


def all_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_a_deed_made_again_under_its_cause_is_written_and_told_once(api: FakeApi, tmp_path: Path) -> None:
    done: list[Member | bool] = []
    for round_ in range(2):  # the second time in another process, as after a crash
        async with serving(api, tmp_path) as bot:
            number = 1 if round_ else await bot.opened()
            actions = bot.service.actions
            done.append(await actions.take(number, "Nodir", by_id=900, source="order:1"))
            await actions.tag(number, ["vip", "vip"], "Nodir", source="order:2")
            await actions.priority(number, "high", "Nodir", source="order:3")
            await actions.note(number, "oʻzimizga", "Nodir", source="order:4")
            done.append(await actions.reply(number, "Salom", "Nodir", source="order:5"))
            await actions.ask(number, Kind.PING, "Nodir", source="order:6")
            done.append(await actions.close(number, "solved", "Nodir", source="order:7"))
            done.append(await actions.close(number, "staff", "Sevara", source="order:8"))
            await bot.settled()
            ticket = await bot.ticket(number)
    made = ("taken", "tagged", "priority", "note", "staff_message", "asked", "closed")
    assert [event.kind.value for event in ticket.events if event.kind.value in made] == [*made]
    assert done == [Member("Nodir", 900), True, True, False] * 2
    heard = [m.text.split("\n")[0] for m in api.answers(PERSON)]
    assert heard[:2] == ["Operator: Salom", "Operator soʻrayapti:"]
    assert [text.split(" hal")[0] for text in heard[2:3]] == ["Murojaat №1"]
    assert (ticket.status, standing(ticket)) == (
        Status.SOLVED,
        Standing(Member("Nodir", 900), "high", ("vip",)),
    )


async def test_what_is_closed_while_checks_are_made_stays_closed(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path, check_timeout_s=1.0) as bot:
        api.send_text(PERSON, "/diagnose")
        await bot.hears("tekshiryapman", PERSON)
        await bot.service.actions.close(1, "staff", "Nodir", source="order:1")
        await bot.settled()
        ticket = await bot.ticket(1)
    kinds = [event.kind for event in ticket.events]
    assert (ticket.status, kinds.index(EventKind.CLOSED) < kinds.index(EventKind.CHECKED)) == (Status.CLOSED, True)


async def test_a_chat_that_takes_no_messages_is_told_to_who_answers_it(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        number = await bot.opened()
        api.block(PERSON)
        await bot.settled()
        assert await bot.service.actions.reply(number, "Salom", "Nodir", source="order:1") is False
        assert await bot.service.actions.close(number, "staff", "Nodir", source="order:2") is True


async def test_side_by_side_only_one_takes_and_only_one_closes(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        number = await bot.opened()
        actions, staff = bot.service.actions, [f"Operator {n}" for n in range(8)]
        holders = await asyncio.gather(*(actions.take(number, by, source=f"take:{by}") for by in staff))
        closed = await asyncio.gather(*(actions.close(number, "staff", by, source=f"close:{by}") for by in staff))
        assert (len(set(holders)), sum(closed)) == (1, 1)
        await bot.settled()
    assert len([m for m in api.answers(PERSON) if "yopildi" in m.text]) == 1


async def test_a_strange_reason_level_or_number_is_refused(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        number = await bot.opened()
        before = len((await bot.ticket(number)).events)
        with pytest.raises(ValueError, match="no such reason"):
            await bot.service.actions.close(number, "bored", "Nodir", source="x")
        with pytest.raises(ValueError, match="no such priority"):
            await bot.service.actions.priority(number, "highest", "Nodir", source="x")
        with pytest.raises(LookupError):
            await bot.service.actions.note(99, "?", "Nodir", source="x")
        assert len((await bot.ticket(number)).events) == before


async def test_checks_that_staff_make_and_that_tell_nothing_new_do_not_bother_the_user(
    api: FakeApi, tmp_path: Path
) -> None:
    async with serving(api, tmp_path) as bot:
        api.send_text(PERSON, "/diagnose")
        await bot.until(lambda: len(api.answers(PERSON)) >= 2)
        await bot.settled()
        assert fold(await bot.ticket(1)).settled
        heard = [m.text for m in api.answers(PERSON)]
        await bot.service.actions.check_now(1, "Nodir", source="order:1")
        await bot.settled()
        checked = [event for event in (await bot.ticket(1)).events if event.kind is EventKind.CHECKED]
        assert (len(checked), [m.text for m in api.answers(PERSON)]) == (2, heard)


async def test_a_password_in_a_note_is_kept_nowhere(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        number = await bot.opened()
        await bot.service.actions.note(number, "parol: Maxfiy12345", "Nodir", source="order:1")
        await bot.settled()
    assert b"Maxfiy12345" not in all_bytes(tmp_path)
