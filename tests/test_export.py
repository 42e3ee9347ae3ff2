"""`yordam export` and `yordam stats`: the whole log for others, and nobody in it where that is wanted."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from benchmarks.ticket_log import build
from bot.__main__ import cli
from bot.export import ANONYMOUS, COLUMNS, PAGE, PERSONAL, anonymous, rows, write_csv, write_json
from bot.model import Certainty, EventKind, Finding, Kind, Owner, Reading, Step, Tag, Verdict
from bot.numbers import Period
from bot.schema import migrations
from bot.store import Store, read_only
from bot.tickets import Tickets

Yordam = Callable[..., Result]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A log of two cases of Aziza and one of Ali."""

    async def fill() -> None:
        log = Tickets(store)
        for n, (user_id, name) in enumerate([(501, "Aziza"), (501, "Aziza"), (502, "=cmd|' /C calc'!A1")]):
            ticket = await log.open(user_id=user_id, chat_id=user_id, name=name, language="uz", source=f"update:{n}")
            await log.set_extension(ticket.number, str(1002 + user_id - 501))
            address = Finding(Tag.LOG_WRONG_PASSWORD, {"extension": "1002", "source_ip": "213.230.87.14"})
            reading = Reading(Kind.PBX_LOG, None, "auth_failed", {}, (address,))
            await log.append(ticket.number, EventKind.EVIDENCE, {"text": "+998 raqamdanman", "unreadable": False})
            await log.append(ticket.number, EventKind.READ, {"reading": reading.to_log()})
            verdict = Verdict(Step.FIX_PASSWORD, Owner.USER, Certainty.LIKELY)
            await log.append(ticket.number, EventKind.VERDICT, {"verdict": verdict.to_json(), "rule": "403"})
        await log.append(1, EventKind.CLOSED, {"reason": "solved"})

    store = Store(tmp_path / "data" / "yordam.db", (migrations,))
    asyncio.run(fill())
    store.close()
    return tmp_path / "data"


@pytest.fixture
def yordam(data: Path) -> Yordam:
    return lambda *words: CliRunner().invoke(cli, words, env={"DATA_DIR": str(data)})


def exported(data: Path, *, hidden: bool = False) -> list[dict[str, Any]]:
    with read_only(data / "yordam.db") as db:
        assert db is not None
        return list(anonymous(rows(db)) if hidden else rows(db))


def test_a_row_holds_what_the_ticket_came_to(data: Path) -> None:
    first = exported(data)[0]
    times = {name: first.pop(name) for name in ("opened_at", "closed_at", "first_answer_s", "solution_s")}
    assert first == {
        "number": 1, "status": "solved", "cause": "fix_password", "step": "fix_password", "owner": "user",
        "certainty": "likely", "person_needed": False, "escalated_at": None, "first_staff_s": None, "stars": None,
        "language": "uz", "user": 501, "extension": "1002", "network": "213.230.87.0/24", "name": "Aziza",
        "said": "+998 raqamdanman",
    }  # fmt: skip
    assert None not in times.values()


def test_an_anonymous_export_tells_of_nobody(data: Path) -> None:
    found = exported(data, hidden=True)
    hidden = {column: row.pop(column) for row in found for column in PERSONAL}
    rest = [value for row in found for key, value in row.items() if not key.endswith(("_at", "_s"))]  # times stay
    assert {column: name.partition("-")[0] for column, name in hidden.items()} == {name: name for name in PERSONAL}
    assert [name for name in hidden.values() if re.fullmatch(r"[a-z]+-[0-9a-f]{12}", name) is None] == []
    assert set(rest) == {1, 2, 3, "solved", "open", "fix_password", "user", "likely", False, None, "uz"}


def test_a_person_is_the_same_within_an_export_and_another_in_the_next(data: Path) -> None:
    once, again = exported(data, hidden=True), exported(data, hidden=True)
    for column in ("user", "extension"):
        assert once[0][column] == once[1][column] != once[2][column]
        assert once[0][column] != again[0][column]
    assert once[0]["network"] == once[2]["network"] != again[0]["network"]
    kept = set(ANONYMOUS) - {"user", "extension", "network"}
    assert [{c: row[c] for c in kept} for row in once] == [{c: row[c] for c in kept} for row in exported(data)]


def test_no_cell_is_a_formula_and_no_word_is_lost(data: Path) -> None:
    out = io.StringIO()
    written = write_csv(exported(data), out)
    lines = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert (written, tuple(lines[0])) == (3, COLUMNS)
    assert (lines[2]["name"], lines[2]["said"]) == ("'=cmd|' /C calc'!A1", "'+998 raqamdanman")


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_what_a_spreadsheet_would_run_is_disarmed(begin: str) -> None:
    out = io.StringIO(newline="")
    write_csv([{"name": f"{begin}1+1", "number": -1}], out, ("name", "number"))
    assert list(csv.reader(io.StringIO(out.getvalue(), newline="")))[1] == [f"'{begin}1+1", "-1"]


@pytest.mark.parametrize(
    ("said", "cell"),
    [
        ("salom;=1+1", "salom;'=1+1"),
        ('salom; "=1+1"', 'salom;\' "=1+1"'),
        ("salom\n=1+1", "salom\n'=1+1"),
        ("salom\t@a", "salom\t'@a"),
        ("＝1+1", "'＝1+1"),
        ("ip=1.2.3.4; ping - bor", "ip=1.2.3.4; ping - bor"),
    ],
)
def test_nor_where_a_spreadsheet_would_cut_at_another_separator(said: str, cell: str) -> None:
    out = io.StringIO(newline="")
    write_csv([{"said": said}], out, ("said",))
    assert list(csv.reader(io.StringIO(out.getvalue(), newline="")))[1] == [cell]


def test_an_export_without_tickets_is_still_a_table() -> None:
    table, listed = io.StringIO(), io.StringIO()
    assert (write_csv([], table), write_json([], listed)) == (0, 0)
    assert (table.getvalue(), json.loads(listed.getvalue())) == (",".join(COLUMNS) + "\r\n", [])


def test_a_log_of_many_pages_is_written_whole_and_in_order(tmp_path: Path) -> None:
    count = 2 * PAGE + 3
    build(tmp_path / "yordam.db", count)
    assert [row["number"] for row in exported(tmp_path)] == list(range(1, count + 1))


def test_a_file_is_made_whole_for_its_owner_only_and_not_replaced(yordam: Yordam, tmp_path: Path) -> None:
    file = tmp_path / "tickets.csv"
    assert yordam("export", str(file)).exit_code == 0
    first = file.read_text("utf-8")
    assert (first.count("fix_password,fix_password"), stat.S_IMODE(file.stat().st_mode)) == (3, 0o600)
    refused = yordam("export", "--anonymous", str(file))
    assert (refused.exit_code, "exists already" in refused.output, file.read_text("utf-8")) == (2, True, first)
    assert yordam("export", "--anonymous", "--force", str(file)).exit_code == 0
    assert "Aziza" not in file.read_text("utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "tickets.csv"]


def test_where_nothing_can_be_written_it_says_so(yordam: Yordam, tmp_path: Path) -> None:
    said = yordam("export", str(tmp_path / "nowhere" / "tickets.csv"))
    assert (said.exit_code, said.stderr) == (2, f"{tmp_path}/nowhere/tickets.csv: No such file or directory\n")


@pytest.mark.parametrize(
    ("words", "is_json"), [(["-"], False), ([], False), (["--json", "-"], True), (["--json"], True), (["--csv"], False)]
)
def test_standard_output_gets_the_table_alone(yordam: Yordam, words: list[str], is_json: bool) -> None:
    out = yordam("export", *words).stdout
    numbers = (
        [row["number"] for row in json.loads(out)]
        if is_json
        else [row["number"] for row in csv.DictReader(io.StringIO(out))]
    )
    assert [int(number) for number in numbers] == [1, 2, 3]


def test_the_name_of_the_file_says_what_it_is(yordam: Yordam, tmp_path: Path) -> None:
    yordam("export", str(tmp_path / "tickets.json"))
    assert len(json.loads((tmp_path / "tickets.json").read_text("utf-8"))) == 3


def test_since_leaves_older_tickets_out(yordam: Yordam) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%d")
    counts = [
        len(json.loads(yordam("export", "--since", day, "--json", "-").stdout)) for day in ("2020-01-01", tomorrow)
    ]
    assert counts == [3, 0]


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    build(tmp_path / "yordam.db", 2000)
    command = f"{sys.executable} -m bot export - | head -n 1"
    done = subprocess.run(
        ["sh", "-c", command], env={**os.environ, "DATA_DIR": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == (",".join(COLUMNS) + "\n", "")


@pytest.mark.parametrize("command", [("export", "-"), ("stats",), ("stats", "--json")])
def test_without_a_log_there_is_nothing_to_tell(tmp_path: Path, command: tuple[str, ...]) -> None:
    said = CliRunner().invoke(cli, command, env={"DATA_DIR": str(tmp_path / "none")})
    assert (said.exit_code, said.stdout, said.stderr) == (2, "", "there is no ticket log yet\n")


def test_the_numbers_can_be_had_by_programs(yordam: Yordam) -> None:
    found = json.loads(yordam("stats", "--days", "2", "--json").stdout)
    assert (found["opened"], found["statuses"]) == (3, {"open": 2, "escalated": 0, "solved": 1, "closed": 0})
    counts = {"given": 3, "confirmed": 1, "contradicted": 0, "needed_person": 0}
    assert found["scores"] == [{"step": "fix_password", "owner": "user", "rule": "403", **counts}]
    assert len(found["days"]) == len(Period.last(2).days()) == 2


def test_the_numbers_can_be_read_by_people(yordam: Yordam) -> None:
    said = yordam("stats").stdout
    assert [
        line for line in ("2 open, 0 escalated, 1 solved, 0 closed", "100% (1 of 1 that ended)") if line not in said
    ] == []
    assert " ".join(said.split()).count("fix_password") == 2


@pytest.mark.parametrize("wrong", [["--days", "0"], ["--days", "week"]])
def test_a_period_that_is_none_is_refused(yordam: Yordam, wrong: list[str]) -> None:
    assert yordam("stats", *wrong).exit_code == 2
