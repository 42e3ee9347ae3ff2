"""Takes one address out of this host's ban lists: fail2ban's, ufw's, iptables' and nft's, as far as we may.

    lifted = await lift("94.158.52.31", target, os.environ)
    lifted.outcome      # Outcome.LIFTED | NOT_BANNED | NO_RIGHTS | ELSEWHERE | FAILED
    lifted.commands     # ('fail2ban-client set call-soundz unbanip 94.158.52.31',): run, or for a person to run

Only ever done because a person of the staff pressed a button. The address is parsed before it goes anywhere, every
command is an argument list, there is no shell. What is banned for its tries at another service (ssh) stays banned.
"""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.ban_lists import LISTS, Denied, Entry
from bot.checks.check import NotTested, Probe
from bot.checks.command import ask
from bot.checks.here import on_this_host
from bot.model import Target

ONE_COMMAND_S = 15.0  # fail2ban locks its database meanwhile; ufw loads its rules anew
MOST_ENTRIES = 32
DENIED_WORDS = ("permission denied", "operation not permitted", "need to be root", "must be root")


class Outcome(StrEnum):
    """How it ended."""

    LIFTED = "lifted"  # it was in a list, and is in none now
    NOT_BANNED = "not_banned"  # all lists were read, it is in none
    NO_RIGHTS = "no_rights"  # `commands` are for a person with the rights
    ELSEWHERE = "elsewhere"  # the PBX runs on another host: the same
    FAILED = "failed"  # the commands were run, and it is still in a list


@dataclass(frozen=True, slots=True)
class Lifted:
    """The end of an attempt; `commands` as one types them."""

    outcome: Outcome
    commands: tuple[str, ...] = ()


async def lift(address: str, target: Target, env: Mapping[str, str]) -> Lifted:
    """Unbans the address where it is banned from SIP. Raises ValueError for what is no single host's address."""
    ip = host_address(address)
    if not await _is_here(target, env):
        return Lifted(Outcome.ELSEWHERE, by_hand(ip))
    done: list[str] = []
    left: list[str] = []
    denied: set[str] = set()
    for name, entries_of in LISTS.items():
        try:
            entries = await entries_of(ip, env, frozenset(denied))
        except Denied:
            denied.add(name)
            continue
        for entry in entries[:MOST_ENTRIES]:
            (done if await _run(entry, env) else left).append(shlex.join(entry.argv))
    if left:
        return Lifted(Outcome.NO_RIGHTS, tuple(left))
    if await _still_there(ip, env, frozenset(denied)):
        return Lifted(Outcome.FAILED, tuple(done))
    if done:
        return Lifted(Outcome.LIFTED, tuple(done))
    return Lifted(Outcome.NO_RIGHTS, by_hand(ip)) if denied else Lifted(Outcome.NOT_BANNED)


def host_address(address: str) -> str:
    """The address in its one way of writing. Raises ValueError for none, a network, a zone, or nobody's address."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address) and ip.scope_id:
        raise ValueError("an address with a zone")
    if ip.is_unspecified or ip.is_multicast or ip.is_loopback:
        raise ValueError("no user's address")
    return str(ip)


def by_hand(ip: str) -> tuple[str, ...]:
    """Where the lists cannot be read from here: what a person types first. The first one asks all jails."""
    return (f"fail2ban-client unban {ip}", f"ufw delete reject from {ip}", f"nft list ruleset | grep -n {ip}")


async def _run(entry: Entry, env: Mapping[str, str]) -> bool:
    """Whether we were allowed to; whether it helped is looked at afterwards."""
    try:
        output = await ask(entry.argv, env, limit_s=ONE_COMMAND_S)
    except NotTested:
        return False
    said = (output.out + output.err).casefold()
    return not (output.exit_code and any(words in said for words in DENIED_WORDS))


async def _still_there(ip: str, env: Mapping[str, str], denied: frozenset[str]) -> bool:
    for name, entries_of in LISTS.items():
        if name in denied:
            continue
        try:
            if await entries_of(ip, env, denied):
                return True
        except Denied:
            continue
    return False


async def _is_here(target: Target, env: Mapping[str, str]) -> bool:
    try:
        return await on_this_host(target, Probe(env))
    except NotTested:  # no resolver tells: then our own lists are not touched
        return False
