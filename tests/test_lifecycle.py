"""A ticket as time passes: reminders, its end, its coming back, stars, and people who are not to be heard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.backup import back_up
from bot.hours import Hours
from bot.model import EventKind, Status
from bot.settings import Settings, SettingsError
from bot.waits import ENOUGH, usual_wait
from bot.wording import happened
from handlers.waits import Waits
from messages import load
from tests.fake_chats import Shown
from tests.office import GROUP, STAFF, USER, Office, office, serving
from tests.servers.sip import SipServer, always

TASHKENT = ZoneInfo("Asia/Tashkent")


def healthy(sip: SipServer) -> dict[str, Any]:
    """Settings under which our side is in order, so that the user is asked."""
    return {"pbx_sip_port": sip.port, "pbx_expected_ips": frozenset({"69.62.127.9"})}


async def asked(bot: Office) -> Shown:
    """The bot has asked the person something, and waits."""
    bot.api.send_text(USER, "/diagnose")
    question = await bot.hears("pastki chap burchagida")
    await bot.quiet()
    return question


def count(bot: Office, words: str, chat: int = USER) -> int:
    return sum(words in text for text in bot.texts(chat))


async def closed(bot: Office, reason: str = "staff") -> Shown:
    """A ticket that one of the staff has closed."""
    await bot.called()
    await bot.quiet()
    await bot.service.actions.close(1, reason, "Nodir", source="test:close")
    return await bot.hears("yopildi")


# --- who waits too long ---


async def test_a_question_left_open_is_repeated_once_and_then_the_case_is_closed(tmp_path: Path) -> None:
    with SipServer(always(200)) as sip:
        async with office(tmp_path, **healthy(sip)) as bot:
            await asked(bot)
            await bot.time_passes(hours=23)
            assert count(bot, "Sizdan javob kutyapman") == 0
            await bot.time_passes(hours=2)
            reminder = await bot.hears("Sizdan javob kutyapman")
            assert [b.data for row in reminder.buttons for b in row if b.data and ":skip:" in b.data] != []
            await bot.time_passes(hours=20)
            assert count(bot, "Sizdan javob kutyapman") == 1
            await bot.time_passes(hours=28)
            await bot.hears("shu yerga yozing, davom etamiz")
            await bot.time_passes(hours=100)
            ticket = await bot.ticket()
            last = [event for event in ticket.events if event.kind is EventKind.CLOSED]
            assert (ticket.status, [event.body["reason"] for event in last]) == (Status.CLOSED, ["no_answer"])
            lines = [happened(load("uz"), event) for event in ticket.events]
            assert lines.count("eslatildi: foydalanuvchiga") == 1
            assert count(bot, "javob kelmadi") == 1


async def test_an_answer_puts_the_reminder_off(tmp_path: Path) -> None:
    with SipServer(always(200)) as sip:
        async with office(tmp_path, **healthy(sip)) as bot:
            question = await asked(bot)
            data = next(b.data for row in question.buttons for b in row if b.data and ":st:no_server" in b.data)
            bot.api.press(USER, question.message_id, data)
            await bot.hears("nslookup call.soundz.uz")
            bot.api.send_text(USER, "hozir kompyuterga boraman")
            await bot.hears("nslookup natijasi koʻrinmadi")
            await bot.quiet()
            due = await bot.service.life.dues.get(1, "remind")
            evidence = [e.at for e in (await bot.ticket()).events if e.kind is EventKind.EVIDENCE]
            assert due is not None
            assert abs(due.at - (evidence[-1] + timedelta(hours=24))) < timedelta(seconds=1)


async def test_what_was_put_off_is_still_done_in_its_time(tmp_path: Path) -> None:
    with SipServer(always(200)) as sip:
        async with office(tmp_path, **healthy(sip)) as bot:
            await asked(bot)
            due = await bot.service.life.dues.get(1, "remind")
            assert due is not None
            await bot.service.life.dues.plan(1, {"remind": due.at - timedelta(hours=12)})
            await bot.time_passes(hours=13)  # ripe in the table, not yet by the log
            assert (count(bot, "Sizdan javob kutyapman"), await bot.service.life.dues.get(1, "remind")) == (0, due)
            bot.clock.ahead = due.at - datetime.now(UTC) - timedelta(milliseconds=400)  # within the rounding
            await bot.service.life.sweep()
            await bot.time_passes(seconds=2)
            await bot.hears("Sizdan javob kutyapman")


async def test_one_tickets_trouble_keeps_no_other_waiting(tmp_path: Path) -> None:
    with SipServer(always(200)) as sip:
        async with office(tmp_path, **healthy(sip)) as bot:
            bot.api.user(502, "Botir")
            bot.api.send_text(502, "/diagnose")
            await bot.hears("pastki chap burchagida", 502)
            bot.api.send_text(USER, "/diagnose")
            await bot.hears("pastki chap burchagida")
            await bot.quiet()
            del bot.api.chats.chats[502]  # Telegram answers 'chat not found'
            await bot.time_passes(hours=25)
            await bot.hears("Sizdan javob kutyapman")


async def test_what_is_due_survives_a_restart_and_fires_once(tmp_path: Path) -> None:
    with SipServer(always(200)) as sip:
        async with office(tmp_path, **healthy(sip)) as bot:
            await asked(bot)
            await bot.stop()
            async with serving(bot.api, tmp_path, bot.clock, **healthy(sip)) as again:
                await again.time_passes(hours=25)
                await again.service.life.sweep()
                await again.hears("Sizdan javob kutyapman")
                assert count(again, "Sizdan javob kutyapman") == 1


async def test_a_reminder_that_left_before_a_crash_does_not_leave_again(tmp_path: Path) -> None:
    with SipServer(always(200)) as sip:
        async with office(tmp_path, **healthy(sip)) as bot:
            await asked(bot)
            due = await bot.service.life.dues.get(1, "remind")
            assert due is not None
            await bot.time_passes(hours=25)
            store = bot.service.desk.tickets.store  # as if the process had died before it was noted
            await store.run(lambda db: db.execute("DELETE FROM events WHERE kind = 'reminded'"))
            await bot.service.life.dues.plan(1, {"remind": due.at})
            await bot.service.life.sweep()
            assert count(bot, "Sizdan javob kutyapman") == 1


async def test_staff_are_reminded_once_of_all_who_wait_for_a_person(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        bot.api.user(502, "Botir")
        bot.api.send_text(502, "/operator")
        await bot.hears("№2", GROUP)
        await bot.time_passes(minutes=31)
        reminder = await bot.hears("⏰", GROUP)
        assert reminder.text.split("\n")[1:] == ["№1 · Aziza · 35 daqiqa", "№2 · Botir · 35 daqiqa"]
        await bot.time_passes(hours=5)
        assert count(bot, "⏰", GROUP) == 1


async def test_an_answer_of_the_staff_needs_no_reminder_until_the_user_writes_again(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        bot.api.send_text(STAFF, "koʻryapman", GROUP, reply_to=card.message_id)
        await bot.hears("koʻryapman")
        await bot.time_passes(hours=1)
        assert count(bot, "⏰", GROUP) == 0
        bot.api.send_text(USER, "nima boʻldi?")
        await bot.hears("Operatorga yetkazdim")
        bot.clock.ahead = timedelta()
        await bot.time_passes(minutes=31)
        assert count(bot, "⏰", GROUP) == 1


async def test_an_escalated_case_is_not_closed_because_the_staff_are_slow(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        await bot.time_passes(days=5)
        assert (await bot.ticket()).status is Status.ESCALATED


# --- coming back ---


async def test_a_word_after_the_end_opens_the_same_case_and_reaches_the_staff(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await closed(bot)
        bot.api.send_text(USER, "hali ham ulanmayapti")
        await bot.hears("Murojaat №1 qayta ochildi")
        await bot.hears("№1 · Aziza: hali ham ulanmayapti", GROUP)
        await bot.quiet()
        assert ((await bot.ticket()).status, len(await bot.service.desk.tickets.list())) == (Status.ESCALATED, 1)


@pytest.mark.parametrize("words", ["rahmat", "Katta rahmat!", "спасибо 🙏", "👍"])
async def test_thanks_open_nothing(tmp_path: Path, words: str) -> None:
    async with office(tmp_path) as bot:
        await closed(bot)
        bot.api.send_text(USER, words)
        await bot.hears("Arzimaydi")
        assert (await bot.ticket()).status is Status.CLOSED


async def test_a_case_that_comes_back_is_looked_at_anew(tmp_path: Path) -> None:
    with SipServer(always(200)) as sip:
        async with office(tmp_path, **healthy(sip)) as bot:
            question = await asked(bot)
            data = next(b.data for row in question.buttons for b in row if b.data and ":st:online" in b.data)
            bot.api.press(USER, question.message_id, data)
            await bot.hears("MicroSIP serverga ulandi")
            await bot.quiet()
            bot.api.send_text(USER, "/diagnose")
            await bot.until(lambda: count(bot, "pastki chap burchagida") == 2)
            assert len(await bot.service.desk.tickets.list()) == 1


async def test_after_a_week_it_is_a_new_case_that_names_the_old_one(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await closed(bot)
        bot.clock.ahead = timedelta(days=8)
        bot.api.send_text(USER, "/operator")
        await bot.hears("raqamingiz – №2")
        linked = [event.body for event in (await bot.ticket(2)).events if event.kind is EventKind.LINKED]
        assert ((await bot.ticket(1)).status, linked) == (Status.CLOSED, [{"ticket": 1}])


async def test_a_person_is_to_be_had_on_an_old_message_too(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        message = await closed(bot)
        bot.api.press(USER, message.message_id, "1:person", force=True)
        await bot.until(lambda: count(bot, "Operatorga xabar berdim") == 2)
        assert (await bot.ticket()).status is Status.ESCALATED


async def test_an_edit_opens_nothing_again(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        message = bot.api.send_text(USER, "salom")
        await closed(bot)
        bot.edits(USER, message, text="salom, hali ham ulanmayapti")
        await bot.quiet()
        assert (await bot.ticket()).status is Status.CLOSED


async def test_on_a_copy_that_was_put_back_nobody_is_reminded_or_told_again(tmp_path: Path) -> None:
    with SipServer(always(200)) as sip:
        async with office(tmp_path, **healthy(sip)) as bot:
            await asked(bot)
            await bot.stop()
            copy = tmp_path / "copy"
            copy.mkdir()
            back_up(tmp_path / "yordam.db", copy / "yordam.db")
            bot.clock.ahead = timedelta(hours=25)
            async with serving(bot.api, copy, bot.clock, **healthy(sip)) as again:
                await again.quiet()
                await again.service.life.sweep()
                await again.quiet()
                assert count(again, "Sizdan javob kutyapman") == 0


# --- stars ---


async def test_the_help_is_rated_and_commented_and_the_card_shows_it(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        message = await closed(bot)
        bot.api.press(USER, message.message_id, "1:rate:4")
        thanks = await bot.hears("bahoyingiz yozib qoʻyildi")
        bot.api.press(USER, thanks.message_id, "1:comment")
        await bot.hears("Izohingizni bitta xabar")
        bot.api.send_text(USER, "tez va muloyim, parol: Sir12345maxfiy")
        await bot.hears("izohingiz yozib qoʻyildi")
        await bot.until(lambda: any("Baho: ⭐⭐⭐⭐ tez va muloyim" in text for text in bot.texts(GROUP)))
        ticket = await bot.ticket()
        rated = [event.body for event in ticket.events if event.kind is EventKind.RATED]
        assert rated == [{"stars": 4}, {"stars": 4, "comment": "tez va muloyim, parol: [REDACTED]"}]
        assert ticket.status is Status.CLOSED


async def test_without_the_button_a_word_after_the_stars_is_no_comment(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        message = await closed(bot)
        bot.api.press(USER, message.message_id, "1:rate:1")
        await bot.hears("bahoyingiz")
        bot.api.send_text(USER, "yana uzilib qoldi")
        await bot.hears("qayta ochildi")


async def test_the_time_for_a_comment_ends(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        message = await closed(bot)
        bot.api.press(USER, message.message_id, "1:rate:5")
        thanks = await bot.hears("bahoyingiz")
        bot.api.press(USER, thanks.message_id, "1:comment")
        await bot.hears("Izohingizni bitta xabar")
        await bot.time_passes(minutes=11)
        bot.api.send_text(USER, "yana uzilib qoldi")
        await bot.hears("qayta ochildi")


# --- not to be heard ---


async def test_a_banned_person_gets_one_polite_line_and_nothing_else(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        bot.api.send_text(STAFF, "/ban 1", GROUP)
        await bot.hears("bloklandi", GROUP)
        before, cards = len(bot.texts()), len(bot.texts(GROUP))
        for text in ("/start", "salom", "/diagnose", "parol: Sir12345maxfiy"):
            bot.api.send_text(USER, text)
        await bot.quiet()
        assert [text[:20] for text in bot.texts()[before:]] == ["Murojaatlaringiz vaq"]
        assert len(bot.texts(GROUP)) == cards
        bot.api.send_text(STAFF, "/unban_user 1", GROUP)
        await bot.hears("yana yoza oladi", GROUP)
        bot.api.send_text(USER, "rahmat, tushundim")
        await bot.hears("Operatorga yetkazdim")


async def test_a_muted_person_is_not_relayed_for_that_time_and_the_bot_goes_on(tmp_path: Path) -> None:
    with SipServer(always(200)) as sip:
        async with office(tmp_path, **healthy(sip)) as bot:
            await bot.called()
            bot.api.send_text(STAFF, "/mute 1 2", GROUP)
            await bot.hears("2 soat davomida", GROUP)
            bot.api.send_text(USER, "eshiting")
            await bot.hears("yuborilmayapti")
            bot.api.send_text(USER, "/operator")
            await bot.until(lambda: count(bot, "yuborilmayapti") == 2)
            bot.api.send_text(USER, "/diagnose")
            await bot.hears("pastki chap burchagida")
            bot.clock.ahead = timedelta(hours=3)
            bot.api.send_text(USER, "endi eshiting")
            await bot.hears("№1 · Aziza: endi eshiting", GROUP)
            assert count(bot, "Aziza: eshiting", GROUP) == 0


@pytest.mark.parametrize("order", ["/mute 1 0", "/mute 1 x", "/mute", "/ban"])
async def test_an_order_that_is_not_understood_is_explained(tmp_path: Path, order: str) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        bot.api.send_text(STAFF, order, GROUP)
        await bot.hears("Raqamini ham yozing", GROUP)
        bot.api.send_text(USER, "salom")
        await bot.hears("Operatorga yetkazdim")


# --- how long it takes ---


def tashkent(day: int, clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{day:02}T{clock}:00").replace(tzinfo=TASHKENT).astimezone(UTC)


async def waits_at(bot: Office, when: datetime, hours: str) -> str | None:
    store = bot.service.desk.tickets.store
    return await Waits(store, Hours.parse(hours, TASHKENT), load("uz"), lambda: when).said()


@pytest.mark.parametrize(
    ("when", "hours", "told"),
    [
        (tashkent(2, "08:00"), "Mon-Sat 09:00-18:00", "bugun soat 09:00 da"),
        (tashkent(2, "19:00"), "Mon-Sat 09:00-18:00", "ertaga soat 09:00 da"),
        (tashkent(7, "19:00"), "Mon-Sat 09:00-18:00", "dushanba kuni soat 09:00 da"),
        (tashkent(2, "13:10"), "Mon-Sat 09:00-13:00,14:00-18:00", "bugun soat 14:00 da"),
        (tashkent(2, "10:00"), "Mon-Sat 09:00-18:00", "hozir ish joyida"),
        (tashkent(2, "10:00"), "Mon-Sat 09:00-18:00; off 11-02", "ertaga soat 09:00 da"),
        (tashkent(2, "10:00"), "Mon 09:00-18:00; off 11-02", "09.11, dushanba kuni soat 09:00 da"),
    ],
)
async def test_who_asks_for_a_person_hears_when_one_is_there(
    tmp_path: Path, when: datetime, hours: str, told: str
) -> None:
    async with office(tmp_path) as bot:
        assert told in str(await waits_at(bot, when, hours))
        assert await waits_at(bot, when, "") is None


async def test_the_usual_wait_is_measured_in_working_time_when_there_are_enough(tmp_path: Path) -> None:
    hours = Hours.parse("Mon-Sun 09:00-18:00", TASHKENT)
    async with office(tmp_path) as bot:
        store, tickets = bot.service.desk.tickets.store, bot.service.desk.tickets
        called, answered = tashkent(2, "17:50").isoformat(), tashkent(3, "09:10").isoformat()
        for n in range(ENOUGH):
            assert await usual_wait(store, hours, tashkent(4, "10:00")) is None
            ticket = await tickets.open(user_id=n, chat_id=n, name="x", language="uz", source=f"test:{n}")
            await tickets.append(ticket.number, EventKind.ESCALATED, {"reason": "asked"}, source=f"a{n}")
            await tickets.append(ticket.number, EventKind.STAFF_MESSAGE, {"text": "x", "by": "N"}, source=f"b{n}")
            await store.run(lambda db: db.execute("UPDATE events SET at = ? WHERE kind = 'escalated'", [called]))
            await store.run(lambda db: db.execute("UPDATE events SET at = ? WHERE kind = 'staff_message'", [answered]))
            await store.run(lambda db: db.execute("UPDATE tickets SET opened_at = ?", [called]))
        assert await usual_wait(store, hours, tashkent(4, "10:00")) == timedelta(minutes=20)
        assert "20 daqiqa ichida" in str(await waits_at(bot, tashkent(4, "10:00"), "Mon-Sun 09:00-18:00"))


async def test_it_is_told_with_the_answer_to_the_call(tmp_path: Path) -> None:
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[(datetime.now(TASHKENT).weekday() + 2) % 7]
    async with office(tmp_path, work_hours=f"{day} 09:00-18:00") as bot:
        bot.api.send_text(USER, "/operator")
        assert "Hozir ish vaqti emas" in (await bot.hears("Operatorga xabar berdim")).text


@pytest.mark.parametrize(
    ("bad", "named"),
    [({"work_hours": "Mon-Sat 9-18"}, "WORK_HOURS (not days and periods)"),
     ({"work_hours": "har kuni"}, "WORK_HOURS (not days and periods)"),
     ({"work_hours": "Mon 09:00-18:00; off 21.03"}, "WORK_HOURS (days off are not dates)"),
     ({"work_hours": "off 03-21"}, "WORK_HOURS (more days off than periods)"),
     ({"work_hours": "Mon 09:00-18:00; Mon-Fri 09:00-12:00"}, "WORK_HOURS (a day is named twice)"),
     ({"work_hours": "Mon 18:00-09:00"}, "WORK_HOURS (a period ends before it begins)"),
     ({"timezone": "Asia/Toshkent"}, "TIMEZONE (not a time zone)"),
     ({"timezone": "../etc/passwd"}, "TIMEZONE (not a time zone)")],
)  # fmt: skip
def test_hours_that_cannot_be_are_named_and_not_echoed(bad: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match="Bad settings") as refused:
        Settings.load(**bad)
    assert str(refused.value) == f"Bad settings: {named}"
