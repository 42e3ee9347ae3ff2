"""How does a command end that cannot work? In one line and exit status 2, never in a traceback."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from bot.settings import SettingsError

P = ParamSpec("P")
R = TypeVar("R")


def settled(command: Callable[P, R]) -> Callable[P, R]:
    """The command, with an answer to bad settings and an unusable database."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except SettingsError as trouble:
            click.echo(str(trouble), err=True)
            sys.exit(2)
        except sqlite3.Error as trouble:
            click.echo(f"the database cannot be used: {trouble}", err=True)
            sys.exit(2)

    return run
