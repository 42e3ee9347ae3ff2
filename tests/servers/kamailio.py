"""A real Kamailio registrar on 127.0.0.1, started and ended with the test."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

CONFIG = Path(__file__).parent.parent / "kamailio" / "kamailio.cfg"
PLACES = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
PROGRAM = shutil.which("kamailio", path=PLACES)


def free_port() -> int:
    """A UDP port of 127.0.0.1 nobody uses at the moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Kamailio:
    """Knows the extension 1002 with the password 'secret'; challenges everybody else too, as Kamailio does."""

    def __init__(self, port: int | None = None, address: str = "127.0.0.1") -> None:
        self.address = address
        self.port = free_port() if port is None else port

    def __enter__(self) -> Self:
        assert PROGRAM is not None
        self._place = tempfile.mkdtemp(prefix="kamailio-")
        self._log = open(f"{self._place}/log", "w+b")
        self._process = subprocess.Popen(
            [
                PROGRAM,
                "-DD",
                "-E",
                *("-m", "32", "-M", "4", "-f", str(CONFIG), "-l", f"udp:{self.address}:{self.port}"),
                *("-Y", self._place, "-P", f"{self._place}/pid"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._log.close()
        shutil.rmtree(self._place, ignore_errors=True)

    def _wait_until_it_answers(self, limit_s: float = 10) -> None:
        until = time.monotonic() + limit_s
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.1)
            client.connect((self.address, self.port))
            here = client.getsockname()[1]
            ping = (
                f"OPTIONS sip:{self.address} SIP/2.0\r\nVia: SIP/2.0/UDP {self.address}:{here};branch=z9hG4bKup\r\n"
                f"From: <sip:up@test>;tag=1\r\nTo: <sip:up@test>\r\nCall-ID: up\r\nCSeq: 1 OPTIONS\r\n"
                "Max-Forwards: 9\r\nContent-Length: 0\r\n\r\n"
            ).encode()
            while time.monotonic() < until and self._process.poll() is None:
                try:
                    client.send(ping)
                    if client.recv(4096).startswith(b"SIP/2.0 200"):
                        return
                except OSError:  # not bound yet: refused, or no answer in 0.1 s
                    time.sleep(0.05)
        self._log.seek(0)
        raise RuntimeError(f"kamailio does not answer: {self._log.read().decode(errors='replace')[-2000:]}")
