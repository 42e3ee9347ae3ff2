"""A network of its own: what a test does to its firewall and ports nobody else sees. Needs root and iproute2."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from bot.model import Failure, Finding, Target

ROOT = Path(__file__).parent.parent.parent
_numbers = itertools.count()


def why_not(*programs: str) -> str | None:
    """The reason why a test with namespaces has to be skipped here; None when it need not."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [name for name in ("ip", *programs) if shutil.which(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    tried = subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False)
    return None if tried.returncode == 0 else "no network namespaces here"


class Namespace:
    """A PBX host: `lo`, and `wan` with 203.0.113.10/24 and the default route; a client at 203.0.113.77 beyond it."""

    def __init__(self) -> None:
        self.name = f"yordam-{os.getpid()}-{next(_numbers)}"
        self._background: list[subprocess.Popen[bytes]] = []
        self._checker: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        try:
            for words in (
                f"netns add {self.name}",
                f"netns add {self.name}-client",
                f"-n {self.name} link set lo up",
                f"-n {self.name} link add wan type veth peer name wan netns {self.name}-client",
                f"-n {self.name} address add 203.0.113.10/24 dev wan",
                f"-n {self.name} link set wan up",
                f"-n {self.name}-client address add 203.0.113.77/24 dev wan",
                f"-n {self.name}-client link set wan up",
                f"-n {self.name} route add default via 203.0.113.77",
            ):
                subprocess.run(["ip", *words.split()], check=True, capture_output=True)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end_listeners()
        if self._checker is not None:
            self._checker.communicate()  # the end of its orders is the end of it
        for name in (self.name, f"{self.name}-client"):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)

    def run(self, *argv: str, stdin: str | None = None) -> str:
        """What the program prints; raises CalledProcessError when it fails."""
        return subprocess.run(
            ["ip", "netns", "exec", self.name, *argv], input=stdin, capture_output=True, text=True, check=True
        ).stdout

    def start(self, *argv: str) -> subprocess.Popen[bytes]:
        """A program in the background that lives as long as the namespace; waits for its first line."""
        process = subprocess.Popen(["ip", "netns", "exec", self.name, *argv], stdout=subprocess.PIPE)
        self._background.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    def listen(self, address: str, port: int, *, kind: str = "udp", program: str = sys.executable) -> int:
        """Opens a socket that nobody reads from; the pid of its owner."""
        return self.start(program, "-ISc", LISTENER, address, str(port), kind).pid

    def send(self, address: str, port: int, packets: int) -> None:
        """UDP packets of 100 bytes from the client."""
        argv = ("ip", "netns", "exec", f"{self.name}-client", sys.executable, "-ISc", SENDER)
        subprocess.run([*argv, address, str(port), str(packets)], check=True, capture_output=True)

    def check(
        self,
        name: str,
        target: Target,
        *,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        again: bool = False,
    ) -> Told:
        """One check of the registry run in here: (findings, failure). `again`: a re-check by the same runner."""
        order = {"name": name, "target": _plain(target), "env": {**os.environ, **(env or {})}, "again": again}
        if user:
            become = ("setpriv", f"--reuid={user}", "--clear-groups")
            return _told(self.run(*become, sys.executable, "-c", CHECKS, stdin=json.dumps(order)))
        checker = self._checker or self._start_checker()
        assert checker.stdin is not None
        assert checker.stdout is not None
        checker.stdin.write(json.dumps(order) + "\n")
        checker.stdin.flush()
        return _told(checker.stdout.readline())

    def _start_checker(self) -> subprocess.Popen[str]:
        argv = ["ip", "netns", "exec", self.name, sys.executable, "-c", CHECKS]
        self._checker = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "LC_ALL": "C"}
        )
        return self._checker

    def reset(self) -> None:
        """No listeners and no rules, as at the beginning."""
        self._end_listeners()
        self.run("nft", "flush", "ruleset")

    def _end_listeners(self) -> None:
        while self._background:
            with self._background.pop() as process:
                process.kill()


Told = tuple[tuple[Finding, ...], Failure | None]


def _told(line: str) -> Told:
    result = json.loads(line)
    failure = Failure(result["failure"]) if result["failure"] else None
    return tuple(Finding.from_json(finding) for finding in result["findings"]), failure


def _plain(target: Target) -> dict[str, Any]:
    fields = dataclasses.asdict(target)
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in fields.items()}


LISTENER = """
import socket, sys, time
address, port, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
one = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
one.bind((address, port))
if kind == "tcp":
    one.listen()
print("ready", flush=True)
time.sleep(600)
"""
SENDER = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    for _ in range(int(sys.argv[3])):
        one.sendto(b"x" * 100, (sys.argv[1], int(sys.argv[2])))
"""
CHECKS = f"""
import asyncio, json, sys
sys.path.insert(0, {str(ROOT)!r})
from bot.checks.runner import Runner
from bot.model import Target
runner = None
for line in sys.stdin:
    order = json.loads(line)
    fields = order["target"]
    for name in ("dns_servers", "log_files"):
        fields[name] = tuple(fields[name])
    fields["expected_ips"] = frozenset(fields["expected_ips"])
    if not order["again"]:
        runner = Runner(env=order["env"])
    results = asyncio.run(runner.run(Target(**fields), only=[order["name"]], fresh=order["again"]))
    print(json.dumps(results[0].to_json()), flush=True)
"""
