"""A Bot API server on 127.0.0.1 that refuses what Telegram refuses, loses what networks lose.

    with FakeApi() as api:                      # a thread; every method may be called from any thread
        api.user(7, "Ali"); api.send_text(7, "/start")
        api.wait_for(lambda: api.answers(7), timeout=5)

The bot is pointed at it with `api.base_url` and `api.base_file_url`, its token is TOKEN. By hand: `python -m
tests.fake_api --port 8081`, then POST /control/send_text {"user": 7, "text": "/start"}.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import inspect
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from tests.fake_call import Uploads
from tests.fake_chats import JSON, TOKEN, Chats, Refusal
from tests.fake_faults import Fault, FaultKind, Flood
from tests.fake_methods import perform
from tests.fake_people import People
from tests.fake_wire import answer, close, parameters, plain

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Record:
    """One call as it came and as it was answered."""

    at: float  # time.monotonic()
    method: str
    params: JSON
    ok: bool  # it happened
    description: str = ""  # why not
    fault: str = ""


def _locked(deed: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(deed)
    def guarded(self: FakeApi, *args: Any, **kwargs: Any) -> Any:
        with self.changed:
            result = deed(self, *args, **kwargs)
            self._announce()
        return result

    return guarded


class FakeApi(People):
    """The server and its control. A context manager; `port` 0 takes a free one."""

    def __init__(self, port: int = 0, token: str = TOKEN) -> None:
        super().__init__(Chats())
        self.token = token
        self.flood = Flood()
        self.faults: list[Fault] = []
        self.records: list[Record] = []
        self.recording = True
        self.latency_s = 0.0
        self.changed = threading.Condition(threading.RLock())
        self.port = port
        self._poller = 0
        self._wakers: set[asyncio.Event] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fake-api", daemon=True)

    def __enter__(self) -> FakeApi:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    @property
    def base_url(self) -> str:
        """What python-telegram-bot's `base_url` wants; the token is appended."""
        return f"http://127.0.0.1:{self.port}/bot"

    @property
    def base_file_url(self) -> str:
        """The same for downloads."""
        return f"http://127.0.0.1:{self.port}/file/bot"

    def fault(self, kind: FaultKind, method: str | None = None, **how: Any) -> Fault:
        """Orders a fault (see Fault); remove it with `.times = 0`."""
        with self.changed:
            self.faults.append(fault := Fault(kind, method, **how))
        return fault

    def calls(self, method: str | None = None, chat: int | None = None) -> list[Record]:
        """The recorded calls, oldest first; getUpdates only when asked for by name."""
        with self.changed:
            return [
                record
                for record in self.records
                if (record.method == method if method else record.method != "getUpdates")
                and (chat is None or str(record.params.get("chat_id")) == str(chat))
            ]

    def refused(self) -> list[Record]:
        """Calls that Telegram would have refused."""
        return [record for record in self.calls() if record.description]

    def wait_for(self, predicate: Callable[[], T], timeout: float = 10.0) -> T:
        """The first true value of `predicate()`, looked at after every change. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while not (found := predicate()):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"not within {timeout} s; last calls: {self.records[-5:]}")
                self.changed.wait(min(left, 0.2))
            return found

    def _announce(self) -> None:
        self.changed.notify_all()
        for waker in tuple(self._wakers):  # the loop goes on meanwhile
            self._loop.call_soon_threadsafe(waker.set)

    # --- HTTP ---

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/bot{token}/{method}", self._call)
        app.router.add_get("/file/bot{token}/{path:.+}", self._download)
        app.router.add_post("/control/{deed}", self._control)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", self.port)
        self._loop.run_until_complete(site.start())
        self.port = runner.addresses[0][1]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(site.stop())
        self._loop.run_until_complete(asyncio.sleep(0.01))  # who was just let in is closed by the runner, too
        self._loop.run_until_complete(runner.cleanup())
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    async def _call(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != self.token:
            return answer(Refusal(401, "Unauthorized"))
        method = request.match_info["method"]
        params, uploads = await parameters(request)
        if self.latency_s and method != "getUpdates":
            await asyncio.sleep(self.latency_s)
        with self.changed:
            fault = next((fault for fault in self.faults if fault.meets(method, params)), None)
            if fault:
                fault.times -= 1
        if fault and fault.kind not in ("drop_after", "garbage"):
            return await self._break(fault, request, method, params)
        outcome = await self._updates(params) if method == "getUpdates" else self._perform(method, params, uploads)
        self._record(method, params, outcome, fault.kind if fault else "")
        if fault and fault.kind == "drop_after":
            return close(request)
        if fault:
            return web.Response(text="<html>not json</html>")
        return answer(outcome)

    async def _break(self, fault: Fault, request: web.Request, method: str, params: JSON) -> web.StreamResponse:
        if fault.kind == "flood":
            with self.changed:
                scope = int(params["chat_id"]) if "chat_id" in params else 0
                outcome = self.flood.pause(scope, fault.seconds, time.monotonic())
            self._record(method, params, outcome, fault.kind)
            return answer(outcome)
        self._record(method, params, Refusal(0, ""), fault.kind)
        if fault.kind == "status":
            return web.Response(status=fault.status, text="<html>bad gateway</html>")
        if fault.kind == "hang":
            await asyncio.sleep(fault.seconds)
        return close(request)

    def _perform(self, method: str, params: JSON, uploads: Uploads) -> Any:
        with self.changed:
            try:
                self.flood.check(method, params, time.monotonic())
                return perform(self.chats, method, params, uploads)
            except Refusal as refusal:
                return refusal

    def _record(self, method: str, params: JSON, outcome: Any, fault: str) -> None:
        refusal = outcome if isinstance(outcome, Refusal) else None
        with self.changed:
            if self.recording and (method != "getUpdates" or refusal or fault or outcome):
                description = refusal.description if refusal else ""
                self.records.append(Record(time.monotonic(), method, params, refusal is None, description, fault))
            self._announce()

    async def _updates(self, params: JSON) -> Any:
        """getUpdates: an offset confirms what is before it; a second poller throws the first one out."""
        if self.chats.webhook_url:
            return Refusal(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook")
        offset, limit = int(params.get("offset", 0)), int(params.get("limit", 100))
        deadline = time.monotonic() + float(params.get("timeout", 0))
        waker = asyncio.Event()
        with self.changed:
            self._poller += 1
            me = self._poller
            self._wakers.add(waker)
            if "allowed_updates" in params:
                self.chats.allowed = json.loads(params["allowed_updates"]) or None
            while self.chats.queue and self.chats.queue[0]["update_id"] < offset:
                self.chats.confirmed.append(self.chats.queue.pop(0)["update_id"])
            self._announce()
        try:
            while True:
                waker.clear()
                if me != self._poller:
                    return Refusal(
                        409,
                        "Conflict: terminated by other getUpdates request; make sure that only one bot"
                        " instance is running",
                    )
                with self.changed:
                    if found := list(self.chats.queue[: max(1, limit)]):
                        return found
                left = deadline - time.monotonic()
                if left <= 0:
                    return []
                try:
                    await asyncio.wait_for(waker.wait(), left)
                except TimeoutError:
                    continue
        finally:
            self._wakers.discard(waker)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        with self.changed:
            kept = self.chats.files.get(request.match_info["path"].rpartition("/")[2])
        if kept is None or request.match_info["token"] != self.token:
            raise web.HTTPNotFound
        return web.Response(body=kept.content)

    async def _control(self, request: web.Request) -> web.StreamResponse:
        deed = request.match_info["deed"]
        if deed.startswith("_") or not inspect.isroutine(getattr(FakeApi, deed, None)):
            raise web.HTTPNotFound
        body = await request.json() if request.can_read_body else {}
        result = getattr(self, deed)(**body)
        return web.json_response(result, dumps=lambda value: json.dumps(value, default=plain))


for _name, _deed in inspect.getmembers(People, inspect.isfunction):
    if not _name.startswith("_"):
        setattr(FakeApi, _name, _locked(_deed))


def main() -> None:
    """Serves until interrupted."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, default=8081)
    with FakeApi(parser.parse_args().port) as api:
        print(
            f"TELEGRAM_API_URL={api.base_url} TELEGRAM_FILE_URL={api.base_file_url} BOT_TOKEN={TOKEN}",
            flush=True,
        )
        threading.Event().wait()


if __name__ == "__main__":
    main()
