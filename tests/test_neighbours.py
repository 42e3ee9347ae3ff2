"""Who comes from where: what the ticket log knows of addresses, and that it forgets them with the ticket."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from bot.emptying import empty
from bot.model import Certainty, CheckResult, EventKind, Finding, Owner, Step, Tag, Verdict
from bot.neighbours import Neighbours, Surroundings
from bot.networks import public
from bot.providers import Providers, providers
from bot.schema import migrations
from bot.store import Store
from bot.ticket_rows import Wanted, find_tickets
from bot.tickets import Tickets
from tests.listed import write_list
from tests.office import GROUP, USER, office

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
    await Neighbours(store, Providers).seen(ticket.number, address)
    return ticket.number


async def around(store: Store, number: int, address: str, list_file: str | None = None) -> Surroundings:
    return await Neighbours(store, partial(providers, list_file)).around(number, address)


async def test_other_people_of_the_same_network_with_the_same_verdict_are_counted_once(store: Store) -> None:
    for address in ("94.158.52.77", "94.158.52.78"):  # one person, two tickets
        await case(store, BOTIR, address)
    await case(store, DILNOZA, SAME_NET)  # not near enough
    await case(store, DILNOZA, "94.158.52.79", Step.FIX_PASSWORD)  # another trouble
    number = await case(store, ALI, HOME)
    seen = await around(store, number, HOME)
    assert seen == Surroundings(others=1)
    assert seen.findings(HOME) == (Finding(Tag.NEIGHBOURS_SAME_TROUBLE, {"count": 1, "network": "94.158.52.0/24"}),)


async def test_what_was_long_ago_is_no_company(store: Store) -> None:
    await case(store, BOTIR, HOME)
    await store.run(lambda db: db.execute("UPDATE addresses SET at = '2026-01-01T00:00:00+00:00'"))
    assert await around(store, await case(store, ALI, HOME), HOME) == Surroundings()


@pytest.mark.parametrize(("address", "usual"), [(HOME, True), (SAME_NET, True), (ELSEWHERE, False)])
async def test_the_usual_network_is_the_one_the_extension_came_from_before(
    store: Store, address: str, usual: bool
) -> None:
    await case(store, ALI, HOME)
    number = await case(store, ALI, address, Step.CALL_STAFF)
    seen = await around(store, number, address)
    unusual = Finding(Tag.NETWORK_UNUSUAL, {"address": address})
    assert seen.findings(address) == (() if usual else (unusual,))


@pytest.mark.parametrize(
    ("owners", "expected"),
    [
        ({"94.158.0.0/16": "Uztelecom", "185.74.4.0/22": "Uztelecom"}, ("provider_known", "Uztelecom")),
        ({"94.158.0.0/16": "Uztelecom", "185.74.4.0/22": "Comnet"}, ("provider_unusual", "Comnet")),
    ],
)
async def test_with_a_list_the_usual_provider_counts_and_he_is_named_once(
    store: Store, tmp_path: Path, owners: dict[str, str], expected: tuple[str, str]
) -> None:
    listed = write_list(tmp_path / "asn.mmdb", owners)
    await case(store, ALI, HOME)
    number = await case(store, ALI, ELSEWHERE, Step.CALL_STAFF)
    (found,) = (await around(store, number, ELSEWHERE, listed)).findings(ELSEWHERE)
    assert (found.tag, found.args) == (expected[0], {"address": ELSEWHERE, "provider": expected[1]})


async def test_the_ticket_is_found_by_its_newest_provider_until_it_is_emptied(store: Store) -> None:
    number, log = await case(store, ALI, HOME), Tickets(store)
    for tag, name in ((Tag.PROVIDER_KNOWN, "Uztelecom"), (Tag.PROVIDER_UNUSUAL, "Comnet")):
        result = CheckResult("neighbours", 0.0, (Finding(tag, {"address": HOME, "provider": name}),))
        await log.append(number, EventKind.CHECKED, {"results": [result.to_json()], "aside": True})
    await log.append(number, EventKind.CHECKED, {"results": []})

    def found(db: Database) -> list[list[int]]:
        return [[t.number for t in find_tickets(db, Wanted(provider=name), 9)] for name in ("Uztelecom", "Comnet")]

    assert await store.run(found) == [[], [number]]
    await store.run(lambda db: empty(db, number))
    assert await store.run(found) == [[], []]


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


async def test_the_staff_read_the_provider_on_the_card(tmp_path: Path) -> None:
    listed = write_list(tmp_path / "asn.mmdb", {"94.158.0.0/16": "Uztelecom <JSC>"})
    async with office(tmp_path / "data", providers_file=listed) as bot:
        bot.api.send_text(USER, "/diagnose")
        await bot.hears("№1", GROUP)
        said = [f"Received message from {HOME}:43145", "Request: REGISTER sip:call.soundz.uz SIP/2.0",
                f"Processing REGISTER from {HOME}:43145", f"Sending 401 challenge for 201 to {HOME}:43145"]  # fmt: skip
        bot.api.send_text(USER, "\n".join(f"2026-11-23 08:45:22 info: [SIP] {line}" for line in said))
        await bot.quiet()
        await bot.service.actions.take(1, "Nodir", source="test:take")
        card = await bot.until(lambda: next((m for m in bot.api.answers(GROUP) if "Uztelecom" in m.text), None))
        assert f"👥 provayderi: Uztelecom <JSC> ({HOME})" in (card.text if card else "")


async def test_with_a_list_that_is_missing_the_bot_says_so_and_works(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    missing = tmp_path / "none.mmdb"
    async with office(tmp_path / "data", providers_file=missing) as bot:
        bot.api.send_text(USER, "/start")
        await bot.hears("Assalomu alaykum")
    said = [record.getMessage() for record in caplog.records if "PROVIDERS_FILE" in record.getMessage()]
    why = "No such file or directory"
    assert said == [f"PROVIDERS_FILE cannot be read, networks are shown instead of providers: {missing} ({why})"]
