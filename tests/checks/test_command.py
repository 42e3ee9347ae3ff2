"""What a program of the host gets to know of us."""

from __future__ import annotations

import os
import sys

from bot.checks.command import ask, surroundings

PRINTS = "import os; print(sorted(name for name in os.environ if name in ('BOT_TOKEN', 'PBX_API_PASSWORD', 'HOME')))"


async def test_no_program_is_told_our_secrets() -> None:
    ours = {**os.environ, "HOME": "/root", "BOT_TOKEN": "1:secret", "PBX_API_PASSWORD": "secret"}
    told = await ask([sys.executable, "-c", PRINTS], ours, limit_s=20)
    assert (told.exit_code, told.out.strip()) == (0, "['HOME']")


def test_the_systems_places_come_after_ones_own() -> None:
    assert surroundings({"PATH": "/own", "BOT_TOKEN": "1:secret"}) == {
        "PATH": "/own:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    }
