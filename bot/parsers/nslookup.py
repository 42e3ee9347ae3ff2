"""Whether the user's resolver gives the PBX's address: nslookup, dig, host, getent, Resolve-DnsName, resolvectl.

    Server:  UnKnown
    Address:  192.168.1.1

    Non-authoritative answer:
    Name:    call.soundz.uz
    Address:  69.62.127.9

Read by shape: the first 'label: name / Address:' pair is the DNS server, the later ones are answers, whatever
the labels' language or code page. An address always wins over the failures printed beside it (a sloppy server
answers NXDOMAIN for AAAA after a good A).
"""

from __future__ import annotations

from bot.model import Context, Finding, Kind, Reading, Tag
from bot.parsers.lookup_groups import Lookup, lookups
from bot.parsers.page import Claim, Page

_MOST = 512  # lookups of a page, the last ones; nobody pastes more
_TAGS = {
    "wrong_ip": Tag.USER_DNS_WRONG_IP,
    "nxdomain": Tag.USER_DNS_NXDOMAIN,
    "timeout": Tag.USER_DNS_TIMEOUT,
    "servfail": Tag.USER_DNS_SERVFAIL,
    "refused": Tag.USER_DNS_REFUSED,
    "no_address": Tag.USER_DNS_NO_ADDRESS,
    "error": Tag.USER_DNS_ERROR,
}


def parse(page: Page, context: Context) -> list[Claim]:
    """One claim a lookup, in text order; of an interactive session the last lookup only.

    Facts: `addresses` (list, as printed), `host` (the looked-up name; the PBX's when the text has lost it),
    `resolver` (the name server, where one was asked by hand: it is not the PC's own).
    """
    found, page = lookups(page, context)[-_MOST:], page.squeezed()
    claims = []
    last_typed = {lookup.session: number for number, lookup in enumerate(found) if lookup.interactive}
    for number, lookup in enumerate(found):
        if number < last_typed.get(lookup.session, 0):
            continue
        if reading := _reading(lookup, context):
            first, last = page.line_at(lookup.first), page.line_at(lookup.last)
            claims.append(Claim(first, last, reading, lookup.first))
    return claims


def _reading(lookup: Lookup, context: Context) -> Reading | None:
    if lookup.answers:
        right = not context.expected_ips or not context.expected_ips.isdisjoint(lookup.answers)
        status: str | None = "ok" if right else "wrong_ip"
    else:
        status = lookup.status
    if status is None:
        return None
    host = lookup.host
    addresses = tuple(dict.fromkeys(lookup.answers))
    ours = host in (None, context.host) or context.host in lookup.names or context.host in lookup.aliases
    if not lookup.asked and addresses and context.expected_ips.issuperset(addresses):
        ours = True  # the command is lost and the canonical name of the PBX is left
    if not ours:
        finding = Finding(Tag.USER_LOOKED_UP_OTHER_NAME, {"host": host})
    elif status == "ok":
        tag = Tag.USER_DNS_OK if context.expected_ips else Tag.USER_DNS_ANSWERS
        finding = Finding(tag, {"addresses": addresses})
    elif status == "wrong_ip":
        finding = Finding(Tag.USER_DNS_WRONG_IP, {"addresses": addresses})
    else:
        finding = Finding(_TAGS[status])
    facts: dict[str, object] = {"addresses": list(addresses), "host": host or context.host}
    if lookup.resolver:
        facts["resolver"] = lookup.resolver
    return Reading(Kind.NSLOOKUP, _tool(lookup), status, facts, (finding,))


def _tool(lookup: Lookup) -> str:
    named = next((tool for tool in lookup.tools if tool != "nslookup"), None)
    if named:
        return named if named != "systemd-resolve" else "resolvectl"
    reached = lookup.troubles and not lookup.server
    return "bind-nslookup" if reached else "windows-nslookup"
