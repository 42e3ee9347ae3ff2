"""Does a million tickets slow the staff down? Lists, searches, one ticket and the numbers, against ten thousand.

Both logs are read in turns through one connection each, as the bot and the review page do; processor time is measured,
so that a busy machine does not matter, and both files are in the system's memory, so that the disk does not.
`python -m benchmarks tickets` builds them in a temporary folder (3 GB, five minutes) and deletes them.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from sqlite_utils import Database

from benchmarks.ticket_log import A_DAY, FAMILY, GIVEN, PROVIDERS, RARE, UNTIL, build, extension_of
from bot.model import Owner, Status
from bot.numbers import Period, numbers
from bot.store import read_only
from bot.table import RULES
from bot.ticket_rows import Wanted, find_tickets, read_ticket

PAGE = 50
ROUNDS = 400
Query = Callable[[Database, random.Random, int], object]  # a log of so many tickets, asked by chance


def listed(**wanted: Callable[[random.Random, int], object]) -> Query:
    """A page of the list with these filters."""

    def ask(db: Database, dice: random.Random, count: int) -> object:
        return find_tickets(db, Wanted(**{key: value(dice, count) for key, value in wanted.items()}), PAGE)  # type: ignore[arg-type]

    return ask


def one_of(*values: object) -> Callable[[random.Random, int], object]:
    """Any of these."""
    return lambda dice, count: dice.choice(values)


def searched(*words: str, **more: Callable[[random.Random, int], object]) -> Query:
    """A page of one of these searches."""
    return listed(search=one_of(*words), **more)


def number_of(dice: random.Random, count: int) -> str:
    """Somebody's extension."""
    return extension_of(dice.randrange(count), count)


def day(dice: random.Random, count: int) -> Wanted:
    """All of one day among the last."""
    begin = UNTIL - timedelta(days=dice.randrange(1, max(2, min(30, count // A_DAY))))
    return Wanted(opened_from=begin, opened_before=begin + timedelta(days=1))


STEPS = sorted({rule.step for rule in RULES})
COMMON = ("microsip", "qo'ng'iroq", "ўтмаяпти", "ping", "69", "assalomu")
QUERIES: dict[str, Query] = {
    "the newest": listed(),
    "by status": listed(status=one_of(*Status)),
    "by step": listed(step=one_of(*STEPS)),
    "by owner": listed(owner=one_of(*Owner)),
    "by step and status": listed(step=one_of(*STEPS), status=one_of(*Status)),
    "by extension": listed(extension=number_of),
    "by extension and step": listed(extension=number_of, step=one_of(*STEPS)),
    "by provider": listed(provider=one_of(*PROVIDERS)),
    "by provider and status": listed(provider=one_of(*PROVIDERS), status=one_of(*Status)),
    "by provider and step": listed(provider=one_of(*PROVIDERS), step=one_of(*STEPS)),
    "of one person": listed(user_id=lambda dice, count: dice.randrange(1, max(2, count // 4))),
    "of one day": lambda db, dice, count: find_tickets(db, day(dice, count), PAGE),
    "since a day": listed(opened_from=lambda dice, count: UNTIL - timedelta(days=dice.randrange(1, 9))),
    "before a day": listed(opened_before=lambda dice, count: UNTIL - timedelta(days=dice.randrange(1, 9))),
    "a page far down": listed(below=lambda dice, count: dice.randrange(PAGE, count)),
    "search: a frequent word": searched(*COMMON),
    "search: the beginning of a word": searched("ul", "mic", "q", "gʻay", "karim", "12", "toshmat"),
    "search: a name": searched(*GIVEN, *FAMILY),
    "search: a rare word": searched(RARE),
    "search: no such word": searched("yoqsoz"),
    "search: two frequent words": searched(*(f"{one} {two}" for one in COMMON for two in ("oʻtmayapti", "salom", "a"))),
    "search: a name and a number": listed(search=lambda dice, count: f"{dice.choice(GIVEN)} {number_of(dice, count)}"),
    "search: a rare and a frequent word": searched(f"{RARE} microsip", f"parol {RARE}", f"{RARE} 408"),
    "search: a frequent word among the waiting": searched(*COMMON, status=one_of("open", "escalated")),
    "search: a frequent word in a rare step": searched(*COMMON, step=one_of(*STEPS)),
    "search: a frequent word of one extension": searched(*COMMON, extension=number_of),
    "search: a frequent word of one provider": searched(*COMMON, provider=one_of(*PROVIDERS)),
    "the worst search: two frequent words that never meet": searched(*map(" ".join, pairwise(GIVEN))),
    "one ticket": lambda db, dice, count: read_ticket(db, dice.randrange(1, count + 1)),
    "the numbers of 7 days": lambda db, dice, count: numbers(db, Period.last(7, UNTIL)),
    "the numbers of 30 days": lambda db, dice, count: numbers(db, Period.last(30, UNTIL)),
    "the scoreboard of all time": lambda db, dice, count: list(db.query("SELECT * FROM cause_stats")),
}
SLOW = ("numbers", "scoreboard")  # asked a tenth as often
KINDS = {
    "all lists": ("the newest", "a page"),
    "all filters": ("by ", "of one", "since", "before"),
    "all searches": ("search",),
}


def asked(query: Query, db: Database, count: int, seed: int) -> tuple[float, int]:
    """How many milliseconds one call took, and how many tickets it brought: a full page takes longer than a few."""
    dice = random.Random(seed)
    begun = time.process_time()
    found = query(db, dice, count)
    return (time.process_time() - begun) * 1000, len(found) if isinstance(found, tuple) else 1


Asked = tuple[tuple[float, int], ...]  # one question, of the smaller and of the larger log


def row(name: str, taken: list[Asked]) -> tuple[str, str]:
    """What was asked, with times and tickets brought; the ratio of the medians, and of the 95th percentiles."""
    few, many = (statistics.median(one[log][0] for one in taken) for log in (0, 1))
    few_p95, many_p95 = (statistics.quantiles((one[log][0] for one in taken), n=20)[-1] for log in (0, 1))
    small, large = (round(statistics.fmean(one[log][1] for one in taken)) for log in (0, 1))
    tickets = "" if small == large else f", {large} tickets against {small}"
    what = f"{name} (95th percentile {many_p95:.1f} ms, median {many:.2f} ms against {few:.2f} ms{tickets})"
    return what, f"x{many / few:.2f}, x{many_p95 / few_p95:.2f}"


def rows(
    small: int = 10_000, large: int = 1_000_000, only: str = "", rounds: int = ROUNDS
) -> Iterator[tuple[str, str]]:
    """First how the logs were built, then each question, then all questions of a kind together."""
    with tempfile.TemporaryDirectory(prefix="yordam-tickets-") as folder, ExitStack() as open_logs:
        logs = []
        for count in (small, large):
            path = Path(folder) / f"{count}.db"
            begun = time.perf_counter()
            build(path, count)
            size_mb = path.stat().st_size / 2**20
            yield f"{count:,} tickets written: {size_mb:,.0f} MB", f"{time.perf_counter() - begun:.0f} s"
            db = open_logs.enter_context(read_only(path))
            assert db is not None
            logs.append((db, count))
        yield from compared(logs, only, rounds)


def compared(logs: list[tuple[Database, int]], only: str = "", rounds: int = ROUNDS) -> Iterator[tuple[str, str]]:
    """Each question that is named so, asked of the smaller and the larger log; then all questions of a kind."""
    kinds: dict[str, list[Asked]] = defaultdict(list)
    for name, query in QUERIES.items():
        if only not in name:
            continue
        taken = _taken(query, logs, rounds // 10 if any(slow in name for slow in SLOW) else rounds)
        yield row(name, taken)
        for kind, begins in KINDS.items():
            kinds[kind] += taken if name.startswith(begins) else []
    for kind, taken in kinds.items():
        if taken:
            yield row(kind, taken)


def _taken(query: Query, logs: list[tuple[Database, int]], rounds: int) -> list[Asked]:
    for db, _ in logs:  # the system, too, reads them from memory
        with Path(db.execute("PRAGMA database_list").fetchone()[2]).open("rb") as whole:
            while whole.read(2**20):
                pass
    taken: list[Asked] = []
    for seed in range(rounds):
        first = seed % 2
        one = [asked(query, *logs[place], seed) for place in (first, 1 - first)]
        taken.append((one[first], one[1 - first]))
    return taken


if __name__ == "__main__":
    for what, ratio in rows(int(sys.argv[1]), int(sys.argv[2]), " ".join(sys.argv[3:])):
        print(f"{what:124} {ratio}", flush=True)
