"""What does a member of the staff want done? A posted form → an order for the bot, and what became of it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlite_utils import Database

from bot.model import Status, Ticket
from bot.orders import ACTIONS, Action, Order
from bot.redact import redact
from bot.web.visit import Visit

TEXT_MAX = 3000  # UTF-16 units, as browsers and Telegram count; with the bot's own words it fits one message
CLOSE_REASONS = ("solved", "staff", "no_answer")
SAYS_SOMETHING: tuple[Action, ...] = ("reply", "note")
WAIT_S, LOOK_EVERY_S = 2.5, 0.1  # the bot looks every second: mostly the answer is there at once
LOOK_AGAIN_FOR = timedelta(seconds=15)
_ID = re.compile(r"[0-9a-f]{16}")
_SEEN = re.compile(r"[^\s\x00-\x1f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")  # a sign that can be seen


class WrongOrderError(Exception):
    """The form cannot be an order; its text names the reason in the catalogue."""


@dataclass(frozen=True, slots=True)
class Given:
    """An order and its fate; `outcome` None: the bot has not taken it up yet."""

    order: Order
    outcome: str | None

    @property
    def on_its_way(self) -> bool:
        """Whether it is worth looking again soon; later that would only tear words out of the writer's hand."""
        return self.outcome is None and datetime.now(UTC) - self.order.at < LOOK_AGAIN_FOR


def order_of(form: Mapping[str, str], ticket: int, by_id: int, by: str) -> Order:
    """The order in a form. Raises WrongOrderError."""
    action = next((known for known in ACTIONS if known == form.get("action")), None)
    if action is None or _ID.fullmatch(form.get("order", "")) is None:
        raise WrongOrderError("web.wrong.form")
    text = form.get("text", "").replace("\r\n", "\n").strip()
    if action in SAYS_SOMETHING:
        if not _SEEN.search(text):
            raise WrongOrderError("web.wrong.empty")
        if len(text.encode("utf-16-le")) > 2 * TEXT_MAX:
            raise WrongOrderError("web.wrong.long")
        if redact(text) != text:  # it would lie in two files and a chat
            raise WrongOrderError("web.wrong.secret")
    elif action == "close":
        text = form.get("reason", "")
        if text not in CLOSE_REASONS:
            raise WrongOrderError("web.wrong.form")
    else:
        text = ""
    return Order(form["order"], ticket, action, text, by_id, by, datetime.now(UTC))


def possible(ticket: Ticket) -> tuple[Action, ...]:
    """What can be ordered of a ticket as it stands."""
    if ticket.emptied:
        return ()
    ended = ticket.status in (Status.SOLVED, Status.CLOSED)
    return ("reply", "note", "reopen") if ended else ("reply", "note", "close", "take")


def outcomes(db: Database, ids: Collection[str]) -> dict[str, str]:
    """What became of the orders the bot has taken up."""
    blanks = ", ".join("?" * len(ids))
    rows = db.query(f"SELECT id, outcome FROM orders_done WHERE id IN ({blanks})", list(ids))  # noqa: S608 - blanks
    return {row["id"]: row["outcome"] for row in rows}


async def given(visit: Visit, ticket: int) -> tuple[Given, ...]:
    """The orders of the last day about a ticket, the newest first."""
    orders = await visit.room.orders.given_to(ticket)
    done = await visit.read(lambda db: outcomes(db, [order.id for order in orders]))
    return tuple(Given(order, done.get(order.id)) for order in reversed(orders))


async def wait_for(visit: Visit, order: Order) -> None:
    """Until the bot has carried the order out, a few seconds at most: the page then shows its end at once."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        if await visit.read(lambda db: outcomes(db, [order.id])):
            return
        await asyncio.sleep(LOOK_EVERY_S)
