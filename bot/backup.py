"""A copy while the bot works: its database as of one moment, and the files that it mentions when asked for.

What was in hand at that moment is the running bot's to finish, so in the copy it counts as done: whoever puts the copy
back answers nobody a second time. What came after that moment the copy does not know.

Until it is whole and checked a copy has another name, `….half`: whatever ends the command, none looks like one.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from bot.attachments import Attachments
from bot.store import Store, copy_to

COPIED_AT = "copied_at"  # a row of the table `pulse`, in copies alone: unix seconds


def back_up(database: Path, copy: Path) -> int:
    """Makes and checks a copy for its owner's eyes (mode 0600); its bytes. Raises OSError, sqlite3.Error.

    FileExistsError: there is such a file, or another backup to it is at work, or was killed.
    """
    if copy.exists():
        raise FileExistsError(errno.EEXIST, "exists already", str(copy))
    half = _half(copy)
    try:
        os.close(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        copy_to(database, half)
        with closing(sqlite3.connect(half, isolation_level=None)) as made:
            _settle(made, time.time())
        with half.open("rb") as file:
            os.fsync(file.fileno())
        half.rename(copy)
    except FileExistsError:  # it is another's
        raise
    except BaseException:
        for left in (half, half.with_name(f"{half.name}-journal")):
            left.unlink(missing_ok=True)
        raise
    return copy.stat().st_size


def back_up_files(attachments: Attachments, folder: Path) -> int:
    """Copies the kept files to a new folder, after the database: so each that it mentions is there. Their number.

    Raises OSError; FileExistsError when the folder stands there already.
    """
    if folder.exists():
        raise FileExistsError(errno.EEXIST, "exists already", str(folder))
    half = _half(folder)
    try:
        half.mkdir(mode=0o700, parents=True)
        copies, names = Attachments(half), 0
        for name in attachments.names():
            ticket, _, rest = name.partition("-")
            place = attachments.path(name)
            if place is None:  # forgotten meanwhile
                continue
            copies.keep(int(ticket), place.read_bytes(), "." + rest.rpartition(".")[2])
            names += 1
        half.rename(folder)
    except FileExistsError:
        raise
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
    return names


def _half(whole: Path) -> Path:
    return whole.with_name(f"{whole.name}.half")


async def copied_at(store: Store) -> float | None:
    """When the copy was made that was put back here, unix seconds; None: this is no copy, or it is settled in."""
    sql = "SELECT value FROM pulse WHERE name = ?"
    row = await store.run(lambda db: db.execute(sql, [COPIED_AT]).fetchone())
    return float(row[0]) if row else None


async def settled_in(store: Store) -> None:
    """From now on it is the database, no copy."""
    await store.run(lambda db: db.execute("DELETE FROM pulse WHERE name = ?", [COPIED_AT]))


def _settle(made: sqlite3.Connection, now: float) -> None:
    made.execute("PRAGMA secure_delete=ON")
    made.execute("BEGIN")
    made.execute("UPDATE inbox SET done_at = ?, body = NULL WHERE done_at IS NULL", (now,))
    made.execute("UPDATE relayed SET said = NULL, fate = iif(fate = 'waiting', 'sent', fate) WHERE said IS NOT NULL")
    made.execute("REPLACE INTO pulse VALUES (?, ?)", (COPIED_AT, now))
    made.execute("COMMIT")
