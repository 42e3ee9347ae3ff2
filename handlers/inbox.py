"""Everything that people send: kept before Telegram is told that it arrived, handled in order, never forgotten.

Raw JSON is stored first and parsed later, in a worker: an update that cannot be parsed concerns one person, not
everybody. Handlers must be safe to run twice on the same update; their sends are (handlers/courier.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from typing import Any

from telegram.error import NetworkError, RetryAfter, TelegramError
from telegram.ext import Application

from bot.mailbox import Letter, Mailbox
from handlers.courier import Courier
from handlers.envelope import chat_of, request_of, update_id_of
from handlers.journey import journey
from handlers.liveness import Pulse
from handlers.poller import Poller
from handlers.reader import Reader, quarantine_s
from handlers.waiting import Waiting

log = logging.getLogger(__name__)
WORKERS = 16
PURGE_EVERY_S = 86400.0
TIDY_EVERY_S = 60.0


class Inbox:
    """`await Inbox(mailbox, application, courier).run()` serves until `stop()`.

    The Application is built with `.updater(None).rate_limiter(courier)`. `redact` is applied to the texts of
    errors before they are stored. `grace_s`: how long a stop waits for what is in hand.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        application: Application[Any, Any, Any, Any, Any, Any],
        courier: Courier,
        redact: Callable[[str], str] = str,
        pulse: Pulse | None = None,
        grace_s: float = 20.0,
        workers: int = WORKERS,
    ) -> None:
        self.mailbox = mailbox
        self.application = application
        self.courier = courier
        self.pulse = pulse or Pulse(mailbox)
        self.grace_s = grace_s
        self.workers = workers
        self._reader = Reader(mailbox, application, courier.chats, redact)
        self._waiting = Waiting()
        self._busy: set[asyncio.Task[None]] = set()
        self._background: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._written = asyncio.Event()  # since the write-ahead log was emptied

    def stop(self) -> None:
        """Asks `run` to finish what is in hand and return; the rest stays for the next start."""
        self._stopping.set()

    @property
    def busy(self) -> bool:
        """Whether something that arrived is still being answered."""
        return bool(self._busy or self._background or self._waiting)

    async def run(self, *, poll: bool = True) -> None:
        """Start, remove a webhook, handle what waits, poll. Raises InvalidToken.

        `poll=False`: updates come through `accept` instead (a webhook of one's own).
        """
        feeder = asyncio.create_task(self.pulse.feed(), name="watchdog")
        try:
            if await self._started(poll):
                await self._serve(poll)
        finally:
            feeder.cancel()
            await self.mailbox.flush()
            await self.mailbox.store.checkpoint()

    async def _started(self, poll: bool) -> bool:
        """False when `stop` came first."""
        starting = asyncio.create_task(self._start(poll))
        stopped = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        await _cancelled([stopped])
        if starting.done():
            starting.result()
            return True
        await _cancelled([starting, *self._background])
        await self.application.bot.shutdown()
        return False

    async def _start(self, poll: bool) -> None:
        await _patiently(self.application.initialize)
        if poll:
            await _patiently(self.application.bot.delete_webhook)  # what waits is kept
        if self.application.post_init:
            await self.application.post_init(self.application)
        if not self.application.running:
            await self.application.start()
        now = self.mailbox.now()
        for letter in await self.mailbox.open_letters():
            not_before = max(letter.not_before, now + quarantine_s(letter.tries))
            self._waiting.put(replace(letter, not_before=not_before))

    async def _serve(self, poll: bool) -> None:
        workers = [asyncio.create_task(self._work(), name=f"worker {n}") for n in range(self.workers)]
        poller = Poller(self.application.bot, self.pulse, self.courier.chats, self.accept)
        others = [asyncio.create_task(self._keep_house(), name="house")]
        if poll:
            others.append(asyncio.create_task(poller.run(), name="poll"))
        await self._stopping.wait()
        # What was about to be fetched stays with Telegram, what waits in the table stays there.
        await _cancelled([*others, *(worker for worker in workers if worker not in self._busy)])
        in_hand = self._busy | self._background
        if in_hand:
            await asyncio.wait(in_hand, timeout=self.grace_s)
        self.courier.stop()
        late = self._busy | self._background
        if late:  # calls that wait for a better network give up now
            await asyncio.wait(late, timeout=1.0)
        await _cancelled([*workers, *self._background])
        await self.application.stop()
        await self.courier.chats.told()
        await self.application.shutdown()

    async def accept(self, batch: list[Any]) -> int:
        """Stores raw updates for good and hands out the new ones; the offset that confirms them all."""
        now, offset = self.mailbox.now(), 0
        letters = []
        for raw in batch:
            if (update_id := update_id_of(raw)) is None:
                log.error("an update without an id was skipped")
                continue
            offset = update_id + 1
            letters.append(Letter(update_id, chat_of(raw), json.dumps(raw), now, request_of(raw)))
        for letter in await self.mailbox.receive(letters):
            self._waiting.put(letter)
        return offset

    async def coming(self, chat_id: int, album: str) -> bool:
        """Whether parts of an album may lie unhandled: here, or, until something was fetched, with Telegram."""
        return not self.pulse.beats or await self.mailbox.waits(chat_id, f'"media_group_id": "{album}"')

    def spawn(self, source: str, work: Coroutine[Any, Any, Any], chat_id: int) -> asyncio.Task[None]:
        """Runs slow work beside the handlers, its sends journalled under `source`; a stop waits for it."""

        async def run() -> None:
            with journey(source):
                try:
                    await work
                except Exception as error:
                    failure = error
                    log.exception("%s failed", source)
                    self.courier.chats.tell(
                        lambda notices: notices.failed(chat_id, source, failure), f"failed:{source}"
                    )

        task = asyncio.create_task(run(), name=source)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def _work(self) -> None:
        me = asyncio.current_task()
        assert me is not None  # noqa: S101 - a coroutine always runs in a task
        while not self._stopping.is_set():
            letter, repeats = await self._waiting.take()
            self._busy.add(me)
            try:
                await self._handle(letter, repeats)
            finally:
                self._busy.discard(me)

    async def _handle(self, letter: Letter, repeats: list[Letter]) -> None:
        for repeat in repeats:
            self.mailbox.finish(repeat.update_id, f"the same request as {letter.update_id}")
        early_s = letter.not_before - self.mailbox.now()
        again_s = early_s if early_s > 0 else await self._reader.read(letter)
        self._written.set()
        if again_s is None:
            self._waiting.done(letter)
        else:
            self._waiting.later(replace(letter, not_before=0.0), again_s)

    async def _keep_house(self) -> None:
        """In quiet moments, and at least once a minute: what was forgotten leaves the write-ahead log, too."""
        tidied_at = purged_at = float("-inf")
        while True:
            with contextlib.suppress(TimeoutError):  # jobs write, too, and a reader may have stood in the way
                async with asyncio.timeout(TIDY_EVERY_S):  # wait_for would lose a stop that comes with a write
                    await self._written.wait()
            await asyncio.sleep(1.0)
            now = self.mailbox.now()
            if (self._busy or self._waiting) and now - tidied_at < TIDY_EVERY_S:
                continue
            tidied_at = now
            self._written.clear()
            try:
                if now - purged_at > PURGE_EVERY_S:
                    purged_at = now
                    await self.mailbox.purge()
                await self.mailbox.flush()
                await self.mailbox.store.checkpoint()
            except Exception:
                log.exception("the database could not be tidied")


async def _cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancels and waits until it is so."""
    waiting = list(tasks)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def _patiently(call: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Until it works: Telegram may be out of reach when a server boots. Raises only what time does not heal."""
    delay_s = 0.5
    while True:
        try:
            await call()
            return
        except TelegramError as error:
            if not isinstance(error, NetworkError | RetryAfter) and type(error) is not TelegramError:
                raise
            log.error("Telegram is out of reach (%s): again in %.1f s", type(error).__name__, delay_s)
        await asyncio.sleep(delay_s)
        delay_s = min(30.0, delay_s * 2)
