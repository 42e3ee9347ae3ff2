"""A SIP server over UDP that answers as a test wants it to: rightly, wrongly, late, twice, or not at all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from typing import Self

from sipmessage import Message, Request, Response

Behaviour = Callable[[bytes, Request, int], Iterable[bytes]]  # packet, request, which one it is (0, 1, …)


class SipServer:
    """`behaviour` gives the packets to send back for each request. `other_port`: from another socket."""

    def __init__(self, behaviour: Behaviour, port: int = 0, *, from_other_port: bool = False) -> None:
        self.packets: list[bytes] = []
        self.sources: list[tuple[str, int]] = []
        self._behaviour = behaviour
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self.port = int(self._socket.getsockname()[1])
        self._out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM) if from_other_port else self._socket
        self._thread = threading.Thread(target=self._serve, name=f"sip:{self.port}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as knock:
            knock.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()
        self._out.close()

    @property
    def requests(self) -> list[Request]:
        """What came in, parsed."""
        return [request for packet in self.packets if isinstance(request := Message.parse(packet), Request)]

    def _serve(self) -> None:
        while True:
            packet, client = self._socket.recvfrom(65535)
            if not packet:
                return
            number = len(self.packets)
            self.packets.append(packet)
            self.sources.append(client)
            request = Message.parse(packet)
            assert isinstance(request, Request)
            for answer in self._behaviour(packet, request, number):
                self._out.sendto(answer, client)


def answer(request: Request, code: int, phrase: str = "Phrase") -> Response:
    """A right answer to the request: Via, From, To with a tag, Call-ID and CSeq copied."""
    made = Response(code, phrase)
    for name in ("Via", "From", "To", "Call-ID", "CSeq"):
        made.headers.setlist(name, list(request.headers.getlist(name)))
    made.headers.set("To", f"{made.headers['To']};tag=server")
    made.headers.set("Content-Length", "0")
    return made


def always(code: int) -> Behaviour:
    """Each request gets the right answer with this code."""
    return lambda packet, request, number: (bytes(answer(request, code)),)


def silent(packet: bytes, request: Request, number: int) -> tuple[bytes, ...]:
    """No answer."""
    return ()
