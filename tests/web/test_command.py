"""`yordam web` on the shell: what it needs, and how it says that something is missing."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT
from tests.web.served import Served
from tests.web.stories import tell

WITHOUT = "import sys; sys.modules['datasette'] = None; from bot.__main__ import main; sys.argv[1:] = ['web']; main()"


def web(folder: Path, *python: str, **settings: str) -> tuple[int, list[str]]:
    """Exit status and the lines of standard error that are no log."""
    done = subprocess.run(
        [sys.executable, *(python or ("-m", "bot", "web"))],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, [line for line in done.stderr.splitlines() if " INFO " not in line]


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    said = ["The review page needs the extra 'web': uv sync --extra web"]
    assert web(tmp_path, "-c", WITHOUT) == (2, said)
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_a_bad_setting(tmp_path: Path) -> None:
    pytest.importorskip("datasette", reason="the extra 'web' is not installed")
    asyncio.run(tell(tmp_path / "data"))
    with Served(tmp_path) as page:
        (tmp_path / "other").mkdir()
        taken = web(tmp_path / "other", WEB_LISTEN=f"127.0.0.1:{page.port}")
        second = web(tmp_path, WEB_LISTEN="127.0.0.1:1")
    assert taken == (2, ["Bad settings: WEB_LISTEN (Address already in use)"])
    assert second == (2, [f"process {page.process.pid} already works on web.db"])


def test_an_address_that_is_none_is_a_bad_setting(tmp_path: Path) -> None:
    assert web(tmp_path, WEB_LISTEN="everywhere", WEB_URL="ftp://x") == (
        2,
        ["Bad settings: WEB_URL (not an http(s) address), WEB_LISTEN (not a valid value)"],
    )


@pytest.mark.parametrize("url", ["https://example.uz/yordam", "https://example.uz/?a", "https://", "https://:443/"])
def test_the_page_needs_a_host_of_its_own(tmp_path: Path, url: str) -> None:
    assert web(tmp_path, WEB_URL=url) == (2, ["Bad settings: WEB_URL (not a host of its own, without a path)"])
