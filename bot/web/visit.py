"""One request to the review page: who asks, reading the ticket log, answering with a template."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from datasette import Response  # type: ignore[import-untyped, import-not-found, unused-ignore]
from datasette.utils import sqlite_timelimit  # type: ignore[import-untyped, import-not-found, unused-ignore]
from markupsafe import Markup
from sqlite_utils import Database

from bot.numbers import UZBEKISTAN
from bot.web.room import LOGIN, LOGOUT, STATIC, Room
from bot.wording import decimal, duration

T = TypeVar("T")
READ_LIMIT_MS = 3000  # a page that reads longer is given up


@dataclass(frozen=True, slots=True)
class Visit:
    """Datasette's request, and the room it came to."""

    room: Room
    datasette: Any
    request: Any

    @property
    def query(self) -> Mapping[str, str]:
        """The address's parameters; of one that is repeated the last."""
        return dict(parse_qsl(self.request.query_string))

    @property
    def number(self) -> int:
        """The ticket or incident the address names."""
        return int(self.request.url_vars["number"])

    async def form(self) -> Mapping[str, str]:
        """What was posted."""
        posted: Mapping[str, str] = await self.request.post_vars()
        return posted

    async def read(self, work: Callable[[Database], T]) -> T:
        """The result of `work` on the ticket log, opened for reading only, in a thread of Datasette's.

        Raises sqlite3.OperationalError when it takes too long, or there is no log yet.
        """

        def run(connection: Any) -> T:
            with sqlite_timelimit(connection, READ_LIMIT_MS):
                return work(Database(connection))

        result: T = await self.datasette.get_database().execute_fn(run)
        return result

    async def page(self, template: str, status: int = 200, **values: Any) -> Any:
        """A page of ours."""
        html = await self.datasette.render_template(template, {**furniture(self.room), **values}, request=self.request)
        return Response.html(html, status=status)

    async def sorry(self, status: int) -> Any:
        """A page that says why there is nothing to see."""
        return await self.page("sorry.html", status, why=f"web.sorry.{status}")


def furniture(room: Room) -> dict[str, Any]:
    """What every template may use."""
    words = room.words
    return {
        "t": words.plain,
        "h": words.html,
        "login_at": LOGIN,
        "logout_at": LOGOUT,
        "static_at": STATIC,
        "at": clock,
        "day": day,
        "decimal": decimal,
        "took": lambda seconds: duration(words, seconds),
    }


def clock(moment: datetime, form: str = "%d.%m.%Y %H:%M") -> Markup:
    """A moment in Uzbekistan's time; without a year in `form` that of another year gets one."""
    local = moment.astimezone(UZBEKISTAN)
    if "%d.%m" in form and local.year != datetime.now(UZBEKISTAN).year:
        form = form.replace("%d.%m ", "%d.%m.%Y ")
    return Markup('<time datetime="{}">{}</time>').format(local.isoformat(timespec="seconds"), local.strftime(form))


def day(iso: str) -> str:
    """`2026-11-23` as people here write it."""
    year, month, number = iso.split("-")
    return f"{number}.{month}.{year}"
