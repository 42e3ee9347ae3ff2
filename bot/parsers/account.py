"""Which of MicroSIP's account settings keep it from registering here, read from its INI or from a picture.

Fields: {"server": "call.soundz.uz:5061", "transport": "TCP", "login": None}, checks: {"ice": True}.
None, or no key at all, is 'not seen' and gives no finding; "" is 'seen, and empty'.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Address

from bot.model import Context, Finding, Tag

DEFAULT_SIP_PORT = 5060

# 'Auto' in the languages of MicroSIP's packs; "" is how the INI stores it.
AUTO_ADDRESSES = frozenset({"", "auto", "авто", "avtomatik", "автоматик"})

# Registering is decided by these; the rest of the dialog is about calls, or is not always in sight.
KEY_FIELDS = ("server", "proxy", "username", "domain", "login", "transport", "public_address")
KEY_CHECKS = ("ice", "allow_rewrite")

_HOST_PORT = re.compile(r"([^:]*):(\d{1,5})")


def judge_account(
    fields: Mapping[str, str | None],
    checks: Mapping[str, bool | None],
    context: Context,
    *,
    password_empty: bool | None = None,
    active: bool | None = None,
) -> tuple[Finding, ...]:
    """What is wrong for the PBX of `context`; ACCOUNT_RIGHT when all that counts was seen and is right.

    `fields` and `checks` carry the names of MicroSIP's dialogs (server, proxy, username, domain, login,
    transport, public_address, stun_server, nameserver; ice, allow_rewrite, stun_enabled, rport, dns_srv),
    values as shown.
    """
    seen = {name: value.strip() for name, value in fields.items() if value is not None}
    found = [
        *_active(active),
        *_server(seen, context),
        *_domain(seen, context),
        *_proxy(seen, context),
        *_transport(seen),
        *_names(seen, context),
        *_password(password_empty),
        *_switches(seen, checks),
        *_nameserver(seen, checks),
    ]
    if not found and _all_seen(seen, checks) and _judged(seen, context):
        return (Finding(Tag.ACCOUNT_RIGHT),)
    return tuple(found)


def right_server(context: Context) -> str:
    """What belongs into the SIP Server field: the host, with the port where it is not the usual one."""
    return context.host if context.sip_port == DEFAULT_SIP_PORT else f"{context.host}:{context.sip_port}"


def leads_to_pbx(value: str, context: Context, *, default_port: int | None = DEFAULT_SIP_PORT) -> bool | None:
    """Does `host[:port]` name the PBX? None: an address that cannot be judged, the right ones are not known.

    Outer white space and case do not count, white space inside does. `default_port` None: any is meant.
    """
    host, port = _split(value)
    if port is None:
        port = context.sip_port if default_port is None else default_port
    if port != context.sip_port:
        return False
    if host.removesuffix(".").casefold() == context.host.casefold() or host in context.expected_ips:
        return True
    address = _ipv4(host)
    if address is not None and not context.expected_ips and not (address.is_loopback or address.is_unspecified):
        return None
    return False


def _split(value: str) -> tuple[str, int | None]:
    value = value.strip()
    match = _HOST_PORT.fullmatch(value)
    return (match[1], int(match[2])) if match else (value, None)


def _ipv4(host: str) -> IPv4Address | None:
    try:
        return IPv4Address(host)
    except ValueError:
        return None


def _active(active: bool | None) -> list[Finding]:
    return [Finding(Tag.ACCOUNT_NOT_ACTIVE)] if active is False else []


def _server(seen: Mapping[str, str], context: Context) -> list[Finding]:
    value = seen.get("server")
    if value is None:
        return []
    if not value:
        return [Finding(Tag.ACCOUNT_SERVER_EMPTY)]
    return [] if leads_to_pbx(value, context) is not False else [_wrong("server", value, right_server(context))]


def _domain(seen: Mapping[str, str], context: Context) -> list[Finding]:
    value = seen.get("domain")
    if value is None or leads_to_pbx(value, context, default_port=None) is not False:
        return []
    return [_wrong("domain", value, context.host)]


def _wrong(field: str, value: str, expected: str) -> Finding:
    return Finding(Tag.ACCOUNT_SERVER_WRONG, {"field": field, "value": value, "expected": expected})


def proxy_harmless(value: str, context: Context) -> bool:
    """An empty proxy, or one that is the PBX itself. Several stand side by side, parted by spaces."""
    return all(leads_to_pbx(part.partition(";")[0], context) for part in value.split())


def _proxy(seen: Mapping[str, str], context: Context) -> list[Finding]:
    value = seen.get("proxy")
    if value is None or proxy_harmless(value, context):
        return []
    return [Finding(Tag.ACCOUNT_PROXY_SET, {"value": value})]


def _transport(seen: Mapping[str, str]) -> list[Finding]:
    value = seen.get("transport", "").casefold()
    return [Finding(Tag.ACCOUNT_TRANSPORT_WRONG, {"value": value})] if value in ("tcp", "tls") else []


def _names(seen: Mapping[str, str], context: Context) -> list[Finding]:
    found = []
    username, login = seen.get("username"), seen.get("login")
    # '1002@call.soundz.uz' in Username is wrong even where nobody knows the user's number yet.
    number = context.extension or (username.partition("@")[0] if username and "@" in username else None)
    if username is not None and number is not None and username != number:
        found.append(Finding(Tag.ACCOUNT_USERNAME_DIFFERS, {"username": username, "extension": number}))
    expected = username or context.extension
    if login and expected and login != expected:
        found.append(Finding(Tag.ACCOUNT_LOGIN_DIFFERS, {"login": login, "username": expected}))
    return found


def _password(empty: bool | None) -> list[Finding]:
    return [Finding(Tag.ACCOUNT_PASSWORD_EMPTY)] if empty else []


def _switches(seen: Mapping[str, str], checks: Mapping[str, bool | None]) -> list[Finding]:
    found = []
    if checks.get("ice"):
        found.append(Finding(Tag.ACCOUNT_ICE_ON))
    # MicroSIP stores the box as off when no server stands beside it.
    if checks.get("stun_enabled") and seen.get("stun_server") != "":
        found.append(Finding(Tag.ACCOUNT_STUN_ON))
    if checks.get("allow_rewrite"):
        found.append(Finding(Tag.ACCOUNT_REWRITE_ON))
    address = seen.get("public_address", "")
    if address.casefold() not in AUTO_ADDRESSES:
        found.append(Finding(Tag.ACCOUNT_PUBLIC_ADDRESS_SET, {"value": address}))
    if checks.get("rport") is False:
        found.append(Finding(Tag.ACCOUNT_RPORT_OFF))
    return found


def nameserver_usable(value: str) -> bool:
    """MicroSIP takes addresses only; a host name keeps its engine from starting."""
    return all(_ipv4(part) is not None for part in re.split(r"[\s,;]+", value) if part)


def _nameserver(seen: Mapping[str, str], checks: Mapping[str, bool | None]) -> list[Finding]:
    value = seen.get("nameserver", "")
    if not checks.get("dns_srv") or nameserver_usable(value):  # only used while DNS SRV is ticked
        return []
    return [Finding(Tag.ACCOUNT_NAMESERVER_BAD, {"value": value})]


def _all_seen(seen: Mapping[str, str], checks: Mapping[str, bool | None]) -> bool:
    return all(name in seen for name in KEY_FIELDS) and all(checks.get(name) is not None for name in KEY_CHECKS)


def _judged(seen: Mapping[str, str], context: Context) -> bool:
    """An address that cannot be judged, or a user name left empty, is no proof of a right account."""
    server = leads_to_pbx(seen["server"], context)
    domain = leads_to_pbx(seen["domain"], context, default_port=None)
    return bool(server and domain and seen["username"])
