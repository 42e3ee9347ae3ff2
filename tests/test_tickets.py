"""The ticket log: append-only, written once, searchable however it is spelled, and without secrets."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from bot.casefile import fold as fold_case
from bot.folding import fold
from bot.limits import CASES_PER_DAY
from bot.model import Certainty, EventKind, Finding, Kind, Owner, Reading, Status, Step, Tag, Verdict
from bot.schema import migrations
from bot.store import Store, copy_to, read_only
from bot.ticket_rows import list_tickets
from bot.tickets import Tickets


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Tickets]:
    store = Store(tmp_path / "yordam.db", (migrations,))
    yield Tickets(store)
    store.close()


async def opened(log: Tickets, source: str = "update:1", user_id: int = 7) -> int:
    return (await log.open(user_id=user_id, chat_id=user_id, name="Ali", language="uz", source=source)).number


async def test_one_ticket_for_one_update(log: Tickets) -> None:
    assert await opened(log) == await opened(log) == 1


async def test_an_event_of_one_update_is_written_once(log: Tickets) -> None:
    number = await opened(log)
    written = [
        await log.append(number, EventKind.EVIDENCE, {"text": "x", "unreadable": False}, source="update:2")
        for _ in range(2)
    ]
    ticket = await log.get(number)
    assert ticket is not None
    assert (written, [event.kind for event in ticket.events]) == ([True, False], [EventKind.OPENED, EventKind.EVIDENCE])


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        (EventKind.ESCALATED, {"reason": "asked"}, Status.ESCALATED),
        (EventKind.CLOSED, {"reason": "solved"}, Status.SOLVED),
        (EventKind.CLOSED, {"reason": "staff"}, Status.CLOSED),
        (EventKind.RECHECK, {"checks": []}, Status.OPEN),
    ],
)
async def test_the_status_follows_the_events(
    log: Tickets, kind: EventKind, body: dict[str, object], status: Status
) -> None:
    number = await opened(log)
    await log.append(number, kind, body)
    ticket = await log.get(number)
    assert ticket is not None
    assert (ticket.status, ticket.closed_at is not None) == (status, status in (Status.SOLVED, Status.CLOSED))


async def test_the_last_verdict_stands_on_the_ticket(log: Tickets) -> None:
    number = await opened(log)
    verdict = Verdict(Step.FIX_DNS, Owner.USER, Certainty.PROVEN, (Finding(Tag.USER_DNS_TIMEOUT),), (Step.REDUCE_LOSS,))
    await log.append(number, EventKind.VERDICT, {"verdict": verdict.to_json()})
    ticket = await log.get(number)
    assert ticket is not None
    assert ticket.verdict == verdict


@pytest.mark.parametrize("asked", ["qo'ng'iroq", "QOʻNGʻIROQ", "қўнғироқ", "qo`ng`iroq", "qoʻng"])
async def test_search_finds_all_spellings(log: Tickets, asked: str) -> None:
    number = await opened(log)
    await log.append(number, EventKind.USER_MESSAGE, {"text": "Qo‘ng‘iroq o'tmayapti"})
    assert [ticket.number for ticket in await log.list(search=asked)] == [number]


@pytest.fixture(scope="module")
def empty() -> Iterator[Database]:
    db = Database(memory=True)
    migrations.apply(db)
    yield db
    db.close()


@given(text=st.text(max_size=40))
def test_no_search_is_a_syntax_error(empty: Database, text: str) -> None:
    assert list_tickets(empty, None, text, 10) == ()


@given(st.text(max_size=200))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


async def test_a_number_is_remembered_for_the_next_ticket(log: Tickets) -> None:
    await log.set_extension(await opened(log), "1002")
    again = await log.get(await opened(log, "update:9"))
    assert again is not None
    assert again.extension == "1002"


async def test_no_secret_gets_into_the_file_or_its_write_ahead_log(log: Tickets) -> None:
    number = await opened(log)
    secret = "Hz7kQm29xx"
    for text in (
        f"password={secret}",
        f'Authorization: Digest username="1002", response="{secret}"',
        f"parol: {secret}",
    ):
        await log.append(number, EventKind.EVIDENCE, {"text": text, "unreadable": True})
        await log.append(number, EventKind.READ, {"reading": {"facts": {"x": [text]}}})
    kept = b"".join(path.read_bytes() for path in log.store.path.parent.iterdir())
    assert secret.encode() not in kept


async def test_what_a_person_had_lately_is_counted(log: Tickets) -> None:
    for number in range(CASES_PER_DAY):
        await opened(log, f"update:{number}")
    usage = await log.usage(7)
    assert (len(usage.cases), len((await log.usage(8)).cases)) == (CASES_PER_DAY, 0)


async def test_a_copy_made_while_writing_is_whole(log: Tickets, tmp_path: Path) -> None:
    number = await opened(log)

    async def write() -> None:
        for n in range(200):
            await log.append(number, EventKind.USER_MESSAGE, {"text": f"gap {n}"})

    writing = asyncio.create_task(write())
    await asyncio.to_thread(copy_to, log.store.path, tmp_path / "copy.db")
    await writing
    with read_only(tmp_path / "copy.db") as db:
        assert db is not None
        assert [row["integrity_check"] for row in db.query("PRAGMA integrity_check")] == ["ok"]
        assert [ticket.number for ticket in list_tickets(db, None, None, 10)] == [number]


async def test_a_reader_beside_the_writer_cannot_write(log: Tickets) -> None:
    await opened(log)
    with read_only(log.store.path) as db:
        assert db is not None
        with pytest.raises(sqlite3.OperationalError):
            db.execute("DELETE FROM tickets")


async def test_the_views_read_well_on_the_shell(log: Tickets) -> None:
    number = await opened(log)
    verdict = Verdict(Step.FIX_DNS, Owner.USER, Certainty.PROVEN)
    await log.append(number, EventKind.VERDICT, {"verdict": verdict.to_json()})
    await log.append(number, EventKind.CLOSED, {"reason": "solved"})
    with read_only(log.store.path) as db:
        assert db is not None
        (row,) = db.query("SELECT number, status, step, person FROM ticket_overview")
        (cause,) = db.query("SELECT * FROM cause_stats")
    assert row == {"number": number, "status": "solved", "step": "fix_dns", "person": "Ali"}
    counts = {"given": 1, "confirmed": 1, "contradicted": 0, "needed_a_person": 0}
    assert cause == {"step": "fix_dns", "owner": "user", "why": "", **counts}


async def test_what_came_while_a_move_was_on_its_way_makes_it_our_move_again(log: Tickets) -> None:
    number = await opened(log)
    reading = Reading(Kind.PING, None, "ok", {}, (Finding(Tag.USER_PING_CLEAN),))
    await log.append(number, EventKind.READ, {"reading": reading.to_log()})
    await log.append(number, EventKind.ASKED, {"question": "nslookup", "news": 0})
    ticket = await log.get(number)
    assert ticket is not None
    assert (fold_case(ticket).settled, fold_case(ticket).readings) == (False, (reading,))


async def test_a_step_carried_out_takes_back_what_it_was_based_on(log: Tickets) -> None:
    number = await opened(log)
    finding = Finding(Tag.USER_DNS_TIMEOUT)
    reading = Reading(Kind.NSLOOKUP, None, "timeout", {}, (finding,))
    await log.append(number, EventKind.READ, {"reading": reading.to_log()})
    verdict = Verdict(Step.FIX_DNS, Owner.USER, Certainty.LIKELY, (finding,))
    await log.append(number, EventKind.VERDICT, {"verdict": verdict.to_json()})
    await log.append(number, EventKind.TRIED, {"step": "fix_dns"})
    ticket = await log.get(number)
    assert ticket is not None
    case = fold_case(ticket)
    assert (case.readings, case.answered, case.tried) == ((), frozenset(), frozenset({Step.FIX_DNS}))
