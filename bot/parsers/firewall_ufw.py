"""Does ufw let an arbitrary IPv4 client's UDP to the SIP port in? `ufw status [verbose|numbered]` in any language.

To                         Action      From
--                         ------      ----
5060/udp                   ALLOW       Anywhere
5060/udp (v6)              ALLOW       Anywhere (v6)
"""

from __future__ import annotations

import re

from bot.parsers.firewall_rules import BLOCKED, INACTIVE, NO_RULE, OPEN, admits_port
from bot.parsers.firewall_ruling import Ruling

_STATUS_WORD = (
    r"status|statuss?|estáu|статус|състояние|estat|stav|κατάσταση|estado|staatus|tila|état|stato|stare|состояние|"
    r"стан|stanje|durum|状态|狀態|holat|ҳолат|статуси"
)
_INACTIVE_WORD = (
    r"inactive|inactivu|neaktivno|inactiu|neaktivní|inaktiv|ανενεργό|inactivo|väljas|passiivinen|inactif|inattivo|"
    r"inactief|inativo|inactiv|неактивен|неактивний|неактивно|neaktívny|nedejavno|etkin\s+değil|不活动|不活動|未激活|"
    r"nofaol|faol\s+emas|inaktivní|nieaktywna|nieaktywny|非アクティブ|비활성"
)
_ACTIVE_WORD = (
    r"active|activu|aktivan|actiu|aktivní|aktiv|ενεργό|activo|aktiivne|käytössä|actif|attivo|actief|ativo|activ|"
    r"активен|активний|aktívny|dejavno|etkin|激活|啓用|啟用|active\.?|faol"
)
_STATUS = re.compile(
    rf"(?<![^\n])[ \t]*(?:{_STATUS_WORD})[ \t]*"
    rf"(?:(?P<inactive>:?[ \t]*(?:{_INACTIVE_WORD})(?!\w))|:[ \t]*(?:{_ACTIVE_WORD})(?!\w))",
    re.I,
)
_HEADER = re.compile(r"(?<!\S)-{1,16}[ \t]+-{2,16}[ \t]+-{1,16}(?!\S)")
_DEFAULT = re.compile(
    r":[ \t]*(?P<policy>allow|deny|reject)[ \t]*\([^()\n]{1,24}\)[ \t]*,[ \t]*(?:allow|deny|reject|disabled)"
)
_ACTIONS = ("ALLOW", "DENY", "REJECT", "LIMIT")
_ACTION = re.compile(rf"(?<!\S)(?P<action>{'|'.join(_ACTIONS)})(?:[ \t]+(?P<way>IN|OUT|FWD))?(?=\s|$)")
_V6 = re.compile(r"\(v6\)|(?<![\w.])(?:[0-9a-f]{1,4}:){2,7}|(?<!\w)::", re.I)
_NUMBER = re.compile(r"\[[ ]{0,2}\d{1,3}\][ \t]*")
_IPV4 = r"\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?"
_ADDRESS = rf"(?:{_IPV4}|(?:[0-9a-f]{{1,4}}:){{2,7}}[0-9a-f:.]{{0,20}}(?:/\d{{1,3}})?)"
_PORTS = r"\d{1,5}(?:[:,]\d{1,5}){0,40}(?:/(?:tcp|udp))?"
_FROM = re.compile(  # where 'From' ends when the line break after it is lost
    rf"\s*(?:(?:Anywhere|any)(?:/\w{{2,8}})?|{_ADDRESS})?(?:[ \t]*\(v6\))?(?:[ \t]+on[ \t]+[\w.@-]{{1,16}})?"
    r"(?:[ \t]+\((?:log|out)[a-z, -]{0,12}\))?",
    re.I,
)
_TO = re.compile(
    rf"^(?P<place>Anywhere|{_IPV4})?[ \t]*(?P<ports>(?<![\w.]){_PORTS}(?![\w.]))?(?P<proto>/(?:tcp|udp|\w{{2,5}}))?"
    r"(?P<app>(?:[ \t]*\([^()\n]{1,40}\)){0,2})[ \t]*(?P<interface>on[ \t]+[\w.@-]{1,16})?[ \t]*$",
    re.I,
)
_ONE = re.compile(rf"({_IPV4})(?:/udp)?(?:[ \t]+\([^()\n]{{1,24}}\)){{0,3}}[ \t]*$")  # somebody's, not anybody's
_SOURCE = re.compile(
    rf"^(?:Anywhere|any|0\.0\.0\.0/0)(?P<proto>/\w{{2,5}})?(?P<port>[ \t]+{_PORTS})?"
    r"(?:[ \t]+\([^()\n]{1,24}\)){0,3}[ \t]*$",
    re.I,
)


def read_ufw(text: str, port: int, own: frozenset[str] = frozenset(), *, asked: bool = False) -> Ruling | None:
    """What the status says, or None where nothing looks like ufw. `asked`: the command was ufw's."""
    active = _STATUS.search(text)
    if active and active["inactive"]:
        return Ruling("ufw", INACTIVE, first=active.start(), last=active.end())
    header = _HEADER.search(text) if "--" in text else None
    default = _DEFAULT.search(text) if "(" in text else None
    rules = _rules(text)
    marks = [found for found in (active, default, header if rules or active else None) if found]
    if not marks and not rules:
        return None
    spans = [(found.start(), found.end()) for found in marks] + [(begin, end) for begin, end, *_ in rules]
    first, last = min(begin for begin, _ in spans), max(end for _, end in spans)
    banned: list[str] = []
    for _, _, to, action, way, source in rules:
        if way in ("OUT", "FWD"):
            continue
        if action in ("DENY", "REJECT") and (one := _ONE.match(source)) and _applies(to, "Anywhere", port, own):
            banned.append(one[1].removesuffix("/32"))
        if not _applies(to, source, port, own):
            continue
        rule = " ".join(f"{to} {action} {way} {source}".split())
        limits = (rule,) if action == "LIMIT" and _names_port(to) else ()
        status = OPEN if action in ("ALLOW", "LIMIT") else BLOCKED
        return Ruling("ufw", status, rule, limits=limits, first=first, last=last, banned=tuple(banned))
    lets_all = default is not None and default["policy"] == "allow"
    return Ruling("ufw", OPEN if lets_all else NO_RULE, "Default: allow (incoming)" if lets_all else None,
                  first=first, last=last, banned=tuple(banned))  # fmt: skip


def _names_port(to: str) -> bool:
    return bool(re.match(r"\d", to))


def _rules(text: str) -> list[tuple[int, int, str, str, str, str]]:
    """(begin, end, to, action, way, from) of each rule, also where line breaks are lost."""
    rules = []
    actions = list(_ACTION.finditer(text)) if any(word in text for word in _ACTIONS) else []
    free_from = 0  # end of the rule before
    for position, found in enumerate(actions):
        line = text.rfind("\n", 0, found.start()) + 1
        begin = max(line, free_from)
        header = None
        for header in _HEADER.finditer(text, begin, found.start()):
            begin = header.end()
        to = _NUMBER.sub("", text[begin : found.start()]).strip()
        line_end = text.find("\n", found.end())
        line_end = line_end if line_end >= 0 else len(text)
        following = actions[position + 1].start() if position + 1 < len(actions) else len(text) + 1
        if following < line_end:  # the next rule stands on the same line: 'From' ends where its grammar does
            matched = _FROM.match(text, found.end(), following)
            end = matched.end() if matched else found.end()
        else:
            end = line_end
        source = text[found.end() : end].split("#", 1)[0].strip()
        free_from = end
        if to and source and len(to) < 100 and (_TO.match(to) or _SOURCE.match(source) or header):
            rules.append((begin, end, to, found["action"], found["way"] or "", source))
    return rules


def _applies(to: str, source: str, port: int, own: frozenset[str]) -> bool:
    """Whether the rule speaks of any IPv4 client's UDP to this host's SIP port."""
    if _V6.search(to) or _V6.search(source):
        return False
    target, origin = _TO.match(to), _SOURCE.match(source)
    if target is None or origin is None or origin["port"] or target["interface"]:
        return False
    place = target["place"] or ""
    if place and place.lower() != "anywhere" and place not in own:
        return False
    ports, _, proto = (target["ports"] or "").partition("/")
    if (proto or (target["proto"] or "").lstrip("/")).lower() not in ("", "udp"):
        return False
    if (origin["proto"] or "/udp").lower() != "/udp":
        return False
    return bool(place) if not ports else admits_port(ports, port)
