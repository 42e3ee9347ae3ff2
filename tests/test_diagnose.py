"""Which finding counts: the newest of each source, whatever its name, and what only two of them say together."""

from __future__ import annotations

from bot.diagnose import context_of, correlate, diagnose, read_together, user_address
from bot.model import (
    Certainty,
    CheckResult,
    Context,
    Evidence,
    Failure,
    Finding,
    Kind,
    Reading,
    Step,
    Tag,
    Target,
)

TARGET = Target("call.soundz.uz", 5060, frozenset(), "call.soundz.uz")


def reading(kind: Kind, *tags: Tag, tool: str | None = None) -> Reading:
    return Reading(kind, tool, "x", {}, tuple(Finding(tag) for tag in tags))


def result(name: str, *tags: Tag) -> CheckResult:
    return CheckResult(name, 1.0, tuple(Finding(tag) for tag in tags))


def tags(*args: object, **kwargs: object) -> list[Tag]:
    return [finding.tag for finding in diagnose(*args, **kwargs).findings]  # type: ignore[arg-type]


def test_a_newer_reading_of_a_kind_replaces_the_older() -> None:
    both = [reading(Kind.NSLOOKUP, Tag.USER_DNS_TIMEOUT), reading(Kind.NSLOOKUP, Tag.USER_DNS_OK)]
    assert tags(both, ()) == [Tag.USER_DNS_OK]


def test_two_firewall_tools_see_different_rules_and_both_count() -> None:
    both = [
        reading(Kind.FIREWALL, Tag.SERVER_FIREWALL_OPEN, tool="ufw"),
        reading(Kind.FIREWALL, Tag.SERVER_FIREWALL_BLOCKS, tool="iptables"),
    ]
    assert tags(both, ()) == [Tag.SERVER_FIREWALL_OPEN, Tag.SERVER_FIREWALL_BLOCKS]


def test_our_own_ping_does_not_replace_the_users() -> None:
    found = tags([reading(Kind.PING, Tag.USER_PING_LOSS)], [result("ping", Tag.SERVER_PING_ANSWERS)])
    assert found == [Tag.USER_PING_LOSS, Tag.SERVER_PING_ANSWERS]


def test_not_knowing_takes_nothing_back() -> None:
    failed = CheckResult("sip", 1.0, (), Failure.TIMEOUT)
    assert tags((), [result("sip", Tag.SERVER_SIP_ANSWERS), failed]) == [Tag.SERVER_SIP_ANSWERS]


def test_a_log_seen_live_replaces_the_pasted_one_and_is_of_now() -> None:
    pasted = reading(Kind.PBX_LOG, Tag.LOG_REGISTERED)
    live = result("register_watch", Tag.LOG_WRONG_PASSWORD, Tag.LOG_REQUEST_BY_NAME)
    verdict = diagnose([pasted], [live]).verdict
    assert verdict is not None
    assert (verdict.step, verdict.certainty) == (Step.FIX_PASSWORD, Certainty.PROVEN)


def test_a_live_success_without_the_apis_word_is_only_likely() -> None:
    alone = diagnose((), [result("register_watch", Tag.LOG_REGISTERED)]).verdict
    confirmed = diagnose((), [result("register_watch", Tag.LOG_REGISTERED, Tag.EXTENSION_ONLINE)]).verdict
    assert alone is not None
    assert confirmed is not None
    assert (alone.certainty, confirmed.certainty) == (Certainty.LIKELY, Certainty.PROVEN)


def test_an_address_both_the_users_and_banned_is_a_finding() -> None:
    banned = Finding(Tag.SERVER_BANS, {"addresses": ("198.51.100.7", "198.51.100.8")})
    assert correlate([banned], {"198.51.100.8"}) == (
        banned,
        Finding(Tag.USER_IP_BANNED, {"address": "198.51.100.8"}),
    )


def test_the_users_address_is_what_the_log_of_the_pbx_saw_last() -> None:
    phone = Reading(Kind.MICROSIP_LOG, None, "timeout", {"public_ip": "198.51.100.1"}, ())
    seen = CheckResult("register_watch", 1.0, (Finding(Tag.LOG_WRONG_PASSWORD, {"source_ip": "198.51.100.2"}),))
    assert [user_address([phone], [seen]), user_address([phone], []), user_address([], [])] == [
        "198.51.100.2",
        "198.51.100.1",
        None,
    ]


def test_an_answer_is_judged_by_the_public_one() -> None:
    public = Finding(Tag.SERVER_DNS_OK, {"addresses": ("192.0.2.1",)})
    theirs = Finding(Tag.USER_DNS_ANSWERS, {"addresses": ("192.0.2.9",)})
    assert correlate([public, theirs])[1].tag is Tag.USER_DNS_WRONG_IP


def test_the_right_address_is_the_configured_else_the_authoritative_else_the_published() -> None:
    dns = [CheckResult("dns", 1.0, (Finding(Tag.SERVER_DNS_OK, {"addresses": ("192.0.2.1",)}),))]
    configured = Target("call.soundz.uz", 5060, frozenset({"192.0.2.5"}), "call.soundz.uz")
    assert [context_of(t, r).expected_ips for t, r in ((configured, dns), (TARGET, dns), (TARGET, ()))] == [
        frozenset({"192.0.2.5"}),
        frozenset({"192.0.2.1"}),
        frozenset({"69.62.127.9"}),
    ]


def test_the_number_the_phone_names_tells_whose_lines_of_the_log_count() -> None:
    log = "".join(
        f"2026-11-22 19:31:52: [SIP] Processing REGISTER from {ip}:5062\n"
        f"2026-11-22 19:31:52: [SIP] Sending 401 challenge for {number} to {ip}:5062\n"
        f"2026-11-22 19:31:52: Digest auth verification failed for {number}\n"
        f"2026-11-22 19:31:52: Authentication failed for {number}\n"
        for ip, number in (("198.51.100.7", "1002"), ("198.51.100.8", "1177"))
    )
    phone = "[Settings]\naccountId=1\n[Account1]\nserver=call.soundz.uz\ndomain=call.soundz.uz\nusername=1002\n"
    alone = read_together([Evidence(text=log)], Context())
    together = read_together([Evidence(text=log), Evidence(text=phone)], Context())
    assert [finding.tag for one in alone for finding in one.findings] == []
    blamed = [f for one in together for f in one.findings if f.tag is Tag.LOG_WRONG_PASSWORD]
    assert [finding.args["extension"] for finding in blamed] == ["1002"]
