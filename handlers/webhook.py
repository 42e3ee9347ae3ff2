"""Updates that Telegram brings instead of our fetching them: stored before Telegram is told that they arrived."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from telegram import Bot
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from handlers.envelope import ALLOWED_UPDATES

Accept = Callable[[list[Any]], Awaitable[int]]
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name (Bot API, setWebhook)
BODY_MAX_BYTES = 2 * 2**20


class Webhook:
    """`url` is the public https address; a reverse proxy hands its requests on to `listen` ('ip:port')."""

    def __init__(self, url: str, listen: str) -> None:
        self.url = url
        self._address, _, port = listen.rpartition(":")
        self._port = int(port)
        self._secret = secrets.token_urlsafe(32)

    async def open(self, bot: Bot, accept: Accept) -> None:
        """Listens, then tells Telegram where. Raises OSError or TelegramError."""
        made = {"accept": accept, "secret": self._secret}
        application = Application([(urlsplit(self.url).path or "/", _Updates, made)])
        HTTPServer(application, max_body_size=BODY_MAX_BYTES).listen(self._port, self._address.strip("[]"))
        await bot.set_webhook(self.url, secret_token=self._secret, allowed_updates=list(ALLOWED_UPDATES))


class _Updates(RequestHandler):
    def initialize(self, accept: Accept, secret: str) -> None:
        self._accept = accept
        self._secret = secret

    async def post(self) -> None:
        if not hmac.compare_digest(self.request.headers.get(SECRET_HEADER, ""), self._secret):
            self.set_status(403)
            return
        try:
            update = json.loads(self.request.body)
        except ValueError:
            self.set_status(400)
            return
        await self._accept([update])
