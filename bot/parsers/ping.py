"""Whether packets reach the PBX from the user's PC, how many are lost and how slow they are: ping of any system.

    Обмен пакетами с call.soundz.uz [69.62.127.9] с 32 байтами данных:
    Ответ от 69.62.127.9: число байт=32 время=113мс TTL=48
    Статистика Ping для 69.62.127.9:
        Пакетов: отправлено = 4, получено = 2, потеряно = 2 (50% потерь)

Read by shape (`TTL=`, `icmp_seq=`, `= 4, = 2, = 2 (50%`), so the language and the code page do not matter. Windows
counts an 'unreachable' answer as received, so replies decide before its percentage does.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.model import Context, Finding, Kind, Reading, Tag
from bot.parsers.page import Claim, Page
from bot.parsers.ping_marks import Mark, marks
from bot.parsers.prompts import only_names

SLOW_MS = 400  # a registration still works, speech does not

_LINE_KINDS = ("reply", "lost", "unreachable", "general")


@dataclass(slots=True)
class _Ping:
    """One run of ping while its marks are collected."""

    first: int = -1
    last: int = -1
    tools: list[str] = field(default_factory=list)
    host: str | None = None
    ip: str | None = None
    typed_host: str | None = None
    typed_ip: str | None = None
    started: bool = False  # a header was printed
    printed: bool = False  # something that only a program prints was seen, no word in a sentence alone
    headed: bool = False  # a line that may be one in an unknown language
    seen: dict[str, int] = field(default_factory=dict)  # of _LINE_KINDS
    doubtful: int = 0  # 'address: words.' without known words
    sequence: set[int] = field(default_factory=set)
    sent: int | None = None
    received: int = 0
    errors: int = 0
    loss_pct: float | int | None = None
    rtt_ms: float | int | None = None
    unknown: bool = False
    succeeded: bool | None = None  # Test-NetConnection

    def count(self, kind: str) -> int:
        return self.seen.get(kind, 0)

    @property
    def finished(self) -> bool:
        return self.sent is not None or self.unknown or self.rtt_ms is not None

    @property
    def status(self) -> str | None:
        """None: nothing of a ping's result was printed."""
        if self.unknown:
            return "unknown_host"
        if self.succeeded is not None:
            return "ok" if self.succeeded else "timeout"
        doubtful = self.doubtful if self.headed or self.sent is not None else 0
        failing = self.count("unreachable") + self.errors + doubtful
        if self.count("reply") or (self.received and not failing and not self.count("general")):
            gaps = len(self.sequence) > 1 and max(self.sequence) - min(self.sequence) >= len(self.sequence)
            lost = self.sent is not None and self.received < self.sent
            return (
                "loss"
                if lost
                or failing
                or self.count("lost")
                or self.count("general")
                or self.loss_pct
                or (gaps and self.sent is None)
                else "ok"
            )
        if self.received and self.errors and not self.count("unreachable"):
            return "loss"
        if self.count("general") and self.count("general") >= self.count("unreachable"):
            return "general_failure"
        if failing:
            return "unreachable"
        return "timeout" if self.sent is not None or self.count("lost") or self.started else None


def parse(page: Page, context: Context) -> list[Claim]:
    """One claim a run, in text order. Facts: `loss_pct`, `rtt_avg_ms` (as the statistics print them), `host`, `ip`."""
    claims, page = [], page.squeezed()
    for ping in _runs(page):
        status = ping.status
        if status is None or not ping.printed:
            continue
        host = ping.host or ping.typed_host
        ip = ping.ip or ping.typed_ip
        rtt = ping.rtt_ms if status in ("ok", "loss") else None
        facts = {"loss_pct": ping.loss_pct, "rtt_avg_ms": rtt, "host": host, "ip": ip}
        reading = Reading(Kind.PING, _tool(ping), status, facts, _findings(ping, status, host, ip, context))
        claims.append(Claim(page.line_at(ping.first), page.line_at(ping.last), reading, ping.first))
    return claims


def _tool(ping: _Ping) -> str:
    for tool in ("test-netconnection", "cisco-ping", "fping", "windows-ping", "inetutils-ping"):
        if tool in ping.tools:
            return tool
    return ping.tools[0] if ping.tools else "iputils-ping"


def _findings(ping: _Ping, status: str, host: str | None, ip: str | None, context: Context) -> tuple[Finding, ...]:
    expected = ip is None or not context.expected_ips or ip in context.expected_ips
    about_pbx = host == context.host or (expected and (host is None or bool(context.expected_ips and ip)))
    found = []
    if status == "general_failure":
        found.append(Finding(Tag.USER_PING_GENERAL_FAILURE))
    if status == "unreachable":
        found.append(Finding(Tag.USER_PING_UNREACHABLE))
    if not about_pbx:
        return tuple(found)
    if not expected:
        found.insert(0, Finding(Tag.USER_PING_WRONG_IP, {"address": ip}))
    elif status == "ok" and (ping.rtt_ms or 0) < SLOW_MS:
        found.append(Finding(Tag.USER_PING_CLEAN, {"rtt_ms": ping.rtt_ms}))
    if status == "timeout":
        found.append(Finding(Tag.USER_PING_TIMEOUT))
    if status == "unknown_host":
        found.append(Finding(Tag.USER_PING_UNKNOWN_HOST))
    if status == "loss":
        found.append(Finding(Tag.USER_PING_LOSS, {"loss_pct": ping.loss_pct}))
    if status in ("ok", "loss") and (ping.rtt_ms or 0) >= SLOW_MS:
        found.append(Finding(Tag.USER_PING_SLOW, {"rtt_ms": ping.rtt_ms}))
    return tuple(found)


def _runs(page: Page) -> list[_Ping]:
    """The marks of a page, put together to runs of ping."""
    runs: list[_Ping] = []
    now = _Ping()
    for mark in marks(page):
        if mark.kind == "foreign" or _begins(now, mark):
            runs.append(now)
            now = _Ping()
        if mark.kind != "foreign":
            _add(now, mark)
    runs.append(now)
    for run in runs:
        if run.typed_host and run.status is None and _not_known(page, run):
            run.unknown, run.printed, run.host = True, True, run.typed_host
    return [run for run in runs if run.first >= 0]


def _not_known(page: Page, run: _Ping) -> bool:
    line = page.line_at(run.first)
    typed = [command for command in page.commands if command.line == line]
    return bool(typed) and only_names(page.lines, typed[0], run.typed_host or "")


def _begins(now: _Ping, mark: Mark) -> bool:
    """Whether this mark belongs to a new run."""
    if mark.kind == "command":
        return now.first >= 0
    if mark.kind == "header":
        return mark.sure and (now.started or bool(now.seen) or now.finished)
    if mark.kind in _LINE_KINDS:
        return now.sent is not None and mark.sure
    if mark.kind == "unknown":
        return (now.unknown and now.host != mark.host) or now.sent is not None
    if mark.kind == "counts":
        return now.sent is not None
    if mark.kind == "test" and mark.host:
        return now.host is not None and now.host != mark.host
    return False


def _add(now: _Ping, mark: Mark) -> None:
    if mark.kind == "header" and not mark.sure and (now.started or now.seen):
        return  # a line that only looks like a header
    if mark.kind == "unreachable" and not mark.sure:
        now.doubtful += 1
        if not now.headed:
            return
    elif mark.kind in _LINE_KINDS:
        now.seen[mark.kind] = now.count(mark.kind) + 1
    now.printed = now.printed or (mark.sure and mark.kind not in ("command", "about"))
    now.first = mark.at if now.first < 0 else now.first
    now.last = max(now.last, mark.end - 1)
    now.tools += [mark.tool] if mark.tool else []
    if mark.kind == "command":
        now.typed_host, now.typed_ip = mark.host, mark.ip
        return
    if mark.kind in ("header", "about", "unknown", "test") or mark.tool == "fping":
        now.host, now.ip = now.host or mark.host, now.ip or mark.ip
    if mark.kind == "header":
        now.started, now.headed = now.started or mark.sure, True
    if mark.kind == "unknown":
        now.unknown = True
    if mark.kind == "reply":
        now.ip = now.ip or mark.ip
        if mark.sequence is not None:
            now.sequence.add(mark.sequence)
    if mark.kind == "counts":
        now.sent, now.received, now.errors = mark.counts
        now.loss_pct = mark.loss_pct
    if mark.kind == "test" and mark.sequence is not None:
        now.succeeded = mark.sequence == 1
    if mark.rtt_ms is not None:
        now.rtt_ms = mark.rtt_ms
