"""Where is an address banned on this host, and which command takes it out? One reader a tool, in the order they lie
upon each other: what fail2ban did through ufw or nft is fail2ban's to undo.

An Entry's `argv` deletes exactly that entry. `Denied` is raised by a reader whose tool is there and refuses us.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.checks.check import NotTested
from bot.checks.command import Output, ask
from bot.checks.firewall import OTHER_JAIL
from bot.model import Failure

READ_S = 10.0
JAIL = re.compile(r"[A-Za-z0-9_][\w.-]{0,63}")
UFW_LINE = re.compile(
    r"\[ *(?P<number>\d{1,4})\] +(?P<to>\S.*?) +(?:DENY|REJECT)(?: IN)? +(?P<source>[0-9A-Fa-f.:]{3,45}(?:/\d{1,3})?)"
    r"(?=\s|$)"
)
DROPS = re.compile(r" -j (?:DROP|REJECT)\b")


class Denied(Exception):  # noqa: N818 - an answer, not an error of the program
    """The tool is installed, and we may not read its list."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One place where the address is kept out, and the command that deletes it."""

    argv: tuple[str, ...]


Reader = Callable[[str, Mapping[str, str], frozenset[str]], Awaitable[list[Entry]]]


async def fail2ban(ip: str, env: Mapping[str, str], denied: frozenset[str]) -> list[Entry]:
    """Jails that are not another service's."""
    output = await _read(("fail2ban-client", "banned"), env)
    if output is None or output.exit_code:
        return []  # not installed, or its server does not run: then it keeps nobody out
    try:
        listed = ast.literal_eval(output.out.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return []
    jails = (
        [jail for one in listed if isinstance(one, dict) for jail in one.items()] if isinstance(listed, list) else []
    )
    return [
        Entry(("fail2ban-client", "set", name, "unbanip", ip))
        for name, addresses in jails
        if isinstance(addresses, list) and ip in map(str, addresses) and _is_ours(str(name))
    ]


async def ufw(ip: str, env: Mapping[str, str], denied: frozenset[str]) -> list[Entry]:
    """Numbered rules, from the last to the first: a deletion moves up those below."""
    output = await _read(("ufw", "status", "numbered"), env)
    if output is None or output.exit_code:
        return []
    numbers = [
        int(found["number"])
        for found in UFW_LINE.finditer(output.out)
        if found["source"].removesuffix("/32") == ip and not _other_service(found["to"])
    ]
    return [Entry(("ufw", "--force", "delete", str(number))) for number in sorted(numbers, reverse=True)]


async def iptables(ip: str, env: Mapping[str, str], denied: frozenset[str]) -> list[Entry]:
    """Rules for this source alone, but ufw's own and, where fail2ban refuses us, fail2ban's."""
    program = "ip6tables" if ":" in ip else "iptables"
    output = await _read((f"{program}-save",), env)
    table, entries = "filter", []
    source = f"-s {ip}/{128 if ':' in ip else 32} "
    for line in (output.out if output and not output.exit_code else "").splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith("-A ") and source in line and DROPS.search(line):
            words = shlex.split(line)
            if " -p tcp" not in line and not _is_anothers(words[1], denied):
                entries.append(Entry((program, "-t", table, "-D", *words[1:])))
    return entries


async def nft(ip: str, env: Mapping[str, str], denied: frozenset[str]) -> list[Entry]:
    """Native rules for this source alone, and sets that such a rule drops by. iptables' own tables are not touched."""
    output = await _read(("nft", "-j", "list", "ruleset"), env)
    if output is None or output.exit_code:
        return []
    try:
        objects = json.loads(output.out)["nftables"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    objects = [one for one in objects if isinstance(one, dict)]
    rules = [rule for one in objects if isinstance(rule := one.get("rule"), dict)]
    dropping = {(rule.get("family"), rule.get("table"), name) for rule in rules for name in _sources(rule)}
    entries = []
    for rule in rules:
        if ip in _sources(rule) and not _is_anothers(str(rule.get("chain")), denied):
            where = (str(rule["family"]), str(rule["table"]), str(rule["chain"]))
            entries.append(Entry(("nft", "delete", "rule", *where, "handle", str(rule["handle"]))))
    for held in (one["set"] for one in objects if isinstance(one.get("set"), dict)):
        where = (str(held.get("family")), str(held.get("table")), str(held.get("name")))
        known = (held.get("family"), held.get("table"), f"@{held.get('name')}") in dropping
        if known and ip in _elements(held) and not _is_anothers(f"{where[1]} {where[2]}", denied):
            entries.append(Entry(("nft", "delete", "element", *where, "{", ip, "}")))
    return entries


LISTS: dict[str, Reader] = {"fail2ban": fail2ban, "ufw": ufw, "iptables": iptables, "nft": nft}


def _sources(rule: Mapping[str, Any]) -> Iterator[str]:
    """The address, or '@set', by which a native rule drops packets that may be SIP's."""
    parts = [part for part in rule.get("expr", ()) if isinstance(part, dict)]
    said = json.dumps(parts)
    if not any("drop" in part or "reject" in part for part in parts) or '"xt"' in said or '"tcp"' in said:
        return
    for part in parts:
        match = part.get("match")
        if not isinstance(match, dict) or match.get("op") not in ("==", "in"):
            continue
        left, right = match.get("left"), match.get("right")
        payload = left.get("payload") if isinstance(left, dict) else None
        if isinstance(payload, dict) and payload.get("field") == "saddr" and isinstance(right, str):
            yield right


def _elements(held: Mapping[str, Any]) -> set[str]:
    """The single addresses of a set, with or without a time limit."""
    elements = held.get("elem", ())
    plain = [one["elem"].get("val") if isinstance(one, dict) and "elem" in one else one for one in elements]
    return {one for one in plain if isinstance(one, str)}


def _is_ours(jail: str) -> bool:
    return JAIL.fullmatch(jail) is not None and not OTHER_JAIL.search(jail)


def _other_service(to: str) -> bool:
    """ufw's 'To' of a rule that cannot be SIP's."""
    return "/tcp" in to or "(v6)" in to


def _is_anothers(chain: str, denied: frozenset[str]) -> bool:
    """Another service's chain, ufw's own, or fail2ban's while it refuses us: it would not ban again there."""
    if chain.startswith("ufw-"):
        return True
    by_it = "f2b" in chain or "fail2ban" in chain
    return by_it and ("fail2ban" in denied or OTHER_JAIL.search(chain) is not None)


async def _read(argv: tuple[str, ...], env: Mapping[str, str]) -> Output | None:
    """What the tool printed; None when it is not installed. Raises Denied when it refuses us."""
    try:
        output = await ask(argv, env, limit_s=READ_S)
    except NotTested as end:
        if end.failure is Failure.NO_TOOL:
            return None
        raise Denied from end
    said = output.err + output.out[:2000]
    if output.exit_code and re.search(r"permi(?:tted|ssion)|be root|root to run", said, re.I):
        raise Denied
    return output
