"""Everything leaves through one door: in order, at Telegram's pace, once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto, ReplyParameters
from telegram.error import BadRequest, Forbidden, NetworkError

from handlers.courier import PROGRESS
from handlers.journey import journey
from handlers.pace import Limits
from tests.fake_api import FakeApi
from tests.fake_people import PNG
from tests.handlers.rig import calling

GROUP = -1001


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as server:
        server.user(7)
        server.user(8)
        server.group(GROUP, forum=True)
        yield server


def texts(api: FakeApi, chat: int = 7) -> list[str]:
    return [message.text for message in api.answers(chat)]


async def test_what_is_sent_to_one_person_arrives_in_order_and_never_too_fast(api: FakeApi, tmp_path: Path) -> None:
    api.flood.on = True
    async with calling(api, tmp_path, None) as rig:
        await asyncio.gather(*(rig.bot.send_message(7, str(n)) for n in range(5)))
    assert (texts(api), api.refused()) == (["0", "1", "2", "3", "4"], [])


async def test_a_group_gets_no_more_than_its_share_a_minute_edits_included(api: FakeApi, tmp_path: Path) -> None:
    async with calling(api, tmp_path, Limits(group_calls=3, group_window_s=0.5)) as rig:
        first = await rig.bot.send_message(GROUP, "0")
        begun = time.monotonic()
        for n in range(1, 7):
            await rig.bot.edit_message_text(str(n), GROUP, first.message_id)
        took_s = time.monotonic() - begun
    assert (texts(api, GROUP), took_s >= 1.0) == (["6"], True)


async def test_sixty_people_at_once_all_get_their_answers_without_a_refusal(api: FakeApi, tmp_path: Path) -> None:
    api.flood.on = True
    for person in range(100, 160):
        api.user(person)
    async with calling(api, tmp_path, None) as rig:
        await asyncio.gather(*(rig.bot.send_message(person, "x") for person in range(100, 160)))
    assert [texts(api, person) for person in range(100, 160)] == [["x"]] * 60
    assert (api.refused(), api.flood.violations) == ([], 0)


async def test_a_pause_ordered_in_one_chat_is_kept_by_all_and_nothing_is_lost(api: FakeApi, tmp_path: Path) -> None:
    api.fault("flood", "sendMessage", contains="first", seconds=1)
    async with calling(api, tmp_path) as rig:
        first = asyncio.create_task(rig.bot.send_message(7, "first"))
        await rig.until(lambda: api.flood.refusals)
        await asyncio.sleep(0.05)  # the refusal is on its way back
        begun = time.monotonic()
        await asyncio.gather(first, rig.bot.send_message(8, "second"))
        took_s = time.monotonic() - begun
    assert (texts(api, 7), texts(api, 8), api.flood.violations) == (["first"], ["second"], 0)
    assert took_s > 0.8


async def test_a_group_at_its_own_limit_does_not_hold_up_people(api: FakeApi, tmp_path: Path) -> None:
    api.fault("flood", "sendMessage", contains="card", seconds=1)
    async with calling(api, tmp_path, None) as rig:
        card = asyncio.create_task(rig.bot.send_message(GROUP, "card"))
        await rig.until(lambda: api.flood.refusals)
        await rig.bot.send_message(7, "x")
        assert texts(api, GROUP) == []
        await card
    assert (texts(api), texts(api, GROUP), api.flood.violations) == (["x"], ["card"], 0)


async def test_a_pause_outlives_the_process(api: FakeApi, tmp_path: Path) -> None:
    async with calling(api, tmp_path) as rig:
        rig.mailbox.paused(0, time.time() + 1.0)
    async with calling(api, tmp_path) as rig:
        begun = time.monotonic()
        await rig.bot.send_message(7, "x")
        assert time.monotonic() - begun > 0.5


@pytest.mark.parametrize(
    ("fault", "copies"), [("drop", 1), ("status", 1), ("flood", 1), ("drop_after", 2), ("garbage", 2)]
)
async def test_a_fault_loses_nothing_and_repeats_only_what_may_have_been_lost(
    api: FakeApi, tmp_path: Path, fault: Any, copies: int
) -> None:
    api.fault(fault, "sendMessage")
    async with calling(api, tmp_path) as rig:
        with journey("update:1"):
            await rig.bot.send_message(7, "x")
    assert texts(api) == ["x"] * copies
    told = [("repeated", 7, "update:1", "sendMessage#1")] if fault in ("drop", "drop_after", "garbage") else []
    assert rig.told.all == told


async def test_a_refused_connection_is_waited_out(api: FakeApi, tmp_path: Path) -> None:
    async with calling(api, tmp_path) as rig:
        await rig.bot.send_message(7, "a")
        port = api.port
        api.__exit__()
        sending = asyncio.create_task(rig.bot.send_message(7, "b"))
        await asyncio.sleep(0.3)
        with FakeApi(port) as again:
            again.user(7)
            await sending
            assert texts(again) == ["b"]


async def test_work_that_nobody_would_repeat_is_given_more_attempts(api: FakeApi, tmp_path: Path) -> None:
    api.fault("drop", "sendMessage", times=2)
    async with calling(api, tmp_path) as rig:
        with journey("ticket:1"):
            await rig.bot.send_message(7, "verdict")
    assert texts(api) == ["verdict"]


async def test_a_call_given_up_leaves_its_journey_unfinished(api: FakeApi, tmp_path: Path) -> None:
    api.fault("drop", "sendMessage", times=9)
    async with calling(api, tmp_path) as rig:
        with journey("update:1") as made:
            made.retried = True
            with pytest.raises(NetworkError):
                await rig.bot.send_message(7, "x")
        assert (made.unfinished, await rig.mailbox.sent("update:1")) == ("lost", {"sendMessage#1": None})


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("<b>Ali <3</b>", "Ali <3"),
        ("<b>a</b> </b> &lt;", "a  <"),
        ("<code><sip:100@pbx></code>", "<sip:100@pbx>"),
        ("<i>" + "😀" * 2500 + "</i>", "😀" * 2047 + "…"),
    ],
)
async def test_what_telegram_cannot_parse_is_said_in_plain_words(
    api: FakeApi, tmp_path: Path, markup: str, shown: str
) -> None:
    async with calling(api, tmp_path) as rig:
        await rig.bot.send_message(7, markup, parse_mode="HTML")
        sent = await rig.bot.send_message(7, "x")
        await rig.bot.edit_message_text(markup, 7, sent.message_id, parse_mode="HTML")
        media = [InputMediaPhoto(PNG, caption=markup, parse_mode="HTML"), InputMediaPhoto(PNG)]
        album = await rig.bot.send_media_group(7, media)
    captions = [message.text for message in api.answers(7) if message.message_id in {m.message_id for m in album}]
    assert texts(api)[:2] == [shown, shown]
    assert captions == [shown if len(shown) < 1024 else "😀" * 511 + "…", ""]


async def test_half_a_character_does_not_stop_a_message(api: FakeApi, tmp_path: Path) -> None:
    async with calling(api, tmp_path) as rig:
        await rig.bot.send_message(7, "a\ud800b")
    assert texts(api) == ["a?b"]


async def test_a_quoted_message_that_is_gone_is_not_quoted(api: FakeApi, tmp_path: Path) -> None:
    async with calling(api, tmp_path) as rig:
        await rig.bot.send_message(7, "x", reply_parameters=ReplyParameters(1))
    assert texts(api) == ["x"]


async def test_an_edit_that_changes_nothing_is_a_success(api: FakeApi, tmp_path: Path) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("A", callback_data="a")]])
    async with calling(api, tmp_path) as rig:
        sent = await rig.bot.send_message(7, "x", reply_markup=keyboard)
        assert await rig.bot.edit_message_text("x", 7, sent.message_id, reply_markup=keyboard) is True
        assert await rig.bot.delete_message(7, sent.message_id) is True
        assert await rig.bot.delete_message(7, sent.message_id) is True


async def test_the_latest_edit_of_a_message_wins_and_the_waiting_ones_are_never_made(
    api: FakeApi, tmp_path: Path
) -> None:
    api.latency_s = 0.05
    async with calling(api, tmp_path) as rig:
        sent = await rig.bot.send_message(7, "x")
        await asyncio.gather(*(rig.bot.edit_message_text(f"{n}/30", 7, sent.message_id) for n in range(31)))
    assert (texts(api), len(api.calls("editMessageText")) <= 2) == (["30/30"], True)


async def test_progress_does_not_hold_up_the_answer(api: FakeApi, tmp_path: Path) -> None:
    async with calling(api, tmp_path, Limits(private_interval_s=60)) as rig:
        shown = await rig.bot.send_message(7, "x")
        await rig.bot.edit_message_text("1/3", 7, shown.message_id, rate_limit_args=PROGRESS)
        late = asyncio.create_task(rig.bot.edit_message_text("2/3", 7, shown.message_id, rate_limit_args=PROGRESS))
        await asyncio.sleep(0.1)
        await asyncio.wait_for(rig.bot.send_message(7, "answer"), 5)
        late.cancel()
    assert texts(api) == ["1/3", "answer"]


async def test_a_last_edit_does_not_wait_as_the_progress_before_it_does(api: FakeApi, tmp_path: Path) -> None:
    async with calling(api, tmp_path, Limits(private_burst=2, private_interval_s=3)) as rig:
        shown = await rig.bot.send_message(7, "x")
        progress = asyncio.create_task(rig.bot.edit_message_text("2/3", 7, shown.message_id, rate_limit_args=PROGRESS))
        await asyncio.sleep(0.01)
        begun = time.monotonic()
        await rig.bot.edit_message_text("done", 7, shown.message_id)
        assert (texts(api), time.monotonic() - begun < 2) == (["done"], True)
        await progress
    assert len(api.calls("editMessageText")) == 1


async def test_a_send_that_was_made_is_not_made_again_and_gives_its_result(api: FakeApi, tmp_path: Path) -> None:
    results = []
    for _ in range(2):
        async with calling(api, tmp_path) as rig:
            with journey("ticket:1"):
                results.append((await rig.bot.send_message(7, "a", rate_limit_args="verdict")).message_id)
                results.append((await rig.bot.send_message(7, "b", rate_limit_args="verdict")).message_id)
                results.append((await rig.bot.copy_message(8, 7, results[0])).message_id)
                results.append((await rig.bot.create_forum_topic(GROUP, "#1")).message_thread_id)
                album = await rig.bot.send_media_group(8, [InputMediaPhoto(PNG), InputMediaPhoto(PNG)])
                results.extend(message.message_id for message in album)
            steps = list(await rig.mailbox.sent("ticket:1"))
    assert (texts(api), results[:6]) == (["a", "b"], results[6:])
    assert steps == ["verdict", "verdict#2", "copyMessage#1", "createForumTopic#1", "sendMediaGroup#1"]


async def test_a_send_whose_fate_is_unknown_is_made_again_and_told(api: FakeApi, tmp_path: Path) -> None:
    async with calling(api, tmp_path) as rig:
        await rig.mailbox.claim("update:1", "sendMessage#1", 7)
        with journey("update:1"):
            await rig.bot.send_message(7, "x")
    assert (texts(api), rig.told.all) == (["x"], [("repeated", 7, "update:1", "sendMessage#1")])


async def test_a_refused_send_is_not_claimed_any_more(api: FakeApi, tmp_path: Path) -> None:
    async with calling(api, tmp_path) as rig:
        with journey("update:1"), pytest.raises(BadRequest, match="Chat not found"):
            await rig.bot.send_message(99, "x")
        assert await rig.mailbox.sent("update:1") == {}


async def test_the_journal_keeps_no_words(api: FakeApi, tmp_path: Path) -> None:
    received = api.send_text(7, "parol: Sekret123")
    async with calling(api, tmp_path) as rig:
        with journey("update:1"):
            await rig.bot.send_message(7, "Javob", reply_parameters=ReplyParameters(received))
        rows = await rig.store.run(lambda db: [str(row) for row in db.query("SELECT * FROM outbox")])
    assert ("Sekret123" in rows[0], "Javob" in rows[0]) == (False, False)


async def test_a_group_that_moved_is_followed_now_and_after_a_restart(api: FakeApi, tmp_path: Path) -> None:
    api.group(-60)
    api.migrate(-60, -1002, by=7)
    async with calling(api, tmp_path) as rig:
        await rig.bot.send_message(-60, "a")
    assert rig.told.all == [("migrated", -60, -1002)]
    async with calling(api, tmp_path) as rig:
        await rig.bot.send_message(-60, "b")
    assert (texts(api, -1002), len(api.refused())) == (["a", "b"], 1)


async def test_a_closed_door_is_told_once_and_not_knocked_at_again(api: FakeApi, tmp_path: Path) -> None:
    api.block(7)
    for _ in range(2):
        async with calling(api, tmp_path) as rig:
            for _ in range(2):
                with pytest.raises(Forbidden, match="blocked by the user"):
                    await rig.bot.send_message(7, "x")
    assert len(api.refused()) == 1
    api.send_text(7, "back")
    async with calling(api, tmp_path) as rig:
        rig.courier.chats.reopened(7)
        await rig.bot.send_message(7, "x")
    assert texts(api) == ["x"]


async def test_typing_is_not_shown_where_it_would_cost_a_message(api: FakeApi, tmp_path: Path) -> None:
    async with calling(api, tmp_path, None) as rig:
        assert await rig.bot.send_chat_action(GROUP, "typing") is True
        assert await rig.bot.send_chat_action(7, "typing") is True
    assert [call.params["chat_id"] for call in api.calls("sendChatAction")] == ["7"]


@pytest.mark.parametrize("fault", ["drop", "status", "flood", None])
async def test_a_press_that_cannot_be_acknowledged_does_not_stop_the_work(
    api: FakeApi, tmp_path: Path, fault: Any
) -> None:
    if fault:
        api.fault(fault, "answerCallbackQuery", times=9)
    async with calling(api, tmp_path) as rig:
        assert await rig.bot.answer_callback_query("1") is True
