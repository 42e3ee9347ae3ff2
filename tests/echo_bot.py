"""A bot that says what it hears: ours, or the library's own polling, as a process to be killed and timed.

`python -m tests.echo_bot URL DATABASE [--plain] [--workers N] [--work SECONDS] [--no-limits]`
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
from pathlib import Path
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.error import BadRequest
from telegram.ext import Application, ApplicationBuilder, ContextTypes, TypeHandler

from bot.mailbox import Mailbox, migrations
from bot.store import Store
from handlers.courier import Courier
from handlers.inbox import Inbox
from handlers.lines import requests
from handlers.notices import Notices
from handlers.pace import Limits
from tests.fake_chats import TOKEN

UNLIMITED = Limits(10**6, 0.0, 10**6, 0.0, 10**6, 0.0)
App = Application[Any, Any, Any, Any, Any, Any]


def button(text: str) -> InlineKeyboardMarkup | None:
    """Under an answer to 'button …': one that says the same."""
    if not text.startswith("button"):
        return None
    return InlineKeyboardMarkup([[InlineKeyboardButton(text, callback_data=text)]])


def handle_with(application: App, work_s: float = 0.0) -> None:
    """Answers every text with 'echo: <text>', after so much work."""

    async def echo(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        if update.callback_query is not None:
            with contextlib.suppress(BadRequest):  # too old
                await update.callback_query.answer()
            await context.bot.send_message(update.callback_query.from_user.id, f"press: {update.callback_query.data}")
            return
        if update.effective_message is None or update.effective_chat is None:
            return
        if work_s:
            await asyncio.sleep(work_s)
        text = update.effective_message.text or ""
        await context.bot.send_message(update.effective_chat.id, f"echo: {text}", reply_markup=button(text))

    application.add_handler(TypeHandler(Update, echo))


def build(
    base_url: str, store: Store, limits: Limits | None = None, notices: Notices | None = None
) -> tuple[App, Courier, Mailbox]:
    """An Application behind our courier, without handlers."""
    mailbox = Mailbox(store)
    courier = Courier(mailbox, limits, notices)
    fetching, sending = requests()
    application = (
        ApplicationBuilder()
        .token(TOKEN)
        .base_url(base_url)
        .base_file_url(base_url.replace("/bot", "/file/bot"))
        .updater(None)
        .job_queue(None)
        .rate_limiter(courier)
        .get_updates_request(fetching)
        .request(sending)
        .build()
    )
    return application, courier, mailbox


async def serve(options: argparse.Namespace) -> None:
    """Our bot, until SIGTERM."""
    store = Store(Path(options.database), (migrations,))
    limits = UNLIMITED if options.no_limits else None
    application, courier, mailbox = build(options.url, store, limits)
    handle_with(application, options.work)
    inbox = Inbox(mailbox, application, courier, workers=options.workers)
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, inbox.stop)
    await inbox.run()
    store.close()


def main() -> None:
    """Runs one of the two."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("url")
    parser.add_argument("database")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--no-limits", action="store_true")
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--work", type=float, default=0.0)
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    if options.plain:
        application = ApplicationBuilder().token(TOKEN).base_url(options.url).build()
        handle_with(application, options.work)
        application.run_polling(timeout=10)
    else:
        asyncio.run(serve(options))


if __name__ == "__main__":
    main()
