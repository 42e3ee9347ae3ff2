"""Does the Windows firewall let UDP to the SIP port in? `netsh advfirewall firewall show rule` in any language.

Rule Name:                            SIP
----------------------------------------------------------------------
Enabled:                              Yes
Direction:                            In
Protocol:                             UDP
LocalPort:                            5060
Action:                               Allow
"""

from __future__ import annotations

import re

from bot.parsers.firewall_rules import BLOCKED, INACTIVE, NO_RULE, OPEN, admits_port
from bot.parsers.firewall_ruling import Ruling

_DASHES = re.compile(r"-{20,}")
_PAIR = re.compile(r"(?P<key>[^\s:][^:\n]{0,60}?)[ \t]*:(?!\\|//)(?=\s|$)[ \t]*(?P<value>[^\n]{0,300})")
_FLAT_PAIR = re.compile(r"(?P<key>\S+):(?=\s)\s*(?P<value>[^\s:]+(?!\S))?")
_NO_MATCH = re.compile(
    r"No rules match the specified criteria|Ни одно правило не соответствует|правил[аo]?,? соответствующ\w+ указанным|"
    r"Keine Regeln stimmen|Es stimmen keine Regeln|Aucune règle ne correspond|Ninguna regla coincide|"
    r"No hay reglas que coincidan|Nenhuma regra corresponde|Nessuna regola corrisponde|hiçbir kural|"
    r"Żadne reguły nie są zgodne|Żadna reguła nie|Жодне правило не відповідає|Жодні правила не|"
    r"mos keladigan qoida(?:lar)? (?:yo|topilma)|hech qanday qoida|"
    r"没有与指定的条件匹配的规则|没有与指定标准相匹配的规则|"
    r"指定された条件に一致する規則はありません|Žádná pravidla neodpovídají|Geen (?:enkele )?regels? ",
    re.I,
)
_NO_MATCH_MARKS = (
    "criteri", "критери", "kriter", "critèr", "critéri", "qoida", "kural", "条件",
    "标准", "kryter", "podmín", "kritér", "regl", "regel", "regole", "règle", "regra", "reguł", "pravid",
)  # fmt: skip
_DISABLED = re.compile(
    r"(?:no|нет|nein|non|não|nao|hayır|hayir|nie|ні|ne|nej|nei|ei|nem|yo['ʻʼ]?q|false|否|いいえ|아니요|όχι|nu|жоқ|йўқ)[.]?$",
    re.I,
)
_OUTGOING = re.compile(
    r"(?:out|outbound|исход|ausgeh|sortant|salida|saída|saida|uscita|in uscita|giden|wych|вихід|chiqu|tashqi|出|"
    r"送信|아웃|odchoz|uitgaand|utgående|ieşire|ieșire|шығыс|чиқ)",
    re.I,
)
_BLOCK = re.compile(
    r"(?:block|blok|блок|заблок|забл|запре|запрет|забор|sperr|verweig|bloq|blocc|engelle|zablok|taqiq|тақиқ|阻止|禁止|ブロック|차단)",
    re.I,
)
_ANY = re.compile(
    r"(?:any|all|люб|beliebig|alle|tous|toutes|tout|n'importe|cualquier|todos|qualsiasi|qualquer|herhangi|"
    r"tümü|dowoln|wszystkie|будь|har qanday|ixtiyoriy|istalgan|任何|任意|libovoln|всі|всё|все|모두|willekeurig)",
    re.I,
)
_PROTOCOL = re.compile(r"^(?:UDP|TCP|ICMPv4|ICMPv6|IGMP|GRE|IPv6|\d{1,3})$", re.I)
_UDP = re.compile(r":[ \t]+(?:UDP|TCP)(?!\S)")
_PROTOCOL_KEY = re.compile(r"prot[oо]|прот|协议|協定|プロトコル|프로토콜|bayonnoma", re.I)
_PROFILE_STATE = re.compile(
    r"(?<![^\n])[ \t]*[^\s:]{3,20}(?:[ \t]*:)?[ \t]+(?P<state>ON|OFF|ВКЛ\w*|ВЫКЛ\w*|EIN|AUS)[ \t]*(?![^\n])"
)
_POLICY = re.compile(r"(?<!\w)(?P<policy>BlockInboundAlways|BlockInbound|AllowInbound),(?:Allow|Block)Outbound")


def read_netsh(text: str, port: int) -> Ruling | None:
    """The ruling, or None where nothing looks like netsh's rules."""
    blocks = _blocks(text) if "-" * 20 in text or _UDP.search(text) else []
    verdicts = [(_applies(fields, port), fields) for _, _, fields in blocks]
    if blocks:
        first, last = blocks[0][0], blocks[-1][1]
        for status in (BLOCKED, OPEN):
            for verdict, fields in verdicts:
                if verdict == status:
                    return Ruling("netsh", status, fields[0][1][:120] or None, first, last)
        return Ruling("netsh", NO_RULE, None, first, last)
    lower = text.lower()
    if any(mark in lower for mark in _NO_MATCH_MARKS) and (found := _NO_MATCH.search(text)):
        return Ruling("netsh", NO_RULE, None, found.start(), found.end())
    return _profiles(text)


def _blocks(text: str) -> list[tuple[int, int, list[tuple[str, str]]]]:
    """(begin, end, [(key, value)…]) of each rule, the name first; the dashes under the name part the rules."""
    dashes = list(_DASHES.finditer(text))
    blocks = []
    for position, found in enumerate(dashes):
        line = text.rfind("\n", 0, max(0, found.start() - 1)) + 1
        head = text[line : found.start()].strip()
        name = head.rpartition(":")[2].strip() if ":" in head else head
        begin = line if ":" in head else found.start()
        end = dashes[position + 1].start() if position + 1 < len(dashes) else len(text)
        fields, length = _fields(text[found.end() : end])
        if _protocol_at(fields) is not None:
            blocks.append((begin, found.end() + length, [("name", name), *fields]))
    if not blocks:
        fields, length = _fields(text)
        at = _protocol_at(fields)
        if (
            at is not None
            and len(fields) >= 4
            and at + 1 < len(fields)
            and re.search(r"port|порт|端口", fields[at + 1][0], re.I)
        ):
            blocks.append((0, length, [("name", ""), *fields]))
    return blocks


def _fields(text: str) -> tuple[list[tuple[str, str]], int]:
    """Key and value pairs, and where the last one ends; also where every line break is lost."""
    pairs = [(found["key"].strip(), found["value"].strip(), found.end()) for found in _PAIR.finditer(text)]
    if len(pairs) <= 2:
        pairs = [(found["key"], found["value"] or "", found.end()) for found in _FLAT_PAIR.finditer(text)]
    return [(key, value) for key, value, _ in pairs], max((end for *_, end in pairs), default=0)


def _protocol_at(fields: list[tuple[str, str]]) -> int | None:
    for number, (_, value) in enumerate(fields):
        if _PROTOCOL.match(value.split()[0] if value else "") and not value[:1].isdigit():
            return number
    for number, (key, value) in enumerate(fields):
        if _PROTOCOL_KEY.search(key) and value:
            return number
    return None


def _applies(fields: list[tuple[str, str]], port: int) -> str | None:
    """`open` or `blocked` where the rule decides for any sender's UDP to the port, else None.

    The order of netsh's lines is the same in every language: enabled, direction, …, local and remote address,
    protocol, local and remote port, …, action.
    """
    at = _protocol_at(fields)
    if at is None:
        return None
    protocol = fields[at][1].split()[0]
    everything = bool(_ANY.match(protocol))
    if not (protocol.upper() in ("UDP", "17") or everything):
        return None
    before, after = fields[1:at], fields[at + 1 :]
    if any(_DISABLED.match(value) for _, value in before) or any(_OUTGOING.match(value) for _, value in before[:4]):
        return None
    ports = [value for _, value in after[:2]]
    if everything:
        ports = [value for key, value in after[:2] if re.search(r"port|порт|端口|ポート", key, re.I)]
    if ports and not (_ANY.match(ports[0]) or admits_port(ports[0].replace(" ", ""), port)):
        return None
    if len(ports) > 1 and not _ANY.match(ports[1]):
        return None
    if before and _limited(before[-1][1]):
        return None
    actions = [value for _, value in after[2:] if value]
    return BLOCKED if any(_BLOCK.match(value) for value in actions[-2:]) else OPEN


def _limited(remote: str) -> bool:
    """Whether the remote address is anything but everybody's."""
    return (
        bool(re.search(r"\d+\.\d+|localsubnet|локальн|lokales|:[0-9a-f]*:", remote, re.I)) and "0.0.0.0/0" not in remote
    )


def _profiles(text: str) -> Ruling | None:
    """`netsh advfirewall show allprofiles`: on or off, and what becomes of packets without a rule."""
    policies = list(_POLICY.finditer(text)) if "Inbound" in text else []
    if not policies:
        return None
    states = [found["state"].upper() for found in _PROFILE_STATE.finditer(text)]
    first, last = policies[0].start(), policies[-1].end()
    if states and all(state.startswith(("OFF", "ВЫКЛ", "AUS")) for state in states):
        return Ruling("netsh", INACTIVE, first=first, last=last)
    kinds = {found["policy"] for found in policies}
    if kinds == {"AllowInbound"}:
        return Ruling("netsh", OPEN, "AllowInbound", first, last)
    status = BLOCKED if kinds == {"BlockInboundAlways"} else NO_RULE
    return Ruling("netsh", status, None, first, last)
