"""Who is waited for when a case stands still, and whom time does not speak to; a comment belongs to the end alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.hours import Hours
from bot.model import EventKind, Kind, Status
from bot.waits import ENOUGH, usual_wait
from tests.office import GROUP, STAFF, USER, Office, office
from tests.servers.sip import SipServer, always
from tests.test_lifecycle import asked, closed, count, healthy

REMINDER, WAITING = "Sizdan javob kutyapman", "⏰"


async def reasons(bot: Office, number: int = 1) -> list[str]:
    """Why a ticket was closed, each time."""
    return [event.body["reason"] for event in (await bot.ticket(number)).events if event.kind is EventKind.CLOSED]


async def answered(bot: Office) -> None:
    """One of the staff has the last word."""
    card = await bot.called()
    bot.api.send_text(STAFF, "ertaga koʻraman", GROUP, reply_to=card.message_id)
    await bot.hears("ertaga koʻraman")
    await bot.quiet()


async def test_a_case_in_which_the_staff_spoke_last_ends_after_a_week_of_silence_with_a_word(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await answered(bot)
        await bot.time_passes(days=6)
        assert await reasons(bot) == []
        await bot.time_passes(days=2)
        told = await bot.hears("uzoq vaqt yangilik boʻlmadi")
        assert (await reasons(bot), told.buttons, count(bot, REMINDER)) == (["stale"], (), 0)


async def test_whom_a_person_talks_to_is_not_reminded_of_the_bots_question(tmp_path: Path) -> None:
    with SipServer(always(200)) as sip:
        async with office(tmp_path, **healthy(sip)) as bot:
            await asked(bot)
            await answered(bot)
            await bot.time_passes(hours=25)
            await bot.time_passes(hours=50)
            assert (await reasons(bot), count(bot, REMINDER)) == ([], 0)
            await bot.service.actions.ask(1, Kind.PING, "Nodir", source="test:ask")  # now it is his move
            await bot.quiet()
            due = await bot.service.life.dues.get(1, "remind")
            assert due is not None
            bot.clock.ahead = timedelta()
            await bot.time_passes(hours=25)
            assert count(bot, REMINDER) == 1


async def test_who_took_a_case_and_says_nothing_is_reminded_in_his_own_time(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        await bot.service.actions.take(1, "Nodir", source="test:take")
        await bot.quiet()
        due = await bot.service.life.dues.get(1, "staff")
        taken = next(event for event in (await bot.ticket()).events if event.kind is EventKind.TAKEN)
        assert due is not None
        assert abs(due.at - taken.at - timedelta(minutes=30)) < timedelta(seconds=1)
        await bot.time_passes(minutes=31)
        assert count(bot, WAITING, GROUP) == 1


async def test_a_note_shows_that_the_staff_are_at_it(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await answered(bot)
        before = await bot.service.life.dues.get(1, "stale")
        await bot.service.actions.note(1, "provayderga yozdim", "Nodir", source="test:note")
        await bot.quiet()
        after = await bot.service.life.dues.get(1, "stale")
        assert before is not None
        assert after is not None
        assert after.at >= before.at
        last = (await bot.ticket()).events[-1]
        assert (last.kind, abs(after.at - last.at - timedelta(days=7)) < timedelta(seconds=1)) == (EventKind.NOTE, True)


async def test_who_asks_for_a_person_in_an_incident_is_not_forgotten(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        bot.api.send_text(USER, "/diagnose")  # the PBX is down
        await bot.hears("№1", GROUP)
        await bot.quiet()
        await bot.service.desk.tickets.append(1, EventKind.LINKED, {"incident": 1}, source="test:link")
        bot.service.life.changed(1)
        await bot.time_passes(hours=2)
        assert count(bot, WAITING, GROUP) == 0
        bot.api.send_text(USER, "/operator")
        await bot.hears("Operatorga xabar berdim")
        bot.clock.ahead = timedelta()
        await bot.time_passes(minutes=31)
        assert count(bot, WAITING, GROUP) == 1


async def test_a_banned_person_is_neither_reminded_nor_waited_for_and_the_case_ends_in_silence(tmp_path: Path) -> None:
    with SipServer(always(200)) as sip:
        async with office(tmp_path, **healthy(sip)) as bot:
            await asked(bot)
            bot.api.send_text(STAFF, "/ban 1", GROUP)
            await bot.hears("bloklandi", GROUP)
            said = len(bot.texts())
            await bot.time_passes(hours=25)
            assert (await bot.ticket()).status is Status.OPEN
            await bot.time_passes(hours=48)
            assert (len(bot.texts()), await reasons(bot)) == (said, ["no_answer"])


async def test_a_press_of_a_banned_person_is_answered_and_does_nothing(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        own = await bot.hears("Murojaat raqamingiz")
        await bot.quiet()
        events = len((await bot.ticket()).events)
        bot.api.send_text(STAFF, "/ban 1", GROUP)
        await bot.hears("bloklandi", GROUP)
        pressed = bot.api.press(USER, own.message_id, "1:again", force=True)
        await bot.quiet()
        answers = [call.params["callback_query_id"] for call in bot.api.calls("answerCallbackQuery")]
        assert (answers, len((await bot.ticket()).events)) == ([pressed], events + 1)  # the note of the ban


async def test_staff_are_not_reminded_of_whom_they_have_muted_before_that_time_is_over(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        bot.api.send_text(STAFF, "/mute 1 2", GROUP)
        await bot.hears("2 soat davomida", GROUP)
        await bot.time_passes(hours=1)
        assert count(bot, WAITING, GROUP) == 0
        await bot.time_passes(minutes=61)
        assert count(bot, WAITING, GROUP) == 1


async def test_an_answer_to_the_reminder_goes_to_nobody_and_that_is_said(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        await bot.time_passes(minutes=31)
        reminder = await bot.hears(WAITING, GROUP)
        told = len(bot.texts())
        bot.api.send_text(STAFF, "// kim koʻradi?", GROUP, reply_to=reminder.message_id)
        message = bot.api.send_text(STAFF, "hozir koʻraman", GROUP, reply_to=reminder.message_id)
        said = await bot.hears("Bu javob hech kimga yuborilmadi", GROUP)
        await bot.quiet()
        assert (said.raw["reply_to_message"]["message_id"], len(bot.texts())) == (message, told)
        assert count(bot, "hech kimga yuborilmadi", GROUP) == 1


async def test_what_the_staff_say_to_each_other_under_an_order_is_not_answered(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        order = bot.api.send_text(STAFF, "/priority 1 high", GROUP)
        await bot.hears("№1: shoshilinch", GROUP)
        bot.api.send_text(STAFF, "toʻgʻri, juda muhim", GROUP, reply_to=order)
        await bot.quiet()
        assert count(bot, "hech kimga yuborilmadi", GROUP) == 0


async def test_of_many_who_wait_each_is_named_once(tmp_path: Path) -> None:
    people = range(2001, 2024)
    async with office(tmp_path) as bot:
        for person in people:
            bot.api.user(person, f"Odam{person}")
            bot.api.send_text(person, "/operator")
        await bot.until(lambda: all(count(bot, "Operatorga xabar berdim", person) for person in people), 30)
        await bot.time_passes(minutes=31)
        assert count(bot, WAITING, GROUP) == 1
        await bot.time_passes(minutes=1)
        await bot.time_passes(minutes=1)
        lines = [line for text in bot.texts(GROUP) if text.startswith(WAITING) for line in text.split("\n")[1:]]
        assert sorted(line.split(" · ")[1] for line in lines) == [f"Odam{person}" for person in people]


async def test_a_reminder_that_the_staff_chat_did_not_take_is_said_when_it_is_back(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        await bot.quiet()
        refused = bot.api.fault("status", "sendMessage", contains=WAITING, times=99)
        bot.service.courier.stop()  # it gives up at the first failure instead of waiting half a minute
        await bot.time_passes(minutes=31)
        assert (refused.times < 99, count(bot, WAITING, GROUP)) == (True, 0)
        refused.times = 0
        await bot.time_passes(minutes=1)
        assert count(bot, WAITING, GROUP) == 1


async def test_who_writes_out_of_hours_hears_once_when_somebody_is_there(tmp_path: Path) -> None:
    zone = ZoneInfo("Asia/Tashkent")
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[(datetime.now(zone).weekday() + 2) % 7]
    async with office(tmp_path, work_hours=f"{day} 09:00-18:00") as bot:
        bot.api.send_text(USER, "/diagnose")
        await bot.hears("№1", GROUP)
        await bot.quiet()
        await bot.service.actions.take(1, "Nodir", source="test:take")
        for text in ("kimdir bormi?", "eshityapsizmi?"):
            bot.api.send_text(USER, text)
            await bot.hears(text, GROUP)
        await bot.quiet()
        passed_on = [text.split("\n\n") for text in bot.texts() if text.startswith("Operatorga yetkazdim")]
        assert [len(parts) for parts in passed_on] == [2, 1]
        assert passed_on[0][1].startswith("Hozir ish vaqti emas")
        bot.clock.ahead = timedelta(days=7)
        bot.api.send_text(USER, "hali ham kutyapman")
        await bot.until(lambda: count(bot, "Hozir ish vaqti emas") == 2)


async def test_who_waits_still_counts_in_what_is_said_of_the_wait(tmp_path: Path) -> None:
    noon = datetime(2026, 11, 2, 12, tzinfo=UTC)
    now, always = noon + timedelta(hours=3), Hours(ZoneInfo("UTC"))

    async with office(tmp_path) as bot:
        tickets, times = bot.service.desk.tickets, list[tuple[str, str]]()

        async def asks(person: int, at: datetime, answered: datetime | None) -> None:
            ticket = await tickets.open(
                user_id=person, chat_id=person, name="x", language="uz", source=f"test:{person}"
            )
            moments = {EventKind.ESCALATED: (at, {"reason": "asked"})}
            if answered is not None:
                moments[EventKind.STAFF_MESSAGE] = (answered, {"text": "x", "by": "N"})
            for kind, (moment, body) in moments.items():
                await tickets.append(ticket.number, kind, body, source=f"{kind}:{person}")
                times.append((moment.isoformat(), f"{kind}:{person}"))

        async def usual() -> timedelta | None:
            sql = "UPDATE events SET at = ? WHERE source = ?"
            await tickets.store.run(lambda db: db.conn.executemany(sql, times))
            await tickets.store.run(lambda db: db.execute("UPDATE tickets SET opened_at = ?", [noon.isoformat()]))
            return await usual_wait(tickets.store, always, now)

        for person in range(ENOUGH):
            await asks(person, noon, noon + timedelta(minutes=5))
        await asks(100, now - timedelta(minutes=1), None)  # he may yet be answered as soon as the others
        assert await usual() == timedelta(minutes=5)
        for person in range(200, 200 + ENOUGH + 1):
            await asks(person, noon, None)
        assert await usual() == timedelta(hours=3)


# --- coming back ---


async def test_who_answers_what_the_staff_wrote_under_an_old_case_is_heard(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        await bot.service.actions.close(1, "staff", "Nodir", source="test:close")
        store = bot.service.desk.tickets.store
        await store.run(lambda db: db.execute("UPDATE tickets SET closed_at = '2026-01-01T00:00:00.000+00:00'"))
        bot.api.send_text(STAFF, "endi ishlayaptimi?", GROUP, reply_to=card.message_id)
        await bot.hears("endi ishlayaptimi?")
        bot.api.send_text(USER, "yoʻq, hali ham")
        await bot.hears("№1 · Aziza: yoʻq, hali ham", GROUP)
        assert (await bot.ticket()).status is Status.ESCALATED


@pytest.mark.parametrize(("late", "number"), [(timedelta(seconds=-3), 1), (timedelta(), 2)])
async def test_a_week_is_seven_days_to_the_second(tmp_path: Path, late: timedelta, number: int) -> None:
    async with office(tmp_path) as bot:
        await closed(bot)
        ended = (await bot.ticket()).closed_at
        assert ended is not None
        bot.clock.ahead = ended + timedelta(days=7) + late - datetime.now(UTC)
        bot.api.send_text(USER, "/operator")
        await bot.until(lambda: count(bot, f"raqamingiz – №{number}") == (2 if number == 1 else 1))
        assert len(await bot.service.desk.tickets.list()) == number


async def test_whom_the_staff_take_up_after_a_week_they_have_under_a_new_number(tmp_path: Path) -> None:
    with SipServer(always(200)) as sip:
        async with office(tmp_path, **healthy(sip)) as bot:
            await closed(bot)
            bot.clock.ahead = timedelta(days=8)
            bot.api.send_text(STAFF, "/reopen 1", GROUP)
            await bot.hears("endi №2 raqami bilan davom etadi")
            await bot.hears("№1 yopiq qoladi: bu odam bilan endi №2", GROUP)
            await bot.hears("pastki chap burchagida")  # it is looked at anew
            linked = [event.body for event in (await bot.ticket(2)).events if event.kind is EventKind.LINKED]
            assert ((await bot.ticket(1)).status, linked) == (Status.CLOSED, [{"ticket": 1}])


async def test_no_second_case_of_a_person_is_opened_beside_the_one_that_is_open(tmp_path: Path) -> None:
    with SipServer(always(200)) as sip:
        async with office(tmp_path, **healthy(sip)) as bot:
            await closed(bot)
            bot.clock.ahead = timedelta(days=8)
            bot.api.send_text(USER, "/diagnose")
            await bot.hears("pastki chap burchagida")
            card = await bot.hears("№1", GROUP)
            await bot.quiet()
            told = len(bot.texts())
            bot.api.send_text(STAFF, "/reopen 1", GROUP)
            await bot.hears("№1 yopiq qoladi: bu odam bilan endi №2", GROUP)
            bot.api.press(STAFF, card.message_id, "s:1:reopen", chat=GROUP, force=True)
            await bot.until(lambda: count(bot, "№1 yopiq qoladi", GROUP) == 2)
            await bot.quiet()
            assert (len(bot.texts()), (await bot.ticket(1)).status) == (told, Status.CLOSED)


async def test_a_case_taken_up_again_that_a_crash_cut_short_is_one_case(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await closed(bot)
        bot.clock.ahead = timedelta(days=8)
        actions = bot.service.actions
        numbers = [await actions.reopen(1, "Nodir", source="test:again") for _ in range(2)]
        await bot.quiet()
        assert (numbers, len(await bot.service.desk.tickets.list())) == ([2, 2], 2)
        assert count(bot, "endi №2 raqami bilan davom etadi") == 1


# --- a comment ---


async def commenting(bot: Office) -> int:
    """The person has rated the help and was asked for a comment; the message with that button."""
    message = await closed(bot)
    bot.api.press(USER, message.message_id, "1:rate:4")
    thanks = await bot.hears("bahoyingiz yozib qoʻyildi")
    bot.api.press(USER, thanks.message_id, "1:comment")
    await bot.hears("Izohingizni bitta xabar")
    return thanks.message_id


async def test_who_starts_again_instead_of_commenting_is_answered_as_ever(tmp_path: Path) -> None:
    with SipServer(always(200)) as sip:
        async with office(tmp_path, **healthy(sip)) as bot:
            thanks = await commenting(bot)
            bot.api.send_text(USER, "/diagnose")
            await bot.hears("pastki chap burchagida")
            await bot.quiet()
            bot.api.send_text(USER, "Сервер не найден")  # an answer, and no comment
            await bot.hears("nslookup call.soundz.uz")
            bot.api.press(USER, thanks, "1:comment")
            await bot.hears("Bu tugma eskirgan")
            rated = [event.body for event in (await bot.ticket()).events if event.kind is EventKind.RATED]
            assert (rated, count(bot, "izohingiz yozib qoʻyildi")) == ([{"stars": 4}], 0)


async def test_the_stars_of_an_earlier_end_are_not_those_of_the_next(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        thanks = await commenting(bot)
        await bot.service.actions.reopen(1, "Nodir", source="test:again")
        await bot.quiet()
        await bot.service.actions.close(1, "staff", "Nodir", source="test:closed again")
        bot.api.press(USER, thanks, "1:comment")
        await bot.hears("Bu tugma eskirgan")
