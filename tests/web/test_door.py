"""Who gets in: strangers nowhere, the staff by a link that works once, nobody by anything of Datasette's own."""

from __future__ import annotations

import asyncio
import re
import signal
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from bot.passes import new_pass, sealed
from tests.running import STAFF
from tests.web.served import Served, enter
from tests.web.stories import tell

pytest.importorskip("datasette", reason="the extra 'web' is not installed")


OURS = ("/", "/?q=a", "/tickets/1", "/tickets/1/attachments/1-a.png", "/incidents", "/incidents/1", "/numbers")
OURS_TO_POST = ("/tickets/1/orders", "/logout")
DATASETTES = (
    "/.json", "/favicon.ico", "/-/static/app.css", "/-/static-plugins/bot.web/page.css", "/:memory:",
    "/-/metadata", "/-/metadata.json", "/-/versions.json", "/-/plugins.json", "/-/settings.json", "/-/config.json",
    "/-/config", "/-/threads.json", "/-/databases.json", "/-/actor.json", "/-/auth-token", "/-/logout",
    "/-/permissions", "/-/messages", "/-/allow-debug", "/-/patterns", "/yordam.db", "/yordam", "/yordam.json",
    "/yordam?sql=select+1", "/_internal", "/_memory", "/yordam/tickets", "/yordam/tickets.json",
    "/yordam/tickets.csv", "/yordam/tickets.csv?_stream=1", "/yordam/events/1", "/yordam/events/1.json",
)  # fmt: skip
ODD = (
    "/nowhere",
    "//",
    "/tickets/1/",
    "/tickets/1%2fattachments",
    "/static/../web.key",
    "/static/page.css/x",
    "/%2e%2e",
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("door")
    asyncio.run(tell(folder / "data"))
    with Served(folder) as served:
        yield served


@pytest.mark.parametrize("path", [*OURS, *OURS_TO_POST, *DATASETTES, *ODD])
def test_strangers_are_refused_everywhere(page: Served, path: str) -> None:
    with page.stranger() as browser:
        answers = [browser.request(method, path) for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")]
    assert [answer.status_code for answer in answers] == [403] * 6
    assert [name for name in ("Aziza", "1002", "sqlite") if any(name in answer.text for answer in answers)] == []


def test_no_route_of_datasettes_is_without_a_sample() -> None:
    from datasette.app import Datasette  # type: ignore[import-untyped, unused-ignore]

    routes = [
        pattern for pattern, _ in Datasette(memory=True)._routes() if pattern.pattern != r"/(\.(?P<format>jsono?))?$"
    ]
    paths = [path.partition("?")[0] for path in DATASETTES]
    assert [route.pattern for route in routes if not any(route.match(path) for path in paths)] == []


@pytest.mark.parametrize("path", [path for path in DATASETTES if path != "/.json"])
def test_datasettes_own_pages_are_closed_to_the_staff_too(page: Served, path: str) -> None:
    with page.logged_in() as browser:
        assert browser.get(path).status_code == 404


def test_the_stylesheet_and_the_icon_are_anybodys_and_nothing_beside_them(page: Served) -> None:
    with page.stranger() as browser:
        found = [browser.get(path).status_code for path in ("/static/page.css", "/static/icon.svg", "/static/x.css")]
    assert found == [200, 200, 404]


def test_a_link_works_once_and_looking_at_it_uses_nothing_up(page: Served) -> None:
    word = page.word()
    with page.stranger() as preview:
        assert [preview.get("/login", params={"t": word}).status_code for _ in range(3)] == [200] * 3
    with page.stranger() as browser, page.stranger() as thief:
        assert enter(browser, word).status_code == 303
        assert browser.get("/").status_code == 200
        assert enter(thief, word).status_code == 403
        assert thief.get("/").status_code == 403


def test_a_used_link_stays_used_and_a_session_lives_over_a_restart(page: Served) -> None:
    word = page.word()
    with page.logged_in(word) as browser:
        assert page.stop() == 0
        page.start()
        with page.stranger() as thief:
            assert enter(thief, word).status_code == 403
        assert browser.get("/").status_code == 200


def test_links_that_are_old_forged_or_anothers_open_nothing(page: Served) -> None:
    good = page.word()
    words = {
        "old": page.word(new_pass(STAFF, "Nodir", timedelta(seconds=-1))),
        "of a stranger": page.word(new_pass(12345, "Mallory")),
        "with another key": sealed(b"k" * 32, "link", new_pass(STAFF, "Nodir")),
        "cut": good[:-2],
        "a session's": sealed((page.data / "web.key").read_bytes(), "session", new_pass(STAFF, "Nodir")),
        "no word": "",
        "nonsense": "ʻ.é",
    }
    with page.stranger() as browser:
        assert {name: enter(browser, word).status_code for name, word in words.items()} == dict.fromkeys(words, 403)
        browser.cookies.set("yordam", good)
        assert browser.get("/").status_code == 403


def test_whoever_leaves_the_staff_is_out_at_once(page: Served) -> None:
    with page.logged_in() as browser:
        before = browser.get("/").status_code
        page.staff(901)
        after = browser.get("/").status_code
        page.staff(STAFF)
    assert (before, after) == (200, 403)


def test_settings_that_cannot_be_read_let_nobody_in(page: Served) -> None:
    with page.logged_in() as browser:
        (page.folder / ".env").write_text("STAFF_IDS=Nodir\n")
        refused = browser.get("/").status_code
        page.staff(STAFF)
        assert (refused, browser.get("/").status_code) == (403, 200)


def test_logging_out_ends_the_session_for_good(page: Served) -> None:
    with page.logged_in() as browser:
        cookie = browser.cookies["yordam"]
        token = re.search(r'name="csrftoken" value="([^"]+)"', browser.get("/").text)
        assert token is not None
        left = browser.post("/logout", data={"csrftoken": token[1]})
        browser.cookies.set("yordam", cookie)
        assert (left.status_code, browser.get("/").status_code) == (200, 403)


@pytest.mark.parametrize("path", [*OURS, "/login", "/nowhere", "/static/page.css", "/-/plugins"])
def test_every_answer_is_guarded(page: Served, path: str) -> None:
    with page.logged_in() as browser, page.stranger() as stranger:
        for answer in (browser.get(path), stranger.get(path)):
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            guards = ("x-frame-options", "referrer-policy", "x-content-type-options")
            assert [answer.headers[name] for name in guards] == ["DENY", "no-referrer", "nosniff"]
            assert answer.headers["cache-control"] == (
                "public, max-age=3600" if path.startswith("/static") else "no-store"
            )
            assert [name for name in ("server", "x-powered-by") if name in answer.headers] == []


def cookies_of(answer: httpx.Response) -> dict[str, set[str]]:
    parts = [header.split("; ") for header in answer.headers.get_list("set-cookie")]
    return {
        first.partition("=")[0]: {part for part in rest if "=" not in part or "Site" in part} for first, *rest in parts
    }


def test_cookies_are_for_this_site_alone_and_no_script_reads_them(page: Served) -> None:
    with page.stranger() as browser:
        word = page.word()
        form = cookies_of(browser.get("/login", params={"t": word}))
        session = cookies_of(enter(browser, word))
    assert form == {"ds_csrftoken": {"HttpOnly", "SameSite=Strict"}}
    assert session == {"yordam": {"HttpOnly", "SameSite=Strict"}}


def test_behind_tls_cookies_never_travel_without_it(tmp_path: Path) -> None:
    asyncio.run(tell(tmp_path / "data"))
    with Served(tmp_path, {"WEB_URL": "https://yordam.example.uz"}) as page, page.stranger() as browser:
        word = page.word()
        shown = browser.get("/login", params={"t": word})
        token = re.search(r'name="csrftoken" value="([^"]+)"', shown.text)
        assert token is not None
        cookie = f"ds_csrftoken={token[1]}"
        answer = browser.post("/login", data={"t": word, "csrftoken": token[1]}, headers={"Cookie": cookie})
    assert cookies_of(answer) == {"__Host-yordam": {"HttpOnly", "SameSite=Strict", "Secure"}}


def test_the_key_is_its_owners_alone_and_no_secret_reaches_the_log(page: Served) -> None:
    key = page.data / "web.key"
    with page.logged_in() as browser:
        words = [browser.cookies["yordam"], key.read_bytes().hex(), "t="]
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert [word for word in words if word in page.log] == []
    assert "Traceback" not in page.log


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_well(tmp_path: Path, how: signal.Signals) -> None:
    asyncio.run(tell(tmp_path / "data"))
    with Served(tmp_path) as page:
        assert page.stop(how) == 0
        assert "Traceback" not in page.log
