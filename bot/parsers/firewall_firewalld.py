"""Does firewalld let an arbitrary IPv4 client's UDP to the SIP port in? Zones, lists and queries of firewall-cmd.

public (active)
  target: default
  services: dhcpv6-client ssh
  ports: 5060/udp 10000-20000/udp
  rich rules:
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bot.parsers.firewall_rules import BLOCKED, INACTIVE, NO_RULE, OPEN, admits_port, single_address
from bot.parsers.firewall_ruling import Ruling

_STOPPED = re.compile(r"(?<!\w)FirewallD is not running(?!\w)|(?<![^\n])[ \t]*not running[ \t]*(?![^\n])", re.I)
_STATE = re.compile(r"(?<!\S)running(?!\S)")
_KEYS = (
    "target|ingress-priority|egress-priority|icmp-block-inversion|interfaces|sources|services|ports|protocols|forward|"
    "masquerade|forward-ports|source-ports|icmp-blocks|rich rules"
)
_FIELD = re.compile(rf"(?<!\S)(?P<key>{_KEYS}):(?=\s|$)")
_ZONE = re.compile(
    r"(?<!\S)(?P<name>[A-Za-z][\w.-]{0,40})(?P<active>\s+\((?:default, |default,)?(?:active|default)\))?\s*$"
)
_RULE = re.compile(
    r"(?<!\S)rule(?=\s+(?:priority|family|source|destination|service|port|protocol|icmp|forward|log|audit|accept|drop|reject))"
)
_RULE_LINE = re.compile(r"\n[ \t]*rule[^\n]*")
_ENTRY = re.compile(r"(?<![\w/.-])(?P<ports>\d{1,5}(?:-\d{1,5})?)/(?P<proto>tcp|udp|sctp|dccp)(?![\w/])")
_PORT_LINE = re.compile(r"[ \t]*(?:\d{1,5}(?:-\d{1,5})?/(?:tcp|udp|sctp|dccp)(?:[ \t]+|$)){1,200}")
_QUERY = re.compile(r"--query-(?P<kind>port|service)[= ]['\"]?(?P<what>[\w./-]+)")
_YES = re.compile(r"(?<![^\n])[ \t]*(?P<word>yes|no)[ \t]*(?![^\n])")
_VALUE = re.compile(r"(\w[\w-]*)=\"?([^\"\s]+)\"?")


@dataclass(slots=True)
class _Zone:
    active: bool = True
    fields: dict[str, str] = field(default_factory=dict)


def read_firewalld(text: str, command: str | None, port: int) -> Ruling | None:
    """The ruling, or None where nothing looks like firewall-cmd. `command`: what printed the text, where visible."""
    asked = command or ""
    mine = "firewall-cmd" in asked
    if "unning" in text and (stopped := _STOPPED.search(text)) and (mine or "irewall" in stopped[0]):
        return Ruling("firewalld", INACTIVE, first=stopped.start(), last=stopped.end())
    if mine and (query := _QUERY.search(asked)) and (answer := _YES.search(text)):
        hit = _asked_for_sip(query["kind"], query["what"], port) and answer["word"] == "yes"
        return Ruling(
            "firewalld", OPEN if hit else NO_RULE, query["what"] if hit else None, answer.start(), answer.end(),
            silent=not hit and not _asked_for_sip(query["kind"], query["what"], port),
        )  # fmt: skip
    fields = list(_FIELD.finditer(text))
    if len({found["key"] for found in fields}) >= 3 or (fields and mine):
        return _zones(text, fields, port)
    if rich := list(_RULE.finditer(text)) if "rule" in text else []:
        verdict = _rich(text[rich[0].start() :], port)
        return Ruling(
            "firewalld", verdict[0] or NO_RULE, verdict[1], rich[0].start(), len(text.rstrip()), banned=verdict[2]
        )
    if mine and ("--list-services" in asked or "--list-ports" in asked or "--query" in asked):
        return _listed(text, asked, port)
    if (line := _PORT_LINE.match(text)) and len(_ENTRY.findall(line[0])) >= 2 and not text[line.end() :].strip():
        return _listed(text, "", port)
    if mine and "--state" in asked and (running := _STATE.search(text)):
        return Ruling("firewalld", NO_RULE, first=running.start(), last=running.end(), silent=True)
    return None


def _asked_for_sip(kind: str, what: str, port: int) -> bool:
    if kind == "service":
        return what == "sip" and port == 5060
    return _opens(what, port)


def _opens(ports: str, port: int) -> bool:
    return any(found["proto"] == "udp" and admits_port(found["ports"], port) for found in _ENTRY.finditer(ports))


def _listed(text: str, asked: str, port: int) -> Ruling:
    """`--list-ports` or `--list-services`: nothing but the words."""
    line = text.strip("\n").split("\n", 1)[0]
    hit = _opens(line, port) or ("services" in asked and "sip" in line.split() and port == 5060)
    return Ruling("firewalld", OPEN if hit else NO_RULE, line.strip()[:200] if hit else None, 0, len(text.rstrip()))


def _zones(text: str, fields: list[re.Match[str]], port: int) -> Ruling:
    zones: list[_Zone] = []
    first = fields[0].start()
    for position, found in enumerate(fields):
        end = fields[position + 1].start() if position + 1 < len(fields) else len(text)
        key = found["key"]
        if not zones or key in zones[-1].fields:
            before = text[text.rfind("\n", 0, max(0, found.start() - 1)) if position else 0 : found.start()]
            before = text[max(0, found.start() - 80) : found.start()]
            name = _ZONE.search(before)
            zones.append(_Zone(bool(name and name["active"]) or name is None))
            if name and position == 0:
                first = found.start() - len(before) + name.start()
        zones[-1].fields[key] = text[found.end() : end]
    judged = [zone for zone in zones if zone.active] if any(zone.active for zone in zones) else zones
    last = _rich_end(text, fields[-1])
    banned: tuple[str, ...] = ()
    best: tuple[str, str | None] = (NO_RULE, None)
    for zone in judged:
        if zone.fields.get("sources", "").strip() and not zone.fields.get("interfaces", "").strip():
            continue  # a zone of certain sources
        status, rule, addresses = _zone(zone, port)
        banned += addresses
        if status == BLOCKED or (status == OPEN and best[0] != BLOCKED):
            best = (status, rule)
    return Ruling("firewalld", best[0], best[1], first, last, banned=tuple(dict.fromkeys(banned)))


def _rich_end(text: str, found: re.Match[str]) -> int:
    """Where the last field ends: rich rules take lines of their own, other fields one line."""
    end = text.find("\n", found.end())
    if found["key"] == "rich rules":
        while end >= 0 and (following := _RULE_LINE.match(text, end)):
            end = following.end()
    return end if end >= 0 else len(text)


def _zone(zone: _Zone, port: int) -> tuple[str, str | None, tuple[str, ...]]:
    status, rule, banned = _rich(zone.fields.get("rich rules", ""), port)
    if status == BLOCKED:
        return BLOCKED, rule, banned
    ports = zone.fields.get("ports", "")
    if _opens(ports, port):
        return OPEN, f"ports: {' '.join(ports.split())}"[:200], banned
    if "sip" in zone.fields.get("services", "").split() and port == 5060:
        return OPEN, "services: sip", banned
    if "udp" in zone.fields.get("protocols", "").split():
        return OPEN, "protocols: udp", banned
    if status == OPEN:
        return OPEN, rule, banned
    if "ACCEPT" in zone.fields.get("target", ""):
        return OPEN, "target: ACCEPT", banned
    return NO_RULE, None, banned


def _rich(text: str, port: int) -> tuple[str | None, str | None, tuple[str, ...]]:
    """(status, rule, banned) of rich rules: a drop or reject beats an accept; None without a rule for the port."""
    starts = [found.start() for found in _RULE.finditer(text)]
    accepted: str | None = None
    blocked: str | None = None
    banned: list[str] = []
    for begin, end in zip(starts, [*starts[1:], len(text)], strict=False):
        rule = " ".join(text[begin:end].split("\n", 1)[0].split())
        action = re.search(r"(?<!\S)(accept|drop|reject|mark)(?!\S)", rule)
        if action is None:
            continue
        named = re.search(r"source (?!NOT)(?:invert=\S+ )?address=\"?([\d./]+)", rule)
        if named and action[1] in ("drop", "reject") and (address := single_address(named[1])):
            banned.append(address)
        if not _rich_applies(rule, action.end(), port):
            continue
        if action[1] == "accept":
            accepted = accepted or rule[:200]
        elif action[1] != "mark":
            blocked = blocked or rule[:200]
    return BLOCKED if blocked else OPEN if accepted else None, blocked or accepted, tuple(dict.fromkeys(banned))


def _rich_applies(rule: str, action_end: int, port: int) -> bool:
    if re.search(r"family=\"?ipv6|icmp-|masquerade|forward-port|source-port|(?<!\S)source |destination ", rule):
        return re.search(r"source (?:NOT )?address=\"?0\.0\.0\.0/0", rule) is not None and "ipv6" not in rule
    if "limit value" in rule[action_end:]:
        return False
    if found := re.search(r"(?<!\S)port ((?:\w+=\S+\s?){1,3})", rule):
        values = dict(_VALUE.findall(found[1]))
        return values.get("protocol", "udp") == "udp" and admits_port(values.get("port", ""), port)
    if found := re.search(r"service name=\"?([\w-]+)", rule):
        return found[1] == "sip" and port == 5060
    if found := re.search(r"protocol value=\"?([\w-]+)", rule):
        return found[1] in ("udp", "17")
    return True
