"""How far does a case's packet get? The stations from the name to the registration, each fine, failed or not tested."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.casefile import CaseFile
from bot.diagnose import diagnose
from bot.model import Finding, Kind, Owner, Step, Tag
from bot.rules import decide

FINE, FAILED, UNTESTED = "✅", "❌", "?"
# A check that ran and brought such news did not fail, yet a tick would say too much.
DOUBTFUL = frozenset({Tag.SERVER_PING_LOST, Tag.SERVER_PACKETS_DROPPED, Tag.API_DOWN, Tag.PM2_RESTARTED_LATELY})

_NAME_FINE = frozenset({Tag.SERVER_DNS_OK, Tag.USER_DNS_OK, Tag.OUTSIDE_DNS_OK})
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
    }
)
_USER_PINGS = frozenset({Tag.USER_PING_CLEAN, Tag.USER_PING_SLOW})
_PING_FAILS = frozenset(
    {Tag.USER_PING_TIMEOUT, Tag.USER_PING_LOSS, Tag.USER_PING_UNREACHABLE, Tag.USER_PING_GENERAL_FAILURE}
)
_OPEN_TO_ALL = frozenset({Tag.SERVER_FIREWALL_OPEN, Tag.SERVER_FIREWALL_INACTIVE})
_OF_THE_PORT = frozenset(
    {
        Tag.SERVER_BANS,
        Tag.USER_IP_BANNED,
        Tag.EXTENSION_ADDRESS_BANNED,
        Tag.LOG_PORT_TAKEN,
        Tag.LOG_PBX_STOPPED,
        Tag.LOG_SEND_EPERM,
    }
)
_REGISTERED = frozenset({Tag.LOG_REGISTERED, Tag.PHONE_REGISTERED, Tag.PHONE_ONLINE})
_SEEN_BY_PBX = frozenset(
    {
        Tag.LOG_WRONG_PASSWORD,
        Tag.LOG_PASSWORD_LOST,
        Tag.LOG_USERNAME_MISMATCH,
        Tag.LOG_AUTH_FAILED,
        Tag.LOG_NOT_FOUND,
        Tag.LOG_CHALLENGE_ONCE,
        Tag.LOG_CHALLENGE_REPEATED,
    }
)
_REFUSED = _SEEN_BY_PBX | {
    Tag.LOG_SERVER_ERROR,
    Tag.PHONE_GOT_401_STOPPED,
    Tag.PHONE_GOT_403,
    Tag.PHONE_SAYS_WRONG_PASSWORD,
    Tag.PHONE_SAYS_NOT_FOUND,
    Tag.PHONE_SAYS_SERVER_ERROR,
    Tag.EXTENSION_UNKNOWN,
    Tag.EXTENSION_DISABLED,
}
# A packet of the phone's reached the PBX, or an answer of the PBX's the phone: udp gets through.
_GETS_THROUGH = _SEEN_BY_PBX | _REGISTERED | {Tag.PHONE_RECEIVES_401, Tag.PHONE_GOT_401_STOPPED, Tag.PHONE_GOT_403}
_PORT_STEPS = frozenset(
    {Step.OPEN_SERVER_FIREWALL, Step.START_PBX, Step.BIND_ALL_INTERFACES, Step.FREE_PORT, Step.UNBAN_USER}
)
# How the tags begin that tell of the PBX's port, and those that accuse the phone.
_PORT_TAGS = (
    *("server_listens", "server_not_", "server_port_", "server_queue_", "server_packets_", "server_sip_"),
    *("server_firewall_", "server_ping_", "loopback_sip_", "pm2_"),
)
_PHONE_FAULTS = (
    *("account_", "phone_says", "phone_got", "phone_uses", "phone_send", "phone_bad", "phone_sockets"),
    "phone_resolves",
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
    found = diagnose(case.readings, case.results, answers=case.answers).findings
    tags = {finding.tag for finding in found}
    last = [reading for reading in case.readings if reading.kind in _SPEAKS][-1:]
    said = tags & {finding.tag for reading in last for finding in reading.findings}  # less what a live watch outdid
    return (
        Station("DNS", _mark(tags, _NAME_FINE, _NAME_FAILS)),
        Station("ping", _ping(tags)),
        Station(f"{port}/UDP", _port(found, tags)),
        Station("MicroSIP", _phone(tags, said)),
        Station("Register", _register(tags, said)),
    )


def _mark(tags: set[Tag], fine: frozenset[Tag], failed: frozenset[Tag]) -> str:
    return FAILED if tags & failed else FINE if tags & fine else UNTESTED


def _ping(tags: set[Tag]) -> str:
    """The user's own comes first: it went the way that his packets go."""
    own = _mark(tags, _USER_PINGS, _PING_FAILS)
    ours = _mark(tags, frozenset({Tag.SERVER_PING_ANSWERS}), frozenset({Tag.SERVER_PING_LOST}))
    return ours if own == UNTESTED else own


def _port(found: Iterable[Finding], tags: set[Tag]) -> str:
    """Whether the PBX's port answers, seen from where its firewall counts: over loopback any packet gets through."""
    found = tuple(found)
    about = [finding for finding in found if _about_port(finding.tag)]
    of_port, of_all = decide(about), decide(found)
    if (of_port is not None and of_port.owner is Owner.SERVER) or (of_all is not None and of_all.step in _PORT_STEPS):
        return FAILED
    answers = [finding for finding in about if finding.tag is Tag.SERVER_SIP_ANSWERS]
    heard = any(not finding.args.get("over_loopback") for finding in answers)
    return FINE if heard or tags & _GETS_THROUGH or (answers and tags & _OPEN_TO_ALL) else UNTESTED


def _about_port(tag: Tag) -> bool:
    return tag in _OF_THE_PORT or tag.value.startswith(_PORT_TAGS)


def _phone(tags: set[Tag], said: set[Tag]) -> str:
    """MicroSIP and its settings: what it says now outweighs what its settings look like."""
    accused = {tag for tag in tags - {Tag.ACCOUNT_RIGHT} if tag.value.startswith(_PHONE_FAULTS)}
    online = tags & {Tag.PHONE_ONLINE, Tag.PHONE_REGISTERED} and not _denied(said)
    if online or _right_and_waiting(tags, accused):
        return FINE
    return FAILED if accused else UNTESTED


def _register(tags: set[Tag], said: set[Tag]) -> str:
    if said & _REGISTERED:
        return FINE
    if tags & _REFUSED or {Tag.ACCOUNT_RIGHT, Tag.PHONE_SAYS_TIMEOUT} <= tags:
        return FAILED
    return FINE if tags & _REGISTERED and not _denied(said) else UNTESTED


def _right_and_waiting(tags: set[Tag], accused: set[Tag]) -> bool:
    """Whether the settings are right and nothing but a missing answer speaks against them: it is lost on the way."""
    return Tag.ACCOUNT_RIGHT in tags and accused <= {Tag.PHONE_SAYS_TIMEOUT}


def _denied(said: set[Tag]) -> bool:
    """Whether the newest word of the phone, or of the PBX about it, is that it is not registered."""
    return not said & _REGISTERED and any(tag.value.startswith(("phone_says", "phone_got", "log_")) for tag in said)
