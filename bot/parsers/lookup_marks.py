"""Which words of DNS tools stand where in a page: marks in text order, before anyone groups them to lookups.

*** dns.google can't find call.soundz.uz: Non-existent domain      Mark(kind="failed", status="nxdomain", …)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

from bot.parsers.addresses import ADDRESS, HOST, address, host_name
from bot.parsers.lookup_reasons import failures
from bot.parsers.page import Page
from bot.parsers.scan import scan

# the server's own lines, in the languages in which Windows words them (all others are told by their place)
_SERVER = re.compile(
    r"server|serv[ie]?d[oe]?[ru]r?|serveur|sunucu|сервер\w*|умолчанию|服务器|伺服器|サーバー|서버|serwer|standardserver",
    re.IGNORECASE,
)
_NAME = re.compile(r"name|имя|им.?|nome?|nombre|ad|nazwa|název|名称|名稱|名前|이름|nom|ім'я|isim", re.IGNORECASE)


class Mark(NamedTuple):
    """One thing a DNS tool printed, or the command that started it."""

    at: int  # offsets in Page.text
    end: int
    kind: str  # command | banner | header | question | section | server | answer | address | name | alias |
    # empty | failed | timeout | error | authority | foreign
    tool: str | None = None
    host: str | None = None
    status: str | None = None  # of header and failed; 'short' of a command; a section's name
    addresses: tuple[str, ...] = ()
    target: str | None = None  # of an alias; of a command: the name server it names
    names: tuple[str, ...] = ()  # of failed: the looked-up name, perhaps the DNS server's too
    sure: bool = True  # a server told by its place alone is not sure


_COMMAND = re.compile(
    r"(?:^|(?<![<>])[>#$%][ ]?)[ \t]*(?:sudo )?(nslookup|dig|host|Resolve-DnsName|getent|resolvectl|systemd-resolve|"
    r"dscacheutil)"
    r"(?:\.exe)?((?:[ \t]+[!-{}~]{1,255}){0,8})[ \t]*(?=$|\|)",
    re.MULTILINE | re.IGNORECASE,
)
_TOOL_WORDS = ("slookup", "SLOOKUP", "dig", "host", "Resolve-D", "resolve-d", "getent", "resolve", "dscacheutil")
_BANNER = re.compile(r"<<>> DiG [\w.~+-]{1,60}(?: <<>>([^\n]{0,200}))?")
_HEADER = re.compile(r"HEADER<<-[^\n]{0,40}?status:\s(\w+)")
_QUESTION = re.compile(rf"(?<![;\w]);({HOST})\s+IN\s+(?:A|AAAA|ANY|NS|MX|CNAME|SRV)\b")
_SECTION = re.compile(r";; (ANSWER|AUTHORITY|ADDITIONAL) SECTION:")
_RECORD = re.compile(
    rf"(?<![\w.;-])({HOST})\s+(?:\d{{1,8}}\s+)?IN\s+(A|AAAA|CNAME|SOA|NS)\s+([\w.:-]{{1,255}})(?![\w.:-])"
)
_ROW = re.compile(  # Resolve-DnsName's table
    rf"(?<!\S)({HOST})\s+(A|AAAA|CNAME|SOA|NS)\s+\d{{1,8}}\s+(Answer|Additional|Authority|Question)\s+(\S{{1,255}})",
    re.IGNORECASE,
)
_FIELD = re.compile(r"\b(IP[46]?Address|ipv?6?_address)[ \t]{0,12}:[ \t]{0,4}(\S{1,64})")
_FIELD_NAME = re.compile(
    rf"\b(?:Name[ \t]{{0,12}}: ({HOST})\s+QueryType\s{{0,4}}: (\w+)|^name: ({HOST})$)", re.MULTILINE
)
_HAS = re.compile(rf"(?<!\S)({HOST}) has (?:IPv6 )?address ({ADDRESS})")
_ALIAS = re.compile(rf"(?<!\S)({HOST})\s+(?:is an alias for|canonical name =)\s*({HOST})")
_ALIASES = re.compile(r"(?<!\w)Aliases:[ \t]*([\w-]{1,63}\.[\w.-]{1,190})")
_RESOLVECTL = re.compile(
    rf"^([\w-]{{1,63}}\.[\w.-]{{1,190}}): ({ADDRESS})[ \t]*(?:-- link: |$)"
    rf"|^[ \t]{{4,80}}({ADDRESS})[ \t]+-- link",
    re.MULTILINE,
)
_GETENT = re.compile(
    rf"^({ADDRESS})(?:[ ]{{2,60}}|\t{{1,8}})(?:(?:STREAM|DGRAM|RAW)[ \t]*)?"
    rf"((?:{HOST}[ \t]*){{0,1}}(?:[ \t]{HOST}){{0,6}})$",
    re.MULTILINE,
)
_BARE = re.compile(rf"^({ADDRESS})$", re.MULTILINE)
_PAIR = re.compile(rf"(?<![\w])Address(es)?(?: \d{{1,2}})?\s?:\s*({ADDRESS})([#:]\d{{1,5}})?", re.IGNORECASE)
_MORE = re.compile(rf"[\s,]{{1,40}}({ADDRESS})(?![#:]\d)")
_GLUED = re.compile(r"([^\s:]{1,16}):([^\s:]+)")
_NAME_LINE = re.compile(rf"(?<!\S)([^\s:>]{{1,16}}(?: [^\s:]{{1,2}})?) ?: ({HOST})(?=\s|$)")
_AUTHORITY = re.compile(r"(?:Non-a|\bA)uthoritative answer")
_FOREIGN = re.compile(
    r"icmp_seq|\bTTL=\d|ping statistics|Pinging |^PING |traceroute to |"
    r"Tracing route|\[SIP\]|^Chain \w|^table \w+ \w+ \{",
    re.MULTILINE,
)
_FOREIGN_WORDS = ("icmp_seq", "TTL=", "ping ", "Pinging", "PING", "traceroute to", "Tracing", "[SIP]", "Chain", "table")
_NOT_NAMES = frozenset(("query", "hosts", "ahosts", "ahostsv4", "ahostsv6", "host", "name", "a", "aaaa", "any", "in"))


def marks(raw: Page, page: Page, known_host: str) -> list[Mark]:
    """All marks in text order; offsets are those of `page`, which is `raw` squeezed (columns tell some rows).

    `known_host` is never taken for a DNS server's name.
    """
    text = page.text
    found = [*_commands(text), *_dig(text), *_rows(text), *_pairs(text, known_host), *_columns(raw, page)]
    found += [
        Mark(at, end, kind, tool, status=status, names=names) for at, end, kind, tool, names, status in failures(text)
    ]
    if not found:
        return []
    found += [Mark(m.start(), m.end(), "foreign") for m in scan(_FOREIGN, text, *_FOREIGN_WORDS)]
    found += [Mark(m.start(), m.end(), "authority") for m in scan(_AUTHORITY, text, "uthoritative")]
    own = {page.line_at(mark.at) for mark in found if mark.kind == "command"}
    for command in page.commands:
        if command.line not in own:
            at = page.offset_of(command.line)
            found.append(Mark(at, at, "foreign"))
    return sorted(found, key=itemgetter(0, 1))


def _commands(text: str) -> Iterator[Mark]:
    for found in scan(_COMMAND, text, *_TOOL_WORDS):
        tool, words = found[1].lower(), found[2].split()
        if tool in ("getent", "resolvectl", "systemd-resolve", "dscacheutil") and len(words) < 2:
            continue
        short = "+short" in words
        names = [word for word in words if word[0] not in "-+@" and word.lower() not in _NOT_NAMES]
        if tool == "dscacheutil":
            names = names[-1:]
        host = next((name for word in names if (name := host_name(word) or address(word))), None)
        answers = tuple(ip for word in names[1:] if (ip := address(word))) if short and "-x" not in words else ()
        asked = _asked_server(tool, words, names)
        yield Mark(found.start(1), found.end(), "command", tool, host, "short" if short else None, answers, asked)


def _asked_server(tool: str, words: list[str], names: list[str]) -> str | None:
    """The name server a command names: `nslookup NAME SERVER`, `dig @SERVER`, `Resolve-DnsName -Server SERVER`."""
    if tool == "dig":
        return next((word[1:] for word in words if word[0] == "@" and len(word) > 1), None)
    if tool in ("nslookup", "host"):
        return names[1] if len(names) > 1 else None
    return next((after for word, after in pairwise(words) if word.lower() == "-server"), None)


def _dig(text: str) -> Iterator[Mark]:
    for found in scan(_BANNER, text, "<<>> DiG"):
        words = [word for word in (found[1] or "").split() if word[0] not in "+@-;" and "." in word]
        yield Mark(found.start(), found.end(), "banner", "dig", host_name(words[0]) if words else None)
    for found in scan(_HEADER, text, "HEADER<<-"):
        yield Mark(found.start(), found.end(), "header", "dig", status=found[1].upper())
    for found in scan(_QUESTION, text, "IN ", "IN\n"):
        yield Mark(found.start(), found.end(), "question", "dig", host_name(found[1]))
    for found in scan(_SECTION, text, " SECTION:"):
        yield Mark(found.start(), found.end(), "section", "dig", status=found[1])
    for found in scan(_RECORD, text, "IN ", "IN\n"):
        yield _record(found, "dig", found[1], found[2], found[3])


def _record(found: re.Match[str], tool: str, name: str, record_type: str, value: str) -> Mark:
    host, ip, kind = host_name(name), address(value), record_type.upper()
    if kind in ("A", "AAAA") and ip:
        return Mark(found.start(), found.end(), "answer", tool, host, addresses=(ip,))
    if kind == "CNAME":
        return Mark(found.start(), found.end(), "alias", tool, host, target=host_name(value))
    return Mark(found.start(), found.end(), "empty", tool)


def _rows(text: str) -> Iterator[Mark]:
    for found in scan(_ROW, text, "Answer", "Additional", "Authority", "Question"):
        if found[3].lower() in ("answer", "question"):
            yield _record(found, "resolve-dnsname", found[1], found[2], found[4])
        else:
            yield Mark(found.start(), found.end(), "empty", "resolve-dnsname")
    for found in scan(_FIELD_NAME, text, "QueryType", "name: "):
        tool = "dscacheutil" if found[3] else "resolve-dnsname"
        kind = "question" if (found[2] or "A") in ("A", "AAAA", "CNAME") else "section"
        yield Mark(found.start(), found.end(), kind, tool, host_name(found[1] or found[3] or ""), "AUTHORITY")
    for found in scan(_FIELD, text, "Address", "_address"):
        if ip := address(found[2]):
            tool = "dscacheutil" if "_" in found[1] else "resolve-dnsname"
            yield Mark(found.start(), found.end(), "answer", tool, addresses=(ip,))
    for found in scan(_HAS, text, " has "):
        yield Mark(found.start(), found.end(), "answer", "host", host_name(found[1]), addresses=(found[2],))
    for found in scan(_ALIAS, text, "alias for", "canonical name"):
        tool = "host" if " alias " in found[0] else "bind-nslookup"
        yield Mark(found.start(), found.end(), "alias", tool, host_name(found[1]), target=host_name(found[2]))
    for found in scan(_ALIASES, text, "Aliases:"):
        yield Mark(found.start(), found.end(), "alias", None, host_name(found[1]))
    for found in _BARE.finditer(text):
        if ip := address(found[1]):
            yield Mark(found.start(), found.end(), "address", addresses=(ip,))


def _columns(raw: Page, page: Page) -> Iterator[Mark]:
    """Rows that only their columns tell from chat: getent's, and resolvectl's further addresses."""
    for found in scan(_RESOLVECTL, raw.text, "-- link"):
        at, end = _place(found, raw, page)
        if ip := address(found[2] or found[3]):
            yield Mark(at, end, "answer", "resolvectl", host_name(found[1] or ""), addresses=(ip,))
    for found in _GETENT.finditer(raw.text):
        at, end = _place(found, raw, page)
        names = [name for name in map(host_name, found[2].split()) if name and "." in name]
        if ip := address(found[1]):  # without a name it needs the command above it; hosts files have 'localhost'
            yield Mark(at, end, "address", "getent", names[-1] if names else None, addresses=(ip,))


def _place(found: re.Match[str], raw: Page, page: Page) -> tuple[int, int]:
    line = raw.line_at(found.start())
    at = page.offset_of(line)
    return at, at + len(page.lines[line])


def _pairs(text: str, known_host: str) -> Iterator[Mark]:
    """'Server: X Address: Y' and 'Name: X Address: Y', with labels in any language or spoiled."""
    paired: set[int] = set()
    roles: dict[str, str | None] = {}  # of the labels, most of which come again
    for found in scan(_PAIR, text, "ddress", "DDRESS"):
        window = text[max(0, found.start() - 300) : found.start()]
        label, value, width = _label(window)
        at, end = found.start() - width, found.end()
        ips = [ip] if (ip := address(found[2])) else []
        while found[1] and (more := _MORE.match(text, end)) and len(ips) < 64:
            ips += [ip] if (ip := address(more[1])) else []
            end = more.end()
        if not ips:
            continue
        paired.add(at)
        port = found[3] or ""
        if label not in roles:
            roles[label] = "server" if _SERVER.fullmatch(label) else "name" if _NAME.fullmatch(label) else None
        if port or (roles[label] == "server" and host_name(value) != known_host):
            tool = {":": "busybox-nslookup", "#": "bind-nslookup"}.get(port[:1])
            yield Mark(at, end, "server", tool, value, addresses=tuple(ips))
        elif roles[label] == "name":
            yield Mark(at, end, "answer", None, host_name(value), addresses=tuple(ips))
        elif label or text[found.start() - 1 : found.start()] in ("", "\n"):
            yield Mark(at, end, "pair", None, value or None, addresses=tuple(ips), sure=bool(label))
    for found in scan(_NAME_LINE, text, "ddress", "DDRESS"):
        host = host_name(found[2])
        if host is None or found.start() in paired:
            continue
        known = bool(_NAME.fullmatch(found[1]))
        alone = text[found.end() : found.end() + 1] in ("", "\n") and text[found.start() - 1 : found.start()] in (
            "",
            "\n",
        )
        if known or alone:
            yield Mark(found.start(), found.end(), "name", None, host, sure=known)


def _label(window: str) -> tuple[str, str, int]:
    """(label, value, width up to the window's end) of the 'label: value' that ends the window, or empty ones."""
    words = window.rsplit(None, 3)
    if len(words) < 2:
        return "", "", 0
    value, before = words[-1], words[-2]
    glued = _GLUED.fullmatch(value)
    if glued:
        label, value, start = glued[1], glued[2], glued[0]
    elif before == ":" and len(words) > 2:
        label, start = words[-3], words[-3]
    elif before.endswith(":") and len(before) > 1:
        label, start = before[:-1], before
    elif value.endswith(":") and len(value) > 1:
        return value[:-1], "", len(window) - window.rfind(value)
    else:
        return "", "", 0
    label = label[max(label.rfind(">"), label.rfind("]")) + 1 :]
    return label, value, len(window) - window.rfind(start, 0, len(window))
