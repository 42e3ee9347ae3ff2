"""A picture whose password can be read leaves the private chat, and the person is told so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.parsers import screen_worker
from tests.running import STAFF_CHAT, RunningBot
from tests.servers.healthy import looking_at, named
from tests.servers.kamailio import free_port

if not screen_worker.available():
    pytest.skip("the extra `ocr` or Tesseract's languages are not installed", allow_module_level=True)

SCREENS = Path(__file__).parent / "data" / "screens"
TRUTHS = [json.loads(line) for line in (SCREENS / "truth.jsonl").read_text("utf-8").splitlines()]
DIALOGS = [truth for truth in TRUTHS if truth["dialog"] == "account" and truth["fields"]["password"]["visible"]]
SHOWN = next(truth for truth in DIALOGS if truth["password_shown"])
DOTS = next(truth for truth in DIALOGS if not truth["password_shown"])
TOLD = "Xabaringizda parol bor edi, shuning uchun uni chatdan oʻchirdim"


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBot]:
    folder = tmp_path_factory.mktemp("password")
    with named() as dns, RunningBot(folder, looking_at(dns, free_port())) as running:
        yield running


def test_a_picture_with_a_password_in_clear_is_deleted_and_said_so(bot: RunningBot) -> None:
    bot.api.user(5001, "Ali")
    sent = bot.api.send_photo(5001, (SCREENS / SHOWN["file"]).read_bytes())
    bot.wait_for(TOLD, 5001, timeout=60)
    assert [int(call.params["message_id"]) for call in bot.api.calls("deleteMessage", 5001)] == [sent]
    assert SHOWN["fields"]["password"]["value"] not in bot.log


def test_a_picture_with_a_password_in_dots_stays(bot: RunningBot) -> None:
    bot.api.user(5002, "Vali")
    bot.api.send_photo(5002, (SCREENS / DOTS["file"]).read_bytes())
    bot.api.wait_for(lambda: bot.api.calls("sendPhoto", 5002), 60)
    assert bot.wait_for("Bu sizda emas, bizda", 5002, timeout=60)  # the verdict: the picture is dealt with
    assert bot.api.calls("deleteMessage", 5002) == []


def test_the_staff_are_told_of_it_and_never_get_the_file(bot: RunningBot) -> None:
    bot.api.user(5003, "Soli")
    bot.api.send_text(5003, "/operator")
    bot.wait_for("Operatorga xabar berdim", 5003)
    bot.api.send_photo(5003, (SCREENS / SHOWN["file"]).read_bytes(), caption="mana rasm")
    told = bot.wait_for("Unda parol ochiq koʻringani uchun", STAFF_CHAT, timeout=60)
    assert told.text.endswith("\nmana rasm")
    bot.wait_for(TOLD, 5003, timeout=60)
    methods = {call.method for call in bot.api.calls(chat=STAFF_CHAT)}
    assert methods & {"sendPhoto", "sendMediaGroup", "copyMessage", "forwardMessage"} == set()


def test_in_an_album_the_other_pictures_reach_the_staff(bot: RunningBot) -> None:
    bot.api.user(5004, "Zoir")
    bot.api.send_text(5004, "/operator")
    bot.wait_for("Operatorga xabar berdim", 5004)
    shown, dots = ((SCREENS / truth["file"]).read_bytes() for truth in (SHOWN, DOTS))
    bot.api.album(5004, [shown, dots], caption="ikkita rasm")
    bot.wait_for("\nikkita rasm", STAFF_CHAT, timeout=60)
    bot.api.wait_for(lambda: [m for m in bot.api.answers(STAFF_CHAT) if "photo" in m.raw], 60)
    assert [m.text for m in bot.api.answers(5004) if "kutilmagan xatolik" in m.text] == []
