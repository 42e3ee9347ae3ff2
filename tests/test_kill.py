"""kill -9 at any moment loses nothing, and repeats at most the one send that was in flight."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kills import Toll, kill_again_and_again


@pytest.mark.parametrize("workers", [1, 16])
def test_a_killed_bot_answers_everybody_and_repeats_only_what_was_in_flight(tmp_path: Path, workers: int) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    toll = kill_again_and_again(seed, tmp_path, kills=6, updates=120, workers=workers)
    assert replace(toll, repeated=0) == Toll(120, 6, 0, 0, 0, 0, 0), f"seed {seed}: {toll}"
    assert toll.repeated <= toll.kills * workers, f"seed {seed}: {toll}"
