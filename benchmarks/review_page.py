"""Does a million tickets slow the review page down? The pages as a browser gets them, against ten thousand tickets.

`python -m benchmarks review_page` builds both logs in a temporary folder (about 3 GB, some minutes) and deletes them.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx

from benchmarks.ticket_log import build
from tests.web.served import Served

ROUNDS = 20
PAGES = {
    "the list": "/",
    "what waits for a person": "/?status=escalated",
    "one cause among the solved": "/?step=fix_dns&status=solved",
    "a search": "/?q=oʻtmayapti",
    "one day": "/?day=2026-11-20",
    "one ticket": "/tickets/1000",
    "the numbers of 30 days": "/numbers?days=30",
}


def took_ms(browser: httpx.Client, path: str) -> float:
    """One page, from the request to its last byte."""
    begun = time.perf_counter()
    browser.get(path).raise_for_status()
    return (time.perf_counter() - begun) * 1000


def rows(small: int = 10_000, large: int = 1_000_000) -> Iterator[tuple[str, str]]:
    """(the page, with its median on the large log; the ratio of the medians)."""
    with tempfile.TemporaryDirectory(prefix="yordam-page-") as folder, ExitStack() as served:
        browsers, first_ms = [], []
        for count in (small, large):
            place = Path(folder) / str(count)
            (place / "data").mkdir(parents=True)
            build(place / "data" / "yordam.db", count)
            browsers.append(served.enter_context(served.enter_context(Served(place)).logged_in()))
            first_ms.append(took_ms(browsers[-1], "/"))
        few, many = first_ms
        yield f"the first view after the start ({many:.0f} ms against {few:.0f} ms)", f"x{many / few:.2f}"
        for name, path in PAGES.items():
            took = [[took_ms(browser, path) for _ in range(ROUNDS)] for browser in browsers]
            few, many = (statistics.median(times) for times in took)
            yield (
                f"{name} (median {many:.0f} ms against {few:.0f} ms, worst {max(took[1]):.0f} ms)",
                f"x{many / few:.2f}",
            )
