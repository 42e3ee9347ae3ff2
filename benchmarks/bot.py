"""How long does a person wait for the real bot, against a bot that only says what it hears?

`yordam run` reads a pasted nslookup, judges it by the table and answers with the verdict; tests/echo_bot.py, over the
library's own polling, sends the text back. Both are processes over the fake Bot API and take turns, so a busy
neighbour slows both alike. `python -m benchmarks bot`.
"""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.fake_api import FakeApi
from tests.kills import start
from tests.running import RunningBot
from tests.servers.dns import DnsServer
from tests.servers.sip import SipServer, always

Rows = list[tuple[str, str]]
HOST = "call.soundz.uz"
PASTE = (
    f"C:\\Users\\User>nslookup {HOST}\nServer:  UnKnown\nAddress:  192.168.1.1\n\n"
    f"*** UnKnown can't find {HOST}: Non-existent domain\n"
)
PEOPLE, STARTS = 30, 5
PACE_S = 4.0  # nobody pastes an output sooner, and by then Telegram's pace for a chat holds nothing back


def answered_ms(api: FakeApi, person: int, words: str) -> float:
    """From the paste to the answer with these words at Telegram's end."""
    begun = time.monotonic()
    api.send_text(person, PASTE)
    arrived = api.wait_for(lambda: _arrivals(api, person, words), 60)
    return 1000 * (arrived[0] - begun)


def _arrivals(api: FakeApi, person: int, words: str) -> list[float]:
    sent = api.calls("sendMessage", person)
    return [record.at for record in sent if record.ok and words in str(record.params.get("text", ""))]


def verdicts(where: str, more: Mapping[str, str]) -> Rows:
    """Evidence to verdict, one person after the other, each in a case of his own."""
    ours: list[float] = []
    echoes: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        DnsServer({HOST: {"A": ("127.0.0.1",)}}) as dns,
        SipServer(always(200)) as sip,
        FakeApi() as other,
    ):
        settings = {
            "PBX_HOST": HOST,
            "PBX_PROBE_HOST": "127.0.0.1",
            "PBX_SIP_PORT": str(sip.port),
            "PBX_ON_THIS_HOST": "no",
            "DNS_SERVERS": dns.address,
            "CHECK_TTL_S": "3600",
            **more,
        }
        echo = start(other, Path(folder) / "none", "--plain")
        try:
            with RunningBot(Path(folder), settings) as bot:  # it has no need to end politely
                people = range(1001, 1001 + PEOPLE)
                for person in people:
                    bot.api.user(person, "Ali")
                    other.user(person, "Ali")
                    bot.api.send_text(person, "/diagnose")
                for person in people:
                    bot.wait_for("pastki chap burchagida", person, timeout=60)
                time.sleep(PACE_S)
                for person in people:
                    ours.append(answered_ms(bot.api, person, "Sabab aniq:"))
                    echoes.append(answered_ms(other, person, "echo:"))
        finally:
            echo.send_signal(signal.SIGTERM)
            echo.wait(30)
    mine, theirs = statistics.median(ours), statistics.median(echoes)
    what = f"pasted nslookup to verdict{where}, median of {PEOPLE}: {mine:.0f} ms, echo {theirs:.0f} ms"
    return [(what, f"x{mine / theirs:.2f}"), (f"the same, the slowest of {PEOPLE}", f"{max(ours):.0f} ms")]


def starting() -> Rows:
    """From the start of the process to the first updates that it fetches."""
    ours: list[float] = []
    plain: list[float] = []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory() as folder:
            ours.append(_first_fetch_s(Path(folder), echo=False))
            plain.append(_first_fetch_s(Path(folder), echo=True))
    mine, theirs = statistics.median(ours), statistics.median(plain)
    return [
        (f"start to first getUpdates, median of {STARTS}: {mine:.2f} s, echo {theirs:.2f} s", f"x{mine / theirs:.2f}")
    ]


def _first_fetch_s(folder: Path, *, echo: bool) -> float:
    with FakeApi() as api:
        api.send_text(7, "salom")  # an update that waits makes the first fetch answer at once
        begun = time.monotonic()
        process = start(api, folder / "none", "--plain") if echo else _run(api, folder)
        try:
            fetched = api.wait_for(lambda: [record.at for record in api.calls("getUpdates") if record.ok], 60)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        return fetched[0] - begun


def _run(api: FakeApi, folder: Path) -> subprocess.Popen[bytes]:
    settings = {
        "BOT_TOKEN": api.token,
        "TELEGRAM_API_URL": api.base_url,
        "TELEGRAM_FILE_URL": api.base_file_url,
        "DATA_DIR": str(folder),
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }
    command = [sys.executable, "-m", "bot", "run"]
    return subprocess.Popen(command, env=settings, cwd=folder, stderr=subprocess.DEVNULL)


def rows() -> Rows:
    """(what was compared, the result)."""
    return [*verdicts("", {"STAFF_CHAT_ID": ""}), *verdicts(" and staff card", {}), *starting()]


if __name__ == "__main__":
    for what, result in rows():
        print(f"{what:98} {result}", flush=True)
