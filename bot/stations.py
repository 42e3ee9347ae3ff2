"""How far does a case's packet get? The stations from the name to the registration, each fine, failed or not tested."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bot.casefile import CaseFile
from bot.diagnose import diagnose
from bot.model import Certainty, Finding, Kind, Owner, Step, Tag, Verdict
from bot.rules import decide

FINE, FAILED, UNTESTED = "✅", "❌", "?"
# A check that ran and brought such news did not fail, yet a tick would say too much.
DOUBTFUL = frozenset({Tag.SERVER_PING_LOST, Tag.SERVER_PACKETS_DROPPED, Tag.API_DOWN, Tag.PM2_RESTARTED_LATELY})

# Each tag by name, none by its beginning: a new one has no place until somebody gives it one. A test asks for it.
_NAME_FINE = frozenset({Tag.SERVER_DNS_OK, Tag.OUTSIDE_DNS_OK})  # elsewhere; USER_DNS_OK: at the user's, too
_NAME_FAILS = frozenset(
    {
        Tag.SERVER_DNS_NXDOMAIN,
        Tag.SERVER_DNS_WRONG_IP,
        Tag.SERVER_DNS_NO_ADDRESS,
        Tag.SERVER_DNS_BROKEN,
        Tag.OUTSIDE_DNS_WRONG,
        Tag.OUTSIDE_DNS_FAILS,
        Tag.USER_DNS_WRONG_IP,
        Tag.USER_DNS_NXDOMAIN,
        Tag.USER_DNS_TIMEOUT,
        Tag.USER_DNS_SERVFAIL,
        Tag.USER_DNS_REFUSED,
        Tag.USER_DNS_NO_ADDRESS,
        Tag.USER_DNS_ERROR,
        Tag.USER_PING_UNKNOWN_HOST,
        Tag.USER_PING_WRONG_IP,
        Tag.USER_TRACE_UNKNOWN_HOST,
    }
)
_NAME_DOUBTED = frozenset({Tag.PHONE_SAYS_NO_SERVER, Tag.PHONE_SENDS_TO_WRONG_IP})  # or a typo, a proxy
_USER_PINGS = frozenset({Tag.USER_PING_CLEAN, Tag.USER_PING_SLOW})
_PING_FAILS = frozenset(
    {Tag.USER_PING_TIMEOUT, Tag.USER_PING_LOSS, Tag.USER_PING_UNREACHABLE, Tag.USER_PING_GENERAL_FAILURE}
)
_OPEN_TO_ALL = frozenset({Tag.SERVER_FIREWALL_OPEN, Tag.SERVER_FIREWALL_INACTIVE})
_OF_THE_PORT = _OPEN_TO_ALL | {
    Tag.SERVER_LISTENS,
    Tag.SERVER_LISTENS_LOOPBACK,
    Tag.SERVER_LISTENS_TCP_ONLY,
    Tag.SERVER_NOT_LISTENING,
    Tag.SERVER_PORT_OWNER_FOREIGN,
    Tag.SERVER_QUEUE_STUCK,
    Tag.SERVER_PACKETS_DROPPED,
    Tag.SERVER_SIP_ANSWERS,
    Tag.SERVER_SIP_REFUSED,
    Tag.SERVER_SIP_SILENT,
    Tag.SERVER_PING_ANSWERS,
    Tag.LOOPBACK_SIP_ANSWERS,
    Tag.LOOPBACK_SIP_REFUSED,
    Tag.LOOPBACK_SIP_SILENT,
    Tag.SERVER_FIREWALL_NO_RULE,
    Tag.SERVER_FIREWALL_BLOCKS,
    Tag.SERVER_FIREWALL_LIMITS,
    Tag.SERVER_FIREWALL_THROTTLES,
    Tag.SERVER_FIREWALL_BLOCKS_ANSWERS,
    Tag.SERVER_FIREWALL_COUNTER_ROSE,
    Tag.SERVER_BANS,
    Tag.USER_IP_BANNED,
    Tag.EXTENSION_ADDRESS_BANNED,
    Tag.PM2_ONLINE,
    Tag.PM2_STOPPED,
    Tag.PM2_RESTARTING,
    Tag.PM2_RESTARTED_LATELY,
    Tag.LOG_PORT_TAKEN,
    Tag.LOG_PBX_STOPPED,
    Tag.LOG_SEND_EPERM,
}
_PORT_STEPS = frozenset(
    {Step.OPEN_SERVER_FIREWALL, Step.START_PBX, Step.BIND_ALL_INTERFACES, Step.FREE_PORT, Step.UNBAN_USER}
)
_REGISTERED = frozenset({Tag.LOG_REGISTERED, Tag.PHONE_REGISTERED, Tag.PHONE_ONLINE})
_ONLINE_THERE = frozenset({Tag.LOG_REGISTERED, Tag.EXTENSION_ONLINE})
# The PBX judged what the phone made of its first answer: packets get through, there and back.
_JUDGED_BY_PBX = frozenset(
    {Tag.LOG_WRONG_PASSWORD, Tag.LOG_PASSWORD_LOST, Tag.LOG_USERNAME_MISMATCH, Tag.LOG_AUTH_FAILED}
)
_GETS_THROUGH = _JUDGED_BY_PBX | _REGISTERED | {Tag.PHONE_RECEIVES_401, Tag.PHONE_GOT_401_STOPPED, Tag.PHONE_GOT_403}
# MicroSIP tried in vain. That alone accuses nobody: a drop, a stopped PBX and a wrong address are all a 408 to it.
_IN_VAIN = frozenset(
    {
        Tag.PHONE_SAYS_TIMEOUT,
        Tag.PHONE_SAYS_NO_SERVER,
        Tag.PHONE_SAYS_UNAVAILABLE,
        Tag.PHONE_SAYS_WRONG_PASSWORD,
        Tag.PHONE_SAYS_NOT_FOUND,
        Tag.PHONE_SAYS_SERVER_ERROR,
        Tag.PHONE_SAYS_OTHER_CODE,
        Tag.PHONE_GOT_401_STOPPED,
        Tag.PHONE_GOT_403,
        Tag.PHONE_RECEIVES_NOTHING,
        Tag.PHONE_IGNORES_ANSWER,
    }
)
_REFUSED = (
    _JUDGED_BY_PBX
    | _IN_VAIN
    | {
        Tag.LOG_NOT_FOUND,
        Tag.LOG_CHALLENGE_ONCE,
        Tag.LOG_CHALLENGE_REPEATED,
        Tag.LOG_SERVER_ERROR,
        Tag.EXTENSION_UNKNOWN,
        Tag.EXTENSION_DISABLED,
    }
)
_PHONE_FAULTS = frozenset(
    {
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
        Tag.ACCOUNT_RPORT_OFF,
        Tag.ACCOUNT_NAMESERVER_BAD,
        Tag.PHONE_SAYS_IDLE,
        Tag.PHONE_SAYS_NO_ACCOUNT,
        Tag.PHONE_SAYS_OFFLINE,
        Tag.PHONE_SAYS_NO_NETWORK,
        Tag.PHONE_SOCKETS_FAILED,
        Tag.PHONE_RESOLVES_OTHER_NAME,
        Tag.PHONE_USES_TCP,
        Tag.PHONE_USES_OTHER_PORT,
        Tag.PHONE_SEND_DENIED,
        Tag.PHONE_BAD_NAMESERVER,
    }
)
# With right settings these say nothing against MicroSIP; with any other word a field nobody sees may be wrong.
_LOST_ON_THE_WAY = frozenset(
    {Tag.PHONE_SAYS_TIMEOUT, Tag.PHONE_SAYS_SERVER_ERROR, Tag.PHONE_RECEIVES_NOTHING, Tag.PHONE_IGNORES_ANSWER}
)
_SPEAKS = frozenset({Kind.MICROSIP_STATUS, Kind.MICROSIP_LOG, Kind.PBX_LOG})


@dataclass(frozen=True, slots=True)
class Station:
    """One place on the way, and its mark: FINE, FAILED or UNTESTED, which is never shown as fine."""

    name: str
    mark: str


def stations(case: CaseFile, port: int = 5060) -> tuple[Station, ...]:
    """`DNS ✅ → ping ✅ → 5060/UDP ❌ → MicroSIP ? → Register ?`: where it ends.

    A tick rests on something that was seen to work, newest word of each source: that nothing bad was seen is no tick.
    """
    known = diagnose(case.readings, case.results, answers=case.answers)
    found, verdict = known.findings, known.verdict
    tags = {finding.tag for finding in found}
    last = [reading for reading in case.readings if reading.kind in _SPEAKS][-1:]
    said = tags & {finding.tag for reading in last for finding in reading.findings}  # less what a live watch outdid
    return (
        Station("DNS", _name(tags)),
        Station("ping", _ping(tags)),
        Station(f"{port}/UDP", _port(found, tags, verdict)),
        Station("MicroSIP", _phone(tags, said)),
        Station("Register", _register(tags, said)),
    )


def _mark(tags: set[Tag], fine: Collection[Tag], failed: Collection[Tag]) -> str:
    return FAILED if tags.intersection(failed) else FINE if tags.intersection(fine) else UNTESTED


def _name(tags: set[Tag]) -> str:
    """The user's own lookup comes first; where his phone doubts the name, what others find is no tick."""
    elsewhere = frozenset() if tags & _NAME_DOUBTED else _NAME_FINE
    return _mark(tags, elsewhere | {Tag.USER_DNS_OK}, _NAME_FAILS)


def _ping(tags: set[Tag]) -> str:
    """The user's own comes first: it went the way that his packets go."""
    own = _mark(tags, _USER_PINGS, _PING_FAILS)
    return _mark(tags, {Tag.SERVER_PING_ANSWERS}, {Tag.SERVER_PING_LOST}) if own == UNTESTED else own


def _port(found: Iterable[Finding], tags: set[Tag], verdict: Verdict | None) -> str:
    """Whether the PBX's port answers, seen from where its firewall counts: over loopback any packet gets through."""
    about = [finding for finding in found if finding.tag in _OF_THE_PORT]
    of_port = decide(about)
    accused = verdict is not None and verdict.step in _PORT_STEPS
    if of_port is not None and of_port.owner is Owner.SERVER:  # unless the table believes the phone's packets more
        return FAILED if accused or not tags & _GETS_THROUGH else UNTESTED
    if verdict is not None and accused:  # by what was seen elsewhere
        return FAILED if verdict.certainty is Certainty.PROVEN else UNTESTED
    answers = [finding for finding in about if finding.tag is Tag.SERVER_SIP_ANSWERS]
    heard = any(not finding.args.get("over_loopback") for finding in answers)
    return FINE if heard or tags & _GETS_THROUGH or (answers and tags & _OPEN_TO_ALL) else UNTESTED


def _phone(tags: set[Tag], said: set[Tag]) -> str:
    """MicroSIP and its settings: that it works now outweighs what its settings look like."""
    if tags & {Tag.PHONE_ONLINE, Tag.PHONE_REGISTERED} and not _denied(said):
        return FINE
    if tags & _PHONE_FAULTS:
        return FAILED
    doubts = tags & (_REFUSED | _NAME_DOUBTED) - _LOST_ON_THE_WAY
    return FINE if Tag.ACCOUNT_RIGHT in tags and not doubts else UNTESTED


def _register(tags: set[Tag], said: set[Tag]) -> str:
    if said & _REGISTERED:
        return FINE
    if tags & _REFUSED:  # which of the two is the newer word, nobody knows
        return UNTESTED if tags >= _ONLINE_THERE else FAILED
    return FINE if tags & _REGISTERED and not _denied(said) else UNTESTED


def _denied(said: set[Tag]) -> bool:
    """Whether the newest word of the phone, or of the PBX about it, is that it is not registered."""
    return not said & _REGISTERED and bool(said & (_REFUSED | _PHONE_FAULTS | {Tag.PHONE_CONNECTING}))
