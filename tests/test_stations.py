"""The stations of a packet's way: what was not tested is never fine."""

from __future__ import annotations

from bot.casefile import CaseFile
from bot.model import CheckResult, Failure, Finding, Kind, Reading, Tag
from bot.stations import Station, stations

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
    assert marks(CaseFile(answers=(Finding(Tag.PHONE_ONLINE),))) == ("?", "?", "?", "✅", "✅")
    assert marks(CaseFile(answers=(Finding(Tag.LOG_WRONG_PASSWORD),))) == ("?", "?", "?", "?", "❌")
