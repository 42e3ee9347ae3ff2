"""Faults in wordings that no scenario holds: other addresses, numbers, languages, tools and neighbours in the log."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.evidence.faults import FAULTS
from tests.evidence.measure import judged, modes, rate
from tests.evidence.scene import Scene

SEEDS = (7001, 7002, 7003)


@pytest.mark.parametrize("seed", SEEDS)
def test_at_least_95_of_100_faults_end_with_the_right_step(seed: int) -> None:
    ratings: Counter[str] = Counter()
    for fault in FAULTS:
        scene = Scene.of(seed)
        ratings[rate(fault, judged(fault.compose(scene), scene.extension))] += 1
    assert ratings["right"] + ratings["acceptable"] >= 0.95 * ratings.total(), ratings


@pytest.mark.parametrize("seed", SEEDS)
def test_no_wrong_step_is_ever_proven(seed: int) -> None:
    wrong = []
    for fault in FAULTS:
        scene = Scene.of(seed)
        for mode, files in modes(fault.compose(scene), seed):
            if rate(fault, judged(files, scene.extension)) == "PROVEN WRONG":
                wrong.append((fault.name, mode))
    assert wrong == []
