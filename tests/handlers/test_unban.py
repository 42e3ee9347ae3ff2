"""Stories of a ban on real rules, in a network of their own (tests/inside_unban.py)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.running import ROOT
from tests.servers.kamailio import PROGRAM
from tests.servers.namespace import why_not

REASON = why_not("nft") or (None if PROGRAM else "kamailio is not installed")


@pytest.mark.skipif(REASON is not None, reason=str(REASON))
@pytest.mark.timeout(180)
def test_stories_of_a_ban() -> None:
    command = ["unshare", "-n", sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/inside_unban.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout, done.stdout
