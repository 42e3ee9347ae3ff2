"""The table of rules as a whole: monotone, no row hidden, every word of it known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.model import Certainty, Finding, Kind, Owner, Step, Tag
from bot.rules import EFFORT, PRODUCES, decide, next_question, owner_of
from bot.table import RULES

USER_STEPS = {
    "fix_dns", "wrong_dns_answer", "check_internet", "reduce_loss", "turn_off_stun_ice", "turn_off_external_ip",
    "fix_server_field", "remove_proxy", "fix_transport", "fix_username", "fix_password", "activate_account",
    "allow_in_firewall", "try_other_network", "press_register",
}  # fmt: skip
SERVER_STEPS = {
    "server_dns", "open_server_firewall", "start_pbx", "bind_all_interfaces", "free_port",
    "reset_extension_password", "create_extension", "unban_user", "server_error",
}  # fmt: skip
MEASURED = (
    "SERVER_", "LOOPBACK_", "EXTENSION_", "PM2_", "API_", "OUTSIDE_", "NETWORK_", "PROVIDER_", "NEIGHBOURS_",
    "USER_IP_BANNED",
)  # fmt: skip


def place(tags: set[Tag]) -> int | None:
    return next((n for n, rule in enumerate(RULES) if rule.fires(tags)), None)


def test_the_steps_are_those_of_the_contract() -> None:
    assert {step.value for step in Step} == USER_STEPS | SERVER_STEPS | {"connected", "call_staff"}


def test_each_step_has_the_owner_the_contract_names() -> None:
    assert {step.value for step in Step if owner_of(step) is Owner.USER} == USER_STEPS
    assert {step.value for step in Step if owner_of(step) is Owner.SERVER} == SERVER_STEPS


def test_every_step_but_call_staff_has_a_row() -> None:
    assert {rule.step for rule in RULES} == set(Step) - {Step.CALL_STAFF}


def test_no_row_is_hidden_by_an_earlier_one() -> None:
    hidden = [
        (first.why, later.why)
        for n, later in enumerate(RULES)
        for first in RULES[:n]
        if all(any(need <= mine for need in later.needs) for mine in first.needs)
    ]
    assert hidden == []


@given(st.sets(st.sampled_from(list(Tag))), st.sets(st.sampled_from(list(Tag))))
def test_learning_more_never_hides_an_earlier_firing_row(known: set[Tag], more: set[Tag]) -> None:
    before, after = place(known), place(known | more)
    assert before is None or (after is not None and after <= before)


@given(st.sets(st.sampled_from(list(Tag))))
def test_a_verdict_rests_on_findings_that_are_there(known: set[Tag]) -> None:
    verdict = decide(Finding(tag) for tag in known)
    assert verdict is None or {finding.tag for finding in verdict.because} <= known


def test_an_empty_table_of_findings_gives_no_verdict() -> None:
    assert decide(()) is None


def test_a_tried_step_is_passed_over_unless_proven() -> None:
    stun = [Finding(Tag.ACCOUNT_STUN_ON), Finding(Tag.ACCOUNT_TRANSPORT_WRONG)]
    proven = decide(stun, tried={Step.FIX_TRANSPORT})
    likely = decide(stun[:1], tried={Step.TURN_OFF_STUN_ICE})
    assert (proven and proven.step, likely) == (Step.FIX_TRANSPORT, None)


def test_every_tag_a_user_can_bring_is_in_the_table() -> None:
    needed = set().union(*(need for rule in RULES for need in rule.needs))
    idle = {tag for tags in PRODUCES.values() for tag in tags} - needed - {Tag.PHONE_SAYS_OTHER_CODE}
    assert idle == set()


def test_every_tag_of_the_table_can_be_brought_or_measured() -> None:
    brought = {tag for tags in PRODUCES.values() for tag in tags}
    needed = {tag for rule in RULES for need in rule.needs for tag in need}
    unknown = {tag.name for tag in needed - brought if not tag.name.startswith((*MEASURED, "LOG_", "PHONE_"))}
    assert unknown == set()


def test_every_askable_kind_has_its_effort() -> None:
    assert set(EFFORT) == set(PRODUCES)


def test_nothing_is_asked_under_a_proven_verdict() -> None:
    assert next_question([Finding(Tag.PM2_STOPPED)]) is None


def test_a_rule_of_our_own_firewall_is_mended_before_anybody_is_asked() -> None:
    healthy = [Finding(Tag.SERVER_DNS_OK), Finding(Tag.LOOPBACK_SIP_ANSWERS), Finding(Tag.SERVER_LISTENS)]
    for ours in (Tag.SERVER_FIREWALL_NO_RULE, Tag.SERVER_FIREWALL_BLOCKS, Tag.SERVER_FIREWALL_THROTTLES):
        assert next_question([*healthy, Finding(ours)]) is None
    assert next_question([*healthy, Finding(Tag.SERVER_FIREWALL_LIMITS)]) is Kind.MICROSIP_STATUS


def test_the_status_bar_is_asked_first() -> None:
    fine = [Finding(Tag.SERVER_DNS_OK), Finding(Tag.SERVER_SIP_ANSWERS)]
    assert next_question(fine) is Kind.MICROSIP_STATUS


def test_a_phone_that_was_answered_is_not_asked_for_its_name_service() -> None:
    asked, closed = [], {Kind.MICROSIP_STATUS}
    while kind := next_question([Finding(Tag.SERVER_DNS_OK), Finding(Tag.PHONE_SAYS_WRONG_PASSWORD)], closed):
        asked.append(kind)
        closed.add(kind)
    assert asked[0] is Kind.EXTENSION
    assert not {Kind.NSLOOKUP, Kind.PING, Kind.FIREWALL, Kind.OTHER_NETWORK} & set(asked)


def test_a_way_on_which_every_copy_was_lost_is_not_pinged_and_the_settings_are_seen_before_it_is_blamed() -> None:
    answered = {Kind.MICROSIP_STATUS, Kind.EXTENSION, Kind.LIVE_REGISTER, Kind.NSLOOKUP}
    silent = [Finding(Tag.PHONE_SAYS_TIMEOUT), Finding(Tag.LOG_SILENT), Finding(Tag.USER_DNS_OK)]
    assert next_question(silent, answered) is Kind.MICROSIP_SCREEN
    seen = answered | {Kind.MICROSIP_SCREEN, Kind.MICROSIP_INI}
    assert next_question(silent, seen) is Kind.FIREWALL
    assert next_question(silent, seen | {Kind.FIREWALL}) is None


def test_settings_that_brought_a_request_to_the_pbx_are_not_asked_for() -> None:
    answered = {Kind.MICROSIP_STATUS, Kind.EXTENSION, Kind.LIVE_REGISTER, Kind.NSLOOKUP}
    heard = [Finding(Tag.PHONE_SAYS_TIMEOUT), Finding(Tag.LOG_CHALLENGE_ONCE), Finding(Tag.USER_DNS_OK)]
    assert next_question(heard, answered) is Kind.PING
    assert next_question(heard, answered | {Kind.PING}) is None


def test_the_password_is_blamed_only_by_the_servers_log_or_the_settings() -> None:
    guilty = {Tag.LOG_WRONG_PASSWORD, Tag.ACCOUNT_PASSWORD_EMPTY}
    blaming = [rule for rule in RULES if rule.step is Step.FIX_PASSWORD]
    assert all(any(need <= guilty for need in rule.needs) for rule in blaming)


def test_proven_rests_on_a_log_line_an_answer_or_a_setting_seen() -> None:
    """Words of the status bar have several causes each, so they alone prove nothing."""
    words = set(PRODUCES[Kind.MICROSIP_STATUS])
    bare = [
        rule.why
        for rule in RULES
        if rule.certainty is Certainty.PROVEN and all(not need.isdisjoint(words) for need in rule.needs)
    ]
    assert bare == []
