"""What is said arrives whole: long words in two, covered pictures covered, the part that was quoted, every album."""

from __future__ import annotations

import asyncio
import functools
import json
import signal
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from bot.model import EventKind, Status
from bot.relayed import Fate
from handlers.relay import BACKLOG_MAX
from handlers.said import TEXT_MAX, Said, length
from tests.fake_chats import JSON, Shown
from tests.fake_people import PNG
from tests.office import GROUP, STAFF, USER, Office, office
from tests.running import PERSON, STAFF_CHAT, RunningBot
from tests.test_relay import HEAD, WAITS, said

LONG = " ".join(f"soʻz{number}" for number in range(600))[:4090] + " oxir"
VIDEO = {"caption": "yashirin", "has_media_spoiler": True, "show_caption_above_media": True}
NOT_CARRIED = "Bunday xabarni foydalanuvchiga yetkazib boʻlmaydi"


def quoted(bot: Office, chat: int, words: str) -> JSON:
    """What the bot's call with these words quoted there."""
    call = next(c for c in bot.api.calls("sendMessage", chat) if c.ok and words in str(c.params["text"]))
    return dict(json.loads(str(call.params.get("reply_parameters", "{}"))))


async def lines(bot: Office, chat: int, marks: tuple[str, ...]) -> list[Shown]:
    """The bot's messages there with one of these words."""
    await bot.until(lambda: all(any(mark in text for text in bot.texts(chat)) for mark in marks))
    await bot.quiet()
    return [m for m in bot.api.answers(chat) if any(mark in m.text for mark in marks)]


# --- long words ---


async def test_words_too_long_for_one_message_arrive_in_two_with_nothing_lost(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        bot.api.send_text(USER, LONG)
        first, second = await lines(bot, GROUP, ("soʻz0 ", " oxir"))
        assert " ".join((first.text, second.text)) == f"{HEAD} {LONG}"
        assert second.raw["reply_to_message"]["message_id"] == first.message_id
        bot.api.send_text(STAFF, LONG, GROUP, reply_to=card.message_id)
        mine = await lines(bot, USER, ("soʻz0 ", " oxir"))
        assert " ".join(message.text for message in mine) == f"Operator: {LONG}"


async def test_the_second_half_of_something_long_can_be_answered(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        bot.api.send_text(USER, LONG)
        _, second = await lines(bot, GROUP, ("soʻz0 ", " oxir"))
        bot.api.send_text(STAFF, "tushundim", GROUP, reply_to=second.message_id)
        assert (await bot.hears("tushundim")).text == "Operator: tushundim"


async def test_a_caption_longer_than_a_bot_may_write_goes_on_below(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        bot.api.send(USER, **bot.media("video", caption=LONG))
        first, second = await lines(bot, GROUP, ("soʻz0 ", " oxir"))
        assert ("video" in first.raw, " ".join((first.text, second.text))) == (True, f"{HEAD} {LONG}")


async def test_an_edit_that_became_too_long_stands_under_the_old_version(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        message = bot.api.send_text(USER, "qisqa gap")
        copy = await bot.hears("qisqa gap", GROUP)
        await bot.quiet()
        bot.edits(USER, message, text=LONG)
        first, second = await lines(bot, GROUP, ("soʻz0 ", " oxir"))
        assert " ".join((first.text, second.text)) == f"✏️ {HEAD} {LONG}"
        assert first.raw["reply_to_message"]["message_id"] == copy.message_id


@pytest.mark.parametrize("video", [False, True])
async def test_an_edit_of_something_long_leaves_no_half_of_it_as_if_it_were_said_still(
    tmp_path: Path, video: bool
) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        words = bot.media("video", caption=LONG) if video else {"text": LONG}
        message = bot.api.send(STAFF, GROUP, reply_to=card.message_id, **words)
        first, second = await lines(bot, USER, ("soʻz0 ", " oxir"))
        await bot.quiet()
        bot.edits(STAFF, message, GROUP, **{"caption" if video else "text": "qisqasi shu"})
        new = await bot.hears("qisqasi shu")
        assert (new.text, new.raw["reply_to_message"]["message_id"]) == ("Operator: qisqasi shu", first.message_id)
        assert [m.text for m in bot.api.answers(USER) if m.message_id == second.message_id] == [second.text]
        await bot.quiet()
        bot.edits(STAFF, message, GROUP, **{"caption" if video else "text": "qisqasi bu"})  # from now on as ever
        changed = await bot.hears("qisqasi bu")
        assert changed.message_id == new.message_id


def test_pieces_are_the_words_again_and_their_formatting_is_on_the_same_letters() -> None:
    text = ("😀a " * 3000).strip()
    words = {"type": "italic", "offset": 4000, "length": 400}
    pieces = Said("text", text, (words,)).pieces("Operator:")
    assert "".join(piece for piece, _ in pieces) == f"Operator: {text}"
    assert [length(piece) <= TEXT_MAX for piece, _ in pieces] == [True] * 3

    def letters(piece: str, offset: int, many: int) -> str:
        return piece.encode("utf-16-le")[2 * offset : 2 * (offset + many)].decode("utf-16-le")

    italic = [letters(p, e.offset, e.length) for p, styles in pieces for e in styles if e.type == "italic"]
    assert "".join(italic) == letters(text, 4000, 400)
    assert len(italic) == 2


# --- pictures ---


async def test_a_covered_picture_stays_covered_and_its_caption_above(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        bot.api.send(USER, **bot.media("video", **VIDEO))
        bot.api.send(STAFF, GROUP, **bot.media("video", **VIDEO), reply_to=card.message_id)
        await bot.hears("yashirin", GROUP)
        await bot.hears("yashirin")
        looks = [
            (call.params.get("has_spoiler"), call.params.get("show_caption_above_media"))
            for chat in (USER, GROUP)
            for call in bot.api.calls("sendVideo", chat)
        ]
        assert looks == [("true", "true")] * 2


async def test_an_album_of_the_staff_is_confirmed(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        first, *_ = bot.api.album(STAFF, [PNG] * 2, caption="shunday", chat=GROUP, reply_to=card.message_id)
        await bot.hears("shunday")
        await bot.until(lambda: bot.api.chats.chats[GROUP].reactions.get(first) == [{"type": "emoji", "emoji": "👍"}])


@pytest.mark.parametrize("caption", ["/close 1", "/NOTE ichki gap"])
async def test_an_album_under_which_an_order_stands_stays_here_whole(tmp_path: Path, caption: str) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        bot.api.album(STAFF, [PNG] * 3, caption=caption, chat=GROUP, reply_to=card.message_id)
        await bot.quiet()
        ticket = await bot.ticket()
        notes = [event.body["text"] for event in ticket.events if event.kind is EventKind.NOTE]
        assert (said(bot, USER), ticket.status, notes) == ([], Status.ESCALATED, ["ichki gap"] * ("NOTE" in caption))


async def test_an_album_is_taken_whole_or_not_at_all_when_too_much_waits(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        await bot.quiet()
        bot.api.fault("hang", "sendMessage", contains="navbat", times=99, seconds=60)
        for number in range(BACKLOG_MAX - 1):
            bot.api.send_text(USER, f"navbat {number}")
        bot.api.album(USER, [PNG] * 4, caption="toʻrtta rasm")
        await bot.until(lambda: bot.api.pending() == 0)
        rows = bot.service.life.relay.rows
        while len(await rows.unfinished()) < BACKLOG_MAX + 3:  # noqa: ASYNC110 - it says so nowhere else
            await asyncio.sleep(0.005)
        bot.service.inbox.grace_s = 0.1  # what hangs is left
        assert [text for text in bot.texts() if "Xabarlar koʻpayib ketdi" in text] == []


# --- quotes ---


async def test_the_part_that_was_quoted_is_quoted_on_the_other_side(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        asked = bot.api.send_text(USER, "birinchi savol, ikkinchi savol")
        copy = await bot.hears("ikkinchi savol", GROUP)
        await bot.quiet()
        styles = [{"type": "bold", "offset": 0, "length": 8}, {"type": "url", "offset": 0, "length": 8}]
        marked = {"text": "ikkinchi savol", "position": len(HEAD) + 17, "entities": styles}
        bot.api.send(STAFF, GROUP, text="ikkinchisiga ha", reply_to=copy.message_id, quote=marked)
        reply = await bot.hears("ikkinchisiga ha")
        assert quoted(bot, USER, "ikkinchisiga ha") == {
            "message_id": asked,
            "allow_sending_without_reply": True,
            "quote": "ikkinchi savol",
            "quote_entities": [{"type": "bold", "offset": 0, "length": 8}],
            "quote_position": len(HEAD) + 17,
        }
        await bot.quiet()
        bot.api.send(USER, text="rahmat", reply_to=reply.message_id, quote={"text": "siga ha", "position": 19})
        await bot.hears("rahmat", GROUP)
        assert quoted(bot, GROUP, "rahmat")["quote"] == "siga ha"


async def test_a_quote_that_the_other_side_cannot_find_costs_no_word(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        asked = bot.api.send_text(USER, "qaysi tugma?")
        copy = await bot.hears("qaysi tugma", GROUP)
        await bot.quiet()
        marked = {"text": "Aziza: qaysi", "position": 5}  # our head is not in what she wrote
        bot.api.send(STAFF, GROUP, text="yashil", reply_to=copy.message_id, quote=marked)
        assert (await bot.hears("yashil")).raw["reply_to_message"]["message_id"] == asked
        assert quoted(bot, USER, "yashil") == {"message_id": asked, "allow_sending_without_reply": True}


async def test_what_of_the_bots_own_words_is_answered_is_said_to_the_staff(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        own = await bot.hears("Murojaat raqamingiz")
        bot.api.send_text(USER, "buni tushunmadim", reply_to=own.message_id)
        copy = await bot.hears("buni tushunmadim", GROUP)
        assert copy.text == f"{HEAD}\n{own.text}\nbuni tushunmadim"
        place = {"offset": length(f"{HEAD}\n"), "length": length(own.text)}
        assert [e for e in copy.raw["entities"] if e["type"] == "blockquote"] == [{"type": "blockquote", **place}]


async def test_a_quoted_secret_does_not_reach_the_staff(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        first = bot.api.send_text(USER, "men parol: Sir12345maxfiy yozdim")
        await bot.quiet()
        bot.api.chats.chats[USER].messages[first] = {
            "message_id": first, "from": bot.api.chats.people[USER], "chat": bot.api.chats.chats[USER].body,
            "date": 1, "text": "men parol: Sir12345maxfiy yozdim",
        }  # fmt: skip
        await bot.called()
        marked = {"text": "parol: Sir12345maxfiy", "position": 4}
        bot.api.send(USER, text="shu edi", reply_to=first, quote=marked)
        copy = await bot.hears("shu edi", GROUP)
        assert copy.text == f"{HEAD}\nparol: [REDACTED]\nshu edi"
        assert [c for c in bot.api.calls() if "Sir12345maxfiy" in str(c.params)] == []


async def test_what_was_said_under_another_number_is_said_again_and_not_pointed_at(tmp_path: Path) -> None:
    async with office(tmp_path, forum=True) as bot:
        await bot.called()
        first = bot.api.send_text(USER, "birinchi gap")
        await bot.hears("birinchi gap", GROUP)
        await bot.quiet()
        await bot.service.actions.close(1, "staff", "Nodir", source="test:close")
        bot.clock.ahead = timedelta(days=8)
        bot.api.send_text(USER, "/operator")
        card = await bot.hears("№2", GROUP)
        bot.api.send_text(USER, "yana shu", reply_to=first)
        copy = await bot.hears("yana shu", GROUP)
        assert (copy.text, copy.thread_id) == ("birinchi gap\nyana shu", card.thread_id)
        assert "reply_to_message" not in copy.raw


async def test_what_the_staff_quote_of_a_card_stays_with_them(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        marked = {"text": "Xulosa hali yoʻq.", "position": 90}
        bot.api.send(STAFF, GROUP, text="qarayapman", reply_to=card.message_id, quote=marked)
        assert (await bot.hears("qarayapman")).text == "Operator: qarayapman"
        assert quoted(bot, USER, "qarayapman") == {}


# --- what does not arrive ---


async def test_where_there_are_no_reactions_it_is_said_in_the_topic_what_became_of_a_word(tmp_path: Path) -> None:
    async with office(tmp_path, forum=True) as bot:
        card = await bot.called()
        await bot.quiet()
        bot.api.fault("status", "setMessageReaction", times=99, status=400)
        bot.api.send_text(STAFF, "// ichki gap", GROUP, thread=card.thread_id)
        bot.api.send_text(STAFF, "javob", GROUP, thread=card.thread_id)
        await bot.hears("javob")
        await bot.hears("Foydalanuvchiga yetkazildi", GROUP)
        bot.api.chats.chats[USER].state = "blocked"
        bot.api.send_text(STAFF, "yana javob", GROUP, thread=card.thread_id)
        await bot.hears("Yetkazib boʻlmadi", GROUP)
        told = [m for m in bot.api.answers(GROUP) if m.message_id != card.message_id]
        assert [(m.text.split()[0], m.thread_id) for m in told] == [
            ("Eslatma", card.thread_id), ("Foydalanuvchiga", card.thread_id), ("Yetkazib", card.thread_id),
        ]  # fmt: skip


async def test_without_reactions_each_word_that_does_not_arrive_is_told_of(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        await bot.quiet()
        bot.api.fault("status", "setMessageReaction", times=99, status=400)
        bot.api.chats.chats[USER].state = "blocked"
        written = [bot.api.send_text(STAFF, f"javob {n}", GROUP, reply_to=card.message_id) for n in range(2)]
        await bot.quiet()
        told = [m for m in bot.api.answers(GROUP) if m.text.startswith("Yetkazib boʻlmadi")]
        assert [m.raw["reply_to_message"]["message_id"] for m in told] == written


async def test_a_word_that_arrived_is_not_told_to_have_failed_when_its_receipt_does(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        await bot.quiet()
        bot.api.fault("status", "setMessageReaction", times=99, status=400)
        bot.api.fault("status", "sendMessage", contains="Foydalanuvchiga yetkazildi", status=400)
        message = bot.api.send_text(STAFF, "javob", GROUP, reply_to=card.message_id)
        await bot.hears("javob")
        await bot.quiet()
        row = await bot.service.life.relay.rows.get(GROUP, message)
        assert row is not None
        assert (row.fate, [text for text in bot.texts(GROUP) if "boʻlmaydi" in text]) == (Fate.SENT, [])


async def test_what_telegram_does_not_let_be_copied_is_told_to_who_wrote_it(tmp_path: Path) -> None:
    quiz = {"id": "1", "question": "?", "options": [], "total_voter_count": 0, "is_closed": False,
            "is_anonymous": True, "type": "quiz", "allows_multiple_answers": False, "allows_revoting": False,
            "members_only": False}  # fmt: skip
    async with office(tmp_path) as bot:
        card = await bot.called()
        message = bot.api.send(STAFF, GROUP, poll=quiz, reply_to=card.message_id)
        told = await bot.hears(NOT_CARRIED, GROUP)
        assert told.raw["reply_to_message"]["message_id"] == message
        assert [text for text in bot.texts(GROUP) if "foydalanuvchining bitta xabarini" in text] == []


async def test_an_account_that_is_no_more_is_told_to_who_wrote(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        await bot.quiet()
        del bot.api.chats.chats[USER]
        message = bot.api.send_text(STAFF, "eshityapsizmi?", GROUP, reply_to=card.message_id)
        told = await bot.hears("Yetkazib boʻlmadi: foydalanuvchi", GROUP)
        assert told.raw["reply_to_message"]["message_id"] == message


@pytest.mark.parametrize("words", ["salom?", "// ichki gap"])
async def test_under_the_card_of_who_was_forgotten_nothing_is_written(tmp_path: Path, words: str) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        await bot.quiet()
        await bot.service.erasing.forgetting.empty([1], "stale")
        bot.api.send_text(STAFF, words, GROUP, reply_to=card.message_id)
        await bot.hears("№1: maʼlumotlari oʻchirilgan", GROUP)
        await bot.quiet()
        assert [event for event in (await bot.ticket()).events if event.kind is EventKind.STAFF_MESSAGE] == []


async def test_a_note_that_overtakes_its_message_is_told_when_it_was_too_late(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        card = await bot.called()
        await bot.quiet()
        bot.api.latency_s = 0.3  # the message is on its way while it is edited
        message = bot.api.send_text(STAFF, "kuting", GROUP, reply_to=card.message_id)
        await bot.until(lambda: bot.service.staff.answering)
        bot.edits(STAFF, message, GROUP, text="// bilmayman")
        await bot.hears("Bu endi eslatma", GROUP)
        await bot.quiet()
        assert [m.text for m in said(bot, USER)] == ["Operator: kuting"]


async def test_while_the_staff_chat_takes_nothing_nobody_is_told_that_it_arrived(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:
        await bot.called()
        await bot.quiet()
        bot.api.kick(GROUP, STAFF)
        await bot.quiet()
        bot.api.send_text(USER, "kimdir bormi?")
        await bot.hears("Yozganingiz murojaatga qoʻshildi")
        bot.api.send_text(USER, "/operator")
        await bot.hears("Qoʻshimcha maʼlumotni shu yerga yozavering")
        await bot.quiet()
        bot.api.chats.chats[GROUP].state = "ok"
        bot.api.promote(GROUP, STAFF, topics=False)
        await bot.quiet()
        await bot.service.life.relay.resume()
        await bot.hears("kimdir bormi?", GROUP)
        assert [text for text in bot.texts() if "Operatorga yetkazdim" in text] == []


# --- asked once more ---


async def test_the_same_button_asks_for_a_person_again_after_the_end(tmp_path: Path) -> None:
    async with office(tmp_path) as bot:

        def asked(count: int) -> bool:
            return sum(WAITS in text for text in bot.texts(GROUP)) == count

        bot.api.send_text(USER, "/diagnose")
        verdict = await bot.hears("Bu sizda emas")
        await bot.hears("№1", GROUP)
        for count in (1, 2):
            await bot.quiet()
            bot.api.press(USER, verdict.message_id, "1:person", force=True)
            await bot.until(functools.partial(asked, count))
            await bot.quiet()
            await bot.service.actions.close(1, "staff", "Nodir", source=f"test:close {count}")


# --- a restart in the middle of an album ---


def parts(bot: RunningBot) -> int:
    """How many of the staff's messages were stored."""
    with closing(sqlite3.connect(bot.folder / "data" / "yordam.db")) as db:
        return int(db.execute("SELECT count(*) FROM relayed WHERE chat_id = ?", [STAFF_CHAT]).fetchone()[0])


@pytest.mark.timeout(90)
def test_an_album_cut_by_a_crash_stays_here_when_its_last_part_is_a_note(tmp_path: Path) -> None:
    with RunningBot(tmp_path, {"CHECK_TIMEOUT_S": "0.3", "DNS_SERVERS": "127.0.0.1:9"}) as bot:
        bot.says("/operator")
        card = bot.wait_for("№1", STAFF_CHAT)
        bot.api.send_photo(STAFF, chat=STAFF_CHAT, reply_to=card.message_id, media_group_id="77")
        bot.api.wait_for(lambda: parts(bot) == 1)
        bot.stop(signal.SIGKILL)
        bot.api.send_photo(STAFF, caption="// ichki", chat=STAFF_CHAT, reply_to=card.message_id, media_group_id="77")
        bot.api.album(STAFF, [PNG] * 2, caption="1-rasm", chat=STAFF_CHAT, reply_to=card.message_id)
        deaf = bot.api.fault("hang", "getUpdates", times=1, seconds=6)  # it can send, and hears nothing
        bot.start()
        bot.wait_for("1-rasm")
        bot.stop()
        albums = [call for call in bot.api.calls("sendMediaGroup", PERSON) if call.ok]
        assert (deaf.times, len(albums), bot.api.calls("sendPhoto", PERSON)) == (0, 1, [])
