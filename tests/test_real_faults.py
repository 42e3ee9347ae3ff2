"""The verdict on evidence that real faults really left: see tests/faultlab, where it was collected.

`python -m tests.faultlab.measure --keep tests/data/faultlab` collects it anew.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.diagnose import context_of, diagnose, read_together
from bot.model import Certainty, Evidence, Target
from tests.faultlab.faults import FAULTS, Fault
from tests.faultlab.measure import HOSTS, USERS
from tests.faultlab.network import HOST, PBX

COLLECTED = Path(__file__).parent / "data" / "faultlab"
TARGET = Target(HOST, 5060, frozenset({PBX}), PBX)


def verdict_on(fault: Fault, names: tuple[str, ...]) -> tuple[str | None, bool]:
    """The step, and whether it is said to be proven."""
    evidence = [Evidence(content=(COLLECTED / fault.name / name).read_bytes()) for name in names]
    readings = read_together(evidence, context_of(TARGET, extension=fault.extension))
    verdict = diagnose(readings, ()).verdict
    return (verdict.step, verdict.certainty is Certainty.PROVEN) if verdict else (None, False)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_what_both_sides_paste_leads_to_the_step(fault: Fault) -> None:
    step, _ = verdict_on(fault, (*USERS, *HOSTS))
    assert step in {fault.step, *fault.also}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_what_the_user_alone_pastes_proves_nothing_wrong(fault: Fault) -> None:
    step, proven = verdict_on(fault, USERS)
    assert not proven or step in {fault.step, *fault.also}
