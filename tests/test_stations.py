"""The stations of a packet's way: what was not tested is never fine."""

from __future__ import annotations

import pytest

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
        Station("MicroSIP", "❌"),
        Station("Register", "?"),
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
    ],
)
def test_only_an_answer_through_the_firewall_ticks_the_port(case: CaseFile, port: str) -> None:
    assert marks(case)[2] == port


def phone(kind: Kind, *tags: Tag) -> Reading:
    return Reading(kind, None, "", {}, tuple(Finding(tag) for tag in tags))


ONLINE, TIMEOUT = phone(Kind.MICROSIP_STATUS, Tag.PHONE_ONLINE), phone(Kind.MICROSIP_STATUS, Tag.PHONE_SAYS_TIMEOUT)
OLD_LOG = phone(Kind.MICROSIP_LOG, Tag.PHONE_REGISTERED)
RIGHT, WRONG = phone(Kind.MICROSIP_INI, Tag.ACCOUNT_RIGHT), phone(Kind.MICROSIP_INI, Tag.ACCOUNT_SERVER_WRONG)


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ((TIMEOUT, ONLINE), ("✅", "✅")),
        ((ONLINE, TIMEOUT), ("❌", "?")),
        ((OLD_LOG, TIMEOUT), ("❌", "?")),
        ((TIMEOUT, OLD_LOG), ("✅", "✅")),
        ((RIGHT,), ("✅", "?")),
        ((RIGHT, WRONG), ("❌", "?")),
        ((WRONG, RIGHT), ("✅", "?")),
        ((RIGHT, TIMEOUT), ("✅", "❌")),  # it is lost on the way
        ((WRONG, TIMEOUT), ("❌", "?")),
        ((phone(Kind.PBX_LOG, Tag.LOG_REQUEST_BY_NAME, Tag.LOG_PACKET_SEEN),), ("?", "?")),  # it says nothing of either
        ((phone(Kind.MICROSIP_STATUS, Tag.PHONE_SAYS_WRONG_PASSWORD),), ("❌", "❌")),
    ],
)
def test_the_newest_word_of_each_source_counts(readings: tuple[Reading, ...], expected: tuple[str, str]) -> None:
    assert marks(CaseFile(readings=readings))[3:] == expected


def test_what_was_watched_live_outdoes_a_log_that_was_pasted() -> None:
    pasted = phone(Kind.PBX_LOG, Tag.LOG_REGISTERED)
    seen = [CheckResult(WATCH, 1.0, (Finding(tag),)) for tag in (Tag.LOG_WRONG_PASSWORD, Tag.LOG_REGISTERED)]
    assert [marks(CaseFile(readings=(pasted,), results=(one,)))[2:] for one in seen] == [
        ("✅", "?", "❌"),
        ("✅", "?", "✅"),
    ]


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


STATION = {
    **dict.fromkeys((Step.SERVER_DNS, Step.WRONG_DNS_ANSWER), 0),
    **dict.fromkeys((Step.OPEN_SERVER_FIREWALL, Step.START_PBX, Step.BIND_ALL_INTERFACES, Step.FREE_PORT), 2),
    Step.UNBAN_USER: 2,
    **dict.fromkeys((Step.FIX_SERVER_FIELD, Step.FIX_TRANSPORT, Step.ACTIVATE_ACCOUNT, Step.REMOVE_PROXY), 3),
    **dict.fromkeys((Step.CREATE_EXTENSION, Step.RESET_EXTENSION_PASSWORD, Step.FIX_PASSWORD), 4),
}


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.step in STATION], ids=lambda rule: rule.why)
def test_where_the_verdict_sees_the_fault_there_is_no_tick(rule: Rule) -> None:
    tags = [sorted(need)[0] for need in rule.needs]
    case = measured(*tags)
    verdict = decide([finding for result in case.results for finding in result.findings])
    assert verdict is not None
    if verdict.step in STATION:
        assert marks(case)[STATION[verdict.step]] != "✅"
