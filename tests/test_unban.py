"""One address is taken out of real ban lists in a network namespace, and nothing else is touched."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.unban import by_hand, host_address
from tests.servers.namespace import ROOT, Namespace, why_not

REASON = why_not("nft", "iptables", "iptables-save", "setpriv")
needs_a_network = pytest.mark.skipif(REASON is not None, reason=REASON or "")
USER, OTHER = "203.0.113.77", "203.0.113.78"

SET = """
table inet f2b-table {
  set addr-set-call { type ipv4_addr; flags timeout; elements = { 203.0.113.77 timeout 1h, 203.0.113.78 timeout 1h } }
  set addr-set-sshd { type ipv4_addr; elements = { 203.0.113.77 } }
  chain f2b-chain {
    type filter hook input priority -1; policy accept;
    tcp dport 22 ip saddr @addr-set-sshd reject
    udp dport 5060 ip saddr @addr-set-call reject
  }
}
"""
RULE = """
table ip mine {
  chain input {
    type filter hook input priority 0; policy accept;
    ip saddr 203.0.113.78 drop
    ip saddr 203.0.113.77 udp dport 5060 drop
    ip saddr 203.0.113.77 tcp dport 22 drop
    ip saddr 203.0.113.77 accept
  }
}
"""
LIFT = f"""
import asyncio, json, os, sys
sys.path.insert(0, {str(ROOT)!r})
from bot.model import Target
from bot.unban import lift
target = Target("pbx.example", 5060, frozenset(), "203.0.113.10", on_this_host=json.loads(sys.argv[2]))
lifted = asyncio.run(lift(sys.argv[1], target, os.environ))
print(json.dumps([lifted.outcome, lifted.commands]))
"""


def lift(space: Namespace, *, here: bool = True, path: Path | None = None, before: tuple[str, ...] = ()) -> Any:
    """[outcome, commands] for the user's address, in the namespace."""
    programs = f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"]
    argv = ("env", f"PATH={programs}", *before, sys.executable, "-c", LIFT, USER, json.dumps(here))
    return json.loads(space.run(*argv))


def fail2ban(place: Path, jails: str, *, answers: bool = True) -> Path:
    """A fail2ban-client whose jails stand in a file; `unbanip` takes the address out of its jail alone."""
    (place / "jails").write_text(jails)
    program = place / "fail2ban-client"
    program.write_text(
        f"#!{sys.executable}\n"
        "import ast, pathlib, sys\n"
        f"if not {answers}: sys.exit('Permission denied to socket: /var/run/fail2ban.sock, (you must be root)')\n"
        f"file = pathlib.Path({str(place / 'jails')!r})\n"
        "jails = ast.literal_eval(file.read_text())\n"
        "if sys.argv[1] == 'banned': print(jails)\n"
        "if sys.argv[1] == 'set':\n"
        "    for jail in jails:\n"
        "        for name in jail:\n"
        "            if name == sys.argv[2]: jail[name].remove(sys.argv[4])\n"
        "    file.write_text(repr(jails)); print(1)\n"
    )
    program.chmod(0o755)
    return place


@needs_a_network
def test_an_element_leaves_its_set_and_another_services_stays(space: Namespace) -> None:
    space.run("nft", "-f", "-", stdin=SET)
    command = f"nft delete element inet f2b-table addr-set-call '{{' {USER} '}}'"
    assert lift(space) == ["lifted", [command]]
    assert USER not in space.run("nft", "list", "set", "inet", "f2b-table", "addr-set-call")
    assert OTHER in space.run("nft", "list", "set", "inet", "f2b-table", "addr-set-call")
    assert USER in space.run("nft", "list", "set", "inet", "f2b-table", "addr-set-sshd")


@needs_a_network
def test_a_rule_for_one_address_is_deleted_by_its_handle(space: Namespace) -> None:
    space.run("nft", "-f", "-", stdin=RULE)
    assert lift(space)[0] == "lifted"
    left = [line.strip() for line in space.run("nft", "list", "chain", "ip", "mine", "input").splitlines()]
    assert [line for line in left if line.startswith("ip saddr")] == [
        f"ip saddr {OTHER} drop",
        f"ip saddr {USER} tcp dport 22 drop",
        f"ip saddr {USER} accept",
    ]


@needs_a_network
def test_iptables_rules_are_deleted_as_they_were_written(space: Namespace) -> None:
    for line in (
        "-N f2b-call-soundz",
        "-N f2b-sshd",
        "-A INPUT -p udp --dport 5060 -j f2b-call-soundz",
        "-A INPUT -p tcp --dport 22 -j f2b-sshd",
        f"-A f2b-call-soundz -s {USER} -j REJECT --reject-with icmp-port-unreachable",
        f"-A f2b-call-soundz -s {OTHER} -j REJECT",
        f"-A f2b-sshd -s {USER} -j REJECT",
    ):
        space.run("iptables", *line.split())
    before = space.run("iptables-save")
    assert lift(space)[0] == "lifted"
    gone = set(before.splitlines()) - set(space.run("iptables-save").splitlines())
    assert {line for line in gone if line.startswith("-")} == {
        f"-A f2b-call-soundz -s {USER}/32 -j REJECT --reject-with icmp-port-unreachable"
    }


@needs_a_network
@pytest.mark.skipif(shutil.which("ufw") is None, reason="not installed: ufw")
def test_ufws_rules_for_the_address_are_deleted_and_the_others_stand(space: Namespace, tmp_path: Path) -> None:
    for directory in ("etc/default", "etc/ufw"):
        shutil.copytree(f"/{directory}", tmp_path / directory, dirs_exist_ok=True)
    program = tmp_path / "lift.py"
    program.write_text(LIFT)
    script = (
        f"mount --bind {tmp_path}/etc/ufw /etc/ufw && mount --bind {tmp_path}/etc/default /etc/default && "
        "ufw allow 5060/udp >/dev/null && ufw --force enable >/dev/null && "
        f"ufw insert 1 reject from {USER} >/dev/null && ufw insert 1 deny from {USER} to any port 5060 proto udp "
        f">/dev/null && ufw deny from {USER} to any port 22 proto tcp >/dev/null && "
        f"ufw insert 1 reject from {OTHER} >/dev/null && "
        f"{sys.executable} {program} {USER} true && ufw status"
    )
    told, _, status = space.run("unshare", "-m", "sh", "-c", script).partition("\n")
    outcome, commands = json.loads(told)
    assert (outcome, [command.rpartition(" ")[0] for command in commands]) == ("lifted", ["ufw --force delete"] * 2)
    rules = [line.split() for line in status.splitlines() if "203.0.113" in line or "5060" in line]
    assert sorted(" ".join(words) for words in rules) == [
        "22/tcp DENY 203.0.113.77",
        "5060/udp (v6) ALLOW Anywhere (v6)",
        "5060/udp ALLOW Anywhere",
        "Anywhere REJECT 203.0.113.78",
    ]


@needs_a_network
def test_fail2ban_is_told_by_jail_and_another_services_jail_is_left_alone(space: Namespace, tmp_path: Path) -> None:
    path = fail2ban(tmp_path, f"[{{'sshd': ['{USER}']}}, {{'call-soundz': ['{USER}', '{OTHER}']}}]")
    assert lift(space, path=path) == ["lifted", [f"fail2ban-client set call-soundz unbanip {USER}"]]
    assert (tmp_path / "jails").read_text() == f"[{{'sshd': ['{USER}']}}, {{'call-soundz': ['{OTHER}']}}]"


@needs_a_network
def test_where_fail2ban_refuses_us_its_own_set_is_not_emptied_behind_its_back(space: Namespace, tmp_path: Path) -> None:
    space.run("nft", "-f", "-", stdin=SET)
    path = fail2ban(tmp_path, "[]", answers=False)
    assert lift(space, path=path) == ["no_rights", list(by_hand(USER))]
    assert USER in space.run("nft", "list", "set", "inet", "f2b-table", "addr-set-call")


@needs_a_network
def test_without_rights_the_commands_are_for_a_person(space: Namespace) -> None:
    space.run("nft", "-f", "-", stdin=SET)
    become = ("setpriv", "--reuid=nobody", "--clear-groups")
    assert lift(space, before=become) == ["no_rights", list(by_hand(USER))]


@needs_a_network
def test_what_is_in_no_list_is_said_so(space: Namespace) -> None:
    assert lift(space) == ["not_banned", []]


@needs_a_network
def test_the_lists_of_a_host_that_is_not_the_pbxs_are_not_touched(space: Namespace) -> None:
    space.run("nft", "-f", "-", stdin=SET)
    assert lift(space, here=False) == ["elsewhere", list(by_hand(USER))]
    assert USER in space.run("nft", "list", "set", "inet", "f2b-table", "addr-set-call")


@pytest.mark.parametrize(
    "address",
    ["", "x", "1.2.3", "1.2.3.4; reboot", "1.2.3.4 ", "1.2.3.0/24", "--help", "0.0.0.0", "127.0.0.1", "fe80::1%eth0"],
)
def test_what_is_no_single_hosts_address_goes_nowhere(address: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        host_address(address)
