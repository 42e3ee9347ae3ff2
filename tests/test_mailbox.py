"""The mailbox: what is posted is committed in order, a bad write hurts only itself, what is forgotten is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from bot.mailbox import Claim, Claimed, Letter, Mailbox, migrations
from bot.store import Store


@pytest.fixture
async def mailbox(tmp_path: Path) -> AsyncIterator[Mailbox]:
    box = Mailbox(Store(tmp_path / "bot.db", (migrations,)), now=lambda: 1000.0)
    yield box
    await box.flush()
    box.store.close()


async def table(mailbox: Mailbox, name: str) -> list[dict[str, Any]]:
    await mailbox.flush()
    return await mailbox.store.run(lambda db: list(db.query(f"SELECT * FROM {name}")))  # noqa: S608 - our own names


async def test_a_letter_is_stored_once_and_waits_until_it_is_done(mailbox: Mailbox) -> None:
    first, second = Letter(5, 7, '{"a": 1}', 10.0, "r"), Letter(4, 7, "{}", 11.0)
    assert await mailbox.receive([first, second, first]) == [first, second]
    mailbox.begin(5)
    mailbox.finish(4, "why")
    assert await mailbox.open_letters() == [Letter(5, 7, None, 10.0, "r", 1, 0.0)]
    assert (await mailbox.body_of(5), await mailbox.body_of(4)) == ('{"a": 1}', None)
    mailbox.postpone(5, 2000.0)
    assert await mailbox.open_letters() == [Letter(5, 7, None, 10.0, "r", 0, 2000.0)]


async def test_a_send_is_fresh_then_unknown_then_filled_or_free_again(mailbox: Mailbox) -> None:
    seen = [await mailbox.claim("update:1", "a", 7), await mailbox.claim("update:1", "a", 7)]
    mailbox.fill("update:1", "a", {"message_id": 3}, 3)
    seen.append(await mailbox.claim("update:1", "a", 7))
    await mailbox.claim("update:1", "b", 7)
    mailbox.release("update:1", "a")
    mailbox.release("update:1", "b")
    assert seen == [Claimed(Claim.FRESH), Claimed(Claim.UNKNOWN), Claimed(Claim.FILLED, {"message_id": 3})]
    assert await mailbox.sent("update:1") == {"a": 3}


async def test_a_result_posted_is_committed_before_a_claim_asked_later(mailbox: Mailbox, tmp_path: Path) -> None:
    await mailbox.claim("update:1", "a", 7)
    mailbox.fill("update:1", "a", True, None)
    await mailbox.claim("update:1", "b", 7)
    reader = Database(tmp_path / "bot.db")
    assert list(reader.execute("SELECT step, result FROM outbox")) == [("a", "true"), ("b", None)]
    reader.close()


async def test_a_write_that_fails_fails_alone(mailbox: Mailbox) -> None:
    def bad(db: Database) -> None:
        db.conn.execute("INSERT INTO pulse VALUES ('lost', 1)")
        raise ValueError("bad")

    results = await asyncio.gather(
        mailbox.ask(lambda db: db.conn.execute("INSERT INTO pulse VALUES ('a', 1)").rowcount),
        mailbox.ask(bad),
        mailbox.ask(lambda db: db.conn.execute("INSERT INTO pulse VALUES ('b', 2)").rowcount),
        return_exceptions=True,
    )
    assert [str(result) for result in results] == ["1", "bad", "1"]
    assert await table(mailbox, "pulse") == [{"name": "a", "value": 1.0}, {"name": "b", "value": 2.0}]


async def test_a_person_forgotten_leaves_bare_ids_and_no_bytes(mailbox: Mailbox, tmp_path: Path) -> None:
    await mailbox.receive([Letter(1, 7, "Sekret123", 10.0), Letter(2, 8, "open", 10.0)])
    mailbox.finish(1, "Sekret123")
    await mailbox.claim("update:1", "a", 7)
    mailbox.fill("update:1", "a", {"text": "Sekret123"}, 3)
    mailbox.closed(7, "blocked")
    await mailbox.forget(7)
    await mailbox.store.checkpoint()
    rows = [(row["update_id"], row["chat_id"], row["error"]) for row in await table(mailbox, "inbox")]
    assert (rows, await table(mailbox, "outbox"), (await mailbox.chats()).closed) == (
        [(1, 0, None), (2, 8, None)],
        [],
        {},
    )
    files = sorted(tmp_path.iterdir())  # noqa: ASYNC240 - a test
    assert [path.name for path in files if b"Sekret123" in path.read_bytes()] == []


async def test_what_is_old_and_done_is_purged_and_what_waits_is_not(mailbox: Mailbox) -> None:
    await mailbox.receive([Letter(1, 7, "x", 1.0), Letter(2, 7, "y", 1.0)])
    mailbox.finish(1)
    mailbox.paused(7, 900.0)
    mailbox.paused(8, 1100.0)
    await mailbox.claim("update:1", "a", 7)
    await mailbox.purge(kept_s=-1.0)
    left = [row["update_id"] for row in await table(mailbox, "inbox")]
    assert (left, await table(mailbox, "outbox"), (await mailbox.chats()).paused) == ([2], [], {8: 1100.0})
