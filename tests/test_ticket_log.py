"""The made-up log that speed is measured on is what the bot itself would have written."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from sqlite_utils import Database

from benchmarks import tickets
from benchmarks.ticket_log import COLUMNS, RARE, RARELY, build
from bot.model import EventKind, Status
from bot.schema import migrations
from bot.store import Store, read_only
from bot.ticket_rows import Wanted, find_tickets
from bot.ticket_summary import follow

COUNT = 400


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "yordam.db"
    build(path, COUNT)
    return path


def test_the_rows_say_what_the_events_say(made: Path, tmp_path: Path) -> None:
    Store(tmp_path / "again.db", (migrations,)).close()
    again = Database(sqlite3.connect(tmp_path / "again.db", isolation_level=None))
    durations = {"answered_s", "staff_s", "solved_s"}
    with read_only(made) as db, again.atomic():
        assert db is not None
        for row in db.query("SELECT number, user_id, opened_at, extension, source FROM tickets"):
            again.execute(
                "INSERT INTO tickets (number, user_id, chat_id, status, language, opened_at, updated_at, extension,"
                " source) VALUES (:number, :user_id, :user_id, 'open', 'uz', :opened_at, :opened_at, :extension,"
                " :source)",
                dict(row),
            )
        for event in db.query("SELECT * FROM events ORDER BY id"):
            follow(again, event["ticket"], EventKind(event["kind"]), json.loads(event["body"]), event["at"])
        wanted = list(db.query("SELECT * FROM tickets ORDER BY number"))
        found = list(again.query("SELECT * FROM tickets ORDER BY number"))
        exact = [column for column in COLUMNS if column not in durations]
        assert [[row[c] for c in exact] for row in found] == [[row[c] for c in exact] for row in wanted]
        for column in durations:
            assert [row[column] for row in found] == pytest.approx([row[column] for row in wanted], abs=0.002)
        scores = (
            "SELECT step, owner, why, given, confirmed, contradicted, needed_a_person FROM cause_stats ORDER BY 1, 3"
        )
        assert list(again.query(scores)) == list(db.query(scores))
    again.close()


def test_all_that_staff_meet_is_in_it(made: Path) -> None:
    with read_only(made) as db:
        assert db is not None
        assert {status for status in Status if find_tickets(db, Wanted(status=status), 1)} == set(Status)
        assert len(find_tickets(db, Wanted(search="ў"), COUNT)) > 0
        assert len(find_tickets(db, Wanted(search=RARE), COUNT)) == RARELY


def test_each_question_is_measured() -> None:
    measured = [what.split(" (")[0] for what, _ in tickets.rows(100, 200, rounds=20)]
    assert measured[2:] == [*tickets.QUERIES, *tickets.KINDS]
