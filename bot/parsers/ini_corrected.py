"""The user's own MicroSIP.ini with only the wrong keys changed: same encoding, line ends, order, and password."""

from __future__ import annotations

from bot.model import Context, Finding, Tag
from bot.parsers.account import right_server
from bot.parsers.ini_text import Section, decode, sections
from bot.parsers.microsip_ini import Account, active_account, read_ini


def corrected_ini(content: bytes, context: Context) -> bytes | None:
    """The corrected file; the same bytes if nothing is wrong. None: not MicroSIP's file, or without an account.

    What only the user knows (an empty password, an unknown number) stays as it is.
    """
    file = decode(content)
    reading = read_ini(file.text, context) if file else None
    if file is None or reading is None:
        return None
    found = sections(file.text)
    account = active_account(found, found.get("settings", Section()))
    if account is None:
        return None
    wanted = {
        (section, key.casefold()): (key, value)
        for finding in reading.findings
        for section, key, value in _cures(finding, context, account)
    }
    changes = [_change(found, place[0], key, value, file.text) for place, (key, value) in wanted.items()]
    text = file.text
    for start, end, value in sorted(changes, reverse=True):
        text = text[:start] + value + text[end:]
    try:
        return file.encode(text)
    except UnicodeEncodeError:
        return None


def _cures(finding: Finding, context: Context, judged: Account) -> list[tuple[str, str, str]]:
    """(section, key, right value) for a finding; [] where only the user can know."""
    account, number = judged.section, judged.section.removeprefix("account")
    username = context.extension or ""
    match finding.tag:
        case Tag.ACCOUNT_SERVER_WRONG if finding.args.get("field") == "domain":
            return [(account, "domain", context.host)]
        case Tag.ACCOUNT_SERVER_WRONG | Tag.ACCOUNT_SERVER_EMPTY:
            return [(account, "server", right_server(context))]
        case Tag.ACCOUNT_NOT_ACTIVE if number.isdigit():
            return [("settings", "accountId", number)]
        case Tag.ACCOUNT_PROXY_SET:
            return [(account, "proxy", "")]
        case Tag.ACCOUNT_TRANSPORT_WRONG:
            return [(account, "transport", "udp")]
        case Tag.ACCOUNT_LOGIN_DIFFERS:
            return [(account, "authID", "")]  # empty: the user name is taken
        case Tag.ACCOUNT_USERNAME_DIFFERS if username:
            stale = [(account, "authID", "")] if judged.values.values.get("authid") else []
            return [(account, "username", username), *stale]
        case Tag.ACCOUNT_PUBLIC_ADDRESS_SET:
            return [(account, "publicAddr", "")]
        case Tag.ACCOUNT_ICE_ON:
            return [(account, "ICE", "0")]
        case Tag.ACCOUNT_REWRITE_ON:
            return [(account, "allowRewrite", "0")]
        case Tag.ACCOUNT_STUN_ON:
            return [(account, "STUN", "") if judged.stun_in_account else ("settings", "enableSTUN", "0")]
        case Tag.ACCOUNT_RPORT_OFF:
            return [("settings", "rport", "1")]
        case Tag.ACCOUNT_NAMESERVER_BAD:
            return [("settings", "dnsSrv", "0")]
        case _:
            return []


def _change(found: dict[str, Section], section: str, key: str, value: str, text: str) -> tuple[int, int, str]:
    """Where to put the value: over the old one, or as a line of its own at the section's end."""
    there = found.get(section)
    if there and key.casefold() in there.spans:
        return *there.spans[key.casefold()], value
    end_of_line = "\r\n" if "\r\n" in text else "\n"
    if there is None:
        return 0, 0, f"[{section.capitalize()}]{end_of_line}{key}={value}{end_of_line}"
    start = "" if text[: there.end].endswith(("\n", "\r")) else end_of_line
    return there.end, there.end, f"{start}{key}={value}{end_of_line}"
