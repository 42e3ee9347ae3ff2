"""What do the results of outside probes say together? One probe is no witness against anybody.

{"probe": {"country": "UZ", "city": "Tashkent", …}, "result": {"status": "finished", "statusCodeName": "NOERROR",
 "answers": [{"name": "call.soundz.uz", "type": "A", "value": "69.62.127.9", …}]}}      dns
{"probe": {…}, "result": {"status": "finished", "stats": {"min": 80.1, "total": 3, "rcv": 3, …}}}      ping
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.model import Finding, Tag, Target, Value

WITNESSES = 2  # so many probes have to agree before anything is said against the PBX's side
_CODE = re.compile(r"[A-Z]{3,16}")
_COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Told:
    """What one measurement came to; the note is for engineers."""

    findings: tuple[Finding, ...]
    note: str


def heard_dns(results: Sequence[Any], target: Target) -> Told:
    """OUTSIDE_DNS_OK | _ANSWERS | _WRONG(addresses, probes, country), or _FAILS(rcode, probes, country).

    A single probe with the right address is enough for OK: a wrong answer elsewhere is that resolver's own.
    ANSWERS: which address is right is not known here.
    """
    seen = list(_finished(results))
    answers = [_addresses(result) for _, result in seen]
    found = tuple(dict.fromkeys(address for one in answers for address in one))
    note = f"dns: {sum(map(bool, answers))} of {len(seen)} probes got an address"
    args: dict[str, Value] = {"addresses": found, "probes": len(seen), "country": _countries(seen)}
    if not target.expected_ips.isdisjoint(found):
        return Told((Finding(Tag.OUTSIDE_DNS_OK, args),), note)
    if len(seen) < WITNESSES:
        return Told((), f"{note}: too few to tell")
    if found:
        tag = Tag.OUTSIDE_DNS_WRONG if target.expected_ips else Tag.OUTSIDE_DNS_ANSWERS
        return Told((Finding(tag, args),), note)
    codes = [code for _, result in seen if isinstance(code := result.get("statusCodeName"), str)]
    rcode = next((code for code in codes if _CODE.fullmatch(code)), "no answer")
    failed: dict[str, Value] = {"rcode": rcode, "probes": len(seen), "country": _countries(seen)}
    return Told((Finding(Tag.OUTSIDE_DNS_FAILS, failed),), note)


def heard_ping(results: Sequence[Any]) -> Told:
    """OUTSIDE_PING_ANSWERS(rtt_ms: the quickest, probes, country) or _LOST(probes, country)."""
    seen = list(_finished(results))
    counted = [(where, stats) for where, result in seen if (stats := _stats(result)) is not None]
    rtts_ms = [rtt_ms for _, (received, rtt_ms) in counted if received and rtt_ms is not None]
    answered = sum(received > 0 for _, (received, _) in counted)
    note = f"ping: {answered} of {len(counted)} probes got an answer"
    args: dict[str, Value] = {"probes": len(counted), "country": _countries(counted)}
    if answered:
        quickest = round(min(rtts_ms), 1) if rtts_ms else None
        return Told((Finding(Tag.OUTSIDE_PING_ANSWERS, {"rtt_ms": quickest, **args}),), note)
    if len(counted) < WITNESSES:
        return Told((), f"{note}: too few to tell")
    return Told((Finding(Tag.OUTSIDE_PING_LOST, args),), note)


def _finished(results: Sequence[Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(country, result) of the probes that did their work; one that failed or went offline tells nothing."""
    for one in results:
        result = one.get("result") if isinstance(one, dict) else None
        probe = one.get("probe") if isinstance(one, dict) else None
        if isinstance(result, dict) and result.get("status") == "finished":
            country = probe.get("country") if isinstance(probe, dict) else None
            known = isinstance(country, str) and _COUNTRY.fullmatch(country)
            yield str(country) if known else "", result


def _countries(seen: Sequence[tuple[str, object]]) -> str:
    return ", ".join(sorted({country for country, _ in seen if country}))


def _addresses(result: Mapping[str, Any]) -> list[str]:
    """The IPv4 addresses of an answer: MicroSIP uses no others."""
    answers = result.get("answers")
    values = [one.get("value") for one in answers if isinstance(one, dict)] if isinstance(answers, list) else []
    found = []
    for value in values:
        try:
            found.append(str(ipaddress.IPv4Address(value)) if isinstance(value, str) else "")
        except ValueError:
            continue
    return [address for address in found if address]


def _stats(result: Mapping[str, Any]) -> tuple[int, float | None] | None:
    """(echoes that came back, the quickest in ms); None where nothing was counted."""
    stats = result.get("stats")
    if not isinstance(stats, dict):
        return None
    total, received, quickest = stats.get("total"), stats.get("rcv"), stats.get("min")
    if not isinstance(total, int) or not isinstance(received, int) or total <= 0:
        return None
    return received, float(quickest) if isinstance(quickest, int | float) else None
