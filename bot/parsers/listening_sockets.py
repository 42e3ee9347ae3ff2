"""Which sockets does a listing of ss, netstat (Linux, Windows, macOS) or lsof print?

udp        0      0 0.0.0.0:5060            0.0.0.0:*                           903/node
node    17921 root   17u  IPv6 234547      0t0  UDP *:5060
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

_SS_STATE = r"UNCONN|LISTEN|ESTAB|TIME-WAIT|CLOSE-WAIT|SYN-SENT|SYN-RECV|FIN-WAIT-[12]|LAST-ACK|CLOSING|CLOSED"
_REST = (  # to the next row
    r"(?P<rest>[^\n]*?)(?=\s(?:udp|tcp)[46]*\s+(?:\d|[A-Z])|\s(?:UNCONN|LISTEN|ESTAB)\s+\d+\s+\d|\n|$)"
)
_SS_ROW = re.compile(
    rf"(?:(?P<proto>udp|tcp|\?\?\?)\s+)?(?P<state>{_SS_STATE})\s+(?P<queue>\d{{1,12}})\s+\d{{1,12}}"
    r"\s+(?P<local>\S+)\s+(?P<peer>\S+)" + _REST
)
_NETSTAT_ROW = re.compile(
    r"(?P<proto>(?:udp|tcp)(?:4|6|46|lite|lite6)?)\s+(?P<queue>\d{1,12})\s+\d{1,12}"
    r"\s+(?P<local>\S+)\s+(?P<peer>\S+)" + _REST
)
_WINDOWS_ROW = re.compile(r"(?P<proto>UDP|TCP)\s+(?P<local>[\d.\[*]\S*:\d{1,5})\s+(?P<peer>\S+:[\d*]{1,5})")
_LSOF_ROW = re.compile(
    r"(?P<command>\S{1,64})\s+(?P<pid>\d{1,8})\s+(?:\S{1,32}\s+){1,4}IPv[46]"
    r"\s+\S+\s+\S+\s+(?P<proto>UDP|TCP)\s+(?P<name>\S+)(?P<rest>(?:[ \t]+\([A-Z_]+\))?)"
)
_CANDIDATE = re.compile(
    r"udp|tcp|UDP|TCP|UNCONN|LISTEN|ESTAB|IPv[46]|\?\?\?|TIME-WAIT|CLOSE-WAIT|SYN-|FIN-WAIT|LAST-ACK|CLOS"
)
_BEFORE_ROW = re.compile(r"[\w/.:>-]")
_LSOF_TAIL = re.compile(r"IPv[46]\s+\S+\s+\S+\s+(?:UDP|TCP)\s")
_LSOF_HEAD = re.compile(r"(?<!\S)\S+(?=\s+\d{1,8}\s)")
_LSOF_REACH = 160  # characters before 'IPv4' in which the row begins
_HEADER = re.compile(
    r"(?P<ss>(?:Netid[ \t]+)?State[ \t]+Recv-Q[ \t]+Send-Q[ \t]+Local Address:[ \t]?Port[^\n]*)"
    r"|(?P<netstat>Active Internet connections[^\n]*|Proto[ \t]+Recv-Q[ \t]+Send-Q[ \t]+Local Address[^\n]*)"
    r"|(?P<windows>(?<![^\n])[ \t]*(?:Active Connections|Активные подключения|Aktive Verbindungen|Connexions actives|"
    r"Conexiones activas|Etkin Bağlantılar|Активні підключення|Aktywne połączenia|Conexões ativas|Faol ulanishlar|"
    r"Connessioni attive|活动连接|アクティブな接続)[ \t]*(?![^\n]))"
    r"|(?P<lsof>COMMAND[ \t]+PID[ \t]+(?:TID[ \t]+)?(?:TASKCMD[ \t]+)?USER[ \t]+FD[ \t]+TYPE[^\n]*)"
)
_HEADER_MARKS = (
    "Recv-Q", "Active ", "COMMAND", "Активн", "Активні", "Aktiv", "Connes", "Connex", "Conex", "Etkin", "Aktywne",
    "Faol", "活动", "アクティブ",
)  # fmt: skip
_PEER = re.compile(r"[:.](?:\*|[\w-]+)$")
_DOTTED = re.compile(r"\.(?:\d{1,5}|\*|[a-z][\w-]*)$")
_LISTENS = re.compile(r"(?<!\w)LISTEN")
_USERS = re.compile(r'users:\(\("(?P<name>[^"\n]{1,64})",pid=(?P<pid>\d{1,8})')
_PROGRAM = re.compile(r"(?<!\S)(?P<pid>\d{1,8})/(?P<name>[^\n]{1,64})")
_LOOPBACK = re.compile(r"(?:::ffff:)?127\.|::1$|localhost|ip6-localhost|ip6-loopback", re.IGNORECASE)
_TOOL = re.compile(r"(?:^|[;&|(][ \t]*)(?:/\S{1,20}/)?(?P<tool>ss|netstat|lsof)(?:\.exe)?(?=\s|$)")
_FILTER = re.compile(
    r"\|[ \t]*(?:[efz]?grep|findstr(?:\.exe)?|Select-String)[ \t]+(?:[-/]\w+[ \t]+){0,5}(?P<wanted>[^|\n]*)", re.I
)
_LSOF_ASKED = re.compile(r"-i[ \t]*[46]?(?P<proto>tcp|udp)?(?:@[^:\s]*)?(?::(?P<port>[\w,-]+))?", re.I)
_NETID = re.compile(r"(?:udp|tcp)\s+[A-Z]|Netid")  # printed only where several families were asked for
_MANY_ROWS = 3


@dataclass(frozen=True, slots=True)
class Socket:
    """One printed socket by its local end."""

    udp: bool
    address: str  # as printed, without brackets and scope
    port: int
    listens: bool  # of TCP sockets
    owner: str | None = None
    pid: int | None = None
    recv_q_bytes: int | None = None

    @property
    def loopback(self) -> bool:
        """Only this host can reach it."""
        return bool(_LOOPBACK.match(self.address))


class _Mark(NamedTuple):
    """A row or a header of a listing and where it stands."""

    first: int
    last: int
    tool: str  # ss | netstat | windows | lsof
    socket: Socket | None  # None: a header
    foreign: bool  # not of the PBX host


@dataclass(frozen=True, slots=True)
class Sockets:
    """The sockets of one listing; `first` and `last` are offsets in its text."""

    tool: str
    sockets: tuple[Socket, ...]
    first: int
    last: int
    whole: bool = False  # it shows UDP, and was not cut down to some rows
    on_server: bool = True  # Windows and macOS are the user's own machine


def tool_of(command: str | None) -> str | None:
    """ss, netstat or lsof where the command runs one of them."""
    found = _TOOL.search((command or "").strip())
    return found["tool"] if found else None


def read_sockets(text: str, command: str | None) -> list[Sockets]:
    """Every listing in the text: rows and headers of one tool after another."""
    marks: list[_Mark] = []
    if any(mark in text for mark in _HEADER_MARKS):
        marks = [_Mark(one.start(), one.end(), one.lastgroup or "", None, False) for one in _HEADER.finditer(text)]
    marks += _rows(text)
    listings: list[Sockets] = []
    group: list[_Mark] = []
    for mark in sorted(marks, key=lambda entry: entry.first):
        if group and _parts(group, mark):
            listings.append(_listing(group, text))
            group = []
        group.append(mark)
    if group:
        listings.append(_listing(group, text))
    return listings


def _tool(name: str) -> str:
    return "netstat" if name == "windows" else name


def _parts(group: list[_Mark], mark: _Mark) -> bool:
    """Whether the mark belongs to the next listing: another tool, or a header after rows."""
    if _tool(mark.tool) != _tool(group[-1].tool):
        return True
    return mark.socket is None and group[-1].socket is not None


def _listing(group: list[_Mark], text: str) -> Sockets:
    sockets = tuple(mark.socket for mark in group if mark.socket is not None)
    headed = len(sockets) < len(group)
    shows_udp = any(socket.udp for socket in sockets) or any(
        _NETID.match(text, mark.first) for mark in group if mark.tool == "ss"
    )
    whole = shows_udp and (headed or len(sockets) >= _MANY_ROWS)
    foreign = any(mark.foreign or mark.tool == "windows" for mark in group)
    return Sockets(_tool(group[0].tool), sockets, group[0].first, group[-1].last, whole=whole, on_server=not foreign)


def covers_udp(seen: Sockets, command: str | None, port: int) -> bool:
    """Whether the listing would have shown a UDP socket on the port: only then its absence says something."""
    if command is None or tool_of(command) is None:
        return seen.whole
    if found := _FILTER.search(command):
        wanted = (found["wanted"].lower().split() or [""])[0].strip("'\":")
        if not wanted or (wanted not in str(port) and wanted != "udp"):
            return False
    tool, options = tool_of(command), command.split("|")[0]
    if tool == "lsof":
        asked = _LSOF_ASKED.search(options)
        if asked is None or (asked["proto"] or "udp").lower() != "udp":
            return False
        return (asked["port"] or str(port)) in (str(port), "sip")
    letters = "".join(re.findall(r"(?<!\S)-([A-Za-z]+)", options)) + "".join(re.findall(r"--(udp|tcp)", options))
    only_tcp = "t" in letters and "u" not in letters
    return not only_tcp and "p tcp" not in options.lower()


def _rows(text: str) -> list[_Mark]:
    """Every row of every tool; a row may be broken at its spaces."""
    marks: list[_Mark] = []
    at = 0
    for candidate in _CANDIDATE.finditer(text):
        begin = candidate.start()
        if begin < at:
            continue
        mark: _Mark | None = None
        if candidate[0].startswith("IPv"):
            mark = _lsof_row(text, begin)
        elif not _BEFORE_ROW.match(text, max(0, begin - 1), begin):
            mark = _windows_row(text, begin) if candidate[0] in ("UDP", "TCP") else _unix_row(text, begin)
        if mark:
            marks.append(mark)
            at = mark.last
    return marks


def _lsof_row(text: str, begin: int) -> _Mark | None:
    if not _LSOF_TAIL.match(text, begin):
        return None
    start = max(0, begin - _LSOF_REACH)
    for word in reversed(list(_LSOF_HEAD.finditer(text, start, begin))):
        found = _LSOF_ROW.match(text, word.start())
        local = _end(found["name"].split("->")[0]) if found else None
        if found and local:
            owner = found["command"].replace("\\x20", " ")
            listens = "LISTEN" in found["rest"]
            socket = Socket(found["proto"] == "UDP", *local, listens, owner, int(found["pid"]))
            return _Mark(found.start(), found.end(), "lsof", socket, False)
    return None


def _windows_row(text: str, begin: int) -> _Mark | None:
    found = _WINDOWS_ROW.match(text, begin)
    local = _end(found["local"]) if found else None
    if found is None or local is None:
        return None
    socket = Socket(found["proto"] == "UDP", *local, found["peer"].endswith((":0", ":*")))
    return _Mark(found.start(), found.end(), "windows", socket, True)


def _unix_row(text: str, begin: int) -> _Mark | None:
    """A row of ss, or of netstat on Linux, busybox and macOS."""
    ss = _SS_ROW.match(text, begin)
    found = ss or _NETSTAT_ROW.match(text, begin)
    if found is None or not _PEER.search(found["peer"]):
        return None
    dotted = ":" not in found["peer"] and _DOTTED.search(found["local"]) is not None  # macOS
    local = _end(found["local"], "." if dotted else ":")
    if local is None:
        return None
    user = (_USERS if ss else _PROGRAM).search(found["rest"])
    owner, pid = (user["name"].strip(), int(user["pid"])) if user else (None, None)
    queue = int(found["queue"])
    if ss:
        udp = found["proto"] == "udp" or (found["proto"] is None and found["state"] == "UNCONN")
        listens = found["state"] == "LISTEN"
        return _Mark(found.start(), found.end(), "ss", Socket(udp, *local, listens, owner, pid, queue), False)
    listens = _LISTENS.search(found["rest"]) is not None
    socket = Socket(found["proto"].startswith("udp"), *local, listens, owner, pid, queue)
    return _Mark(found.start(), found.end(), "netstat", socket, dotted)


def _end(printed: str, separator: str = ":") -> tuple[str, int] | None:
    """(address, port) of `0.0.0.0:5060`, `[::1]:sip`, `*.5060`, `127.0.0.53%lo:53`; port -1 is any other name."""
    address, found, port = printed.rpartition(separator)
    if not found or not address or not re.fullmatch(r"\d{1,5}|\*|[A-Za-z][\w-]{0,30}", port):
        return None
    address = address.strip("[]").partition("%")[0].rstrip("]")
    number = int(port) if port.isdigit() else {"sip": 5060, "sip-tls": 5061}.get(port.lower(), -1)
    return address or "*", number
