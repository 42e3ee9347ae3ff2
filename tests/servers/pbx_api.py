"""The PBX's HTTP API as it was measured: its JSON, its 401, its 500 without a database, its 429 in plain text."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

USER, PASSWORD, TOKEN = "admin", "a-password", "a-token"
HASH = "$2b$10$hash-that-must-never-be-shown"


class PbxApi:
    """Change the attributes while it runs. `calls` are the requests so far, as 'GET /path'."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.database = True
        self.limited_s: int | None = None  # answers 429 with this Retry-After
        self.token = TOKEN
        self.extensions: list[dict[str, Any]] = [extension(1, "1002"), extension(2, "1003", enabled=False)]
        self.online: dict[int, dict[str, Any]] = {}  # by id
        self.garbage: str | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, method: str, path: str, token: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Status and body of an answer."""
        if self.limited_s is not None:
            return 429, "Too many requests, please try again later."
        if self.garbage is not None:
            return 200, self.garbage
        if (method, path) == ("POST", "/api/v1/auth/login"):
            if not self.database:
                return 500, {"success": False, "error": "Login failed"}
            if body != {"username": USER, "password": PASSWORD}:
                return 401, {"success": False, "error": "Invalid credentials"}
            return 200, {"success": True, "data": {"token": self.token, "user": {"id": 1, "username": USER}}}
        if token != f"Bearer {self.token}":
            return 401, {"success": False, "error": "Authentication required"}
        if not self.database:
            return 500, {"success": False, "error": "Failed"}
        if path == "/api/v1/extensions":
            return 200, {"success": True, "data": self.extensions}
        if path.startswith("/api/v1/extensions/") and path.endswith("/status"):
            number = path.split("/")[-2]
            if all(str(one["id"]) != number for one in self.extensions):
                return 404, {"success": False, "error": "Extension not found"}
            registration = self.online.get(int(number))
            status = {"extensionId": number, "online": registration is not None, "registration": registration}
            return 200, {"success": True, "data": status}
        return 404, {"success": False, "error": "Not found"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._reply("GET")

            def do_POST(self) -> None:
                self._reply("POST")

            def _reply(self, method: str) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                api.calls.append(f"{method} {self.path}")
                token = self.headers.get("Authorization", "")
                status, body = api.answer(method, self.path, token, json.loads(raw or b"{}"))
                packed = (body if isinstance(body, str) else json.dumps(body)).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(packed)))
                if api.limited_s is not None:
                    self.send_header("Retry-After", str(api.limited_s))
                self.end_headers()
                self.wfile.write(packed)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def extension(number: int, username: str, *, enabled: bool = True) -> dict[str, Any]:
    """One extension as GET /extensions lists it, with its password's hash."""
    return {"id": number, "username": username, "password": HASH, "email": None, "enabled": enabled}


def registration(username: str) -> dict[str, Any]:
    """A registration as GET /extensions/:id/status shows it."""
    return {
        "id": 1,
        "contact_uri": f"sip:{username}@10.99.0.2:42997;ob",
        "expires": 300,
        "registered_at": "2026-11-22T19:26:09.485Z",
        "last_updated": "2026-11-22T19:31:08.694Z",
        "username": username,
    }
