"""The project's own pictures are read as they were drawn; a wrong host is never called right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.parsers import screen_worker

if not screen_worker.available():
    pytest.skip("the extra `ocr` or Tesseract's languages are not installed", allow_module_level=True)

from benchmarks.screens import judge, judge_terminal
from bot.model import Context, Kind, Tag
from bot.parsers.screen import read_picture
from bot.parsers.screen.terminal import mended

FOLDER = Path(__file__).parent.parent / "data" / "screens"
TRUTHS = [json.loads(line) for line in (FOLDER / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
SHOTS = [truth for truth in TRUTHS if truth["category"] != "photo" and truth["dialog"] != "terminal"]
SAMPLE = SHOTS[::3]


def _named(truths: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(truth, id=f"{truth['file']}-{truth['degradation']}") for truth in truths]


@pytest.mark.parametrize("truth", _named(SAMPLE))
def test_a_screenshot_is_read_without_a_mistake(truth: dict[str, Any]) -> None:
    readings = read_picture((FOLDER / truth["file"]).read_bytes(), Context())
    judged = [entry for entry in judge(truth, readings) if entry[0] in ("key", "keycheck")]
    assert [entry for entry in judged if entry[2] == "wrong"] == []
    assert sum(entry[2] == "right" for entry in judged) >= 0.9 * len(judged)


@pytest.mark.parametrize("truth", _named([t for t in TRUTHS if t["category"] == "photo"][:2]))
def test_a_photo_is_never_bent_into_the_right_host(truth: dict[str, Any]) -> None:
    readings = read_picture((FOLDER / truth["file"]).read_bytes(), Context())
    for reading in readings:
        for name in ("server", "domain"):
            if reading.facts["fields"].get(name) == "call.soundz.uz":
                assert truth["fields"][name]["value"] == "call.soundz.uz"


@pytest.mark.parametrize("truth", _named([t for t in TRUTHS if t["dialog"] == "terminal"][:3]))
def test_a_console_gives_the_readings_of_its_text(truth: dict[str, Any]) -> None:
    readings = read_picture((FOLDER / truth["file"]).read_bytes(), Context())
    assert [entry[2] for entry in judge_terminal(truth, readings)] == ["right"] * len(truth["commands"])


def test_a_password_that_is_shown_is_not_in_the_reading() -> None:
    shown = [truth for truth in TRUTHS if truth.get("password_shown") and truth["fields"]["password"]["visible"]]
    for truth in shown[:1]:
        (reading,) = read_picture((FOLDER / truth["file"]).read_bytes(), Context())
        assert truth["fields"]["password"]["value"] not in json.dumps(reading.to_json())
        assert reading.facts["password_shown"] is True
    for truth in SHOTS[:1]:
        (reading,) = read_picture((FOLDER / truth["file"]).read_bytes(), Context())
        assert "password" not in reading.facts["fields"]
        assert reading.facts["password_shown"] is False


def test_the_worker_answers_like_the_reader_and_ends_when_idle() -> None:
    worker = screen_worker.Worker(idle_s=0.3)
    truth = next(truth for truth in SHOTS if truth["dialog"] == "account")
    content = (FOLDER / truth["file"]).read_bytes()
    try:
        (reading,) = worker.read(content, Context(extension="1001"), timeout_s=60)
        assert reading.kind is Kind.MICROSIP_SCREEN
        assert reading == read_picture(content, Context(extension="1001"))[0]
        process = worker._process
        assert process is not None
        assert process.wait(timeout=30) == 0
        assert worker.read(b"no picture", Context(), timeout_s=60) == ()
    finally:
        worker.close()


def test_a_picture_that_takes_too_long_gives_no_reading_and_a_new_process() -> None:
    worker = screen_worker.Worker()
    truth = next(truth for truth in SHOTS if truth["dialog"] == "account")
    content = (FOLDER / truth["file"]).read_bytes()
    try:
        assert worker.read(content, Context(), timeout_s=0.01) == ()
        assert worker.pid is None
        assert len(worker.read(content, Context(), timeout_s=60)) == 1
    finally:
        worker.close()


def test_the_reply_picture_is_small_and_wide_enough_for_a_phone() -> None:
    from io import BytesIO

    from PIL import Image

    from bot.parsers.field_marks import verdicts
    from bot.parsers.screen.annotate import annotate

    truth = next(t for t in SHOTS if t["file"] == "m063.png")
    content = (FOLDER / truth["file"]).read_bytes()
    (reading,) = read_picture(content, Context())
    assert Tag.ACCOUNT_SERVER_WRONG in [finding.tag for finding in reading.findings]
    assert {"server": "right", "domain": "wrong"}.items() <= verdicts(reading).items()
    drawn = annotate(content, reading, {"title": "Oʻzgartirish", "server": "SIP server", "domain": "Domen: Gʻ"})
    image = Image.open(BytesIO(drawn))
    assert (image.format, image.width) == ("JPEG", 900)
    assert len(drawn) <= 300_000
    box = truth["boxes"]["password"]["control"]
    scale = 900 / truth["size"][0]
    middle = image.getpixel((int(box[0] * scale) + 12, int((box[1] + box[3]) / 2 * scale)))
    assert isinstance(middle, tuple)
    assert max(middle) < 100  # covered


@pytest.mark.parametrize(
    ("seen", "meant"),
    [
        ("Reply from 69.62.l27.9: bytes=32 time=3ms TTL=54", "Reply from 69.62.127.9: bytes=32 time=3ms TTL=54"),
        ("Ответ от 69.62.127.9: число байт=32 Bpema=164mc ТТЕ=54", None),
        ("Name: call. soundz.uz", "Name: call.soundz.uz"),
        ("C:\\Users\\Aziz>ping69.62.127.9", "C:\\Users\\Aziz>ping 69.62.127.9"),
        (
            "ххх UnKnown can't find call.soundz.uz: Server failed",
            "*** UnKnown can't find call.soundz.uz: Server failed",
        ),
        (
            " dns.google can't find call.soundz.uz: Server failed",
            "*** dns.google can't find call.soundz.uz: Server failed",
        ),
        (
            "Пакетов: отправлено = 4, получено = 09, потеряно = 4",
            "Пакетов: отправлено = 4, получено = 0, потеряно = 4",
        ),
        (
            "При проверке связи не удалось обнаружить узел call.soundz.uz-~",
            "При проверке связи не удалось обнаружить узел call.soundz.uz.",
        ),
    ],
)
def test_ocr_slips_of_consoles_are_mended(seen: str, meant: str | None) -> None:
    assert mended(seen, Context()) == (meant or "Ответ от 69.62.127.9: число байт=32 время=164мс TTL=54")
