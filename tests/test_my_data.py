"""A person's own data: given as a file, erased on a wish; the whole way through the running bot."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.barred import Barred
from bot.model import EventKind, Status
from bot.own_log import AMONG_STAFF
from bot.store import read_only
from tests.office import GROUP, USER, Office, office
from tests.running import PERSON, STAFF, STAFF_CHAT, RunningBot

INI = b"[Account1]\r\nlabel=Robiya\r\nserver=call.soundz.uz\r\nproxy=\r\ndomain=call.soundz.uz\r\nusername=482137\r\n"
NAME, OTHER_NAME = "Zulayho Qodirova", "Botir Boshqaev"
# What this person leaves behind while talking to the bot and the staff.
TRACES = (NAME, "zulayho", "482137", "kechadan", "qaytadan", "shikoyat", "Robiya")


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[RunningBot]:
    # Nothing listens there: the server is at fault, which is told without a question.
    with RunningBot(tmp_path, {"PBX_HOST": "127.0.0.1", "PBX_SIP_PORT": "9", "PBX_ON_THIS_HOST": "no"}) as running:
        running.api.user(PERSON, NAME)
        yield running
        assert "Traceback" not in (tmp_path / "bot.log").read_text("utf-8")


def a_story(bot: RunningBot) -> None:
    """Both sides talk; another person, too."""
    bot.says("/operator")
    bot.wait_for("Murojaat raqamingiz")
    bot.says("kechadan beri ishlamayapti, raqamim 482137")
    bot.wait_for("yetkazdim")
    bot.api.send_document(PERSON, INI, "Zulayho.ini", caption="mana sozlamalarim")
    card = bot.wait_for("№1", STAFF_CHAT)
    bot.wait_for("kechadan", STAFF_CHAT)
    bot.api.send_text(STAFF, f"{NAME}, qaytadan urinib koʻring", chat=STAFF_CHAT, reply_to=card.message_id)
    bot.wait_for("qaytadan urinib")
    bot.api.send_text(STAFF, "/note 1 482137 dan yana shikoyat", chat=STAFF_CHAT)
    bot.api.wait_for(lambda: "note" in kinds(bot) and "evidence" in kinds(bot) and files(bot), 20)
    bot.api.user(PERSON + 1, OTHER_NAME)
    bot.api.send_text(PERSON + 1, "/operator")
    bot.wait_for("№2", STAFF_CHAT)


def kinds(bot: RunningBot) -> list[str]:
    """What the first ticket's log holds."""
    with read_only(bot.folder / "data" / "yordam.db") as db:
        rows = db.query("SELECT kind FROM events WHERE ticket = 1 ORDER BY id") if db is not None else ()
        return [row["kind"] for row in rows]


def files(bot: RunningBot) -> list[Path]:
    return [path for path in (bot.folder / "data" / "attachments").glob("??/*") if path.is_file()]


def held(bot: RunningBot) -> list[str]:
    """Which traces stand in any byte of the data folder."""
    everything = b"".join(path.read_bytes() for path in (bot.folder / "data").rglob("*") if path.is_file())
    return [trace for trace in TRACES if trace.encode() in everything]


def in_the_staff_chat(bot: RunningBot) -> list[str]:
    """Which traces the bot's own messages in the staff chat show."""
    shown = "\n".join(message.text for message in bot.api.answers(STAFF_CHAT))
    return [trace for trace in TRACES if trace in shown]


def wants_to_be_forgotten(bot: RunningBot) -> None:
    bot.says("/forget_me")
    question = bot.wait_for("Maʼlumotlaringiz oʻchirilsinmi")
    data = next(b.data for row in question.buttons for b in row if b.data and b.data.startswith("mine:forget"))
    bot.api.press(PERSON, question.message_id, data)


def wish_is_fulfilled(bot: RunningBot) -> bool:
    with read_only(bot.folder / "data" / "yordam.db") as db:
        assert db is not None
        return not list(db.query("SELECT 1 FROM forgetting")) and "closed" in kinds(bot)


def test_everything_goes_and_others_lose_nothing(bot: RunningBot) -> None:
    a_story(bot)
    assert held(bot) == list(TRACES)
    wants_to_be_forgotten(bot)
    bot.wait_for("Oʻchirildi ✅", timeout=60)
    bot.api.wait_for(lambda: wish_is_fulfilled(bot), 30)
    assert in_the_staff_chat(bot) == []
    assert bot.stop() == 0
    assert (held(bot), files(bot)) == ([], [])
    tickets = json.loads(bot.yordam("tickets", "--json"))
    assert [(t["number"], t["status"], t["user_id"], t["extension"]) for t in tickets] == [
        (2, "escalated", PERSON + 1, None),
        (1, "closed", 0, None),
    ]
    assert any(OTHER_NAME in message.text for message in bot.api.answers(STAFF_CHAT))
    bot.start()
    bot.says("/status")
    bot.wait_for("ochiq murojaatingiz yoʻq")


def test_a_crash_in_the_middle_delays_it_only(bot: RunningBot) -> None:
    a_story(bot)
    stuck = bot.api.fault("hang", "deleteMessage", times=10**6, seconds=60)
    wants_to_be_forgotten(bot)
    bot.wait_for("Oʻchirildi ✅", timeout=60)
    bot.api.wait_for(lambda: bot.api.calls("deleteMessage"))
    assert in_the_staff_chat(bot) != []
    bot.stop(signal.SIGKILL)
    stuck.times = 0
    bot.start()
    bot.api.wait_for(lambda: wish_is_fulfilled(bot), 30)
    assert in_the_staff_chat(bot) == []
    assert bot.stop() == 0
    assert held(bot) == []
    assert len([m for m in bot.api.answers(PERSON) if "Oʻchirildi ✅" in m.text]) == 1


def test_a_backup_in_the_way_and_a_crash_delay_it_only(bot: RunningBot) -> None:
    a_story(bot)
    with closing(sqlite3.connect(bot.data / "yordam.db")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM tickets").fetchone()  # as a long `yordam backup` does
        wants_to_be_forgotten(bot)
        bot.wait_for("Oʻchirildi ✅", timeout=60)
        bot.api.wait_for(lambda: wish_is_fulfilled(bot), 30)
        bot.stop(signal.SIGKILL)
        assert held(bot) == list(TRACES)
    bot.start()
    assert held(bot) == []


def test_what_telegram_does_not_delete_any_more_is_written_over(bot: RunningBot) -> None:
    a_story(bot)
    for message in bot.api.chats.chats[STAFF_CHAT].messages.values():
        message["date"] -= 3 * 86400
    wants_to_be_forgotten(bot)
    bot.api.wait_for(lambda: wish_is_fulfilled(bot), 60)
    assert in_the_staff_chat(bot) == []
    assert any("soʻroviga koʻra oʻchirildi" in message.text for message in bot.api.answers(STAFF_CHAT))


def test_a_no_and_an_old_yes_change_nothing(bot: RunningBot) -> None:
    a_story(bot)
    bot.says("/forget_me")
    question = bot.wait_for("Maʼlumotlaringiz oʻchirilsinmi")
    bot.api.press(PERSON, question.message_id, "mine:keep")
    bot.wait_for("hech narsa oʻchirilmadi")
    bot.api.press(PERSON, question.message_id, "mine:forget:1700000000", force=True)
    bot.wait_for("Bu savol eskirdi")
    assert (held(bot), kinds(bot).count("closed")) == (list(TRACES), 0)


def document(bot: RunningBot) -> dict[str, Any]:
    """The file the bot sent last."""
    message = next(m for m in reversed(bot.api.answers(PERSON)) if "document" in m.raw)
    file = message.raw["document"]
    assert file["file_name"] == "yordam-malumotlarim.json"
    content: dict[str, Any] = json.loads(bot.api.chats.files[file["file_id"]].content)
    return content


def test_my_data_holds_what_is_theirs_and_nothing_of_the_staff_or_of_others(bot: RunningBot) -> None:
    a_story(bot)
    bot.says("/my_data")
    bot.wait_for("Siz haqingizda saqlangan hamma narsa shu faylda: 1 ta murojaat")
    given = document(bot)
    text = json.dumps(given, ensure_ascii=False)
    assert given["person"]["name"] == NAME
    assert [ticket["number"] for ticket in given["tickets"]] == [1]
    told = {event["kind"]: event for event in given["tickets"][0]["events"]}
    assert told["staff_message"]["text"] == f"{NAME}, qaytadan urinib koʻring"
    assert told["evidence"]["file_kept"] is True
    assert not {kind.value for kind in AMONG_STAFF} & set(told)
    assert EventKind.NOTE in AMONG_STAFF
    assert [word for word in ("shikoyat", "Nodir", OTHER_NAME, ".txt") if word in text] == []
    bot.says("/my_data")
    bot.wait_for("yaqinda joʻnatdim")


def test_of_a_stranger_nothing_is_kept_and_nothing_is_given(bot: RunningBot) -> None:
    bot.says("/my_data")
    bot.wait_for("hech narsa saqlanmagan")


def test_help_and_the_menu_name_both(bot: RunningBot) -> None:
    bot.says("/help")
    text = bot.wait_for("Maʼlumotlaringiz").text
    menu = bot.api.wait_for(lambda: [c for c in bot.api.calls("setMyCommands") if "forget_me" in str(c.params)])
    assert ("/my_data" in text, "/forget_me" in text, "my_data" in str(menu[0].params)) == (True, True, True)


# --- in the test's own event loop ---


async def forget(bot: Office) -> None:
    """The person wishes it, and it is carried out."""
    bot.api.send_text(USER, "/forget_me")
    question = await bot.hears("Maʼlumotlaringiz oʻchirilsinmi")
    data = next(b.data for row in question.buttons for b in row if b.data and b.data.startswith("mine:forget"))
    bot.api.press(USER, question.message_id, data)
    await bot.hears("Oʻchirildi ✅")
    await bot.quiet()


async def test_a_topic_goes_with_all_that_stands_in_it(tmp_path: Path) -> None:
    async with office(tmp_path, forum=True) as bot:
        card = await bot.called()
        bot.api.send_text(USER, "ertalabdan beri jim")
        await bot.hears("ertalabdan", GROUP)
        bot.api.send_text(STAFF, "Aziza, qarayapman", GROUP, thread=card.thread_id)
        await bot.hears("qarayapman")
        await forget(bot)
        group = bot.api.chats.chats[GROUP]
        assert (group.topics, [m for m in bot.api.messages(GROUP) if m.thread_id == card.thread_id]) == ({}, [])
        assert [text for text in bot.texts(GROUP) if "Aziza" in text] == []


async def test_a_topic_that_may_not_be_deleted_loses_its_name_and_its_messages(tmp_path: Path) -> None:
    async with office(tmp_path, forum=True) as bot:
        await bot.called()
        bot.api.fault("status", "deleteForumTopic", status=400, times=10)
        await forget(bot)
        ((thread, topic),) = bot.api.chats.chats[GROUP].topics.items()
        assert topic["name"] == "№1 · oʻchirildi"
        await bot.hears(f"https://t.me/c/777/{thread}", GROUP)
        assert [text for text in bot.texts(GROUP) if "Aziza" in text] == []


async def test_lists_answers_and_orders_that_name_the_person_go_too(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        orders = ("/note 1 Aziza yana soʻradi", "/tag 1 aziza", "/tickets", "/mute 1 1", "/ticket 1", "/take 1")
        for text in orders:
            bot.api.send_text(STAFF, text, GROUP)
        await bot.quiet()
        await bot.time_passes(hours=5)
        await bot.hears("№1 · Aziza ·", GROUP)
        named = [m.text for m in bot.api.messages(GROUP) if "aziza" in m.text.casefold()]
        assert len(named) >= len(orders)
        await forget(bot)
        left = [m.text for m in bot.api.messages(GROUP) if m.text != "/tickets"]
        assert left == []


async def test_staff_are_asked_for_what_the_bot_may_not_delete(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        bot.api.send_text(STAFF, "/note 1 Aziza yana soʻradi", GROUP)
        note = bot.api.messages(GROUP)[-1]
        await bot.hears("eslatma yozildi", GROUP)
        bot.api.fault("status", "deleteMessage", status=400, times=100)
        await forget(bot)
        said = [m.text for m in bot.api.answers(GROUP) if "oʻzingiz oʻchiring" in m.text]
        words = bot.service.staff.screens.words.plain("staff.left", numbers="№1", count=1)
        assert said == [f"{words}\nhttps://t.me/c/777/{note.message_id}"]


async def test_a_network_that_is_away_delays_it_only(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        bot.service.erasing.again_s = 0.05
        away = bot.api.fault("drop", "deleteMessage", times=5)
        await forget(bot)
        assert away.times == 0
        assert [m.text for m in bot.api.messages(GROUP)] == []
        assert await bot.service.erasing.forgetting.wishes() == ()


async def test_a_muted_person_reads_that_the_mute_stays(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        await Barred(bot.service.desk.tickets.store).mute(USER, bot.clock() + timedelta(hours=1))
        bot.api.send_text(USER, "/forget_me")
        await bot.hears("Operatorlar sizga qoʻygan cheklov")
        await forget(bot)
        bar = await Barred(bot.service.desk.tickets.store).of(USER, bot.clock())
        assert bar.muted_until is not None


async def test_a_ban_stays_and_takes_nobodys_data_from_them(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        bot.api.send_text(STAFF, "/ban 1", GROUP)
        await bot.quiet()
        bot.api.send_text(USER, "/My_data iltimos")
        await bot.hears("Siz haqingizda saqlangan hamma narsa")
        await forget(bot)
        people = await bot.service.desk.tickets.store.run(
            lambda db: list(
                db.query("SELECT name, extension, blocked > 0 AS banned FROM people WHERE user_id = ?", [USER])
            )
        )
        assert people == [{"name": "", "extension": None, "banned": 1}]
        assert [text for text in bot.texts() if "Oʻchirildi ✅" in text] == [
            bot.service.staff.screens.words.plain("mine.erased_barred")
        ]
        bot.api.send_text(USER, "/diagnose")
        await bot.quiet()
        assert len(await bot.service.desk.tickets.list()) == 1


async def test_no_card_comes_back_for_what_was_forgotten(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        await forget(bot)
        before = len(bot.api.messages(GROUP))
        bot.service.staff.on_change(1)
        bot.api.send_text(STAFF, "/reopen 1", GROUP)
        await bot.quiet()
        assert [m.text for m in bot.api.answers(GROUP) if "№1 ·" in m.text] == []
        assert (await bot.ticket()).status is Status.CLOSED
        assert len(bot.api.messages(GROUP)) <= before + 2  # the order and the answer to it


async def test_what_waited_for_the_groups_pace_is_taken_down_too(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        bot.service.courier.pace.pause(GROUP, 1.5)
        bot.api.send_text(USER, "ertalabdan beri jim")
        await bot.hears("Operatorga yetkazdim")
        await forget(bot)
        said = [call for call in bot.api.calls("sendMessage", GROUP) if "ertalabdan" in call.params["text"]]
        assert [call.ok for call in said] == [True]
        assert [text for text in bot.texts(GROUP) if "Aziza" in text or "ertalabdan" in text] == []


async def test_staff_are_told_that_nothing_can_be_done_with_what_was_forgotten(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        await forget(bot)
        gone = bot.service.staff.screens.words.plain("staff.emptied", number=1)
        orders = ("/reopen 1", "/take 1", "/note 1 routeri eski", "/ask 1 ping", "/close 1")
        for text in (*orders, "/ticket 1"):
            bot.api.send_text(STAFF, text, GROUP)
        await bot.quiet()
        *answers, card = bot.api.answers(GROUP)
        assert [answer.text for answer in answers] == [gone] * len(orders)
        assert (card.text.split("\n")[0], list(card.buttons)) == ("№1 · kimligi oʻchirilgan · ichki raqam: –", [])
        assert [call.description for call in bot.api.refused()] == []
