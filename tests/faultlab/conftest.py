"""A laboratory for each module of tests, and for each test a bot that runs on its PBX's host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faultlab.lab import Lab, why_not
from tests.running import RunningBot


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """All is well in it between two tests."""
    if reason := why_not():
        pytest.skip(f"skipped: {reason}")
    with Lab() as lab:
        yield lab


@pytest.fixture
def bot(lab: Lab, tmp_path: Path) -> Iterator[RunningBot]:
    """`yordam run` beside the PBX, as on the real host; nobody's case but the test's."""
    with lab.net.entered("host"):
        bot = RunningBot(tmp_path, lab.settings())
        bot.__enter__()
    try:
        yield bot
    finally:
        with lab.net.entered("host"):
            bot.__exit__()
