"""Searching the log: every word counts, wherever in the ticket and however it was written; the newest come first."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlite_utils import Database

from bot.model import Certainty, EventKind, Owner, Step, Verdict
from bot.schema import migrations
from bot.store import Store
from bot.ticket_rows import Wanted, find_tickets
from bot.ticket_search import NEWEST, WORDS_MAX, expression, forget, holding, remember, words_of
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


@pytest.fixture(scope="module")
def crowded() -> Iterator[Database]:
    """300 tickets; 'salom' in nearly all, 'alom' in half, 'sariq' in a third, 'zangori' in four."""
    db = Database(memory=True)
    migrations.apply(db)
    dice, begin = random.Random(5), datetime(2026, 11, 1, tzinfo=UTC)
    for number in range(1, 301):
        words = [w for w, share in (("salom", 0.9), ("alom", 0.5), ("sariq", 0.3)) if dice.random() < share]
        words += ["zangori"] if number % 70 == 0 else []
        db.execute(
            "INSERT INTO tickets (number, user_id, chat_id, status, language, extension, opened_at, updated_at, step,"
            " cause, owner, source) VALUES (?, 7, 7, ?, 'uz', ?, ?, '', ?, ?, 'user', ?)",
            [
                number,
                dice.choices(["open", "solved"], [1, 20])[0],
                dice.choice(["1001", "1002"]),
                (begin + timedelta(hours=number + dice.randrange(3))).isoformat(timespec="milliseconds"),
                *[dice.choices(["fix_dns", "stun_off"], [1, 9])[0]] * 2,
                str(number),
            ],
        )
        remember(db, number, " ".join(words))
    yield db
    db.close()


WANTED = st.builds(
    Wanted,
    search=st.lists(st.sampled_from(["salom", "alom", "sariq", "zangori", "sa", "yoq"]), min_size=1, max_size=2).map(
        " ".join
    ),
    status=st.sampled_from([None, "open", "solved"]),
    step=st.sampled_from([None, "fix_dns", "stun_off"]),
    extension=st.sampled_from([None, None, "1001", "9"]),
    opened_from=st.sampled_from([None, None, datetime(2026, 11, 4, tzinfo=UTC)]),
    opened_before=st.sampled_from([None, None, datetime(2026, 11, 6, tzinfo=UTC)]),
    below=st.one_of(st.none(), st.integers(0, 310)),
)


@example(wanted=Wanted(search="alom", opened_before=datetime(2026, 11, 6, tzinfo=UTC)), limit=2, stretch=3)  # looked up
@example(wanted=Wanted(search="sa", step="stun_off"), limit=60, stretch=20)  # compared
@given(wanted=WANTED, limit=st.integers(1, 60), stretch=st.sampled_from([1, 3, 20, 500]))
def test_however_a_search_goes_about_it_it_finds_what_the_index_and_the_filters_say(
    crowded: Database, wanted: Wanted, limit: int, stretch: int
) -> None:
    where, values = replace(wanted, search=None).where()
    found = "SELECT rowid FROM search WHERE search MATCH ?"
    plain = crowded.execute(
        f"SELECT t.number FROM tickets t WHERE {where} AND t.number IN ({found}) ORDER BY t.number DESC LIMIT ?",  # noqa: S608 - ours
        [*values, expression(words_of(wanted.search or "")), limit],
    )
    assert [row.number for row in find_tickets(crowded, wanted, limit, stretch)] == [row[0] for row in plain]


async def test_what_is_forgotten_is_not_found(log: Tickets) -> None:
    first, second = await ticket(log, "Ali", "salom"), await ticket(log, "Vali", "salom")
    await log.store.run(lambda db: forget(db, [first]))
    assert (await found(log, "salom"), await found(log, "ali")) == ([second], [])


@pytest.mark.parametrize("nothing", ["", "  ", "–", "* \" ' ( ) :", "_"])
async def test_a_search_without_a_word_finds_nothing(log: Tickets, nothing: str) -> None:
    await ticket(log, "Ali", "salom – _")
    assert await found(log, nothing) == []


@pytest.fixture(scope="module")
def empty() -> Iterator[Database]:
    db = Database(memory=True)
    migrations.apply(db)
    yield db
    db.close()


@given(text=st.text(max_size=60))
def test_a_text_is_found_by_its_own_words(empty: Database, text: str) -> None:
    remember(empty, 9, text)
    found = holding(empty, words_of(text) or ["x"], NEWEST, 9)
    forget(empty, [9])
    assert found == ([9] if words_of(text) else [])


def test_a_ticket_of_endless_pastes_stays_small(empty: Database) -> None:
    remember(empty, 1, " ".join(f"so{n}z" for n in range(WORDS_MAX + 9)))
    remember(empty, 1, "yana")
    (words,) = empty.execute("SELECT words FROM search WHERE rowid = 1").fetchone()
    forget(empty, [1])
    assert len(words.split()) == WORDS_MAX


async def test_an_index_of_before_is_moved_when_the_bot_starts(log: Tickets) -> None:
    number = await ticket(log, "Ali", "salom")

    def as_before(db: Database) -> None:
        db.execute("DROP TABLE search")
        db.execute("CREATE VIRTUAL TABLE search USING fts5 (text, ticket UNINDEXED, tokenize = 'unicode61')")
        for text in ("qongiroq otmayapti, server yoq", "aziza 1002"):
            db.execute("INSERT INTO search (text, ticket) VALUES (?, ?)", [text, number])
        db.execute("DELETE FROM _sqlite_migrations WHERE name IN ('m_search', 'm_search_leaves')")

    await log.store.run(as_before)
    moved = Store(log.store.path, (migrations,))
    moved.close()
    assert [await found(log, search) for search in ("1002 qo'ng'iroq", "salom")] == [[number], []]
