"""A name server that says what a test wants it to say, and nothing at all when asked to be silent."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset


@dataclass(frozen=True, slots=True)
class Rcode:
    """An answer without records: NXDOMAIN, SERVFAIL, REFUSED …"""

    name: str


SILENT = "silent"
GARBAGE = "garbage"
REFERRAL = "referral"
Records = Mapping[str, tuple[str, ...]]  # by type: {"A": ("192.0.2.1",), "SRV": ("0 0 5060 sip.example.",)}
Entry = Records | Rcode | str


class DnsServer:
    """`zone` maps names (without the final dot) to records, a Rcode, SILENT, GARBAGE or REFERRAL.

    A name that is not in the zone is NXDOMAIN, a type that is not among a name's records is an empty NOERROR.
    """

    def __init__(self, zone: Mapping[str, Entry], port: int = 0, *, lose_first: int = 0, wait_s: float = 0) -> None:
        self.zone = {dns.name.from_text(name): entry for name, entry in zone.items()}
        self.asked: list[tuple[str, str]] = []
        self._lose, self._wait_s = lose_first, wait_s
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, name=f"dns:{self.port}", daemon=True)

    @property
    def address(self) -> str:
        """'127.0.0.1:port', as Target.dns_servers wants it."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as knock:
            knock.sendto(b"", ("127.0.0.1", self.port))  # an empty packet ends the thread
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            packet, client = self._socket.recvfrom(4096)
            if not packet:
                return
            answer = self._answer(packet)
            if answer is not None:
                time.sleep(self._wait_s)
                self._socket.sendto(answer, client)

    def _answer(self, packet: bytes) -> bytes | None:
        query = dns.message.from_wire(packet)
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((question.name.to_text(omit_final_dot=True), kind))
        entry = self.zone.get(question.name, Rcode("NXDOMAIN"))
        if self._lose:
            self._lose -= 1
            return None
        if entry == SILENT:
            return None
        if entry == GARBAGE:
            return packet[:2] + b"\xff" * 7
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if isinstance(entry, Rcode):
            answer.set_rcode(dns.rcode.from_text(entry.name))
        elif entry == REFERRAL:
            answer.authority.append(dns.rrset.from_text(question.name, 60, "IN", "NS", "ns.example."))
        elif isinstance(entry, Mapping):
            self._fill(answer, question.name, kind, entry)
        return answer.to_wire()

    def _fill(self, answer: dns.message.Message, name: dns.name.Name, kind: str, entry: Records) -> None:
        if "CNAME" in entry:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", *entry["CNAME"]))
            name = dns.name.from_text(entry["CNAME"][0])
            target = self.zone.get(name)
            entry = target if isinstance(target, Mapping) else {}
        if kind in entry:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *entry[kind]))
