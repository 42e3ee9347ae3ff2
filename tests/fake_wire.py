"""How calls and answers of the fake Bot API look on the wire."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from typing import Any

from aiohttp import web

from tests.fake_call import Uploads
from tests.fake_chats import JSON, Refusal


def plain(value: Any) -> Any:
    """What json.dumps cannot do itself."""
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)


async def parameters(request: web.Request) -> tuple[JSON, Uploads]:
    """Query, form, JSON and multipart, as the Bot API takes them."""
    params: JSON = dict(request.query)
    uploads: Uploads = {}
    if request.content_type == "application/json":
        body = await request.json()
        return {**params, **{k: v if isinstance(v, str) else json.dumps(v) for k, v in body.items()}}, uploads
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            uploads[name] = (value.filename, value.file.read())
            value.file.close()
        else:
            params[name] = value.decode() if isinstance(value, (bytes, bytearray)) else value
    return params, uploads


def answer(outcome: Any) -> web.Response:
    """Telegram's envelope around a result or a Refusal."""
    if not isinstance(outcome, Refusal):
        return web.json_response({"ok": True, "result": outcome})
    body: JSON = {"ok": False, "error_code": outcome.code, "description": outcome.description}
    if outcome.parameters:
        body["parameters"] = outcome.parameters
    return web.json_response(body, status=outcome.code)


def close(request: web.Request) -> web.StreamResponse:
    """The connection is cut without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
