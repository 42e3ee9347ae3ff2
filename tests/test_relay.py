"""What people and staff say reaches the other side once, whole and in order; notes and strangers' words never do."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from bot.model import EventKind
from bot.relayed import Fate
from bot.store import read_only
from handlers.said import Said, fitting
from tests.fake_chats import Shown
from tests.fake_people import PNG
from tests.office import GROUP, STAFF, STRANGER, USER, Office, office, serving
from tests.running import PERSON, STAFF_CHAT, RunningBot

CAPTIONED = ("voice", "audio", "video", "animation")
INI = b"[Account1]\r\nserver=call.soundz.uz\r\nusername=1002\r\npassword=Sir12345maxfiy\r\ndomain=call.soundz.uz\r\n"
HEAD = "№1 · Aziza:"
WAITS = "👤 Odam soʻradi, javobingizni kutyapti."


def said(bot: Office, chat: int) -> list[Shown]:
    """What was carried over to this chat, oldest first: not the card, not the bot's own words."""
    rows = {m.message_id for m in bot.api.answers(chat)}
    with read_only(bot.service.desk.tickets.store.path) as db:
        assert db is not None
        sql = "SELECT other_message FROM relayed WHERE other_chat = ? ORDER BY rowid"
        pairs = db.execute(sql, [chat]).fetchall()
    wanted = [number for (number,) in pairs if number in rows]
    return [m for number in wanted for m in bot.api.answers(chat) if m.message_id == number]


async def kinds(bot: Office) -> list[str]:
    return [event.kind.value for event in (await bot.ticket()).events]


# --- from a person to the staff ---


async def test_an_escalated_users_words_reach_the_staff_under_the_card_with_their_formatting(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        bold = [{"type": "bold", "offset": 0, "length": 5}, {"type": "custom_emoji", "offset": 6, "length": 2,
                                                            "custom_emoji_id": "1"}]  # fmt: skip
        bot.api.send(USER, text="salom 😀 dunyo", entities=bold)
        copy = await bot.hears("dunyo", GROUP)
        await bot.hears("Operatorga yetkazdim")
        assert copy.text == f"{HEAD} salom 😀 dunyo"
        assert copy.raw["entities"] == [
            {"type": "bold", "offset": 0, "length": len(HEAD)},
            {"type": "bold", "offset": len(HEAD) + 1, "length": 5},
        ]
        assert copy.raw["reply_to_message"]["message_id"] == card.message_id


@pytest.mark.parametrize("forum", [False, True])
async def test_who_asks_for_a_person_is_announced_at_his_card_once_a_request(tmp_path: Path, forum: bool) -> None:
    async with office(tmp_path, forum=forum) as bot:
        bot.api.send_text(USER, "/diagnose")  # the PBX is down: it has a card already
        card = await bot.hears("№1", GROUP)
        await bot.quiet()
        bot.api.send_text(USER, "/operator")
        await bot.hears("Operatorga xabar berdim")
        bot.api.send_text(USER, "/operator")
        await bot.hears("№1) operatorda")
        await bot.quiet()
        (told,) = said(bot, GROUP)
        quoted = told.raw.get("reply_to_message", {}).get("message_id")
        in_topic, under_card = (WAITS, card.thread_id, None), (f"{HEAD} {WAITS}", None, card.message_id)
        assert (told.text, told.thread_id, quoted) == (in_topic if forum else under_card)
        await bot.service.actions.close(1, "staff", "Nodir", source="test:close")
        await bot.service.actions.reopen(1, "Nodir", source="test:reopen")
        bot.api.send_text(USER, "/operator")
        await bot.until(lambda: len([m for m in bot.api.answers(GROUP) if WAITS in m.text]) == 2)


async def test_a_card_that_is_yet_to_come_announces_him_itself(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        await bot.quiet()
        assert ("👤 Odam soʻrayapti" in card.text, said(bot, GROUP)) == (True, [])


async def test_a_request_for_a_person_that_was_cut_short_is_announced_and_answered_once(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        bot.api.send_text(USER, "/diagnose")
        await bot.hears("№1", GROUP)
        await bot.quiet()
        hanging = bot.api.fault("hang", "sendMessage", contains="Operatorga xabar berdim", times=99, seconds=60)
        bot.api.send_text(USER, "/operator")
        await bot.until(lambda: [m for m in bot.api.answers(GROUP) if WAITS in m.text])
        await bot.until(lambda: hanging.times < 99)
        bot.service.inbox.grace_s = 0.1
        await bot.stop()
        hanging.times = 0
        async with serving(bot.api, tmp_path) as again:
            await again.hears("Operatorga xabar berdim")
            await again.quiet()
            assert [text for text in again.texts() if "operatorda. Shu yerga" in text] == []
            assert [m.text for m in said(again, GROUP)] == [f"{HEAD} {WAITS}"]


async def test_a_secret_does_not_reach_the_staff_and_formatting_keeps_its_letters(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        text = "men parol: Sir12345maxfiy yozdim"
        entities = [
            {"type": "italic", "offset": 0, "length": 3},
            {"type": "code", "offset": 11, "length": 14},
            {"type": "bold", "offset": 26, "length": 6},
        ]
        bot.api.send(USER, text=text, entities=entities)
        copy = await bot.hears("yozdim", GROUP)
        assert copy.text == f"{HEAD} men parol: [REDACTED] yozdim"
        styled = [(e["type"], copy.text[e["offset"] : e["offset"] + e["length"]]) for e in copy.raw["entities"]]
        assert styled == [("bold", HEAD), ("italic", "men"), ("bold", "yozdim")]


@pytest.mark.parametrize("kind", CAPTIONED)
async def test_a_file_with_a_caption_arrives_as_it_was(tmp_path: Path, kind: str) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        bot.api.send(USER, **bot.media(kind, caption="mana, parol: Sir12345maxfiy"))
        copy = await bot.hears("mana", GROUP)
        assert (copy.text, kind in copy.raw) == (f"{HEAD} mana, parol: [REDACTED]", True)


async def test_what_has_no_caption_arrives_under_the_card(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        bot.api.send(USER, **bot.media("sticker"))
        bot.api.send(USER, **bot.media("video_note"))
        bot.api.send(USER, location={"latitude": 41.3, "longitude": 69.2})
        bot.api.send(USER, contact={"phone_number": "+998", "first_name": "x"})
        await bot.until(lambda: bot.texts().count("Operatorga yetkazdim ✅") == 4)
        await bot.quiet()
        copies = said(bot, GROUP)
        found = [next(k for k in ("sticker", "video_note", "location", "contact") if k in m.raw) for m in copies]
        assert found == ["sticker", "video_note", "location", "contact"]
        assert {m.raw["reply_to_message"]["message_id"] for m in copies} == {card.message_id}


async def test_a_settings_file_reaches_the_staff_without_its_password(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        bot.api.send_document(USER, INI, "MicroSIP.ini", caption="faylim")
        copy = await bot.hears("faylim", GROUP)
        content = bot.api.chats.files[copy.raw["document"]["file_id"]].content
        assert (b"Sir12345maxfiy" in content, b"password=[REDACTED]" in content) == (False, True)


async def test_a_file_without_secrets_is_passed_on_as_it_is(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        bot.api.send_document(USER, bytes(range(256)) * 4, "hisobot.bin", "application/octet-stream")
        await bot.hears("Operatorga yetkazdim")
        await bot.quiet()
        assert said(bot, GROUP)[0].raw["document"]["file_name"] == "hisobot.bin"


async def test_an_album_arrives_as_one_album_and_is_answered_once(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        bot.api.album(USER, [PNG] * 4, caption="rasmlar")
        await bot.hears("rasmlar", GROUP)
        await bot.quiet()
        copies = said(bot, GROUP)
        assert len(copies) == 4
        assert len({m.raw["media_group_id"] for m in copies}) == 1
        assert [m.text for m in copies] == [f"{HEAD} rasmlar", "", "", ""]
        assert sum("Operatorga yetkazdim" in text for text in bot.texts()) == 1


async def test_an_edit_changes_the_copy_and_is_marked(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        message = bot.api.send_text(USER, "kecha ishlagan")
        copy = await bot.hears("kecha", GROUP)
        await bot.quiet()
        bot.edits(USER, message, text="bugun ishlagan, parol: Sir12345maxfiy")
        edited = await bot.hears("bugun", GROUP)
        assert (edited.message_id, edited.text) == (copy.message_id, f"✏️ {HEAD} bugun ishlagan, parol: [REDACTED]")


async def test_an_edit_with_another_file_stands_under_the_old_one(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        message = bot.api.send(USER, **bot.media("video", caption="birinchi"))
        copy = await bot.hears("birinchi", GROUP)
        await bot.quiet()
        bot.edits(USER, message, **bot.media("video", caption="ikkinchi"))
        newer = await bot.hears("ikkinchi", GROUP)
        assert newer.raw["reply_to_message"]["message_id"] == copy.message_id


async def test_before_a_person_is_called_the_staff_are_left_in_peace(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        bot.api.send(USER, **bot.media("voice"))
        await bot.hears("Ovozli xabarni oʻqiy olmayman")
        await bot.quiet()
        assert said(bot, GROUP) == []


async def test_who_took_a_ticket_hears_its_user(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        bot.api.send_text(USER, "/diagnose")
        await bot.hears("№1", GROUP)
        await bot.quiet()
        await bot.service.actions.reopen(1, "Nodir", source="test:reopen")  # not closed: nothing
        await bot.service.actions.take(1, "Nodir", source="test:take")
        bot.api.send_text(USER, "hali ham ishlamayapti")
        assert (await bot.hears("hali ham", GROUP)).text == f"{HEAD} hali ham ishlamayapti"


# --- from the staff to a person ---


async def test_a_reply_reaches_the_user_with_its_formatting_and_is_confirmed_by_a_reaction(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        code = [{"type": "code", "offset": 0, "length": 7}]
        message = bot.api.send(STAFF, GROUP, text="SIP ALG ni oʻchiring", entities=code, reply_to=card.message_id)
        reply = await bot.hears("SIP ALG")
        await bot.quiet()
        assert reply.text == "Operator: SIP ALG ni oʻchiring"
        assert reply.raw["entities"][1] == {"type": "code", "offset": 10, "length": 7}
        assert bot.api.chats.chats[GROUP].reactions[message] == [{"type": "emoji", "emoji": "👍"}]


async def test_an_album_of_the_staff_arrives_as_one(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        bot.api.album(STAFF, [PNG] * 3, caption="shunday qiling", chat=GROUP, reply_to=card.message_id)
        await bot.hears("shunday qiling")
        await bot.quiet()
        assert [m.text for m in said(bot, USER)] == ["Operator: shunday qiling", "", ""]
        assert len({m.raw["media_group_id"] for m in said(bot, USER)}) == 1


async def test_quotes_point_at_the_same_words_on_both_sides(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        asked = bot.api.send_text(USER, "qaysi tugma?")
        copy = await bot.hears("qaysi tugma", GROUP)
        await bot.quiet()
        answered = bot.api.send_text(STAFF, "yashil tugma", GROUP, reply_to=copy.message_id)
        reply = await bot.hears("yashil tugma")
        await bot.quiet()
        bot.api.send_text(USER, "topdim", reply_to=reply.message_id)
        found = await bot.hears("topdim", GROUP)
        assert reply.raw["reply_to_message"]["message_id"] == asked
        assert found.raw["reply_to_message"]["message_id"] == answered


async def test_an_edited_reply_is_edited_at_the_users(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        message = bot.api.send_text(STAFF, "soat 5 da", GROUP, reply_to=card.message_id)
        before = await bot.hears("soat 5 da")
        await bot.quiet()
        bot.edits(STAFF, message, GROUP, text="soat 6 da")
        after = await bot.hears("soat 6 da")
        assert (before.message_id, after.text) == (after.message_id, "Operator: soat 6 da")


async def test_talk_among_staff_is_no_reply(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        first = bot.api.send_text(STAFF, "kim oladi?", GROUP)
        bot.api.send_text(STAFF, "men", GROUP, reply_to=first)
        await bot.quiet()
        assert said(bot, USER) == []


async def test_in_a_topic_every_word_of_the_staff_is_a_reply_and_the_user_is_heard_there(tmp_path: Path) -> None:
    async with office(tmp_path, forum=True) as bot:
        card = await bot.called()
        assert card.thread_id is not None
        bot.api.send_text(STAFF, "koʻryapman", GROUP, thread=card.thread_id)
        await bot.hears("koʻryapman")
        bot.api.send_text(STAFF, "// ichki gap", GROUP, thread=card.thread_id)
        bot.api.send_text(STAFF, "umumiy gap", GROUP)
        bot.api.send_text(USER, "rahmat, kutaman")
        copy = await bot.hears("kutaman", GROUP)
        await bot.quiet()
        assert (copy.text, copy.thread_id) == ("rahmat, kutaman", card.thread_id)
        assert [m.text for m in said(bot, USER)] == ["Operator: koʻryapman"]


async def test_who_is_not_of_the_staff_is_told_once_and_never_heard(tmp_path: Path) -> None:
    async with office(tmp_path, forum=True) as bot:
        card = await bot.called()
        for text in ("men ham yordam beraman", "eshityapsizmi"):
            bot.api.send_text(STRANGER, text, GROUP, thread=card.thread_id)
        await bot.hears("Faqat operatorlar", GROUP)
        await bot.quiet()
        assert said(bot, USER) == []
        assert sum("Faqat operatorlar" in text for text in bot.texts(GROUP)) == 1


async def test_a_user_who_stopped_the_bot_is_reported_once(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        bot.api.chats.chats[USER].state = "blocked"
        for text in ("bir", "ikki", "uch"):
            bot.api.send_text(STAFF, text, GROUP, reply_to=card.message_id)
        await bot.quiet()
        await bot.until(lambda: len(bot.api.chats.chats[GROUP].reactions) == 3)
        assert sum("Yetkazib boʻlmadi" in text for text in bot.texts(GROUP)) == 1
        assert sum("botni toʻxtatib qoʻygan" in text for text in bot.texts(GROUP)) == 0


# --- notes ---


async def test_a_note_is_kept_and_never_sent(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        message = bot.api.send_text(STAFF, "// mijoz asabiy", GROUP, reply_to=card.message_id)
        await bot.until(lambda: message in bot.api.chats.chats[GROUP].reactions)
        await bot.quiet()
        note = next(event for event in (await bot.ticket()).events if event.kind is EventKind.NOTE)
        assert (note.body, said(bot, USER)) == ({"text": "mijoz asabiy", "by": "Nodir"}, [])


async def test_a_note_that_is_edited_into_a_text_is_not_sent(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        message = bot.api.send_text(STAFF, "// sir", GROUP, reply_to=card.message_id)
        await bot.quiet()
        bot.edits(STAFF, message, GROUP, text="sir endi ochiq")
        await bot.hears("Bu eslatma edi", GROUP)
        await bot.quiet()
        assert said(bot, USER) == []


async def test_a_reply_edited_into_a_note_leaves_what_was_seen_and_sends_nothing_more(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        message = bot.api.send_text(STAFF, "kuting", GROUP, reply_to=card.message_id)
        await bot.hears("kuting")
        await bot.quiet()
        bot.edits(STAFF, message, GROUP, text="// bilmayman nima qilishni")
        await bot.hears("Bu endi eslatma", GROUP)
        bot.edits(STAFF, message, GROUP, text="yana ochiq gap")
        await bot.quiet()
        assert [m.text for m in said(bot, USER)] == ["Operator: kuting"]


async def test_an_album_whose_caption_is_a_note_stays_with_the_staff(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        bot.api.album(STAFF, [PNG] * 3, caption="// faqat bizga", chat=GROUP, reply_to=card.message_id)
        bot.service.life.relay.album_s = 0.05
        await bot.quiet()
        assert said(bot, USER) == []


async def test_an_edit_of_what_was_never_sent_starts_nothing(tmp_path: Path) -> None:
    async with office(tmp_path, forum=True) as bot:
        card = await bot.called()
        message = bot.api.send_text(STAFF, "/note maxfiy gap", GROUP, thread=card.thread_id)
        await bot.quiet()
        bot.edits(STAFF, message, GROUP, text="maxfiy gap", entities=None)
        await bot.hears("Tahrirlangan xabar", GROUP)
        await bot.quiet()
        assert said(bot, USER) == []


# --- crashes ---


async def test_what_a_crash_left_lying_is_carried_over_once_at_the_next_start(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        await bot.quiet()
        fault = bot.api.fault("hang", "sendMessage", contains="Aziza: salom", times=99, seconds=60)
        bot.api.send_text(USER, "salom")
        await bot.hears("Operatorga yetkazdim")
        store = bot.service.desk.tickets.store
        waiting = await store.run(lambda db: db.execute("SELECT fate FROM relayed").fetchall())
        assert waiting == [(Fate.WAITING.value,)]
        bot.service.inbox.grace_s = 0.05  # the crash: what is in hand is dropped
        await bot.stop()
        fault.times = 0
        async with serving(bot.api, tmp_path) as again:
            await again.hears(f"{HEAD} salom", GROUP)
            await again.quiet()
            assert [text for text in again.texts(GROUP) if text.startswith(HEAD)] == [f"{HEAD} salom"]


async def test_what_the_network_swallowed_is_carried_over_a_minute_later_and_nobody_is_frightened(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        await bot.quiet()
        fault = bot.api.fault("status", "sendMessage", contains="Aziza: salom", times=99)
        bot.service.courier.stop()  # it gives up at the first failure instead of waiting half a minute
        bot.api.send_text(USER, "salom")
        await bot.until(lambda: fault.times < 99)
        await bot.quiet()
        fault.times = 0
        await bot.service.life.relay.resume()
        await bot.hears(f"{HEAD} salom", GROUP)
        await bot.quiet()
        assert [m.text for m in said(bot, GROUP)] == [f"{HEAD} salom"]
        assert [text for text in bot.texts() if "kutilmagan xatolik" in text] == []


def test_killed_in_the_middle_it_carries_everything_over_once(tmp_path: Path) -> None:
    with RunningBot(tmp_path, {"CHECK_TIMEOUT_S": "0.3", "DNS_SERVERS": "127.0.0.1:9"}) as bot:
        bot.says("/operator")
        card = bot.wait_for("№1", STAFF_CHAT)
        bot.api.send_text(STAFF, "birinchi javob", STAFF_CHAT, reply_to=card.message_id)
        bot.wait_for("birinchi javob")
        hanging = bot.api.fault("hang", "sendMessage", contains="Aziza: yordam bering", times=99, seconds=60)
        bot.says("yordam bering")
        bot.wait_for("Operatorga yetkazdim")
        bot.stop(signal.SIGKILL)
        hanging.times = 0
        bot.says("javob bormi?")
        bot.api.send_text(STAFF, "ikkinchi javob", STAFF_CHAT, reply_to=card.message_id)
        bot.start()
        bot.wait_for("Aziza: javob bormi?", STAFF_CHAT)
        bot.wait_for("Aziza: yordam bering", STAFF_CHAT)
        bot.wait_for("ikkinchi javob")
        bot.stop()
        answers = [m.text for m in bot.api.answers(PERSON) if m.text.startswith("Operator: ")]
        heard = sorted(m.text for m in bot.api.answers(STAFF_CHAT) if m.text.startswith(HEAD))
        assert answers == ["Operator: birinchi javob", "Operator: ikkinchi javob"]
        assert heard == [f"{HEAD} javob bormi?", f"{HEAD} yordam bering"]


async def test_staff_read_which_ticket_a_message_may_stand_twice_for(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        await bot.quiet()
        bot.api.fault("drop_after", "sendMessage", contains="№1 · Aziza:")
        bot.api.send_text(USER, "javob bormi?")
        told = await bot.hears("ikki marta", GROUP)
        assert told.text == bot.service.staff.screens.words.plain("staff.repeat", number=1)


# --- pure ---


def test_formatting_survives_where_its_letters_do() -> None:
    entities = tuple({"type": "bold", "offset": at, "length": 2} for at in (0, 3, 6))
    assert fitting(entities, "ab XX cd", "ab [REDACTED] cd") == (entities[0], {**entities[2], "offset": 14})


def test_a_message_survives_the_table() -> None:
    one = Said("photo", "a", ({"type": "bold", "offset": 0, "length": 1},), "F", reply_to=3, guarded=False)
    assert Said.from_json(one.to_json()) == one
