"""May a client's packet reach the SIP port of this host: anybody's, and this user's?

Every ruleset the kernel has is read, for each tool shows its own only: ufw may say ALLOW and `iptables -S` be
clean while a native nft rule drops everything. Where the user's address is known it is asked for him, too: a
ban, or an office that alone is let in. When a re-check is asked for, the counters are read twice.
"""

from __future__ import annotations

import ast
import asyncio
import re
import time
from collections.abc import Mapping
from ipaddress import IPv4Address

from bot.checks.check import NotTested, Probe
from bot.checks.command import ask
from bot.checks.here import require_here
from bot.checks.ruleset import Packet, dump, outer_interfaces, rules
from bot.model import Finding, Tag, Target
from bot.parsers.firewall_rates import of_limit, starves_a_phone
from bot.parsers.firewall_rules import BLOCKED, NO_RULE, Judgement, Rule, Ruleset, judge

BUDGET_S = 6.0
BETWEEN_S = 1.0
MEMORY_S = 300.0  # a counter seen longer ago says nothing about the moment the user pressed
MOST_BANS = 100
MEMORY = "firewall counters"
COUNTER = re.compile(r"counter packets [0-9]+ bytes [0-9]+ ?")
OTHER_JAIL = re.compile(r"ssh|http|nginx|apache|web|mail|smtp|imap|pop3|postfix|dovecot|exim|ftp|sql|named", re.I)

Counters = Mapping[str, int]


async def check(target: Target, probe: Probe) -> tuple[Finding, ...]:
    """SERVER_FIREWALL_OPEN | _INACTIVE | _NO_RULE(tool) | _BLOCKS(tool, rule), for this user where he is known.

    Beside it SERVER_FIREWALL_LIMITS(rule) or _THROTTLES(rule), _BLOCKS_ANSWERS(rule), _COUNTER_ROSE(rule, packets),
    SERVER_BANS(addresses), USER_IP_BANNED(address).
    """
    await require_here(target, probe)
    jails, ruleset = await asyncio.gather(_jails(probe), _read(target, probe, None))
    everybody = decided = judge(ruleset)
    source = _source(target.user_ip)
    if source is not None:
        ruleset = await _read(target, probe, source)
        decided = judge(ruleset)
    banned = decided.status == BLOCKED != everybody.status
    found = [*_status(everybody if banned else decided, ruleset)]
    limits = sorted((COUNTER.sub("", rule.text) for rule in everybody.limits), key=starves_a_phone, reverse=True)
    found += [of_limit(rule) for rule in limits[:1]]
    if everybody.answers_blocked:
        found.append(Finding(Tag.SERVER_FIREWALL_BLOCKS_ANSWERS, {"rule": everybody.answers_blocked}))
    found += await _counted(target, probe, decided, source)
    addresses = dict.fromkeys((*everybody.banned, *(one for jail in jails.values() for one in jail)))
    if addresses:
        found.append(Finding(Tag.SERVER_BANS, {"addresses": tuple(addresses)[:MOST_BANS]}))
    if source is not None and (banned or _is_jailed(source, jails)):
        found.append(Finding(Tag.USER_IP_BANNED, {"address": str(source)}))
    return tuple(found)


async def keeps_out(source: IPv4Address, target: Target, probe: Probe) -> bool:
    """Whether a ban, and not what meets everybody, keeps this address from the SIP port. Raises NotTested."""
    jails, ruleset = await asyncio.gather(_jails(probe), _read(target, probe, None))
    if _is_jailed(source, jails):
        return True
    return judge(await _read(target, probe, source)).status == BLOCKED != judge(ruleset).status


def _is_jailed(source: IPv4Address, jails: Mapping[str, list[str]]) -> bool:
    return any(str(source) in jail for name, jail in jails.items() if not OTHER_JAIL.search(name))


async def _read(target: Target, probe: Probe, source: IPv4Address | None) -> Ruleset:
    dumped = await probe.once("netfilter rules", lambda: dump(probe))
    packet = Packet(outer_interfaces(), source)
    # A ban list of thousands takes a while to read; the other checks must not wait for it.
    return await asyncio.to_thread(rules, dumped, packet, target.sip_port, target.expected_ips)


def _source(user_ip: str | None) -> IPv4Address | None:
    try:
        return IPv4Address(user_ip) if user_ip else None
    except ValueError:
        return None


def _status(judged: Judgement, ruleset: Ruleset) -> list[Finding]:
    tool = _tool(judged.rule, ruleset)
    if judged.status == BLOCKED and judged.rule is not None:
        return [Finding(Tag.SERVER_FIREWALL_BLOCKS, {"tool": tool, "rule": COUNTER.sub("", judged.rule.text)})]
    if judged.status == NO_RULE:
        return [Finding(Tag.SERVER_FIREWALL_NO_RULE, {"tool": tool})]
    active = any(
        chain.hook is not None and chain.hook != "other" and (chain.rules or chain.policy == "drop")
        for _, chains in ruleset.tables
        for chain in chains.values()
    )
    return [Finding(Tag.SERVER_FIREWALL_OPEN if active else Tag.SERVER_FIREWALL_INACTIVE)]


def _tool(rule: Rule | None, ruleset: Ruleset) -> str:
    """The program somebody has to use to change it: 'ufw' and 'firewalld' before what they are made of."""
    for name, chains in ruleset.tables:
        deciding = [one for one in chains.values() if rule is None or rule in one.rules]
        drops = rule is not None or any(one.policy == "drop" for one in deciding)
        if not deciding or not drops:
            continue
        if any(chain.startswith("ufw-") for chain in chains) and (rule is None or "ufw" in deciding[0].name):
            return "ufw"
        if name == "nft inet firewalld":
            return "firewalld"
        return name.partition(" ")[0]
    return "iptables"


async def _counted(target: Target, probe: Probe, judged: Judgement, source: IPv4Address | None) -> list[Finding]:
    """SERVER_FIREWALL_COUNTER_ROSE where a rule that blocks met packets since we looked last."""
    now = _counters(judged)
    seen_at, before = _remembered(probe)
    if probe.fresh and now:
        await asyncio.sleep(BETWEEN_S)
        dumped = await dump(probe)
        again = rules(dumped, Packet(outer_interfaces(), source), target.sip_port, target.expected_ips)
        before, seen_at = {**now, **(before if time.monotonic() - seen_at < MEMORY_S else {})}, time.monotonic()
        now = _counters(judge(again))
    probe.memory[MEMORY] = (time.monotonic(), now)
    if time.monotonic() - seen_at >= MEMORY_S:
        return []
    rose = {rule: packets - before[rule] for rule, packets in now.items() if packets > before.get(rule, packets)}
    return [
        Finding(Tag.SERVER_FIREWALL_COUNTER_ROSE, {"rule": rule, "packets": packets}) for rule, packets in rose.items()
    ][:1]


def _remembered(probe: Probe) -> tuple[float, Counters]:
    match probe.memory.get(MEMORY):
        case (float(at), dict(counters)):
            return at, counters
    return float("-inf"), {}


def _counters(judged: Judgement) -> dict[str, int]:
    """Of the rules that block phones: what a limit of many packets drops is a flood."""
    blocking = [judged.rule] if judged.status == BLOCKED and judged.rule is not None else []
    blocking += [rule for rule in judged.limits if starves_a_phone(rule.text)]
    return {COUNTER.sub("", rule.text): rule.packets for rule in blocking if rule.packets is not None}


async def _jails(probe: Probe) -> dict[str, list[str]]:
    """fail2ban's banned addresses by jail; empty where it is not installed, not running or not for us."""
    try:
        output = await probe.once("fail2ban", lambda: ask(("fail2ban-client", "banned"), probe.env, limit_s=2.0))
        listed = ast.literal_eval(output.out.strip()) if not output.exit_code else []
    except (NotTested, ValueError, SyntaxError, MemoryError, RecursionError):
        return {}
    jails: dict[str, list[str]] = {}
    for entry in listed if isinstance(listed, list) else ():
        for name, addresses in entry.items() if isinstance(entry, dict) else ():
            jails[str(name)] = [str(one) for one in addresses] if isinstance(addresses, list) else []
    return jails
