"""Many small writes, one commit: what is asked of a Store in one turn of the event loop is written together.

A commit and two changes of thread cost more than the write itself; side by side, sixteen conversations share them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from sqlite_utils import Database

from bot.store import Store

T = TypeVar("T")


class Batched:
    """Writes in the order in which they were handed in; a failing one fails alone."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._queue: list[tuple[Callable[[Database], Any], asyncio.Future[Any] | None]] = []
        self._writer: asyncio.Task[None] | None = None

    async def ask(self, work: Callable[[Database], T]) -> T:
        """The result of `work`, committed, after everything posted before."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._enqueue(work, future)
        return await asyncio.shield(future)

    def post(self, work: Callable[[Database], Any]) -> None:
        """`work` will be committed soon, in order, and before anything asked later is."""
        self._enqueue(work, None)

    def _enqueue(self, work: Callable[[Database], Any], future: asyncio.Future[Any] | None) -> None:
        self._queue.append((work, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write(), name="mailbox")

    async def _write(self) -> None:
        while self._queue:
            batch, self._queue = self._queue, []
            try:
                results = await self.store.run(lambda db, batch=batch: [work(db) for work, _ in batch])  # type: ignore[misc]
            except Exception as error:
                if len(batch) > 1:  # one is bad: each by itself, in order, before anything newer
                    for single in batch:
                        await self._write_one(*single)
                    continue
                results = [error]
            for (_, future), result in zip(batch, results, strict=True):
                _settle(future, result)

    async def _write_one(self, work: Callable[[Database], Any], future: asyncio.Future[Any] | None) -> None:
        try:
            _settle(future, await self.store.run(work))
        except Exception as error:
            _settle(future, error)

    async def flush(self) -> None:
        """Returns when everything posted is committed."""
        await self.ask(lambda db: None)


def _settle(future: asyncio.Future[Any] | None, result: Any) -> None:
    if future is None:
        if isinstance(result, Exception):
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a posted write of the mailbox failed", "exception": result}
            )
    elif not future.done():
        future.set_exception(result) if isinstance(result, Exception) else future.set_result(result)
