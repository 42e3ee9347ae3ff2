"""What MicroSIP's log proves about the way of its packets, as findings."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv4Network

from bot.model import Context, Finding, Tag
from bot.parsers.microsip_log_trail import CREDENTIAL_REFUSED, Trail

# Addresses of a virtual adapter: shared (RFC 6598), link-local (RFC 3927), benchmark (RFC 2544, TUN proxies),
# OpenVPN's default, Hamachi and Radmin.
_VPN = tuple(
    IPv4Network(net)
    for net in ("100.64.0.0/10", "169.254.0.0/16", "198.18.0.0/15", "10.8.0.0/16", "25.0.0.0/8", "26.0.0.0/8")
)
_REQUEST = re.compile(r"REGISTER\s+sips?:([^\s;>@]{1,253})[^\n]{0,80}SIP/2\.0")
_DENIED = re.compile(r"(?<!\d)130013(?!\d)")  # WSAEACCES
_STUN_FAILED = re.compile(r"STUN\s+resolution\s+failed|STUN resolution for \S+ failed|PJNATH_ESTUN")
_BAD_NAMESERVER = re.compile(r"Error\s+setting\s+nameserver|(?<!\d)320044(?!\d)")
_SAYS = {
    200: Tag.PHONE_REGISTERED,
    404: Tag.PHONE_SAYS_NOT_FOUND,
    408: Tag.PHONE_SAYS_TIMEOUT,
    500: Tag.PHONE_SAYS_SERVER_ERROR,
    502: Tag.PHONE_SAYS_NO_SERVER,
    503: Tag.PHONE_SAYS_UNAVAILABLE,
}
_REPEATED = 3  # a request sent so often without any answer


def findings(trail: Trail, text: str, local_ip: str | None, context: Context) -> tuple[Finding, ...]:
    """Findings of the last attempt in `text`; `local_ip` is the address MicroSIP put into its Contact."""
    found = [
        *_ending(trail),
        *_answers(trail),
        *_target(trail, context),
        *_words(text, trail, context),
    ]
    if local_ip and _is_vpn(local_ip):
        found.append(Finding(Tag.PHONE_BEHIND_VPN, {"address": local_ip}))
    return tuple(found)


def _ending(trail: Trail) -> list[Finding]:
    if trail.unanswered:
        return [Finding(Tag.PHONE_SAYS_TIMEOUT)]
    code = trail.code
    if code is None:
        return []
    if code in (401, 407):
        refused = trail.error in CREDENTIAL_REFUSED
        return [Finding(Tag.PHONE_SAYS_WRONG_PASSWORD if refused else Tag.PHONE_GOT_401_STOPPED)]
    if code == 403:
        return [Finding(Tag.PHONE_GOT_403, {"reason": trail.reason})]
    if code == trail.answered_with == 502:
        return [Finding(Tag.PHONE_SAYS_SERVER_ERROR)]
    tag = _SAYS.get(code)
    return [Finding(tag) if tag else Finding(Tag.PHONE_SAYS_OTHER_CODE, {"code": code})]


def _answers(trail: Trail) -> list[Finding]:
    """What came back, where the registration did not succeed."""
    attempt = trail.attempt
    timed_out = trail.unanswered or trail.code == 408
    if trail.code == 200 and not trail.unanswered:
        return []
    found = []
    if attempt.challenged:
        found.append(Finding(Tag.PHONE_RECEIVES_401))
    ignored = attempt.last_cseq is not None and attempt.last_cseq in attempt.answers
    if timed_out and (ignored or attempt.discarded):
        found.append(Finding(Tag.PHONE_IGNORES_ANSWER))
    if timed_out and not attempt.answers and not attempt.discarded and attempt.retransmissions + 1 >= _REPEATED:
        found.append(Finding(Tag.PHONE_RECEIVES_NOTHING, {"count": attempt.retransmissions + 1}))
    return found


def _target(trail: Trail, context: Context) -> list[Finding]:
    """Where the packets went, against where they belong."""
    found = []
    host, address = trail.host, trail.address
    if host and not _ipv4(host) and host.removesuffix(".").casefold() != context.host.casefold():
        found.append(Finding(Tag.PHONE_RESOLVES_OTHER_NAME, {"host": host}))
    if address and context.expected_ips and address not in context.expected_ips:
        found.append(Finding(Tag.PHONE_SENDS_TO_WRONG_IP, {"address": address}))
    tcp = trail.transport in ("TCP", "TLS")
    if tcp and trail.transport:
        found.append(Finding(Tag.PHONE_USES_TCP, {"transport": trail.transport.casefold()}))
    elif trail.port and trail.port != context.sip_port:  # TLS has a port of its own
        found.append(Finding(Tag.PHONE_USES_OTHER_PORT, {"port": trail.port}))
    return found


def _words(text: str, trail: Trail, context: Context) -> list[Finding]:
    found = []
    if _DENIED.search(text):
        found.append(Finding(Tag.PHONE_SEND_DENIED))
    if _STUN_FAILED.search(text):
        found.append(Finding(Tag.PHONE_STUN_FAILED))
    if _BAD_NAMESERVER.search(text):
        found.append(Finding(Tag.PHONE_BAD_NAMESERVER))
    names = [found[1] for found in _REQUEST.finditer(text) if found.start() > trail.resolved_at]
    host = names[-1].partition(":")[0] if names else trail.host
    if host and host.casefold() == context.host.casefold():
        found.append(Finding(Tag.PHONE_REGISTERS_NAME, {"host": host}))
    return found


def _ipv4(text: str) -> IPv4Address | None:
    try:
        return IPv4Address(text)
    except AddressValueError:
        return None


def _is_vpn(text: str) -> bool:
    address = _ipv4(text)
    return address is not None and any(address in net for net in _VPN)
