"""Which rules do `iptables -S` and `iptables-save` print, also wrapped, cut, grep'ed or in one line?

-P INPUT DROP
-A INPUT -i lo -j ACCEPT
-A INPUT -p udp -m udp --dport 5060 -j ACCEPT
"""

from __future__ import annotations

import re

from bot.parsers.firewall_rules import Demand, Rule, admits_port, rule_of
from bot.parsers.firewall_tables import Tables

_RECORD = re.compile(
    r"(?<!\S)(?:\*(?P<table>filter|nat|mangle|raw|security)(?!\S)"
    r"|:(?P<declared>[\w.-]{1,64})\s+(?P<state>ACCEPT|DROP|-)\s+\[\d+:\d+\]"
    r"|-P\s+(?P<base>[A-Z]{4,12})\s+(?P<policy>ACCEPT|DROP)\b"
    r"|-N\s+(?P<new>[\w.-]{1,64})"
    r"|(?:\[(?P<packets>\d{1,18}):\d{1,18}\]\s+)?-A\s+(?P<chain>[\w.-]{1,64})(?=\s|$)"
    r"|COMMIT(?!\S))"
)
_TYPED = re.compile(r"ip6?tables[\w-]*(?:\s+-[a-zA-Z]\s?\w*)*\s*$")  # 'iptables -A …' is a command, not a rule
_TOKEN = re.compile(r'"[^"\n]{0,256}"|[^\s"]+')
_MAX_RULE = 1024  # characters; a longer one is read up to here

_HARMLESS = frozenset(("udp", "tcp", "multiport", "comment", "conntrack", "state", "addrtype", "recent"))
_RATES = frozenset(("limit", "hashlimit", "connlimit", "dstlimit"))
_VERDICTS = {
    "ACCEPT": "accept", "DROP": "drop", "REJECT": "drop", "RETURN": "return", "TARPIT": "drop", "STEAL": "drop",
}  # fmt: skip
NO_VERDICT = frozenset((
    "LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "CT", "NOTRACK", "TCPMSS", "SET", "TRACE", "AUDIT", "CLASSIFY",
    "DSCP", "TOS", "TTL", "HL", "CHECKSUM", "NETMAP", "SECMARK", "CONNSECMARK", "NFQUEUE", "QUEUE", "MASQUERADE",
    "SNAT", "DNAT", "REDIRECT", "TPROXY", "RATEEST", "TEE", "LED", "IDLETIMER",
))  # fmt: skip


def read_save(text: str, port: int) -> tuple[Tables, int, int] | None:
    """The tables, and where in the text the first record begins and the last one ends; None without any."""
    tables = Tables()
    first = last = -1
    records = [found for found in _RECORD.finditer(text) if not _is_typed(text, found)]
    for position, found in enumerate(records):
        end = records[position + 1].start() if position + 1 < len(records) else len(text)
        last = found.end()
        if name := found["table"]:
            tables.enter(name)
        elif name := found["declared"]:
            tables.declare(name, {"ACCEPT": "accept", "DROP": "drop"}.get(found["state"]))
        elif name := found["base"]:
            tables.declare(name, found["policy"].lower())
        elif name := found["new"]:
            tables.declare(name, None)
        elif name := found["chain"]:
            body = text[found.end() : min(end, found.end() + _MAX_RULE)]
            counted = found["packets"]
            rule, length = _rule(name, body, int(counted) if counted else None, port)
            tables.add(name, rule)
            last = found.end() + length
        first = found.start() if first < 0 else first
    return (tables, first, last) if tables.seen else None


def _is_typed(text: str, found: re.Match[str]) -> bool:
    return bool(_TYPED.search(text[max(0, found.start() - 40) : found.start()]))


def _rule(chain: str, body: str, packets: int | None, port: int) -> tuple[Rule, int]:
    """The rule, and how many characters of the body belong to it."""
    reading = _Options(packets, port)
    for found in _TOKEN.finditer(body):
        if not reading.take(found[0], fresh_line="\n" in body[reading.length : found.start()]):
            break
        reading.length = found.end()
    text = f"-A {chain} {body[: reading.length]}"
    return (
        rule_of(reading.demand, text, reading.verdict, reading.target, packets=reading.packets),
        reading.length,
    )


class _Options:
    """The options of one rule, one after the other."""

    def __init__(self, packets: int | None, port: int) -> None:
        self.demand = Demand()
        self.verdict = "none"
        self.target: str | None = None
        self.packets = packets
        self.port = port
        self.length = 0
        self._option = ""
        self._negated = self._bang = False  # '!' before the option; one that waits for its option
        self._values = 0

    def take(self, word: str, *, fresh_line: bool) -> bool:
        """False at the first word that is not the rule's any more (chat text below it)."""
        judged = self.target is not None or self.verdict != "none"
        if word == "!":
            self._bang = True
            return not judged
        if word.startswith("-") and len(word) > 1 and not word[1:].isdigit():
            if judged and not word.startswith("--"):
                return False
            self._negated, self._bang = self._bang, False
            self._option, self._values = word, 0
            if word in ("--syn", "-f", "--fragment"):
                self.demand.more = True
            if word in ("--update", "--rcheck"):  # of '-m recent': who sent a packet lately
                self.demand.rate = True
            return True
        if not self._option or (judged and (self._values > 0 or fresh_line)):
            return False
        self._value(word.strip('"'))
        self._values += 1
        return True

    def _value(self, value: str) -> None:
        demand, option = self.demand, self._option
        negated, self._negated = self._negated or value.startswith("!"), False
        value = value.lstrip("!")
        if self._values and option not in ("-c", "--set-counters", "--match-set"):
            return
        match option:
            case "-j" | "--jump" | "-g" | "--goto":
                self._judge(value, goto=option in ("-g", "--goto"))
            case "-p" | "--protocol" | "--proto":
                named = value.lower() in ("udp", "17")
                demand.udp = (named or value.lower() in ("all", "0")) is not negated
                demand.udp_named = named
            case "-s" | "--source" | "--src":
                everyone = value.endswith("/0") or value == "anywhere"
                demand.any_source = everyone is not negated
                demand.source = None if everyone or negated else value
            case "-d" | "--destination" | "--dst":
                demand.here = demand.here and (value.endswith("/0") is not negated)
                demand.anywhere = demand.here and not negated
            case "-i" | "--in-interface":
                demand.in_interface = value if not (negated and value == "lo") else None
            case "-o" | "--out-interface":
                demand.out_interface = value if not (negated and value == "lo") else None
            case "--dport" | "--dports" | "--destination-port" | "--destination-ports":
                demand.to_port = admits_port(value, self.port) is not negated
            case "--sport" | "--sports" | "--source-port" | "--source-ports":
                demand.from_port = admits_port(value, self.port) is not negated
            case "--ports" | "--port":
                demand.to_port = admits_port(value, self.port) is not negated
            case "-m" | "--match":
                demand.rate = demand.rate or value in _RATES
                demand.more = demand.more or value not in _HARMLESS | _RATES
            case _:
                self._condition(option, value, negated=negated)

    def _condition(self, option: str, value: str, *, negated: bool) -> None:
        demand = self.demand
        match option:
            case "--ctstate" | "--state":
                states = value.upper().split(",")
                demand.new = demand.new and (("NEW" in states) is not negated)
                demand.established = demand.established and (("ESTABLISHED" in states) is not negated)
            case "--dst-type":
                demand.more = demand.more or (("LOCAL" in value.upper().split(",")) is negated)
            case "--src-type" | "--ctstatus" | "--ctproto" | "--ctorigdst" | "--ctorigsrc":
                demand.more = True
            case "-c" | "--set-counters":
                if self._values == 0 and value.isdecimal() and len(value) < 19:
                    self.packets = int(value)

    def _judge(self, target: str, *, goto: bool) -> None:
        if target in _VERDICTS:
            self.verdict = _VERDICTS[target]
        elif target in NO_VERDICT:
            self.verdict, self.target = "none", target
        else:
            self.verdict, self.target = "goto" if goto else "jump", target
