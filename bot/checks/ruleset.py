"""Which netfilter rules does this host have, as a packet from outside, or from one known address, meets them?

`nft list ruleset` shows native rules and those of iptables-nft, but prints the extensions of the latter badly
(`xt match "string"`), so the tables iptables keeps are taken from `iptables-save -c`. iptables-legacy keeps
tables nft does not know at all.

The judge of rulesets knows an arbitrary client: a rule that asks for a source or an interface does not decide.
On the host itself more is known. So a condition that this packet does fulfil is struck out before the rules are
read, and what is left is judged as always.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from bot.checks.check import NotTested, Probe
from bot.checks.command import Output, ask
from bot.model import Failure
from bot.parsers.firewall_iptables_save import read_save
from bot.parsers.firewall_nft import read_nft
from bot.parsers.firewall_rates import is_ample
from bot.parsers.firewall_rules import Chains, Ruleset, single_address

TOOL_S = 2.0
MOST_WORDS = 60_000  # so many the reader of nft takes
LEGACY_TABLES = Path("/proc/net/ip_tables_names")  # empty where iptables-legacy was never used
DENIED = re.compile(r"not permitted|ermission denied|must be root", re.I)


@dataclass(frozen=True, slots=True)
class Dump:
    """What the tools printed; '' where there is nothing. `sets`: members of ipset's sets by name."""

    nft: str
    saved: str
    sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Packet:
    """What is known about the packet: where it comes in and its answer goes out, and from whom (None: anybody)."""

    interfaces: frozenset[str]
    source: IPv4Address | None = None


async def dump(probe: Probe) -> Dump:
    """All rules of this network namespace.

    Raises NotTested: NO_PERMISSION without the right to see them, NO_TOOL where neither tool is installed.
    """
    native, saved, legacy = await asyncio.gather(
        _output(("nft", "list", "ruleset"), probe),
        _output(("iptables-save", "-c"), probe),
        _output(("iptables-legacy-save", "-c"), probe) if _has_legacy() else _nothing(),
    )
    if native is None and saved is None:
        raise NotTested(Failure.NO_TOOL, "neither nft nor iptables-save is installed")
    for output in (native, saved):
        if output is not None and output.exit_code:
            failure = Failure.NO_PERMISSION if DENIED.search(output.err) else Failure.UNREADABLE
            raise NotTested(failure, output.err.strip()[:200])
    texts = [output.out for output in (saved, legacy) if output is not None and not output.exit_code]
    both = "\n".join(dict.fromkeys(texts))
    sets = await _ip_sets(probe) if "--match-set" in both else {}
    return Dump(native.out if native is not None else "", both, sets)


async def _output(argv: tuple[str, ...], probe: Probe) -> Output | None:
    try:
        return await ask(argv, probe.env, limit_s=TOOL_S)
    except NotTested as end:
        if end.failure is Failure.NO_TOOL:
            return None
        raise


async def _nothing() -> None:
    return None


def _has_legacy() -> bool:
    try:
        return bool(LEGACY_TABLES.read_text("ascii").strip())
    except OSError:
        return False


async def _ip_sets(probe: Probe) -> dict[str, tuple[str, ...]]:
    output = await _output(("ipset", "save"), probe)
    sets: dict[str, list[str]] = {}
    for line in output.out.splitlines() if output is not None else ():
        words = line.split()
        if len(words) > 2 and words[0] == "add":
            sets.setdefault(words[1], []).append(words[2])
    return {name: tuple(members) for name, members in sets.items()}


def outer_interfaces() -> frozenset[str]:
    """The interfaces a default route leads through: where the world comes in."""
    try:
        lines = Path("/proc/net/route").read_text("ascii").splitlines()[1:]
    except OSError:
        return frozenset()
    return frozenset(line.split()[0] for line in lines if line.split()[1:2] == ["00000000"])


def rules(dumped: Dump, packet: Packet, port: int, own: frozenset[str]) -> Ruleset:
    """The ruleset as the packet meets it. Tables are named 'nft …' and 'iptables …'.

    Raises NotTested(UNREADABLE) where there is text without a rule in it.
    """
    tables: list[tuple[str, Chains]] = []
    banned: list[str] = []
    kept = set(re.findall(r"^\*(\w+)$", dumped.saved, re.MULTILINE))
    if kept:
        reading = read_save(_strike_saved(dumped, packet), port)
        if reading is None:
            raise NotTested(Failure.UNREADABLE, "iptables-save printed tables without chains")
        # Only what was printed: the reader of pastes would think up an input chain that is missing.
        tables += [(f"iptables {name}", chains) for name, chains in reading[0].ruleset().tables if name in kept]
    if native := _native(dumped.nft, kept):
        text = "".join(_strike_table(table, packet) for table in native)
        if len(text.split()) + sum(text.count(mark) for mark in "\n,;") > MOST_WORDS:
            raise NotTested(Failure.UNREADABLE, "more nft rules than can be read")
        read = read_nft(text, port, own)
        if read is None:
            raise NotTested(Failure.UNREADABLE, "nft printed no table")
        tables += [(f"nft {name}", chains) for name, chains in read[0].tables]
        banned += [*read[0].sets_banned, *_listed(native)]
    return Ruleset(tuple(tables), tuple(dict.fromkeys(banned)))


def _native(text: str, kept: set[str]) -> list[str]:
    """The tables nft prints, each by itself, without the twins of those that iptables has printed."""
    twins = tuple(f"table ip {name} {{" for name in kept)
    return [table for table in NFT_TABLE.split(text) if table.startswith("table ") and not table.startswith(twins)]


SAVED_CONDITION = re.compile(
    r"(?P<not>! )?(?:-s (?P<source>[0-9./]+)|-[io] (?P<interface>[\w.@+-]+)"
    r"|-m iprange(?P<not2> !)? --src-range (?P<range>[0-9.-]+)"
    r"|-m set(?P<not3> !)? --match-set (?P<set>[\w.:-]+) src)(?= |$)",
    re.MULTILINE,
)


def _strike_saved(dumped: Dump, packet: Packet) -> str:
    def strike(found: re.Match[str]) -> str:
        if found["interface"]:
            name = found["interface"]
            met = any(one == name or (name.endswith("+") and one.startswith(name[:-1])) for one in packet.interfaces)
            known = bool(packet.interfaces)
        else:
            members = dumped.sets.get(found["set"], ()) if found["set"] else (found["source"] or found["range"],)
            met = _among(packet.source, members)
            known = packet.source is not None
        negated = bool(found["not"] or found["not2"] or found["not3"])
        return _left(found[0], known, met, negated, "-m never")

    return SAVED_LIMIT.sub(_strike_ample, SAVED_CONDITION.sub(strike, dumped.saved))


SAVED_LIMIT = re.compile(r"-m (?:hash)?limit(?: --(?:hash)?limit[\w-]* \S+)+(?= [^\n]*-j ACCEPT)")
NFT_LIMIT = re.compile(r"\blimit rate \d+/\w+(?: burst \d+ packets)? (?=(?:counter packets \d+ bytes \d+ )?accept\b)")


def _strike_ample(found: re.Match[str]) -> str:
    """What is let in up to a rate no phone reaches is let in."""
    return "" if is_ample(found[0]) else found[0]


NFT_TABLE = re.compile(r"^(?=table )", re.MULTILINE)
BAN_TABLE = re.compile(r"table \w+ \S*(?:f2b|fail2ban|crowdsec|banned)", re.I)
NFT_SET = re.compile(r"^\tset ([\w.-]{1,64}) \{\n((?:\t\t[^\n]*\n)*)\t\}", re.MULTILINE)
NFT_ELEMENTS = re.compile(r"elements = \{([^}]*)\}")
NFT_CONDITION = re.compile(
    r"\b(?P<what>ip saddr|iifname|iif|oifname|oif) (?P<not>!= )?"
    r"(?:\{ (?P<list>[^{}\n]*) \}|(?P<set>@[\w.-]+)|(?P<one>\"[^\"\n]*\"|[0-9./-]+))(?= |$) ?",
    re.MULTILINE,
)


def _strike_table(table: str, packet: Packet) -> str:
    sets = {name: _elements(body) for name, body in NFT_SET.findall(table)}

    def strike(found: re.Match[str]) -> str:
        if found["set"]:
            members = sets.get(found["set"][1:], ())
        else:
            members = tuple(part.strip() for part in (found["list"] or found["one"]).split(","))
        if found["what"] == "ip saddr":
            met, known = _among(packet.source, members), packet.source is not None
        else:
            names = [member.strip('"') for member in members]
            met = any(_is_named(one, name) for one in packet.interfaces for name in names)
            known = bool(packet.interfaces)
        return _left(found[0], known, met, bool(found["not"]), "meta never 1 ")

    return NFT_LIMIT.sub(_strike_ample, NFT_CONDITION.sub(strike, NFT_SET.sub(_without_crowds, table)))


def _without_crowds(found: re.Match[str]) -> str:
    # A ban list of thousands is asked here, by address; the reader of rules has a limit and no use for it.
    crowded = "type ipv4_addr" in found[2] and found[2].count(",") > 500
    return NFT_ELEMENTS.sub("", found[0]) if crowded else found[0]


def _listed(tables: list[str]) -> list[str]:
    """Single addresses in the sets of tables that keep bans: fail2ban's sets have names of their own there."""
    sets = [_elements(body) for table in tables if BAN_TABLE.match(table) for _, body in NFT_SET.findall(table)]
    return [address for members in sets for member in members if (address := single_address(member))]


def _left(condition: str, known: bool, met: bool, negated: bool, never: str) -> str:
    """What stays of a condition: nothing when the packet fulfils it.

    'Not from there' is taken as true of an arbitrary client, so where it is false it must never match. Of the
    others the reader knows by itself that they do not match everybody.
    """
    if not known:
        return condition
    if met is not negated:
        return ""
    return never if negated else condition


def _is_named(interface: str, name: str) -> bool:
    return interface == name or (name.endswith("*") and interface.startswith(name[:-1]))


def _elements(body: str) -> tuple[str, ...]:
    """Members of a set, without `timeout 10m expires 9m` and the like."""
    return tuple(
        words[0] for listed in NFT_ELEMENTS.findall(body) for part in listed.split(",") if (words := part.split())
    )


def _among(source: IPv4Address | None, members: tuple[str, ...]) -> bool:
    return source is not None and any(_contains(member, source) for member in members)


def _contains(member: str, source: IPv4Address) -> bool:
    try:
        first, dash, last = member.partition("-")
        if dash:
            return IPv4Address(first) <= source <= IPv4Address(last)
        return source in IPv4Network(member, strict=False)
    except ValueError:
        return False
