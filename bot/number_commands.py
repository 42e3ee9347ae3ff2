"""`yordam stats` and `yordam export`: the numbers of a period, and the tickets as a table, on the shell."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from bot.settings import Settings
from bot.settled import settled


@click.command()
@click.option(
    "--days", type=click.IntRange(1, 3660), default=7, show_default=True, help="The last so many, with today."
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@settled
def stats(days: int, as_json: bool) -> None:
    """How the help is doing: cases, causes, times, ratings, and how each rule fared.

    Exit status: 0, or 2 when there is no ticket log yet.
    """
    from bot import number_report

    sys.exit(number_report.stats(Settings.load(), days, as_json))


@click.command()
@click.option("--csv", "form", flag_value="csv", help="A line a ticket; what a spreadsheet would run is disarmed.")
@click.option("--json", "form", flag_value="json", help="A list of objects.")
@click.option("--anonymous", is_flag=True, help="No names or words; people, numbers and networks as pseudonyms.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="Opened on this day or later.")
@click.option("--force", is_flag=True, help="Replace the file when it exists.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), default="-")
@settled
def export(form: str | None, anonymous: bool, since: datetime | None, force: bool, file: Path) -> None:
    """The tickets as a table, into FILE or, without one or for '-', to standard output. Works beside the running bot.

    CSV unless told otherwise, or unless FILE ends in .json. Exit status: 0, or 2 when it cannot be made.
    """
    from bot import number_report

    if str(file) != "-" and file.exists() and not force:
        raise click.UsageError(f"{file} exists already; --force replaces it")
    form = form or ("json" if file.suffix == ".json" else "csv")
    sys.exit(number_report.export(Settings.load(), file, form, anonymous, since))
