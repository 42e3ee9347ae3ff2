"""The database's file: its owner's alone, and one process's at a time."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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
