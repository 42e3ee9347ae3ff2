"""`yordam web` as a process of its own, and a browser without eyes (httpx) that can log in to it."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from time import monotonic
from typing import Self

import httpx

from bot.passes import Pass, key_of, new_pass, sealed
from tests.running import STAFF, Running

CSRF = re.compile(r'name="csrftoken" value="([^"]+)"')
ORDER = re.compile(r'name="order" value="([0-9a-f]{16})"')


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


class Served(Running):
    """The review page over a folder's ticket log. The staff stand in the folder's .env, which a test may change."""

    log_name = "web.log"

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(folder)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = dict(settings or {})

    def staff(self, *ids: int) -> None:
        """Who is of the staff from now on."""
        (self.folder / ".env").write_text(f"STAFF_IDS={','.join(map(str, ids))}\n")

    def __enter__(self) -> Self:
        self.staff(STAFF)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self) -> None:
        """Starts the process, and waits until it answers."""
        listen = f"127.0.0.1:{self.port}"
        own = {"WEB_LISTEN": listen, "WEB_URL": self.url, "STAFF_IDS": "", **self._settings}  # those of .env count
        self.begin(sys.executable, "-m", "bot", "web", **own)
        until = monotonic() + 30
        while monotonic() < until and self.process.poll() is None:
            try:
                httpx.get(f"{self.url}/login")
            except httpx.TransportError:
                continue
            return
        raise AssertionError(f"the review page did not start: {self.log}")

    def word(self, held: Pass | None = None) -> str:
        """The word of a link as the bot would give it."""
        return sealed(key_of(self.data), "link", held or new_pass(STAFF, "Nodir"))

    def stranger(self) -> httpx.Client:
        """A browser that nobody knows."""
        return httpx.Client(base_url=self.url, timeout=20)

    @contextmanager
    def logged_in(self, word: str | None = None) -> Iterator[httpx.Client]:
        """The browser of one of the staff."""
        with self.stranger() as browser:
            assert enter(browser, word or self.word()).status_code == 303
            yield browser


def enter(browser: httpx.Client, word: str) -> httpx.Response:
    """Opens a link and presses its button."""
    page = browser.get("/login", params={"t": word})
    token = CSRF.search(page.text)
    return browser.post("/login", data={"t": word, "csrftoken": token[1] if token else ""})


def seen(answer: httpx.Response) -> str:
    """The page as it is read, without markup."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", answer.text)))


def order(browser: httpx.Client, ticket: int, **fields: str) -> httpx.Response:
    """Fills in a form of a ticket's page and sends it."""
    page = browser.get(f"/tickets/{ticket}").text
    token, number = CSRF.search(page), ORDER.search(page)
    assert token is not None
    assert number is not None
    return browser.post(
        f"/tickets/{ticket}/orders", data={"csrftoken": token[1], "order": number[1], **fields}, timeout=20
    )
