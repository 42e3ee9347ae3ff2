"""How soon does the person who pressed Save read what happened, while fifty watch and strangers flood the log?

The real `yordam run` over a Bot API that enforces Telegram's limits; the log is written as the PBX writes it. Counted
is from the line in the log to the edited message, as it arrives at Telegram. `python -m benchmarks watching`.
"""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from tests.fake_api import FakeApi
from tests.running import RunningBot
from tests.servers.healthy import HOST, healthy_pbx
from tests.servers.pbx_log import CHALLENGE, UNKNOWN, WRONG, Log

PEOPLE, BURST_LINES, BURSTS_PER_S = 50, 50, 50  # of strangers: more than 2,000 lines a second, on a busy machine too
PRESSED_EVERY_S = 0.3  # all of them within the half minute that a watch takes
STAGES = ("✅ Paket serverga yetib keldi", "❌ Server rad etdi")
Rows = list[tuple[str, str]]


def rows() -> Rows:
    """(what was measured, the result)."""
    with tempfile.TemporaryDirectory() as folder, healthy_pbx() as settings:
        log = Log(Path(folder))
        with RunningBot(Path(folder), {**settings, "PBX_LOG_FILES": str(log.out), "STAFF_CHAT_ID": ""}) as bot:
            bot.api.flood.on = True
            people = range(2000, 2000 + PEOPLE)
            _come_to_the_watch(bot.api, people)
            begun = time.monotonic()
            pressed_at = _all_press_save(log, people)
            lines_per_s = log.out.read_bytes().count(b"\n") / (time.monotonic() - begun)
            waited = {words: [_seen_at(bot.api, one, words) - pressed_at[one] for one in people] for words in STAGES}
            refused = len(bot.api.refused())
    what = f"{PEOPLE} watch, {lines_per_s:.0f} lines a second: line to edited message"
    return [
        *((f"{what}, {words}", _spread(sorted(seconds))) for words, seconds in waited.items()),
        ("calls that Telegram's limits refused meanwhile", str(refused)),
    ]


def _spread(seconds: list[float]) -> str:
    middle, p95 = seconds[len(seconds) // 2], seconds[int(len(seconds) * 0.95)]
    return f"median {middle:.2f} s, p95 {p95:.2f}, most {seconds[-1]:.2f}"


def _come_to_the_watch(api: FakeApi, people: range) -> None:
    for person in people:
        api.user(person, f"Odam {person}")
        api.send_text(person, "/diagnose")
    for words, answer in (("pastki chap burchagida", "408"), ("Ichki raqamingiz necha", None)):
        for person in people:
            _message(api, person, words)
            api.send_text(person, answer or str(person))
    for person in people:
        offer = _message(api, person, "birga kuzatamiz")
        data = next(b.data for row in offer.buttons for b in row if b.data and ":watch" in b.data)
        api.press(person, offer.message_id, data)
    for person in people:
        _message(api, person, "Hozir MicroSIP")


def _message(api: FakeApi, person: int, words: str) -> Any:
    return api.wait_for(lambda: next((m for m in api.answers(person) if words in m.text), None), 120)


def _all_press_save(log: Log, people: range) -> dict[int, float]:
    """When the last line of each was written; strangers register all the while."""
    over = threading.Event()
    strangers = threading.Thread(target=_flood, args=(log, over))
    strangers.start()
    written_at = {}
    for person in people:
        for answer in (CHALLENGE, WRONG):
            log.register(*answer, ext=str(person), port=20000 + person, host=HOST)
        written_at[person] = time.monotonic()
        time.sleep(PRESSED_EVERY_S)
    over.set()
    strangers.join()
    return written_at


def _flood(log: Log, over: threading.Event) -> None:
    stranger = 0
    while not over.wait(1 / BURSTS_PER_S):
        for _ in range(BURST_LINES // 5):  # five lines a packet
            stranger += 1
            port = 1024 + stranger % 60000
            log.register(*UNKNOWN, ext=f"9{stranger}", ip="198.51.100.77", port=port, host="203.0.113.9")


def _seen_at(api: FakeApi, person: int, words: str) -> float:
    def edits() -> list[float]:
        edited = api.calls("editMessageText", person)
        return [record.at for record in edited if record.ok and words in str(record.params.get("text", ""))]

    return api.wait_for(edits, 60)[0]


if __name__ == "__main__":
    for what, result in rows():
        print(f"{what:110} {result}", flush=True)
