"""People as they are: odd names, odd messages, files, presses of yesterday. Each gets a right answer, none an error."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.parsers import screen_worker
from tests.fake_api import FakeApi
from tests.running import RunningBot
from tests.servers.healthy import healthy_pbx, needs_kamailio

pytestmark = needs_kamailio
HOST = "call.soundz.uz"
INI = Path(__file__).parent / "data" / "microsip_ini"
VOICE = {"file_id": "v", "file_unique_id": "v", "duration": 3}
PING = (
    "Pinging call.soundz.uz [127.0.0.1] with 32 bytes of data:\nReply from 127.0.0.1: bytes=32 time=3ms TTL=60\n"
    "Ping statistics for 127.0.0.1:\n    Packets: Sent = 1, Received = 1, Lost = 0 (0% loss),\n"
)
WRONG_DOMAIN = Path(__file__).parent / "data" / "screens" / "m063.png"
STORIES = itertools.count(1000)


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBot]:
    folder = tmp_path_factory.mktemp("people")
    with healthy_pbx() as plan, RunningBot(folder, {**plan, "CHECK_TTL_S": "60"}) as running:
        yield running


class Somebody:
    """A person of one test."""

    def __init__(self, bot: RunningBot, name: str = "Ali") -> None:
        self.bot, self.api, self.id = bot, bot.api, next(STORIES)
        self.api.user(self.id, name)

    def says(self, text: str, **more: Any) -> int:
        return self.api.send_text(self.id, text, **more)

    def hears(self, words: str, timeout: float = 20) -> Any:
        return self.bot.wait_for(words, self.id, timeout=timeout)

    def asked(self) -> Any:
        self.says("/diagnose")
        return self.hears("pastki chap burchagida")

    def presses(self, message: Any, verb: str, **how: Any) -> None:
        data = next(b.data for row in message.buttons for b in row if b.data and f":{verb}" in b.data)
        self.api.press(self.id, message.message_id, data, **how)

    def count(self, words: str) -> int:
        return sum(words in message.text for message in self.api.answers(self.id))


@pytest.fixture(autouse=True)
def nothing_was_refused_and_nobody_saw_an_error(bot: RunningBot) -> Iterator[None]:
    before = len(bot.api.refused())
    yield
    refused = [call for call in bot.api.refused()[before:] if call.method != "answerCallbackQuery"]
    unwanted = [call for call in refused if "message is not modified" not in call.description]  # that is a success
    assert [(call.method, call.description) for call in unwanted] == []
    assert "Traceback" not in (bot.folder / "bot.log").read_text("utf-8")


@pytest.mark.parametrize("name", ["<3", "</b>", "<" * 60, "a & b", "‮ali", "​​", "Aʼzam “Oʻktam”"])
def test_any_name_is_greeted_and_named_to_the_staff(bot: RunningBot, name: str) -> None:
    person = Somebody(bot, name)
    person.says("/start")
    person.hears("Assalomu alaykum")
    person.says("/operator")
    person.hears("Operatorga xabar berdim")


@pytest.mark.parametrize(
    ("send", "answer"),
    [
        (lambda api, who: api.send(who, voice=VOICE), "Ovozli xabarni"),
        (lambda api, who: api.send(who, contact={"phone_number": "+998", "first_name": "x"}), "Buni oʻqiy olmayman"),
        (lambda api, who: api.send(who, location={"latitude": 41.3, "longitude": 69.2}), "Buni oʻqiy olmayman"),
        (lambda api, who: api.send_document(who, b"x", "big.log", size=30 << 20), "Fayl juda katta"),
        (lambda api, who: api.send_text(who, "4096 <" + "<" * 4000), "/diagnose"),
        (lambda api, who: api.send_text(who, "salom"), "/diagnose"),
    ],
)  # fmt: skip
def test_every_kind_of_message_has_an_answer(
    bot: RunningBot, send: Callable[[FakeApi, int], object], answer: str
) -> None:
    person = Somebody(bot)
    send(bot.api, person.id)
    person.hears(answer)


def test_evidence_before_any_command_opens_a_case(bot: RunningBot) -> None:
    person = Somebody(bot)
    person.says("C:\\>nslookup call.soundz.uz\nServer:  UnKnown\nAddress:  192.168.1.1\n\nDNS request timed out.\n"
                "    timeout was 2 seconds.\n*** Request to UnKnown timed-out")  # fmt: skip
    assert person.hears("nomini topa olmayapti").text.startswith("Sabab aniq:")
    assert person.count("pastki chap burchagida") == 0


def test_evidence_sent_before_it_is_asked_for_is_not_asked_again(bot: RunningBot) -> None:
    person = Somebody(bot)
    question = person.asked()
    person.says(PING)
    person.hears("Yuqoridagi savolga")
    person.presses(question, "st:timeout")
    person.hears(
        "Alt + PrtScn" if screen_worker.available() else "MicroSIP.ini"
    )  # a clean ping to the right address has answered nslookup's question, too
    assert person.count("ping -n 10") == 0


def test_an_edited_message_is_a_new_version_of_the_evidence(bot: RunningBot) -> None:
    person = Somebody(bot)
    question = person.asked()
    person.presses(question, "st:no_server")
    person.hears("nslookup call.soundz.uz")
    message = person.says("hozir")
    person.hears("Bunda nslookup natijasi koʻrinmadi")
    bot.api.edit(person.id, message, "C:\\>nslookup call.soundz.uz\nServer: UnKnown\nAddress: 192.168.1.1\n\n"
                 "*** UnKnown can't find call.soundz.uz: Non-existent domain")  # fmt: skip
    person.hears("Sabab aniq:")


def test_a_settings_file_is_read_answered_with_a_corrected_one_and_its_password_leaves_the_chat(
    bot: RunningBot,
) -> None:
    person = Somebody(bot)
    person.asked()
    sent = bot.api.send_document(person.id, (INI / "stun_ice_on.ini").read_bytes(), "microsip.ini")
    bot.api.wait_for(lambda: any(call.ok for call in bot.api.calls("sendDocument", person.id)))
    person.hears("chatdan oʻchirdim")
    person.hears("tashqi IP")
    assert sent not in bot.api.chats.chats[person.id].messages


def test_an_album_is_one_thing_said(bot: RunningBot) -> None:
    person = Somebody(bot)
    person.asked()
    bot.api.album(person.id, [b"\x89PNG\r\n\x1a\nxx"] * 4)
    answer = "yozuvni joʻnating yoki" if screen_worker.available() else "rasm oʻqish yoqilmagan"
    person.hears(answer)
    person.says("/status")
    person.hears("Murojaat №")
    assert person.count(answer) == 1


@pytest.mark.skipif(not screen_worker.available(), reason="the extra 'ocr' is not installed")
def test_a_picture_of_the_settings_comes_back_with_frames_and_its_fault_is_the_step(bot: RunningBot) -> None:
    person = Somebody(bot)
    person.asked()
    bot.api.send_document(person.id, WRONG_DOMAIN.read_bytes(), "rasm.png", "image/png")
    bot.api.wait_for(lambda: any(call.ok for call in bot.api.calls("sendPhoto", person.id)), 60)
    caption = bot.api.calls("sendPhoto", person.id)[0].params["caption"]
    assert "Домен – call.soundz.uz boʻlishi kerak" in caption
    verdict = person.hears("server nomi yoki porti boshqacha yozilgan")
    assert verdict.text.startswith("Sabab aniq:")
    assert "«Сохранить»" in verdict.text  # the language of their MicroSIP is known from the picture


def test_a_press_on_a_closed_case_says_so(bot: RunningBot) -> None:
    person = Somebody(bot)
    question = person.asked()
    person.presses(question, "st:online")
    person.hears("MicroSIP serverga ulandi")
    person.presses(question, "st:timeout", force=True)
    person.hears("Bu tugma eskirgan")


def test_a_press_on_a_message_too_old_to_read_still_works(bot: RunningBot) -> None:
    person = Somebody(bot)
    question = person.asked()
    person.presses(question, "ui:ru", inaccessible=True)
    bot.api.wait_for(
        lambda: "Тайм-аут запроса" in [b.text for m in bot.api.answers(person.id) for r in m.buttons for b in r]
    )


def test_a_foreign_or_forged_button_does_nothing(bot: RunningBot) -> None:
    person, other = Somebody(bot), Somebody(bot)
    question = person.asked()
    other.says("/start")
    greeting = other.hears("Assalomu alaykum")
    number = json.loads(bot.yordam("tickets", "--json"))[0]["number"]
    for data in (f"{number}:st:online:", "999999:done:fix_dns", "x", "1:st:nonsense:", "0"):
        bot.api.press(other.id, greeting.message_id, data, force=True)
    bot.api.wait_for(lambda: other.count("Bu tugma eskirgan") == 5)
    assert question.text


def test_the_right_settings_come_with_copy_buttons_and_the_known_number(bot: RunningBot) -> None:
    person = Somebody(bot)
    person.asked()
    person.says("1002")
    person.hears("Ichki raqamingiz")
    person.says("/sozlama")
    assert "username=1002" in person.hears("toʻgʻri sozlamalar").text


def test_cr_and_lf_in_a_number_reach_no_sip_header(bot: RunningBot) -> None:
    person = Somebody(bot)
    person.asked()
    person.says("1002\r\nX-Injected: 1")
    person.says("/status")
    person.hears("Murojaat №")
    assert "X-Injected" not in (bot.folder / "bot.log").read_text("utf-8")
