"""What the staff see on the review page, and what their orders are before the bot takes them up."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.mailbox import migrations as mailbox
from bot.numbers import UZBEKISTAN
from bot.orders import Order, orders_given
from bot.schema import migrations
from bot.store import Store
from tests.running import STAFF
from tests.web.served import Served, order, seen
from tests.web.stories import tell

pytest.importorskip("datasette", reason="the extra 'web' is not installed")

from bot.web.visit import clock


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("pages")
    asyncio.run(tell(folder / "data"))
    with Served(folder) as served:
        yield served


@pytest.fixture(scope="module")
def browser(page: Served) -> Iterator[httpx.Client]:
    with page.logged_in() as browser:
        yield browser


def listed(browser: httpx.Client, **query: Any) -> list[int]:
    """The numbers on a page of the list."""
    answer = browser.get("/", params=query)
    assert answer.status_code == 200
    return [int(number) for number in re.findall(r'class="line" href="/tickets/(\d+)"', answer.text)]


# --- the list ---


def test_the_newest_come_first(browser: httpx.Client) -> None:
    assert listed(browser) == [4, 3, 2, 1]


@pytest.mark.parametrize("spelling", ["qoʻngʻirova", "QO'NG'IROVA", "Қўнғирова", "qongir aziza"])
def test_a_search_finds_however_it_is_spelled(browser: httpx.Client, spelling: str) -> None:
    assert listed(browser, q=spelling) == [1]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({"status": "escalated"}, [3, 2]),
        ({"status": "solved"}, [1]),
        ({"step": "start_pbx"}, [3]),
        ({"owner": "server"}, [3]),
        ({"owner": "user", "status": "escalated"}, []),
        ({"extension": "1002"}, [2, 1]),
        ({"person": 503}, [3]),
        ({"network": "84.54.70.0/24"}, [3, 1]),
        ({"network": "84.54.71.0/24"}, []),
        ({"provider": "Uztelecom <3"}, [3]),
        ({"day": "2001-01-01"}, []),
        ({"q": "1002", "status": "escalated"}, [2]),
        ({"below": 3}, [2, 1]),
        ({"q": "-- AND ' :"}, []),
    ],
)
def test_the_list_is_narrowed(browser: httpx.Client, query: dict[str, Any], numbers: list[int]) -> None:
    assert listed(browser, **query) == numbers


@pytest.mark.parametrize(
    "query", [{"status": "x"}, {"step": "'"}, {"day": "soon"}, {"below": "٣"}, {"person": "9" * 40}, {"below": "-1"}]
)
def test_what_makes_no_sense_narrows_nothing(browser: httpx.Client, query: dict[str, str]) -> None:
    assert listed(browser, **query) == [4, 3, 2, 1]


def test_facets_lead_to_the_narrowed_list(browser: httpx.Client) -> None:
    facet = re.search(
        r'href="(/\?extension=1002)"><span>1002</span> <span class="count">2</span>', browser.get("/").text
    )
    assert facet is not None
    narrowed = browser.get(facet[1])
    assert (listed(browser, extension="1002"), 'class="chip" href="/"' in narrowed.text) == ([2, 1], True)


def test_the_status_is_a_facet_too_and_is_counted_among_what_else_was_chosen(browser: httpx.Client) -> None:
    words = "Operator kutyapti|Hal boʻlgan|Tekshirilyapti"
    facet = rf'<a href="(/[^"]*)"><span>(?:{words})</span> <span class="count">(\d)</span>'
    found = [
        [(unescape(address), int(count)) for address, count in re.findall(facet, browser.get(path).text)]
        for path in ("/", "/?extension=1002", "/?q=1002&owner=user", "/?status=escalated")
    ]
    assert found == [
        [("/?status=escalated", 2), ("/?status=open", 1), ("/?status=solved", 1)],
        [("/?status=escalated&extension=1002", 1), ("/?status=solved&extension=1002", 1)],
        [("/?q=1002&status=solved&owner=user", 1)],
        [],
    ]


def test_where_providers_are_known_they_narrow_the_list_and_networks_do_not(browser: httpx.Client) -> None:
    whole, solved = browser.get("/").text, browser.get("/?status=solved").text  # of the solved ones none is known
    headings = [re.findall(r"<h2>(Provayder|Tarmoq)</h2>", text) for text in (whole, solved)]
    facet = re.search(r'href="(/\?provider=[^"]+)"><span>Uztelecom &lt;3</span> <span class="count">1</span>', whole)
    assert (headings, facet is not None) == ([["Provayder"], []], True)
    assert "Provayderi Uztelecom <3" in seen(browser.get("/tickets/3"))


def test_a_long_list_has_pages(tmp_path: Path) -> None:
    asyncio.run(tell(tmp_path / "data"))
    with closing(sqlite3.connect(tmp_path / "data" / "yordam.db")) as db, db:
        db.executemany(
            "INSERT INTO tickets (number, user_id, chat_id, status, language, opened_at, updated_at, source)"
            " VALUES (?, 501, 501, 'open', 'uz', '2026-01-01T00:00:00.000+00:00', '2026-01-01T00:00:00.000+00:00', ?)",
            [(number, f"made:{number}") for number in range(5, 105)],
        )
    with Served(tmp_path) as page, page.logged_in() as browser:
        first = browser.get("/?status=open")
        forward = re.search(r'class="button" href="([^"]*below=55[^"]*)"', first.text)
        assert forward is not None
        second = browser.get(unescape(forward[1]))
        numbers = [int(number) for number in re.findall(r'class="line" href="/tickets/(\d+)"', second.text)]
    assert numbers == list(range(54, 4, -1))


# --- orders, while no bot is there to take them up ---


def test_an_order_waits_for_the_bot_and_the_ticket_log_is_not_written(page: Served, browser: httpx.Client) -> None:
    before = (page.data / "yordam.db").read_bytes()
    answer = order(browser, 2, action="reply", text="  Salom\r\nyana urinib koʻring ")
    shown = browser.get("/tickets/2")
    given = orders_given(page.data / "web.db", frozenset())
    expected = Order(given[-1].id, 2, "reply", "Salom\nyana urinib koʻring", STAFF, "Nodir", given[-1].at)
    assert (answer.status_code, answer.headers["location"], given[-1]) == (303, "/tickets/2#orders", expected)
    assert ("yuborilmoqda" in shown.text, 'http-equiv="refresh"' in shown.text) == (True, True)
    assert (page.data / "yordam.db").read_bytes() == before


def test_the_same_form_sent_twice_is_one_order(page: Served, browser: httpx.Client) -> None:
    before = len(orders_given(page.data / "web.db", frozenset()))
    for _ in range(2):
        assert order(browser, 1, action="note", text="bir marta", order="00000000000000aa").status_code == 303
    assert len(orders_given(page.data / "web.db", frozenset())) == before + 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"action": "reply", "text": "  "}, "Matn yozilmagan"),
        ({"action": "reply", "text": "\u200b \u2066"}, "Matn yozilmagan"),
        ({"action": "note", "text": "x" * 3001}, "Matn juda uzun"),
        ({"action": "reply", "text": "😀" * 1501}, "Matn juda uzun"),
        ({"action": "reply", "text": "parolingiz: Qwerty123"}, "parolga oʻxshash"),
        ({"action": "close", "reason": "because"}, "Shakl toʻliq emas"),
        ({"action": "delete"}, "Shakl toʻliq emas"),
        ({"action": "note", "text": "x", "order": "../../x"}, "Shakl toʻliq emas"),
    ],
)
def test_what_is_no_order_is_said_and_the_words_are_kept(
    page: Served, browser: httpx.Client, fields: dict[str, str], words: str
) -> None:
    before = len(orders_given(page.data / "web.db", frozenset()))
    answer = order(browser, 4, **fields)
    assert (answer.status_code, words in answer.text, "http-equiv" in answer.text) == (422, True, False)
    assert fields.get("text", "").strip() in answer.text
    assert len(orders_given(page.data / "web.db", frozenset())) == before


def test_an_order_for_a_ticket_that_is_not_there_is_none(browser: httpx.Client) -> None:
    token = re.search(r'name="csrftoken" value="([^"]+)"', browser.get("/tickets/1").text)
    assert token is not None
    fields = {"csrftoken": token[1], "order": "00000000000000ab", "action": "note", "text": "x"}
    assert browser.post("/tickets/99/orders", data=fields).status_code == 404


# --- without a log ---


def test_in_an_empty_log_there_is_nothing_to_narrow_by(tmp_path: Path) -> None:
    Store(tmp_path / "data" / "yordam.db", (migrations, mailbox)).close()
    with Served(tmp_path) as page, page.logged_in() as browser:
        answer = browser.get("/")
    assert ("Hali birorta murojaat yoʻq" in answer.text, 'class="facets"' in answer.text) == (True, False)


@pytest.mark.parametrize(
    ("moment", "form", "shown"),
    [
        (datetime(2019, 12, 31, 20, tzinfo=UTC), "%d.%m %H:%M", "01.01.2020 01:00"),
        (datetime.now(UTC), "%d.%m %H:%M", f"{datetime.now(UZBEKISTAN):%d.%m} "),
    ],
)
def test_the_day_of_another_year_is_told_with_its_year(moment: datetime, form: str, shown: str) -> None:
    assert f">{shown}" in clock(moment, form)


def test_before_the_bots_first_start_the_page_says_so(tmp_path: Path) -> None:
    with Served(tmp_path) as page, page.logged_in() as browser:
        answer = browser.get("/")
    assert (answer.status_code, "Jurnalni hozir oʻqib boʻlmadi" in answer.text) == (503, True)
