"""Whom does fail2ban keep out? `fail2ban-client status JAIL` and `fail2ban-client banned`.

Status for the jail: call-soundz
   |- Currently banned: 1
   `- Banned IP list:   10.99.0.2
"""

from __future__ import annotations

import re

from bot.parsers.firewall_rules import BANS, single_address
from bot.parsers.firewall_ruling import Ruling

_JAIL = re.compile(r"Status for the jail:\s*(?P<jail>[\w.-]{1,64})")
_JAILS = re.compile(r"Number of jail:\s*\d+")
_LIST = re.compile(r"Banned IP list:(?P<addresses>(?:\s+[\d.:a-f/]{3,45}(?!\S)){0,4000})", re.I)
_BANNED = re.compile(r"\[(?:\{'[\w.-]{1,64}': \[(?:'[\d.:a-f/]{3,45}'(?:, )?){0,4000}\]\}(?:, )?){1,200}\]", re.I)
_QUOTED = re.compile(r"'([\d.]{7,15})'")


def read_fail2ban(text: str) -> Ruling | None:
    """The banned IPv4 addresses of every jail printed, or None where nothing looks like fail2ban-client."""
    spans: list[tuple[int, int]] = []
    banned: list[str] = []
    for found in _LIST.finditer(text):
        spans.append(found.span())
        banned += [word for word in found["addresses"].split() if single_address(word)]
    for found in _BANNED.finditer(text):
        spans.append(found.span())
        banned += [address for address in _QUOTED.findall(found[0]) if single_address(address)]
    spans += [found.span() for pattern in (_JAIL, _JAILS) for found in pattern.finditer(text)]
    if not spans:
        return None
    first, last = min(begin for begin, _ in spans), max(end for _, end in spans)
    return Ruling("fail2ban", BANS, None, first, last, banned=tuple(dict.fromkeys(banned)))
