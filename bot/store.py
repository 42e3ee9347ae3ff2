"""The one SQLite file: a single writer connection owned by one thread, explicit transactions, migrations.

Why so: SQLite before 3.51.3 can corrupt a WAL database with two writers, and a deferred transaction that
reads and then writes fails at once with 'database is locked' (docs/decisions/0002-one-writer.md).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from sqlite_utils import Database, Migrations

T = TypeVar("T")
CACHE_KIB = 32 * 1024  # at most, of pages that were read; SQLite's own 2 MiB are read again and again in a large log


class Store:
    """A database file. `run` works in its own thread, inside BEGIN IMMEDIATE … COMMIT."""

    def __init__(self, path: Path, migrations: tuple[Migrations, ...]) -> None:
        """Opens or creates the file and brings its tables up to date. Raises OSError, sqlite3.Error when it cannot."""
        self.path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)  # what people said is its owner's alone; SQLite makes -wal and -shm alike
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._db: Database = self._thread.submit(self._open, migrations).result()

    def _open(self, migrations: tuple[Migrations, ...]) -> Database:
        db = Database(sqlite3.connect(self.path, isolation_level=None, check_same_thread=True))
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA busy_timeout=5000")
        db.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        db.execute("PRAGMA secure_delete=ON")  # what is forgotten leaves no bytes behind
        for group in migrations:
            group.apply(db)
        _empty_log(db)  # a process that was killed may have left there what it had deleted
        return db

    def _transact(self, work: Callable[[Database], T], durable: bool) -> T:
        # FULL survives a power cut, NORMAL only the death of the process; it may change between transactions.
        self._db.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        self._db.execute("BEGIN IMMEDIATE")
        try:
            result = work(self._db)
        except BaseException:
            self._db.rollback()
            raise
        self._db.execute("COMMIT")
        return result

    async def run(self, work: Callable[[Database], T], *, durable: bool = False) -> T:
        """The result of `work(database)`, committed as a whole; its exception, rolled back as a whole."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._transact, work, durable)

    async def checkpoint(self) -> bool:
        """Empties the write-ahead log, so that what was deleted leaves no bytes there either.

        False: somebody reads, a backup say, and nothing happened; the next time will do.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: _empty_log(self._db))

    async def rewrite(self) -> None:
        """Writes the whole file anew: some 100 MB a second, in which nobody else writes. Raises sqlite3.Error.

        `secure_delete` overwrites what is deleted, but not the copies that SQLite leaves between the rows of a page
        when it moves others of them to a new one (measured: of one person in thirty, an id or a number).
        """
        await asyncio.get_running_loop().run_in_executor(self._thread, lambda: self._db.execute("VACUUM"))

    def close(self) -> None:
        """Waits for what is in hand, then closes the file."""
        self._thread.submit(self._db.close).result()
        self._thread.shutdown()


def _empty_log(db: Database) -> bool:
    db.execute("PRAGMA busy_timeout=50")
    busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    db.execute("PRAGMA busy_timeout=5000")
    return not busy


@contextmanager
def read_only(path: Path) -> Iterator[Database | None]:
    """The database for reading beside the bot that writes it; None when there is none yet."""
    if not path.exists():
        yield None
        return
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5)
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    try:
        yield Database(connection)
    finally:
        connection.close()


def copy_to(path: Path, copy: Path) -> None:
    """A consistent copy while the bot works: `VACUUM INTO`, then checked. Raises sqlite3.Error."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=30)) as source:
        source.set_progress_handler(lambda: 0, 100_000)  # now and then Python looks whether it is to stop
        source.execute("VACUUM INTO ?", [str(copy)])
    with closing(sqlite3.connect(copy)) as made:
        made.set_progress_handler(lambda: 0, 100_000)
        if (verdict := made.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(f"the copy is damaged: {verdict}")
