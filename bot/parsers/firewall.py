"""May an arbitrary IPv4 client send UDP to the SIP port? Every firewall tool's output in a paste, in text order.

Status: active

To                         Action      From
--                         ------      ----
5060/udp                   ALLOW       Anywhere
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.model import Context, Finding, Kind, Reading, Tag
from bot.parsers.firewall_denied import read_denied, tool_of
from bot.parsers.firewall_fail2ban import read_fail2ban
from bot.parsers.firewall_firewalld import read_firewalld
from bot.parsers.firewall_iptables import read_iptables
from bot.parsers.firewall_netsh import read_netsh
from bot.parsers.firewall_nft import read_nft
from bot.parsers.firewall_nft_json import read_json
from bot.parsers.firewall_rates import of_limit
from bot.parsers.firewall_rules import BANS, BLOCKED, INACTIVE, NO_RULE, OPEN, judge
from bot.parsers.firewall_ruling import Ruling, ruling_of
from bot.parsers.firewall_ufw import read_ufw
from bot.parsers.outputs import Output, outputs
from bot.parsers.page import Claim, Page

_CHANGES = re.compile(  # commands that print no rules: their silence says nothing
    r"\b(?:allow|deny|reject|limit|delete|enable|disable|reload|insert|add|set|reset|flush)\b|\s-(?:A|I|D|F|P|X|N|Z|R)\b|--(?:add|remove|reload)"
)
_AGAIN = re.compile(  # where the same tool's next output begins although no prompt was pasted
    r"(?<![^\n])(?=Chain INPUT \(|-P INPUT |\*filter(?!\S)|Status: |\s*To\s+Action\s+From)"
)

_MOST_PIECES = 16  # outputs of one tool without a prompt between them


def parse(page: Page, context: Context) -> list[Claim]:
    """A claim for every output of a firewall tool. Facts: port, proto, rule, banned, output_blocked."""
    claims = []
    for output in outputs(page):
        for first, last, ruling in _rulings(output, context):
            claims.append(Claim(first, last, _reading(ruling, context)))
    return claims


def _rulings(output: Output, context: Context) -> Iterator[tuple[int, int, Ruling]]:
    """(first line, last line, ruling) of everything a stretch of the page says about the firewall."""
    asked = tool_of(output.command)
    if output.silent:
        if asked in ("ufw", "iptables", "nft", "firewalld") and not _CHANGES.search(output.command or ""):
            yield output.first, output.last, _empty(asked, output.command or "")
        return
    claimed: list[tuple[int, int]] = []
    for offset, piece in _pieces(output.text):
        for ruling in sorted(_read(piece, output, context), key=lambda found: found.first - found.last):
            first = output.line_of(offset + ruling.first + _blanks(piece[ruling.first :]))
            last = output.line_of(offset + max(ruling.first, ruling.last - 1))
            if all(last < begin or end < first for begin, end in claimed):
                claimed.append((first, last))
                yield first, max(first, last), ruling


def _blanks(text: str) -> int:
    return len(text[:200]) - len(text[:200].lstrip())


def _pieces(text: str) -> list[tuple[int, str]]:
    """The text cut where a tool's output begins a second time."""
    seen: set[str] = set()
    cuts = [0]
    for found in _AGAIN.finditer(text):
        word = text[found.start() : found.start() + 40].split("\n")[0].split("(")[0].strip()
        if word in seen and len(cuts) < _MOST_PIECES:
            seen = {word}
            cuts.append(found.start())
        seen.add(word)
    return [(begin, text[begin:end]) for begin, end in zip(cuts, [*cuts[1:], len(text)], strict=True)]


def _read(text: str, output: Output, context: Context) -> Iterator[Ruling]:
    """What each grammar reads; the words that every text of a grammar holds spare the others' time."""
    port, own, command = context.sip_port, context.expected_ips, output.command
    if _any(text, "hook ", "table ", "chain ", "dport", "l4proto", "nftables"):
        read = read_json(text, port, own) if '"nftables"' in text else read_nft(text, port, own)
        if read:
            yield ruling_of("nft", judge(read[0]), read[1], read[2])
    marks = ("-A ", "-P ", "-N ", "*filter", "*nat", "*mangle", "*raw", "Chain ", " -- ", " -f ", "prot ")
    if _any(text, *marks) and (ruling := read_iptables(text, command, port)):
        yield ruling
    if ruling := read_ufw(text, port, own):
        yield ruling
    if ruling := read_firewalld(text, command, port):
        yield ruling
    if ruling := read_netsh(text, port):
        yield ruling
    if _any(text, "jail", "anned", "': ['") and (ruling := read_fail2ban(text)):
        yield ruling
    if ruling := read_denied(text, command):
        yield ruling


def _any(text: str, *marks: str) -> bool:
    return any(mark in text for mark in marks)


def _empty(tool: str, command: str) -> Ruling:
    """A command that ran and printed nothing: no rules at all, or nothing that grep would show."""
    if tool == "nft" and "|" not in command and "ruleset" in command:
        return Ruling(tool, OPEN)
    return Ruling(tool, NO_RULE, silent=tool != "firewalld")


def _reading(ruling: Ruling, context: Context) -> Reading:
    facts: dict[str, object] = {"port": context.sip_port, "proto": "udp"}
    if ruling.rule:
        facts["rule"] = ruling.rule
    if ruling.banned:
        facts["banned"] = list(ruling.banned)
    if ruling.answers_blocked:
        facts["output_blocked"] = True
    return Reading(Kind.FIREWALL, ruling.tool, ruling.status, facts, tuple(_findings(ruling)))


_USERS = {OPEN: Tag.USER_FIREWALL_OPEN, BLOCKED: Tag.USER_FIREWALL_BLOCKS, NO_RULE: Tag.USER_FIREWALL_NO_RULE}


def _findings(ruling: Ruling) -> Iterator[Finding]:
    """netsh describes the user's PC, every other tool the PBX host; not knowing is never a finding."""
    if ruling.tool == "netsh":
        if ruling.status in _USERS:
            yield Finding(_USERS[ruling.status])
        return
    tool = ruling.tool
    if ruling.status == OPEN:
        yield Finding(Tag.SERVER_FIREWALL_OPEN)
    elif ruling.status == INACTIVE:
        yield Finding(Tag.SERVER_FIREWALL_INACTIVE)
    elif ruling.status == BLOCKED:
        yield Finding(Tag.SERVER_FIREWALL_BLOCKS, {"tool": tool, "rule": ruling.rule})
    elif ruling.status == NO_RULE and not ruling.silent:
        yield Finding(Tag.SERVER_FIREWALL_NO_RULE, {"tool": tool})
    yield from map(of_limit, ruling.limits)
    if ruling.answers_blocked:
        yield Finding(Tag.SERVER_FIREWALL_BLOCKS_ANSWERS, {"rule": ruling.answers_blocked})
    if ruling.banned and ruling.status in (BANS, OPEN, BLOCKED, NO_RULE):
        yield Finding(Tag.SERVER_BANS, {"addresses": ruling.banned})
