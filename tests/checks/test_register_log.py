"""Each line of the live log finds its socket, also among thousands of strangers."""

from __future__ import annotations

from bot.checks import register_log
from bot.checks.log_follow import LogLine
from bot.checks.register_log import RegisterLog, Socket
from bot.parsers.pbx_log_lines import LogEvent, Said, read_line


class Book:
    """A register log and what it told."""

    def __init__(self, *kept: str) -> None:
        self.told: list[tuple[int, Said]] = []
        self.server: list[Said] = []
        self.log = RegisterLog(self._on_socket, lambda event: self.server.append(event.said), lambda ext: ext in kept)

    def _on_socket(self, socket: Socket, event: LogEvent) -> None:
        self.told.append((socket.port, event.said))
        self.last = socket

    def reads(self, *lines: str, stream: str = "x") -> None:
        for line in lines:
            text = f"2026-11-22 19:27:12 +00:00: 2026-11-22 19:27:12 info: {line}"
            self.log.feed(LogLine(stream, text, read_line(text)), 0.0)


def request(port: int) -> tuple[str, ...]:
    return (
        f"[SIP] Received message from 203.0.113.7:{port}",
        "[SIP] Request: REGISTER sip:pbx.example SIP/2.0",
        f"[SIP] Processing REGISTER from 203.0.113.7:{port}",
    )


def test_lines_without_a_socket_go_to_the_one_the_next_answer_names() -> None:
    book = Book()
    book.reads(*request(1), *request(2), "Digest auth verification failed for 1002", "Authentication failed for 1002")
    book.reads("Could not retrieve password for extension 1004. Please reset the password.")
    book.reads("[SIP] Sending response 403 Forbidden to 203.0.113.7:2")
    book.reads("Authentication failed for 1002", "[SIP] Sending response 403 Forbidden to 203.0.113.7:1")
    assert [(port, said) for port, said in book.told if said in register_log.REFUSAL] == [
        (2, Said.PASSWORD_LOST),
        (1, Said.WRONG_PASSWORD),
        (1, Said.AUTH_FAILED),
        (1, Said.AUTH_FAILED),
    ]


def test_two_streams_do_not_mix() -> None:
    book = Book()
    book.reads(*request(1), stream="one")
    book.reads("[SIP] Received message from 203.0.113.7:2", stream="two")
    book.reads("[SIP] Empty request line", stream="two")
    assert book.told[-1] == (2, Said.IGNORED)


def test_what_is_everybodys_names_no_socket() -> None:
    book = Book()
    book.reads("SIP Server error: bind EADDRINUSE 0.0.0.0:5060", "Unexpected REGISTER request received")
    assert (book.told, book.server) == ([], [Said.SERVER_ERROR, Said.OTHER_PORT])


def test_a_flood_of_strangers_makes_nobody_watched_forgotten() -> None:
    book = Book("1002")
    book.reads(*request(1), "[SIP] Sending 401 challenge for 1002 to 203.0.113.7:1")
    known = book.last
    for port in range(2, 2 * register_log.SOCKETS_MAX):
        book.reads(f"[SIP] Received message from 203.0.113.8:{port}")
    assert len(book.log._sockets) <= register_log.SOCKETS_MAX + 1
    book.reads("[SIP] Sending 401 challenge for 1002 to 203.0.113.7:1")
    assert book.last is known
    assert [event.said for _, event in known.events].count(Said.CHALLENGE) == 2
