"""What the page tells of one ticket, of the incidents and in numbers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlite_utils import Database

from bot.attachments import Attachments
from bot.forgetting import Forgetting
from bot.incident_rows import close_incident, open_incident
from bot.incidents import Scope
from bot.mailbox import migrations as mailbox
from bot.model import Certainty, EventKind, Owner, Step, Verdict
from bot.schema import migrations
from bot.store import Store
from bot.tickets import Tickets
from messages import load
from tests.fake_people import PNG
from tests.web.served import Served, seen
from tests.web.stories import START_PBX, concluded, opened, tell

pytest.importorskip("datasette", reason="the extra 'web' is not installed")

from bot.web.pages import ENTRIES_SHOWN  # after it is known that the extra is there


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


def test_a_ticket_tells_its_whole_story(browser: httpx.Client) -> None:
    text = seen(browser.get("/tickets/1"))
    told = [
        "№1 Aziza Qoʻngʻirova", "hal boʻlgan", "dns", "filial", "❌ DNS toʻsiq", "✅ ping joyida",
        "? MicroSIP tekshirilmadi",
        "Kompyuterdagi DNS’ni tuzatish aniq", "nslookup “bunday nom yoʻq” dedi",
        "server nomi internetda toʻgʻri: 69.62.127.9",
        "Jadvalning", "*** UnKnown can't find call.soundz.uz", "tekshirilmadi: ruxsat yoʻq",
        "Oʻzgartirdim, endi ishladi", "Baho: ⭐⭐⭐⭐⭐", "№2 Bobur (1002)",
        "Tarmogʻi 84.54.70.0/24", "Shu tarmoqdan №3 Dilnoza Yoʻldosheva",
    ]  # fmt: skip
    assert [words for words in told if words not in text] == []


def test_what_was_not_tested_is_not_shown_as_passed(browser: httpx.Client) -> None:
    lines = re.findall(
        r'<li><span class="mark" aria-hidden="true">(.*?)</span> (.*?)</li>', browser.get("/tickets/1").text
    )
    assert [mark for mark, words in lines if "tekshirilmadi" in words] == ["➖", "➖"]


def test_the_row_that_fired_is_the_tables_and_its_reason_is_told_in_uzbek_on_both_pages(browser: httpx.Client) -> None:
    from bot.model import Step
    from bot.table import RULES

    page = browser.get("/tickets/3")
    place = re.search(r"Jadvalning (\d+)-qatori", seen(page))
    assert place is not None
    row = RULES[int(place[1]) - 1]
    told = load("uz").plain(f"rule.{row.why}")
    assert (row.step, told in seen(page), told in seen(browser.get("/numbers?days=7"))) == (Step.START_PBX, True, True)


def test_a_name_is_no_markup(browser: httpx.Client) -> None:
    for path in ("/", "/tickets/4"):
        text = browser.get(path).text
        assert ("<script" in text, "&lt;script&gt;alert(1)" in text) == (False, True)


@pytest.mark.parametrize("path", ["/tickets/99", "/tickets/999999999999", "/incidents/1", "/tickets/0"])
def test_what_is_not_there_is_a_plain_word(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path)
    assert (answer.status_code, "Bunday sahifa yoʻq" in answer.text) == (404, True)


def test_a_picture_is_shown_by_its_own_ticket_alone(page: Served, browser: httpx.Client) -> None:
    name = next(re.finditer(r'src="/tickets/1/attachments/([^"]+)"', browser.get("/tickets/1").text))[1]
    shown = browser.get(f"/tickets/1/attachments/{name}")
    with page.stranger() as stranger:
        refused = stranger.get(f"/tickets/1/attachments/{name}").status_code
    elsewhere = browser.get(f"/tickets/2/attachments/{name}").status_code
    assert (shown.content, shown.headers["content-type"], refused, elsewhere) == (PNG, "image/png", 403, 404)


def test_incidents_and_numbers_have_pages(browser: httpx.Client) -> None:
    assert "Hali birorta nosozlik boʻlmagan" in browser.get("/incidents").text
    text = seen(browser.get("/numbers?days=7"))
    told = ["Murojaatlar 4", "Odamsiz hal boʻldi", "5 ★", "Kompyuterdagi DNS’ni tuzatish", "Operator kutyapti: 2"]
    assert [words for words in told if words not in text] == []


@pytest.mark.parametrize("path", ["/", "/tickets/1", "/tickets/3", "/numbers", "/incidents", "/?q=zzz"])
def test_no_page_has_script_or_style_in_it_and_every_field_is_named(browser: httpx.Client, path: str) -> None:
    text = browser.get(path).text
    fields = re.findall(r'<(?:textarea|select|input type="(?:search|checkbox)")[^>]* id="([^"]+)"', text)
    fields += re.findall(r'<input[^>]* id="([^"]+)"', text)
    labels = set(re.findall(r'<label[^>]* for="([^"]+)"', text))
    assert re.findall(r"<script|<style|\sstyle=|\son\w+=|javascript:", text) == []
    assert set(fields) - labels == set()


async def forgotten(data: Path) -> None:
    """Empties every ticket, as after the retention."""
    store = Store(data / "yordam.db", (migrations, mailbox))
    await Forgetting(store, Attachments.beside(data / "yordam.db")).empty((1, 2, 3, 4), "stale")
    store.close()


def test_a_ticket_that_was_forgotten_keeps_its_page_and_says_why_it_is_empty(tmp_path: Path) -> None:
    asyncio.run(tell(tmp_path / "data"))
    asyncio.run(forgotten(tmp_path / "data"))
    with Served(tmp_path) as page, page.logged_in() as browser:
        pages = [browser.get(f"/tickets/{number}") for number in (1, 2, 3, 4)]
        text = seen(pages[0])
    assert [one.status_code for one in pages] == [200] * 4
    assert ("faqat voqealar tartibi qoldi" in text, "Aziza" in text, "endi ishladi" in text) == (True, False, False)
    assert [text for text in ("/orders", "#reopen", "person=0") if text in pages[0].text] == []  # nobody's: no deeds


def test_a_cause_leads_to_its_cases_and_where_nothing_was_wrong_there_is_no_such_list(tmp_path: Path) -> None:
    async def more() -> None:
        store = Store(tmp_path / "data" / "yordam.db", (migrations, mailbox))
        log = Tickets(store)
        for user_id, status in ((601, "solved"), (602, "solved"), (603, "no_answer")):
            number = await opened(log, user_id, "Ali")
            await concluded(log, number, Verdict(Step.CONNECTED, Owner.NONE, Certainty.PROVEN))
            await log.append(number, EventKind.CLOSED, {"reason": status})
        store.close()

    asyncio.run(tell(tmp_path / "data"))
    asyncio.run(more())
    with Served(tmp_path) as page, page.logged_in() as browser:
        answer = browser.get("/numbers")
    causes = answer.text[answer.text.index('<ol class="causes">') :]
    assert re.findall(r'<a href="/[?]step=(\w+)">', causes[: causes.index("</ol>")]) == ["fix_dns", "start_pbx"]
    assert "Nosozlik topilmadi" in seen(answer)
    assert "Sabablar foydalanuvchida serverda boshqa" in seen(answer)  # what the colours mean
    assert "75 % 3 ta, tugaganlari 4 ta" in seen(answer)


def test_what_a_ticket_is_bound_to_is_one_tap_away(tmp_path: Path) -> None:
    async def bound() -> None:
        store = Store(tmp_path / "data" / "yordam.db", (migrations, mailbox))
        log = Tickets(store)
        await log.append(4, EventKind.LINKED, {"ticket": 1})
        await log.append(4, EventKind.LINKED, {"incident": 1})
        store.close()

    asyncio.run(tell(tmp_path / "data"))
    asyncio.run(bound())
    with Served(tmp_path) as page, page.logged_in() as browser:
        text = browser.get("/tickets/4").text
    assert re.findall(r'<a href="(/[^"]+)">(Bogʻlandi[^<]+)</a>', text) == [
        ("/tickets/1", "Bogʻlandi: №1"),
        ("/incidents/1", "Bogʻlandi: Nosozlik №1"),
    ]


def test_of_a_long_story_the_end_is_shown_and_the_beginning_folded(tmp_path: Path) -> None:
    async def long() -> None:
        store = Store(tmp_path / "data" / "yordam.db", (migrations, mailbox))
        log = Tickets(store)
        number = await opened(log, 601, "Ali")
        for n in range(ENTRIES_SHOWN + 9):
            await log.append(number, EventKind.USER_MESSAGE, {"text": f"xabar {n}"})
        store.close()

    asyncio.run(long())
    with Served(tmp_path) as page, page.logged_in() as browser:
        answer = browser.get("/tickets/1")
    folded, _, shown = answer.text.partition("</details>")
    told = [re.findall(r'class="said">xabar (\d+)<', part) for part in (folded, shown)]
    assert "Bundan oldingi voqealar: 10" in folded
    assert told == [[str(n) for n in range(9)], [str(n) for n in range(9, ENTRIES_SHOWN + 9)]]


def test_an_incident_has_a_page_its_tickets_lead_there_and_while_it_stands_the_list_says_so(tmp_path: Path) -> None:
    async def broken() -> None:
        store = Store(tmp_path / "data" / "yordam.db", (migrations, mailbox))
        at = datetime(2026, 11, 23, 7, tzinfo=UTC)

        def work(db: Database) -> None:
            for ticket in (1, 3):
                number = open_incident(db, Scope.OUTAGE, START_PBX, at)
                sql = "INSERT INTO incident_tickets (incident, ticket, linked_at) VALUES (?, ?, ?)"
                db.execute(sql, [number, ticket, at.isoformat()])
                if ticket == 1:
                    close_incident(db, number, "Nodir", (at + timedelta(minutes=5)).isoformat())

        await store.run(work)
        store.close()

    asyncio.run(tell(tmp_path / "data"))
    asyncio.run(broken())
    with Served(tmp_path) as page, page.logged_in() as browser:
        listed_ones, over, standing = (seen(browser.get(f"/incidents{which}")) for which in ("", "/1", "/2"))
        banner = re.findall(r'class="banner" href="([^"]+)"', browser.get("/").text)
        of_tickets = [re.findall(r'href="(/incidents/\d+)"', browser.get(f"/tickets/{n}").text) for n in (1, 2, 3)]
    assert (banner, of_tickets) == (["/incidents/2"], [["/incidents/1"], [], ["/incidents/2"]])
    assert (listed_ones.count("tuzalgan"), listed_ones.count("davom etyapti")) == (1, 1)
    assert "23.11.2026 12:05 (5 daqiqa) · Nodir yopgan" in over
    told = (
        "Nosozlik №2",
        "Hech kim ulana olmaydi. Murojaatlar: 1",
        "telefon dasturi toʻxtagan",
        "pm2 restart",
        "Dilnoza",
    )
    assert [words for words in told if words not in standing] == []
