"""Each ticket has its place: a card, in a forum group in a topic of its own; what is deleted is made again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from time import time
from typing import Any

import pytest

from bot.incidents import Round
from bot.model import EventKind
from handlers.actions import Place
from handlers.pace import Limits
from tests.fake_api import FakeApi
from tests.fake_chats import BOT
from tests.handlers.serving import GROUP, PERSON, QUICK, STAFF, STAFF_2, STRANGER, Serving, populated, serving
from tests.handlers.test_incidents import BAD, NOON

NO_RIGHT = "“Mavzularni boshqarish” huquqi yoʻq"


@pytest.fixture
def forum() -> Iterator[FakeApi]:
    with FakeApi() as server:
        yield populated(server, forum=True)


@pytest.fixture
def plain() -> Iterator[FakeApi]:
    with FakeApi() as server:
        yield populated(server)


def names(api: FakeApi) -> list[tuple[str, bool]]:
    return [(topic["name"], topic["closed"]) for topic in api.topics(GROUP)]


def offered(api: FakeApi) -> list[dict[str, Any]]:
    """Whom a menu was set for."""
    return [json.loads(call.params["scope"]) for call in api.calls("setMyCommands")]


def offered_in(api: FakeApi, group: int, after: int = 0) -> set[int]:
    """Of whom the menu was set in this group, skipping the first `after` menus."""
    return {scope["user_id"] for scope in offered(api)[after:] if scope.get("chat_id") == group}


async def topic_deleted(bot: Serving) -> tuple[int, int]:
    """Somebody deletes a ticket's topic: the numbers of both."""
    number = await bot.opened()
    topic = (await bot.card(number)).thread_id
    await bot.settled()
    assert topic is not None
    bot.api.delete_topic(GROUP, topic)
    return number, topic


async def test_a_forum_has_a_topic_for_each_ticket_whose_name_and_state_follow_it(
    forum: FakeApi, tmp_path: Path
) -> None:
    async with serving(forum, tmp_path) as bot:
        number = await bot.opened()
        card = await bot.card(number)
        assert (names(forum), card.thread_id) == (
            [("🔴 №1 · 1002 · Aziza", False)],
            forum.topics(GROUP)[0]["message_thread_id"],
        )
        await bot.service.actions.close(number, "solved", "Nodir", source="test:close")
        await bot.until(lambda: names(forum) == [("✅ №1 · 1002 · Aziza", True)])
        await bot.service.actions.reopen(number, "Nodir", source="test:reopen")
        await bot.until(lambda: not names(forum)[0][1])
        assert len(forum.topics(GROUP)) == 1
    assert forum.refused() == []


async def test_a_plain_group_has_one_card_a_ticket_and_no_topics(plain: FakeApi, tmp_path: Path) -> None:
    async with serving(plain, tmp_path) as bot:
        number = await bot.opened()
        first = await bot.card(number)
        await bot.service.actions.take(number, "Nodir", source="test:take")
        taken = await bot.card(number, "🙋 Nodir")
        await bot.settled()
        assert (first.message_id, len(bot.cards(number))) == (taken.message_id, 1)
    assert (plain.calls("createForumTopic"), plain.refused()) == ([], [])


async def test_a_deleted_topic_is_made_again_and_what_found_that_out_is_said_there(
    forum: FakeApi, tmp_path: Path
) -> None:
    async with serving(forum, tmp_path) as bot:
        number, _ = await topic_deleted(bot)
        forum.send_text(PERSON, "Hali ham ulanmayapti")
        said = await bot.until(lambda: [m for m in forum.answers(GROUP) if m.text == "Hali ham ulanmayapti"])
        card = await bot.card(number)
        await bot.settled()
        new = forum.topics(GROUP)[0]["message_thread_id"]
        assert ([m.thread_id for m in said], card.thread_id, len(bot.cards(number))) == ([new], new, 1)
        assert [m.text for m in forum.answers(GROUP)].count("Hali ham ulanmayapti") == 1
    assert {call.description for call in forum.refused()} <= {
        "Bad Request: message thread not found",
        "Bad Request: message to edit not found",
    }


async def test_a_deleted_topic_is_made_again_when_the_ticket_changes_unless_it_has_ended(
    forum: FakeApi, tmp_path: Path
) -> None:
    async with serving(forum, tmp_path) as bot:
        number, old = await topic_deleted(bot)
        await bot.service.actions.priority(number, "high", "Nodir", source="test:high")
        card = await bot.card(number, "shoshilinch")
        assert card.thread_id not in (None, old)
        await bot.service.actions.close(number, "staff", "Nodir", source="test:close")
        await bot.settled()
        forum.delete_topic(GROUP, card.thread_id or 0)
        await bot.service.actions.tag(number, ["vip"], "Nodir", source="test:tag")
        await bot.settled()
        assert (forum.topics(GROUP), bot.cards(number)) == ([], [])


async def test_a_deleted_card_is_posted_again(plain: FakeApi, tmp_path: Path) -> None:
    async with serving(plain, tmp_path) as bot:
        number = await bot.opened()
        old = await bot.card(number)
        plain.delete_message(GROUP, old.message_id)
        await bot.service.actions.take(number, "Nodir", source="test:take")
        new = await bot.card(number, "🙋 Nodir")
        plain.delete_message(GROUP, new.message_id)
        await bot.service.actions.tag(number, ["vip"], "Nodir", source="test:tag")
        newest = await bot.card(number, "#vip")
        await bot.settled()
        assert len({old.message_id, new.message_id, newest.message_id}) == 3
        assert [m.message_id for m in bot.cards(number)] == [newest.message_id]


async def test_what_telegram_had_answered_before_a_crash_is_not_made_again(forum: FakeApi, tmp_path: Path) -> None:
    async with serving(forum, tmp_path) as bot:
        number = await bot.opened()
        card = await bot.card(number)
        await bot.settled()
        store = bot.service.desk.tickets.store
        # As if the process had died before it could note the answers:
        await store.run(lambda db: db.execute("DELETE FROM topics"))
        await store.run(lambda db: db.execute("DELETE FROM posts"))
    async with serving(forum, tmp_path) as bot:
        await bot.settled()
        place = await bot.service.staff.board.place(number)
        assert place == Place(GROUP, card.thread_id, card.message_id)
    assert [len(forum.calls(method)) for method in ("createForumTopic", "sendMessage")] == [1, 1]


async def test_what_the_network_swallowed_is_shown_later(plain: FakeApi, tmp_path: Path) -> None:
    async with serving(plain, tmp_path) as bot:
        bot.service.staff.board.again_s = 0.1
        fault = plain.fault("drop", "sendMessage", contains="Aziza", times=5)  # more than one send survives
        number = await bot.opened()
        card = await bot.card(number)
        await bot.settled()
        assert (fault.times, [m.message_id for m in bot.cards(number)]) == (0, [card.message_id])


async def test_a_staff_chat_that_takes_nothing_is_not_knocked_at_again(
    plain: FakeApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(plain, tmp_path) as bot:
        plain.kick(GROUP, STAFF)
        await bot.settled()
        calls = len(plain.calls("sendMessage", GROUP))
        number = await bot.opened()
        await bot.settled()
        place = await bot.service.staff.board.place(number)
        assert (place, len(plain.calls("sendMessage", GROUP)) - calls) == (None, 0)
        assert f"ticket {number} is not shown to the staff" in caplog.text


async def test_a_group_that_moved_gets_the_cards_anew_where_it_is_now(plain: FakeApi, tmp_path: Path) -> None:
    async with serving(plain, tmp_path) as bot:
        number = await bot.opened()
        await bot.card(number)
        plain.migrate(GROUP, -100888, by=STAFF)
        await bot.settled()
        await bot.service.actions.take(number, "Nodir", source="test:take")
        await bot.until(lambda: any("🙋 Nodir" in m.text for m in plain.answers(-100888)))
        place = await bot.service.staff.board.place(number)
        assert place is not None
        assert (place.chat_id, place.card_id) == (-100888, plain.answers(-100888)[0].message_id)


async def test_a_group_that_moved_shows_every_open_ticket_though_nothing_changes(
    plain: FakeApi, tmp_path: Path
) -> None:
    async with serving(plain, tmp_path) as bot:
        for person in (1001, 1002):
            await bot.card(await bot.opened(person))
        await bot.service.actions.close(1, "staff", "Nodir", source="test:close")
        await bot.settled()
        plain.migrate(GROUP, -100888, by=STAFF)
        await bot.until(lambda: [m.text[:2] for m in plain.answers(-100888)] == ["№2"])
        await bot.settled()
        assert len(plain.answers(-100888)) == 1
        assert offered_in(plain, -100888) == {STAFF, STAFF_2}


async def test_back_in_the_group_the_cards_show_what_happened_meanwhile(plain: FakeApi, tmp_path: Path) -> None:
    async with serving(plain, tmp_path) as bot:
        for person in (1001, 1002, 1003):
            await bot.card(await bot.opened(person))
        await bot.settled()
        plain.kick(GROUP, STAFF)
        await bot.settled()
        await bot.service.actions.priority(1, "high", "Nodir", source="test:high")
        await bot.service.actions.close(2, "solved", "Nodir", source="test:close")
        await bot.opened(1004)
        await bot.settled()
        lifted = {"chat": plain.chats.chats[GROUP].body, "from": plain.chats.people[STAFF], "date": int(time()) + 1}
        banned, left = {"status": "kicked", "user": BOT, "until_date": 0}, {"status": "left", "user": BOT}
        plain.raw("my_chat_member", {**lifted, "old_chat_member": banned, "new_chat_member": left})
        await bot.settled()
        plain.chats.chats[GROUP].state = "ok"
        before = len(offered(plain))
        plain.promote(GROUP, STAFF, topics=False)
        await bot.until(lambda: bot.cards(1, "shoshilinch") and bot.cards(2, "hal boʻlgan") and bot.cards(4))
        await bot.settled()
        assert (len(bot.cards(3)), offered_in(plain, GROUP, before)) == (1, {STAFF, STAFF_2})


async def test_back_in_the_group_an_incidents_card_still_stands_for_those_linked_to_it(
    plain: FakeApi, tmp_path: Path
) -> None:
    async with serving(plain, tmp_path) as bot:
        incidents, tickets = bot.service.patrol.incidents, bot.service.desk.tickets
        for minute in range(2):
            seen = Round(NOON + timedelta(minutes=minute), BAD)
            await incidents.follow(seen, await incidents.log.count(seen, seen.at))
        one_of_many = await tickets.open(user_id=1001, chat_id=1001, name="Ali", language="uz", source="test:1001")
        await tickets.append(one_of_many.number, EventKind.ESCALATED, {"reason": "start_pbx"})
        await incidents.links.link(1, one_of_many.number)
        await incidents.resume()
        await bot.settled()
        plain.promote(GROUP, STAFF, topics=False)
        await bot.settled()
        assert [m.text.split(":")[0] for m in plain.answers(GROUP)] == ["🚨 Nosozlik №1"]


async def test_who_of_the_staff_comes_later_into_the_group_gets_the_menu(plain: FakeApi, tmp_path: Path) -> None:
    async with serving(plain, tmp_path) as bot:
        await bot.settled()
        before = len(offered(plain))
        for user, group in ((STRANGER, GROUP), (STAFF_2, -100999)):
            plain.group(-100999, "Boshqa")
            plain.send(user, group, new_chat_members=[plain.chats.people[user]])
            await bot.settled()
        assert len(offered(plain)) == before
        plain.send(STAFF_2, GROUP, new_chat_members=[plain.chats.people[STAFF_2]])
        await bot.until(lambda: STAFF_2 in offered_in(plain, GROUP, before))


async def test_without_the_right_there_are_plain_cards_and_staff_are_told_once(forum: FakeApi, tmp_path: Path) -> None:
    forum.chats.chats[GROUP].bot_has_topics = False
    for round_ in range(2):  # over a restart, too
        async with serving(forum, tmp_path) as bot:
            number = await bot.opened()
            card = await bot.card(number)
            await bot.settled()
            assert (number, card.thread_id) == (round_ + 1, None)
    assert [NO_RIGHT in m.text for m in forum.answers(GROUP)].count(True) == 1
    assert forum.calls("createForumTopic") == []


async def test_where_the_right_is_taken_a_closed_topic_gives_way_to_a_plain_card(
    forum: FakeApi, tmp_path: Path
) -> None:
    async with serving(forum, tmp_path) as bot:
        number = await bot.opened()
        card = await bot.card(number)
        await bot.settled()
        forum.chats.chats[GROUP].bot_has_topics = False
        forum.chats.chats[GROUP].topics[card.thread_id or 0]["closed"] = True
        forum.send_text(PERSON, "Hali ham ulanmayapti")
        said = await bot.hears("Hali ham ulanmayapti")
        await bot.settled()
        assert (said.thread_id, {m.thread_id for m in bot.cards(number)}) == (None, {card.thread_id, None})
        assert [NO_RIGHT in m.text for m in forum.answers(GROUP)].count(True) == 1


async def test_a_topic_that_may_have_been_made_twice_is_told_of(forum: FakeApi, tmp_path: Path) -> None:
    async with serving(forum, tmp_path) as bot:
        forum.fault("drop_after", "createForumTopic")  # it is there, and the bot never learns its number
        number = await bot.opened()
        card = await bot.card(number)
        warned = await bot.hears("№1: aloqa uzilib qolgani uchun ikkita mavzu ochilgan boʻlishi mumkin")
        await bot.settled()
        topics = [topic["message_thread_id"] for topic in forum.topics(GROUP)]
        assert (len(topics), card.thread_id, warned.thread_id) == (2, topics[1], None)


async def test_a_staff_chat_that_is_not_there_is_told_to_each_of_the_staff_once(plain: FakeApi, tmp_path: Path) -> None:
    async with serving(plain, tmp_path, staff_chat_id=-100404) as bot:
        for person in (1001, 1002):
            await bot.opened(person)
        await bot.settled()
        told = [[m.text.split(".")[0] for m in plain.answers(user)] for user in (STAFF, STAFF_2)]
        assert told == [["⚠️ Operatorlar guruhiga yoza olmayapman: Chat not found"]] * 2


async def test_that_the_staff_chat_takes_nothing_is_told_once_a_day_over_restarts(
    plain: FakeApi, tmp_path: Path
) -> None:
    today, sql = datetime.now(UTC).date().isoformat(), "UPDATE outbox SET source = replace(source, ?, '2000-01-01')"
    told: list[int] = []
    for a_day_goes_by in (False, True, False):
        async with serving(plain, tmp_path, staff_chat_id=-100404) as bot:
            if not told:
                await bot.opened()
            await bot.settled()
            told.append(len(plain.answers(STAFF)))
            if a_day_goes_by:
                await bot.service.desk.tickets.store.run(lambda db: db.execute(sql, [today]))
    assert told == [1, 1, 2]


async def test_that_somebody_takes_no_messages_is_said_also_when_his_topic_is_gone(
    forum: FakeApi, tmp_path: Path
) -> None:
    async with serving(forum, tmp_path) as bot:
        await topic_deleted(bot)
        forum.block(PERSON)
        await bot.service.desk.post.send(PERSON, bot.service.desk.screens.say("case.none"))
        assert "botni toʻxtatib qoʻygan" in (await bot.hears("№1: Aziza")).text


async def test_once_the_right_is_given_new_tickets_get_topics(forum: FakeApi, tmp_path: Path) -> None:
    forum.chats.chats[GROUP].bot_has_topics = False
    async with serving(forum, tmp_path) as bot:
        await bot.card(await bot.opened())
        forum.promote(GROUP, STAFF, topics=True)
        await bot.settled()
        second = await bot.card(await bot.opened(502, "Bobur"))
        assert (names(forum), second.thread_id is None) == ([("🔴 №2 · 1002 · Bobur", False)], False)


async def test_topics_are_made_at_a_gentle_pace_over_a_restart_too(forum: FakeApi, tmp_path: Path) -> None:
    interval_s = 0.4
    slow = Limits(1000, 0.0, 1000, 1.0, 1000, 1.0, topic_interval_s=interval_s)
    async with serving(forum, tmp_path, slow) as bot:
        for person in range(1, 5):
            await bot.opened(1000 + person)
        await bot.until(lambda: bot.cards(1) and bot.cards(2))
        for task in asyncio.all_tasks():
            if task.get_name().startswith("card:"):
                task.cancel()  # as a crash would: what waited is lost from memory
    async with serving(forum, tmp_path, slow) as bot:
        await bot.until(lambda: all(bot.cards(number) for number in range(1, 5)))
        await bot.settled()
    made = [call.at for call in forum.calls("createForumTopic") if call.ok]
    assert len(made) == 4
    assert min(later - earlier for earlier, later in pairwise(made)) > interval_s * 0.9


async def test_changes_while_a_card_waits_for_its_turn_are_one_edit(plain: FakeApi, tmp_path: Path) -> None:
    async with serving(plain, tmp_path) as bot:
        number = await bot.opened()
        await bot.card(number)
        await bot.settled()
        before = len(plain.calls("editMessageText", GROUP))
        plain.latency_s = 0.05
        for n in range(30):
            await bot.service.desk.tickets.append(number, EventKind.TAGGED, {"tags": [f"t{n}"], "by": "Nodir"})
            bot.service.staff.on_change(number)
        await bot.card(number, "#t29")
        assert len(plain.calls("editMessageText", GROUP)) - before <= 10


@pytest.mark.timeout(90)
@pytest.mark.parametrize("is_forum", [False, True])
async def test_forty_tickets_at_once_reach_the_group_once_without_a_refused_call(
    tmp_path: Path, is_forum: bool
) -> None:
    """A minute is a second and a half here; the limits stay Telegram's: 20 calls a minute, edits included."""
    minute_s = 1.5
    limits = Limits(group_window_s=minute_s, topic_interval_s=minute_s / 10)
    with FakeApi() as server:
        api = populated(server, forum=is_forum)
        api.flood.on, api.flood.group_window_s = True, minute_s
        async with serving(api, tmp_path, limits) as bot:
            numbers = [await bot.opened(1000 + n, f"Odam {n}") for n in range(40)]
            for level in ("low", "high"):
                for number in numbers:
                    await bot.service.desk.tickets.append(number, EventKind.PRIORITY, {"level": level, "by": "Nodir"})
                    bot.service.staff.on_change(number)
            await bot.until(lambda: all(bot.cards(number, "shoshilinch") for number in numbers), 60)
            await asyncio.wait_for(bot.settled(), 20)
        posted = [call.params["text"].split("</b>")[0] for call in api.calls("sendMessage", GROUP)]
        assert sorted(posted) == sorted(f"<b>№{number}" for number in numbers)
        assert len(api.topics(GROUP)) == (40 if is_forum else 0)
        assert (api.refused(), api.flood.refusals, api.flood.violations) == ([], 0, 0)


def test_the_limits_of_these_tests_are_not_those_of_the_product() -> None:
    assert (Limits().topic_interval_s, QUICK.topic_interval_s) == (6.0, 0.0)
