"""Who listens on the SIP port, for whom, and does he read? In network namespaces of the tests' own."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from bot.model import Failure, Finding, Tag, Target
from tests.servers.namespace import Namespace, why_not
from tests.servers.pm2 import FakePm2

REASON = why_not("nft")
pytestmark = pytest.mark.skipif(REASON is not None, reason=REASON or "")


def listens(address: str) -> Finding:
    return Finding(Tag.SERVER_LISTENS, {"address": address})


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        ([("0.0.0.0", "udp")], listens("0.0.0.0:5060")),
        ([("::", "udp")], listens("[::]:5060")),
        ([("203.0.113.10", "udp")], listens("203.0.113.10:5060")),
        ([("127.0.0.1", "udp"), ("203.0.113.10", "udp")], listens("203.0.113.10:5060")),
        ([("127.0.0.1", "udp")], Finding(Tag.SERVER_LISTENS_LOOPBACK, {"address": "127.0.0.1:5060"})),
        ([("0.0.0.0", "tcp")], Finding(Tag.SERVER_LISTENS_TCP_ONLY)),
        ([], Finding(Tag.SERVER_NOT_LISTENING)),
    ],
)  # fmt: skip
def test_where_the_port_is_open(space: Namespace, pbx: Target, bound: list[tuple[str, str]], expected: Finding) -> None:
    for address, kind in bound:
        space.listen(address, 5060, kind=kind)
    space.listen("0.0.0.0", 5061)
    space.listen("0.0.0.0", 15060)
    assert space.check("sockets", pbx) == ((expected,), None)


def test_a_pbx_that_is_reached_over_loopback_needs_no_other_socket(space: Namespace, pbx: Target) -> None:
    space.listen("127.0.0.1", 5060)
    here = replace(pbx, probe_host="127.0.0.1", expected_ips=frozenset())
    assert space.check("sockets", here) == ((listens("127.0.0.1:5060"),), None)


def test_a_queue_nobody_reads_is_stuck(space: Namespace, pbx: Target) -> None:
    space.listen("0.0.0.0", 5060)
    space.send("203.0.113.10", 5060, 2)
    (where, stuck), failure = space.check("sockets", pbx)
    assert (where, stuck.tag, failure) == (listens("0.0.0.0:5060"), Tag.SERVER_QUEUE_STUCK, None)
    queue = stuck.args["recv_q_bytes"]
    assert isinstance(queue, int)
    assert queue > 0


def test_a_rising_drop_counter_is_told(space: Namespace, pbx: Target) -> None:
    space.listen("0.0.0.0", 5060)
    space.send("203.0.113.10", 5060, 200)  # its queue is full, it has dropped before we look
    over = threading.Event()

    def flood() -> None:
        while not over.is_set():
            space.send("203.0.113.10", 5060, 50)

    flooding = threading.Thread(target=flood)
    flooding.start()
    try:
        found, failure = space.check("sockets", pbx)
    finally:
        over.set()
        flooding.join()
    tags = [finding.tag for finding in found]
    assert (tags, failure) == (
        [Tag.SERVER_LISTENS, Tag.SERVER_QUEUE_STUCK, Tag.SERVER_PACKETS_DROPPED],
        None,
    )


def test_old_drops_are_no_news(space: Namespace, pbx: Target) -> None:
    space.listen("0.0.0.0", 5060)
    space.send("203.0.113.10", 5060, 200)
    found, _ = space.check("sockets", pbx)
    assert [finding.tag for finding in found] == [Tag.SERVER_LISTENS, Tag.SERVER_QUEUE_STUCK]


def test_another_hosts_sockets_are_not_looked_at(space: Namespace, pbx: Target) -> None:
    assert space.check("sockets", replace(pbx, expected_ips=frozenset(), probe_host="203.0.113.99")) == (
        (),
        Failure.NOT_HERE,
    )


def test_the_port_in_the_hands_of_a_stranger(space: Namespace, pbx: Target, tmp_path: Path) -> None:
    thief = space.listen("0.0.0.0", 5060)
    pbx_pid = space.listen("0.0.0.0", 5070)
    with FakePm2(tmp_path) as pm2:
        pm2.lists(pid=pbx_pid)
        found, failure = space.check("sockets", pbx, env=pm2.env)
        foreign = Finding(Tag.SERVER_PORT_OWNER_FOREIGN, {"owner": owner_name(thief), "pid": thief})
        assert (found, failure) == ((listens("0.0.0.0:5060"), foreign), None)
        pm2.lists(pid=0, status="errored")  # the PBX is dead, and this is plainly not node
        found, failure = space.check("sockets", pbx, env=pm2.env)
        assert (found, failure) == ((listens("0.0.0.0:5060"), foreign), None)


def test_the_port_in_the_hands_of_the_pbx_or_its_child(space: Namespace, pbx: Target, tmp_path: Path) -> None:
    own = space.listen("0.0.0.0", 5060)
    with FakePm2(tmp_path) as pm2:
        pm2.lists(pid=own)
        assert space.check("sockets", pbx, env=pm2.env) == ((listens("0.0.0.0:5060"),), None)
        pm2.lists(pid=parent(own))  # pm2 started a wrapper
        assert space.check("sockets", pbx, env=pm2.env) == ((listens("0.0.0.0:5060"),), None)


def test_when_pm2_does_not_know_the_pbx_nobody_is_a_stranger(space: Namespace, pbx: Target, tmp_path: Path) -> None:
    space.listen("0.0.0.0", 5060)
    with FakePm2(tmp_path) as pm2:
        pm2.prints("[]")
        assert space.check("sockets", pbx, env=pm2.env) == ((listens("0.0.0.0:5060"),), None)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="not installed: setpriv")
def test_without_rights_the_socket_is_seen_and_its_owner_is_not(space: Namespace, pbx: Target, tmp_path: Path) -> None:
    space.listen("0.0.0.0", 5060)
    with FakePm2(tmp_path) as pm2:
        pm2.lists(pid=1)
        assert space.check("sockets", pbx, env=pm2.env, user="65534") == ((listens("0.0.0.0:5060"),), None)


def owner_name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
