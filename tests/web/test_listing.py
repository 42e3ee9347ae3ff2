"""The list costs what it shows, not what the log holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.mailbox import migrations as mailbox
from bot.schema import migrations
from bot.store import Store, read_only

pytest.importorskip("datasette", reason="the extra 'web' is not installed")

from bot.web.incidents import standing_now  # after it is known that the extra is there
from bot.web.listing import PAGE, Chosen, listing

STEPS = ("fix_dns", "start_pbx", "fix_password", "try_other_network")
STATUSES = ("solved", "closed", "solved", "escalated", "open")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("said", ["9999-12-31", "0001-01-01", "2026-13-01", "bugun"])
def test_a_day_that_nobody_can_have_meant_narrows_nothing(said: str) -> None:
    assert Chosen.read({"day": said}) == Chosen()


def fill(path: Path, count: int) -> None:
    """So many tickets, one a minute."""
    Store(path, (migrations, mailbox)).close()
    db = sqlite3.connect(path)
    with db:
        db.executemany(
            "INSERT INTO tickets (number, user_id, chat_id, status, language, extension, opened_at, updated_at, step,"
            " cause, owner, certainty, source) VALUES (?, 1, 1, ?, 'uz', ?, ?, ?, ?, ?, 'user', 'likely', ?)",
            [
                (
                    n,
                    STATUSES[n % 5],
                    str(1000 + n % 500),
                    at := (BEGIN + timedelta(minutes=n)).isoformat(timespec="milliseconds"),
                    at,
                    STEPS[n % 4],
                    STEPS[n % 4],
                    f"made:{n}",
                )
                for n in range(1, count + 1)
            ],
        )
    db.close()


@contextmanager
def counted(path: Path) -> Iterator[tuple[Database, list[int]]]:
    """The log, and a tally of SQLite's steps in hundreds."""
    steps = [0]

    def tick() -> int:
        steps[0] += 1
        return 0

    with read_only(path) as db:
        assert db is not None
        db.conn.set_progress_handler(tick, 100)
        yield db, steps


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("logs")
    small, large = folder / "small.db", folder / "large.db"
    fill(small, 25_000)  # each of the lists below has more than the facets look at
    fill(large, 100_000)
    return small, large


@pytest.mark.parametrize(
    "chosen",
    [
        Chosen(),
        Chosen(status="escalated"),
        Chosen(step="fix_dns"),
        Chosen(owner="user"),
        Chosen(below=2_000),
        Chosen(day=date(2026, 1, 2)),
        Chosen(status="open", step="fix_dns"),
    ],
)
def test_a_page_costs_the_same_in_a_log_four_times_as_long(logs: tuple[Path, Path], chosen: Chosen) -> None:
    costs = []
    for path in logs:
        with counted(path) as (db, steps):
            found = listing(db, chosen)
            costs.append(steps[0])
        assert len(found.lines) == PAGE
    assert costs[1] < costs[0] * 1.5


@pytest.mark.parametrize(
    "more", [{"step": "fix_dns"}, {"owner": "user"}, {"status": "solved"}, {"provider": "Uztelecom"}]
)
def test_what_else_is_asked_of_one_number_costs_no_more_than_its_list(
    logs: tuple[Path, Path], more: dict[str, str]
) -> None:
    costs = []
    for chosen in (Chosen(extension="1007"), Chosen.read({"extension": "1007", **more})):
        with counted(logs[1]) as (db, steps):
            listing(db, chosen)
            costs.append(steps[0])
    assert costs[1] <= costs[0] * 1.1


def test_that_something_is_broken_costs_the_list_the_same_however_much_was_broken_before(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    fill(path, 2_000)
    costs = []
    for past in (0, 40):
        at = BEGIN.isoformat(timespec="milliseconds")
        with sqlite3.connect(path) as db:
            db.execute("DELETE FROM incidents")
            incident = "INSERT INTO incidents (number, scope, step, owner, certainty, because, opened_at, closed_at)"
            values = "VALUES (?, 'outage', 'start_pbx', 'server', 'proven', '[]', ?, ?)"
            db.executemany(f"{incident} {values}", [(n, at, at) for n in range(1, past + 1)] + [(past + 1, at, None)])
            linked = [(n, ticket, at) for n in range(1, past + 1) for ticket in range(1, 2_001, 40)]
            db.executemany("INSERT INTO incident_tickets (incident, ticket, linked_at) VALUES (?, ?, ?)", linked)
        db.close()
        with counted(path) as (log, steps):
            found = standing_now(log)
            costs.append(steps[0])
        assert [incident.number for incident in found] == [past + 1]
    assert costs[1] <= costs[0] + 1
