"""The one door through which everything leaves: in order, at Telegram's pace, once.

Handed to the Application as its rate limiter, so no call of any handler can go round it. A send made inside a
journey (handlers/journey.py) is claimed in the outbox before it leaves and filled with its result afterwards.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from telegram.error import ChatMigrated, Forbidden, NetworkError, RetryAfter, TelegramError
from telegram.ext import BaseRateLimiter

from bot.mailbox import Claim, Mailbox
from handlers.addresses import Addresses
from handlers.journey import Journey, current
from handlers.mending import Fate, done_already, fate, mended, seconds_of, sendable
from handlers.notices import Notices
from handlers.pace import Limits, Pace

os.environ.setdefault("PTB_TIMEDELTA", "1")  # else the library warns at every 429
log = logging.getLogger(__name__)

Result = Any
CREATES = ("send", "copy", "forward", "createForum")  # journalled: made twice, it is seen twice
PACED = (*CREATES, "edit", "pin", "closeForum", "reopenForum")  # they count for the chat's limit
FLEETING = ("sendChatAction", "sendMessageDraft", "answerCallbackQuery")  # worth nothing when late
PROGRESS = "progress"  # `rate_limit_args` of an edit that may wait, or never be made
MOST_LOST = 2  # attempts whose answer got lost, where the whole update will be tried again …
MOST_LOST_ALONE = 4  # … and where nobody would
MOST_FAILED = 8  # attempts that failed at Telegram's end
LONGEST_BACKOFF_S = 30.0


@dataclass(slots=True)
class _Parcel:
    """One call on its way."""

    post: Callable[..., Coroutine[Any, Any, Result]]
    kwargs: dict[str, Any]
    endpoint: str
    body: dict[str, Any]
    chat_id: int | None
    journey: Journey | None = None
    step: str = ""
    claimed: bool = False
    repeated: bool = False
    lost: int = 0
    failed: int = 0
    mendings: int = 0
    key: tuple[int, Any] | None = None  # of an edit: the message
    urgent: bool = True  # False: an edit that only shows progress, and lets answers go first
    outcome: asyncio.Future[Result] | None = None  # of an edit, shared with those it replaces

    @property
    def weight(self) -> int:
        media = self.body.get("media")
        return len(media) if self.endpoint == "sendMediaGroup" and isinstance(media, list | tuple) else 1

    @property
    def journalled(self) -> bool:
        return self.journey is not None and self.endpoint.startswith(CREATES) and self.endpoint not in FLEETING


class Courier(BaseRateLimiter[str]):
    """`ApplicationBuilder().rate_limiter(courier)`; a call's `rate_limit_args` names its step in the journey."""

    def __init__(self, mailbox: Mailbox, limits: Limits | None = None, notices: Notices | None = None) -> None:
        self.mailbox = mailbox
        self.chats = Addresses(mailbox, notices or Notices())
        self.pace = Pace(limits)
        self._edits: dict[tuple[int, Any], _Parcel] = {}  # the last one waiting for each message
        self._stopping = asyncio.Event()

    async def initialize(self) -> None:
        """Reads what is remembered of chats: new ids, closed doors, pauses that are not over."""
        for chat_id, left_s in (await self.chats.load()).items():
            self.pace.pause(chat_id or None, left_s)

    async def shutdown(self) -> None:
        """Waits for notices on their way and for the last writes."""
        await self.chats.told()
        await self.mailbox.flush()

    def stop(self) -> None:
        """From now on a call that would have to wait for a better network fails at once."""
        self._stopping.set()

    async def left(self, chat_id: int | None) -> None:
        """Returns when every call that waits for this chat has been made, or given up."""
        if chat_id is not None:
            async with self.pace.turn(chat_id):
                return

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Result]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: str | None,
    ) -> Result:
        """Makes the call when its time has come. Raises TelegramError when Telegram or the network say no."""
        chat_id = data.get("chat_id")
        parcel = _Parcel(
            callback, kwargs, endpoint, sendable(data), self.chats.where(chat_id) if isinstance(chat_id, int) else None
        )
        if endpoint == "sendChatAction" and (parcel.chat_id is None or self.pace.busy(parcel.chat_id)):
            return True  # a courtesy; in groups it would eat the limit
        if endpoint in FLEETING:
            return await self._courtesy(parcel)
        if parcel.chat_id is None or not endpoint.startswith(PACED):
            return await self._carry(parcel)
        if endpoint.startswith("edit") and "message_id" in data:
            parcel.urgent = rate_limit_args != PROGRESS
            return await self._edit(parcel)
        parcel.journey = current()
        if parcel.journalled and parcel.journey:
            parcel.step = parcel.journey.step(endpoint, rate_limit_args)
        return await self._queue(parcel)

    async def _courtesy(self, parcel: _Parcel) -> Result:
        """A press acknowledged too late, a draft not shown: no reason to stop the work it was for."""
        try:
            return await self._carry(parcel)
        except (NetworkError, RetryAfter, Forbidden) as error:
            log.info("%s left undone: %s", parcel.endpoint, error)
            return True

    async def _edit(self, parcel: _Parcel) -> Result:
        """The latest edit of a message wins: one that still waits is never made."""
        parcel.key = (parcel.chat_id or 0, parcel.body["message_id"])
        waiting = self._edits.get(parcel.key)
        if waiting is not None and waiting.endpoint == parcel.endpoint and waiting.outcome is not None:
            waiting.body, waiting.post, waiting.kwargs = parcel.body, parcel.post, parcel.kwargs
            waiting.urgent |= parcel.urgent
            return await asyncio.shield(waiting.outcome)
        parcel.outcome = asyncio.get_running_loop().create_future()
        self._edits[parcel.key] = parcel
        try:
            while not parcel.urgent and not self.pace.calm(parcel.chat_id or 0):  # noqa: ASYNC110 - a pace, no event
                await asyncio.sleep(0.05)
            result = await self._queue(parcel)
        except asyncio.CancelledError:
            parcel.outcome.cancel()
            raise
        except Exception as error:
            if not parcel.outcome.done():
                parcel.outcome.set_exception(error)
                parcel.outcome.exception()  # looked at: nobody else may be waiting
            raise
        else:
            parcel.outcome.set_result(result)
            return result
        finally:
            self._left(parcel)

    def _left(self, parcel: _Parcel) -> None:
        if parcel.key is not None and self._edits.get(parcel.key) is parcel:
            del self._edits[parcel.key]

    async def _queue(self, parcel: _Parcel) -> Result:
        while True:
            chat_id = parcel.chat_id or 0
            async with self.pace.turn(chat_id):
                try:
                    return await self._carry(parcel)
                except ChatMigrated as error:
                    self.chats.moved(chat_id, error.new_chat_id)
                    parcel.chat_id = parcel.body["chat_id"] = error.new_chat_id

    async def _carry(self, parcel: _Parcel) -> Result:
        """Attempts until it is done, refused, or given up."""
        attempt = 0
        while True:
            attempt += 1
            error = await self._attempt(parcel)
            if not isinstance(error, TelegramError):
                return self._arrived(parcel, error)
            if done_already(error):
                return self._arrived(parcel, True)
            await self._judge(parcel, error, attempt)

    async def _attempt(self, parcel: _Parcel) -> Result:
        """The result of one call, or the error it ended in."""
        if parcel.chat_id is not None:
            why = self.chats.why_closed(parcel.chat_id)
            if why is not None and not parcel.endpoint.startswith("get"):
                return Forbidden(why)
            parcel.body["chat_id"] = parcel.chat_id
        try:
            if parcel.chat_id is None or not parcel.endpoint.startswith(PACED):
                if not parcel.endpoint.startswith(("get", "deleteWebhook")):  # they let the bot hear
                    await self.pace.free()
                return await parcel.post(parcel.endpoint, parcel.body, **parcel.kwargs)
            async with self.pace.departure(parcel.chat_id, parcel.weight) as place:
                if parcel.journalled and not parcel.claimed and parcel.journey:
                    claimed = await self.mailbox.claim(parcel.journey.source, parcel.step, parcel.chat_id)
                    if claimed.state is Claim.FILLED:
                        place.unused = True
                        parcel.journey = None  # nothing to fill
                        return claimed.result
                    parcel.claimed, parcel.repeated = True, claimed.state is Claim.UNKNOWN
                self._left(parcel)
                return await parcel.post(parcel.endpoint, parcel.body, **parcel.kwargs)
        except TelegramError as error:
            return error

    async def _judge(self, parcel: _Parcel, error: TelegramError, attempt: int) -> None:
        """Returns when another attempt is right. Raises the error when none is."""
        if isinstance(error, RetryAfter):
            self._pause(parcel, error)
            if parcel.endpoint in FLEETING or self._stopping.is_set():
                self._give_up(parcel, error, made=False)
            return
        match fate(error):
            case Fate.REFUSED:
                self._refused(parcel, error)
                return
            case Fate.LOST:
                parcel.lost += 1
                parcel.repeated = True
                tried_again = parcel.journey is not None and parcel.journey.retried
                enough = parcel.lost >= (MOST_LOST if tried_again else MOST_LOST_ALONE)
            case Fate.FAILED_THERE:
                parcel.failed += 1
                enough = parcel.failed >= MOST_FAILED
            case _:
                enough = parcel.endpoint == "getMe"  # the start has its own patience
        log.warning("%s failed (attempt %d): %s", parcel.endpoint, attempt, type(error).__name__)
        if enough or self._stopping.is_set() or (parcel.endpoint in FLEETING and attempt > 1):
            self._give_up(parcel, error, made=parcel.lost > 0)
        await self._backoff(attempt)
        if self._stopping.is_set():
            self._give_up(parcel, error, made=parcel.lost > 0)

    async def _backoff(self, attempt: int) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), min(LONGEST_BACKOFF_S, 0.25 * 2**attempt))
        except TimeoutError:
            return

    def _pause(self, parcel: _Parcel, error: RetryAfter) -> None:
        seconds = seconds_of(error)
        whom = self.pace.whose_pause(parcel.chat_id) if parcel.chat_id is not None else None
        log.warning("%s: to wait %.0f s, %s", parcel.endpoint, seconds, f"chat {whom}" if whom else "everybody")
        self.pace.pause(whom, seconds + 0.1)
        self.mailbox.paused(whom or 0, time.time() + seconds)

    def _refused(self, parcel: _Parcel, error: TelegramError) -> None:
        """Returns when the call was mended. Raises the error otherwise."""
        new = mended(parcel.body, error) if parcel.mendings < 2 else None
        if new is not None:
            log.error("%s (%s) said in plain words: %s", parcel.endpoint, parcel.step or "no journey", error)
            parcel.body, parcel.mendings = new, parcel.mendings + 1
            return
        if isinstance(error, Forbidden) and parcel.chat_id is not None:
            self.chats.closed(parcel.chat_id, str(error))
        if parcel.claimed and parcel.journey and not isinstance(error, ChatMigrated):
            self.mailbox.release(parcel.journey.source, parcel.step)
        raise error

    def _give_up(self, parcel: _Parcel, error: TelegramError, *, made: bool) -> None:
        """The journey stays unfinished: its update will be tried again."""
        if parcel.journey and parcel.journalled:
            parcel.journey.unfinished = "lost" if made else "not_sent"
            if parcel.claimed and not made:
                self.mailbox.release(parcel.journey.source, parcel.step)
        raise error

    def _arrived(self, parcel: _Parcel, result: Result) -> Result:
        if parcel.claimed and parcel.journey:
            source, step, chat_id = parcel.journey.source, parcel.step, parcel.chat_id or 0
            brief = essence(result)
            self.mailbox.fill(source, step, brief, brief.get("message_id") if isinstance(brief, dict) else None)
            if parcel.repeated and not source.startswith("repeat:"):
                self.chats.tell(lambda notices: notices.repeated(chat_id, source, step), f"repeat:{source}:{step}")
        return result


def essence(result: Result) -> Result:
    """What the journal keeps of a result: where and when, not what was said."""
    if isinstance(result, list):
        return [essence(item) for item in result]
    if isinstance(result, dict) and "chat" in result and "message_id" in result:
        kept = {key: result[key] for key in ("message_id", "date", "message_thread_id") if key in result}
        return {**kept, "chat": {key: result["chat"][key] for key in ("id", "type")}}
    return result
