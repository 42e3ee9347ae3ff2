"""What goes wrong between the user's PC and the PBX's host: routers, losses, filters."""

from __future__ import annotations

from collections.abc import Iterator

from bot.model import Step
from tests.faultlab.fault import fault
from tests.faultlab.lab import Lab, Phone


@fault("icmp_only", "only ping is blocked", Step.CONNECTED)
def _(lab: Lab) -> Iterator[Phone]:
    lab.host("iptables", "-A", "INPUT", "-p", "icmp", "--icmp-type", "8", "-j", "DROP")
    yield Phone()
    lab.host("iptables", "-F", "INPUT")


@fault("alg_via", "the router's SIP helper adds a Via", Step.TRY_OTHER_NETWORK)
def _(lab: Lab) -> Iterator[Phone]:
    lab.net.wire(alg="via")
    yield Phone()
    lab.net.wire()


@fault("alg_branch", "the router's SIP helper alters the branch", Step.TRY_OTHER_NETWORK)
def _(lab: Lab) -> Iterator[Phone]:
    lab.net.wire(alg="branch")
    yield Phone()
    lab.net.wire()


@fault("alg_digest", "the router's SIP helper alters the digest's uri", Step.TRY_OTHER_NETWORK)
def _(lab: Lab) -> Iterator[Phone]:
    lab.net.wire(alg="digest")
    yield Phone()
    lab.net.wire()


@fault("answers_lost", "the answers are lost on the way back", Step.TRY_OTHER_NETWORK)
def _(lab: Lab) -> Iterator[Phone]:
    lab.router("iptables", "-A", "FORWARD", "-i", "wan", "-p", "udp", "--sport", "5060", "-j", "DROP")
    yield Phone()
    lab.router("iptables", "-F", "FORWARD")


@fault("second_lost", "only the second, bigger request is lost", Step.TRY_OTHER_NETWORK)
def _(lab: Lab) -> Iterator[Phone]:
    lab.net.wire(longest=650)
    yield Phone()
    lab.net.wire()


@fault("filter_before", "a filter before the host: nothing arrives", Step.OPEN_SERVER_FIREWALL, Step.TRY_OTHER_NETWORK)
def _(lab: Lab) -> Iterator[Phone]:
    lab.router("iptables", "-A", "FORWARD", "-o", "wan", "-p", "udp", "--dport", "5060", "-j", "DROP")
    yield Phone()
    lab.router("iptables", "-F", "FORWARD")


@fault("loss", "30 % of the packets are lost in each direction", Step.REDUCE_LOSS, Step.CONNECTED)
def _(lab: Lab) -> Iterator[Phone]:
    lab.net.wire(loss=0.3)
    yield Phone()
    lab.net.wire()


@fault("slow", "600 ms there and back", Step.REDUCE_LOSS, Step.CONNECTED)
def _(lab: Lab) -> Iterator[Phone]:
    lab.net.wire(delay_s=0.3)
    yield Phone()
    lab.net.wire()
