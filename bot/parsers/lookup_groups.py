"""Which marks of DNS tools belong to one lookup, and what that lookup came to.

Server: … Address: …   begins a lookup when the one before has a server or a result
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address

from bot.model import Context
from bot.parsers.addresses import host_name
from bot.parsers.lookup_marks import Mark, marks
from bot.parsers.page import Page

_MOST_MARKS = 2048  # of a page, the last ones; a real lookup has ten


@dataclass(slots=True)
class Lookup:
    """One lookup while its marks are collected."""

    session: int
    first: int = -1
    last: int = -1
    tools: list[str] = field(default_factory=list)
    asked: str | None = None  # by a command, a question or an interactive line
    server: bool = False
    servers: set[str] = field(default_factory=set)  # their names, as printed
    server_ip: str | None = None
    commanded: bool = False  # its command is in the text
    resolver: str | None = None  # the name server, where it was asked by hand: not the PC's own
    sure: bool = False  # something that only a DNS tool prints was seen
    short: bool = False
    interactive: bool = False
    section: str | None = None
    banner: bool = False
    header: bool = False
    noerror: bool = False
    answered: bool = False  # 'Non-authoritative answer:'
    answers: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)  # beside answers
    aliases: list[str] = field(default_factory=list)
    failed: list[str | None] = field(default_factory=list)
    failed_hosts: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)  # 'timeout' | 'error' while reaching servers
    named: bool = False  # a name without address
    empty: bool = False

    @property
    def done(self) -> bool:
        return bool(self.answers or self.failed or self.named)

    def grow(self, mark: Mark) -> None:
        self.first = mark.at if self.first < 0 else self.first  # marks come in text order
        self.last = max(self.last, mark.end - 1)
        if mark.tool:
            self.tools.append(mark.tool)

    @property
    def host(self) -> str | None:
        """The looked-up name: as asked, else the start of the alias chain, else as named in the result."""
        names = self.aliases or self.failed_hosts or self.names
        return self.asked or (names[0] if names else None)

    @property
    def status(self) -> str | None:
        """Without addresses: why. None: this is no lookup at all."""
        definite = [status for status in self.failed if status not in (None, "error", "address")]
        if definite:
            return definite[-1]
        if self.named:
            return "no_address"
        if self.troubles:
            return "timeout" if "timeout" in self.troubles and self.troubles.count("error") == 0 else self.troubles[0]
        if "error" in self.failed or None in self.failed:
            return "error"
        if self.noerror or self.empty or self.answered or self.aliases:
            return "no_address"
        return "error" if self.server and self.sure else None


def lookups(page: Page, context: Context) -> list[Lookup]:
    """Every lookup of a page in text order."""
    return _Grouping(page, context).lookups()


def _told_by_place(found: list[Lookup]) -> None:
    """Of two outputs without their commands, the public name server's was asked for by hand, the router's was not."""
    bare = [lookup for lookup in found if lookup.server_ip and not lookup.commanded]
    if len(bare) > 1 and any(_is_at_home(lookup.server_ip) for lookup in bare):
        for lookup in bare:
            if not _is_at_home(lookup.server_ip):
                lookup.resolver = lookup.server_ip


@lru_cache(256)
def _is_at_home(server_ip: str | None) -> bool:
    """Whether it is a router's or the PC's own: not one of the whole internet."""
    try:
        return server_ip is not None and not ip_address(server_ip).is_global
    except ValueError:
        return False


class _Grouping:
    """Puts marks into lookups; a new one begins where a tool starts over."""

    def __init__(self, page: Page, context: Context) -> None:
        self._raw, self._page, self._context = page, page.squeezed(), context
        self._session = 0
        self._now = Lookup(0)
        self._all: list[Lookup] = []

    def lookups(self) -> list[Lookup]:
        silent = {command.line for command in self._page.commands if command.silent}
        for mark in marks(self._raw, self._page, self._context.host)[-_MOST_MARKS:]:
            getattr(self, f"_{mark.kind}")(mark)
            if mark.kind == "command" and (mark.status == "short" or mark.tool == "getent"):
                self._now.empty |= self._page.line_at(mark.at) in silent
        self._close()
        _told_by_place(self._all)
        return self._all

    def _close(self) -> None:
        if self._now.first >= 0:
            self._all.append(self._now)
        self._now = Lookup(self._session)

    def _command(self, mark: Mark) -> None:
        self._session += 1
        self._close()
        self._now.grow(mark)
        self._now.asked, self._now.short, self._now.sure = mark.host, mark.status == "short", True
        self._now.commanded, self._now.resolver = True, mark.target
        self._now.answers += mark.addresses

    def _foreign(self, mark: Mark) -> None:
        self._session += 1
        self._close()

    def _banner(self, mark: Mark) -> None:
        if self._now.done or self._now.server or self._now.header or self._now.banner:
            self._close()
        self._now.grow(mark)
        self._now.banner = True
        self._now.asked = self._now.asked or mark.host

    def _header(self, mark: Mark) -> None:
        if self._now.header:
            asked = self._now.asked
            self._close()
            self._now.asked = asked
        self._now.grow(mark)
        self._now.header = True
        status = {"NXDOMAIN": "nxdomain", "SERVFAIL": "servfail", "REFUSED": "refused"}.get(mark.status or "", "error")
        if mark.status == "NOERROR":
            self._now.noerror = True
        else:
            self._now.failed.append(status)

    def _question(self, mark: Mark) -> None:
        self._now.grow(mark)
        self._now.section = None
        if not self._now.aliases:  # else it names the chain's end
            self._now.asked = self._now.asked or mark.host

    def _section(self, mark: Mark) -> None:
        if self._now.first >= 0:
            self._now.grow(mark)
        self._now.section = mark.status

    def _authority(self, mark: Mark) -> None:
        if self._now.first >= 0:
            self._now.grow(mark)
        self._now.answered = True

    def _server(self, mark: Mark) -> None:
        now = self._now
        typed = self._typed_before(mark.at)
        if now.server or now.done or typed:
            keep = typed and not now.done and not now.server and not now.troubles
            if not keep:
                self._close()
        self._now.grow(mark)
        self._now.server = True
        self._now.servers.add((mark.host or "").lower())
        self._now.server_ip = mark.addresses[0] if mark.addresses else self._now.server_ip
        self._now.sure = self._now.sure or mark.sure
        if typed:
            self._now.asked, self._now.interactive = typed, True

    def _typed_before(self, at: int) -> str | None:
        """The bare name typed in nslookup's interactive mode, on the line above the server's."""
        above = self._page.text[max(0, at - 300) : at].rstrip()
        name = above[max(above.rfind("\n"), above.rfind("> ")) + 1 :].strip(" >")
        return host_name(name) if "." in name and " " not in name else None

    def _pair(self, mark: Mark) -> None:
        """A pair with an unknown label: the server when it comes first, an answer after that."""
        now = self._now
        host = host_name(mark.host or "")
        if host == self._context.host or (now.server and not (mark.sure and now.done)) or now.named:
            self._answer(Mark(mark.at, mark.end, "answer", None, host, None, mark.addresses))
        elif mark.sure or not now.done:
            self._server(mark)
        else:
            self._answer(mark)

    def _name(self, mark: Mark) -> None:
        if self._now.server and (mark.sure or mark.host == self._context.host or mark.host == self._now.asked):
            self._now.grow(mark)
            self._now.named = True
            self._now.names += [mark.host] if mark.host else []

    def _answer(self, mark: Mark) -> None:
        now = self._now
        if now.section in ("AUTHORITY", "ADDITIONAL"):
            return
        another = mark.host not in (None, now.asked) and mark.host not in now.names and mark.host not in now.aliases
        if mark.tool == "host" and another and now.done and not now.header:
            self._close()
        self._now.grow(mark)
        self._now.answers += mark.addresses
        self._now.names += [mark.host] if mark.host else []

    def _address(self, mark: Mark) -> None:
        """A bare address counts after 'dig +short' or getent, or as getent's own row."""
        now = self._now
        wanted = now.short or "getent" in now.tools
        if (wanted and not (now.header or now.server)) or (mark.tool and mark.host and not now.server):
            if mark.tool and not wanted and now.done:
                self._close()
            self._now.grow(mark)
            self._now.answers += mark.addresses
            self._now.names += [mark.host] if mark.host else []

    def _alias(self, mark: Mark) -> None:
        if mark.tool is None and not (self._now.answers or self._now.server):
            return  # 'Aliases:' of nothing
        self._now.grow(mark)
        self._now.aliases += [name for name in (mark.host, mark.target) if name]

    def _empty(self, mark: Mark) -> None:
        self._now.grow(mark)
        self._now.empty = True

    def _failed(self, mark: Mark) -> None:
        now = self._now
        names = [name for name in mark.names if name not in now.servers] or list(mark.names[-1:])
        host = now.asked if now.asked in names else names[-1] if names else None
        if mark.status == "address" and not now.asked:
            return
        if mark.status is None and not (now.server or now.troubles or mark.tool):
            return
        if now.done and host and now.host and host != now.host and now.failed:
            self._close()
        self._now.grow(mark)
        self._now.failed.append("nxdomain" if mark.status == "address" else mark.status)
        self._now.failed_hosts += [host] if host else []

    def _timeout(self, mark: Mark) -> None:
        self._now.grow(mark)
        self._now.troubles.append("timeout")

    def _error(self, mark: Mark) -> None:
        self._now.grow(mark)
        self._now.troubles.append("error")
