"""Whatever people send is stored before it is confirmed, handled in order, and answered once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from telegram import Update
from telegram.ext import CommandHandler, ContextTypes, TypeHandler

from bot.mailbox import Letter
from handlers.journey import journey
from handlers.reader import quarantine_s
from tests.echo_bot import App
from tests.fake_api import FakeApi
from tests.handlers.rig import Rig, assembled, listening

Context = ContextTypes.DEFAULT_TYPE


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as server:
        server.user(7)
        server.user(8)
        yield server


def texts(api: FakeApi, chat: int = 7) -> list[str]:
    return [message.text for message in api.answers(chat)]


async def rows(rig: Rig) -> list[dict[str, Any]]:
    await rig.mailbox.flush()
    return await rig.store.run(lambda db: list(db.query("SELECT * FROM inbox ORDER BY seq")))


async def all_done(rig: Rig, count: int) -> list[dict[str, Any]]:
    """The inbox once so many rows are done."""
    for _ in range(500):
        found = await rows(rig)
        if sum(row["done_at"] is not None for row in found) >= count:
            return found
        await asyncio.sleep(0.02)
    raise TimeoutError(found)


async def test_a_poisonous_update_is_set_aside_and_everybody_else_is_answered(api: FakeApi, tmp_path: Path) -> None:
    poison = {"message_id": "?", "chat": {"id": 8}, "text": "salom"}
    update_id = api.raw("message", poison)
    api.raw("message", "not even an object")
    api.send_text(7, "salom")
    async with listening(api, tmp_path) as rig:
        await rig.until(lambda: texts(api))
        found = await all_done(rig, 3)
    assert texts(api) == ["echo: salom"]
    assert [(row["chat_id"], row["error"] is None, row["body"]) for row in found] == [
        (8, False, None),
        (0, False, None),
        (7, True, None),
    ]
    assert ("set_aside", update_id, 8, {"update_id": update_id, "message": poison}) in [
        told[:4] for told in rig.told.all
    ]


async def test_sixteen_people_are_served_side_by_side_and_each_in_order(api: FakeApi, tmp_path: Path) -> None:
    everybody = asyncio.Barrier(16)

    def register(application: App) -> None:
        async def meet(update: Update, context: Context) -> None:
            assert update.effective_message
            if update.effective_message.text == "0":
                await everybody.wait()
            await update.effective_message.reply_text(update.effective_message.text or "")

        application.add_handler(TypeHandler(Update, meet))

    people = range(100, 116)
    for n in range(5):
        for person in people:
            api.send_text(person, str(n))
    async with listening(api, tmp_path, register=register) as rig:
        await rig.until(lambda: sum(len(texts(api, person)) for person in people) == 80)
    assert [texts(api, person) for person in people] == [["0", "1", "2", "3", "4"]] * 16


async def test_what_was_stored_before_a_crash_is_answered_after_it(api: FakeApi, tmp_path: Path) -> None:
    api.send_text(7, "salom")
    async with assembled(api, tmp_path) as rig:
        async with rig.application:
            batch = await rig.bot.do_api_request("get_Updates")
            offset = await rig.inbox.accept(batch)
            await rig.bot.do_api_request("get_Updates", api_kwargs={"offset": offset})
        with journey(f"update:{batch[0]['update_id']}"):
            await rig.mailbox.claim(f"update:{batch[0]['update_id']}", "sendMessage#1", 7)
    assert (api.pending(), texts(api)) == (0, [])
    async with listening(api, tmp_path) as rig:
        await rig.until(lambda: texts(api))
    assert texts(api) == ["echo: salom"]
    assert [told[0] for told in rig.told.all] == ["repeated"]


async def test_eleven_times_the_same_request_is_answered_once(api: FakeApi, tmp_path: Path) -> None:
    def register(application: App) -> None:
        async def start(update: Update, context: Context) -> None:
            assert update.effective_message
            await update.effective_message.reply_text("Assalomu alaykum")

        application.add_handler(CommandHandler("start", start))

    for _ in range(11):
        api.send_text(7, "/start")
    api.send_text(8, "/start")
    api.send_text(7, "/start 2")
    async with listening(api, tmp_path, register=register) as rig:
        found = await all_done(rig, 13)
    assert (len(texts(api, 7)), len(texts(api, 8))) == (2, 1)
    assert [row["error"] for row in found[1:11]] == [f"the same request as {found[0]['update_id']}"] * 10


async def test_who_waited_long_is_told_once(api: FakeApi, tmp_path: Path) -> None:
    for text in ("a", "b"):
        message = api.send_text(7, text)
        api.chats.chats[7].messages[message]["date"] -= 3600
    api.send_text(8, "c")
    async with listening(api, tmp_path) as rig:
        await rig.until(lambda: len(texts(api)) == 2 and texts(api, 8))
    assert rig.told.all == [("away", 7)]


async def test_what_was_written_leaves_no_bytes_in_the_files(api: FakeApi, tmp_path: Path) -> None:
    api.send_text(7, "parol: Sekret123")

    def register(application: App) -> None:
        async def fail(update: Update, context: Context) -> None:
            assert update.effective_message
            raise ValueError(f"{context.bot.token} {update.effective_message.text}")

        application.add_handler(TypeHandler(Update, fail))

    def redact(text: str) -> str:
        return text.replace("Sekret123", "…")

    async with listening(api, tmp_path, register=register, redact=redact) as rig:
        found = await all_done(rig, 1)
        await rig.until(lambda: holding(tmp_path, b"Sekret123") == [], 15)
    assert [row["error"] for row in found] == ["ValueError: <token> parol: …"]


def holding(folder: Path, secret: bytes) -> list[str]:
    """The files in which these bytes are."""
    return [path.name for path in folder.iterdir() if secret in path.read_bytes()]


async def test_a_webhook_left_set_is_removed_and_what_waits_is_kept(api: FakeApi, tmp_path: Path) -> None:
    api.chats.webhook_url = "https://old.example"
    api.send_text(7, "a")
    async with listening(api, tmp_path) as rig:
        await rig.until(lambda: texts(api))
        api.chats.webhook_url = "https://set.again"
        api.send_text(7, "b")
        await rig.until(lambda: len(texts(api)) == 2, 15)
    assert texts(api) == ["echo: a", "echo: b"]


async def test_a_bot_started_before_the_network_waits_for_it(tmp_path: Path) -> None:
    with FakeApi() as first:
        port = first.port
    first.port = port
    async with listening(first, tmp_path) as rig:
        await asyncio.sleep(0.2)
        with FakeApi(port) as api:
            api.send_text(7, "salom")
            await asyncio.to_thread(api.wait_for, lambda: texts(api))
            rig.inbox.stop()


async def test_a_bot_that_never_reached_telegram_stops_when_asked(tmp_path: Path) -> None:
    with FakeApi() as gone:
        pass
    async with listening(gone, tmp_path) as rig:
        await asyncio.sleep(0.1)
        begun = time.monotonic()
        rig.inbox.stop()
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("fault", ["drop", "status", "garbage", "drop_after", "flood"])
async def test_a_fetch_that_fails_is_made_again(api: FakeApi, tmp_path: Path, fault: Any) -> None:
    api.send_text(7, "a")
    api.fault(fault, "getUpdates", times=2)
    async with listening(api, tmp_path) as rig:
        await rig.until(lambda: texts(api))
    assert texts(api) == ["echo: a"]
    polls = api.calls("getUpdates")
    early = [b.at - a.at for a, b in pairwise(polls) if a.fault == "flood" and b.at - a.at < 1]
    assert early == []


async def test_a_stop_finishes_what_is_in_hand_and_leaves_the_rest_for_the_next_start(
    api: FakeApi, tmp_path: Path
) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    def register(application: App) -> None:
        async def slow(update: Update, context: Context) -> None:
            assert update.effective_message
            entered.set()
            await leave.wait()
            await update.effective_message.reply_text(update.effective_message.text or "")

        application.add_handler(TypeHandler(Update, slow))

    for text in ("a", "b", "c"):
        api.send_text(7, text)
    async with listening(api, tmp_path, register=register) as rig:
        await entered.wait()
        rig.inbox.stop()
        await asyncio.sleep(0.05)
        leave.set()
    assert texts(api) == ["a"]
    async with listening(api, tmp_path, register=register) as rig:
        await rig.until(lambda: len(texts(api)) == 3)
    assert texts(api) == ["a", "b", "c"]


async def test_a_stop_in_the_moment_of_a_write_is_a_stop(api: FakeApi, tmp_path: Path) -> None:
    async with assembled(api, tmp_path) as rig:
        running = asyncio.create_task(rig.inbox.run())
        await rig.until(lambda: api._wakers)  # it polls: every task of it waits
        rig.inbox._written.set()
        rig.inbox.stop()
        await asyncio.wait_for(running, 10)


async def test_a_handler_that_outlasts_the_grace_is_run_again_by_the_next_start(api: FakeApi, tmp_path: Path) -> None:
    entered = asyncio.Event()

    def register(application: App) -> None:
        async def stuck(update: Update, context: Context) -> None:
            entered.set()
            await asyncio.sleep(60)

        application.add_handler(TypeHandler(Update, stuck))

    api.send_text(7, "a")
    async with listening(api, tmp_path, register=register, grace_s=0.1):
        await entered.wait()
    async with listening(api, tmp_path) as rig:
        assert [row["tries"] for row in await rows(rig)] in ([0], [1])
        await rig.until(lambda: texts(api))
    assert texts(api) == ["echo: a"]


async def test_background_work_is_waited_for_and_its_failure_told(api: FakeApi, tmp_path: Path) -> None:
    async with listening(api, tmp_path) as rig:

        async def diagnosis() -> None:
            await rig.bot.send_message(7, "…")
            await asyncio.sleep(0.2)
            await rig.bot.send_message(7, "verdict")
            raise ValueError("afterwards")

        await rig.until(lambda: api._poller)
        rig.inbox.spawn("ticket:1:diagnosis", diagnosis(), 7)
        await rig.until(lambda: texts(api))
    assert texts(api) == ["…", "verdict"]
    assert rig.told.all == [("failed", 7, "ticket:1:diagnosis", "afterwards")]
    async with assembled(api, tmp_path) as rig:
        assert list(await rig.mailbox.sent("ticket:1:diagnosis")) == ["sendMessage#1", "sendMessage#2"]


async def test_ids_that_start_anew_are_new_and_repeated_ids_are_not(api: FakeApi, tmp_path: Path) -> None:
    async with assembled(api, tmp_path) as rig:
        batch = [{"update_id": n, "message": {"chat": {"id": 7}}} for n in (900, 5, 900)]
        assert await rig.inbox.accept(batch) == 901
        assert [row["update_id"] for row in await rows(rig)] == [900, 5]
        assert await rig.mailbox.receive([Letter(5, 7, "{}", 0.0)]) == []


async def test_an_answer_that_may_not_have_arrived_keeps_its_update_open(api: FakeApi, tmp_path: Path) -> None:
    api.fault("drop", "sendMessage", times=2)
    api.send_text(7, "a")
    async with listening(api, tmp_path) as rig:
        await rig.until(lambda: len(api.calls("sendMessage")) == 2)
        for _ in range(100):
            found = await rows(rig)
            if found[0]["not_before"]:
                break
            await asyncio.sleep(0.02)
    assert [(row["done_at"], row["tries"], row["body"] is None) for row in found] == [(None, 0, False)]


async def test_an_update_that_kills_its_reader_is_given_up(api: FakeApi, tmp_path: Path) -> None:
    update_id = api.raw("message", {"chat": {"id": 7}, "message_id": 1, "date": 1})
    async with assembled(api, tmp_path) as rig:
        async with rig.application:
            await rig.inbox.accept(await rig.bot.do_api_request("get_Updates"))
        for _ in range(12):
            rig.mailbox.begin(update_id)
    api.send_text(8, "b")
    async with listening(api, tmp_path) as rig:
        await rig.until(lambda: texts(api, 8))
        await all_done(rig, 2)
    assert ("set_aside", update_id, 7) in [told[:3] for told in rig.told.all]


def test_a_suspected_update_waits_longer_after_each_death() -> None:
    assert [quarantine_s(tries) for tries in (0, 4, 5, 6, 11, 12)] == [0.0, 0.0, 5.0, 10.0, 320.0, 0.0]


async def test_who_blocks_and_who_comes_back_is_noticed(api: FakeApi, tmp_path: Path) -> None:
    async with listening(api, tmp_path) as rig:
        api.block(7)
        await all_done(rig, 1)
        assert rig.courier.chats.why_closed(7) is not None
        api.send_text(7, "back")
        await rig.until(lambda: texts(api))
        assert rig.courier.chats.why_closed(7) is None
        api.group(-60)
        api.migrate(-60, -1002, by=7)
        await all_done(rig, 3)
        assert rig.courier.chats.where(-60) == -1002


async def test_another_poller_with_the_same_token_is_told(api: FakeApi, tmp_path: Path) -> None:
    async with listening(api, tmp_path) as rig:
        await rig.until(lambda: api._poller)
        async with assembled(api, tmp_path / "other") as other, other.application:
            with contextlib.suppress(Exception):
                await other.bot.do_api_request("get_Updates", api_kwargs={"timeout": 1})
        api.send_text(7, "a")
        await rig.until(lambda: texts(api))
    assert [told[0] for told in rig.told.all] == ["conflict"]


@pytest.mark.parametrize("raw", [None, [], "x", 5, {}, {"update_id": "7"}, {"update_id": 2**70}])
async def test_an_update_without_an_id_is_skipped(api: FakeApi, tmp_path: Path, raw: Any) -> None:
    async with assembled(api, tmp_path) as rig:
        assert await rig.inbox.accept([raw, json.loads('{"update_id": 3}')]) == 4
        assert [(row["update_id"], row["chat_id"]) for row in await rows(rig)] == [(3, 0)]
