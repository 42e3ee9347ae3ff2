"""Which words of ping programs stand where in a page: headers, replies, losses, statistics, in text order.

Ответ от 69.62.127.9: число байт=32 время=113мс TTL=48        Mark(kind="reply", ip="69.62.127.9")
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple

from bot.parsers import ping_patterns as shape
from bot.parsers.addresses import address, host_name, may_hold_v6
from bot.parsers.page import Page
from bot.parsers.scan import scan, windows


class Mark(NamedTuple):
    """One thing a ping program printed, or the command that started it."""

    at: int  # offsets in Page.text
    end: int
    kind: (
        str  # command | header | reply | lost | unreachable | general | unknown | counts | rtt | about | test | foreign
    )
    tool: str | None = None
    host: str | None = None
    ip: str | None = None
    sequence: int | None = None
    counts: tuple[int, int, int] = (0, 0, 0)  # sent, received, errors; errors only where printed
    loss_pct: float | int | None = None
    rtt_ms: float | int | None = None
    sure: bool = True


def number(text: str) -> float | int:
    """A printed number, whole where it is."""
    value = float(text.replace(",", "."))
    return int(value) if value.is_integer() else value


def marks(page: Page) -> list[Mark]:
    """All marks of the page in text order."""
    text = page.text
    found = [*_starts(text), *_lines(text), *_errors(text), *_numbers(text)]
    if any(mark.tool == "windows-ping" for mark in found) or any(word in text for word in shape.ERROR_WORDS):
        found += _windows_lines(text)
    if not found:
        return []
    found += [Mark(m.start(), m.end(), "foreign") for m in scan(shape.FOREIGN, text, *shape.FOREIGN_WORDS)]
    own = {page.line_at(mark.at) for mark in found if mark.kind == "command"}
    for command in page.commands:
        if command.line not in own:
            at = page.offset_of(command.line)
            found.append(Mark(at, at, "foreign"))
    return sorted(found, key=itemgetter(0, 1))


def _starts(text: str) -> Iterator[Mark]:
    for found in scan(shape.COMMAND, text, "ping", "Test-Net", "test-net", "tnc"):
        words = [word for word in found[2].split() if word[0] != "-"]
        dotted = [word for word in words if "." in word or ":" in word] or words[-1:]
        word = dotted[0] if dotted else ""
        yield Mark(found.start(1), found.end(), "command", None, host_name(word), address(word))
    for found in scan(shape.UNIX, text, "PING"):
        tool = "iputils-ping" if found[5] else "busybox-ping" if found[3] else "iputils-ping"
        yield Mark(found.start(), found.end(), "header", tool, host_name(found[1]), address(found[2]))
    for found in scan(shape.WINDOWS, text, *shape.BRACKETS):
        if shape.FIRST_HOP.match(text, text.find(":", found.end()) + 1):
            continue  # tracert says 'name [address] ... 30 ...:' too
        yield Mark(found.start(), found.end(), "header", "windows-ping", host_name(found[1]), address(found[2]))
    for found in scan(shape.WINDOWS_IP, text, "Pinging", "Обмен", "Ping", "sur ", "ping", "Disparando", ":\n"):
        ip = address(found[1] or found[2])
        yield Mark(found.start(), found.end(), "header", "windows-ping", None, ip, sure=bool(found[1]))
    for found in scan(shape.TEST, text, "ComputerName", "RemoteAddress", "PingSucceeded", "PingReplyDetails"):
        host, ip, word = None, None, found[2]
        rtt = None
        if found[1] == "ComputerName":
            host, ip = host_name(word), address(word)
        elif found[1] == "RemoteAddress":
            ip = address(word)
        elif found[1].startswith("PingReply"):
            rtt = number(word) if word.isdigit() else None
        sequence = {"true": 1, "false": 0}.get(word.lower()) if found[1] == "PingSucceeded" else None
        yield Mark(found.start(), found.end(), "test", "test-netconnection", host, ip, sequence, rtt_ms=rtt)


def _lines(text: str) -> Iterator[Mark]:
    for found in scan(shape.WINDOWS_REPLY, text, "TTL="):
        yield Mark(found.start(), found.end(), "reply", "windows-ping", ip=found[1])
    for found in scan(shape.WINDOWS_REPLY6, text, *shape.TIME_WORDS) if may_hold_v6(text) else ():
        if ip := address(found[1]):
            yield Mark(found.start(), found.end(), "reply", "windows-ping", ip=ip)
    for found in scan(shape.UNIX_REPLY, text, " ttl="):
        tool = None if found[2] else "busybox-ping"
        yield Mark(found.start(), found.end(), "reply", tool, ip=found[1], sequence=int(found[3]))
    for found in scan(shape.TIMED_OUT, text, *shape.TIMED_OUT_WORDS):
        in_trace = shape.AFTER_STAR.search(text, max(0, found.start() - 90), found.start())
        about_dns = text.endswith("DNS ", 0, found.start())
        if not in_trace and not about_dns:
            line = text[text.rfind("\n", 0, found.start()) + 1 : found.start()].rstrip()
            told = bool(line) and line[-1] not in ".:。)" and "TTL=" not in line[-8:]  # quoted in a sentence
            tool = None if "icmp" in found[0] else "windows-ping"
            yield Mark(found.start(), found.end(), "lost", tool, sure=not told)


def _errors(text: str) -> Iterator[Mark]:
    for found in scan(shape.UNIX_ERROR, text, "icmp_seq"):
        if not shape.WAITING.search(text, max(0, found.start() - 24), found.start()):
            yield Mark(found.start(), found.end(), "unreachable", None, sequence=int(found[1]))
    for found in scan(shape.UNIX_BYTES_ERROR, text, "bytes from", "From "):
        yield Mark(found.start(), found.end(), "unreachable", "inetutils-ping" if found[0][0].isdigit() else None)
    for found in scan(shape.SENDING, text, "sendmsg", "sendto", "connect", "send: ", "ping: ", "ping6: "):
        if found[0].startswith("ping") or "traceroute" not in text[max(0, found.start() - 300) : found.start()]:
            yield Mark(found.start(), found.end(), "unreachable", "iputils-ping")
    for found in scan(shape.LOCAL_UNREACHABLE, text, "Destination", "Заданный"):
        yield Mark(found.start(), found.end(), "unreachable", "windows-ping")
    for found in scan(shape.GENERAL, text, *shape.GENERAL_WORDS):
        yield Mark(found.start(), found.end(), "general", "windows-ping")
    for start, end in windows(text, shape.UNKNOWN_WORDS):
        for number_of, pattern in enumerate(shape.UNKNOWN):
            for found in pattern.finditer(text, start, end):
                word = next(filter(None, found.groups()), "")
                if host := host_name(word):
                    tool = "windows-ping" if number_of < 4 else None
                    tool = "test-netconnection" if found[0].startswith("Name res") else tool
                    yield Mark(found.start(), found.end(), "unknown", tool, None if host.startswith("ping") else host)


def _windows_lines(text: str) -> Iterator[Mark]:
    """Lines that are only told by their place in a ping of Windows."""
    for found in scan(shape.WINDOWS_ERROR, text, ": "):
        if shape.HOP.search(text, max(0, found.start() - 6), found.start()):
            continue
        known = bool(shape.UNREACHABLE_WORDS.search(found[2]))
        yield Mark(found.start(), found.end(), "unreachable", "windows-ping", sure=known)
    for found in scan(shape.WINDOWS_RTT, text, "="):
        yield Mark(found.start(), found.end(), "rtt", "windows-ping", rtt_ms=number(found[1]))


def _numbers(text: str) -> Iterator[Mark]:
    for found in scan(shape.COUNTS, text, "%"):
        counts = (int(found[1]), int(found[2]), int(found[3] or 0))
        sure = bool(shape.PRINTED.search(text, found.start(), found.end() + 60))
        yield Mark(found.start(), found.end(), "counts", None, counts=counts, loss_pct=number(found[4]), sure=sure)
    for found in scan(shape.WINDOWS_COUNTS, text, "%"):
        counts = (int(found[1]), int(found[2]), 0)
        yield Mark(found.start(), found.end(), "counts", "windows-ping", counts=counts, loss_pct=number(found[4]))
    for found in scan(shape.WINDOWS_SENT, text, "Sent", "отправлено"):
        sent, received = int(found[1]), int(found[2])
        if 0 < sent >= received:  # Windows prints whole percents, cut
            lost = 100 * (sent - received) // sent
            yield Mark(found.start(), found.end(), "counts", "windows-ping", counts=(sent, received, 0), loss_pct=lost)
    for found in scan(shape.CISCO, text, "Success rate"):
        counts, rtt = (int(found[3]), int(found[2]), 0), number(found[4]) if found[4] else None
        loss_pct = 100 - int(found[1])
        yield Mark(found.start(), found.end(), "counts", "cisco-ping", counts=counts, loss_pct=loss_pct, rtt_ms=rtt)
    for found in scan(shape.MIKROTIK, text, "packet-loss="):
        counts, rtt = (int(found[1]), int(found[2]), 0), number(found[4]) if found[4] else None
        loss_pct = int(found[3])
        yield Mark(found.start(), found.end(), "counts", "mikrotik-ping", counts=counts, loss_pct=loss_pct, rtt_ms=rtt)
    for found in scan(shape.RTT, text, "min/avg/max"):
        yield Mark(found.start(), found.end(), "rtt", None, rtt_ms=number(found[1]))
    for found in scan(shape.ABOUT, text, "ping ", "Ping ", "ping-", "Ping-"):
        word = found[1] or found[2] or found[3]
        yield Mark(found.start(), found.end(), "about", None, host_name(word), address(word))
    for found in scan(shape.FPING, text, "is alive", "is unreachable", "xmt/rcv"):
        host, ip = host_name(found[1]), address(found[1])
        if found[2]:
            kind = "reply" if found[2] == "alive" else "lost"
            yield Mark(found.start(), found.end(), kind, "fping", host, ip)
        else:
            counts = (int(found[3]), int(found[4]), 0)
            rtt = number(found[6]) if found[6] else None
            yield Mark(found.start(), found.end(), "counts", "fping", host, ip, None, counts, number(found[5]), rtt)
