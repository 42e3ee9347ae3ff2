"""What does it cost to lose nothing? Our inbox and courier against a plain echo bot of the same library.

Both run as processes of their own against the fake Bot API over HTTP and take turns, so a busy neighbour slows both
alike. `python -m benchmarks delivery`, or single rows: `python -m benchmarks.delivery kills speed waits memory flood`.
"""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fake_api import FakeApi
from tests.kills import kill_again_and_again, start

Rows = list[tuple[str, str]]
PLAIN = ("--plain",)
OURS = ("--no-limits",)
ROUNDS = 3


@contextmanager
def bot(api: FakeApi, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """An echo bot, ended politely."""
    with tempfile.TemporaryDirectory() as folder:
        process = start(api, Path(folder) / "bot.db", *options)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def answers(api: FakeApi) -> list[float]:
    """When each answer arrived."""
    return [record.at for record in api.records if record.method == "sendMessage" and record.ok]


def updates_per_s(updates: int, latency_s: float, *options: str) -> float:
    """From the first answer to the last, 50 people writing."""
    with FakeApi() as api:
        api.latency_s = latency_s
        for n in range(updates):
            api.send_text(1 + n % 50, f"n{n}")
        with bot(api, *options):
            api.wait_for(lambda: len(answers(api)) >= updates, 300)
        times = answers(api)
        return (len(times) - 1) / (max(times) - min(times))


def speed() -> Rows:
    """Throughput, on loopback and with a real network's round trip."""
    found: Rows = []
    for latency_ms, updates in ((0, 2000), (50, 300)):
        ours, plain = [], []
        for _ in range(ROUNDS):
            ours.append(updates_per_s(updates, latency_ms / 1000, *OURS))
            plain.append(updates_per_s(updates, latency_ms / 1000, *PLAIN))
        mine, theirs = statistics.median(ours), statistics.median(plain)
        what = f"updates/s, {latency_ms} ms round trip: durable inbox {mine:.0f}, plain polling {theirs:.0f}"
        found.append((what, f"x{mine / theirs:.2f}"))
    return found


def kills() -> Rows:
    """The long schedule, one sender and sixteen; and what plain polling loses at a single kill."""
    found: Rows = []
    for workers, seed in ((1, 1), (16, 2)):
        with tempfile.TemporaryDirectory() as folder:
            toll = kill_again_and_again(seed, Path(folder), kills=100, updates=2000, workers=workers)
        what = (
            f"{toll.updates} updates, {toll.kills} kill -9, {workers} workers: out of order {toll.out_of_order},"
            f" confirmed without a row {toll.unstored}, damaged files {toll.damaged}"
        )
        found.append((what, f"lost {toll.lost}, repeated {toll.repeated}"))
    lost = [plain_loss(after) for after in (20, 50, 120)]
    return [*found, ("200 updates, plain polling, one kill -9 after 20 / 50 / 120 answers", f"lost {lost}")]


def plain_loss(after: int) -> int:
    """How many of 200 updates nobody ever answers."""
    with FakeApi() as api:
        api.latency_s = 0.01
        for n in range(200):
            api.send_text(1 + n % 20, f"n{n}")
        with tempfile.TemporaryDirectory() as folder:
            process = start(api, Path(folder) / "none", *PLAIN)
            api.wait_for(lambda: len(answers(api)) >= after, 60)
            process.kill()
            process.wait()
        with bot(api, *PLAIN):
            time.sleep(3)
        return 200 - len(answers(api))


def waits() -> Rows:
    """Sixteen people at once, each needing a check of one second."""
    found = []
    for options in (("--work", "1"), (*PLAIN, "--work", "1")):
        with FakeApi() as api, bot(api, *options):
            api.send_text(99, "first")
            api.wait_for(lambda api=api: answers(api), 30)  # type: ignore[misc]
            begun = time.monotonic()
            for person in range(1, 17):
                api.send_text(person, "x")
            api.wait_for(lambda api=api: len(answers(api)) >= 17, 60)  # type: ignore[misc]
            found.append(max(answers(api)) - begun)
    return [
        (
            "16 people at once, a check of 1 s each: the last answer, against plain polling",
            "{:.2f} s, {:.2f} s".format(*found),
        )
    ]


def memory() -> Rows:
    """Resident memory over 10,000 updates."""
    with FakeApi() as api, bot(api, *OURS) as process:
        sizes = []
        for n in range(10_000):
            api.send_text(1 + n % 500, "salom " * 50)
            if n % 2000 == 1999:
                api.wait_for(lambda n=n: len(answers(api)) > n, 120)  # type: ignore[misc]
                sizes.append(resident_mb(process.pid))
    shown = " ".join(f"{size:.1f}" for size in sizes)
    return [(f"resident MB after each 2,000 of 10,000 updates: {shown}", f"{sizes[-1] - sizes[0]:+.1f} MB")]


def resident_mb(pid: int) -> float:
    """VmRSS."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def flood() -> Rows:
    """Sixty people at once under Telegram's limits, after the server ordered a pause."""
    with FakeApi() as api:
        api.flood.on = True
        api.fault("flood", "sendMessage", seconds=2, times=1)
        for person in range(1, 61):
            api.send_text(person, "x")
        with bot(api):
            api.wait_for(lambda: len(answers(api)) >= 60, 60)
        times = answers(api)
        shown = f"refused {len(api.refused())}, too early {api.flood.violations}"
        return [
            (
                f"60 people at once, limits on, one pause of 2 s ordered: {shown}",
                f"60 in {max(times) - min(times):.1f} s",
            )
        ]


ROWS: dict[str, Callable[[], Rows]] = {
    "speed": speed,
    "waits": waits,
    "memory": memory,
    "flood": flood,
    "kills": kills,
}


def rows(names: list[str] | None = None) -> Rows:
    """(what was compared, the result)."""
    return [row for name in names or list(ROWS) for row in ROWS[name]()]


if __name__ == "__main__":
    for what, result in rows(sys.argv[1:]):
        print(f"{what:110} {result}", flush=True)
