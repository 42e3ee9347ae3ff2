"""The verb: evidence and measurements of one case → what is known → the verdict and the next question.

Pure: the newest result of each source wins, then what only two sources together can say is added.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network

from bot.model import (
    Certainty,
    CheckResult,
    Context,
    Evidence,
    Finding,
    Kind,
    Reading,
    Step,
    Tag,
    Target,
    Verdict,
)
from bot.parsers import read
from bot.rules import decide, next_question, owner_of

WATCH = "register_watch"
OTHER_NAME_SERVER = f"{Kind.NSLOOKUP}:other"
RESOLVED = frozenset({Tag.USER_DNS_OK, Tag.USER_DNS_ANSWERS})
PBX_LIVES = frozenset({Tag.SERVER_SIP_ANSWERS, Tag.LOOPBACK_SIP_ANSWERS, Tag.PHONE_REGISTERED, Tag.PHONE_ONLINE})
JUDGED_BY_NUMBER = frozenset({Kind.PBX_LOG, Kind.MICROSIP_INI, Kind.MICROSIP_SCREEN})
NAMES_ITS_NUMBER = frozenset({Kind.MICROSIP_LOG, Kind.MICROSIP_INI, Kind.MICROSIP_SCREEN})
CONTACT = re.compile(r"@([0-9.]{7,15})(?=[:;>]|$)")  # the address a number registered from, as the API keeps it
# Where the PBX says it lives, for reading pastes before any resolver was asked (its own documentation).
PUBLISHED_ADDRESS = {"call.soundz.uz": "69.62.127.9"}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What follows from all that is known of a case at one moment."""

    findings: tuple[Finding, ...]
    verdict: Verdict | None
    question: Kind | None


def context_of(target: Target, results: Iterable[CheckResult] = (), extension: str | None = None) -> Context:
    """What a parser may know; the right address: the configured, else the authoritative, else the published."""
    expected = target.expected_ips or frozenset(
        str(address)
        for result in results
        for finding in result.findings
        if finding.tag is Tag.SERVER_DNS_OK
        for address in _addresses(finding)
    )
    if not expected and target.host in PUBLISHED_ADDRESS:
        expected = frozenset({PUBLISHED_ADDRESS[target.host]})
    return Context(target.host, target.sip_port, expected, extension)


def diagnose(
    readings: Iterable[Reading],
    results: Iterable[CheckResult],
    *,
    answers: Iterable[Finding] = (),
    tried: Collection[Step] = (),
    closed: Collection[Kind] = (),
) -> Diagnosis:
    """The verdict on readings and results in the order they came, and what to ask next.

    `answers`: findings from buttons. `tried`: steps that did not help. `closed`: kinds not to ask for.
    """
    newest: dict[str, tuple[Finding, ...]] = {}
    for reading in readings:
        newest.pop(reading.source, None)  # a newer one also moves to the end
        newest[reading.source] = reading.findings
    for result in results:
        if result.failure is not None:
            continue  # not knowing takes nothing back
        newest.pop(f"check {result.name}", None)
        newest[f"check {result.name}"] = result.findings
        if result.name == WATCH and result.findings:
            for older in (Kind.PBX_LOG.value, "check pbx_log"):  # the same log, now seen live
                newest.pop(older, None)
            if any(finding.tag is not Tag.LOG_SILENT for finding in result.findings):
                newest["live"] = (Finding(Tag.LOG_LIVE),)
    newest = _two_name_servers(newest)
    findings = correlate(
        [finding for group in newest.values() for finding in group] + list(answers),
        _user_addresses(readings),
    )
    verdict, question = decide(findings, tried), next_question(findings, closed)
    if verdict is None and question is None and findings:
        verdict = Verdict(Step.CALL_STAFF, owner_of(Step.CALL_STAFF), Certainty.LIKELY)
    return Diagnosis(findings, verdict, question)


def heard(result: CheckResult) -> bool:
    """Whether a watch saw anything that is surely the user's."""
    return any(finding.tag not in (Tag.LOG_SILENT, Tag.LOG_OTHER_PORT) for finding in result.findings)


def read_together(evidence: Sequence[Evidence], context: Context) -> tuple[Reading, ...]:
    """The readings of evidence that came together. The number that the phone names tells whose lines in a log count."""
    readings = tuple(reading for one in evidence for reading in read(one, context))
    if context.extension is not None:
        return readings
    named = next((r for r in readings if r.kind in NAMES_ITS_NUMBER and r.facts.get("extension")), None)
    own = named.facts["extension"] if named else None
    others = {reading.kind for reading in readings if reading is not named}
    if not isinstance(own, str) or not others & JUDGED_BY_NUMBER:
        return readings  # nothing would be read otherwise
    return tuple(reading for one in evidence for reading in read(one, replace(context, extension=own)))


def _two_name_servers(newest: dict[str, tuple[Finding, ...]]) -> dict[str, tuple[Finding, ...]]:
    """What a name server asked by hand says beside the PC's own: a comparison, never the PC's own trouble."""
    own, other = newest.get(Kind.NSLOOKUP.value), newest.get(OTHER_NAME_SERVER)
    if not own or not other:
        return newest
    if any(finding.tag in RESOLVED for finding in own):
        return {source: group for source, group in newest.items() if source != OTHER_NAME_SERVER}
    named = tuple(replace(one, tag=Tag.USER_OTHER_DNS_OK) if one.tag in RESOLVED else one for one in other)
    return {**newest, OTHER_NAME_SERVER: named}


def correlate(findings: Iterable[Finding], user_addresses: Collection[str] = ()) -> tuple[Finding, ...]:
    """The findings and what two of them say together: the user's address is banned, an answer is judged.

    A log that ends with the PBX's stop is an old one where the PBX answers.
    """
    found = list(findings)
    if any(finding.tag in PBX_LIVES for finding in found):
        found = [finding for finding in found if finding.tag is not Tag.LOG_PBX_STOPPED]
    tags = {finding.tag for finding in found}
    seen_from = {*user_addresses} | {
        str(finding.args["source_ip"])
        for finding in found
        if finding.tag.value.startswith("log_") and finding.args.get("source_ip")
    }
    bans = [a for f in found if f.tag is Tag.SERVER_BANS for a in _addresses(f)]
    banned = [address for address in sorted(seen_from) if any(_within(address, ban) for ban in bans)]
    if banned and Tag.USER_IP_BANNED not in tags:
        found.append(Finding(Tag.USER_IP_BANNED, {"address": banned[0]}))
    if Tag.EXTENSION_ADDRESS_BANNED not in tags:
        found += [
            Finding(Tag.EXTENSION_ADDRESS_BANNED, {"extension": online.args.get("extension"), "address": contact[1]})
            for online in found
            if online.tag is Tag.EXTENSION_ONLINE
            and (contact := CONTACT.search(str(online.args.get("contact_uri"))))
            and any(_within(contact[1], ban) for ban in bans)
        ]
    right = {a for f in found if f.tag is Tag.SERVER_DNS_OK for a in _addresses(f)}
    for place, finding in enumerate(found):
        if finding.tag is Tag.USER_DNS_ANSWERS and right:
            agreed = not right.isdisjoint(_addresses(finding))
            found[place] = replace(finding, tag=Tag.USER_DNS_OK if agreed else Tag.USER_DNS_WRONG_IP)
        if finding.tag is Tag.OUTSIDE_DNS_ANSWERS and right:
            agreed = not right.isdisjoint(_addresses(finding))
            found[place] = replace(finding, tag=Tag.OUTSIDE_DNS_OK if agreed else Tag.OUTSIDE_DNS_WRONG)
    return tuple(found)


def user_address(readings: Iterable[Reading], results: Iterable[CheckResult]) -> str | None:
    """The user's public address, where a line of the PBX's log about them, or their phone's log, tells it."""
    groups = [*(reading.findings for reading in readings), *(result.findings for result in results)]
    seen = [f.args.get("source_ip") for group in groups for f in group if f.tag.value.startswith("log_")]
    told = [reading.facts.get("public_ip") for reading in readings if reading.kind is Kind.MICROSIP_LOG]
    return next((address for address in reversed([*told, *seen]) if isinstance(address, str)), None)


def _within(address: str, ban: str) -> bool:
    """Whether a ban, an address or a network, keeps the address out."""
    try:
        return ip_address(address) in ip_network(ban, strict=False)
    except ValueError:
        return False


def _addresses(finding: Finding) -> tuple[str, ...]:
    value = finding.args.get("addresses", ())
    return value if isinstance(value, tuple) else ()


def _user_addresses(readings: Iterable[Reading]) -> set[str]:
    """Addresses the phone's own log names as its own or as the one the PBX saw."""
    return {
        address
        for reading in readings
        if reading.kind is Kind.MICROSIP_LOG
        for key in ("public_ip", "local_ip")
        if isinstance(address := reading.facts.get(key), str)
    }
