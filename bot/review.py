"""Puts the review page together: its files, its key, its words, and who may come in; then serves it."""

from __future__ import annotations

import asyncio
import logging

import click

from bot.attachments import Attachments
from bot.orders import OrderBook
from bot.orders import migrations as orders
from bot.passes import key_of
from bot.settings import Settings, SettingsError
from bot.store import Store
from handlers.liveness import AlreadyRunningError, Lock
from messages import load

log = logging.getLogger(__name__)
NEEDED = ("datasette", "uvicorn")


def serve_page(settings: Settings) -> int:
    """Serves until told to stop; the exit status. Raises SettingsError."""
    try:
        from bot.web.room import Room
        from bot.web.server import AddressTakenError, serve
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in NEEDED:
            raise
        click.echo("The review page needs the extra 'web': uv sync --extra web", err=True)
        return 2
    try:
        key = key_of(settings.data_dir)
        with Lock(settings.web_database):
            store = Store(settings.web_database, (orders,))
            room = Room(
                database=settings.database,
                orders=OrderBook(store),
                key=key,
                staff=staff_now,
                words=load(settings.default_language),
                target=settings.target(),
                attachments=Attachments.beside(settings.database),
                url=settings.web_url.rstrip("/"),
            )
            try:
                asyncio.run(serve(room, settings.web_listen))
            except AddressTakenError as trouble:
                raise SettingsError(f"Bad settings: WEB_LISTEN ({trouble})") from None
            finally:
                store.close()
    except AlreadyRunningError as trouble:
        click.echo(str(trouble), err=True)
        return 2
    except OSError as trouble:
        raise SettingsError(f"Bad settings: DATA_DIR ({trouble.strerror})") from None
    return 0


def staff_now() -> frozenset[int]:
    """Who is of the staff at this moment; nobody while the settings cannot be read."""
    try:
        return Settings.load().staff_ids
    except SettingsError as trouble:
        log.error("%s", trouble)
        return frozenset()
