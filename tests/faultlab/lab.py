"""The laboratory at work: the PBX under pm2, a phone, and what each side can paste about a fault."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests import phone
from tests.faultlab import network
from tests.faultlab.network import HOST, PBX, PLACES, PUBLIC_DNS, Network
from tests.pbx import running
from tests.pbx.running import API_PASSWORD, API_USER, NAME, Pm2Pbx

ROOT = Path(__file__).parent.parent.parent
USER, PASSWORD = "1002", "secret-of-1002"
FIRST_COPIES_S = 9.0  # by then an unheard phone has sent five copies
LOG_LINES = 40  # what staff copy from `pm2 logs`


OTHER_SERVICES = """
import socket, sys
names, clock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
names.bind(("127.0.0.53", 53))
clock.bind(("0.0.0.0", 123))
sys.stdin.read()
"""


def why_not() -> str | None:
    """The reason why there is no laboratory here; None when there is."""
    return network.why_not() or running.why_not(pm2=True) or phone.WHY_NOT


@dataclass(frozen=True, slots=True)
class Phone:
    """What stands in the user's MicroSIP."""

    user: str = USER
    password: str = PASSWORD
    server: str = HOST
    login: str | None = None
    transport: str = "udp"
    proxy: str | None = None


class Lab:
    """A network with a healthy PBX that knows 1002, and 1003 which is disabled."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="faultlab-"))
        self.net = Network()

    def __enter__(self) -> Self:
        self.net.__enter__()
        try:
            self.pbx = Pm2Pbx(self.folder / "pbx", prefix=self.net.prefix("host"), ports=(5060, 3005))
            self.pbx.__enter__()
            self.pbx.create(USER, PASSWORD)
            self.pbx.create("1003", "secret-of-1003", enabled=False)
            argv = [*self.net.prefix("host"), sys.executable, "-ISc", OTHER_SERVICES]
            self._others = subprocess.Popen(argv, stdin=subprocess.PIPE)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "_others"):
            self._others.communicate()
        if hasattr(self, "pbx"):
            self.pbx.__exit__()
        self.net.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    def host(self, *argv: str, stdin: str | None = None) -> str:
        """A program on the PBX's host; raises RuntimeError when it fails."""
        return self.net.run("host", *argv, stdin=stdin)

    def router(self, *argv: str, stdin: str | None = None) -> str:
        """A program on the user's router."""
        return self.net.run("router", *argv, stdin=stdin)

    def give_password(self) -> None:
        """The PBX knows 1002's password again."""
        self.pbx.call("POST", "/extensions/1/password", {"password": PASSWORD})

    def fresh_start(self) -> None:
        """A PBX whose log begins with its start, and nobody registered: what came before belongs to another story."""
        self.pbx.stop()
        self.pbx.pm2("flush")
        kept = json.loads(self.pbx.database.read_text())
        self.pbx.database.write_text(json.dumps({**kept, "registrations": {}}))
        self.pbx.restart()
        self.give_password()

    def start_phone(self, phone: Phone, log: Path, *more: str) -> subprocess.Popen[str]:
        """The user presses Save."""
        argv = [
            *self.net.prefix("pc"),
            *(sys.executable, "-m", "tests.phone", "--server", phone.server, "--user", phone.user),
            *("--password", phone.password, "--transport", phone.transport, "--log", str(log)),
            *(("--login", phone.login) if phone.login else ()),
            *(("--proxy", phone.proxy) if phone.proxy else ()),
            *more,
        ]
        return subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def register(self, phone: Phone, log: Path, *more: str) -> dict[str, Any]:
        """Presses Save and waits for the outcome: {"code", "reason", "seconds", "active"}."""
        return outcome(self.start_phone(phone, log, *more))

    def settings(self) -> dict[str, str]:
        """The environment of a bot that runs on the PBX's host."""
        return {
            "PATH": PLACES,
            "PM2_HOME": str(self.pbx.home),
            "PBX_HOST": HOST,
            "PBX_EXPECTED_IPS": PBX,
            "PBX_PROBE_HOST": PBX,
            "DNS_SERVERS": PUBLIC_DNS,
            "PBX_LOG_FILES": str(self.pbx.out_log),
            "PBX_API_URL": self.pbx.api_url,
            "PBX_API_USER": API_USER,
            "PBX_API_PASSWORD": API_PASSWORD,
        }

    @property
    def log_command(self) -> str:
        """How pm2 prints the log as it is written."""
        return f"pm2 logs {NAME} --raw --lines 0"

    def explain(self, *files: Path, checks: bool, extension: str | None = USER) -> dict[str, Any]:
        """`yordam explain --json` on these files, with the checks run on the PBX's host or with none."""
        argv = [*self.net.prefix("host"), sys.executable, "-m", "bot", "explain", "--json"]
        argv += [] if checks else ["--no-checks"]
        argv += ["--extension", extension] if extension else []
        environment = {**os.environ, **self.settings(), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [*argv, *map(str, files)], env=environment, cwd=self.folder, capture_output=True, text=True, check=False
        )
        if not done.stdout:
            raise RuntimeError(f"explain: {done.stderr}")
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def start_watch(self, extension: str, limit_s: float = 35.0, **settings: str) -> subprocess.Popen[str]:
        """The bot's checks and live watch on the PBX's host; it watches already. See tests/faultlab/watching.py."""
        argv = [*self.net.prefix("host"), sys.executable, "-m", "tests.faultlab.watching", extension, str(limit_s)]
        environment = {**os.environ, **self.settings(), **settings}
        watch = subprocess.Popen(argv, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert watch.stdout is not None
        watch.stdout.readline()
        return watch

    def collect(self, phone: Phone, folder: Path, extension: str = USER) -> dict[str, Any]:
        """What both sides paste while the fault lasts, as files in the folder; the phone's outcome.

        Beside it, under 'live', what a bot saw that was asked nothing but to watch.
        """
        folder.mkdir(parents=True, exist_ok=True)
        watch = self.start_watch(extension)
        self.mark = self.pbx.out_log.stat().st_size
        calling = self.start_phone(phone, folder / "phone.log")
        began = time.monotonic()
        user = {
            "nslookup.txt": ("nslookup", HOST),
            "ping.txt": ("ping", "-c", "20", "-i", "0.2", HOST),
        }
        pasted = {name: self.net.run("pc", *argv, check=False) for name, argv in user.items()}
        while calling.poll() is None and time.monotonic() - began < FIRST_COPIES_S:
            time.sleep(0.1)
        server = {
            "ss.txt": ("ss", "-lunp"),
            "ufw.txt": ("ufw", "status", "verbose"),
            "iptables.txt": ("iptables", "-S"),
            "nft.txt": ("nft", "list", "ruleset"),
        }
        pasted |= {name: self.net.run("host", *argv, check=False) for name, argv in server.items()}
        found = outcome(calling) | {"live": outcome(watch)}
        (folder / "live.json").write_text(json.dumps(found))
        pasted["pbx.log"] = self.pasted_log()
        for name, text in pasted.items():
            (folder / name).write_text(text)
        return found

    def pasted_log(self) -> str:
        """The end of the log, at least what came since Save was pressed."""
        with self.pbx.out_log.open("rb") as log:
            new = log.read()[self.mark :].decode(errors="replace").splitlines()
        if new:
            return "\n".join(new) + "\n"
        return "\n".join(self.pbx.out_log.read_text(errors="replace").splitlines()[-LOG_LINES:]) + "\n"


def outcome(calling: subprocess.Popen[str]) -> dict[str, Any]:
    """What a phone or a watch tells: its one line of JSON, PJSIP's own lines stand around it."""
    said, _ = calling.communicate()
    found: dict[str, Any] = json.loads(next(line for line in reversed(said.splitlines()) if line.startswith("{")))
    return found
