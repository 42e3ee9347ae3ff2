"""Who is at the door? Everything but the login and the stylesheet is refused to strangers, whatever its address.

The outermost layer: what it does not let through never reaches Datasette, whose own pages stay closed to all.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from bot.passes import Pass, opened
from bot.web.room import LOGIN, STATIC, Room

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Refusal = Callable[[Scope, int, str], Awaitable[str]]  # the page that tells why, for a status, and what was written

BODY_MAX = 64 * 1024  # bytes of a form
HEADERS = {
    b"content-security-policy": (
        b"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
        b" frame-ancestors 'none'"
    ),
    b"x-frame-options": b"DENY",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
}
FORM = b"application/x-www-form-urlencoded"  # what a browser makes of the forms here
FORM_COOKIE = "ds_csrftoken"  # Datasette's, for the token of a form
ANYBODYS = re.compile(rf"{LOGIN}|{STATIC}/[a-z]+\.(?:css|svg)")
_PLAIN = re.compile(r"[\w.=-]*", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Gate:
    """An ASGI layer around the application."""

    app: App
    room: Room
    pages: re.Pattern[str]  # every address there is behind the door
    refusal: Refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        guarded = self._guarded(scope, send)
        status, said = await self._judge(scope), ""
        if scope["method"] == "POST":
            wrong = self._judge_form(dict(scope["headers"]))
            form = await _whole(receive) if wrong is None else ""
            receive, said = _again(form or "", receive), parse_qs(form or "").get("text", [""])[0]
            status = status or wrong or (400 if form is None else None)
        if status is None:
            await self.app(scope, receive, guarded)
            return
        page = (await self.refusal(scope, status, said)).encode()
        start = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"%d" % len(page))]
        await guarded({"type": "http.response.start", "status": status, "headers": start})
        await guarded({"type": "http.response.body", "body": page})

    async def _judge(self, scope: Scope) -> int | None:
        """The status of a refusal; None lets it through, with who it is written into the scope."""
        who = await self.who(self._cookies(scope))
        scope["actor"] = {"id": who.user_id, "name": who.name, "login": who.nonce} if who else None
        path: str = scope["path"]
        if ANYBODYS.fullmatch(path) is None:
            if who is None:
                return 403
            if self.pages.fullmatch(path) is None or scope.get("raw_path", b"").partition(b"?")[0] != path.encode():
                return 404
        return None if scope["method"] in ("GET", "HEAD", "POST") else 405

    def _judge_form(self, headers: dict[bytes, bytes]) -> int | None:
        """A form comes whole, of the size it says, and from a page of ours where the browser tells (Fetch Metadata).

        A token alone would not do: who comes without cookies is not asked for it, and a neighbour under the same
        domain could set both the cookie and the field.
        """
        size = headers.get(b"content-length", b"")
        if not size.isdigit() or int(size) > BODY_MAX or b"transfer-encoding" in headers:  # that one overrules the size
            return 413
        if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != FORM:
            return 403
        return None if headers.get(b"sec-fetch-site", b"same-origin") in (b"same-origin", b"none") else 403

    def _cookies(self, scope: Scope) -> dict[str, str]:
        """Our cookies by name. Others of the same domain may hold anything, and go no further than this."""
        sent = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").decode("latin-1")
        named = (pair.strip().partition("=") for pair in sent.split(";"))
        ours = {name: value for name, _, value in named if name in (self.room.cookie, FORM_COOKIE) and _PLAIN(value)}
        others = [header for header in scope["headers"] if header[0] != b"cookie"]
        ours_again = "; ".join(f"{name}={value}" for name, value in ours.items()).encode("ascii")
        scope["headers"] = [*others, (b"cookie", ours_again)] if ours else others
        return ours

    async def who(self, cookies: dict[str, str]) -> Pass | None:
        """The member of the staff whose session the cookie is; None for everybody else."""
        word = cookies.get(self.room.cookie)
        held = opened(self.room.key, "session", word) if word else None
        if held is None or held.user_id not in self.room.staff():
            return None
        return await self.room.orders.session(held.nonce)

    def _guarded(self, scope: Scope, send: Send) -> Send:
        styled = scope["path"].startswith(f"{STATIC}/")

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [
                    (name, self._hardened(value) if name.lower() == b"set-cookie" else value)
                    for name, value in message["headers"]
                    if name.lower() not in {*HEADERS, b"cache-control"}
                ]
                caching = b"public, max-age=3600" if styled and message["status"] == 200 else b"no-store"
                message = {**message, "headers": [*kept, *HEADERS.items(), (b"cache-control", caching)]}
            await send(message)

        return guarded

    def _hardened(self, cookie: bytes) -> bytes:
        """A cookie no script reads and no other site sends along: the form token's is laxer by itself."""
        plain = re.sub(rb"(?i); *(?:samesite=\w+|httponly|secure)", b"", cookie)
        return plain + b"; HttpOnly; SameSite=Strict" + (b"; Secure" if self.room.secure else b"")


async def _whole(receive: Receive) -> str | None:
    """A form as it was posted; `_judge_form` has seen how long it is. None: cut off, or no browser writes so."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":  # half a reply is nobody's reply
            return None
        body, more = body + message.get("body", b""), message.get("more_body", False)
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _again(form: str, receive: Receive) -> Receive:
    """The form once more, for those behind the gate."""
    parts = [form.encode()]

    async def receive_again() -> Message:
        return {"type": "http.request", "body": parts.pop()} if parts else await receive()

    return receive_again
