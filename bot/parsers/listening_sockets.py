"""Which sockets does a listing of ss, netstat (Linux, Windows, macOS) or lsof print?

udp        0      0 0.0.0.0:5060            0.0.0.0:*                           903/node
node    17921 root   17u  IPv6 234547      0t0  UDP *:5060
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

_SS_STATE = r"UNCONN|LISTEN|ESTAB|TIME-WAIT|CLOSE-WAIT|SYN-SENT|SYN-RECV|FIN-WAIT-[12]|LAST-ACK|CLOSING|CLOSED"
_ROW = re.compile(
    rf"(?<![\w/.:>-])(?:(?P<ss>udp|tcp|\?\?\?)\s+(?P<state>{_SS_STATE})|(?P<alone>{_SS_STATE}))"
    r"\s+(?P<ss_queue>\d{1,12})\s+\d{1,12}\s+(?P<ss_local>\S+)\s+(?P<ss_peer>\S+)(?P<ss_rest>[^\n]*)"
    r"|(?<![\w/.:>-])(?P<unix>(?:udp|tcp)(?:4|6|46|lite|lite6)?)\s+(?P<queue>\d{1,12})\s+\d{1,12}"
    r"\s+(?P<local>\S+)\s+(?P<peer>\S+)(?P<rest>[^\n]*)"
    r"|(?<![\w/.:>-])(?P<windows>UDP|TCP)\s+(?P<win_local>[\d.\[*]\S*:\d{1,5})\s+(?P<win_peer>\S+:[\d*]{1,5})[^\n]*"
    r"|(?<!\S)(?P<command>\S{1,64})[ \t]+(?P<pid>\d{1,8})[ \t]+(?:\d{1,8}[ \t]+)?(?:\S{1,32}[ \t]+){1,3}IPv[46]"
    r"[ \t]+\S+[ \t]+\S+[ \t]+(?P<lsof>UDP|TCP)[ \t]+(?P<name>\S+)(?P<lsof_rest>[^\n]*)"
)
_HEADER = re.compile(
    r"(?P<ss>(?:Netid[ \t]+)?State[ \t]+Recv-Q[ \t]+Send-Q[ \t]+Local Address:[ \t]?Port[^\n]*)"
    r"|(?P<netstat>Active Internet connections[^\n]*|Proto[ \t]+Recv-Q[ \t]+Send-Q[ \t]+Local Address[^\n]*)"
    r"|(?P<windows>(?<![^\n])[ \t]*(?:Active Connections|Активные подключения|Aktive Verbindungen|Connexions actives|"
    r"Conexiones activas|Etkin Bağlantılar|Активні підключення|Aktywne połączenia|Conexões ativas|Faol ulanishlar|"
    r"Connessioni attive|活动连接|アクティブな接続)[ \t]*(?![^\n]))"
    r"|(?P<lsof>COMMAND[ \t]+PID[ \t]+(?:TID[ \t]+)?(?:TASKCMD[ \t]+)?USER[ \t]+FD[ \t]+TYPE[^\n]*)"
)
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
    marks = [_Mark(found.start(), found.end(), found.lastgroup or "", None, False) for found in _HEADER.finditer(text)]
    for found in _ROW.finditer(text):
        if read := _row(found):
            marks.append(_Mark(found.start(), found.end(), *read))
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


def _row(found: re.Match[str]) -> tuple[str, Socket, bool] | None:
    """(tool, socket, not of the server) of one row; None where its columns are not addresses."""
    if found["lsof"]:
        local = _end(found["name"].split("->")[0])
        listens = "LISTEN" in found["lsof_rest"]
        owner = found["command"].replace("\\x20", " ")
        read = local and Socket(found["lsof"] == "UDP", *local, listens, owner, int(found["pid"]))
        return ("lsof", read, False) if read else None
    if found["windows"]:
        local = _end(found["win_local"])
        listens = found["win_peer"].endswith((":0", ":*"))
        return ("windows", Socket(found["windows"] == "UDP", *local, listens), True) if local else None
    if found["unix"]:
        return _unix_row(found)
    local, peer = _end(found["ss_local"]), found["ss_peer"]
    state = found["state"] or found["alone"]
    if local is None or not re.search(r"[:.](?:\*|[\w-]+)$", peer):
        return None
    udp = found["ss"] == "udp" or (found["ss"] is None and state == "UNCONN")
    user = _USERS.search(found["ss_rest"])
    return (
        "ss",
        Socket(
            udp, *local, state == "LISTEN", user["name"] if user else None,
            int(user["pid"]) if user else None, int(found["ss_queue"]),
        ),
        False,
    )  # fmt: skip


def _unix_row(found: re.Match[str]) -> tuple[str, Socket, bool] | None:
    bsd = re.search(r"\.(?:\d{1,5}|\*|[a-z][\w-]*)$", found["local"]) is not None and ":" not in found["local"][-6:]
    local = _end(found["local"], "." if bsd and ":" not in found["peer"] else ":")
    if local is None or not re.search(r"[:.](?:\*|[\w-]+)$", found["peer"]):
        return None
    program = _PROGRAM.search(found["rest"])
    listens = bool(re.search(r"(?<!\w)LISTEN", found["rest"]))
    socket = Socket(
        found["unix"].startswith("udp"), *local, listens, program["name"].strip() if program else None,
        int(program["pid"]) if program else None, int(found["queue"]),
    )  # fmt: skip
    return "netstat", socket, found["peer"].startswith("*.") or (bsd and ":" not in found["peer"])


def _end(printed: str, separator: str = ":") -> tuple[str, int] | None:
    """(address, port) of `0.0.0.0:5060`, `[::1]:sip`, `*.5060`, `127.0.0.53%lo:53`; port -1 is any other name."""
    address, found, port = printed.rpartition(separator)
    if not found or not address or not re.fullmatch(r"\d{1,5}|\*|[A-Za-z][\w-]{0,30}", port):
        return None
    address = address.strip("[]").partition("%")[0].rstrip("]")
    number = int(port) if port.isdigit() else {"sip": 5060, "sip-tls": 5061}.get(port.lower(), -1)
    return address or "*", number
