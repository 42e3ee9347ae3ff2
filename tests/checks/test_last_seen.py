"""What the log of the last day says of a number: whence its owner came last, and whether a restart lies behind it."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bot.checks.last_seen import LastSeen, last_seen
from bot.model import Failure, Finding, Tag, Target
from tests.checks.conftest import RunOne
from tests.checks.test_pbx_log import GOOD, LOST, STARTED, STOPPED, WRONG, Lines, register, written
from tests.servers.namespace import Namespace, why_not

HOME, OFFICE, SCANNER = "198.51.100.7", "192.0.2.7", "203.0.113.66"
RESTART: Lines = [(900, STOPPED), (899, STARTED)]


def by_address(lines: Lines) -> Lines:
    """The same, asked for as a scanner does."""
    return [(ago_s, text.replace("sip:pbx.example", "sip:203.0.113.10")) for ago_s, text in lines]


def another(lines: Lines) -> Lines:
    """The same of a colleague's number."""
    return [(ago_s, text.replace("1002", "1004")) for ago_s, text in lines]


def forged(ago_s: float, *words: str) -> Lines:
    """One packet that writes these lines."""
    packet = f"[SIP] Received message from {SCANNER}:9", "[SIP] Request: X", *words
    return [(ago_s, line) for line in packet]


CASES: list[tuple[str, Lines, LastSeen]] = [
    ("nothing of it", another(register(60, GOOD)), LastSeen()),
    ("it registered", register(7000, GOOD), LastSeen(OFFICE)),
    ("it registered, from elsewhere later", [*register(7000, GOOD), *register(60, GOOD, HOME)], LastSeen(HOME)),
    ("a wrong password was sent", register(60, WRONG), LastSeen(OFFICE)),
    ("a scanner tried it later", [*register(7000, GOOD), *by_address(register(60, WRONG, SCANNER))], LastSeen(OFFICE)),
    ("a scanner alone tried it", by_address(register(60, WRONG, SCANNER)), LastSeen()),
    ("our own probe asked later", [*register(7000, GOOD), *register(60, WRONG, "127.0.0.1")], LastSeen(OFFICE)),
    ("longer ago than a day", [*register(90_000, GOOD), (0.0, "[SIP] Empty request line")], LastSeen()),
    ("a packet said so", forged(60, f"Extension 1002 registered from {HOME}:5"), LastSeen()),
    ("registered, then a restart", [*register(7000, GOOD), *RESTART], LastSeen(OFFICE, True)),
    ("and refused since", [*register(7000, GOOD), *RESTART, *register(60, LOST, HOME)], LastSeen(HOME, True)),
    ("registered since the restart", [*RESTART, *register(60, GOOD)], LastSeen(OFFICE)),
    ("a colleague has, since", [*register(7000, GOOD), *RESTART, *another(register(60, GOOD, HOME))], LastSeen(OFFICE)),
    ("refused before the restart", [*register(7000, WRONG), *RESTART], LastSeen(OFFICE)),
    ("two restarts", [*register(7000, GOOD), *RESTART, (60, STARTED)], LastSeen(OFFICE, True)),
    ("a packet wrote of a restart", [*register(7000, GOOD), *forged(60, STOPPED, STARTED)], LastSeen(OFFICE)),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_what_the_log_remembers(target: Target, tmp_path: Path, lines: Lines, expected: LastSeen) -> None:
    log = written(tmp_path, lines)
    assert last_seen(replace(target, log_files=(log,), extension="1002")) == expected


def test_an_old_file_is_looked_into_after_the_newest_one(target: Target, tmp_path: Path) -> None:
    written(tmp_path, register(0, GOOD), age_s=7000, name="combined.log")
    written(tmp_path, RESTART, name="combined1.log")
    asked = replace(target, log_files=(str(tmp_path / "combined*.log"),), extension="1002")
    assert last_seen(asked) == LastSeen(OFFICE, True)


def test_winstons_own_log_tells_it_too(target: Target, tmp_path: Path) -> None:
    at = '"service":"pbx-system","timestamp":"2026-11-22 19:30:00"}'
    words = [f"Extension 1002 registered from {OFFICE}:53193", "SIP Registrar stopped", STARTED]
    (tmp_path / "combined.log").write_text("".join(f'{{"level":"info","message":"{one}",{at}\n' for one in words))
    asked = replace(target, log_files=(str(tmp_path / "combined.log"),), extension="1002")
    assert last_seen(asked) == LastSeen(OFFICE, True)


def test_a_long_log_is_searched_in_time(target: Target, tmp_path: Path) -> None:
    noise = "2026-11-22 19:29:30 +05:00: 2026-11-22 19:29:30 info: [SIP] Empty request line\n" * 100_000
    log = Path(written(tmp_path, register(7000, GOOD)))
    log.write_text(log.read_text() + noise)
    began = time.monotonic()
    asked = replace(target, log_files=(str(log),), extension="1002")
    assert last_seen(asked) == LastSeen(OFFICE)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\x00" * 999, b"Extension 1002 registered from 1.2.3.4:5"])
def test_a_file_that_is_no_log_tells_of_nobody_else(target: Target, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.log").write_bytes(content)
    asked = replace(target, log_files=(str(tmp_path / "x.log"),), extension="1003")
    assert last_seen(asked) == LastSeen()


async def test_a_number_that_registered_before_the_restart_is_told(
    run_one: RunOne, target: Target, tmp_path: Path
) -> None:
    asked = replace(target, log_files=(written(tmp_path, [*register(7000, GOOD), *RESTART]),), extension="1002")
    told = Finding(Tag.EXTENSION_BEFORE_RESTART, {"extension": "1002"})
    assert await run_one("last_seen", asked) == ((told,), None)


async def test_where_there_is_nothing_to_read_nothing_is_said(run_one: RunOne, target: Target) -> None:
    assert await run_one("last_seen", replace(target, extension="1002")) == ((), Failure.NOT_CONFIGURED)
    asked = replace(target, extension="1002", log_files=("/none/*.log",), on_this_host=False)
    assert await run_one("last_seen", asked) == ((), Failure.NOT_HERE)
    assert await run_one("last_seen", replace(asked, extension="1 2")) == ((), Failure.UNREADABLE)
    assert await run_one("last_seen", replace(asked, on_this_host=True)) == ((), Failure.UNREADABLE)


REASON = why_not("nft", "iptables", "iptables-save")


CHAIN = """table ip filter {
  chain f2b-call-soundz { ip saddr BANNED counter reject; }
  chain INPUT { type filter hook input priority 0; udp dport { 5060, 5061 } jump f2b-call-soundz; }
}"""
SET = """table inet f2b-table {
  set banned { type ipv4_addr; elements = { CROWD, BANNED }; }
  chain input { type filter hook input priority -1; udp dport 5060 ip saddr @banned reject; }
}""".replace("CROWD", ", ".join(f"198.18.{n // 250}.{n % 250 + 1}" for n in range(1200)))
SHUT = "table inet guard { chain input { type filter hook input priority 0; udp dport 5060 drop; }; }"
BANS = {
    "fail2ban's chain": (CHAIN.replace("BANNED", OFFICE), True),
    "a set of a thousand": (SET.replace("BANNED", OFFICE), True),
    "somebody else's ban": (CHAIN.replace("BANNED", HOME), False),
    "the port shut for everybody": (SHUT, False),
    "no rules": ("", False),
}


@pytest.mark.skipif(REASON is not None or shutil.which("setpriv") is None, reason=REASON or "not installed: setpriv")
def test_a_ban_that_cannot_be_looked_up_is_not_called_none(space: Namespace, pbx: Target) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)  # the log may be read, the rules may not
        asked = replace(pbx, log_files=(written(Path(folder), register(60, GOOD)),), extension="1002")
        assert space.check("last_seen", asked, user="65534") == ((), Failure.NO_PERMISSION)
        restarted = written(Path(folder), [*register(7000, GOOD), *RESTART])
        told = Finding(Tag.EXTENSION_BEFORE_RESTART, {"extension": "1002"})
        assert space.check("last_seen", replace(asked, log_files=(restarted,)), user="65534") == ((told,), None)


@pytest.mark.skipif(REASON is not None, reason=REASON or "")
@pytest.mark.parametrize("ban", BANS)
def test_a_ban_of_the_address_it_last_came_from_is_told(
    space: Namespace, pbx: Target, tmp_path: Path, ban: str
) -> None:
    rules, is_banned = BANS[ban]
    space.run("nft", "-f", "-", stdin=rules)
    log = written(tmp_path, register(7000, GOOD))
    told = Finding(Tag.EXTENSION_ADDRESS_BANNED, {"extension": "1002", "address": OFFICE})
    asked = replace(pbx, log_files=(log,), extension="1002")
    assert space.check("last_seen", asked) == ((told,) if is_banned else (), None)
