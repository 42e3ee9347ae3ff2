"""What people sent for staff to look at: under our own names, for the owner's eyes, gone when forgotten."""

from __future__ import annotations

import io
import json
import os
import re
import stat
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.attachments import HALF_AFTER_S, ORPHAN_AFTER_S, Attachments
from bot.model import Kind, Reading
from bot.parsers import screen_worker
from handlers.keeping import TEXT_MAX, Keepable, keepable
from tests.running import PERSON, STAFF, STAFF_CHAT, RunningBot

JPEG = b"\xff\xd8\xff\xe0 a picture of ours"
INI = b"[Account1]\r\nserver=call.soundz.uz\r\npassword=Sir12345maxfiy\r\n"
A_READING = Reading(Kind.MICROSIP_INI, None, "right", {})


@pytest.fixture
def kept(tmp_path: Path) -> Attachments:
    return Attachments(tmp_path / "attachments")


def account(**boxes: list[int]) -> Reading:
    return Reading(Kind.MICROSIP_SCREEN, "microsip", "right", {"dialog": "account", "boxes": boxes})


def test_what_is_kept_can_be_read_again_by_its_owner_only(kept: Attachments) -> None:
    name = kept.keep(12, JPEG, ".jpg")
    place = kept.path(name)
    assert place is not None
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (place, place.parent, kept.folder)]
    assert (place.read_bytes(), modes) == (JPEG, [0o600, 0o700, 0o700])


def test_the_same_content_of_one_ticket_is_one_file(kept: Attachments) -> None:
    assert kept.keep(12, JPEG, ".jpg") == kept.keep(12, JPEG, ".jpg")
    assert len(kept.of_ticket(12)) == 1


def test_no_half_file_stays_behind(kept: Attachments) -> None:
    name = kept.keep(12, JPEG, ".jpg")
    assert [path.name for path in kept.folder.rglob("*") if path.is_file()] == [name]


@pytest.mark.parametrize("suffix", ["", ".exe", "jpg", ".html", "/../x.jpg", ".JPG"])
def test_only_kinds_that_we_know_are_kept(kept: Attachments, suffix: str) -> None:
    with pytest.raises(ValueError, match="no such kind"):
        kept.keep(12, JPEG, suffix)
    assert not kept.folder.exists()


SUM = "a" * 40
STRANGE = ["", ".", "..", "/etc/passwd", "../yordam.db", "12-x.jpg", f"0-{SUM}.jpg", f"12-{SUM}.exe", f"12-{SUM}.jpg"]


@pytest.mark.parametrize("name", STRANGE)
def test_a_name_that_was_never_given_leads_nowhere(kept: Attachments, name: str) -> None:
    kept.keep(12, JPEG, ".jpg")
    assert kept.path(name) is None


@pytest.mark.parametrize("wrap", ["{}\n", "./{}", "{}\0", "0{}", "x/../{}", "{}.jpg", "١{}"])
def test_a_name_with_anything_round_it_leads_nowhere(kept: Attachments, wrap: str) -> None:
    assert kept.path(wrap.format(kept.keep(12, JPEG, ".jpg"))) is None


@given(st.text())
def test_no_text_at_all_is_a_path(name: str) -> None:
    assert Attachments(Path("/nonexistent")).path(name) is None


def test_a_link_in_the_folder_is_not_followed(kept: Attachments, tmp_path: Path) -> None:
    name = kept.keep(12, JPEG, ".jpg")
    place = kept.path(name)
    assert place is not None
    place.unlink()
    place.symlink_to(tmp_path / "elsewhere.jpg")
    (tmp_path / "elsewhere.jpg").write_bytes(JPEG)
    assert kept.path(name) is None


def test_forgetting_frees_the_bytes_and_may_be_done_twice(kept: Attachments) -> None:
    names = [kept.keep(12, JPEG, ".jpg"), kept.keep(12, INI, ".txt")]
    assert [kept.forget(names), kept.forget(names), kept.size_of(names)] == [len(JPEG) + len(INI), 0, 0]


def test_tickets_do_not_answer_for_each_other(kept: Attachments) -> None:
    first, other = kept.keep(1, JPEG, ".jpg"), kept.keep(1 + 256, JPEG, ".jpg")  # one folder
    assert [kept.of_ticket(1), kept.of_ticket(257), kept.of_ticket(25)] == [(first,), (other,), ()]


@pytest.fixture
def orphans(kept: Attachments) -> dict[str, str]:
    names = {what: kept.keep(number, JPEG, ".jpg") for number, what in enumerate(("mentioned", "orphan", "young"), 1)}
    shard = kept.folder / "01"
    half = shard / ".half-left-by-a-crash"
    half.write_bytes(b"half")
    old = time.time() - ORPHAN_AFTER_S - 60
    for path in kept.folder.glob("??/*"):
        if path.name != names["young"]:
            os.utime(path, (old, old))
    (shard / ".half-in-hand").write_bytes(b"ha")
    os.utime(half, (time.time() - HALF_AFTER_S - 1,) * 2)
    return names | {"half": half.name}


def test_what_no_event_mentions_is_swept_and_the_young_may_wait(kept: Attachments, orphans: dict[str, str]) -> None:
    swept = kept.sweep({orphans["mentioned"]})
    left = {path.name for path in kept.folder.glob("??/*")}
    assert set(swept) == {orphans["orphan"], orphans["half"]}
    assert left == {orphans["mentioned"], orphans["young"], ".half-in-hand"}


def test_sweeping_a_folder_that_is_not_there_is_no_trouble(kept: Attachments) -> None:
    assert kept.sweep(()) == ()


# --- what may be kept at all ---


def test_a_settings_file_is_kept_as_text_without_its_password() -> None:
    found = keepable(INI, (A_READING,), None)
    wanted = b"[Account1]\r\nserver=call.soundz.uz\r\npassword=[REDACTED]\r\n"
    assert found == Keepable(wanted, ".txt")


def test_a_file_in_which_nothing_was_understood_is_not_kept() -> None:
    assert keepable(INI, (), None) is None


def test_of_a_long_log_the_end_is_kept_from_a_whole_line_on() -> None:
    secret = "parol:\nSir12345maxfiy\n"
    found = keepable((("x" * 99 + "\n") * (TEXT_MAX // 100) + secret + "oxiri\n").encode(), (A_READING,), None)
    assert found is not None
    assert (found.content[:4], found.content[-6:]) == (b"xxxx", b"oxiri\n")
    assert b"Sir12345" not in found.content


def test_a_cut_between_a_name_and_its_secret_lets_none_through() -> None:
    ends = "x\n" * ((TEXT_MAX - 16) // 2)
    found = keepable(("parol:\nSir12345maxfiy\n" + ends).encode(), (A_READING,), None)
    assert found is not None
    assert b"12345maxfiy" not in found.content


def test_a_picture_with_the_password_covered_is_kept_as_it_was_sent_back() -> None:
    assert keepable(JPEG, (account(password=[1, 2, 3, 4]),), b"drawn") == Keepable(b"drawn", ".jpg")


@pytest.mark.parametrize(
    ("readings", "drawn"),
    [
        ((), b"drawn"),
        ((account(password=[1, 2, 3, 4]),), None),
        ((account(server=[1, 2, 3, 4]),), b"drawn"),
        ((account(password=[1, 2, 3, 4]), account(password=[5, 6, 7, 8])), b"drawn"),
        ((Reading(Kind.PING, "ping", "ok", {}),), None),
    ],
    ids=["nothing understood", "not drawn", "no password's place", "two dialogs", "a terminal"],
)
def test_a_picture_that_may_show_a_secret_is_not_kept(readings: tuple[Reading, ...], drawn: bytes | None) -> None:
    assert keepable(JPEG, readings, drawn) is None


# --- the whole way ---

EXIF_MARK = b"taken by Zulayho at home"
CASES = Path(__file__).parent / "data"


def with_exif(picture: bytes) -> bytes:
    """The same as a JPEG with a word in its EXIF."""
    image_module = pytest.importorskip("PIL.Image")
    exif, out = image_module.Exif(), io.BytesIO()
    exif[0x010E] = EXIF_MARK.decode()  # ImageDescription
    image_module.open(io.BytesIO(picture)).convert("RGB").save(out, "JPEG", quality=95, exif=exif)
    return out.getvalue()


def kept_files(bot: RunningBot, count: int) -> list[Path]:
    """The files kept so far, in the order they came, when there are so many."""

    def found() -> list[Path] | None:
        files = [path for path in (bot.folder / "data" / "attachments").glob("??/*") if path.is_file()]
        return sorted(files, key=lambda path: path.stat().st_mtime_ns) if len(files) >= count else None

    return list(bot.api.wait_for(lambda: found() or [], 60))


def evidence_of(bot: RunningBot) -> list[tuple[str, str | None]]:
    ticket = json.loads(bot.yordam("ticket", "1", "--json"))
    return [(e["media"], e.get("attachment")) for e in ticket["events"] if e["kind"] == "evidence"]


@pytest.mark.skipif(not screen_worker.available(), reason="the extra 'ocr' is not installed")
def test_what_staff_may_look_at_holds_no_secret_and_the_rest_is_not_kept(tmp_path: Path) -> None:
    ini = (CASES / "microsip_ini" / "stun_ice_on.ini").read_bytes().decode("utf-16")
    ini, found = re.subn(r"(?m)^password=.*$", "password=Sir12345maxfiy\\r", ini)
    assert found == 1
    dialog, unclear = with_exif((CASES / "screens" / "m063.png").read_bytes()), with_exif(blank())
    with RunningBot(tmp_path, {"PBX_HOST": "127.0.0.1", "PBX_SIP_PORT": "9", "PBX_ON_THIS_HOST": "no"}) as bot:
        bot.says("/operator")
        bot.wait_for("Murojaat raqamingiz")
        bot.api.send_document(PERSON, ini.encode("utf-16"), "../../etc/Zulayho.ini")
        (text,) = kept_files(bot, 1)
        bot.api.send_document(PERSON, dialog, "rasm.jpg", "image/jpeg")
        text, picture = kept_files(bot, 2)
        bot.api.send_document(PERSON, unclear, "x.jpg", "image/jpeg")
        bot.api.wait_for(lambda: len(evidence_of(bot)) == 3, 60)
        bot.api.send_text(STAFF, "/ticket 1", chat=STAFF_CHAT)
        told = bot.wait_for("rasm (saqlanmadi", STAFF_CHAT)
        bot.stop()
    assert evidence_of(bot) == [("document", text.name), ("photo", picture.name), ("photo", None)]
    assert ("fayl (matni parolsiz saqlandi)" in told.text, "paroli yopilgan" in told.text) == (True, True)
    assert b"password=[REDACTED]" in text.read_bytes()
    assert picture.read_bytes().startswith(b"\xff\xd8\xff")
    held = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert [mark for mark in (b"Sir12345", EXIF_MARK, b"etc/Zulayho") if mark in held] == []
    assert covered(picture.read_bytes()) > 2000


def blank() -> bytes:
    """A picture in which there is nothing to understand."""
    out = io.BytesIO()
    pytest.importorskip("PIL.Image").new("RGB", (640, 400), "#778899").save(out, "PNG")
    return out.getvalue()


def covered(picture: bytes) -> int:
    """How many pixels have the colour that covers a password."""
    flat = pytest.importorskip("PIL.Image").open(io.BytesIO(picture)).convert("RGB").tobytes()
    pixels = zip(flat[0::3], flat[1::3], flat[2::3], strict=True)
    return sum(abs(red - 58) < 6 and abs(green - 58) < 6 and abs(blue - 60) < 6 for red, green, blue in pixels)
