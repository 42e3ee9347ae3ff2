"""The commands, and the one place where everything is put together."""

from __future__ import annotations

import asyncio
import io
import logging
import math
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from bot.number_commands import export, stats
from bot.settings import Settings, SettingsError
from bot.settled import settled

READER_S = 60.0  # so long `purge` waits for a backup, or the review page, to end its reading


def main() -> None:
    """The console script `yordam`."""
    for stream in (sys.stdin, sys.stdout):  # whatever a pipe holds, and whatever a screen cannot show
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    cli(prog_name="yordam")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="microsip-yordam")
def cli() -> None:
    """Finds out why a MicroSIP softphone cannot reach its PBX, and tells the one thing to do next."""


@cli.command()
@click.option("--staff", is_flag=True, help="The staff's side of a case, to practise on.")
@settled
def demo(staff: bool) -> None:
    """The whole bot in this terminal, no token needed.

    With piped input, messages are separated by lines of '---'; with none, a whole case is played.
    """
    from handlers.demo import Demo, piped
    from handlers.demo_staff import StaffDemo

    _quiet_logs(logging.ERROR)
    settings = Settings.load(bot_token=None, staff_chat_id=None)
    said = None if sys.stdin.isatty() else sys.stdin.read()
    lines = piped(said) if said and said.strip() else None
    played = said is not None and lines is None
    with suppress(KeyboardInterrupt):
        if staff:
            asyncio.run(StaffDemo(settings).practise(lines, story=played))
        else:
            asyncio.run(Demo(settings).play() if played else Demo(settings).chat(lines))


@cli.command()
@click.option("--webhook", metavar="URL", help="Receive updates at this https address instead of polling.")
@settled
def run(webhook: str | None) -> None:
    """The Telegram bot."""
    from telegram.error import InvalidToken

    from handlers.app import build
    from handlers.liveness import AlreadyRunningError
    from handlers.webhook import Webhook

    settings = Settings.load("bot_token")
    _quiet_logs(logging.INFO)

    async def serve(store: Any) -> None:
        service = build(settings, store)
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, service.inbox.stop)
        await service.run(webhook=Webhook(webhook, settings.webhook_listen) if webhook else None)

    try:
        with _store(settings) as store:
            try:
                asyncio.run(serve(store))
            except InvalidToken:  # its own text shows the token
                click.echo("Bad settings: BOT_TOKEN (Telegram does not know it)", err=True)
                sys.exit(2)
            except Exception:
                logging.getLogger(__name__).critical("the bot has ended", exc_info=True)  # redacted, unlike a traceback
                sys.exit(1)
    except AlreadyRunningError as trouble:
        click.echo(str(trouble), err=True)
        sys.exit(2)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--only", multiple=True, metavar="NAME", help="Only this check; may be repeated.")
@click.option("--extension", help="Also ask the PBX whether it knows this extension.")
@settled
def check(as_json: bool, only: tuple[str, ...], extension: str | None) -> None:
    """All server-side checks, side by side.

    Exit status: 0 all good, 1 the server is at fault, 2 could not run.
    """
    from bot import report

    _quiet_logs(logging.ERROR)
    sys.exit(asyncio.run(report.check(Settings.load(), only, extension, as_json)))


@cli.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One reading, or a list of several.")
@click.option("--jsonl", "lines", is_flag=True, help="Requests from standard input, a line each.")
@settled
def read(files: tuple[Path, ...], as_json: bool, lines: bool) -> None:
    """What the parsers read in texts, INI files, logs and pictures."""
    from bot import report

    if lines:
        report.read_lines(Settings.load(), sys.stdin, sys.stdout)
        return
    if not files:
        raise click.UsageError("name a file, or give --jsonl")
    sys.exit(report.read_files(Settings.load(), files, as_json))


@cli.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--ticket", "number", type=int, help="Judge this ticket's log anew.")
@click.option("--save", is_flag=True, help="With --ticket: write it as a scenario to tests/scenarios/.")
@click.option("--no-checks", is_flag=True, help="Only the files, nothing is measured.")
@click.option("--extension", help="The user's own number, where it is known.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@settled
def explain(
    files: tuple[Path, ...], number: int | None, save: bool, no_checks: bool, extension: str | None, as_json: bool
) -> None:
    """Evidence (and checks) to the verdict, with the rows that fired and why."""
    from bot import report

    _quiet_logs(logging.ERROR)
    settings = Settings.load()
    if number is not None:
        sys.exit(report.explain_ticket(settings, number, save, as_json))
    if not files:
        raise click.UsageError("name evidence files, or --ticket N")
    sys.exit(asyncio.run(report.explain(settings, files, not no_checks, extension, as_json)))


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--status", type=click.Choice(["open", "escalated", "solved", "closed"]))
@click.option("--search", metavar="TEXT", help="Every word must occur; oʻ, o' and ў are the same.")
@settled
def tickets(as_json: bool, status: str | None, search: str | None) -> None:
    """The ticket log."""
    from bot import report

    report.tickets(Settings.load(), status, search, as_json)


@cli.command()
@click.argument("number", type=int)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@settled
def ticket(number: int, as_json: bool) -> None:
    """One ticket with its whole log."""
    from bot import report

    sys.exit(report.ticket(Settings.load(), number, as_json))


@cli.command()
@settled
def web() -> None:
    """The staff's review page, beside the running bot. In the bot, /web gives a link to it."""
    from bot import review

    settings = Settings.load()
    _quiet_logs(logging.INFO)
    sys.exit(review.serve_page(settings))


@cli.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--with-attachments",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Kept files too, to a new folder.",
)
@settled
def backup(file: Path, folder: Path | None) -> None:
    """A consistent copy of the database, while the bot runs."""
    from bot.attachments import Attachments
    from bot.backup import back_up, back_up_files

    database = Settings.load().database
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # half a copy is put away
    for place in (file, folder):
        if place is not None and place.exists():
            raise click.UsageError(f"{place} exists already")
    done = "no copy was made"
    try:
        click.echo(f"{file}: {back_up(database, file)} bytes")
        done = "the files were not copied"
        if folder is not None:
            click.echo(f"{folder}: {back_up_files(Attachments.beside(database), folder)} files")
    except (sqlite3.Error, OSError) as trouble:
        click.echo(f"{done}: {trouble}", err=True)
        sys.exit(1)


@cli.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go; works beside the running bot.")
@click.option("--older-than", "days", type=click.IntRange(min=1), metavar="DAYS", help="Default: RETENTION_DAYS.")
@settled
def purge(dry_run: bool, days: int | None) -> None:
    """Forgets what old tickets held, as the running bot does every six hours; numbers, times and causes stay."""
    from bot.attachments import Attachments
    from bot.emptying import Forgotten
    from bot.forgetting import Forgetting, would_purge
    from bot.store import read_only
    from handlers.liveness import AlreadyRunningError

    settings = Settings.load()
    database, age = settings.database, days or settings.retention_days
    attachments = Attachments.beside(database)
    if dry_run or not database.exists():
        with read_only(database) as db:
            gone = would_purge(db, attachments, age) if db is not None else Forgotten()
        click.echo(f"would forget {gone.line()}")
        return

    async def forget(forgetting: Forgetting) -> tuple[Forgotten, bool]:
        return await forgetting.purge(age), await forgetting.settle(READER_S)

    try:
        with _store(settings) as store:
            gone, emptied = asyncio.run(forget(Forgetting(store, attachments, math.inf)))  # nobody waits: of any size
    except AlreadyRunningError as trouble:
        click.echo(f"{trouble}, and forgets by itself; --dry-run works beside it", err=True)
        sys.exit(1)
    click.echo(f"forgot {gone.line()}")
    if not emptied:
        click.echo("somebody reads the database: its bytes go when it is opened next", err=True)


@cli.command()
@settled
def health() -> None:
    """One line and an exit status for a supervisor: 0 alive, 1 deaf or never started."""
    from bot import health as alive

    try:
        state = alive.health(Settings.load().database)
    except sqlite3.Error as trouble:
        click.echo(f"the database cannot be read: {trouble}")
        sys.exit(1)
    click.echo(state.line())
    sys.exit(0 if state.ok else 1)


cli.add_command(stats)
cli.add_command(export)


@contextmanager
def _store(settings: Settings) -> Iterator[Any]:
    """The database to write to, for one process alone. Raises AlreadyRunningError before anything is opened."""
    from bot.mailbox import migrations as mailbox
    from bot.schema import migrations as log
    from bot.store import Store
    from handlers.liveness import Lock

    with ExitStack() as held:
        try:
            held.enter_context(Lock(settings.database))
            store = held.enter_context(closing(Store(settings.database, (log, mailbox))))
        except OSError as trouble:
            raise SettingsError(f"Bad settings: DATA_DIR ({trouble.strerror})") from None
        yield store


def _quiet_logs(level: int) -> None:
    from bot.logs import set_up

    set_up(level)


if __name__ == "__main__":
    main()
