"""How long does a rush of tickets take to reach a plain staff group, whose pace is 20 calls a minute?

The real `yordam run` against a Bot API that enforces Telegram's limits. `python -m benchmarks staff_cards`: 3 minutes.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.running import STAFF_CHAT, RunningBot

TICKETS = 40
GROUP_PER_MIN = 20  # Telegram's; below it nothing can be faster than this
PLAN = {"PBX_ON_THIS_HOST": "no", "PBX_PROBE_HOST": "127.0.0.1", "DNS_SERVERS": "127.0.0.1:9", "CHECK_TIMEOUT_S": "1"}
Rows = list[tuple[str, str]]


def rows() -> Rows:
    """(what was measured, the result)."""
    with tempfile.TemporaryDirectory() as folder, RunningBot(Path(folder), PLAN) as bot:
        api = bot.api
        api.flood.on = True
        begun = time.monotonic()
        for person in range(2000, 2000 + TICKETS):
            api.user(person, f"Odam {person}")
            api.send_text(person, "/operator")

        def cards() -> list[str]:
            return [m.text.split(" · ")[0] for m in api.answers(STAFF_CHAT) if m.text.startswith("№")]

        api.wait_for(lambda: len(cards()) >= TICKETS, 400)
        took_s = time.monotonic() - begun
        lost, twice = TICKETS - len(set(cards())), len(cards()) - len(set(cards()))
        shown = f"refused {len(api.refused())}, lost {lost}, twice {twice}"
    floor_s = (TICKETS - 1) // GROUP_PER_MIN * 60
    what = f"{TICKETS} new tickets at once, limits on: {shown}; the fastest that the limits allow: {floor_s} s"
    return [(what, f"last card after {took_s:.0f} s")]


if __name__ == "__main__":
    for what, result in rows():
        print(f"{what:110} {result}")
