"""What one person may ask for, and when they may come back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.limits import CASES_PER_DAY, CHECKS_PER_HOUR, EVIDENCE_BYTES_PER_DAY, Usage, free_at

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def times(count: int) -> list[datetime]:
    return [NOW - (count - n) * MINUTE for n in range(count)]


@pytest.mark.parametrize("wanted", ["case", "check", "evidence"])
def test_who_had_little_may_go_on(wanted: str) -> None:
    assert free_at(Usage(times(3), times(3), [(NOW, 1000)]), wanted) is None


def test_a_case_too_many_has_to_wait_until_the_first_is_a_day_old() -> None:
    assert free_at(Usage(cases=times(CASES_PER_DAY)), "case") == times(CASES_PER_DAY)[0] + timedelta(days=1)


def test_a_check_too_many_has_to_wait_until_the_first_is_an_hour_old() -> None:
    usage = Usage(checks=times(CHECKS_PER_HOUR + 5))
    assert free_at(usage, "check") == times(CHECKS_PER_HOUR + 5)[5] + timedelta(hours=1)


def test_too_much_evidence_has_to_wait_until_enough_of_it_is_a_day_old() -> None:
    half = EVIDENCE_BYTES_PER_DAY // 2
    usage = Usage(evidence=[(NOW, half), (NOW + MINUTE, half), (NOW + 2 * MINUTE, half)])
    assert free_at(usage, "evidence") == NOW + MINUTE + timedelta(days=1)
