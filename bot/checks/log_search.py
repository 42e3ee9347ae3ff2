"""Where in the PBX's log does a number stand, from its newest line back, and what stood before that line?

Only those lines are found that may say when the PBX was started, who registered, or that this number was challenged.
A place is a suspicion: `Place.trail()` reads what stands before it, which tells whether the PBX wrote it at all.
"""

from __future__ import annotations

import glob
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.checks.check import NotTested
from bot.checks.log_stamp import stamp_of
from bot.model import Failure
from bot.parsers.pbx_log_lines import Said, read_line
from bot.parsers.pbx_log_trail import Trail

BLOCK_BYTES = 1 << 20
SEARCHED_BYTES = 16 << 20  # of all files: four hours of fifty phones
BEFORE_BYTES = 64 * 1024  # no packet is longer
LINE_BYTES = 512
END_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Place:
    """`said`: STARTED, or REGISTERED or CHALLENGE with the number and the address; `at`: offset in the open file."""

    said: Said
    extension: str | None
    ip: str | None
    age_s: float
    file: int
    at: int

    def trail(self) -> Trail:
        """The trail of the log up to this line; only while the search goes on."""
        first = max(0, self.at - BEFORE_BYTES)
        text = os.pread(self.file, self.at - first + LINE_BYTES, first)
        end = text.find(b"\n", self.at - first)
        lines = text[: end if end >= 0 else len(text)].decode("utf-8", "replace").split("\n")
        trail = Trail()
        for line in lines[first > 0 :]:  # the first one is cut
            for event in read_line(line):
                trail.feed(event)
        return trail


def places(patterns: Sequence[str], number: str) -> Iterator[Place]:
    """All of them in the files of the patterns, the newest first, as far back as SEARCHED_BYTES reach.

    Raises NotTested where no file can be read: UNREADABLE, NO_PERMISSION.
    """
    wanted = re.compile(
        rb"SIP Registrar started on |Extension (?P<who>\S{1,64}) registered from (?P<from>[0-9.]{7,15}):"
        rb"|Sending 401 challenge for %s to (?P<to>[0-9.]{7,15}):" % re.escape(number).encode()
    )
    left, read, failure = SEARCHED_BYTES, 0, Failure.UNREADABLE
    paths = {path for pattern in patterns for path in glob.glob(os.path.expanduser(pattern)) if os.path.isfile(path)}
    for path in sorted(paths, key=os.path.getmtime, reverse=True):
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except PermissionError:
            failure = Failure.NO_PERMISSION
            continue
        except FileNotFoundError:  # rotated away meanwhile
            continue
        read += 1
        try:
            end = os.fstat(file).st_size
            left -= end
            yield from _of_file(file, end, max(0, -left), wanted, number)
        finally:
            os.close(file)
        if left <= 0:
            return
    if not read:
        raise NotTested(failure, "no log file can be read")


def _of_file(file: int, end: int, begin: int, wanted: re.Pattern[bytes], number: str) -> Iterator[Place]:
    age_s, last = time.time() - os.fstat(file).st_mtime, _last_stamp(file, end)
    while end > begin:
        first = max(begin, end - BLOCK_BYTES)
        block = os.pread(file, end - first + LINE_BYTES, first)  # with the rest of a line that begins in it
        for found in reversed(list(wanted.finditer(block))):
            if found.start() >= end - first:
                continue
            line = block[max(0, found.start() - LINE_BYTES) : found.end() + LINE_BYTES]
            line = line[line.rfind(b"\n", 0, min(found.start(), LINE_BYTES)) + 1 :].partition(b"\n")[0]
            stamp = stamp_of(line.decode("utf-8", "replace"))
            before_s = (last - stamp).total_seconds() if last and stamp else 0.0
            yield _place(found, number, age_s + before_s, file, first + found.start())
        end = first


def _place(found: re.Match[bytes], number: str, age_s: float, file: int, at: int) -> Place:
    if found["who"]:
        return Place(Said.REGISTERED, found["who"].decode("utf-8", "replace"), found["from"].decode(), age_s, file, at)
    if found["to"]:
        return Place(Said.CHALLENGE, number, found["to"].decode(), age_s, file, at)
    return Place(Said.STARTED, None, None, age_s, file, at)


def _last_stamp(file: int, end: int) -> datetime | None:
    """When the last line was written, by the log's own clock: the file's time tells how long ago that was."""
    lines = os.pread(file, END_BYTES, max(0, end - END_BYTES)).decode("utf-8", "replace").split("\n")
    return next(filter(None, map(stamp_of, reversed(lines))), None)
