"""Incidents in the database: one of each scope at a time, each person told once, nothing decided twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.checks import CHECKS, QUICK
from bot.incident_links import IncidentLinks
from bot.incident_log import IncidentLog
from bot.incidents import Change, Phone, Round, Scope
from bot.model import CheckResult, EventKind, Finding, Kind, Reading, Step, Tag
from bot.schema import migrations
from bot.store import Store
from bot.tickets import Tickets
from handlers.patrol import OWN_SIDE

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HEARD = CheckResult("dns", 1.0, (Finding(Tag.SERVER_DNS_OK, {"addresses": ("203.0.113.10",)}),))
BAD = (HEARD, CheckResult("sip", 1.0, (Finding(Tag.SERVER_SIP_REFUSED),)))
GOOD = (HEARD, CheckResult("sip", 1.0, (Finding(Tag.SERVER_SIP_ANSWERS, {"code": 200, "rtt_ms": 1.0}),)))
GONE = (CheckResult("dns", 1.0, (Finding(Tag.SERVER_DNS_NXDOMAIN, {"resolvers": ("1.1.1.1",)}),)), *GOOD[1:])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "yordam.db", (migrations,))
    yield store
    store.close()


async def rounds(log: IncidentLog, *seen: tuple[CheckResult, ...], begin: int = 0) -> list[tuple[int, Change]]:
    """What these rounds changed, one a minute."""
    changed = []
    for n, results in enumerate(seen, begin):
        changed += await log.count(Round(NOON + n * MINUTE, results), NOON + (n + 1) * MINUTE)
    return changed


async def tickets_of(store: Store, *people: int) -> list[int]:
    tickets = Tickets(store)
    opened = [
        await tickets.open(user_id=p, chat_id=p, name="Ali", language="uz", source=f"update:{p}:{n}")
        for n, p in enumerate(people)
    ]
    return [ticket.number for ticket in opened]


async def test_rounds_go_on_over_a_restart(store: Store) -> None:
    assert await rounds(IncidentLog(store), BAD) == []
    assert await rounds(IncidentLog(store), BAD, begin=1) == [(1, Change.OPENED)]
    assert await IncidentLog(store).due_at() == NOON + 2 * MINUTE


async def test_the_same_trouble_again_is_another_incident(store: Store) -> None:
    log = IncidentLog(store)
    changed = await rounds(log, BAD, BAD, GOOD, GOOD, GOOD, BAD, BAD)
    assert changed == [(1, Change.OPENED), (1, Change.CLOSED), (2, Change.OPENED)]
    first, second = await log.get(1), await log.standing(Scope.OUTAGE)
    assert first is not None
    assert second is not None
    assert (first.opened_at, first.closed_at, first.closed_by) == (NOON + MINUTE, NOON + 4 * MINUTE, None)
    assert (second.number, second.verdict.step) == (2, Step.START_PBX)


async def test_another_cause_turns_the_incident_that_stands(store: Store) -> None:
    log = IncidentLog(store)
    assert await rounds(log, BAD, BAD, GONE, GONE) == [(1, Change.OPENED), (1, Change.TURNED)]
    found = await log.standing(Scope.OUTAGE)
    assert found is not None
    assert found.verdict.step is Step.SERVER_DNS


async def test_what_the_staff_ended_stays_ended_while_it_is_as_bad(store: Store) -> None:
    log = IncidentLog(store)
    await rounds(log, BAD, BAD)
    assert (await log.end(1, "Nodir"), await log.end(1, "Aziz")) == (True, False)
    assert await rounds(log, BAD, BAD, BAD, begin=2) == []
    found = await log.get(1)
    assert found is not None
    assert (found.closed_by, found.tickets_closed_by) == ("Nodir", "Nodir")


async def test_each_chat_is_told_once_and_who_is_connected_is_not(store: Store) -> None:
    log, links = IncidentLog(store), IncidentLinks(store)
    await rounds(log, BAD, BAD)
    one, another, twice, solved = await tickets_of(store, 7, 8, 7, 9)
    for ticket in (one, another, twice, solved):
        assert await links.link(1, ticket)
    assert await links.link(1, one) is False
    assert await links.others(1, 7) == 2
    await Tickets(store).append(solved, EventKind.CLOSED, {"reason": "solved"})
    await log.end(1, "Nodir")
    assert await links.untold(1) == {7: (one, twice), 8: (another,)}
    await links.told(1, (one, twice), heard=True)
    await log.settled(1)
    assert await log.unsettled() == (1,)  # one is still to be told
    await links.told(1, (another,), heard=True)
    await log.settled(1)
    assert (await log.unsettled(), await links.untold(1)) == ((), {})


async def test_who_was_linked_too_late_is_told_all_the_same(store: Store) -> None:
    log, links = IncidentLog(store), IncidentLinks(store)
    await rounds(log, BAD, BAD)
    await log.end(1, "Nodir")
    await log.settled(1)
    (late,) = await tickets_of(store, 7)
    await links.link(1, late)
    assert (await log.unsettled(), await links.untold(1)) == ((1,), {7: (late,)})


async def test_lost_passwords_are_over_when_all_linked_are_back(store: Store) -> None:
    log, links = IncidentLog(store), IncidentLinks(store)
    now = datetime.now(UTC)
    lost = [Phone(number, lost_at=now - MINUTE) for number in ("1002", "1003")]
    assert await log.hear([Phone("1004", known_at=now - timedelta(hours=1)), *lost], now) == [(1, Change.OPENED)]
    assert await log.hear([Phone("1005", lost_at=now)], now) == [(1, Change.WIDENED)]
    (ticket,) = await tickets_of(store, 7)
    await Tickets(store).set_extension(ticket, "1004")
    await links.link(1, ticket)
    back = now + timedelta(seconds=5)
    assert await log.hear([Phone(n, known_at=back) for n in ("1002", "1003", "1005")], back) == []
    assert await log.hear([Phone("1004", known_at=back)], back) == [(1, Change.CLOSED)]


async def test_the_staff_say_that_all_passwords_were_saved_again(store: Store) -> None:
    log = IncidentLog(store)
    now = datetime.now(UTC)
    await log.hear([Phone(number, lost_at=now) for number in ("1002", "1003")], now)
    assert await log.end(1, "Nodir")
    assert await log.hear([Phone("1004", lost_at=now)], now) == []  # one alone, after that
    assert await log.concerns("1002", now) is None


async def test_a_phone_that_was_answered_speaks_for_the_pbx(store: Store) -> None:
    log, tickets = IncidentLog(store), Tickets(store)
    (number,) = await tickets_of(store, 7)
    for status, tag in (("timeout", Tag.PHONE_SAYS_TIMEOUT), ("wrong_password", Tag.PHONE_SAYS_WRONG_PASSWORD)):
        assert await log.answered_at() is None
        reading = Reading(Kind.MICROSIP_STATUS, None, status, {}, (Finding(tag),))
        await tickets.append(number, EventKind.READ, {"reading": reading.to_log()})
    ticket = await tickets.get(number)
    assert ticket is not None
    assert await log.answered_at() == ticket.events[-1].at


def test_the_watch_makes_every_check_that_is_about_everybody() -> None:
    personal = {check.name for check in CHECKS if check.needs == "extension"}
    assert set(OWN_SIDE) == set(QUICK) - personal


async def test_what_is_asked_at_an_answer_of_the_staff_reads_neither_all_mentions_nor_all_who_wait(
    store: Store,
) -> None:
    asked: list[str] = []
    await store.run(lambda db: db.conn.set_trace_callback(asked.append))
    await Tickets(store).mentions(-100, 5)
    await IncidentLinks(store).waiting(1)
    await store.run(lambda db: db.conn.set_trace_callback(None))
    selects = [sql for sql in asked if sql.startswith("SELECT")]
    plans = await store.run(
        lambda db: [[row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()] for sql in selects]
    )
    assert [[step for step in plan if "SCAN" in step or "tickets_by_" in step] for plan in plans] == [
        ["SCAN incidents"],  # there are few
        [],
    ]
