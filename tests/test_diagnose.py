"""Which finding counts: the newest of each source, whatever its name, and what only two of them say together."""

from __future__ import annotations

from dataclasses import replace

from bot.diagnose import context_of, correlate, diagnose, read_together, user_address
from bot.model import (
    Certainty,
    CheckResult,
    Context,
    Evidence,
    Failure,
    Finding,
    Kind,
    Owner,
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


def test_a_ban_of_the_address_the_number_registered_from_is_a_finding() -> None:
    bans = Finding(Tag.SERVER_BANS, {"addresses": ("198.51.100.7",)})
    contact = {"extension": "1002", "contact_uri": "sip:1002@198.51.100.7:53193;ob", "last_updated": None}
    online = Finding(Tag.EXTENSION_ONLINE, contact)
    banned = Finding(Tag.EXTENSION_ADDRESS_BANNED, {"extension": "1002", "address": "198.51.100.7"})
    assert correlate([bans, online]) == (bans, online, banned)
    elsewhere = replace(online, args={**contact, "contact_uri": "sip:1002@192.168.1.23:53193"})
    assert correlate([bans, elsewhere]) == (bans, elsewhere)


def test_what_is_ours_to_mend_is_told_and_nothing_is_asked() -> None:
    for tag in (Tag.EXTENSION_ADDRESS_BANNED, Tag.EXTENSION_BEFORE_RESTART, Tag.SERVER_FIREWALL_THROTTLES):
        found = diagnose((), [result("any", tag, Tag.SERVER_SIP_ANSWERS)])
        assert found.verdict is not None
        assert (found.verdict.owner, found.verdict.certainty, found.question) == (Owner.SERVER, Certainty.LIKELY, None)


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


FAILS = "Server:  UnKnown\nAddress:  192.168.1.1\n\n*** UnKnown can't find call.soundz.uz: Server failed\n"
KNOWS = (
    "Server:  dns.google\nAddress:  8.8.8.8\n\nNon-authoritative answer:\n"
    "Name:    call.soundz.uz\nAddress:  69.62.127.9\n"
)


def judged(*pastes: str) -> tuple[list[Tag], tuple[Step, Certainty] | None]:
    readings = read_together([Evidence(text=paste) for paste in pastes], context_of(TARGET))
    found = diagnose(readings, ())
    verdict = (found.verdict.step, found.verdict.certainty) if found.verdict else None
    return [finding.tag for finding in found.findings], verdict


def test_the_pcs_own_name_server_fails_and_another_one_knows_the_name_in_any_order() -> None:
    proven = (Step.FIX_DNS, Certainty.PROVEN)
    both = {Tag.USER_DNS_SERVFAIL, Tag.USER_OTHER_DNS_OK}
    typed = "C:\\>nslookup call.soundz.uz\n" + FAILS + "\nC:\\>nslookup call.soundz.uz 8.8.8.8\n" + KNOWS + "\nC:\\>"
    for pastes in ((FAILS + "\n" + KNOWS,), (KNOWS + "\n" + FAILS,), (typed,)):
        found, verdict = judged(*pastes)
        assert (set(found), verdict) == (both, proven)


def test_a_name_server_asked_by_hand_is_compared_with_the_pcs_own_also_in_a_later_message() -> None:
    by_hand = "C:\\>nslookup call.soundz.uz 8.8.8.8\n" + KNOWS + "\nC:\\>"
    assert judged(FAILS, by_hand)[1] == (Step.FIX_DNS, Certainty.PROVEN)
    assert judged(by_hand, FAILS)[1] == (Step.FIX_DNS, Certainty.PROVEN)


def test_a_closed_way_to_a_foreign_name_server_is_no_fault_of_the_pcs_own() -> None:
    own = KNOWS.replace("dns.google", "UnKnown").replace("8.8.8.8", "192.168.1.1")
    silent = "C:\\>nslookup call.soundz.uz 8.8.8.8\nDNS request timed out.\n    timeout was 2 seconds.\nC:\\>"
    assert judged(own, silent) == judged(own)
    assert judged(silent, own) == judged(own)


def test_the_pcs_own_name_server_lies_and_another_one_tells_the_truth() -> None:
    lie = KNOWS.replace("dns.google", "UnKnown").replace("8.8.8.8", "192.168.1.1").replace("69.62.127.9", "10.0.0.9")
    assert judged(lie + "\n" + KNOWS)[1] == (Step.WRONG_DNS_ANSWER, Certainty.PROVEN)


def test_a_stop_in_an_older_log_is_refuted_by_a_pbx_that_answers() -> None:
    ended = reading(Kind.PBX_LOG, Tag.LOG_PBX_STOPPED)
    assert tags([ended], [result("sip", Tag.SERVER_SIP_ANSWERS)]) == [Tag.SERVER_SIP_ANSWERS]
    found = diagnose([ended], [result("sip", Tag.SERVER_SIP_SILENT)]).verdict
    assert found is not None
    assert (found.step, found.certainty) == (Step.START_PBX, Certainty.PROVEN)


def test_a_packet_on_the_trunks_port_while_the_log_is_watched_names_the_field() -> None:
    found = diagnose((), [result("register_watch", Tag.LOG_OTHER_PORT)]).verdict
    assert found is not None
    assert (found.step, found.certainty) == (Step.FIX_SERVER_FIELD, Certainty.LIKELY)


def test_a_whole_network_that_is_denied_holds_the_users_address() -> None:
    bans = Finding(Tag.SERVER_BANS, {"addresses": ("198.51.100.0/24",)})
    assert correlate([bans], {"198.51.100.7"})[-1] == Finding(Tag.USER_IP_BANNED, {"address": "198.51.100.7"})
    assert correlate([bans], {"198.51.101.7"}) == (bans,)


def test_a_forbidden_answer_is_proven_only_beside_a_phone_that_got_none() -> None:
    eperm = reading(Kind.PBX_LOG, Tag.LOG_SEND_EPERM)
    alone, beside = (
        diagnose([eperm, *more], ()).verdict for more in ([], [reading(Kind.MICROSIP_LOG, Tag.PHONE_SAYS_TIMEOUT)])
    )
    assert alone is not None
    assert beside is not None
    assert (alone.step, alone.certainty) == (Step.OPEN_SERVER_FIREWALL, Certainty.LIKELY)
    assert (beside.step, beside.certainty) == (Step.OPEN_SERVER_FIREWALL, Certainty.PROVEN)
