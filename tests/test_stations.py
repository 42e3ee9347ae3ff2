"""The stations of a packet's way: what was not tested is never fine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bot.stations
from bot.casefile import CaseFile
from bot.checks import CHECKS
from bot.diagnose import WATCH
from bot.model import CheckResult, Failure, Finding, Kind, Reading, Step, Tag
from bot.rules import decide
from bot.stations import Station, stations
from bot.table import RULES, Rule

NOTHING = ("?",) * 5


def marks(case: CaseFile) -> tuple[str, ...]:
    return tuple(station.mark for station in stations(case))


def test_nothing_tested_is_nowhere_fine() -> None:
    assert marks(CaseFile()) == NOTHING


def test_a_check_that_could_not_be_made_is_not_tested() -> None:
    failed = tuple(CheckResult(name, 1.0, failure=Failure.TIMEOUT) for name in ("dns", "ping", "sip"))
    assert marks(CaseFile(results=failed)) == NOTHING


def test_the_way_ends_where_the_server_is_at_fault() -> None:
    results = (
        CheckResult("dns", 1.0, (Finding(Tag.SERVER_DNS_OK, {"addresses": ("203.0.113.10",)}),)),
        CheckResult("ping", 1.0, (Finding(Tag.SERVER_PING_ANSWERS, {"rtt_ms": 3}),)),
        CheckResult("pm2", 1.0, (Finding(Tag.PM2_STOPPED, {"status": "stopped"}),)),
    )
    timeout = Reading(Kind.MICROSIP_STATUS, None, "timeout", {}, (Finding(Tag.PHONE_SAYS_TIMEOUT),))
    assert stations(CaseFile(readings=(timeout,), results=results), 5070) == (
        Station("DNS", "✅"),
        Station("ping", "✅"),
        Station("5070/UDP", "❌"),
        Station("MicroSIP", "?"),
        Station("Register", "❌"),
    )


def test_what_was_said_with_a_button_counts() -> None:
    assert marks(CaseFile(answers=(Finding(Tag.PHONE_ONLINE),))) == ("?", "?", "✅", "✅", "✅")


def test_a_check_that_saw_nothing_is_no_tick() -> None:
    assert marks(CaseFile(results=tuple(CheckResult(check.name, 1.0) for check in CHECKS))) == NOTHING


def measured(*tags: Tag, **args: bool) -> CaseFile:
    return CaseFile(results=tuple(CheckResult(tag.value, 1.0, (Finding(tag, args),)) for tag in tags))


@pytest.mark.parametrize(
    ("case", "port"),
    [
        (measured(Tag.PM2_ONLINE, Tag.SERVER_LISTENS, Tag.SERVER_FIREWALL_OPEN), "?"),  # nobody asked it anything
        (measured(Tag.LOOPBACK_SIP_ANSWERS, Tag.SERVER_LISTENS), "?"),
        (measured(Tag.SERVER_SIP_ANSWERS, over_loopback=True), "?"),  # no firewall stands in that way
        (measured(Tag.SERVER_SIP_ANSWERS, Tag.SERVER_FIREWALL_INACTIVE, over_loopback=True), "✅"),
        (measured(Tag.SERVER_SIP_ANSWERS, over_loopback=False), "✅"),
        (measured(Tag.SERVER_SIP_ANSWERS, Tag.SERVER_FIREWALL_BLOCKS, over_loopback=True), "❌"),
        (measured(Tag.SERVER_SIP_ANSWERS, Tag.USER_IP_BANNED), "❌"),
        (measured(Tag.SERVER_LOST_PASSWORDS, Tag.API_DB_DOWN, Tag.SERVER_DNS_BROKEN), "?"),  # elsewhere
        (measured(Tag.LOG_WRONG_PASSWORD), "✅"),  # the phone answered the PBX's answer
        (measured(Tag.LOG_CHALLENGE_REPEATED), "?"),  # the PBX's answers do not arrive
        (measured(Tag.LOG_NOT_FOUND), "?"),  # whether its answer arrived is not known
        (measured(Tag.SERVER_FIREWALL_BLOCKS, Tag.LOG_WRONG_PASSWORD, Tag.PHONE_SAYS_WRONG_PASSWORD), "?"),
        (measured(Tag.OTHER_NETWORK_FAILS, Tag.PHONE_SAYS_TIMEOUT, Tag.USER_DNS_OK), "?"),  # likely, nothing was seen
    ],
)
def test_only_an_answer_through_the_firewall_ticks_the_port(case: CaseFile, port: str) -> None:
    assert marks(case)[2] == port


def phone(kind: Kind, *tags: Tag) -> Reading:
    return Reading(kind, None, "", {}, tuple(Finding(tag) for tag in tags))


ONLINE, TIMEOUT = phone(Kind.MICROSIP_STATUS, Tag.PHONE_ONLINE), phone(Kind.MICROSIP_STATUS, Tag.PHONE_SAYS_TIMEOUT)
OLD_LOG = phone(Kind.MICROSIP_LOG, Tag.PHONE_REGISTERED)
CONNECTING = phone(Kind.MICROSIP_STATUS, Tag.PHONE_CONNECTING)
DENIED = phone(Kind.MICROSIP_STATUS, Tag.PHONE_SAYS_WRONG_PASSWORD)
RIGHT, WRONG = phone(Kind.MICROSIP_INI, Tag.ACCOUNT_RIGHT), phone(Kind.MICROSIP_INI, Tag.ACCOUNT_SERVER_WRONG)


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ((TIMEOUT, ONLINE), ("✅", "✅")),
        ((ONLINE, TIMEOUT), ("?", "❌")),
        ((OLD_LOG, TIMEOUT), ("?", "❌")),
        ((TIMEOUT, OLD_LOG), ("✅", "✅")),
        ((RIGHT,), ("✅", "?")),
        ((RIGHT, WRONG), ("❌", "?")),
        ((WRONG, RIGHT), ("✅", "?")),
        ((RIGHT, TIMEOUT), ("✅", "❌")),  # it is lost on the way
        ((WRONG, TIMEOUT), ("❌", "❌")),
        ((OLD_LOG, CONNECTING), ("?", "?")),
        ((RIGHT, DENIED), ("?", "❌")),  # the password is in no picture of the settings
        ((phone(Kind.PBX_LOG, Tag.LOG_REQUEST_BY_NAME, Tag.LOG_PACKET_SEEN),), ("?", "?")),  # it says nothing of either
    ],
)
def test_the_newest_word_of_each_source_counts(readings: tuple[Reading, ...], expected: tuple[str, str]) -> None:
    assert marks(CaseFile(readings=readings))[3:] == expected


CODES = (
    *(Tag.PHONE_SAYS_TIMEOUT, Tag.PHONE_SAYS_NO_SERVER, Tag.PHONE_SAYS_UNAVAILABLE, Tag.PHONE_SAYS_WRONG_PASSWORD),
    *(Tag.PHONE_SAYS_NOT_FOUND, Tag.PHONE_SAYS_SERVER_ERROR, Tag.PHONE_SAYS_OTHER_CODE),
)


@pytest.mark.parametrize("code", CODES)
def test_that_microsip_tried_in_vain_accuses_nobody(code: Tag) -> None:
    """A drop, a stopped PBX and a wrong address are all a 408 to it, a password the PBX lost is a 403."""
    assert marks(CaseFile(readings=(phone(Kind.MICROSIP_STATUS, code),)))[3:] == ("?", "❌")


def test_what_was_watched_live_outdoes_a_log_that_was_pasted() -> None:
    pasted = phone(Kind.PBX_LOG, Tag.LOG_REGISTERED)
    seen = [CheckResult(WATCH, 1.0, (Finding(tag),)) for tag in (Tag.LOG_WRONG_PASSWORD, Tag.LOG_REGISTERED)]
    assert [marks(CaseFile(readings=(pasted,), results=(one,)))[2:] for one in seen] == [
        ("✅", "?", "❌"),
        ("✅", "?", "✅"),
    ]


@pytest.mark.parametrize(
    ("pbx", "expected"),
    [((), "❌"), ((Tag.LOG_REGISTERED,), "❌"), ((Tag.LOG_REGISTERED, Tag.EXTENSION_ONLINE), "?")],
)
def test_where_the_pbx_sees_the_phone_that_says_it_tried_in_vain_the_end_is_open(
    pbx: tuple[Tag, ...], expected: str
) -> None:
    assert marks(CaseFile(readings=(TIMEOUT,), results=measured(*pbx).results))[4] == expected


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (Tag.USER_DNS_NXDOMAIN, ("❌", "✅")),
        (Tag.USER_DNS_WRONG_IP, ("❌", "✅")),
        (Tag.USER_PING_TIMEOUT, ("✅", "❌")),
        (Tag.USER_PING_LOSS, ("✅", "❌")),
        (Tag.USER_PING_CLEAN, ("✅", "✅")),
    ],
)
def test_the_users_own_name_service_and_ping_are_on_the_way(own: Tag, expected: tuple[str, str]) -> None:
    ours = measured(Tag.SERVER_DNS_OK, Tag.SERVER_PING_ANSWERS)
    assert marks(CaseFile(readings=(phone(Kind.NSLOOKUP, own),), results=ours.results))[:2] == expected


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ((Tag.PHONE_SAYS_NO_SERVER,), "?"),  # the user's own name service, or a typo: not looked at yet
        ((Tag.PHONE_SAYS_NO_SERVER, Tag.USER_DNS_OK), "✅"),
        ((Tag.PHONE_SENDS_TO_WRONG_IP, Tag.PHONE_REGISTERS_NAME), "?"),
        ((Tag.USER_TRACE_UNKNOWN_HOST,), "❌"),
    ],
)
def test_what_others_find_is_no_tick_where_the_phone_does_not(own: tuple[Tag, ...], expected: str) -> None:
    assert marks(measured(Tag.SERVER_DNS_OK, Tag.OUTSIDE_DNS_OK, *own))[0] == expected


STATION = {
    **dict.fromkeys((Step.SERVER_DNS, Step.WRONG_DNS_ANSWER), 0),
    **dict.fromkeys((Step.OPEN_SERVER_FIREWALL, Step.START_PBX, Step.BIND_ALL_INTERFACES, Step.FREE_PORT), 2),
    Step.UNBAN_USER: 2,
    **dict.fromkeys((Step.FIX_SERVER_FIELD, Step.FIX_TRANSPORT, Step.ACTIVATE_ACCOUNT, Step.REMOVE_PROXY), 3),
    **dict.fromkeys((Step.CREATE_EXTENSION, Step.RESET_EXTENSION_PASSWORD, Step.FIX_PASSWORD), 4),
}


GOOD_NEWS = {Tag.SERVER_DNS_OK, Tag.SERVER_PING_ANSWERS, Tag.SERVER_SIP_ANSWERS, Tag.SERVER_LISTENS}


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.step in STATION], ids=lambda rule: rule.why)
def test_where_the_verdict_sees_the_fault_there_is_no_tick(rule: Rule) -> None:
    tags = {sorted(need)[0] for need in rule.needs}
    case = measured(*tags | GOOD_NEWS, over_loopback=True)
    verdict = decide([finding for result in case.results for finding in result.findings])
    assert verdict is not None
    if verdict.step in STATION:
        assert marks(case)[STATION[verdict.step]] != "✅"


# What these tell is not of one station: another time, another number, other networks, or nothing that works or fails.
NOWHERE = {
    *(Tag.USER_DNS_ANSWERS, Tag.USER_OTHER_DNS_OK, Tag.USER_LOOKED_UP_OTHER_NAME),
    *(Tag.USER_TRACE_REACHED, Tag.USER_TRACE_NOT_REACHED),
    *(Tag.USER_FIREWALL_BLOCKS, Tag.USER_FIREWALL_OPEN, Tag.USER_FIREWALL_NO_RULE),
    *(Tag.PHONE_STUN_FAILED, Tag.PHONE_BEHIND_VPN, Tag.PHONE_REGISTERS_NAME),
    *(Tag.NETWORK_UNUSUAL, Tag.PROVIDER_KNOWN, Tag.PROVIDER_UNUSUAL, Tag.NEIGHBOURS_SAME_TROUBLE),
    *(Tag.OTHER_NETWORK_WORKS, Tag.OTHER_NETWORK_FAILS, Tag.OUTSIDE_PING_ANSWERS, Tag.OUTSIDE_PING_LOST),
    *(Tag.LOG_NOT_FOUND_OTHER, Tag.LOG_DB_DOWN, Tag.LOG_PACKET_SEEN, Tag.LOG_SILENT, Tag.LOG_HEADERS_REWRITTEN),
    *(Tag.LOG_REQUEST_BY_IP, Tag.LOG_REQUEST_BY_NAME, Tag.LOG_REGISTER_DUPLICATED, Tag.LOG_LIVE, Tag.LOG_OTHER_PORT),
    *(Tag.SERVER_DNS_HAS_AAAA, Tag.SERVER_DNS_HAS_SRV, Tag.OUTSIDE_DNS_ANSWERS, Tag.SERVER_LOST_PASSWORDS),
    *(Tag.EXTENSION_EXISTS, Tag.EXTENSION_OFFLINE, Tag.EXTENSION_BEFORE_RESTART),
    *(Tag.API_ANSWERS, Tag.API_DB_DOWN),
}


def test_every_tag_has_a_station_or_is_known_to_have_none() -> None:
    source = Path(bot.stations.__file__).read_text()
    placed = {tag for tag in Tag if re.search(rf"\bTag\.{tag.name}\b", source)}
    assert (set(Tag) - placed - NOWHERE, placed & NOWHERE) == (set(), set())
