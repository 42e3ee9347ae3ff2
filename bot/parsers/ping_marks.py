"""Which words of ping programs stand where in a page: headers, replies, losses, statistics, in text order.

Ответ от 69.62.127.9: число байт=32 время=113мс TTL=48        Mark(kind="reply", ip="69.62.127.9")
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.parsers.addresses import ADDRESS, HOST, V4, V6, address, host_name
from bot.parsers.page import Page
from bot.parsers.scan import scan


@dataclass(frozen=True, slots=True)
class Mark:
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


_NUMBER = r"\d{1,7}(?:[.,]\d{1,4})?"
_MS = r"\s?[^\d\s,(=]{1,8}"
_COMMAND = re.compile(
    r"(?:^|(?<![<>])[>#$%][ ]?)[ \t]*(?:sudo )?/?(ping6?|fping|(?i:Test-NetConnection|tnc))(?:\.exe)?"
    r"((?:[ \t]+[!-{}~]{1,255}){1,8})[ \t]*(?=$|\||&)",
    re.MULTILINE,
)
# 'Pinging call.soundz.uz [69.62.127.9] with 32 bytes of data:' in any language
_WINDOWS = re.compile(rf"(?<![\w.])({HOST})\s+\[({ADDRESS})\](?=[^\[\n:]{{0,60}}?\s*\d{{1,5}}\b[^\[:]{{0,50}}:)")
_WINDOWS_IP = re.compile(
    rf"(?:Pinging|Обмен\s+пакетами\s+с|Ping wird ausgeführt für|sur|Haciendo ping a|Disparando|正在 Ping)\s+({ADDRESS})"
    rf"(?=[^\n:]{{0,60}}?\b\d{{1,5}}\b[^:]{{0,50}}:)"
    rf"|^[^\n:=\[\]]{{0,40}}?({V4})(?=[^\n:=]{{0,40}} \d{{1,5}} [^\n:=]{{2,30}} ?:$)",
    re.MULTILINE,
)
_BRACKETS = tuple(f"[{first}" for first in "0123456789abcdefABCDEF:")
_FIRST_HOP = re.compile(r"\s*1\s+[<*\d]")
_UNIX = re.compile(
    rf"(?<![\w:])PING\s+({HOST}|{ADDRESS})\s*\(\s?(?:{HOST}\s\()?({ADDRESS})\)+(:)?\s*"
    rf"(?:from [^:\n]{{1,60}}: ?)?(\d+)?(\(\d+\))?"
)
_WINDOWS_REPLY = re.compile(
    rf"(?:({ADDRESS})[^\d\n:=\[\]]{{0,12}}: ?)?[^\n:\[\]]{{0,40}}?[=<]\s?\d{{1,6}}(?:{_MS})?\s*TTL=\d{{1,3}}"
)
_WINDOWS_REPLY6 = re.compile(rf"({V6}): [^\s=<\d]{{2,12}}[=<]\d{{1,6}}\s?\w{{1,5}}\b(?! ?\w{{0,4}}TTL)")
_TIME_WORDS = ("time=", "time<", "время=", "Zeit=", "temps=", "tiempo=", "tempo=", "durata=", "czas=", "süre=", "时间=")
_UNIX_REPLY = re.compile(rf"(?:({ADDRESS})\)?: )?(icmp_|icmp_r)?seq=(\d{{1,6}}) ttl=\d{{1,3}}\b")
_UNIX_ERROR = re.compile(r"icmp_seq[= ](\d{1,6}) (?!ttl=|Redirect|DUP)(?=[^\W\d])")
_WAITING = re.compile(r"(?:no answer yet|Request timeout) for $")
_UNIX_BYTES_ERROR = re.compile(
    rf"\d+ bytes from (?:{HOST} \()?{ADDRESS}\)?: (?=[A-Z])(?!icmp_)"
    rf"|From (?:{HOST} \()?{ADDRESS}\)?:? (?=Destination|Time to live|Packet filt)"
)
_SENDING = re.compile(
    r"(?:(?:ping6?:\s)?(?:sendmsg|sendto|connect|send):\s|ping6?:\s)"
    r"(?:Network\sis\s(?:unreachable|down)|No\sroute\sto\shost|Host\sis\sdown|"
    r"Operation\snot\spermitted|Permission\sdenied|Сеть\sнедоступна|Ağa\serişilemiyor|Ağ\serişilemez|Ağ\sulaşılamaz|"
    r"Das\sNetzwerk\sist\snicht\serreichbar|Le\sréseau\sn'est\spas\saccessible|La\sred\ses\sinaccesible)"
    r"|(?:ping6?:\s)?(?:sendmsg|sendto|connect):\s(?=\S)"
)
_TIMED_OUT = re.compile(
    r"Request\stimed\sout\.?|Request\stimeout\sfor\sicmp_seq|no\sanswer\syet\sfor\sicmp_seq|Превышен\sинтервал\sожидания|"
    r"Zeitüberschreitung\sder\sAnforderung|Délai\sd'attente\sde\sla\sdemande|Tiempo\sde\sespera\sagotado\spara|"
    r"Esgotado\so\stempo\slimite|İstek\szaman\saşımı|Upłynął\slimit\sczasu\sżądania|Richiesta\sscaduta|请求超时|"
    r"要求がタイムアウト|요청\s시간이\s만료|So'rov\svaqti\stugadi|Перевищено\sчас\sочікування|Перевищено\sінтервал\sочікування"
)
_TIMED_OUT_WORDS = (
    *("Request time", "no answer yet", "Превышен", "Перевищен", "Zeitü", "Délai", "Tiempo", "Esgotado"),
    *("İstek", "Upłyn", "Richiesta", "请求", "要求", "요청", "So'rov"),
)
_AFTER_STAR = re.compile(r"\*\s{1,80}$|\*\*\*[^*\n]{1,90}$")  # a hop of tracert, a failure of nslookup
# 'Reply from 192.168.0.1: Destination host unreachable.': an address, then words without numbers up to a full stop
_WINDOWS_ERROR = re.compile(
    rf"({V4})[^\d\n:=\[\]]{{0,12}}: ?(?=[^\W\d]|[\ufffd?])([^=:\d\[\]]{{4,90}}?[.。]|[^\n=:\d\[\]]{{4,90}}$)",
    re.MULTILINE,
)
_HOP = re.compile(r"(?:^|\s)\d{1,2}\s{1,3}$")  # tracert: '  1  192.168.1.45  reports: Destination host unreachable.'
_ERROR_WORDS = ("unreachable", "expired", "недоступ", "Превышен", "недосяж", "erreichbar", "Impossible", "inac")
_UNREACHABLE_WORDS = re.compile(
    r"unreachable|TTL expired|недоступ|недосяжн|nicht erreichbar|impossible|inaccesible|inacess|ulaşılamıyor|"
    r"erişilemiyor|无法访问|到達できません|연결할 수 없|Превышен срок жизни",
    re.IGNORECASE,
)
_LOCAL_UNREACHABLE = re.compile(
    r"(?:^|(?<=[.!]\s))(?:Destination\s(?:host|net|port)\sunreachable|Заданный\sузел\sнедоступен)", re.MULTILINE
)
_GENERAL = re.compile(
    r"(?:PING:\s(?=[^\W\d])[^\n:]{4,40}?[.,]\s?)?(?:General\sfailure|Общий\sсбой|Allgemeiner\sFehler|Défaillance\sgénérale|"
    r"Error\sgeneral|Falha\sgeral|Genel\shata|Error\sde\stransmisión|一般故障|常规故障|一般エラー|Загальна\sпомилка)\b\.?"
    r"|(?:^|(?<=[.:]\s))PING\s?:\s?(?=[^\s\d])[^\n:\d]{4,60}?[.。]",
    re.MULTILINE,
)
_GENERAL_WORDS = (
    *("PING", "General fail", "Общий сбой", "Allgemeiner", "Défaillance", "Error general", "Error de tr"),
    *("Falha geral", "Genel hata", "故障", "一般エラー", "Загальна"),
)
_UNKNOWN = (
    re.compile(rf"[Pp]ing request could not find host\s+({HOST})"),
    re.compile(rf"({HOST}) con la richiesta Ping"),
    re.compile(rf"не\s+удалось\s+обнаружить\s+узел\s+({HOST})"),
    re.compile(
        rf"[Pp]ing[ -][^\n.]{{3,50}}?(?:(?:hosta?|Host|hôte|хост|вузол)[ \"']{{1,3}}"
        rf"|(?:主机|ホスト) ?)({HOST})[\"']?[^\n:=\[]{{0,90}}[.。]"
    ),
    re.compile(rf"Ping isteği ({HOST})|Unknown host ({HOST})\.|ping6?: unknown host ({HOST})"),
    re.compile(rf"(?:ping6?|fping): cannot resolve ({HOST})|(?<!traceroute: )(?:ping6?: )bad address '({HOST})'"),
    re.compile(
        rf"(?:^|(?<=\s))ping6?: (?!sendmsg|sendto|connect|send|socket|icmp|"
        rf"unknown|cannot|bad|usage|invalid|option|permission|command)({HOST}): (?=\S)"
    ),
    re.compile(rf"Name resolution of\s+({HOST})\s+failed"),
    re.compile(r"(ping6?): unknown host$", re.MULTILINE),
)
_COUNTS = re.compile(
    rf"(?<![\w.])(\d{{1,6}})\s[^\d,%=]{{3,30}},\s*(\d{{1,6}})\s[^\d,%=]{{3,30}},\s*"
    rf"(?:\+(\d{{1,6}}) [^\d,]{{2,24}},\s*){{0,2}}({_NUMBER})\s?%"
)
_EQUALS = r"=\s{0,4}"
_BETWEEN = r"[^\d=(]{1,40}"  # a comma in some code page, and the next label
_WINDOWS_COUNTS = re.compile(
    rf"{_EQUALS}(\d{{1,6}}){_BETWEEN}{_EQUALS}(\d{{1,6}}){_BETWEEN}{_EQUALS}(\d{{1,6}})"
    rf"\s*,?\s*\([^\d()]{{0,16}}({_NUMBER})\s?%?"
)
_RTT = re.compile(rf"min/avg/max(?:/\w{{2,8}})?\s?=\s?{_NUMBER}/({_NUMBER})/{_NUMBER}")
_WINDOWS_RTT = re.compile(
    rf"{_EQUALS}\d{{1,6}}{_BETWEEN}{_EQUALS}\d{{1,6}}{_BETWEEN}{_EQUALS}(\d{{1,6}})\s?[^\d\s,(=]{{1,8}}"
)
_ABOUT = re.compile(
    rf"-{{2,3}}\s({HOST}|{ADDRESS})\s[^\n]{{0,4}}ping[^\n-]{{3,24}}-"
    rf"|[Pp]ing[\w-]{{0,20}}\s[^\d\n:]{{0,20}}?({V4}):\s|({V4})[^\d\n:=]{{0,20}}[Pp]ing[^\d\n:=]{{0,24}}:\s"
)
_FPING = re.compile(
    rf"(?<!\S)({ADDRESS}|[\w-]{{1,63}}\.[\w.-]{{1,190}})\s+(?:is (alive|unreachable)\b"
    rf"|: xmt/rcv/%loss = (\d+)/(\d+)/(\d+)%(?:, min/avg/max = {_NUMBER}/({_NUMBER})/)?)"
)
_TEST = re.compile(
    r"(?<!\w)(ComputerName|RemoteAddress|PingSucceeded|PingReplyDetails \(RTT\))\s{0,12}:[ \t]{0,4}(\S{1,253})"
)
_FOREIGN = re.compile(
    r"traceroute to |Tracing route|Трассировка маршрута|<<>> DiG|\[SIP\]|Non-authoritative answer|^Chain \w|^Server:\s",
    re.MULTILINE,
)

_FOREIGN_WORDS = ("traceroute to", "Tracing", "Трассировка", "<<>> DiG", "[SIP]", "Non-auth", "Chain", "Server:")
_UNKNOWN_WORDS = (
    *("could not find", "con la richiesta", "обнаружить", "host", "Host", "hôte", "хост", "вузол", "主机", "ホスト"),
    *("Ping isteği", "cannot resolve", "bad address", "ping: ", "ping6: ", "Name resolution"),
)


def number(text: str) -> float | int:
    """A printed number, whole where it is."""
    value = float(text.replace(",", "."))
    return int(value) if value.is_integer() else value


def marks(page: Page) -> list[Mark]:
    """All marks of the page in text order."""
    text = page.text
    found = [*_starts(text), *_lines(text), *_errors(text), *_numbers(text)]
    if any(mark.tool == "windows-ping" for mark in found) or any(word in text for word in _ERROR_WORDS):
        found += _windows_lines(text)
    if not found:
        return []
    found += [Mark(m.start(), m.end(), "foreign") for m in scan(_FOREIGN, text, *_FOREIGN_WORDS)]
    own = {page.line_at(mark.at) for mark in found if mark.kind == "command"}
    for command in page.commands:
        if command.line not in own:
            at = page.offset_of(command.line)
            found.append(Mark(at, at, "foreign"))
    return sorted(found, key=lambda mark: (mark.at, mark.end))


def _starts(text: str) -> Iterator[Mark]:
    for found in scan(_COMMAND, text, "ping", "Test-Net", "test-net", "tnc"):
        words = [word for word in found[2].split() if word[0] != "-"]
        dotted = [word for word in words if "." in word or ":" in word] or words[-1:]
        word = dotted[0] if dotted else ""
        yield Mark(found.start(1), found.end(), "command", None, host_name(word), address(word))
    for found in scan(_UNIX, text, "PING"):
        tool = "iputils-ping" if found[5] else "busybox-ping" if found[3] else "iputils-ping"
        yield Mark(found.start(), found.end(), "header", tool, host_name(found[1]), address(found[2]))
    for found in scan(_WINDOWS, text, *_BRACKETS):
        if _FIRST_HOP.match(text, text.find(":", found.end()) + 1):
            continue  # tracert says 'name [address] ... 30 ...:' too
        yield Mark(found.start(), found.end(), "header", "windows-ping", host_name(found[1]), address(found[2]))
    for found in scan(_WINDOWS_IP, text, "Pinging", "Обмен", "Ping", "sur ", "ping", "Disparando", ":\n"):
        ip = address(found[1] or found[2])
        yield Mark(found.start(), found.end(), "header", "windows-ping", None, ip, sure=bool(found[1]))
    for found in scan(_TEST, text, "ComputerName", "RemoteAddress", "PingSucceeded", "PingReplyDetails"):
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
    for found in scan(_WINDOWS_REPLY, text, "TTL="):
        yield Mark(found.start(), found.end(), "reply", "windows-ping", ip=found[1])
    for found in scan(_WINDOWS_REPLY6, text, *_TIME_WORDS):
        if ip := address(found[1]):
            yield Mark(found.start(), found.end(), "reply", "windows-ping", ip=ip)
    for found in scan(_UNIX_REPLY, text, "seq="):
        tool = None if found[2] else "busybox-ping"
        yield Mark(found.start(), found.end(), "reply", tool, ip=found[1], sequence=int(found[3]))
    for found in scan(_TIMED_OUT, text, *_TIMED_OUT_WORDS):
        in_trace = _AFTER_STAR.search(text, max(0, found.start() - 90), found.start())
        about_dns = text.endswith("DNS ", 0, found.start())
        if not in_trace and not about_dns:
            yield Mark(found.start(), found.end(), "lost", None if "icmp" in found[0] else "windows-ping")


def _errors(text: str) -> Iterator[Mark]:
    for found in scan(_UNIX_ERROR, text, "icmp_seq"):
        if not _WAITING.search(text, max(0, found.start() - 24), found.start()):
            yield Mark(found.start(), found.end(), "unreachable", None, sequence=int(found[1]))
    for found in scan(_UNIX_BYTES_ERROR, text, "bytes from", "From "):
        yield Mark(found.start(), found.end(), "unreachable", "inetutils-ping" if found[0][0].isdigit() else None)
    for found in scan(_SENDING, text, "sendmsg", "sendto", "connect", "send: ", "ping: ", "ping6: "):
        yield Mark(found.start(), found.end(), "unreachable", "iputils-ping")
    for found in scan(_LOCAL_UNREACHABLE, text, "Destination", "Заданный"):
        yield Mark(found.start(), found.end(), "unreachable", "windows-ping")
    for found in scan(_GENERAL, text, *_GENERAL_WORDS):
        yield Mark(found.start(), found.end(), "general", "windows-ping")
    for pattern in _UNKNOWN if any(word in text for word in _UNKNOWN_WORDS) else ():
        for found in scan(pattern, text, *_UNKNOWN_WORDS):
            word = next(filter(None, found.groups()), "")
            if host := host_name(word):
                tool = "windows-ping" if pattern in _UNKNOWN[:4] else None
                tool = "test-netconnection" if found[0].startswith("Name res") else tool
                yield Mark(found.start(), found.end(), "unknown", tool, None if host.startswith("ping") else host)


def _windows_lines(text: str) -> Iterator[Mark]:
    """Lines that are only told by their place in a ping of Windows."""
    for found in scan(_WINDOWS_ERROR, text, ": "):
        if _HOP.search(text, max(0, found.start() - 6), found.start()):
            continue
        known = bool(_UNREACHABLE_WORDS.search(found[2]))
        yield Mark(found.start(), found.end(), "unreachable", "windows-ping", sure=known)
    for found in scan(_WINDOWS_RTT, text, "="):
        yield Mark(found.start(), found.end(), "rtt", "windows-ping", rtt_ms=number(found[1]))


def _numbers(text: str) -> Iterator[Mark]:
    for found in scan(_COUNTS, text, "%"):
        counts = (int(found[1]), int(found[2]), int(found[3] or 0))
        yield Mark(found.start(), found.end(), "counts", None, counts=counts, loss_pct=number(found[4]))
    for found in scan(_WINDOWS_COUNTS, text, "%"):
        counts = (int(found[1]), int(found[2]), 0)
        yield Mark(found.start(), found.end(), "counts", "windows-ping", counts=counts, loss_pct=number(found[4]))
    for found in scan(_RTT, text, "min/avg/max"):
        yield Mark(found.start(), found.end(), "rtt", None, rtt_ms=number(found[1]))
    for found in scan(_ABOUT, text, "ping ", "Ping ", "ping-", "Ping-"):
        word = found[1] or found[2] or found[3]
        yield Mark(found.start(), found.end(), "about", None, host_name(word), address(word))
    for found in scan(_FPING, text, "is alive", "is unreachable", "xmt/rcv"):
        host, ip = host_name(found[1]), address(found[1])
        if found[2]:
            kind = "reply" if found[2] == "alive" else "lost"
            yield Mark(found.start(), found.end(), kind, "fping", host, ip)
        else:
            counts = (int(found[3]), int(found[4]), 0)
            rtt = number(found[6]) if found[6] else None
            yield Mark(found.start(), found.end(), "counts", "fping", host, ip, None, counts, number(found[5]), rtt)
