"""The key to the review page: one for the bot and the page, whichever of them makes it, and nobody else's."""

from __future__ import annotations

import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bot.passes import KEY_BYTES, key_of
from tests.running import ROOT

ROUNDS = 100
# Two processes do not sleep but look at the clock, so that both ask at the same moment.
ASKS = """
import sys, time
from pathlib import Path
from bot.passes import key_of
for line in sys.stdin:
    moment, folder = line.split()
    while time.monotonic() < float(moment):
        pass
    print(key_of(Path(folder)).hex(), flush=True)
"""


@pytest.mark.parametrize("left", [None, b"", b"half a key"], ids=["nothing", "an empty file", "half a key"])
def test_who_ask_at_once_get_the_same_key_whatever_a_power_cut_left(tmp_path: Path, left: bytes | None) -> None:
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    asking = [subprocess.Popen([sys.executable, "-c", ASKS], cwd=ROOT, **pipes) for _ in ("the bot", "the page")]
    got = []
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        if left is not None:
            (folder / "web.key").write_bytes(left)
        moment = time.monotonic() + 0.002
        for one in asking:
            print(moment, folder, file=one.stdin, flush=True)
        got.append({one.stdout.readline().strip() for one in asking if one.stdout is not None})
    for one in asking:
        one.communicate(timeout=20)
    assert [len(keys) for keys in got] == [1] * ROUNDS
    assert {len(bytes.fromhex(key)) for keys in got for key in keys} == {KEY_BYTES}


def test_neither_the_key_nor_its_folder_is_anybody_elses(tmp_path: Path) -> None:
    key_of(tmp_path / "data")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data", tmp_path / "data" / "web.key")]
    assert (modes, sorted(path.name for path in (tmp_path / "data").iterdir())) == ([0o700, 0o600], ["web.key"])
