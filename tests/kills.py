"""A bot is killed again and again while people write: what was lost, repeated, out of order, or damaged?"""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.fake_api import FakeApi

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Toll:
    """What a schedule of kills cost."""

    updates: int
    kills: int
    lost: int
    repeated: int
    out_of_order: int
    unstored: int  # confirmed to Telegram without a row
    damaged: int  # PRAGMA integrity_check was not ok


def start(api: FakeApi, database: Path, *options: str) -> subprocess.Popen[bytes]:
    """An echo bot as a process of its own."""
    command = [sys.executable, "-m", "tests.echo_bot", api.base_url, str(database), *options]
    return subprocess.Popen(command, cwd=ROOT)


def kill_again_and_again(seed: int, folder: Path, kills: int, updates: int, people: int = 20, workers: int = 1) -> Toll:
    """Kills after a random number of answers and a random moment more; then lets the bot finish."""
    dice = random.Random(seed)
    database = folder / "bot.db"
    sent: dict[str, int] = {}
    missing = damaged = 0
    with FakeApi() as api:
        api.latency_s = 0.01
        for cycle in range(kills):
            for _ in range((updates - len(sent)) // (kills - cycle)):
                person, text = dice.randint(1, people), f"n{len(sent)}"
                sent[text] = person
                api.send_text(person, text)
            bot = start(api, database, "--no-limits", "--workers", str(workers))
            _until_answers(api, dice.choice((0, 1, dice.randint(2, 30))), bot)
            time.sleep(dice.uniform(0, 0.03))
            bot.send_signal(signal.SIGKILL)
            bot.wait()
            missing += unstored(api, database)
            damaged += not sound(database)
        bot = start(api, database, "--no-limits", "--workers", str(workers))
        api.wait_for(lambda: len(set(_answered(api))) >= len(sent), 60)
        bot.send_signal(signal.SIGTERM)
        bot.wait(30)
        answered = _answered(api)
        return Toll(
            len(sent),
            kills,
            len(sent) - len(set(answered)),
            len(answered) - len(set(answered)),
            _out_of_order(answered, sent),
            missing + unstored(api, database),
            damaged + (not sound(database)),
        )


def _answered(api: FakeApi) -> list[str]:
    return [call.params["text"].removeprefix("echo: ") for call in api.calls("sendMessage") if call.ok]


def _until_answers(api: FakeApi, more: int, bot: subprocess.Popen[bytes]) -> None:
    """So many more answers, or nothing left to answer, or so long that a slow machine is no excuse."""
    before, deadline = len(_answered(api)), time.monotonic() + 3
    while time.monotonic() < deadline and len(_answered(api)) - before < more and bot.poll() is None:
        time.sleep(0.005)


def _out_of_order(answered: list[str], sent: dict[str, int]) -> int:
    """Answers whose first copy came before the answer to an earlier message of the same person."""
    lines: dict[int, list[int]] = defaultdict(list)
    for text in Counter(answered):  # each once, in the order of the first copy
        lines[sent[text]].append(int(text[1:]))
    return sum(earlier > later for line in lines.values() for earlier, later in pairwise(line))


def unstored(api: FakeApi, database: Path) -> int:
    """Updates confirmed to Telegram that are not in the table."""
    if not api.chats.confirmed:
        return 0
    with closing(sqlite3.connect(database)) as db:
        return len(set(api.chats.confirmed) - {row[0] for row in db.execute("SELECT update_id FROM inbox")})


def sound(database: Path) -> bool:
    """PRAGMA integrity_check."""
    if not database.exists():
        return True
    with closing(sqlite3.connect(database)) as db:
        return bool(db.execute("PRAGMA integrity_check").fetchone()[0] == "ok")
