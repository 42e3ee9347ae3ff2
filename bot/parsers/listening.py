"""Does anything listen on the SIP port over UDP, and on which address? `ss`, `netstat`, `lsof` of any system.

udp   UNCONN 0      0            0.0.0.0:5060      0.0.0.0:*    users:(("node",pid=16999,fd=17))
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.model import Context, Finding, Kind, Reading, Tag
from bot.parsers.listening_sockets import Socket, Sockets, covers_udp, read_sockets, tool_of
from bot.parsers.outputs import Output, outputs
from bot.parsers.page import Claim, Page

LISTENING_ALL, LISTENING_LOCAL_ONLY = "listening_all", "listening_local_only"
TCP_ONLY, NOT_LISTENING = "tcp_only", "not_listening"

_STUCK_BYTES = 4096  # more than a handful of packets wait: the PBX does not read them
_PBX_OWNER = re.compile(r"node|nodejs|pm2|npm|bun|deno|mainthread|next-server|god daemon", re.IGNORECASE)


def parse(page: Page, context: Context) -> list[Claim]:
    """A claim for every listing. Facts: port, proto, addresses, owner, pid, recv_q_bytes where printed."""
    claims = []
    for output in outputs(page):
        asked = tool_of(output.command)
        if output.silent:
            if asked:
                seen = Sockets(asked, (), 0, 0, whole=True)
                claims.append(Claim(output.first, output.last, _reading(seen, output, context)))
            continue
        for seen in read_sockets(output.text, output.command):
            claims.append(
                Claim(output.line_of(seen.first), output.line_of(max(seen.first, seen.last - 1)),
                      _reading(seen, output, context))
            )  # fmt: skip
    return claims


def _reading(seen: Sockets, output: Output, context: Context) -> Reading:
    ours = [socket for socket in seen.sockets if socket.udp and socket.port == context.sip_port]
    status = _status(seen, ours, context.sip_port)
    facts: dict[str, object] = {"port": context.sip_port, "proto": "udp"}
    if ours:
        facts["addresses"] = list(dict.fromkeys(socket.address for socket in ours))
        owned = next((socket for socket in ours if socket.owner), None)
        if owned:
            facts["owner"] = owned.owner
        if owned and owned.pid is not None:
            facts["pid"] = owned.pid
        queues = [socket.recv_q_bytes for socket in ours if socket.recv_q_bytes is not None]
        if queues:
            facts["recv_q_bytes"] = max(queues)
    findings = tuple(_findings(seen, ours, status, output, context)) if seen.on_server else ()
    return Reading(Kind.LISTENING, seen.tool, status, facts, findings)


def _status(seen: Sockets, ours: list[Socket], port: int) -> str:
    if any(not socket.loopback for socket in ours):
        return LISTENING_ALL
    if ours:
        return LISTENING_LOCAL_ONLY
    if any(not socket.udp and socket.listens and socket.port == port for socket in seen.sockets):
        return TCP_ONLY
    return NOT_LISTENING


def _findings(seen: Sockets, ours: list[Socket], status: str, output: Output, context: Context) -> Iterator[Finding]:
    if status == LISTENING_ALL:
        yield Finding(Tag.SERVER_LISTENS, {"address": next(s.address for s in ours if not s.loopback)})
    elif status == LISTENING_LOCAL_ONLY:
        yield Finding(Tag.SERVER_LISTENS_LOOPBACK, {"address": ours[0].address})
    elif covers_udp(seen, output.command, context.sip_port):
        yield Finding(Tag.SERVER_LISTENS_TCP_ONLY if status == TCP_ONLY else Tag.SERVER_NOT_LISTENING)
    waiting = max((socket.recv_q_bytes or 0 for socket in ours), default=0)
    if waiting >= _STUCK_BYTES:
        yield Finding(Tag.SERVER_QUEUE_STUCK, {"recv_q_bytes": waiting})
    owners = [socket for socket in ours if socket.owner]
    if owners and not any(_PBX_OWNER.match(socket.owner or "") for socket in owners):
        yield Finding(Tag.SERVER_PORT_OWNER_FOREIGN, {"owner": owners[0].owner, "pid": owners[0].pid})
