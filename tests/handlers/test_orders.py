"""What the bot does with orders from the review page: each once, each with a word on what became of it."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.emptying import empty
from bot.orders import FORGOTTEN_AFTER, Action, Order, OrderBook, migrations, of_emptied, orders_given
from bot.schema import migrations as log_migrations
from bot.store import Store
from bot.tickets import Tickets
from tests.running import PERSON, STAFF, STAFF_CHAT, RunningBot

NAMESAKE = STAFF + 1  # of the staff, too, and called the same
PAGE = "https://yordam.example.uz"


class Desk:
    """A running bot with one ticket, and the file that orders come in."""

    def __init__(self, bot: RunningBot) -> None:
        self.bot = bot
        self.data = bot.folder / "data"
        self.book = OrderBook(Store(self.data / "web.db", (migrations,)))
        self._count = 0

    def order(self, action: Action, text: str = "", ticket: int = 1, by: int = STAFF, **more: str) -> str:
        """Gives an order; its id."""
        self._count += 1
        order_id = more.get("id", f"{self._count:016x}")
        asyncio.run(self.book.give(Order(order_id, ticket, action, text, by, "Nodir", datetime.now(UTC))))
        return order_id

    def outcome(self, order_id: str) -> str:
        """What became of it, as soon as it is known."""
        found = self.bot.api.wait_for(lambda: self._outcomes().get(order_id), 20)
        assert found is not None
        return found

    def _outcomes(self) -> dict[str, str]:
        with closing(sqlite3.connect(f"file:{self.data / 'yordam.db'}?mode=ro", uri=True)) as db:
            return dict(db.execute("SELECT id, outcome FROM orders_done").fetchall())


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with RunningBot(
        tmp_path_factory.mktemp("orders"),
        {"PBX_ON_THIS_HOST": "no", "WEB_URL": PAGE, "STAFF_IDS": f"{STAFF},{NAMESAKE}"},
    ) as bot:
        bot.says("/operator")
        bot.wait_for("Operatorga xabar berdim")
        desk = Desk(bot)
        yield desk
        desk.book.store.close()


def test_each_order_has_an_outcome(desk: Desk) -> None:
    given: list[tuple[Action, str, int, int]] = [
        ("take", "", 1, STAFF),
        ("note", "eslab qoling", 1, STAFF),
        ("reply", "hozir koʻraman", 1, STAFF),
        ("close", "no_answer", 1, STAFF),
        ("close", "staff", 1, STAFF),
        ("take", "", 1, STAFF),
        ("reopen", "", 1, STAFF),
        ("reopen", "", 1, STAFF),
        ("note", "x", 999, STAFF),
        ("close", "because", 1, STAFF),
        ("note", "x", 1, 12345),
    ]
    ids = [desk.order(action, text, ticket, by) for action, text, ticket, by in given]
    assert [desk.outcome(order_id) for order_id in ids] == [
        "done",
        "done",
        "done",
        "done",
        "closed_already",
        "closed_already",
        "done",
        "not_closed",
        "no_ticket",
        "failed",
        "refused",
    ]
    heard = [message.text for message in desk.bot.api.answers(PERSON)]
    assert [sum(words in text for text in heard) for words in ("hozir koʻraman", "yopildi", "eslab")] == [1, 1, 0]


def test_a_ticket_that_somebody_has_is_not_taken_again(desk: Desk) -> None:
    first = desk.order("take")
    desk.outcome(first)
    order_id = "00000000000000f1"
    other = Order(order_id, 1, "take", "", NAMESAKE, "Nodir", datetime.now(UTC))
    asyncio.run(desk.book.give(other))
    assert desk.outcome(order_id) == "taken_already"


def test_an_order_known_by_its_id_is_carried_out_once(desk: Desk) -> None:
    order_id = desk.order("reply", "faqat bir marta", id="00000000000000aa")
    desk.outcome(order_id)
    desk.order("reply", "faqat bir marta", id="00000000000000aa")
    desk.outcome(desk.order("note", "keyingi"))  # by then the second would have been seen, too
    assert sum("faqat bir marta" in message.text for message in desk.bot.api.answers(PERSON)) == 1


def test_what_is_ordered_of_a_ticket_is_done_in_its_order_also_where_telegram_keeps_a_reply_waiting(desk: Desk) -> None:
    desk.outcome(desk.order("reopen"))
    before = len(desk.bot.api.answers(PERSON))
    looks = []
    for n in range(5):  # the bot may send one message a second to a person
        looks.append(desk.order("reply", f"javob {n}"))
    desk.outcome(looks[0])  # so what follows is seen at a later look
    last = desk.order("close", "staff")
    assert [desk.outcome(order_id) for order_id in (*looks, last)] == ["done"] * 6
    heard = [message.text for message in desk.bot.api.answers(PERSON)[before:]]
    told = [text for text in heard if "javob" in text or "yopildi" in text]
    assert (told[:5], "yopildi" in told[5]) == ([f"Operator: javob {n}" for n in range(5)], True)


def test_a_spoiled_file_of_orders_is_told_once(tmp_path: Path) -> None:
    with RunningBot(tmp_path, {"PBX_ON_THIS_HOST": "no"}) as bot:
        (bot.data / "web.db").write_bytes(b"no database at all" * 1000)
        bot.wait_for("DatabaseError", STAFF_CHAT)
        bot.says("/operator")  # a few looks later
        bot.wait_for("Operatorga xabar berdim")
        for _ in range(3):
            before = len(bot.api.answers(PERSON))
            bot.says("/status")
            bot.wait_for("№1", after=before)
        told = [message.text for message in bot.api.answers(STAFF_CHAT) if "DatabaseError" in message.text]
        looked = bot.log.count("file is not a database")
    assert (len(told), looked > 0) == (1, True)


def test_old_orders_surprise_nobody_and_leave_the_file(desk: Desk) -> None:
    now = datetime.now(UTC)
    for name, text, at in (
        ("00000000000000bb", "kechagi", now - FORGOTTEN_AFTER - timedelta(minutes=1)),
        ("00000000000000bc", "bugungi", now),
    ):
        asyncio.run(desk.book.give(Order(name, 1, "note", text, STAFF, "Nodir", at)))
    assert "00000000000000bb" not in [order.id for order in orders_given(desk.data / "web.db", frozenset())]
    asyncio.run(desk.book.forget())
    kept = b"".join(path.read_bytes() for path in desk.data.glob("web.db*"))
    assert (b"kechagi" in kept, b"bugungi" in kept) == (False, True)


async def test_orders_about_a_ticket_that_was_emptied_leave_the_file(tmp_path: Path) -> None:
    log, web = Store(tmp_path / "yordam.db", (log_migrations,)), Store(tmp_path / "web.db", (migrations,))
    tickets, book = Tickets(log), OrderBook(web)
    for user_id, said in ((7, "Aziza, qarayapman"), (8, "Botir, qarayapman")):
        ticket = await tickets.open(user_id=user_id, chat_id=user_id, name="A", language="uz", source=f"u:{user_id}")
        await book.give(Order(f"{user_id:016x}", ticket.number, "reply", said, STAFF, "Nodir", datetime.now(UTC)))
    await log.run(lambda db: empty(db, 1))
    numbers = await book.tickets()
    await book.forget(of_emptied(log.path, numbers))
    log.close()
    web.close()
    kept = (tmp_path / "web.db").read_bytes()
    assert (numbers, b"Aziza" in kept, b"Botir" in kept) == (frozenset({1, 2}), False, True)


def test_the_link_is_given_in_private_alone(desk: Desk) -> None:
    desk.bot.api.send_text(STAFF, "/web", STAFF_CHAT)
    desk.bot.wait_for("Havolani faqat shaxsiy suhbatda beraman", STAFF_CHAT)
    desk.bot.api.send_text(STAFF, "/web")
    link = desk.bot.wait_for(f"{PAGE}/login?t=", STAFF)
    keyboard = link.raw["reply_markup"]["inline_keyboard"]
    assert [button["url"] for row in keyboard for button in row] == re.findall(r"https://\S+", link.text)


def test_whoever_blocked_the_bot_cannot_be_reached_and_that_is_said(desk: Desk) -> None:
    desk.bot.api.block(PERSON)
    assert desk.outcome(desk.order("reply", "eshitasizmi?")) == "unreachable"
