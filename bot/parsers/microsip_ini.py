"""What MicroSIP.ini says about the active account, and the same file put right. The password never leaves.

[Settings]
accountId=1
[Account1]
server=call.soundz.uz
domain=call.soundz.uz
username=1002
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bot.model import Context, Finding, Kind, Reading, Tag
from bot.parsers.account import judge_account
from bot.parsers.ini_text import Section, decode, sections
from bot.parsers.page import Claim, Page

# Names of the dialogs' fields and boxes, and the keys that hold them (in lower case, as Windows compares them).
ACCOUNT_FIELDS = {
    "account_name": "label",
    "server": "server",
    "proxy": "proxy",
    "username": "username",
    "domain": "domain",
    "login": "authid",
    "display_name": "displayname",
    "voicemail": "voicemailnumber",
    "dialing_prefix": "dialingprefix",
    "dial_plan": "dialplan",
    "media_encryption": "srtp",
    "transport": "transport",
    "public_address": "publicaddr",
    "register_refresh": "registerrefresh",
    "keep_alive": "keepalive",
}
SETTINGS_FIELDS = {
    "stun_server": "stun",
    "source_port": "sourceport",
    "nameserver": "dnssrvns",
    "rtp_port_min": "rtpportmin",
    "rtp_port_max": "rtpportmax",
}
ACCOUNT_CHECKS = {
    "ice": "ice",
    "allow_rewrite": "allowrewrite",
    "publish_presence": "publish",
    "disable_session_timers": "disablesessiontimer",
    "hide_caller_id": "hidecid",
}
SETTINGS_CHECKS = {
    "stun_enabled": "enablestun",
    "rport": "rport",
    "dns_srv": "dnssrv",
    "enable_log": "enablelog",
    "enable_local_account": "enablelocalaccount",
    "handle_ip_changes": "networkchanges",
}
_TRANSPORTS = {"udp": "UDP", "tcp": "TCP", "tls": "TLS", "": "UDP+TCP"}
_ACCOUNT = re.compile(r"account([1-9]\d{0,2})")
_HEAD = re.compile(r"^[^\S\n]*\[(?:settings|account\d{1,3}|global)\][^\S\n]*$", re.IGNORECASE | re.MULTILINE)
_PAIR = re.compile(r"\s*(?:\[\w{1,20}\]\s*$|[A-Za-z]\w{1,40} ?=)")
_ONLY_HERE = frozenset(
    ("authid", "publicaddr", "allowrewrite", "registerrefresh", "hidecid", "disablesessiontimer", "dialplan")
)
_ENOUGH = 4  # lines of an account
_RED = frozenset(Tag) - {Tag.ACCOUNT_RIGHT}


@dataclass(frozen=True, slots=True)
class Account:
    """The account that is judged: the active one, else the first there is."""

    section: str  # its name, in lower case
    values: Section
    active: bool  # None of the accounts may be
    stun_in_account: bool  # 3.14 keeps the STUN server there


def parse(page: Page, context: Context) -> list[Claim]:
    """One claim, for a pasted file; a file that was sent as such goes through decode_ini and read_ini."""
    if "=" not in page.text:
        return []
    head, start = _HEAD.search(page.text), ""
    first = page.line_at(head.start()) if head else None
    if first is None:
        first, start = _headless(page.lines), "[Account1]\n"
    if first is None:
        return []
    last = next((n for n in range(len(page.lines) - 1, first, -1) if _PAIR.match(page.lines[n])), first)
    reading = read_ini(start + "\n".join(page.lines[first : last + 1]), context)
    return [Claim(first, last, reading)] if reading else []


def _headless(lines: tuple[str, ...]) -> int | None:
    """The first line of an account pasted without its '[Account1]', known by keys that only MicroSIP has."""
    keys = {n: line.partition("=")[0].strip().casefold() for n, line in enumerate(lines) if _PAIR.match(line)}
    known = [n for n, key in keys.items() if key in ACCOUNT_FIELDS.values() or key in ACCOUNT_CHECKS.values()]
    sure = {"server", "domain"} & set(keys.values()) and _ONLY_HERE & set(keys.values())
    return known[0] if sure and len(known) >= _ENOUGH else None


def decode_ini(content: bytes) -> str | None:
    """The text of a MicroSIP.ini, None if the bytes are none. UTF-16LE with its mark, UTF-8, cp1251."""
    decoded = decode(content)
    if decoded is None or not any(_HEAD.match(line) for line in decoded.text.splitlines()[:200]):
        return None
    return decoded.text


def read_ini(text: str, context: Context) -> Reading | None:
    """Status right, wrong or no_account. None: not MicroSIP's file (no account and none of its settings in it)."""
    found = sections(text)
    settings = found.get("settings", Section())
    if not (_accounts(found) or "accountid" in settings.values or {"server", "domain"} <= settings.values.keys()):
        return None
    account = active_account(found, settings)
    values = account.values if account else Section()
    fields = _fields(values, settings, account)
    checks = _checks(values, settings, account)
    password = values.values.get("password") if account else None
    facts: dict[str, Any] = {
        "dialog": "account",
        "fields": fields,
        "checks": checks,
        "password_empty": None if password is None else not password,
        "version": settings.values.get("version") or found.get("global", Section()).values.get("version"),
        "extension": fields["username"] or None,
        "active": bool(account and account.active),
    }
    if account is None:
        return Reading(Kind.MICROSIP_INI, "microsip", "no_account", facts, (Finding(Tag.ACCOUNT_NOT_ACTIVE),))
    judged = judge_account(fields, checks, context, password_empty=facts["password_empty"], active=account.active)
    wrong = any(finding.tag in _RED for finding in judged)
    status = "no_account" if not account.active else "wrong" if wrong else "right"
    return Reading(Kind.MICROSIP_INI, "microsip", status, facts, judged)


def _accounts(found: dict[str, Section]) -> list[str]:
    return [name for name in found if _ACCOUNT.fullmatch(name)]


def active_account(found: dict[str, Section], settings: Section) -> Account | None:
    """An account exists if its domain is not empty; very old files have the only one in [Settings]."""
    names = [name for name in _accounts(found) if found[name].values.get("domain") or _half_filled(found[name])]
    wanted = settings.values.get("accountid", "").strip() or None
    if not names and ("server" in settings.values or settings.values.get("domain")):
        return Account("settings", settings, wanted != "0", True)
    if not names:
        return None
    chosen = f"account{wanted}"
    active = chosen in names if wanted is not None else True  # a pasted piece may lack [Settings]
    name = chosen if active and wanted is not None else names[0]
    return Account(name, found[name], active, "stun" in found[name].values)


def _half_filled(section: Section) -> bool:
    return bool(section.values.get("server") or section.values.get("username"))


def _fields(values: Section, settings: Section, account: Account | None) -> dict[str, str | None]:
    fields = {name: values.values.get(key) for name, key in ACCOUNT_FIELDS.items()}
    fields |= {name: settings.values.get(key) for name, key in SETTINGS_FIELDS.items()}
    if account and account.stun_in_account:
        fields["stun_server"] = values.values.get("stun")
    transport = fields["transport"]
    if transport is not None:
        fields["transport"] = _TRANSPORTS.get(transport.strip().casefold(), transport)
    if fields["public_address"] is not None:
        fields["public_address"] = fields["public_address"].strip() or "auto"
    return fields


def _checks(values: Section, settings: Section, account: Account | None) -> dict[str, bool | None]:
    """Only 1 is on; what is not in the file is not known, save for what MicroSIP takes for granted."""
    checks = {name: _on(values, key) for name, key in ACCOUNT_CHECKS.items()}
    checks |= {name: _on(settings, key) for name, key in SETTINGS_CHECKS.items()}
    if account and account.stun_in_account and checks["stun_enabled"] is None:
        checks["stun_enabled"] = bool(values.values.get("stun"))
    return checks


def _on(section: Section, key: str) -> bool | None:
    value = section.values.get(key)
    return None if value is None else value.strip() == "1"
