"""The practice run: both sides of one case in a terminal, with the bot's real handlers between them."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.running import ROOT

TRAINEE, PERSON, PERSONS_SCREEN, GROUP = "Siz (operator)", "Aziza", "Mijozning ekrani", "Operatorlar guruhi"
COMMAND = [sys.executable, "-m", "bot", "demo", "--staff"]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "DATA_DIR": str(folder), "TERM": "dumb"}


def practised(folder: Path, stdin: str) -> tuple[int, list[tuple[str, str]], str]:
    """Exit status; what was said, as (who or where, words); everything printed."""
    done = subprocess.run(
        COMMAND,
        env=environment(folder),
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    heads = {TRAINEE, PERSON, PERSONS_SCREEN, GROUP, f"{GROUP} (yangilandi)", f"{PERSONS_SCREEN} (yangilandi)"}
    blocks = [block.partition("\n") for block in done.stdout.split("\n\n")]
    return done.returncode, [(head, words) for head, _, words in blocks if head in heads], done.stdout + done.stderr


def test_with_nothing_said_a_whole_story_is_played_on_both_sides(tmp_path: Path) -> None:
    status, said, printed = practised(tmp_path, "")
    assert status == 0, printed
    mine = [words for who, words in said if who == TRAINEE]
    assert mine == [
        "🙋 Men olaman",
        "Assalomu alaykum, Aziza. Murojaatingizni oldim, hozir birga koʻramiz.",
        "// Provayderi eski manzilni beryapti, bugun ikkinchi holat",
        "❓ Soʻrash ▸",
        "ping",
        "Ulanishingizni oʻng tugma bilan bosing, keyin Свойства ni tanlang. DNS oʻrniga 8.8.8.8 deb yozing.",
        "/ticket 1",
        "✔️ Yopish ▸",
        "✅ Hal boʻldi",
    ]
    theirs = "\n".join(words for who, words in said if who == PERSONS_SCREEN)
    assert "Operator: Assalomu alaykum, Aziza." in theirs
    assert "hal boʻldi va yopildi" in theirs
    assert "ikkinchi holat" not in theirs  # a note is for the staff alone
    card = next(words for who, words in said if who == GROUP)  # the case as the trainee meets it, with its cause
    told = [line for line in card.splitlines() if line.startswith(("№", "DNS", "Xulosa", "Asos"))]
    assert [re.sub(r"\d+/UDP", "5060/UDP", line) for line in told] == [  # another port where that one is taken
        "№1 · Aziza · ichki raqam: –",
        "DNS ❌ → ping ✅ → 5060/UDP ? → MicroSIP ? → Register ❌",
        "Xulosa: notoʻgʻri IP-manzil (aniq)",
        "Asos: nslookup boshqa manzil koʻrsatdi: 203.0.113.77; server nomi internetda toʻgʻri: 203.0.113.10",
    ]
    assert [words for who, words in said if who == PERSON][-2:] == ["Ulandi! Katta rahmat", "⭐⭐⭐⭐⭐"]
    assert printed.rstrip().endswith("Mashq tugadi.")
    assert list(tmp_path.iterdir()) == []  # nothing of a practice run is kept


def test_what_a_pipe_says_is_done_and_the_hint_follows_it(tmp_path: Path) -> None:
    status, said, printed = practised(
        tmp_path, "1\n---\nSalom, <b>hozir</b> qarayman\n---\n77\n---\n/close 1 hal boʻldi\n"
    )
    assert status == 0, printed
    assert [words for who, words in said if who == TRAINEE] == [
        "🙋 Men olaman",
        "Salom, <b>hozir</b> qarayman",
        "/close 1 hal boʻldi",
    ]
    assert (PERSONS_SCREEN, "Operator: Salom, <b>hozir</b> qarayman") in said
    hints = [line for line in printed.splitlines() if line.startswith(("➡️", "Bunday"))]
    assert [hint.split()[1] for hint in hints] == ["Murojaatni", "Endi", "Hamkasblarga", "raqamli", "Murojaat"]


def test_asked_for_a_picture_the_person_answers_as_people_do(tmp_path: Path) -> None:
    status, said, printed = practised(tmp_path, "/ask 1 microsip_screen\n")
    assert (status, said[-1][0], "Traceback" in printed) == (0, GROUP, False)
    assert [words for who, words in said if who == PERSON][-1] == "Rasmga olishni bilmayman, yozib bersam boʻladimi?"


def test_no_odd_line_ends_the_practice(tmp_path: Path) -> None:
    odd = ("//", "/ticket", "/nosuch", "0", "#nonsense", "@/etc/passwd", "²", "-1", "<b>", "[red]x[/]")
    status, _, printed = practised(tmp_path, "\n---\n".join(odd))
    assert (status, "Traceback" in printed, printed.rstrip().endswith("Mashq tugadi.")) == (0, False, True)


@pytest.mark.parametrize(("key", "last"), [(b"\x04", "Mashq tugadi."), (b"\x03", "^C")], ids=["Ctrl+D", "Ctrl+C"])
def test_on_a_terminal_it_waits_for_the_trainee_and_ends_when_told(tmp_path: Path, key: bytes, last: str) -> None:
    ours, theirs = pty.openpty()
    shown = b""

    def until(words: str) -> None:
        nonlocal shown
        deadline = time.monotonic() + 60
        while words.encode() not in shown:
            assert select.select([ours], [], [], max(0.0, deadline - time.monotonic()))[0], shown.decode()
            shown += os.read(ours, 65536)

    def at_the_keyboard() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that the keys below end it
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # also where the tests run in the background of a shell

    process = subprocess.Popen(
        COMMAND,
        env=environment(tmp_path),
        cwd=tmp_path,
        stdin=theirs,
        stdout=theirs,
        start_new_session=True,
        preexec_fn=at_the_keyboard,
    )
    os.close(theirs)
    try:
        until("“Men olaman” tugmasining raqamini yozing")
        os.write(ours, b"1\n")
        until("Murojaat sizda.")
        os.write(ours, key)
        until(last)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
