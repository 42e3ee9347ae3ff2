"""Which sockets does the kernel list in this network namespace, who owns them, do they keep up?

/proc/net/udp and /proc/net/tcp, the same source `ss` has, readable without rights (the owners need them):
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
13062: 00000000:13C4 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 805162 2 0000000 0
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from bot.checks.address import Address

LISTEN = "0A"


@dataclass(frozen=True, slots=True)
class Socket:
    """One socket. `recv_q_bytes` wait to be read, `drops` packets were lost because that queue was full."""

    address: Address
    port: int
    state: str
    recv_q_bytes: int
    inode: int
    drops: int


@dataclass(frozen=True, slots=True)
class Owner:
    """A process that holds a socket, and the chain of its parents.

    `name` is what it calls itself, `program` the file it runs ('' when hidden).
    """

    pid: int
    name: str
    program: str
    ancestors: tuple[int, ...]


def sockets(protocol: str, port: int) -> tuple[Socket, ...]:
    """The sockets of 'udp' or 'tcp' (IPv4 and IPv6) whose local port is `port`. Raises OSError without /proc."""
    listed = Path(f"/proc/net/{protocol}").read_text("ascii").splitlines()[1:]
    with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
        listed += Path(f"/proc/net/{protocol}6").read_text("ascii").splitlines()[1:]
    return tuple(one for line in listed if (one := _read(line)) is not None and one.port == port)


def _read(line: str) -> Socket | None:
    columns = line.split()
    try:
        host, port = columns[1].split(":")
        drops = int(columns[12]) if len(columns) == 13 else 0  # only UDP has the column
        queue = int(columns[4].split(":")[1], 16)
        return Socket(_address(host), int(port, 16), columns[3], queue, int(columns[9]), drops)
    except (ValueError, IndexError):
        return None


def _address(text: str) -> Address:
    # 32-bit words, each in the machine's byte order.
    words = (int(text[at : at + 8], 16) for at in range(0, len(text), 8))
    packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    address = IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed)
    return getattr(address, "ipv4_mapped", None) or address


def owners(inodes: Iterable[int]) -> tuple[Owner, ...]:
    """The processes that hold the sockets; empty when there are none or we have no right to see them."""
    wanted = {f"socket:[{inode}]" for inode in inodes}
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()] if wanted else []
    return tuple(Owner(pid, _name(pid), _program(pid), ancestors(pid)) for pid in pids if _holds(pid, wanted))


def _holds(pid: int, wanted: set[str]) -> bool:
    try:
        handles = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return False
    for handle in handles:
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/fd/{handle}") in wanted:
                return True
    return False


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip()
    except OSError:
        return "?"


def _program(pid: int) -> str:
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return ""


def lives(pid: int) -> bool:
    """Whether there is such a process."""
    return os.path.exists(f"/proc/{pid}")


def ancestors(pid: int) -> tuple[int, ...]:
    """The parents of a process, nearest first, without pid 1."""
    chain: list[int] = []
    while len(chain) < 64:
        try:
            # 'pid (name) state ppid …'; the name may hold blanks and brackets.
            pid = int(Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            break
        if pid <= 1 or pid in chain:
            break
        chain.append(pid)
    return tuple(chain)


def is_loopback(one: Socket) -> bool:
    """Whether only this host can reach it."""
    return one.address.is_loopback


def text(one: Socket) -> str:
    """'0.0.0.0:5060', '[::]:5060'."""
    host = f"[{one.address}]" if one.address.version == 6 else str(one.address)
    return f"{host}:{one.port}"
