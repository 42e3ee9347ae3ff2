"""Which fields of MicroSIP's dialogs are right, wrong or not sure, going by what was judged of them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.model import Finding, Reading, Tag

# the fields and checks that can keep MicroSIP from registering
ORDER = (
    "server", "proxy", "username", "domain", "login", "transport", "public_address", "nameserver",
    "stun_enabled", "stun_server", "ice", "allow_rewrite", "rport",
)  # fmt: skip
_FIELD_OF: Mapping[Tag, str] = {
    Tag.ACCOUNT_SERVER_EMPTY: "server",
    Tag.ACCOUNT_PROXY_SET: "proxy",
    Tag.ACCOUNT_TRANSPORT_WRONG: "transport",
    Tag.ACCOUNT_LOGIN_DIFFERS: "login",
    Tag.ACCOUNT_USERNAME_DIFFERS: "username",
    Tag.ACCOUNT_ICE_ON: "ice",
    Tag.ACCOUNT_STUN_ON: "stun_enabled",
    Tag.ACCOUNT_REWRITE_ON: "allow_rewrite",
    Tag.ACCOUNT_PUBLIC_ADDRESS_SET: "public_address",
    Tag.ACCOUNT_RPORT_OFF: "rport",
    Tag.ACCOUNT_NAMESERVER_BAD: "nameserver",
}


def wrong_names(findings: Sequence[Finding]) -> frozenset[str]:
    """The fields and checks that findings complain about."""
    names = set()
    for finding in findings:
        if finding.tag is Tag.ACCOUNT_SERVER_WRONG:
            names.add(str(finding.args.get("field", "server")))
        elif finding.tag in _FIELD_OF:
            names.add(_FIELD_OF[finding.tag])
    return frozenset(names)


def verdicts(reading: Reading) -> dict[str, str]:
    """'right', 'wrong' or 'unsure' for every field and check that matters and has a place on the picture."""
    wrong = wrong_names(reading.findings)
    seen = {**reading.facts.get("fields", {}), **reading.facts.get("checks", {})}
    boxes = reading.facts.get("boxes", {})
    found = {}
    for name in ORDER:
        if name in seen and name in boxes:
            found[name] = "wrong" if name in wrong else "unsure" if seen[name] is None else "right"
    return found
