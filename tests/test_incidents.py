"""Incidents of our own side: opened and ended by what was seen more than once, and never by what could not be seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.incidents import (
    CLOSE_AFTER,
    OPEN_AFTER,
    Change,
    Phone,
    Round,
    Scope,
    Side,
    concerns,
    fits,
    fold,
    lost_together,
    passwords_gone,
)
from bot.model import CheckResult, Failure, Finding, Step, Tag

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HEARD = CheckResult("dns", 1.0, (Finding(Tag.SERVER_DNS_OK, {"addresses": ("203.0.113.10",)}),))
UNTRIED = CheckResult("dns", 1.0, failure=Failure.TIMEOUT)
ANSWERS = CheckResult("sip", 1.0, (Finding(Tag.SERVER_SIP_ANSWERS, {"code": 200, "rtt_ms": 1.0}),))
SILENT = CheckResult("sip", 1.0, (Finding(Tag.SERVER_SIP_SILENT),))
REFUSED = CheckResult("sip", 1.0, (Finding(Tag.SERVER_SIP_REFUSED),))
NOT_MADE = CheckResult("sip", 1.0, failure=Failure.TIMEOUT)
STOPPED = CheckResult("pm2", 1.0, (Finding(Tag.PM2_STOPPED, {"status": "stopped"}),))
GONE = CheckResult("dns", 1.0, (Finding(Tag.SERVER_DNS_NXDOMAIN, {"resolvers": ("1.1.1.1",)}),))
ROUNDS = {"bad": (HEARD, REFUSED), "good": (HEARD, ANSWERS), "unknown": (HEARD, NOT_MADE)}


def folded(rounds: Sequence[tuple[CheckResult, ...]], side: Side | None = None) -> tuple[Side, list[Change | None]]:
    """The state after one round a minute, and what each changed."""
    side = side or Side()
    changes = []
    for n, results in enumerate(rounds):
        side, change = fold(side, Round(NOON + n * MINUTE, results))
        changes.append(change)
    return side, changes


def changes(*names: str) -> list[Change | None]:
    return folded([ROUNDS[name] for name in names])[1]


def test_one_bad_round_opens_nothing() -> None:
    assert changes("bad", "good", "bad", "good") == [None] * 4


def test_two_bad_rounds_open_and_three_good_ones_close() -> None:
    seen = changes("bad", "bad", "bad", "good", "good", "good", "good")
    assert seen == [None, Change.OPENED, None, None, None, Change.CLOSED, None]


def test_a_check_that_could_not_be_made_neither_opens_nor_closes() -> None:
    seen = changes("bad", "unknown", "bad", "good", "unknown", "good", "unknown", "good")
    assert seen == [None, None, Change.OPENED, None, None, None, None, Change.CLOSED]


def test_a_good_round_among_bad_ones_begins_the_counting_anew() -> None:
    assert changes("bad", "bad", "good", "good", "bad", "good", "good").count(Change.CLOSED) == 0


def test_what_blamed_us_has_to_be_looked_at_again_before_it_is_over() -> None:
    _, seen = folded([(STOPPED, REFUSED)] * 2 + [(ANSWERS, CheckResult("pm2", 1.0, failure=Failure.TIMEOUT))] * 5)
    assert seen == [None, Change.OPENED] + [None] * 5


def test_silence_alone_may_be_the_bots_own_network() -> None:
    assert folded([(UNTRIED, SILENT)] * 5)[1] == [None] * 5
    assert folded([(HEARD, SILENT)] * 2)[1] == [None, Change.OPENED]


def test_rounds_far_apart_are_not_in_a_row() -> None:
    side, _ = fold(Side(), Round(NOON, ROUNDS["bad"]))
    side, change = fold(side, Round(NOON + timedelta(hours=2), ROUNDS["bad"]))
    assert (side.bad, change) == (1, None)


def test_another_cause_is_the_same_incident_with_another_thing_to_do() -> None:
    side, seen = folded([(HEARD, REFUSED)] * 2 + [(GONE, ANSWERS)] * 2)
    assert (seen, side.step) == ([None, Change.OPENED, None, Change.TURNED], Step.SERVER_DNS)


@pytest.mark.parametrize(
    ("blamed", "registered", "answered", "opened"),
    [
        (SILENT, timedelta(minutes=2), None, False),
        (SILENT, timedelta(minutes=20), None, True),
        (SILENT, None, timedelta(minutes=2), False),
        (SILENT, None, timedelta(minutes=20), True),
        (STOPPED, timedelta(seconds=20), None, False),
        (STOPPED, timedelta(minutes=2), timedelta(seconds=20), True),
        (GONE, timedelta(seconds=20), timedelta(seconds=20), True),  # a phone that knows the address needs no name
    ],
)
def test_an_accusation_is_weighed_against_phones_that_get_through(
    blamed: CheckResult, registered: timedelta | None, answered: timedelta | None, opened: bool
) -> None:
    side, seen = Side(), []
    for n in range(2):
        at = NOON + n * MINUTE
        ago = [at - age if age else None for age in (registered, answered)]
        side, change = fold(side, Round(at, (HEARD, blamed), *ago))
        seen.append(change)
    assert (seen == [None, Change.OPENED]) is opened


def test_a_counter_that_rises_at_a_rate_limit_is_no_incident() -> None:
    rose = CheckResult("firewall", 1.0, (Finding(Tag.SERVER_FIREWALL_COUNTER_ROSE, {"rule": "limit", "packets": 9}),))
    assert folded([(HEARD, ANSWERS, rose)] * 4)[1] == [None] * 4


def test_what_the_staff_ended_is_news_only_after_a_good_round() -> None:
    muted = folded([ROUNDS["bad"]] * 2)[0].ended_by_hand()
    assert folded([ROUNDS["bad"]] * 4, muted)[1] == [None] * 4
    again = [ROUNDS[name] for name in ("bad", "unknown", "bad", "bad", "good", "bad", "bad")]
    assert folded(again, muted)[1] == [None] * 6 + [Change.OPENED]


@pytest.mark.parametrize(
    ("findings", "step"),
    [
        ([Finding(Tag.PM2_STOPPED, {"status": "stopped"})], Step.START_PBX),
        ([Finding(Tag.SERVER_NOT_LISTENING), Finding(Tag.SERVER_SIP_REFUSED)], Step.START_PBX),
        ([Finding(Tag.SERVER_QUEUE_STUCK, {"recv_q_bytes": 30720}), Finding(Tag.SERVER_SIP_SILENT)], Step.START_PBX),
        ([Finding(Tag.PM2_RESTARTING, {"restarts": 55})], Step.SERVER_ERROR),
        ([Finding(Tag.LOG_DB_DOWN)], Step.SERVER_ERROR),
        ([Finding(Tag.API_DB_DOWN)], Step.SERVER_ERROR),
        ([Finding(Tag.SERVER_LISTENS_LOOPBACK, {"address": "127.0.0.1"})], Step.BIND_ALL_INTERFACES),
        ([Finding(Tag.LOG_PORT_TAKEN)], Step.FREE_PORT),
        (
            [Finding(Tag.SERVER_FIREWALL_NO_RULE, {"tool": "ufw"}), Finding(Tag.SERVER_SIP_SILENT)],
            Step.OPEN_SERVER_FIREWALL,
        ),
        ([Finding(Tag.SERVER_DNS_NXDOMAIN, {"resolvers": ("1.1.1.1",)})], Step.SERVER_DNS),
        ([Finding(Tag.SERVER_DNS_WRONG_IP, {"addresses": ("192.0.2.1",), "expected": ()})], Step.SERVER_DNS),
    ],
)
def test_each_trouble_of_everybodys_is_an_incident_of_its_step(findings: list[Finding], step: Step) -> None:
    side, seen = folded([(CheckResult("some", 1.0, tuple(findings)),)] * 2)
    assert (seen, side.step) == ([None, Change.OPENED], step)


@pytest.mark.parametrize(
    "finding",
    [
        Finding(Tag.SERVER_BANS, {"addresses": ("198.51.100.7",)}),
        Finding(Tag.SERVER_PING_LOST),
        Finding(Tag.API_DOWN),
        Finding(Tag.PM2_RESTARTED_LATELY, {"uptime_s": 60}),
        Finding(Tag.SERVER_PACKETS_DROPPED, {"drops": 9}),
    ],
)
def test_one_persons_trouble_or_a_doubt_is_none(finding: Finding) -> None:
    assert folded([(HEARD, ANSWERS, CheckResult("some", 1.0, (finding,)))] * 4)[1] == [None] * 4


sights = st.lists(st.sampled_from(sorted(ROUNDS)), max_size=60)


@given(sights)
def test_flapping_opens_and_closes_only_after_runs_of_the_same(names: list[str]) -> None:
    seen = changes(*names)
    standing = False
    for n, change in enumerate(seen):
        tested = [name for name in names[: n + 1] if name != "unknown"]
        if change is Change.OPENED:
            assert (standing, tested[-OPEN_AFTER:]) == (False, ["bad"] * OPEN_AFTER)
        elif change is Change.CLOSED:
            assert (standing, tested[-CLOSE_AFTER:]) == (True, ["good"] * CLOSE_AFTER)
        standing = change is Change.OPENED or (standing and change is not Change.CLOSED)
    tested = [name for name in names if name != "unknown"]
    runs = [(name, len(list(run))) for name, run in groupby(tested)]
    assert seen.count(Change.OPENED) <= sum(length >= OPEN_AFTER for name, length in runs if name == "bad")
    assert seen.count(Change.CLOSED) <= sum(length >= CLOSE_AFTER for name, length in runs if name == "good")


@given(sights, st.integers(0, 60))
def test_rounds_that_tell_nothing_change_nothing(names: list[str], place: int) -> None:
    without, _ = folded([ROUNDS[name] for name in names])
    place = min(place, len(names))
    side = Side()
    for n, name in enumerate([*names[:place], "unknown", *names[place:]]):
        at = NOON + (n - (n > place)) * MINUTE
        side, _ = fold(side, Round(at, ROUNDS[name]))
    assert side == without


@given(sights)
def test_the_state_survives_the_database(names: list[str]) -> None:
    side, _ = folded([ROUNDS[name] for name in names])
    assert Side.from_json(side.to_json()) == side


# --- passwords lost in a restart ---


def ago(**how: float) -> datetime:
    return NOON - timedelta(**how)


RESTART = ago(minutes=20)
LOST_A = Phone("1002", known_at=ago(hours=3), lost_at=ago(minutes=10))
LOST_B = Phone("1003", known_at=None, lost_at=ago(minutes=5))
BEFORE = Phone("1004", known_at=ago(hours=5))
BACK = Phone("1005", known_at=ago(minutes=2), lost_at=ago(minutes=12))
ALL = (LOST_A, LOST_B, BEFORE, BACK)


def test_several_that_lost_their_password_since_the_start_are_one_incident() -> None:
    assert lost_together(ALL, RESTART, NOON) == (LOST_A, LOST_B)
    assert passwords_gone((LOST_A, LOST_B)).because == (
        Finding(Tag.SERVER_LOST_PASSWORDS, {"count": 2, "extensions": ("1002", "1003")}),
    )


@pytest.mark.parametrize(
    ("phones", "started"),
    [
        ((LOST_A, BEFORE, BACK), RESTART),
        ((LOST_A, LOST_B), ago(minutes=1)),
        ((LOST_A, Phone("1003", lost_at=ago(hours=2))), None),
    ],
    ids=["one alone", "in an earlier life of the PBX", "one of them long ago"],
)
def test_fewer_or_older_losses_are_none(phones: tuple[Phone, ...], started: datetime | None) -> None:
    assert lost_together(phones, started, NOON) == ()


def test_a_line_of_just_now_is_proof_for_its_extension() -> None:
    assert concerns("1002", ALL, RESTART, NOON) == Finding(Tag.LOG_PASSWORD_LOST, {"extension": "1002"})


def test_an_old_line_or_a_registration_before_the_restart_is_a_suspicion() -> None:
    likely = {"count": 2}
    later = NOON + timedelta(hours=1)
    assert concerns("1002", ALL, RESTART, later) == Finding(Tag.SERVER_LOST_PASSWORDS, {**likely, "extension": "1002"})
    assert concerns("1004", ALL, RESTART, NOON) == Finding(Tag.SERVER_LOST_PASSWORDS, {**likely, "extension": "1004"})


def test_a_suspicion_does_not_last_for_days() -> None:
    assert [concerns(number, ALL, RESTART, NOON + timedelta(days=1)) for number in ("1002", "1004")] == [None, None]


def test_who_got_in_since_or_was_never_seen_is_told_nothing() -> None:
    assert [concerns(number, ALL, RESTART, NOON) for number in ("1005", "1999", None)] == [None, None, None]


def test_without_pm2_the_last_registration_of_a_lost_phone_dates_the_restart() -> None:
    later = Phone("1006", known_at=ago(hours=1))  # the PBX may have been restarted before that: nothing is claimed
    assert concerns("1004", (*ALL, later), None, NOON) is not None
    assert concerns("1006", (*ALL, later), None, NOON) is None


@pytest.mark.parametrize(
    ("heard", "outage", "passwords"),
    [
        (set(), True, True),
        ({Tag.USER_DNS_OK}, True, True),
        ({Tag.PHONE_SAYS_TIMEOUT}, True, False),
        ({Tag.PHONE_SAYS_WRONG_PASSWORD}, False, True),
        ({Tag.PHONE_SAYS_NOT_FOUND}, False, False),
        ({Tag.PHONE_SAYS_NO_SERVER, Tag.PHONE_SAYS_WRONG_PASSWORD}, False, False),
    ],
)
def test_who_surely_has_another_trouble_is_not_counted_in(heard: set[Tag], outage: bool, passwords: bool) -> None:
    assert (fits(Scope.OUTAGE, heard), fits(Scope.PASSWORDS, heard)) == (outage, passwords)
