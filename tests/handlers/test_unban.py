"""Stories of a ban on real rules, in a network of their own (tests/inside_unban.py)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import PERSON, ROOT, STAFF, STAFF_CHAT, RunningBot
from tests.servers.healthy import healthy_pbx, needs_kamailio
from tests.servers.kamailio import PROGRAM
from tests.servers.namespace import why_not

REASON = why_not("nft") or (None if PROGRAM else "kamailio is not installed")


@pytest.mark.skipif(REASON is not None, reason=str(REASON))
@pytest.mark.timeout(180)
def test_stories_of_a_ban() -> None:
    command = ["unshare", "-n", sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/inside_unban.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout, done.stdout


LOG = "".join(
    f"2026-11-23 00:51:18 +05:00: 2026-11-23 00:51:18 warn: {message}\n"
    for message in (
        "[SIP] Processing REGISTER from 94.158.52.31:53193",
        "[SIP] Sending 401 challenge for 1002 to 94.158.52.31:53193",
        "Digest auth verification failed for 1002",
        "Authentication failed for 1002",
        "[SIP] Sending response 403 Forbidden to 94.158.52.31:53193",
    )
)
BANNED = "root@pbx:~# fail2ban-client banned\n[{'call-soundz': ['94.158.52.31']}]\nroot@pbx:~#"


@needs_kamailio
def test_where_the_bot_may_not_it_hands_over_the_command(tmp_path: Path) -> None:
    with healthy_pbx() as plan, RunningBot(tmp_path, plan) as bot:
        bot.says("/diagnose")
        bot.presses(bot.wait_for("pastki chap burchagida"), "st:timeout")
        bot.says(LOG + "\n" + BANNED)
        bot.wait_for("vaqtincha bloklangan")
        request = bot.wait_for("Blokdan chiqaraymi?", STAFF_CHAT)
        bot.api.press(STAFF, request.message_id, "unban:1", STAFF_CHAT)
        told = bot.wait_for("telefon serveri boshqa kompyuterda ishlaydi", STAFF_CHAT)
        command = "fail2ban-client unban 94.158.52.31"
        assert command in told.text
        assert told.raw["reply_markup"]["inline_keyboard"][0][0]["copy_text"] == {"text": command}
        assert not any("blokdan chiqarildi" in message.text for message in bot.api.answers(PERSON))
