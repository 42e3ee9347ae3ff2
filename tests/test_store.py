"""The database's file: its owner's alone, and one process's at a time."""

from __future__ import annotations

import os
import random
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.schema import migrations
from bot.store import Store
from handlers.liveness import Lock
from tests.running import ROOT


@pytest.fixture
def careless() -> Iterator[None]:
    """A process whose files everybody may read and change unless it says otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


async def test_what_people_said_is_its_owners_alone(careless: None, tmp_path: Path) -> None:
    store = Store(tmp_path / "data" / "yordam.db", (migrations,))
    await store.run(lambda db: db.execute("CREATE TABLE words (said TEXT) STRICT"))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    folder = stat.S_IMODE((tmp_path / "data").stat().st_mode)
    store.close()
    assert (folder, modes) == (0o700, {"yordam.db": 0o600, "yordam.db-shm": 0o600, "yordam.db-wal": 0o600})


async def test_no_page_of_a_file_written_anew_keeps_a_row_that_lay_there_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "yordam.db", (migrations,))
    dice = random.Random(13)
    ids = dice.sample(range(10**9, 2 * 10**9), 1000)  # in no order, and growing: pages are split
    gone, here = (tuple(f"Shu odam {number} edi".encode() for number in some) for some in (ids[:500], ids[500:]))

    def live(db: Database) -> None:
        see = (
            "INSERT INTO people (user_id, name, language, seen_at) VALUES (?, ?, 'uz', '2026')"
            " ON CONFLICT (user_id) DO UPDATE SET name = excluded.name"
        )
        for longest in (1, 60):
            db.conn.executemany(see, [(n, f"Shu odam {n} edi" + "x" * dice.randrange(longest)) for n in ids])

    await store.run(live)
    await store.run(lambda db: db.conn.executemany("DELETE FROM people WHERE user_id = ?", [(n,) for n in ids[:500]]))
    await store.checkpoint()
    await store.rewrite()
    await store.checkpoint()
    store.close()
    held = (tmp_path / "yordam.db").read_bytes()
    assert ([name for name in gone if name in held], [name for name in here if name not in held]) == ([], [])


def test_a_second_bot_does_not_even_open_the_database(tmp_path: Path) -> None:
    with Lock(tmp_path / "data" / "yordam.db"):
        own = {"BOT_TOKEN": f"1:{'A' * 35}", "DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "bot", "run"]
        done = subprocess.run(
            command, env={**os.environ, **own}, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        made = [path.name for path in (tmp_path / "data").iterdir()]
    assert (done.returncode, done.stderr.splitlines()[-1], made) == (
        2,
        f"process {os.getpid()} already works on yordam.db",
        ["yordam.db.lock"],
    )
