"""What the lines of ping programs look like: their shapes first, words only where a line has no shape.

Packets: Sent = 4, Received = 2, Lost = 2 (50% loss)        `= 4, = 2, = 2 (50%` in every language
"""

from __future__ import annotations

import re

from bot.parsers.addresses import ADDRESS, HOST, V4, V6

NUMBER = r"\d{1,7}(?:[.,]\d{1,4})?"
MS = r"\s?[^\d\s,(=]{1,8}"
COMMAND = re.compile(
    r"(?:^|(?<![<>])[>#$%][ ]?)[ \t]*(?:sudo )?/?(ping6?|fping|(?i:Test-NetConnection|tnc))(?:\.exe)?"
    r"((?:[ \t]+[!-{}~]{1,255}){1,8})[ \t]*(?=$|\||&)",
    re.MULTILINE,
)
# 'Pinging call.soundz.uz [69.62.127.9] with 32 bytes of data:' in any language
WINDOWS = re.compile(rf"(?<![\w.])({HOST})\s+\[({ADDRESS})\](?=[^\[\n:]{{0,60}}?\s*\d{{1,5}}\b[^\[:]{{0,50}}:)")
WINDOWS_IP = re.compile(
    rf"(?:Pinging|Обмен\s+пакетами\s+с|Ping wird ausgeführt für|sur|Haciendo ping a|Disparando|正在 Ping)\s+({ADDRESS})"
    rf"(?=[^\n:]{{0,60}}?\b\d{{1,5}}\b[^:]{{0,50}}:)"
    rf"|^[^\n:=\[\]]{{0,40}}?({V4})(?=[^\n:=]{{0,40}} \d{{1,5}} [^\n:=]{{2,30}} ?:$)",
    re.MULTILINE,
)
BRACKETS = tuple(f"[{first}" for first in "0123456789abcdefABCDEF:")
FIRST_HOP = re.compile(r"\s*1\s+[<*\d]")
UNIX = re.compile(
    rf"(?<![\w:])PING\s+({HOST}|{ADDRESS})\s*\(\s?(?:{HOST}\s\()?({ADDRESS})\)+(:)?\s*"
    rf"(?:from [^:\n]{{1,60}}: ?)?(\d+)?(\(\d+\))?"
)
WINDOWS_REPLY = re.compile(
    rf"(?:({ADDRESS})[^\d\n:=\[\]]{{0,12}}: ?)?[^\n:\[\]]{{0,40}}?[=<]\s?\d{{1,6}}(?:{MS})?\s*TTL=\d{{1,3}}"
)
WINDOWS_REPLY6 = re.compile(rf"({V6}): [^\s=<\d]{{2,12}}[=<]\d{{1,6}}\s?\w{{1,5}}\b(?! ?\w{{0,4}}TTL)")
TIME_WORDS = ("time=", "time<", "время=", "Zeit=", "temps=", "tiempo=", "tempo=", "durata=", "czas=", "süre=", "时间=")
UNIX_REPLY = re.compile(rf"(?:({ADDRESS})\)?: )?(icmp_|icmp_r)?seq=(\d{{1,6}}) ttl=\d{{1,3}}\b")
UNIX_ERROR = re.compile(r"icmp_seq[= ](\d{1,6}) (?!ttl=|Redirect|DUP)(?=[^\W\d])")
WAITING = re.compile(r"(?:no answer yet|Request timeout) for $")
UNIX_BYTES_ERROR = re.compile(
    rf"\d+ bytes from (?:{HOST} \()?{ADDRESS}\)?: (?=[A-Z])(?!icmp_)"
    rf"|From (?:{HOST} \()?{ADDRESS}\)?:? (?=Destination|Time to live|Packet filt)"
)
SENDING = re.compile(
    r"(?:(?:ping6?:\s)?(?:sendmsg|sendto|connect|send):\s|ping6?:\s)"
    r"(?:Network\sis\s(?:unreachable|down)|No\sroute\sto\shost|Host\sis\sdown|"
    r"Operation\snot\spermitted|Permission\sdenied|Сеть\sнедоступна|Ağa\serişilemiyor|Ağ\serişilemez|Ağ\sulaşılamaz|"
    r"Das\sNetzwerk\sist\snicht\serreichbar|Le\sréseau\sn'est\spas\saccessible|La\sred\ses\sinaccesible)"
    r"|(?:ping6?:\s)?(?:sendmsg|sendto|connect):\s(?=\S)"
)
TIMED_OUT = re.compile(
    r"Request\stimed\sout\.?|Request\stimeout\sfor\sicmp_seq|no\sanswer\syet\sfor\sicmp_seq|Превышен\sинтервал\sожидания|"
    r"Zeitüberschreitung\sder\sAnforderung|Délai\sd'attente\sde\sla\sdemande|Tiempo\sde\sespera\sagotado\spara|"
    r"Esgotado\so\stempo\slimite|İstek\szaman\saşımı|Upłynął\slimit\sczasu\sżądania|Richiesta\sscaduta|请求超时|"
    r"要求がタイムアウト|요청\s시간이\s만료|So'rov\svaqti\stugadi|Перевищено\sчас\sочікування|Перевищено\sінтервал\sочікування"
)
TIMED_OUT_WORDS = (
    *("Request time", "no answer yet", "Превышен", "Перевищен", "Zeitü", "Délai", "Tiempo", "Esgotado"),
    *("İstek", "Upłyn", "Richiesta", "请求", "要求", "요청", "So'rov"),
)
AFTER_STAR = re.compile(r"\*\s{1,80}$|\*\*\*[^*\n]{1,90}$")  # a hop of tracert, a failure of nslookup
# 'Reply from 192.168.0.1: Destination host unreachable.': an address, then words without numbers up to a full stop
WINDOWS_ERROR = re.compile(
    rf"({V4})[^\d\n:=\[\]]{{0,12}}: ?(?=[^\W\d]|[\ufffd?])([^=:\d\[\]]{{4,90}}?[.。]|[^\n=:\d\[\]]{{4,90}}$)",
    re.MULTILINE,
)
HOP = re.compile(r"(?:^|\s)\d{1,2}\s{1,3}$")  # tracert: '  1  192.168.1.45  reports: Destination host unreachable.'
ERROR_WORDS = ("unreachable", "expired", "недоступ", "Превышен", "недосяж", "erreichbar", "Impossible", "inac")
UNREACHABLE_WORDS = re.compile(
    r"unreachable|TTL expired|недоступ|недосяжн|nicht erreichbar|impossible|inaccesible|inacess|ulaşılamıyor|"
    r"erişilemiyor|无法访问|到達できません|연결할 수 없|Превышен срок жизни",
    re.IGNORECASE,
)
LOCAL_UNREACHABLE = re.compile(
    r"(?:^|(?<=[.!]\s))(?:Destination\s(?:host|net|port)\sunreachable|Заданный\sузел\sнедоступен)", re.MULTILINE
)
GENERAL = re.compile(
    r"(?:PING:\s(?=[^\W\d])[^\n:]{4,40}?[.,]\s?)?(?:General\sfailure|Общий\sсбой|Allgemeiner\sFehler|Défaillance\sgénérale|"
    r"Error\sgeneral|Falha\sgeral|Genel\shata|Error\sde\stransmisión|一般故障|常规故障|一般エラー|Загальна\sпомилка)\b\.?"
    r"|(?:^|(?<=[.:]\s))PING\s?:\s?(?=[^\s\d])[^\n:\d]{4,60}?[.。]",
    re.MULTILINE,
)
GENERAL_WORDS = (
    *("PING", "General fail", "Общий сбой", "Allgemeiner", "Défaillance", "Error general", "Error de tr"),
    *("Falha geral", "Genel hata", "故障", "一般エラー", "Загальна"),
)
UNKNOWN = (
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
COUNTS = re.compile(
    rf"(?<![\w.])(\d{{1,6}})\s[^\d,%=]{{3,30}},\s*(\d{{1,6}})\s[^\d,%=]{{3,30}},\s*"
    rf"(?:\+(\d{{1,6}}) [^\d,]{{2,24}},\s*){{0,2}}({NUMBER})\s?%"
)
EQUALS = r"=\s{0,4}"
BETWEEN = r"[^\d=(]{1,40}"  # a comma in some code page, and the next label
WINDOWS_COUNTS = re.compile(
    rf"{EQUALS}(\d{{1,6}}){BETWEEN}{EQUALS}(\d{{1,6}}){BETWEEN}{EQUALS}(\d{{1,6}})"
    rf"\s*,?\s*\([^\d()]{{0,16}}({NUMBER})\s?%?"
)
# the same where the third number or the percentage is lost, as in a picture of the console
WINDOWS_SENT = re.compile(
    rf"(?:Sent|отправлено)\s?{EQUALS}(\d{{1,6}}){BETWEEN}{EQUALS}(\d{{1,6}})\b"
    rf"(?!{BETWEEN}{EQUALS}\d{{1,6}}\s*,?\s*\([^\d()]{{0,16}}\d)"
)
RTT = re.compile(rf"min/avg/max(?:/\w{{2,8}})?\s?=\s?{NUMBER}/({NUMBER})/{NUMBER}")
WINDOWS_RTT = re.compile(
    rf"{EQUALS}\d{{1,6}}{BETWEEN}{EQUALS}\d{{1,6}}{BETWEEN}(?<!TTL){EQUALS}(\d{{1,6}})"
    rf"(?:[ \t]?|\n(?=[мm][сs]))[^\d\s,(=]{{1,8}}"
)
CISCO = re.compile(r"Success rate is (\d+) percent \((\d+)/(\d+)\)(?:,\sround-trip\smin/avg/max\s=\s\d+/(\d+)/\d+)?")
MIKROTIK = re.compile(r"sent=(\d+)\sreceived=(\d+)\spacket-loss=(\d+)%(?:\smin-rtt=\S{1,20}\savg-rtt=(\d+)ms)?")
PRINTED = re.compile(r"packet loss|\d\s?(?:ms|мс)\b|transmitted")  # by a program, not told by a person
ABOUT = re.compile(
    rf"-{{2,3}}\s({HOST}|{ADDRESS})\s[^\n]{{0,4}}ping[^\n-]{{3,24}}-"
    rf"|[Pp]ing[\w-]{{0,20}}\s[^\d\n:]{{0,20}}?({V4}):\s|({V4})[^\d\n:=]{{0,20}}[Pp]ing[^\d\n:=]{{0,24}}:\s"
)
FPING = re.compile(
    rf"(?<!\S)({ADDRESS}|[\w-]{{1,63}}\.[\w.-]{{1,190}})\s+(?:is (alive|unreachable)\b"
    rf"|: xmt/rcv/%loss = (\d+)/(\d+)/(\d+)%(?:, min/avg/max = {NUMBER}/({NUMBER})/)?)"
)
TEST = re.compile(
    r"(?<!\w)(ComputerName|RemoteAddress|PingSucceeded|PingReplyDetails \(RTT\))\s{0,12}:[ \t]{0,4}(\S{1,253})"
)
FOREIGN = re.compile(
    r"traceroute to |Tracing route|Трассировка маршрута|<<>> DiG|\[SIP\]|Non-authoritative answer|^Chain \w|^Server:\s",
    re.MULTILINE,
)

FOREIGN_WORDS = ("traceroute to", "Tracing", "Трассировка", "<<>> DiG", "[SIP]", "Non-auth", "Chain", "Server:")
UNKNOWN_WORDS = (
    *("could not find", "con la richiesta", "обнаружить", "host", "Host", "hôte", "хост", "вузол", "主机", "ホスト"),
    *("Ping isteği", "cannot resolve", "bad address", "ping: ", "ping6: ", "Name resolution"),
)
