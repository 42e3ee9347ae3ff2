"""What `yordam stats` prints, and where `yordam export` writes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TextIO

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.export import ANONYMOUS, COLUMNS, anonymous, rows, write_csv, write_json
from bot.numbers import UZBEKISTAN, Numbers, Period, Spread, numbers
from bot.settings import Settings
from bot.store import read_only

NO_LOG = "there is no ticket log yet"


def stats(settings: Settings, days: int, as_json: bool) -> int:
    """Prints the numbers. Returns the exit status: 2 when there is no log."""
    with read_only(settings.database) as db:
        if db is None:
            click.echo(NO_LOG, err=True)
            return 2
        found = numbers(db, Period.last(days))
    if as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False))
    else:
        _print_stats(found)
    return 0


def export(settings: Settings, file: Path, form: str, hidden: bool, since: datetime | None) -> int:
    """Writes the tickets, without people when they are to be hidden. Returns the exit status: 2 when it cannot."""
    with read_only(settings.database) as db:
        if db is None:
            click.echo(NO_LOG, err=True)
            return 2
        found = rows(db, since.replace(tzinfo=UZBEKISTAN) if since else None)
        try:
            with _out(file) as out:
                if form == "json":
                    count = write_json(anonymous(found) if hidden else found, out)
                else:
                    count = write_csv(anonymous(found) if hidden else found, out, ANONYMOUS if hidden else COLUMNS)
        except BrokenPipeError:  # `| head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except OSError as trouble:
            click.echo(f"{file}: {trouble.strerror}", err=True)
            return 2
    click.echo(f"{file}: {count} tickets", err=True)
    return 0


@contextmanager
def _out(file: Path) -> Iterator[TextIO]:
    """Standard output, or the file: readable by its owner alone, and there only when it is whole."""
    if str(file) == "-":
        yield sys.stdout
        sys.stdout.flush()
        return
    begun = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            yield out
        begun.replace(file)
    finally:
        begun.unlink(missing_ok=True)


def _print_stats(found: Numbers) -> None:
    console = Console(highlight=False)
    first, last = found.days[0].day, found.days[-1].day
    console.print(f"[bold]{first} – {last}[/]: {found.opened} cases")
    console.print(", ".join(f"{count} {status}" for status, count in found.statuses.items()))
    pct = found.solved_alone_pct
    alone = "–" if pct is None else f"{pct}% ({found.solved_alone} of {found.ended} that ended)"
    mean = found.rating.mean
    stars = "–" if mean is None else f"{mean:.1f} of 5 ({found.rating.count} ratings)"
    for what, said in (
        ("solved without a person", alone),
        ("first answer", _spread(found.first_answer)),
        ("first word of the staff", _spread(found.first_staff)),
        ("solution", _spread(found.solution)),
        ("rating", stars),
        ("now", f"{found.now.open} open, {found.now.waiting} wait for a person"),
    ):
        console.print(f"{what:24} {said}")
    _print_table(console, "causes", ("step", "owner", "cases"), [(c.step, c.owner, c.count) for c in found.causes])
    columns = ("step", "told", "right", "in vain", "person", "because")
    scores = [(s.step, s.given, s.confirmed, s.contradicted, s.needed_person, s.rule or "–") for s in found.scores]
    _print_table(console, "what was told", columns, scores)


def _print_table(console: Console, title: str, columns: tuple[str, ...], lines: Sequence[Sequence[object]]) -> None:
    if not lines:
        return
    shown = Table(title=title, title_justify="left")
    for place, column in enumerate(columns):
        last = place == len(columns) - 1
        shown.add_column(column, justify="right" if isinstance(lines[0][place], int) else "left", no_wrap=not last)
    for line in lines:
        shown.add_row(*(escape(str(cell)) for cell in line))
    console.print(shown)


def _spread(spread: Spread) -> str:
    if spread.median_s is None or spread.p90_s is None:
        return "–"
    return f"median {_time(spread.median_s)}, nine of ten within {_time(spread.p90_s)} ({spread.count})"


def _time(took_s: float) -> str:
    minutes, seconds = divmod(round(took_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
