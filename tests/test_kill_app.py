"""The real bot is killed again and again while people ask for help: nobody is forgotten, nothing is told twice over."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.running import STAFF_CHAT, RunningBot
from tests.servers.healthy import healthy_pbx, needs_kamailio

PEOPLE, KILLS = 8, 4


@needs_kamailio
@pytest.mark.timeout(400)
def test_killed_while_checking_everybody_still_gets_their_question_and_one_ticket(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    dice = random.Random(seed)
    with healthy_pbx() as plan, RunningBot(tmp_path, plan) as bot:
        for person in range(1, PEOPLE + 1):
            bot.api.user(person, f"Odam {person}")
            bot.api.send_text(person, "/diagnose")
        for _ in range(KILLS):
            time.sleep(dice.uniform(0.05, 1.5))
            bot.stop(signal.SIGKILL)
            bot.start()
        told = {person: bot.wait_for("pastki chap burchagida", person, timeout=120) for person in range(1, PEOPLE + 1)}
        bot.api.wait_for(lambda: len(bot.api.answers(STAFF_CHAT)) >= PEOPLE, 120)
        assert bot.stop() == 0
        questions = Counter(
            person for person in told for message in bot.api.answers(person) if "pastki chap burchagida" in message.text
        )
        assert max(questions.values()) <= 1 + KILLS  # only what was in the air at a kill may be said again
    with closing(sqlite3.connect(tmp_path / "data" / "yordam.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT user_id, count(*) FROM tickets GROUP BY 1").fetchall() == [
            (person, 1) for person in range(1, PEOPLE + 1)
        ]
