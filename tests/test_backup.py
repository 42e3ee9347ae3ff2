"""A copy made under load, put back elsewhere: the bot goes on there, and nobody is answered twice."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from bot.attachments import Attachments
from bot.backup import COPIED_AT, back_up, back_up_files
from bot.mailbox import Letter, Mailbox
from bot.mailbox import migrations as mailbox_migrations
from bot.relayed import Fate, Relayed, Row
from bot.schema import migrations
from bot.store import Store
from bot.tickets import Tickets
from tests.running import PERSON, ROOT, STAFF_CHAT, RunningBot
from tests.servers.healthy import healthy_pbx, needs_kamailio

HOST = "call.soundz.uz"
CHATTY = range(2000, 2012)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "data" / "yordam.db", (migrations, mailbox_migrations))
    yield opened
    opened.close()


def rows(file: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as db:
        return db.execute(sql).fetchall()


async def test_what_was_in_hand_is_done_in_the_copy_and_stays_open_in_the_original(
    store: Store, tmp_path: Path
) -> None:
    mailbox = Mailbox(store)
    await mailbox.receive([Letter(5, 7, '{"text": "salom"}', 10.0), Letter(6, 7, "{}", 11.0)])
    mailbox.finish(6)
    await Relayed(store).keep(Row(7, 70, 1, Fate.WAITING, said='{"text": "salom"}'))
    await mailbox.flush()
    back_up(store.path, tmp_path / "copy.db")
    copied = rows(tmp_path / "copy.db", "SELECT update_id, body, done_at > 0 FROM inbox ORDER BY update_id")
    assert copied == [(5, None, 1), (6, None, 1)]
    assert rows(tmp_path / "copy.db", "SELECT said, fate FROM relayed") == [(None, "sent")]
    assert b"salom" not in (tmp_path / "copy.db").read_bytes()
    assert [letter.update_id for letter in await mailbox.open_letters()] == [5]
    assert [row.said for row in await Relayed(store).unfinished()] == ['{"text": "salom"}']


def test_a_copy_is_for_its_owners_eyes_and_is_never_written_over(store: Store, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    size = back_up(store.path, copy)
    assert (size, stat.S_IMODE(copy.stat().st_mode)) == (copy.stat().st_size, 0o600)
    before = copy.read_bytes()
    with pytest.raises(FileExistsError):
        back_up(store.path, copy)
    assert copy.read_bytes() == before


def test_no_half_copy_is_left_where_there_is_nothing_to_copy(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.Error):
        back_up(tmp_path / "none.db", tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


def test_files_are_copied_to_a_new_folder_for_its_owners_eyes(tmp_path: Path) -> None:
    kept = Attachments(tmp_path / "attachments")
    names = (kept.keep(1, b"one", ".jpg"), kept.keep(300, b"two", ".txt"))
    assert back_up_files(kept, tmp_path / "copies") == 2
    copies = Attachments(tmp_path / "copies")
    places = [copies.path(name) for name in names]
    assert [place.read_bytes() for place in places if place] == [b"one", b"two"]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in [tmp_path / "copies", *(tmp_path / "copies").rglob("*")]}
    assert modes == {0o700, 0o600}
    with pytest.raises(FileExistsError):
        back_up_files(kept, tmp_path / "copies")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_backup_that_is_stopped_leaves_nothing_that_looks_like_one(tmp_path: Path, how: signal.Signals) -> None:
    database = tmp_path / "data" / "yordam.db"
    Store(database, (migrations, mailbox_migrations)).close()
    with closing(sqlite3.connect(database)) as large:  # so that there is time to stop it
        large.execute("CREATE TABLE weight AS SELECT randomblob(1000000) FROM (SELECT 1 FROM sqlite_master LIMIT 60)")
        large.commit()
    environment = {"DATA_DIR": str(database.parent), "PYTHONPATH": str(ROOT), "PATH": ""}
    command = [sys.executable, "-m", "bot", "backup", "copy.db"]
    heeded = partial(signal.signal, how, signal.SIG_DFL)  # also where the tests run in the background of a shell
    with subprocess.Popen(
        command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True, preexec_fn=heeded
    ) as one:
        while not (tmp_path / "copy.db.half").exists() and one.poll() is None:
            continue
        one.send_signal(how)
        said = one.stderr.read() if one.stderr else ""
    left = sorted(path.name for path in tmp_path.iterdir())
    assert (one.returncode, "Traceback" in said, left) == (1, False, ["data"])


@contextmanager
def chatter(bot: RunningBot) -> Iterator[dict[int, int]]:
    """People who say something without a pause; how often each did. Each saying has one answer."""
    said = dict.fromkeys(CHATTY, 0)
    enough = threading.Event()

    def talk() -> None:
        for person in itertools.cycle(CHATTY):
            if enough.wait(0.08):  # about one a second each: the pace Telegram allows
                return
            bot.api.send_text(person, f"salom {said[person]}")
            said[person] += 1

    talking = threading.Thread(target=talk)
    talking.start()
    try:
        yield said
    finally:
        enough.set()
        talking.join()


def in_hand(copy: Path) -> int:
    """How many updates were in hand when the copy was made."""
    sql = f"SELECT count(*) FROM inbox JOIN pulse ON done_at = value WHERE name = '{COPIED_AT}'"  # noqa: S608 - ours
    return int(str(rows(copy, sql)[0][0]))


def copy_under_load(bot: RunningBot) -> tuple[Path, dict[int, int]]:
    """A copy that was made while something was in hand, and what was said until everything was answered."""
    with chatter(bot) as said:
        for attempt in range(20):
            copy = bot.folder / f"copy{attempt}.db"
            bot.yordam("backup", str(copy))
            if in_hand(copy):
                break
    bot.api.wait_for(lambda: all(len(answers(bot, person)) == said[person] for person in CHATTY), 60)
    return copy, said


def answers(bot: RunningBot, person: int) -> list[str]:
    return [message.text for message in bot.api.answers(person)]


@needs_kamailio
def test_a_copy_put_back_goes_on_with_every_case_and_answers_nobody_twice(tmp_path: Path) -> None:
    with healthy_pbx() as plan:
        (tmp_path / "old").mkdir()
        with RunningBot(tmp_path / "old", plan) as bot:
            bot.says("/diagnose")
            question = bot.wait_for("pastki chap burchagida")
            bot.api.latency_s = 0.1
            for person in CHATTY:
                bot.api.user(person, f"Odam{person}")
            copy, said = copy_under_load(bot)
            assert in_hand(copy) > 0
            bot.stop()
            bot.folder = tmp_path / "new"
            (bot.folder / "data").mkdir(parents=True)
            copy.rename(bot.folder / "data" / "yordam.db")
            bot.start()
            bot.wait_for("nusxadan tiklandi", STAFF_CHAT)
            for person in CHATTY:
                bot.api.send_text(person, "salom yana")
            bot.presses(question, "st:no_server")
            bot.wait_for("nslookup call.soundz.uz")
            bot.api.wait_for(lambda: all(len(answers(bot, person)) > said[person] for person in CHATTY), 30)
            assert {person: len(answers(bot, person)) - 1 for person in CHATTY} == said
            assert [text for text in answers(bot, PERSON) if "pastki chap burchagida" in text] == [question.text]
            bot.stop()
            bot.start()  # from now on it is the database, no copy
            bot.api.send_text(CHATTY[0], "salom va nihoyat")
            bot.api.wait_for(lambda: len(answers(bot, CHATTY[0])) == said[CHATTY[0]] + 2, 30)
            told = [m.text for m in bot.api.answers(STAFF_CHAT) if "nusxadan tiklandi" in m.text]
            assert (len(told), "Traceback" in bot.log) == (1, False)


def documented(heading: str, folder: Path) -> str:
    """The commands of docs/deploy.md under these words, for a state folder and a user of ours."""
    text = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    block = text.split(heading, 1)[1].split("```bash\n", 1)[1].split("```", 1)[0]
    ours = {
        "/var/lib/yordam": str(folder),
        "-o yordam -g yordam": "",
        "yordam:yordam": f"{os.getuid()}:{os.getgid()}",
        "runuser -u yordam -- /opt/yordam/.venv/bin/yordam": f"{sys.executable} -m bot",
        "$(date +%F)": "2026-11-22",
    }
    for theirs, mine in ours.items():
        assert theirs in text
        block = block.replace(theirs, mine)
    return block


def test_the_documented_commands_bring_everything_to_a_new_machine(tmp_path: Path) -> None:
    old, new, programs = tmp_path / "old", tmp_path / "new", tmp_path / "programs"
    store = Store(old / "data" / "yordam.db", (migrations, mailbox_migrations))
    ticket = asyncio.run(Tickets(store).open(user_id=7, chat_id=7, name="Aziza", language="uz", source="update:1"))
    store.close()
    name = Attachments.beside(store.path).keep(ticket.number, b"one", ".jpg")
    programs.mkdir()
    (programs / "systemctl").write_text('#!/bin/sh\necho "$@" >> "$ORDERS"\n')
    (programs / "systemctl").chmod(0o755)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "ORDERS": str(tmp_path / "orders")
    }  # fmt: skip

    def do(commands: str) -> None:
        subprocess.run(["bash", "-euc", commands], env=environment, check=True, capture_output=True)

    do(documented("## Backup and restore", old))
    (new / "data").mkdir(parents=True)
    for copy in (old / "data").glob("backup-*"):
        copy.rename(new / "data" / copy.name)
    for left in ("web.db", "yordam.db-wal"):
        (new / "data" / left).write_bytes(b"of another bot")
    do(documented("To restore", new))
    back = new / "data" / "yordam.db"
    assert rows(back, "SELECT number, user_id FROM tickets") == [(1, 7)]
    place = Attachments.beside(back).path(name)
    assert place is not None
    assert (place.read_bytes(), stat.S_IMODE(back.stat().st_mode)) == (b"one", 0o600)
    assert not (new / "data" / "web.db").exists()
    orders = (tmp_path / "orders").read_text().splitlines()
    assert orders == [f"{verb} {unit}" for verb in ("stop", "start") for unit in ("yordam", "yordam-web")]


def test_the_command_copies_files_too_when_asked_and_overwrites_nothing(tmp_path: Path) -> None:
    database = tmp_path / "data" / "yordam.db"
    Store(database, (migrations, mailbox_migrations)).close()
    name = Attachments.beside(database).keep(1, b"one", ".jpg")

    def run(*words: str) -> tuple[int, str]:
        environment = {"DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(ROOT), "PATH": ""}
        command = [sys.executable, "-m", "bot", *words]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    status, said = run("backup", "copy.db", "--with-attachments", "files")
    assert (status, said.splitlines()[1]) == (0, "files: 1 files")
    assert Attachments(tmp_path / "files").path(name) is not None
    status, said = run("backup", "copy2.db", "--with-attachments", "files")
    assert (status, "files exists already" in said, (tmp_path / "copy2.db").exists()) == (2, True, False)
    status, said = run("backup", "copy.db")
    assert (status, "copy.db exists already" in said) == (2, True)
    assert json.loads(run("tickets", "--json")[1]) == []
