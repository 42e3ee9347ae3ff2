"""Which one step follows from what is known, and what is best asked next? The first row that fires wins.

A row of the table (bot/table.py) lists only what it needs, so learning more never silences a row that fires.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bot.model import Certainty, Finding, Kind, Owner, Step, Tag, Verdict
from bot.table import RULES, Rule

OWNER: dict[Step, Owner] = {
    **dict.fromkeys(
        (
            Step.SERVER_DNS,
            Step.OPEN_SERVER_FIREWALL,
            Step.START_PBX,
            Step.BIND_ALL_INTERFACES,
            Step.FREE_PORT,
            Step.RESET_EXTENSION_PASSWORD,
            Step.CREATE_EXTENSION,
            Step.UNBAN_USER,
            Step.SERVER_ERROR,
        ),
        Owner.SERVER,
    ),
    Step.CONNECTED: Owner.NONE,
    Step.CALL_STAFF: Owner.NONE,
}


def owner_of(step: Step) -> Owner:
    """Who acts on a step; what is neither the server's nor nobody's is the user's."""
    return OWNER.get(step, Owner.USER)


def decide(findings: Iterable[Finding], tried: Collection[Step] = ()) -> Verdict | None:
    """The first row that fires, with the steps of the others as `also`; None when none fires.

    A step the user has tried in vain is passed over unless it is proven.
    """
    found = tuple(findings)
    known = {finding.tag for finding in found}
    firing = [
        rule for rule in RULES if rule.fires(known) and (rule.step not in tried or rule.certainty is Certainty.PROVEN)
    ]
    if not firing:
        return None
    first = firing[0]
    others = dict.fromkeys(rule.step for rule in firing if owner_of(rule.step) is not Owner.NONE)
    also = tuple(step for step in others if step not in (first.step, Step.PRESS_REGISTER))
    return Verdict(first.step, owner_of(first.step), first.certainty, first.because(found), also)


def row_of(verdict: Verdict, findings: Iterable[Finding]) -> Rule | None:
    """The row of the table that gave this verdict upon these findings; None where none did (a person takes over)."""
    known = {finding.tag for finding in findings}
    same = (rule for rule in RULES if (rule.step, rule.certainty) == (verdict.step, verdict.certainty))
    return next((rule for rule in same if rule.fires(known)), None)


# What a kind of evidence can bring. A test holds every tag of the table to be known here or measured by us.
PRODUCES: dict[Kind, frozenset[Tag]] = {
    Kind.MICROSIP_STATUS: frozenset(
        {
            Tag.PHONE_ONLINE,
            Tag.PHONE_CONNECTING,
            Tag.PHONE_SAYS_TIMEOUT,
            Tag.PHONE_SAYS_NO_SERVER,
            Tag.PHONE_SAYS_UNAVAILABLE,
            Tag.PHONE_SAYS_WRONG_PASSWORD,
            Tag.PHONE_SAYS_NOT_FOUND,
            Tag.PHONE_SAYS_SERVER_ERROR,
            Tag.PHONE_SAYS_OTHER_CODE,
            Tag.PHONE_SAYS_IDLE,
            Tag.PHONE_SAYS_NO_ACCOUNT,
            Tag.PHONE_SAYS_OFFLINE,
            Tag.PHONE_SAYS_NO_NETWORK,
            Tag.PHONE_SOCKETS_FAILED,
        }
    ),
    Kind.EXTENSION: frozenset(
        {
            Tag.EXTENSION_UNKNOWN,
            Tag.EXTENSION_DISABLED,
            Tag.EXTENSION_EXISTS,
            Tag.EXTENSION_ADDRESS_BANNED,
            Tag.EXTENSION_BEFORE_RESTART,
            Tag.LOG_WRONG_PASSWORD,
            Tag.LOG_PASSWORD_LOST,
            Tag.LOG_USERNAME_MISMATCH,
            Tag.LOG_NOT_FOUND,
            Tag.LOG_CHALLENGE_REPEATED,
            Tag.LOG_SILENT,
        }
    ),
    Kind.NSLOOKUP: frozenset(
        {
            Tag.USER_DNS_OK,
            Tag.USER_DNS_WRONG_IP,
            Tag.USER_DNS_NXDOMAIN,
            Tag.USER_DNS_TIMEOUT,
            Tag.USER_DNS_SERVFAIL,
            Tag.USER_DNS_REFUSED,
            Tag.USER_DNS_NO_ADDRESS,
            Tag.USER_DNS_ERROR,
            Tag.USER_OTHER_DNS_OK,
        }
    ),
    Kind.PING: frozenset(
        {
            Tag.USER_PING_CLEAN,
            Tag.USER_PING_LOSS,
            Tag.USER_PING_SLOW,
            Tag.USER_PING_TIMEOUT,
            Tag.USER_PING_UNREACHABLE,
            Tag.USER_PING_GENERAL_FAILURE,
            Tag.USER_PING_UNKNOWN_HOST,
            Tag.USER_PING_WRONG_IP,
        }
    ),
    Kind.FIREWALL: frozenset({Tag.USER_FIREWALL_BLOCKS}),
    Kind.MICROSIP_SCREEN: frozenset(
        {
            Tag.ACCOUNT_RIGHT,
            Tag.ACCOUNT_SERVER_WRONG,
            Tag.ACCOUNT_SERVER_EMPTY,
            Tag.ACCOUNT_PROXY_SET,
            Tag.ACCOUNT_TRANSPORT_WRONG,
            Tag.ACCOUNT_LOGIN_DIFFERS,
            Tag.ACCOUNT_USERNAME_DIFFERS,
            Tag.ACCOUNT_ICE_ON,
            Tag.ACCOUNT_REWRITE_ON,
            Tag.ACCOUNT_PUBLIC_ADDRESS_SET,
        }
    ),
    Kind.MICROSIP_INI: frozenset(
        {
            Tag.ACCOUNT_RIGHT,
            Tag.ACCOUNT_SERVER_WRONG,
            Tag.ACCOUNT_SERVER_EMPTY,
            Tag.ACCOUNT_NOT_ACTIVE,
            Tag.ACCOUNT_PROXY_SET,
            Tag.ACCOUNT_TRANSPORT_WRONG,
            Tag.ACCOUNT_LOGIN_DIFFERS,
            Tag.ACCOUNT_USERNAME_DIFFERS,
            Tag.ACCOUNT_PASSWORD_EMPTY,
            Tag.ACCOUNT_ICE_ON,
            Tag.ACCOUNT_STUN_ON,
            Tag.ACCOUNT_REWRITE_ON,
            Tag.ACCOUNT_PUBLIC_ADDRESS_SET,
            Tag.ACCOUNT_NAMESERVER_BAD,
        }
    ),
    Kind.MICROSIP_LOG: frozenset(
        {
            Tag.PHONE_REGISTERED,
            Tag.PHONE_RECEIVES_NOTHING,
            Tag.PHONE_IGNORES_ANSWER,
            Tag.PHONE_RESOLVES_OTHER_NAME,
            Tag.PHONE_SENDS_TO_WRONG_IP,
            Tag.PHONE_USES_TCP,
            Tag.PHONE_USES_OTHER_PORT,
            Tag.PHONE_SEND_DENIED,
            Tag.PHONE_STUN_FAILED,
            Tag.PHONE_BAD_NAMESERVER,
            Tag.PHONE_BEHIND_VPN,
        }
    ),
    Kind.OTHER_NETWORK: frozenset({Tag.OTHER_NETWORK_WORKS, Tag.OTHER_NETWORK_FAILS}),
    Kind.LIVE_REGISTER: frozenset(
        {
            Tag.LOG_REGISTERED,
            Tag.LOG_WRONG_PASSWORD,
            Tag.LOG_PASSWORD_LOST,
            Tag.LOG_USERNAME_MISMATCH,
            Tag.LOG_NOT_FOUND,
            Tag.LOG_DB_DOWN,
            Tag.LOG_SERVER_ERROR,
            Tag.LOG_SEND_EPERM,
            Tag.LOG_CHALLENGE_REPEATED,
            Tag.LOG_CHALLENGE_ONCE,
            Tag.LOG_HEADERS_REWRITTEN,
            Tag.LOG_REQUEST_BY_IP,
            Tag.LOG_REQUEST_BY_NAME,
            Tag.LOG_SILENT,
        }
    ),
}

# What it costs a stressed person on a phone: a button, a number, a paste, a picture or file, another network.
EFFORT: dict[Kind, int] = {
    Kind.MICROSIP_STATUS: 1,
    Kind.EXTENSION: 2,
    Kind.NSLOOKUP: 2,
    Kind.PING: 2,
    Kind.LIVE_REGISTER: 3,
    Kind.FIREWALL: 3,
    Kind.MICROSIP_SCREEN: 4,
    Kind.MICROSIP_INI: 5,
    Kind.OTHER_NETWORK: 6,
    Kind.MICROSIP_LOG: 8,
}
# What is known together makes some evidence pointless: a server that answers has been found and reached, a way on
# which all copies of a request got lost is not a bad one, and settings that brought a request to the PBX name it.
_REACHED = frozenset({Kind.NSLOOKUP, Kind.PING, Kind.FIREWALL, Kind.OTHER_NETWORK})
POINTLESS: tuple[tuple[frozenset[Tag], frozenset[Kind]], ...] = (
    (frozenset({Tag.PHONE_SAYS_WRONG_PASSWORD}), _REACHED),
    (frozenset({Tag.PHONE_GOT_403}), _REACHED),
    (frozenset({Tag.PHONE_GOT_401_STOPPED}), _REACHED),
    (frozenset({Tag.PHONE_SAYS_NOT_FOUND}), _REACHED),
    (frozenset({Tag.PHONE_SAYS_SERVER_ERROR}), _REACHED),
    (
        frozenset({Tag.PHONE_SAYS_NO_SERVER}),
        frozenset({Kind.EXTENSION, Kind.OTHER_NETWORK, Kind.FIREWALL, Kind.LIVE_REGISTER}),
    ),
    (frozenset({Tag.PHONE_SAYS_TIMEOUT, Tag.LOG_SILENT, Tag.USER_DNS_OK}), frozenset({Kind.PING})),
    *(
        (frozenset({came}), frozenset({Kind.MICROSIP_SCREEN, Kind.MICROSIP_INI, Kind.FIREWALL}))
        for came in (
            Tag.LOG_CHALLENGE_ONCE,
            Tag.LOG_CHALLENGE_REPEATED,
            Tag.LOG_HEADERS_REWRITTEN,
            Tag.LOG_WRONG_PASSWORD,
        )
    ),
)
SAME_NEWS: dict[Kind, frozenset[Kind]] = {
    Kind.MICROSIP_INI: frozenset({Kind.MICROSIP_SCREEN}),
    Kind.MICROSIP_SCREEN: frozenset({Kind.MICROSIP_INI}),
    Kind.MICROSIP_LOG: frozenset({Kind.MICROSIP_STATUS}),
}


def told_by(kinds: Collection[Kind]) -> frozenset[Kind]:
    """These kinds, and those that would tell the same."""
    return frozenset(kinds).union(*(SAME_NEWS.get(kind, frozenset()) for kind in kinds))


CHEAP = 2  # an effort worth making only to become surer
# A step that costs the user more than a look at what is on his own computer is told after the look.
LOOKED_AT_BEFORE: dict[Step, frozenset[Kind]] = {
    Step.TRY_OTHER_NETWORK: frozenset({Kind.MICROSIP_SCREEN, Kind.FIREWALL})
}
# This has to be mended on the server first, whatever else the user could tell.
OURS_TO_MEND = frozenset(
    {
        Tag.SERVER_FIREWALL_NO_RULE,
        Tag.SERVER_FIREWALL_BLOCKS,
        Tag.SERVER_FIREWALL_THROTTLES,
        Tag.USER_IP_BANNED,
        Tag.EXTENSION_ADDRESS_BANNED,
        Tag.EXTENSION_BEFORE_RESTART,
    }
)

_ASKED_OF_USER = frozenset().union(*PRODUCES.values())


def next_question(findings: Iterable[Finding], closed: Collection[Kind] = ()) -> Kind | None:
    """The kind of evidence worth asking for now; None when a proven verdict stands, something of ours has to be
    mended first, or nothing askable helps.

    Each row that one more kind could complete counts for that kind, more so the more of the row is there;
    the sum is divided by the user's effort. Under a likely verdict only a cheap question, or one cheaper than its step,
    counts, about a row above it that the user's own evidence has begun. `closed`: kinds answered, skipped or not to be
    had.
    """
    known = {finding.tag for finding in findings}
    rows, kinds, begun = RULES, set(PRODUCES), False
    for place, rule in enumerate(RULES):
        if rule.fires(known):
            if rule.certainty is Certainty.PROVEN or owner_of(rule.step) is Owner.NONE:
                return None
            if owner_of(rule.step) is Owner.SERVER and known & OURS_TO_MEND:
                return None
            rows, begun = RULES[:place], True
            kinds = {kind for kind in PRODUCES if EFFORT[kind] <= CHEAP} | LOOKED_AT_BEFORE.get(rule.step, frozenset())
            break
    kinds = kinds.difference(closed, *(pointless for tags, pointless in POINTLESS if tags <= known))
    worth = {kind: 0.0 for kind in PRODUCES if kind in kinds}
    for rule in rows:
        missing = [need for need in rule.needs if need.isdisjoint(known)]
        met = [need & known for need in rule.needs if not need.isdisjoint(known)]
        if owner_of(rule.step) is Owner.NONE or not missing:
            continue
        if begun and not any(tags & _ASKED_OF_USER for tags in met):
            continue
        for kind in worth:
            if all(not need.isdisjoint(PRODUCES[kind]) for need in missing):
                worth[kind] += (1 + 2 * len(met)) / EFFORT[kind]
    best = max(worth, key=lambda kind: worth[kind], default=None)
    return best if best is not None and worth[best] > 0 else None
