"""The cable between the router and the PBX's host: loses, delays and rewrites packets when told to.

    python -ISc WIRE router-namespace server-namespace

Reads orders as JSON lines, answers each with 'ok': {"loss": 0.3, "delay_s": 0.3, "alg": "via", "longest": 700}.
`loss` and `delay_s` are for one direction; `alg` plays a router's SIP helper (via | branch | digest); UDP packets
with more bytes than `longest` are lost. This kernel has no netem, so the cable is a process between two TUNs.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import itertools
import json
import os
import random
import select
import struct
import sys
import time
from typing import Any

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
CLONE_NEWNET = 0x40000000
UDP, SIP, NAME = 17, 5060, b"call.soundz.uz"
VIA = b"Via: SIP/2.0/UDP 203.0.113.254:5060;branch=z9hG4bK-alg\r\n"


def end_in(namespace: str) -> int:
    """A TUN named `wan` in that namespace; its file descriptor."""
    with open(f"/var/run/netns/{namespace}") as place:
        if ctypes.CDLL(None, use_errno=True).setns(place.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"wan", IFF_TUN | IFF_NO_PI))
    return tun


def is_sip(packet: bytes, outward: bool) -> bool:
    """A UDP packet to (outward) or from the SIP port."""
    if packet[0] >> 4 != 4 or packet[9] != UDP:
        return False
    head = (packet[0] & 15) * 4
    source, destination = struct.unpack_from("!HH", packet, head)
    return bool((destination if outward else source) == SIP)


def rewritten(packet: bytes, outward: bool, alg: str, server: bytes) -> bytes:
    """The packet as a router's SIP helper passes it on."""
    head = (packet[0] & 15) * 4
    text = packet[head + 8 :]
    if alg == "via" and outward:
        line, _, rest = text.partition(b"\r\n")
        text = line + b"\r\n" + VIA + rest if rest else text
    elif alg == "via":
        text = b"\r\n".join(line for line in text.split(b"\r\n") if b"branch=z9hG4bK-alg" not in line)
    elif alg == "branch" and outward:
        text = text.replace(b"branch=z9hG4bK", b"branch=z9hG4bKx", 1)
    elif alg == "digest" and outward:
        line, _, rest = text.partition(b"\r\n")
        text = line.replace(NAME, server) + b"\r\n" + rest.replace(b'uri="sip:' + NAME, b'uri="sip:' + server)
    udp = packet[head : head + 4] + struct.pack("!HH", len(text) + 8, 0)
    ip = bytearray(packet[:head])
    struct.pack_into("!H", ip, 2, head + 8 + len(text))
    struct.pack_into("!H", ip, 10, 0)
    total = sum(struct.unpack(f"!{head // 2}H", bytes(ip)))
    total = (total & 0xFFFF) + (total >> 16)
    struct.pack_into("!H", ip, 10, ~(total + (total >> 16)) & 0xFFFF)
    return bytes(ip) + udp + text


def main(router: str, server: str) -> None:
    """Carries packets until standard input ends."""
    ends = (end_in(router), end_in(server))
    how: dict[str, Any] = {}
    chance, order = random.Random(1), itertools.count()
    waiting: list[tuple[float, int, int, bytes]] = []
    print("ok", flush=True)
    while True:
        pause_s = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        ready, _, _ = select.select([*ends, sys.stdin], [], [], pause_s)
        if sys.stdin in ready:
            line = sys.stdin.readline()
            if not line:
                return
            how = json.loads(line)
            print("ok", flush=True)
        for place, end in enumerate(ends):
            if end not in ready:
                continue
            packet = os.read(end, 65535)
            outward = place == 0
            if how.get("alg") and is_sip(packet, outward):
                packet = rewritten(packet, outward, how["alg"], b"203.0.113.10")
            too_long = packet[9] == UDP and len(packet) > how.get("longest", 65535)
            if too_long or chance.random() < how.get("loss", 0):
                continue
            at = time.monotonic() + how.get("delay_s", 0)
            heapq.heappush(waiting, (at, next(order), ends[1 - place], packet))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, end, packet = heapq.heappop(waiting)
            try:
                os.write(end, packet)
            except OSError:
                continue  # that end is down: lost


if __name__ == "__main__":
    main(*sys.argv[1:])
