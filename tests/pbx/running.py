"""The PBX's stand-in as a process: alone (fast), or under real pm2 as on the real host. Needs Node.js."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.servers.kamailio import free_port

HERE = Path(__file__).parent
NAME = "pbx-system"
PLACES = f"{os.environ.get('PATH', '')}:/opt/pm2/bin:/usr/local/bin"
NODE = shutil.which("node")
PM2 = shutil.which("pm2", path=PLACES)
API_USER, API_PASSWORD = "admin", "a-password"


def why_not(*, pm2: bool = False) -> str | None:
    """The reason why the stand-in cannot run here; None when it can."""
    if NODE is None:
        return "not installed: node"
    return "not installed: pm2" if pm2 and PM2 is None else None


class Pbx:
    """The stand-in alone. Its `out_log` is what pm2 would have stored, `logs` holds winston's combined*.log.

    `prefix` starts it elsewhere, as ('ip', 'netns', 'exec', NAME) does. Ports of 0 are chosen.
    """

    def __init__(self, folder: Path, *, prefix: tuple[str, ...] = (), ports: tuple[int, int] = (0, 0)) -> None:
        self.folder, self.prefix = folder, prefix
        self.sip_port, self.http_port = ports[0] or free_port(), ports[1] or free_port()
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.out_log = folder / "pm2-out.log"
        self.database = folder / "database.json"
        self.database.write_text(json.dumps({"extensions": [], "registrations": {}}))
        self.env = {
            "SIP_HOST": "0.0.0.0",
            "SIP_PORT": str(self.sip_port),
            "TRUNK_PORT": str(self.sip_port + 1 if ports[0] else free_port()),
            "PORT": str(self.http_port),
            "SIP_DOMAIN": "call.soundz.uz",
            "DATABASE": str(self.database),
            "LOG_PATH": str(self.logs),
            "API_USER": API_USER,
            "API_PASSWORD": API_PASSWORD,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def api_url(self) -> str:
        """Where the HTTP API is, as seen from the PBX's own host."""
        return f"http://127.0.0.1:{self.http_port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, **env: str) -> None:
        """Starts it with these changes of its environment, and waits until it serves."""
        self.begin(**env)
        self.wait_for(lambda: self.said("SIP Domain:"), "the PBX does not start")

    def begin(self, **env: str) -> None:
        """Starts it and does not wait."""
        self.env |= env
        environment = {**os.environ, **self.env, "AS_PM2_LOG": str(self.out_log)}
        self._mark = self.out_log.stat().st_size if self.out_log.exists() else 0
        assert NODE is not None
        self._process = subprocess.Popen([*self.prefix, NODE, str(HERE / "server.js")], env=environment)

    def stop(self) -> None:
        """Ends it, also when it hangs."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(3)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def restart(self, **env: str) -> None:
        """Every password is lost."""
        self.stop()
        self.start(**env)

    @property
    def pid(self) -> int:
        """Of the PBX's process."""
        assert self._process is not None
        return self._process.pid

    def since_start(self) -> str:
        """What it logged in this life."""
        if not self.out_log.exists():
            return ""
        with self.out_log.open("rb") as log:
            log.seek(self._mark)
            return log.read().decode(errors="replace")

    def said(self, words: str) -> bool:
        """Whether this stands in the log of this life."""
        return words in self.since_start()

    def wait_for(self, done: Callable[[], bool], what: str, limit_s: float = 30) -> None:
        """Looks until it is so; RuntimeError after the limit."""
        until = time.monotonic() + limit_s
        while not done():
            if time.monotonic() > until:
                raise RuntimeError(f"{what}: {self.since_start()[-1500:]}")
            time.sleep(0.05)

    def create(self, username: str, password: str, *, enabled: bool = True) -> dict[str, Any]:
        """A new extension through the API, which is how its password gets into the PBX's memory."""
        return self.call("POST", "/extensions", {"username": username, "password": password, "enabled": enabled})

    def status(self, extension_id: int) -> dict[str, Any]:
        """Its registration as the API tells it."""
        return self.call("GET", f"/extensions/{extension_id}/status")

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The `data` of the API's answer."""
        order = json.dumps([method, f"{self.api_url}/api/v1{path}", body])
        argv = [*self.prefix, sys.executable, "-ISc", CALL, order]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        found: dict[str, Any] = json.loads(done.stdout).get("data")
        return found


class Pm2Pbx(Pbx):
    """The same under a pm2 daemon of its own, in fork mode, named and logged as on the real host."""

    def __enter__(self) -> Self:
        assert PM2 is not None
        self.home = Path(tempfile.mkdtemp(prefix="pm2-"))  # short: a socket's path has 107 bytes at most
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.pm2("kill")
        shutil.rmtree(self.home, ignore_errors=True)

    def pm2(self, *words: str, env: dict[str, str] | None = None) -> str:
        """What pm2 prints."""
        assert PM2 is not None
        environment = {**os.environ, **(env or {}), "PATH": PLACES, "PM2_HOME": str(self.home)}
        argv = [*self.prefix, PM2, *words]
        return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False).stdout

    def begin(self, **env: str) -> None:
        """pm2 start."""
        self.env |= env
        program = self.folder / "backend"
        shutil.copytree(HERE, program, ignore=shutil.ignore_patterns("*.py", "__pycache__"), dirs_exist_ok=True)
        app = {
            "name": NAME,
            "script": str(program / "server.js"),
            "cwd": str(self.folder),
            "exec_mode": "fork",
            "out_file": str(self.out_log),
            "error_file": str(self.folder / "pm2-error.log"),
            "log_date_format": "YYYY-MM-DD HH:mm:ss Z",
            "env": self.env,
        }
        config = self.folder / "ecosystem.config.json"
        config.write_text(json.dumps({"apps": [app]}))
        self._mark = self.out_log.stat().st_size if self.out_log.exists() else 0
        self.pm2("start", str(config))

    def stop(self) -> None:
        """pm2 stop: the daemon lives on and lists it as stopped."""
        self.pm2("stop", NAME)

    def restart(self, **env: str) -> None:
        """pm2 restart, with a changed environment where one is given."""
        if env:
            self.pm2("delete", NAME)
            return self.start(**env)
        self._mark = self.out_log.stat().st_size
        self.pm2("restart", NAME)
        return self.wait_for(lambda: self.said("SIP Domain:"), "the PBX does not come back")

    @property
    def pid(self) -> int:
        """Of the PBX's process; 0 when it is stopped."""
        return int(self.pm2("pid", NAME).split()[0])


CALL = f"""
import json, sys, urllib.request
method, url, body = json.loads(sys.argv[1])
def call(method, url, body, token=None):
    head = {{"Content-Type": "application/json"}} | ({{"Authorization": "Bearer " + token}} if token else {{}})
    ask = urllib.request.Request(url, method=method, headers=head, data=json.dumps(body).encode() if body else None)
    with urllib.request.build_opener(urllib.request.ProxyHandler({{}})).open(ask, timeout=10) as answer:
        return json.load(answer)
login = url.split("/api/v1")[0] + "/api/v1/auth/login"
token = call("POST", login, {{"username": {API_USER!r}, "password": {API_PASSWORD!r}}})["data"]["token"]
print(json.dumps(call(method, url, body, token)))
"""
