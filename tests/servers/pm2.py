"""A `pm2` program that prints the list a test wants, and a daemon's socket beside it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import Any, Self


class FakePm2:
    """`env` makes the checks find it. Each call of `pm2 jlist` prints the next text, the last one for ever."""

    def __init__(self, place: Path, *, daemon: bool = True) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="pm2-"))  # short: a socket's path has 107 bytes at most
        programs = place / "bin"
        programs.mkdir()
        self._program = programs / "pm2"
        self._calls = place / "calls"
        self._texts: list[Path] = []
        self._place = place
        self.env = {"PATH": f"{programs}:{os.environ['PATH']}", "PM2_HOME": str(self.home), "HOME": str(place)}
        self._daemon = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listens = daemon

    def __enter__(self) -> Self:
        self._daemon.bind(str(self.home / "rpc.sock"))
        if self._listens:
            self._daemon.listen(16)
        return self

    def __exit__(self, *_: object) -> None:
        self._daemon.close()
        shutil.rmtree(self.home)

    @property
    def calls(self) -> list[str]:
        """The arguments of each call so far."""
        return self._calls.read_text().splitlines() if self._calls.exists() else []

    def prints(self, *texts: str, exit_code: int = 0) -> None:
        """The next calls print these."""
        for number, text in enumerate(texts):
            (self._place / f"out{number}").write_text(text)
        self._calls.unlink(missing_ok=True)
        self._program.write_text(
            "#!/bin/sh\n"
            f'echo "$*" >> {self._calls}\n'
            f"n=$(($(wc -l < {self._calls}) - 1)); [ $n -lt {len(texts)} ] || n={len(texts) - 1}\n"
            f"cat {self._place}/out$n; exit {exit_code}\n"
        )
        self._program.chmod(0o755)

    def lists(self, *changes: dict[str, Any], **change: Any) -> None:
        """The next calls list the PBX with these fields (see `entry`)."""
        self.prints(*(json.dumps([entry(**one)]) for one in changes or (change,)))


def entry(
    *,
    name: str = "pbx-system",
    pid: int = 4242,
    status: str = "online",
    restarts: int = 3,
    unstable: int = 0,
    uptime_s: float = 86400,
    **more: Any,
) -> dict[str, Any]:
    """One process as `pm2 jlist` prints it, secrets included."""
    return {
        "pid": pid,
        "name": name,
        "pm_id": 0,
        "monit": {"memory": 0, "cpu": 0},
        "pm2_env": {
            "status": status,
            "restart_time": restarts,
            "unstable_restarts": unstable,
            "pm_uptime": round((time.time() - uptime_s) * 1000),
            "env": {"DB_PASSWORD": "example-secret-that-must-never-be-shown"},
            "DB_PASSWORD": "example-secret-that-must-never-be-shown",
            **more,
        },
    }
