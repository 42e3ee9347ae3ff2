"""How far does a case's packet get? The stations from the name to the registration, each fine, failed or not tested."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.casefile import CaseFile
from bot.model import Owner, Tag
from bot.rules import decide

FINE, FAILED, UNTESTED = "✅", "❌", "?"
# A check that ran and brought such news did not fail, yet a tick would say too much.
DOUBTFUL = frozenset({Tag.SERVER_PING_LOST, Tag.SERVER_PACKETS_DROPPED, Tag.API_DOWN, Tag.PM2_RESTARTED_LATELY})
_PHONE_FINE = frozenset({Tag.ACCOUNT_RIGHT, Tag.PHONE_ONLINE, Tag.PHONE_REGISTERED})
_REGISTERED = frozenset({Tag.LOG_REGISTERED, Tag.PHONE_REGISTERED, Tag.PHONE_ONLINE})


@dataclass(frozen=True, slots=True)
class Station:
    """One place on the way, and its mark: FINE, FAILED or UNTESTED, which is never shown as fine."""

    name: str
    mark: str


def stations(case: CaseFile, port: int = 5060) -> tuple[Station, ...]:
    """`DNS ✅ → ping ✅ → 5060/UDP ❌ → MicroSIP ? → Register ?`: where it ends."""
    by_name = {result.name: result for result in case.results}

    def mark(*names: str) -> str:
        tested = [by_name[name] for name in names if name in by_name and by_name[name].failure is None]
        if not tested:
            return UNTESTED
        ours = [decide(result.findings) for result in tested]
        return FAILED if any(verdict and verdict.owner is Owner.SERVER for verdict in ours) else FINE

    phone = {finding.tag for reading in case.readings for finding in reading.findings}
    phone |= {answer.tag for answer in case.answers}
    lost = any(finding.tag is Tag.SERVER_PING_LOST for result in case.results for finding in result.findings)
    return (
        Station("DNS", mark("dns")),
        Station("ping", FAILED if lost else mark("ping")),
        Station(f"{port}/UDP", mark("sip", "sip_loopback", "sockets", "firewall", "pm2")),
        Station("MicroSIP", FINE if phone & _PHONE_FINE else _accused(phone)),
        Station("Register", _register(phone)),
    )


def _accused(phone: Iterable[Tag]) -> str:
    accused = any(tag.value.startswith(("account_", "phone_says", "phone_got")) for tag in phone)
    return FAILED if accused else UNTESTED


def _register(phone: set[Tag]) -> str:
    if phone & _REGISTERED:
        return FINE
    return FAILED if any(tag.value.startswith("log_") for tag in phone) else UNTESTED
