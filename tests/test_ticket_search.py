"""Searching the log: every word counts, wherever in the ticket and however it was written; the newest come first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from bot.model import Certainty, EventKind, Owner, Step, Verdict
from bot.schema import migrations
from bot.store import Store
from bot.ticket_rows import Wanted, find_tickets
from bot.ticket_search import WORDS_MAX, expression, forget, remember, words_of
from bot.tickets import Tickets


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Tickets]:
    store = Store(tmp_path / "yordam.db", (migrations,))
    yield Tickets(store)
    store.close()


async def ticket(log: Tickets, name: str, *texts: str) -> int:
    number = (await log.open(user_id=7, chat_id=7, name=name, language="uz", source=f"{name}{texts}")).number
    for text in texts:
        await log.append(number, EventKind.USER_MESSAGE, {"text": text})
    return number


async def found(log: Tickets, search: str, **more: object) -> list[int]:
    wanted = Wanted(search=search, **more)  # type: ignore[arg-type]
    return [row.number for row in await log.store.run(lambda db: find_tickets(db, wanted, 50))]


async def test_words_said_at_different_times_are_found_together(log: Tickets) -> None:
    number = await ticket(log, "Aziza", "MicroSIP 408 deyapti", "internet bor")
    await ticket(log, "Aziza", "MicroSIP 503 deyapti")
    assert await found(log, "internet aziza 408") == [number]


async def test_the_beginning_of_a_word_is_enough_but_not_its_end(log: Tickets) -> None:
    number = await ticket(log, "Ali", "ulanmayapti")
    assert [await found(log, part) for part in ("u", "ulan", "ulanmayapti", "mayapti")] == [[number]] * 3 + [[]]


async def test_the_newest_come_first_and_a_page_goes_on_below(log: Tickets) -> None:
    numbers = [await ticket(log, f"Ali{n}", "salom") for n in range(5)]
    assert await found(log, "salom") == numbers[::-1]
    assert await found(log, "salom", below=numbers[2]) == [numbers[1], numbers[0]]


async def test_a_search_can_be_narrowed(log: Tickets) -> None:
    numbers = [await ticket(log, f"Ali{n}", "salom") for n in range(3)]
    await log.append(numbers[1], EventKind.ESCALATED, {"reason": "asked"})
    assert await found(log, "salom", status="escalated") == [numbers[1]]


async def test_a_list_of_a_step_shows_also_whom_it_helped(log: Tickets) -> None:
    helped, waiting, fine = [await ticket(log, name) for name in ("Ali", "Vali", "Gʻani")]
    fix = Verdict(Step.FIX_DNS, Owner.USER, Certainty.PROVEN).to_json()
    works = Verdict(Step.CONNECTED, Owner.NONE, Certainty.PROVEN).to_json()
    for number, verdict in ((helped, fix), (helped, works), (waiting, fix), (fine, works)):
        await log.append(number, EventKind.VERDICT, {"verdict": verdict})
    lists = [
        [row.number for row in await log.store.run(lambda db, step=step: find_tickets(db, Wanted(step=step), 9))]  # type: ignore[misc]
        for step in (Step.FIX_DNS, Step.CONNECTED)
    ]
    assert lists == [[waiting, helped], [fine, helped]]


@pytest.mark.parametrize("few", [0, 3000])
async def test_what_is_narrow_is_looked_through_and_what_is_wide_is_searched_with_one_result(
    log: Tickets, few: int
) -> None:
    numbers = [await ticket(log, f"Ali{n}", "salom dunyo" if n % 2 else "salom") for n in range(6)]
    wanted = Wanted(search="dun salom ali", status="open", below=numbers[5])
    rows = await log.store.run(lambda db: find_tickets(db, wanted, 50, few))
    assert [row.number for row in rows] == [numbers[3], numbers[1]]


async def test_what_is_forgotten_is_not_found(log: Tickets) -> None:
    first, second = await ticket(log, "Ali", "salom"), await ticket(log, "Vali", "salom")
    await log.store.run(lambda db: forget(db, [first]))
    assert (await found(log, "salom"), await found(log, "ali")) == ([second], [])


@pytest.mark.parametrize("nothing", ["", "  ", "–", "* \" ' ( ) :", "_"])
async def test_a_search_without_a_word_finds_nothing(log: Tickets, nothing: str) -> None:
    await ticket(log, "Ali", "salom – _")
    assert await found(log, nothing) == []


@pytest.fixture(scope="module")
def empty() -> Iterator[Store]:
    store = Store(Path(":memory:"), (migrations,))
    yield store
    store.close()


@given(text=st.text(max_size=60))
def test_a_text_is_found_by_its_own_words(empty: Store, text: str) -> None:
    def work(db: Database) -> list[int]:
        remember(db, 9, text)
        wanted = expression(words_of(text) or "x")
        found = [row[0] for row in db.execute("SELECT rowid FROM search WHERE search MATCH ?", [wanted])]
        forget(db, [9])
        return found

    assert empty.run_sync(work) == ([9] if words_of(text) else [])


def test_a_ticket_of_endless_pastes_stays_small() -> None:
    store = Store(Path(":memory:"), (migrations,))
    try:
        store.run_sync(lambda db: remember(db, 1, " ".join(f"so{n}z" for n in range(WORDS_MAX + 9))))
        store.run_sync(lambda db: remember(db, 1, "yana"))
        (words,) = store.run_sync(lambda db: db.execute("SELECT words FROM search").fetchone())
        assert len(words.split()) == WORDS_MAX
    finally:
        store.close()


async def test_an_index_of_before_is_moved_when_the_bot_starts(log: Tickets) -> None:
    number = await ticket(log, "Ali", "salom")

    def as_before(db: Database) -> None:
        db.execute("DROP TABLE search")
        db.execute("CREATE VIRTUAL TABLE search USING fts5 (text, ticket UNINDEXED, tokenize = 'unicode61')")
        for text in ("qongiroq otmayapti, server yoq", "aziza 1002"):
            db.execute("INSERT INTO search (text, ticket) VALUES (?, ?)", [text, number])
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'm_search'")

    await log.store.run(as_before)
    moved = Store(log.store.path, (migrations,))
    moved.close()
    assert [await found(log, search) for search in ("1002 qo'ng'iroq", "salom")] == [[number], []]
