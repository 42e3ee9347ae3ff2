"""Why a lookup gave no address, in the words of every DNS tool: name unknown, server failed, refused, timed out.

** server can't find call.soundz.uz: NXDOMAIN
*** Превышено время ожидания запроса UnKnown
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from bot.parsers.addresses import ADDRESS, HOST, host_name
from bot.parsers.scan import scan

Failure = tuple[int, int, str, str | None, tuple[str, ...], str | None]  # at, end, kind, tool, names, status

# Order matters: the first that fits says the status. Windows words the reason in English in every language.
_REASONS = tuple(
    (status, re.compile(words, re.IGNORECASE))
    for status, words in (
        ("servfail", r"SERVFAIL|Server failed|server failure|SERVER_FAILURE|сбой dns-сервера"),
        ("nxdomain", r"NXDOMAIN|Non-existent|does not exist|NAME_ERROR|не существует|nicht vorhanden|n'existe pas|"
                     r"n.o? existe|mevcut değil|' not found|Name or service not known"),
        ("refused", r"(?<!connection )(?<!connection )REFUSED|Query refused|operation refused|отклонен"),
        ("no_address", r"No answer|No records|NO_RECORDS|any RR of|No internal type|A\+AAAA"),
        ("timeout", r"timed?[ -]?-?out|TIMEOUT|timeout|превышени[ея]|Превышено|времени ожидания"),
        ("error", r"No response|Unspecified|Format error|NOTIMP|Not implemented|unreachable|refused|"
                  r"all attempts|no appropriate|system error|not recognized|CommandNotFound"),
    )
)  # fmt: skip
_STARS = re.compile(r"\*\*\*? (?=[^*\s])([^*]{3,260})")
_REASONED = re.compile(r"[^:]{3,200}:\s?[A-Za-z][\w-]*(?:\s[a-z][\w-]*){0,5}")
_HOST_NOT_FOUND = re.compile(rf"\bHost\s+({HOST})\s+not\s+found:\s+(?:(\d+)\s?)?\(?([A-Z]+)?")
_NO_RECORD = re.compile(rf"(?<!\S)({HOST}) has no (?:A|AAAA|address) record")
_ERROR_ID = re.compile(r"FullyQualifiedErrorId\s{0,4}:\s{0,4}([\w.]{4,80})([^\n]{0,80})")
_POWERSHELL = re.compile(rf"Resolve-DnsName ?:\s+({HOST})\s?:\s+([^\n+]{{3,160}})")
_RESOLVECTL = re.compile(rf"({HOST}): (?:resolve call failed:\s|(?=Name '))([^\n]{{3,200}})")
_OLD_BUSYBOX = re.compile(r"can't resolve '([^'\n(]{1,253})'")
_REVERSE = re.compile(r"\.(?:in-addr|ip6)\.arpa\s+name = ")
_TIMEOUT = re.compile(
    r"DNS\s+request\s+timed\s+out|connection\s+timed\s+out;|no\s+servers\s+could\s+be\s+reached|"
    r"timeout\s+was\s+\d+\s+sec",
    re.IGNORECASE,
)
_TROUBLE = re.compile(
    r"communications\s+error\s+to\s+\S{1,80}:\s+([\w ]{3,40})"
    r"|UDP\ssetup\swith\s\S{1,80}\sfor\s\S{1,253}\sfailed:\s([\w ]{3,40})"
    r"|nslookup: (?:write|send|connect)[^\n]{0,60}: ([\w ]{3,40})"
    r"|(?:dig|host|nslookup): (?:couldn't get address|parse of|isc_socket|can't connect|bad address)([^\n]{0,80})"
    r"|(Default servers are not available)"
)
_TOOLS = r"(nslookup|dig|host|getent|resolvectl|Resolve-DnsName)(?:\.exe)?"
_MISSING = re.compile(
    rf"(?<![\w./-])['\"«`]?{_TOOLS}['\"»`]?(?:\s?: (?:command not found|not found|inaccessible or not found|"
    r"команда не найдена|komut yok|komut bulunamadı)|\s+(?:is not recognized|не является|не распознано|не найден\w*|"
    r"not found, but|wurde nicht|n'est pas reconnu|no se reconoce|não é reconhecido|tanınmıyor|bulunamadı))"
    rf"|command not found: {_TOOLS}\b",
    re.IGNORECASE,
)
_ABOUT_SERVER = re.compile(
    r"server name for address|(?:find|found)[^:]{0,12} address for server|адрес для сервера|имя сервера для адреса",
    re.IGNORECASE,
)


@lru_cache(1024)
def reason(words: str) -> str | None:
    """The status that a tool's words stand for; None when they say nothing known."""
    return next((status for status, pattern in _REASONS if pattern.search(words)), None)


def _names(words: str) -> tuple[str, ...]:
    """The dotted names among words: the DNS server's own, where it has one, and the looked-up one."""
    return tuple(name for word in words.split() if (name := host_name(word)) and "." in name)


def failures(text: str) -> Iterator[Failure]:
    """Every line that says why there is no address. A status of None: it failed, the words are not known."""
    yield from _starred(text)
    for found in scan(_HOST_NOT_FOUND, text, "Host"):
        by_code = {"2": "servfail", "3": "nxdomain", "5": "refused"}.get(found[2] or "")
        yield (
            found.start(),
            found.end(),
            "failed",
            "host",
            _names(found[1]),
            by_code or reason(found[3] or "") or "error",
        )
    for found in scan(_NO_RECORD, text, " record"):
        yield found.start(), found.end(), "failed", "host", _names(found[1]), "no_address"
    for found in scan(_ERROR_ID, text, "FullyQualifiedErrorId"):
        if "dnsname" in found[2].lower() or "DnsClient" in found[2] or "DNS_" in found[1]:
            yield found.start(), found.end(), "failed", "resolve-dnsname", (), reason(found[1])
    for found in scan(_POWERSHELL, text, "Resolve-DnsName"):
        host = host_name(found[1])
        if host and "." in host:
            yield found.start(), found.end(), "failed", "resolve-dnsname", (host,), reason(found[2])
    for found in scan(_RESOLVECTL, text, "resolve call failed", "Name '"):
        yield found.start(), found.end(), "failed", "resolvectl", _names(found[1]), reason(found[2]) or "error"
    for found in scan(_OLD_BUSYBOX, text, "can't resolve"):
        yield found.start(), found.end(), "failed", "busybox-nslookup", _names(found[1]), "nxdomain"
    for found in scan(_REVERSE, text, ".arpa"):
        yield found.start(), found.end(), "failed", "bind-nslookup", (), "no_address"
    for found in scan(_TIMEOUT, text, "request", "connection timed", "connection\ntimed", "servers", "timeout"):
        yield found.start(), found.end(), "timeout", None, (), "timeout"
    for found in scan(_TROUBLE, text, "communications", "setup", "nslookup: ", "dig: ", "host: ", "Default servers"):
        kind = "timeout" if "timed out" in found[0] else "error"
        yield found.start(), found.end(), kind, None, (), kind
    for found in scan(_MISSING, text, "nslookup", "dig", "host", "getent", "resolvectl", "Resolve-DnsName"):
        tool = (found[1] or found[2]).lower()
        yield found.start(), found.end(), "failed", tool, (), "error"


def _starred(text: str) -> Iterator[Failure]:
    """'*** SERVER can't find NAME: Reason' in any language; about the DNS server's own name: nothing."""
    for found in scan(_STARS, text, "** "):
        words = found[1].split("\n\n", 1)[0]
        reasoned = _REASONED.match(words)
        said, width = " ".join(reasoned[0].split()) if reasoned else "", reasoned.end() if reasoned else 0
        status = reason(said) if said else None
        if status is None:  # the reason stands on the same line, if anywhere
            line = words.split("\n", 1)[0]
            said, width = " ".join(line.split()), len(line)
            status = reason(said)
        if _ABOUT_SERVER.search(said):
            continue
        names = _names(said) if status not in (None, "timeout") else ()
        if not names and re.search(ADDRESS, said) and status != "timeout":
            status = "address"  # about an address: the server's own, unless an address was looked up
        tool = None if text.startswith("***", found.start()) else "bind-nslookup"
        if status is None and tool:
            continue  # bold text of a chat
        yield found.start(), found.start(1) + width, "failed", tool, names, status
