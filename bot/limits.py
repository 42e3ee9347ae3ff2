"""How much may one person ask for? Generous for somebody in trouble, too little for somebody who floods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
CASES_PER_DAY = 12
CHECKS_PER_HOUR = 30
EVIDENCE_BYTES_PER_DAY = 4 * 2**20
PICTURES_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Usage:
    """What one person had lately; times are aware UTC, oldest first."""

    cases: Sequence[datetime] = ()  # of the last day
    checks: Sequence[datetime] = ()  # of the last hour
    evidence: Sequence[tuple[datetime, int]] = field(default=())  # of the last day: when, bytes


def free_at(usage: Usage, wanted: str) -> datetime | None:
    """When the person may come back for a 'case', a 'check' or 'evidence'; None: now."""
    if wanted == "case" and len(usage.cases) >= CASES_PER_DAY:
        return usage.cases[-CASES_PER_DAY] + DAY
    if wanted in ("case", "check") and len(usage.checks) >= CHECKS_PER_HOUR:
        return usage.checks[-CHECKS_PER_HOUR] + HOUR
    if wanted == "evidence":
        over = sum(size for _, size in usage.evidence) - EVIDENCE_BYTES_PER_DAY
        for at, size in usage.evidence:
            if over < 0:
                break
            over -= size
            if over < 0:
                return at + DAY
    return None
