"""Who comes from where: what the ticket log knows of addresses, and that it forgets them with the ticket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.model import Certainty, EventKind, Finding, Owner, Step, Tag, Verdict
from bot.neighbours import Neighbours, Surroundings
from bot.networks import public
from bot.schema import migrations
from bot.store import Store
from bot.tickets import Tickets

HOME, SAME_NET, ELSEWHERE = "94.158.52.31", "94.158.200.9", "185.74.5.9"
ALI, BOTIR, DILNOZA = 1, 2, 3


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "yordam.db", (migrations,))
    yield opened
    opened.close()


async def case(store: Store, person: int, address: str, step: Step = Step.TRY_OTHER_NETWORK) -> int:
    """A ticket of a person, seen from an address, with a verdict; its number."""
    log, source = Tickets(store), f"test:{person}:{address}:{step}"
    ticket = await log.open(user_id=person, chat_id=person, name="x", language="uz", source=source)
    await log.set_extension(ticket.number, f"100{person}")
    verdict = Verdict(step, Owner.USER, Certainty.LIKELY)
    await log.append(ticket.number, EventKind.VERDICT, {"verdict": verdict.to_json(), "findings": []})
    await Neighbours(store).seen(ticket.number, address)
    return ticket.number


async def around(store: Store, number: int, address: str) -> Surroundings:
    return await Neighbours(store).around(number, address)


async def test_other_people_of_the_same_network_with_the_same_verdict_are_counted_once(store: Store) -> None:
    for address in ("94.158.52.77", "94.158.52.78"):  # one person, two tickets
        await case(store, BOTIR, address)
    await case(store, DILNOZA, SAME_NET)  # not near enough
    await case(store, DILNOZA, "94.158.52.79", Step.FIX_PASSWORD)  # another trouble
    number = await case(store, ALI, HOME)
    seen = await around(store, number, HOME)
    assert seen == Surroundings(None, 1)
    assert seen.findings(HOME) == (Finding(Tag.NEIGHBOURS_SAME_TROUBLE, {"count": 1, "network": "94.158.52.0/24"}),)


async def test_what_was_long_ago_is_no_company(store: Store) -> None:
    await case(store, BOTIR, HOME)
    await store.run(lambda db: db.execute("UPDATE addresses SET at = '2026-01-01T00:00:00+00:00'"))
    assert await around(store, await case(store, ALI, HOME), HOME) == Surroundings(None, 0)


@pytest.mark.parametrize(("address", "usual"), [(HOME, True), (SAME_NET, True), (ELSEWHERE, False)])
async def test_the_usual_network_is_the_one_the_extension_came_from_before(
    store: Store, address: str, usual: bool
) -> None:
    await case(store, ALI, HOME)
    number = await case(store, ALI, address, Step.CALL_STAFF)
    seen = await around(store, number, address)
    assert seen == Surroundings(usual, 0)
    unusual = Finding(Tag.NETWORK_UNUSUAL, {"address": address})
    assert seen.findings(address) == (() if usual else (unusual,))


async def test_an_address_goes_with_its_ticket(store: Store) -> None:
    emptied, deleted = await case(store, ALI, HOME), await case(store, BOTIR, SAME_NET)
    await store.run(lambda db: db.execute("UPDATE tickets SET emptied_at = 'now' WHERE number = ?", [emptied]))
    await store.run(lambda db: db.execute("DELETE FROM events WHERE ticket = ?", [deleted]))
    await store.run(lambda db: db.execute("DELETE FROM tickets WHERE number = ?", [deleted]))
    left: list[Any] = await store.run(lambda db: db.execute("SELECT * FROM addresses").fetchall())
    assert left == []


@pytest.mark.parametrize(
    ("address", "expected"),
    [(HOME, HOME), ("192.168.1.5", None), ("100.64.3.3", None), ("127.0.0.1", None), ("x", None), (None, None)],
)
def test_only_an_address_of_the_internet_tells_networks_apart(address: str | None, expected: str | None) -> None:
    assert public(address) == expected
