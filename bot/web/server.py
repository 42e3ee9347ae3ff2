"""Serves the review page: Datasette behind our gate, on one address, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import re
import signal
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from datasette import hookimpl  # type: ignore[import-untyped, import-not-found, unused-ignore]
from datasette.app import Datasette  # type: ignore[import-untyped, import-not-found, unused-ignore]
from datasette.plugins import pm  # type: ignore[import-untyped, import-not-found, unused-ignore]

from bot.orders import of_emptied
from bot.passes import derived
from bot.web.gate import App, Gate, Scope
from bot.web.pages import GETS, POSTS, answer
from bot.web.room import STATIC, Room
from bot.web.visit import Visit, furniture

log = logging.getLogger(__name__)
TIDY_EVERY_S = 60.0
HERE = Path(__file__).parent
SETTINGS = {
    "default_allow_sql": False,
    "allow_download": False,
    "allow_csv_stream": False,
    "allow_facet": False,
    "suggest_facets": False,
    "num_sql_threads": 3,
    "sql_time_limit_ms": 3000,
}


class Plugin:
    """What Datasette asks of its plugins; it finds the templates beside the package it is named after."""

    __name__ = "bot.web"

    def __init__(self, room: Room) -> None:
        self.room = room

    @hookimpl  # type: ignore[untyped-decorator, unused-ignore]
    def register_routes(self) -> list[tuple[str, Any]]:
        """Our pages come before Datasette's own."""
        return [(f"{pattern}$", self._view(pattern)) for pattern in {**GETS, **POSTS}]

    @hookimpl  # type: ignore[untyped-decorator, unused-ignore]
    def permission_allowed(self, actor: Any, action: str) -> bool:
        """The staff may see our pages, and nobody anything else: no SQL, no tables, no downloads."""
        return action == "review-tickets" and actor is not None and actor["id"] in self.room.staff()

    def _view(self, pattern: str) -> Any:
        async def view(request: Any, datasette: Any) -> Any:
            return await answer(Visit(self.room, datasette, request), pattern)

        return view


@contextlib.contextmanager
def review_page(room: Room) -> Iterator[App]:
    """The whole page as an ASGI application; Datasette knows of it inside the block."""
    plugin = Plugin(room)
    pm.register(plugin)
    try:
        datasette = Datasette(
            files=[str(room.database)],
            settings=SETTINGS,
            secret=derived(room.key, "datasette").hex(),
            static_mounts=[(STATIC.strip("/"), str(HERE / "static"))],
        )
        datasette.jinja_env.globals["style"] = _style()
        datasette.jinja_env.filters["first_upper"] = lambda text: text[:1].upper() + text[1:]
        datasette.jinja_env.trim_blocks = datasette.jinja_env.lstrip_blocks = True

        async def refusal(scope: Scope, status: int, said: str) -> str:
            page = datasette.jinja_env.get_template("sorry.html")
            values = furniture(room) | {"why": f"web.sorry.{status}", "actor": scope["actor"], "said": said}
            return str(await page.render_async(values))

        pages = re.compile("|".join(f"(?:{re.sub(r'[?]P<[a-z]+>', '?:', p)})" for p in {**GETS, **POSTS}))
        yield Gate(datasette.app(), room, pages, refusal)
    finally:
        pm.unregister(plugin)


def _style() -> str:
    """The stylesheet's address; it changes with the file, so that browsers may keep it."""
    print_of = hashlib.blake2b((HERE / "static" / "page.css").read_bytes(), digest_size=6).hexdigest()
    return f"{STATIC}/page.css?{print_of}"


class _Server(uvicorn.Server):
    """Ends with its own exit status: uvicorn would raise the signal again afterwards."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT let it finish what it holds."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._end)
        yield

    def _end(self) -> None:
        self.should_exit = True


async def _tidy(room: Room) -> None:
    """What staff wrote on the page does not stay there: the ticket log has it, or the person wished it gone."""
    while True:
        try:
            numbers = await room.orders.tickets()
            await room.orders.forget(await asyncio.to_thread(of_emptied, room.database, numbers))
        except sqlite3.Error:
            log.exception("old orders could not be forgotten")
        await asyncio.sleep(TIDY_EVERY_S)


class AddressTakenError(Exception):
    """The address cannot be listened on; its text says why."""


def _listening(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), int(port)), family=family)
    except OSError as trouble:
        raise AddressTakenError(os.strerror(trouble.errno or 0)) from None


async def serve(room: Room, listen: str) -> None:
    """Until SIGTERM or SIGINT. `listen`: 'ip:port'. Raises AddressTakenError."""
    with _listening(listen) as door, review_page(room) as page:
        config = uvicorn.Config(
            page,  # type: ignore[arg-type, unused-ignore]
            lifespan="on",
            ws="none",
            log_config=None,
            log_level="warning",
            access_log=False,  # addresses of the login hold the link's word
            server_header=False,
            proxy_headers=False,
            limit_concurrency=100,
            timeout_graceful_shutdown=5,
        )
        tidying = asyncio.create_task(_tidy(room), name="tidy")
        log.info("the review page is at %s, listening on %s", room.url, listen)
        try:
            await _Server(config).serve(sockets=[door])
        finally:
            tidying.cancel()
