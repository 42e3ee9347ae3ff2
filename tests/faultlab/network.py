"""Three network namespaces: the user's PC behind a router with NAT and a name server, and the PBX's host.

    PC 192.168.1.23 ── 192.168.1.1 router 203.0.113.254 ══ wire ══ 203.0.113.10 PBX

Nothing leaves the machine. The router's dnsmasq is the user's resolver, a second one at 198.51.100.53 plays the
public resolvers. 198.51.100.66 is an address without a host, 198.51.100.80 another living host.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

HOST, PBX, ROUTER, PC = "call.soundz.uz", "203.0.113.10", "192.168.1.1", "192.168.1.23"
USER_IP, PUBLIC_DNS, DEAD, OTHER_HOST = "203.0.113.254", "198.51.100.53", "198.51.100.66", "198.51.100.80"
CLONE_NEWNET = 0x40000000
WIRE = Path(__file__).with_name("wire.py")
PLACES = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
NEEDS = ("ip", "nft", "iptables", "ufw", "dnsmasq", "nslookup", "ping", "ss", "node")
NAT = """
table ip router {
  chain out {
    type nat hook postrouting priority 100
    oifname "wan" masquerade
  }
}
"""
_numbers = itertools.count()


def why_not() -> str | None:
    """The reason why there is no laboratory here; None when there is."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [name for name in NEEDS if shutil.which(name, path=PLACES) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    if not os.path.exists("/dev/net/tun"):
        return "no /dev/net/tun"
    tried = subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False)
    return None if tried.returncode == 0 else "no network namespaces here"


def _set_network(file: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(file, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def sweep() -> None:
    """Ends what a laboratory left whose process was killed: the programs in its namespaces, then those."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False).stdout
    for name in re.findall(r"^lab-\d+-\d+-\w+", listed, re.MULTILINE):
        if not Path("/proc", name.split("-")[1]).exists():
            inside = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False).stdout
            for pid in inside.split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            _delete(name)


def _delete(name: str) -> None:
    subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)
    shutil.rmtree(f"/etc/netns/{name}", ignore_errors=True)


class Network:
    """The three namespaces, the cable and the name servers. `pc`, `router` and `host` run programs there."""

    def __init__(self) -> None:
        self.base = f"lab-{os.getpid()}-{next(_numbers)}"
        self.names = {place: f"{self.base}-{place}" for place in ("pc", "router", "host")}
        self._wire: subprocess.Popen[str] | None = None
        self._resolvers: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        sweep()
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for place in tuple(self._resolvers):
            self.stop_resolver(place)
        if self._wire is not None:
            self._wire.communicate()  # the end of its orders is the end of it
        for name in self.names.values():
            _delete(name)

    def prefix(self, place: str) -> tuple[str, ...]:
        """What comes before a program's name to run it there."""
        return ("ip", "netns", "exec", self.names[place])

    def run(self, place: str, *argv: str, stdin: str | None = None, check: bool = True) -> str:
        """What a program prints there, errors included; raises RuntimeError when it fails (unless told not to)."""
        done = subprocess.run(
            [*self.prefix(place), *argv],
            input=stdin,
            text=True,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PATH": PLACES, "LC_ALL": "C"},
        )
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(argv)}: {done.stdout}")
        return done.stdout

    @contextlib.contextmanager
    def entered(self, place: str) -> Iterator[None]:
        """Sockets, threads and processes that this thread makes meanwhile live in that namespace."""
        with open("/proc/thread-self/ns/net") as home, open(f"/var/run/netns/{self.names[place]}") as there:
            _set_network(there.fileno())
            try:
                yield
            finally:
                _set_network(home.fileno())

    def _build(self) -> None:
        for place, name in self.names.items():
            own = Path("/etc/netns", name)  # bound over /etc by `ip netns exec`: nobody else's settings change
            own.mkdir(parents=True)
            server = PUBLIC_DNS if place == "host" else ROUTER
            (own / "resolv.conf").write_text(f"nameserver {server}\n")
            subprocess.run(["ip", "netns", "add", name], check=True)
            self.run(place, "ip", "link", "set", "lo", "up")
        shutil.copytree("/etc/ufw", f"/etc/netns/{self.names['host']}/ufw", dirs_exist_ok=True)
        self._cable()
        for place, words in (
            ("router", f"link add lan type veth peer name lan netns {self.names['pc']}"),
            ("router", f"address add {ROUTER}/24 dev lan"),
            ("router", "link set lan up"),
            ("pc", f"address add {PC}/24 dev lan"),
            ("pc", "link set lan up"),
            ("pc", f"route add default via {ROUTER}"),
            ("router", f"address add {USER_IP}/24 dev wan"),
            ("router", "link set wan up"),
            ("host", f"address add {PBX}/24 dev wan"),
            ("host", "link set wan up"),
            ("host", "route add default dev wan"),
            ("router", f"address add {PUBLIC_DNS}/32 dev lo"),
            ("router", f"address add {OTHER_HOST}/32 dev lo"),
            ("router", f"route add blackhole {DEAD}"),
        ):
            self.run(place, "ip", *words.split())
        self.run("router", "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        self.run("router", "nft", "-f", "-", stdin=NAT)
        self.resolver("user")
        self.resolver("public")

    def _cable(self) -> None:
        argv = [sys.executable, "-IS", str(WIRE), self.names["router"], self.names["host"]]
        self._wire = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._wire.stdout is not None
        if self._wire.stdout.readline() != "ok\n":
            raise RuntimeError("no cable")

    def wire(self, **how: Any) -> None:
        """From now on the cable treats packets so; nothing given: as a good one."""
        assert self._wire is not None
        assert self._wire.stdin is not None
        assert self._wire.stdout is not None
        self._wire.stdin.write(json.dumps(how) + "\n")
        self._wire.stdin.flush()
        self._wire.stdout.readline()

    def resolver(self, whose: str, address: str | None = PBX) -> None:
        """(Re)starts the name server of the `user` or the `public` one; no address: the name does not exist."""
        self.stop_resolver(whose)
        here = ROUTER if whose == "user" else PUBLIC_DNS
        argv = [
            *self.prefix("router"),
            *("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-hosts", "--no-resolv", "--pid-file="),
            *(
                "--bind-interfaces",
                f"--listen-address={here}",
                "--except-interface=none",
                "--local=/uz/",
                "--user=root",
            ),
            *([f"--host-record={HOST},{address}"] if address else []),
        ]
        environment = {**os.environ, "PATH": PLACES}
        self._resolvers[whose] = subprocess.Popen(argv, env=environment, stderr=subprocess.DEVNULL)
        for _ in range(100):
            asked = self.run("router", "nslookup", "-timeout=1", "-retry=0", HOST, here, check=False)
            if "communications error" not in asked:
                return
        raise RuntimeError(f"dnsmasq does not answer: {asked}")

    def stop_resolver(self, whose: str) -> None:
        """Asking it is refused from now on."""
        if process := self._resolvers.pop(whose, None):
            process.kill()
            process.wait()
