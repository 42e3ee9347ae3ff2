"""Is the bot alive? Read from the database by another process, without touching the one that writes."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

DEAF_S = 180.0


@dataclass(frozen=True, slots=True)
class Health:
    """A snapshot; ages in seconds, None where there is nothing to tell of."""

    polled_s_ago: float | None  # last successful fetch of updates; None: never
    oldest_waiting_s: float | None  # oldest update not answered yet; None: none waits
    queue: int  # updates not answered yet
    set_aside: int  # updates of the last day that ended with an error
    unknown_sends: int  # sends claimed more than a minute ago whose result is not known
    sqlite_version: str

    @property
    def ok(self) -> bool:
        """Whether a supervisor can leave it alone."""
        return self.polled_s_ago is not None and self.polled_s_ago < DEAF_S

    def line(self) -> str:
        """One line for a person or a monitor."""

        def age(seconds: float | None) -> str:
            return "never" if seconds is None else f"{seconds:.0f} s ago"

        oldest = "" if self.oldest_waiting_s is None else f", oldest waits {self.oldest_waiting_s:.0f} s"
        return (
            f"{'ok' if self.ok else 'DEAF'}: last poll {age(self.polled_s_ago)}, queue {self.queue}{oldest},"
            f" set aside {self.set_aside}, unknown sends {self.unknown_sends}, SQLite {self.sqlite_version}"
        )


def health(path: Path, now: float | None = None) -> Health:
    """The state of the bot that writes this file. Raises sqlite3.Error when it cannot be read."""
    at = time.time() if now is None else now
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=2)
    try:
        polled = db.execute("SELECT value FROM pulse WHERE name = 'polled_at'").fetchone()
        count, oldest = db.execute("SELECT count(*), min(received_at) FROM inbox WHERE done_at IS NULL").fetchone()
        (aside,) = db.execute(
            "SELECT count(*) FROM inbox WHERE error IS NOT NULL AND done_at > ?", (at - 86400,)
        ).fetchone()
        (unknown,) = db.execute(
            "SELECT count(*) FROM outbox WHERE result IS NULL AND claimed_at BETWEEN ? AND ?",
            (at - 86400, at - 60),
        ).fetchone()
    finally:
        db.close()
    return Health(
        None if polled is None else max(0.0, at - polled[0]),
        None if oldest is None else max(0.0, at - oldest),
        count,
        aside,
        unknown,
        sqlite3.sqlite_version,
    )
