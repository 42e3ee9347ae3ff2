"""`yordam purge`: says what old tickets would lose, and takes it where no bot is at work."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path

import pytest

from bot.attachments import Attachments
from bot.emptying import ranges
from bot.forgetting import Forgetting
from bot.mailbox import migrations as mailbox_migrations
from bot.schema import migrations
from bot.store import Store
from handlers.liveness import Lock
from tests.running import ROOT
from tests.test_forgetting import a_case, aged

TRACE = b"Zulayho Qodirova"


def purge(folder: Path, *words: str) -> tuple[int, str, str]:
    environment = {**os.environ, "DATA_DIR": str(folder), "PYTHONPATH": str(ROOT), "RETENTION_DAYS": "90"}
    command = [sys.executable, "-m", "bot", "purge", *words]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """Four tickets, of which three ended years ago."""
    store = Store(tmp_path / "yordam.db", (migrations, mailbox_migrations))
    log = Forgetting(store, Attachments.beside(store.path))
    for user_id in (7, 8, 9, 10):
        await a_case(log, user_id)
    for number in (1, 2, 4):
        await aged(log, number)
    store.close()
    return tmp_path


def held(folder: Path) -> int:
    """How often the people's name stands in the files."""
    return sum(path.read_bytes().count(TRACE) for path in folder.rglob("*") if path.is_file())


def test_a_dry_run_beside_the_bot_names_what_would_go_and_takes_nothing(folder: Path) -> None:
    before = held(folder)
    with Lock(folder / "yordam.db"):
        status, said, trouble = purge(folder, "--dry-run")
    assert (status, trouble, said.partition(" events")[0]) == (0, "", "would forget 3 tickets (1-2, 4): 27")
    assert (held(folder), ", 3 files, " in said) == (before, True)


def test_where_the_bot_is_at_work_it_says_so_and_takes_nothing(folder: Path) -> None:
    before = held(folder)
    with Lock(folder / "yordam.db"):
        status, said, trouble = purge(folder)
    assert (status, said, held(folder)) == (1, "", before)
    assert (
        trouble == f"process {os.getpid()} already works on yordam.db, and forgets by itself; --dry-run works beside it"
    )


def test_where_no_bot_is_it_takes_what_the_dry_run_named(folder: Path) -> None:
    promised = purge(folder, "--dry-run")[1].removeprefix("would forget ")
    status, said, _ = purge(folder)
    assert (status, said) == (0, f"forgot {promised}")
    assert purge(folder)[1] == "forgot 0 tickets: 0 events, 0 files, 0 bytes; 0 people"
    assert len(list((folder / "attachments").glob("??/*"))) == 1


def test_it_waits_for_whoever_reads_so_that_no_byte_is_left(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "yordam.db")) as reader, ThreadPoolExecutor(1) as aside:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM tickets").fetchone()  # as `yordam backup` does
        purging = aside.submit(purge, folder)
        ended, _ = wait([purging], timeout=3)
        reader.rollback()
        status, said, trouble = purging.result()
        log_bytes = (folder / "yordam.db-wal").stat().st_size
    assert (ended, status, said.startswith("forgot 3 tickets"), trouble, log_bytes) == (set(), 0, True, "", 0)


def test_another_age_can_be_named(folder: Path) -> None:
    assert purge(folder, "--dry-run", "--older-than", "36500")[1].startswith("would forget 0 tickets:")


def test_without_a_database_there_is_nothing_to_forget_and_none_is_made(tmp_path: Path) -> None:
    assert purge(tmp_path) == (0, "would forget 0 tickets: 0 events, 0 files, 0 bytes; 0 people", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("numbers", "told"), [((), ""), ((5,), "5"), ((1, 2, 3, 7), "1-3, 7"), ((1, 3, 4), "1, 3-4")])
def test_numbers_in_a_row_are_told_as_a_range(numbers: tuple[int, ...], told: str) -> None:
    assert ranges(numbers) == told
