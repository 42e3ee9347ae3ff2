"""Which rules does `iptables -L` print, with or without -n, -v and --line-numbers, also grep'ed or in one line?

Chain INPUT (policy DROP)
target     prot opt source               destination
ACCEPT     udp  --  anywhere             anywhere             udp dpt:sip
"""

from __future__ import annotations

import re

from bot.parsers.firewall_iptables_save import NO_VERDICT
from bot.parsers.firewall_rules import Demand, Rule, admits_port, rule_of
from bot.parsers.firewall_tables import Tables

_PROTOCOL = r"(?:all|udp|tcp|icmp|icmpv6|ipv6-icmp|igmp|esp|ah|gre|sctp|dccp|udplite|ipv6|vrrp|ospf|pim|\d{1,3})"
_ANY_NAME = r"[A-Za-z][\w.-]{0,63}"
_RECORD = re.compile(
    rf"Chain\s+(?P<chain>{_ANY_NAME})\s+\((?:policy\s+(?P<policy>ACCEPT|DROP)[^()]{{0,60}}|\d{{1,6}}\s+references?)\)"
    r"|(?<!\S)(?:num\s+)?(?P<verbose>pkts\s+bytes\s+)?target\s+prot\s+opt\s+(?:in\s+out\s+)?source\s+destination"
    r"|(?:(?<!\S)(?P<numbers>\d{1,12}[KMGT]?(?:\s+\d{1,12}[KMGT]?){0,2})\s+)?"
    rf"(?:(?<![\S])(?P<target>{_ANY_NAME})[ \t]+|(?<![^\n])[ \t]*)"
    rf"(?P<not>!?)(?P<protocol>{_PROTOCOL})[ \t]+(?P<opt>--|-f|!f|-)[ \t]+(?=\S)"
)
_TOKEN = re.compile(r"\*|0\.0\.0\.0/0(?=\d)|[^\s*]\S*")  # a wrap may have glued two columns
_VERDICTS = {"ACCEPT": "accept", "DROP": "drop", "REJECT": "drop", "RETURN": "return", "TARPIT": "drop"}
_EVERYONE = ("anywhere", "0.0.0.0/0")
_MAX_RULE = 1024
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_QUOTED = re.compile(r'"[^"\n]{0,256}"')
# What may follow the addresses without narrowing the rule down.
_GOES_ON = re.compile(
    r"[ \t]*(?:(?:udp|tcp|[ds]pts?:\S*|multiport|dports|sports|(?:ct)?state|reject-with|icmp-\S*|port-\S*|"
    r"unreachable|LOG|flags|level|prefix|limit:|avg|burst|recent:|ADDRTYPE|match|dst-type|STRING|match-set|/\*|\*/|hashlimit|"
    r"RELATED\S*|NEW\S*|ESTABLISHED\S*|INVALID\S*|UNTRACKED\S*|LOCAL|BROADCAST|MULTICAST|sip(?:-tls)?)(?=\s|$)"
    r"|(?:\d{1,5}(?::\d{1,5})?(?:,|(?=\s|$)))+(?!\S)|\")"
)
_NEUTRAL = re.compile(
    r"reject-with\s+\S+(?:(?<=-)\s+\S+)?|LOG(?:\s+(?:flags\s+\S+|level\s+\S+|prefix(?:\s+\S+)?))*|\[goto\]|(?:udp|tcp)\b(?=\s+[ds]pt)"
)
_PORTS = re.compile(r"(?P<which>dpts?:|spts?:|multiport\s+(?:dports|sports|ports)\s+)(?P<not>!?)\s?(?P<ports>[\w:,-]+)")
_STATE = re.compile(r"(?P<not>!\s?)?(?:ct)?state\s+(?P<states>[A-Z][A-Z,]*)")
_LOCAL = re.compile(r"ADDRTYPE\s+match\s+dst-type\s+(?P<not>!\s?)?(?P<types>[A-Z][A-Z,]*)")
_ONE_CONDITION = re.compile(  # the commonest, without any spaces
    r"(ADDRTYPE)(match)(dst-type)([A-Z,]+)|(udp|tcp)([ds]pts?:(?:[\d:]+|sip))|((?:ct)?state)([A-Z,]+)"
    r"|(multiport)([ds]ports)([\d,:]+)|(reject-with)([a-z-]+)"
)
_RATE = re.compile(r"limit: \S|limit:|hashlimit|#conn|recent: (?:UPDATE|CHECK)|hit_count|connlimit")
_ADDRESS = re.compile(r"!?[\w.:-]+(?:/[\d.]+)?$")


def read_list(text: str, port: int) -> tuple[Tables, int, int] | None:
    """The tables, and where in the text they begin and end; None where nothing looks like such a list."""
    tables = Tables()
    chain: str | None = None
    verbose: bool | None = None
    first = last = -1
    records = list(_RECORD.finditer(text))
    for position, found in enumerate(records):
        end = records[position + 1].start() if position + 1 < len(records) else len(text)
        last = found.end()
        if name := found["chain"]:
            chain, verbose = name, None
            tables.declare(name, (found["policy"] or "").lower() or None)
        elif found["protocol"]:
            body = text[found.end() : min(end, found.end() + _MAX_RULE)]
            read = _rule(found, body, verbose, port)
            if read is None:
                continue
            tables.add(chain, read[0])
            last = found.end() + read[1]
        else:
            verbose = bool(found["verbose"])
            tables.seen = True
        first = found.start() if first < 0 else first
    return (tables, first, last) if tables.seen else None


def _rule(found: re.Match[str], body: str, verbose: bool | None, port: int) -> tuple[Rule, int] | None:
    """The rule and the characters of the body that are its own; None where the addresses are missing."""
    tokens = [(token[0], token.end()) for token in _TOKEN.finditer(body[:300])][:5]
    numbers = (found["numbers"] or "").split()
    if verbose is None:
        verbose = len(numbers) >= 2 or (len(tokens) >= 4 and {"*", "any"} & {tokens[0][0], tokens[1][0]} != set())
    columns = 4 if verbose else 2
    if len(tokens) < columns or not all(_ADDRESS.match(token) for token, _ in tokens[columns - 2 : columns]):
        return None
    demand = Demand()
    protocol = found["protocol"]
    demand.udp = (protocol in ("all", "udp", "17", "0")) is not bool(found["not"])
    demand.udp_named = protocol in ("udp", "17") and not found["not"]
    if verbose:
        demand.in_interface = _interface(tokens[0][0])
        demand.out_interface = _interface(tokens[1][0])
    source, destination = (token for token, _ in tokens[columns - 2 : columns])
    demand.any_source = source in _EVERYONE or source.startswith("!")
    demand.source = None if demand.any_source else source
    demand.here = demand.anywhere = destination in _EVERYONE
    demand.more = demand.more or found["opt"] in ("-f", "!f")
    at = tokens[columns - 1][1]
    rest = _rest(body[at:])
    bare = not _narrow(demand, rest, port) and not verbose and protocol in ("all", "0")
    target = found["target"] or ""
    goto = "[goto]" in rest
    verdict = _VERDICTS.get(target, "none" if target in NO_VERDICT or not target else "goto" if goto else "jump")
    bare = bare and verdict == "accept" and source in _EVERYONE and demand.here
    rule = rule_of(
        demand,
        f"{target} {protocol} {source} {destination} {rest}",
        verdict,
        target if verdict in ("jump", "goto") else None,
        bare=bare,
        packets=_count(numbers[-2]) if len(numbers) >= 2 else None,
    )
    return rule, at + len(rest.rstrip())


def _rest(text: str) -> str:
    """What stands after the addresses: to the end of the line, and further where a line goes on with match words."""
    lines = text.split("\n")
    last = 1
    while last < len(lines) and _GOES_ON.match(lines[last]):
        last += 1
    return "\n".join(lines[:last])


def _interface(column: str) -> str | None:
    return None if column in ("*", "any", "!lo") else column


def _narrow(demand: Demand, rest: str, port: int) -> bool:
    """Reads what stands after the addresses; whether anything there narrows the rule down."""
    rest = _QUOTED.sub(" ", _COMMENT.sub(" ", rest))
    if not rest.strip():
        return False
    rest, words = _mended(rest)
    demand.rate = bool(_RATE.search(rest))
    for found in _PORTS.finditer(rest):
        admitted = admits_port(found["ports"], port) is not bool(found["not"])
        if found["which"].startswith("s") or "sports" in found["which"]:
            demand.from_port = admitted
        else:
            demand.to_port = admitted
    for found in _STATE.finditer(rest):
        states = found["states"].split(",")
        demand.new = demand.new and (("NEW" in states) is not bool(found["not"]))
        demand.established = demand.established and (("ESTABLISHED" in states) is not bool(found["not"]))
    for found in _LOCAL.finditer(rest):
        demand.more = demand.more or (("LOCAL" in found["types"].split(",")) is bool(found["not"]))
    demand.more = demand.more or (bool(words) and not demand.rate)
    return True


def _mended(rest: str) -> tuple[str, list[str]]:
    """The conditions and the words in them that are none of the known ones; a word broken by a wrap is mended."""
    words = _unknown(rest)
    if words and (whole := _ONE_CONDITION.fullmatch("".join(rest.split()))):
        rest = " ".join(part for part in whole.groups() if part)
        words = _unknown(rest)
    return rest, words


def _unknown(rest: str) -> list[str]:
    left = _NEUTRAL.sub(" ", _STATE.sub(" ", _LOCAL.sub(" ", _PORTS.sub(" ", rest))))
    return left.replace("udp", " ").replace("tcp", " ").split()


def _count(printed: str) -> int:
    scale = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}.get(printed[-1], 1)
    return int(printed.rstrip("KMGT") or 0) * scale
