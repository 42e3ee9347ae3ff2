"""How far packets get on their way to the PBX: tracert, traceroute, tracepath and mtr.

    Tracing route to call.soundz.uz [69.62.127.9]
    over a maximum of 30 hops:
      1     1 ms    <1 ms    <1 ms  192.168.1.1
      2     *        *        *     Request timed out.

Reached means that the destination itself answered with times: its address stands beside a time without !H, !N, !X
(traceroute, tracert), the word 'reached' (tracepath), or the last row has answers (mtr).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

from bot.model import Context, Finding, Kind, Reading, Tag
from bot.parsers.addresses import ADDRESS, HOST, V4, address, host_name
from bot.parsers.page import Claim, Page
from bot.parsers.prompts import only_names
from bot.parsers.scan import scan, windows

_TAGS = {
    "reached": Tag.USER_TRACE_REACHED,
    "not_reached": Tag.USER_TRACE_NOT_REACHED,
    "unknown_host": Tag.USER_TRACE_UNKNOWN_HOST,
}
_COMMAND = re.compile(
    r"(?:^|(?<![<>])[>#$%][ ]?)[ \t]*(?:sudo )?(traceroute6?|tracert|tracepath6?|mtr|busybox traceroute)(?:\.exe)?"
    r"((?:[ \t]+[!-{}~]{1,255}){1,8})[ \t]*(?=$|\|)",
    re.MULTILINE,
)
_UNIX = re.compile(
    rf"traceroute6?\s+to\s+({HOST}|{ADDRESS})\s+\(({ADDRESS})\)(?:\s+from [^,]{{1,60}})?,\s+(\d+)\s+hops\s+max(,\s+46)?"
)
# 'Tracing route to NAME [ADDRESS] over a maximum of 30 hops:' in any language: a number, a colon, the first hop
_WINDOWS = re.compile(
    rf"(?:({HOST})\s+\[({ADDRESS})\]|({V4}))[^\[:]{{0,120}}:?\s+1\s+(?=<?\d{{1,5}} ?[^\s\d]{{1,6}}\s|\*\s)"
)
_WINDOWS_WORDS = re.compile(
    rf"(?:Tracing\s+route\s+to|Трассировка\s+маршрута\s+к)\s+({HOST}|{V4})(?:\s+\[({ADDRESS})\])?"
)
_MTR_TO = re.compile(rf"\s->\s({HOST})\s\(({ADDRESS})\)")
_TIME_WORDS = tuple(f"{digit}{space}ms" for digit in range(10) for space in (" ", "\n", ""))
_TIME = r"<?\d{1,5}\s[^\s\d*<]{1,6}"
_TRACERT_ROW = re.compile(
    rf"(?<!\S)(\d{{1,2}})\s+(?:(?:{_TIME}|\*)\s+){{3}}(?:{HOST}\s+\[({ADDRESS})\]|({ADDRESS})|(?=[^\W\d]|\ufffd))"
    rf"|(?<!\S)(\d{{1,2}})\s+(?:{HOST}\s+\[{ADDRESS}\]|{ADDRESS})\s+[^\W\d]{{2,24}}: (?=\S)"
)
_UNIX_ROW = re.compile(
    rf"(?<!\S)(\d{{1,2}})\s+(?:\*\s+){{0,2}}(?:{HOST}\s+\({ADDRESS}\)|{ADDRESS})\s+(?=[\d*])|(?<!\S)(\d{{1,2}})\s+\*\s+\*\s+\*(?!\s+[^\W\d]|\S)"
)
_MTR_ROW = re.compile(
    rf"(?<!\S)(\d{{1,2}})\.\s?(?:\|--)?\s+(\?\?\?|{HOST}|{ADDRESS})(?:\s\(({ADDRESS})\))?\s+(\d{{1,3}}\.\d)%?\s+\d{{1,5}}\s"
    rf"|(?<!\S)\d{{1,2}}\.\s{{1,4}}(\(waiting for reply\))"
)
_MTR_CSV = re.compile(
    rf"^MTR\.[\d.]{{1,8}},\d+,OK,({HOST}|{ADDRESS}),\d+,(\?\?\?|{HOST}|{ADDRESS}),(\d+\.\d+),", re.MULTILINE
)
_PATH_ROW = re.compile(
    rf"(?<!\S)\d{{1,2}}\??:\s+(?:(no reply)|\[LOCALHOST\]\s+pmtu|(?:{HOST}|{ADDRESS})(?:\s\({ADDRESS}\))?\s+"
    rf"(?:\d+\.\d+\s?ms)(?:\s+asymm\s+\d+)?(?:\s+pmtu \d+)?(?:\s+(reached))?(?=\s|$))"
)
_PATH_END = re.compile(r"Too many hops: pmtu|Resume: pmtu")
_FLAG = re.compile(r"\s!(?:[HNXSFCP]|\d{1,2})\b")
_UNKNOWN = (
    re.compile(rf"Unable\s+to\s+resolve\s+target\s+system\s+name\s+({HOST})"),
    re.compile(rf"(?:системное\s+имя\s+узла|Der Zielname|système cible|sistema de destino|目标系统名称)\s+({HOST})"),
    re.compile(rf"({HOST}) hedef sistem adı"),
    re.compile(rf"({HOST}): [^\n:]{{4,60}}\s+Cannot handle \"host\" cmdline arg"),
    re.compile(rf"mtr: Failed to resolve host: ({HOST})"),
    re.compile(rf"(?:traceroute6?|tracepath6?): (?:unknown host |bad address '|cannot resolve )({HOST})"),
    re.compile(rf"(?:traceroute6?|tracepath6?): ({HOST}): (?=[^\W\d])"),
    re.compile(rf"mtr: (?:unknown host|Name or service not known|bad address)\W{{0,3}}({HOST})?"),
)
_NO_WAY = re.compile(r"(?:traceroute: )?(?:connect|send|sendto|sendmsg): (?:Network is unreachable|No route to host)")
_FOREIGN = re.compile(
    r"<<>> DiG|\[SIP\]|Non-authoritative answer|ping statistics|icmp_seq=|\bTTL=\d|^Chain \w", re.MULTILINE
)

_FOREIGN_WORDS = ("<<>> DiG", "[SIP]", "Non-auth", "ping statistics", "icmp_seq=", "TTL=", "Chain")
_UNKNOWN_WORDS = (
    *("system name", "system\nname", "системное", "Zielname", "système", "sistema", "系统", "hedef"),
    *("cmdline", "mtr: ", "traceroute: ", "traceroute6: ", "tracepath: ", "tracepath6: "),
)


class _Mark(NamedTuple):
    at: int
    end: int
    kind: str  # command | header | row | last | unknown | foreign
    tool: str | None = None
    host: str | None = None
    ip: str | None = None
    answers: bool = False


@dataclass(slots=True)
class _Trace:
    """One trace while its marks are collected."""

    first: int = -1
    last: int = -1
    tool: str | None = None
    host: str | None = None
    ip: str | None = None
    header: bool = False
    rows: int = 0
    answered: set[str] = field(default_factory=set)
    last_answers: bool = False
    last_ip: str | None = None
    reached: bool = False  # tracepath's word
    unknown: bool = False
    stopped: bool = False


def parse(page: Page, context: Context) -> list[Claim]:
    """One claim a trace, in text order. Facts: `host` (None where only an address was traced or nothing is printed)."""
    claims, page = [], page.squeezed()
    for trace in _traces(page):
        status = _status(trace, context)
        if status is None:
            continue
        right = trace.ip is None or not context.expected_ips or trace.ip in context.expected_ips
        ours = right and trace.host in (None, context.host)
        findings = (Finding(_TAGS[status]),) if ours else ()
        reading = Reading(Kind.TRACEROUTE, trace.tool, status, {"host": trace.host}, findings)
        claims.append(Claim(page.line_at(trace.first), page.line_at(trace.last), reading, trace.first))
    return claims


def _status(trace: _Trace, context: Context) -> str | None:
    if trace.unknown:
        return "unknown_host"
    if not trace.header and not trace.stopped and trace.rows < (1 if trace.tool in ("mtr", "tracepath") else 2):
        return None
    if trace.tool == "tracepath":
        reached = trace.reached
    elif trace.tool == "mtr":
        reached = trace.last_answers
    elif trace.ip:
        reached = trace.ip in trace.answered
    else:  # the header is lost: the last hop is the destination if it is ours
        known = not context.expected_ips or trace.last_ip in context.expected_ips
        reached = trace.last_answers and known
    return "reached" if reached else "not_reached"


def _traces(page: Page) -> list[_Trace]:
    traces, now = [], _Trace()
    for mark in sorted(_marks(page), key=itemgetter(0, 1)):
        another = now.header and now.ip != mark.ip
        fresh = (mark.kind == "header" and (another or now.rows)) or (mark.kind == "command" and now.first >= 0)
        fresh = fresh or (mark.kind == "unknown" and now.rows > 0)
        if mark.kind == "foreign" or fresh:
            traces.append(now)
            now = _Trace()
        if mark.kind != "foreign":
            _add(now, mark)
    traces.append(now)
    for command in page.commands:
        at = page.offset_of(command.line)
        for trace in traces:
            alone = not (trace.header or trace.rows or trace.unknown)
            if alone and trace.host and 0 <= trace.first - at < len(page.lines[command.line]):
                trace.unknown = only_names(page.lines, command, trace.host)
    return [trace for trace in traces if trace.first >= 0]


def _add(now: _Trace, mark: _Mark) -> None:
    now.first = mark.at if now.first < 0 else now.first
    now.last = max(now.last, mark.end - 1)
    if mark.kind in ("command", "header", "unknown"):
        now.host, now.ip = mark.host or now.host, mark.ip or now.ip
    if mark.tool and (now.tool is None or (mark.kind != "command" and not now.header)):
        now.tool = mark.tool
    now.header = now.header or mark.kind == "header"
    now.unknown = now.unknown or mark.kind == "unknown"
    now.stopped = now.stopped or mark.kind == "stopped"
    if mark.kind == "row":
        now.rows += 1
        now.last_answers, now.last_ip = mark.answers, mark.ip
        if mark.answers and mark.ip:
            now.answered.add(mark.ip)
    if mark.kind == "reached":
        now.rows += 1
        now.reached = True


def _marks(page: Page) -> list[_Mark]:
    text = page.text
    found = [*_headers(text), *_rows(text), *_unknown(text)]
    commands = list(scan(_COMMAND, text, "trace", "mtr"))
    if not found and not commands:
        return []
    found += [_Mark(m.start(), m.end(), "foreign") for m in scan(_FOREIGN, text, *_FOREIGN_WORDS)]
    own = set()
    for m in commands:
        words = [word for word in m[2].split() if word[0] != "-" and ("." in word or ":" in word)]
        word = words[0] if words else ""
        own.add(page.line_at(m.start(1)))
        tool = m[1].rstrip("6").removeprefix("busybox ")
        found.append(_Mark(m.start(1), m.end(), "command", tool, host_name(word), address(word)))
    for command in page.commands:
        if command.line not in own:
            at = page.offset_of(command.line)
            found.append(_Mark(at, at, "foreign"))
    return found


def _headers(text: str) -> list[_Mark]:
    found = []
    for m in scan(_UNIX, text, "traceroute"):
        tool = "busybox-traceroute" if m[4] else "traceroute"
        found.append(_Mark(m.start(), m.end(), "header", tool, host_name(m[1]), address(m[2])))
    words = {m.start(1): m for m in scan(_WINDOWS_WORDS, text, "Tracing", "Трассировка")}
    for m in scan(_WINDOWS, text, " 1 ", "\n1 ", " 1\n", "\n1\n"):
        if m[3] and "30" not in text[max(0, m.start() - 60) : m.end()]:
            continue  # an address alone proves nothing without tracert's number of hops
        start = m.start(1) if m[1] else m.start(3)
        words.pop(start, None)
        found.append(_Mark(start, start + 1, "header", "tracert", host_name(m[1] or ""), address(m[2] or m[3])))
    for start, m in words.items():
        ip = address(m[2] or m[1])
        found.append(_Mark(start, m.end(), "header", "tracert", host_name(m[1]), ip))
    for m in scan(_MTR_TO, text, "->"):
        found.append(_Mark(m.start(), m.end(), "header", "mtr", host_name(m[1]), address(m[2])))
    return found


def _rows(text: str) -> list[_Mark]:
    found = []
    times = tuple(word for word in _TIME_WORDS if word in text) if "ms" in text else ()
    for m in scan(_TRACERT_ROW, text, *times, "мс", "* ", "*\n", "\ufffd", "reports"):
        ip = address(m[2] or m[3] or "")
        found.append(_Mark(m.start(), m.end(), "row", "tracert", ip=ip, answers=ip is not None))
    for m in scan(_UNIX_ROW, text, *times, "* *", "*\n"):
        found += _unix_row(text, m)
    for m in scan(_MTR_ROW, text, "%", "???", "100.0", "waiting"):
        answers = m[5] is None and m[2] != "???" and m[4] != "100.0"
        found.append(_Mark(m.start(), m.end(), "row", "mtr", ip=address(m[3] or m[2] or ""), answers=answers))
    for m in scan(_MTR_CSV, text, "MTR."):
        answers = m[2] != "???" and not m[3].startswith("100.")
        found.append(_Mark(m.start(), m.end(), "row", "mtr", ip=address(m[2]), answers=answers))
    for m in scan(_PATH_ROW, text, *times, "no reply", "LOCALHOST"):
        kind = "reached" if m[2] else "row"
        found.append(_Mark(m.start(), m.end(), kind, "tracepath", answers=not m[1]))
    for m in scan(_PATH_END, text, "pmtu"):
        found.append(_Mark(m.start(), m.end(), "end", "tracepath"))
    for m in scan(_NO_WAY, text, "traceroute"):
        if "traceroute" in m[0]:
            found.append(_Mark(m.start(), m.end(), "stopped", "traceroute"))
    return found


_NEXT_HOP = re.compile(rf"\n|(?<=\s)\d{{1,2}}\s+(?:\*\s+)*(?:{HOST}\s+\({ADDRESS}\)|{ADDRESS})\s+[\d*]")
_ANSWER = re.compile(rf"({ADDRESS})\)?\s+(?:\*\s+){{0,2}}\d+(?:\.\d+)?\s?ms")


def _unix_row(text: str, row: re.Match[str]) -> list[_Mark]:
    """A row of traceroute: every address with a time on it; a row with an !-flag did not arrive."""
    if row[2]:
        return [_Mark(row.start(), row.end(), "row", "traceroute")]
    following = _NEXT_HOP.search(text, row.end(), row.end() + 300)
    end = following.start() if following else min(len(text), row.end() + 300)
    refused = _FLAG.search(text, row.end(), end) is not None
    marks = []
    for answer in _ANSWER.finditer(text, row.start(), end):
        ip = address(answer[1])
        marks.append(_Mark(answer.start(), answer.end(), "row", "traceroute", ip=ip, answers=not refused))
    return marks or [_Mark(row.start(), row.end(), "row", "traceroute")]


def _unknown(text: str) -> list[_Mark]:
    found = []
    for start, end in windows(text, _UNKNOWN_WORDS):
        for number, pattern in enumerate(_UNKNOWN):
            for m in pattern.finditer(text, start, end):
                tool = next((tool for tool in ("mtr", "tracepath") if m[0].startswith(tool)), "traceroute")
                tool = "tracert" if number < 3 else tool
                found.append(_Mark(m.start(), m.end(), "unknown", tool, host_name(m[1] or "")))
    return found
