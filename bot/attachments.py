"""Where do the pictures and files lie that staff may look at? Under names of our own, in one folder, for a while.

    DATA_DIR/attachments/0c/12-5f0e9c….jpg        of ticket 12

A name is the ticket and a hash of the content, so the same update handled twice after a crash leaves one file. What
may be kept at all is judged before (handlers/keeping.py); nothing a person named reaches a path.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = (".jpg", ".png", ".txt")
FOLDER = "attachments"
SHARDS = 256  # folders, so that none holds all files
ORPHAN_AFTER_S = 3600.0  # a file is written before its event: a younger one may still get it
HALF, HALF_AFTER_S = ".half-", 30.0  # no file takes so long to be written: a crash left it
_NAME = re.compile(r"(?P<ticket>[1-9][0-9]{0,17})-[0-9a-f]{40}\.(?:jpg|png|txt)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Attachments:
    """The files of one folder. Every method may be called from any thread."""

    folder: Path

    @classmethod
    def beside(cls, database: Path) -> Attachments:
        """Those that the log in this database mentions."""
        return cls(database.with_name(FOLDER))

    def keep(self, ticket: int, content: bytes, suffix: str) -> str:
        """Writes a file, whole or not at all, for its owner's eyes (mode 0600); its name.

        `suffix` says what the content was found to be. Raises ValueError for one not in SUFFIXES, OSError.
        """
        if suffix not in SUFFIXES:
            raise ValueError(f"no such kind of attachment: {suffix!r}")
        name = f"{ticket}-{hashlib.sha256(content).hexdigest()[:40]}{suffix}"
        place = self._place(ticket, name)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # `parents` would leave this one to the umask
        place.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor, half = tempfile.mkstemp(prefix=HALF, dir=place.parent)  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(half).replace(place)
        except OSError:
            Path(half).unlink(missing_ok=True)
            raise
        _sync(place.parent)
        return name

    def path(self, name: str) -> Path | None:
        """The file of this name; None for a name that `keep` never gave, or a file that is gone."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        place = self._place(int(found["ticket"]), name)
        return place if place.is_file() and not place.is_symlink() else None

    def of_ticket(self, ticket: int) -> tuple[str, ...]:
        """The names of everything kept of a ticket, also what its log does not mention."""
        return tuple(sorted(path.name for path in self._shard(ticket).glob(f"{int(ticket)}-*")))

    def names(self) -> tuple[str, ...]:
        """The names of everything kept."""
        return tuple(sorted(path.name for path in self._all() if _NAME.fullmatch(path.name)))

    def forget(self, names: Iterable[str]) -> int:
        """Removes files; those that are gone already are no trouble. Returns the bytes freed."""
        freed, shards = 0, set()
        for name in names:
            place = self.path(name)
            if place is None:
                continue
            with contextlib.suppress(FileNotFoundError):
                freed += place.stat().st_size
                place.unlink()
                shards.add(place.parent)
        for shard in shards:
            _sync(shard)
        return freed

    def sweep(self, mentioned: Container[str], older_than_s: float = ORPHAN_AFTER_S) -> tuple[str, ...]:
        """Removes files that no event mentions, and halves a crash left; their names. The young ones may wait."""
        now, swept = time.time(), []
        for path in self._all():
            enough_s = min(older_than_s, HALF_AFTER_S) if path.name.startswith(HALF) else older_than_s
            with contextlib.suppress(FileNotFoundError):
                if path.name not in mentioned and path.lstat().st_mtime < now - enough_s:
                    path.unlink()
                    swept.append(path.name)
        return tuple(sorted(swept))

    def size_of(self, names: Iterable[str]) -> int:
        """How many bytes these files take together."""
        return sum(place.stat().st_size for name in names if (place := self.path(name)) is not None)

    def _all(self) -> Iterator[Path]:
        return (path for path in self.folder.glob("??/*") if path.is_file() or path.is_symlink())

    def _shard(self, ticket: int) -> Path:
        return self.folder / f"{ticket % SHARDS:02x}"

    def _place(self, ticket: int, name: str) -> Path:
        return self._shard(ticket) / name


def _sync(folder: Path) -> None:
    """A new or removed name survives a power cut only once its folder is on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
