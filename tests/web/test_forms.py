"""A form comes from the page itself, whole and readable, or nothing becomes of it but what was written in it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.attachments import Attachments
from bot.orders import OrderBook, migrations
from bot.settings import Settings
from bot.store import Store
from messages import load
from tests.web.served import Served
from tests.web.stories import tell

pytest.importorskip("datasette", reason="the extra 'web' is not installed")

from bot.web.gate import Gate, Message, Receive, Scope, Send  # after it is known that the extra is there
from bot.web.room import Room

GONE = {"type": "http.disconnect"}
CHUNKED = {"Transfer-Encoding": "chunked"}  # beside a Content-Length it is what counts (RFC 9112, section 6.3)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("door")
    asyncio.run(tell(folder / "data"))
    with Served(folder) as served:
        yield served


def test_a_form_from_elsewhere_is_refused(page: Served) -> None:
    with page.logged_in() as browser:
        form = {"order": "0" * 16, "action": "close", "reason": "staff"}
        page_before = browser.get("/tickets/2").text
        refused = [
            browser.post("/tickets/2/orders", data=form).status_code,
            browser.post("/tickets/2/orders", data={**form, "csrftoken": "x"}).status_code,
            browser.post("/tickets/2/orders", json=form).status_code,
        ]
        assert refused == [403] * 3
        assert ("pending" in page_before, "pending" in browser.get("/tickets/2").text) == (False, False)


@pytest.mark.parametrize("site", ["same-site", "cross-site"])
def test_a_form_on_a_neighbours_page_is_refused_whatever_it_knows(page: Served, site: str) -> None:
    word = page.word()
    with page.stranger() as browser:
        token = re.search(r'name="csrftoken" value="([^"]+)"', browser.get("/login", params={"t": word}).text)
        assert token is not None
        form = {"t": word, "csrftoken": token[1]}
        refused = browser.post("/login", data=form, headers={"Sec-Fetch-Site": site}).status_code
        taken = browser.post("/login", data=form, headers={"Sec-Fetch-Site": "same-origin"}).status_code
    assert (refused, taken) == (403, 303)


@pytest.mark.parametrize("cookie", [b"", b"ds_csrftoken=\xff; a=1"], ids=["without a cookie", "with one"])
def test_a_form_that_cannot_be_read_is_refused_and_breaks_nothing(page: Served, cookie: bytes) -> None:
    plain, several = b"application/x-www-form-urlencoded; charset=utf-8", b"multipart/form-data"
    with page.stranger() as browser:
        answers = [
            browser.post("/login", content=b"t=\xff\xfe", headers=[(b"content-type", kind), (b"cookie", cookie)])
            for kind in (plain, several)
        ]
    with page.logged_in() as staff:
        answers.append(staff.post("/tickets/2/orders", content=b"text=\xff", headers=[(b"content-type", plain)]))
    assert ([answer.status_code for answer in answers], "Traceback" in page.log) == ([400, 403, 400], False)


@pytest.mark.parametrize(("last", "reached"), [({"type": "http.request", "body": b"b"}, [b"t=ab"]), (GONE, [])])
async def test_a_form_that_was_cut_off_on_its_way_reaches_nobody(
    tmp_path: Path, last: dict[str, Any], reached: list[bytes]
) -> None:
    coming = [{"type": "http.request", "body": b"t=a", "more_body": True}, last]
    heard, said = [], []

    async def behind(scope: Scope, receive: Receive, send: Send) -> None:
        heard.append((await receive())["body"])

    async def receive() -> Message:
        return coming.pop(0)

    async def send(message: Message) -> None:
        said.append(message)

    async def refusal(scope: Scope, status: int, text: str) -> str:
        return text

    store = Store(tmp_path / "web.db", (migrations,))
    log = tmp_path / "yordam.db"
    room = Room(
        log, OrderBook(store), b"k" * 32, frozenset, load("uz"), Settings().target(), Attachments(log), "http://x"
    )
    kind = b"application/x-www-form-urlencoded"
    headers = [(b"content-length", b"4"), (b"content-type", kind)]
    scope = {"type": "http", "method": "POST", "path": "/login", "raw_path": b"/login", "headers": headers}
    await Gate(behind, room, re.compile("/"), refusal)(scope, receive, send)
    store.close()
    assert (heard, [message["status"] for message in said[:1]]) == (reached, [] if reached else [400])


@pytest.mark.parametrize("other", ['a={"b": "c d"}', "expires=Wed, 21 Oct 2015", "plain", "ism=Дилноза", 'q="'])
def test_what_others_under_the_same_domain_keep_in_cookies_keeps_nobody_out(page: Served, other: str) -> None:
    with page.logged_in() as browser:
        ours = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = [(b"cookie", f"{other}; {ours}".encode())]
    with page.stranger() as browser:
        shown = browser.get("/tickets/2", headers=headers)
        token = re.search(r'name="csrftoken" value="([^"]+)"', shown.text)
        assert token is not None
        sent = browser.post("/tickets/2/orders", data={"csrftoken": token[1], "action": "none"}, headers=headers)
    assert (shown.status_code, sent.status_code, "Shakl toʻliq emas" in sent.text) == (200, 422, True)


def test_what_somebody_wrote_while_the_session_ended_is_given_back_and_the_way_leads_to_the_ticket(
    page: Served,
) -> None:
    with page.stranger() as browser:
        refused = browser.post("/tickets/2/orders", data={"text": "uzun <b>javob</b>\r\nikki qator"})
        elsewhere = browser.post("/tickets/2/orders", data={"text": "begona"}, headers={"Sec-Fetch-Site": "cross-site"})
    with page.logged_in() as browser:
        way = browser.get("/tickets/2/orders")
    given_back = "uzun &lt;b&gt;javob&lt;/b&gt;\r\nikki qator</textarea>" in refused.text
    assert (refused.status_code, given_back, "begona" in elsewhere.text) == (403, True, False)
    assert (way.status_code, way.headers["location"]) == (303, "/tickets/2")


def test_a_form_of_any_size_is_not_swallowed(page: Served) -> None:
    with page.logged_in() as browser:
        large = browser.post("/tickets/2/orders", data={"text": "x" * 70_000})
        endless = browser.post("/tickets/2/orders", content=iter([b"text=x"]))
    with page.stranger() as stranger:
        lying = stranger.post("/login", content=b"5\r\nt=abc\r\n0\r\n\r\n", headers={"Content-Length": "20", **CHUNKED})
    assert (large.status_code, endless.status_code, lying.status_code) == (413, 413, 413)
