"""A service of outside probes on 127.0.0.1 that answers as Globalping's public API specification says (v1)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from aiohttp import web

UZ = {"continent": "AS", "region": "Central Asia", "country": "UZ", "city": "Tashkent", "asn": 8193, "network": "UZ-1"}
KZ = {**UZ, "country": "KZ", "city": "Almaty", "asn": 9198, "network": "KZ-1"}
NO_PROBES = {"error": {"type": "no_probes_found", "message": "No matching IPv4 probes available."}}
INVALID = {"error": {"type": "validation_error", "message": "Parameter validation failed.", "params": {}}}
LIMITED = {"error": {"type": "rate_limit_exceeded", "message": "API rate limit exceeded."}}


def dns(*addresses: str, probe: dict[str, Any] = UZ, rcode: str = "NOERROR") -> dict[str, Any]:
    """One probe's finished lookup."""
    answers = [
        {"name": "call.soundz.uz", "type": "A", "ttl": 3600, "class": "IN", "value": address} for address in addresses
    ]
    result = {"status": "finished", "rawOutput": "…", "statusCode": 0, "statusCodeName": rcode, "resolver": "private"}
    return {"probe": probe, "result": {**result, "answers": answers, "timings": {"total": 12}}}


def ping(received: int, *, total: int = 3, probe: dict[str, Any] = UZ) -> dict[str, Any]:
    """One probe's finished ping."""
    rtts = {"min": 80.123, "avg": 81.0, "max": 82.0} if received else {"min": None, "avg": None, "max": None}
    stats = {**rtts, "total": total, "rcv": received, "drop": total - received, "loss": 0}
    return {"probe": probe, "result": {"status": "finished", "rawOutput": "…", "timings": [], "stats": stats}}


def broken(status: str = "failed") -> dict[str, Any]:
    """A probe that could not do its work."""
    return {"probe": UZ, "result": {"status": status, "rawOutput": "The probe went offline."}}


class Globalping:
    """Change the attributes while it runs. `orders` are the bodies it was given, `polls` the times it was asked."""

    def __init__(self) -> None:
        self.orders: list[dict[str, Any]] = []
        self.agents: set[str] = set()
        self.polls: list[float] = []
        self.results: dict[str, list[Any]] = {"dns": [dns("192.0.2.10")] * 3, "ping": [ping(3)] * 3}
        self.places: set[str] = {"UZ", "Central Asia"}  # where probes are online
        self.busy_polls = 0  # 'in-progress' so often
        self.refusal: tuple[int, Any, dict[str, str]] | None = None  # of an order: status, body, headers
        self.poll_refusals = 0  # 429 so often
        self.garbage: str | None = None
        self.slow_s = 0.0
        self._begun: dict[str, tuple[str, int]] = {}  # id: type, polls left

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/measurements", self._order)
        app.router.add_get("/v1/measurements/{id}", self._poll)
        self._runner = web.AppRunner(app, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _order(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.orders.append(body)
        number = f"PY5fMsREMmIq45VR{len(self.orders)}"
        self.agents.add(request.headers.get("User-Agent", ""))
        await asyncio.sleep(self.slow_s)
        if self.garbage is not None:
            return web.Response(text=self.garbage, content_type="application/json")
        if self.refusal is not None:
            status, said, headers = self.refusal
            return web.json_response(said, status=status, headers=headers)
        place = body["locations"][0]
        if place.get("country", place.get("region")) not in self.places:
            return web.json_response(NO_PROBES, status=422)
        self._begun[number] = (body["type"], self.busy_polls)
        headers = {"Location": f"{self.url}/v1/measurements/{number}"}
        return web.json_response({"id": number, "probesCount": 3}, status=202, headers=headers)

    async def _poll(self, request: web.Request) -> web.Response:
        self.polls.append(asyncio.get_running_loop().time())
        if self.poll_refusals:
            self.poll_refusals -= 1
            return web.json_response(LIMITED, status=429, headers={"Retry-After": "0"})
        number = request.match_info["id"]
        kind, left = self._begun[number]
        self._begun[number] = (kind, left - 1)
        status = "in-progress" if left > 0 else "finished"
        body = {"id": number, "type": kind, "status": status, "target": "call.soundz.uz", "probesCount": 3}
        return web.json_response({**body, "results": self.results[kind] if left <= 0 else []})


@contextmanager
def in_thread() -> Iterator[Globalping]:
    """The service in a loop of its own, for tests that have none."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    service = Globalping()
    asyncio.run_coroutine_threadsafe(service.__aenter__(), loop).result()
    try:
        yield service
    finally:
        asyncio.run_coroutine_threadsafe(service.__aexit__(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
