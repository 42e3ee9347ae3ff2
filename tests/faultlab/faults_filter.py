"""What goes wrong in the filters of the PBX's host."""

from __future__ import annotations

from collections.abc import Iterator

from bot.model import Step
from tests.faultlab.fault import fault
from tests.faultlab.lab import PASSWORD, Lab, Phone
from tests.faultlab.network import USER_IP

GUARD = """
table inet guard {
  chain input {
    type filter hook input priority -10
    udp dport 5060 counter drop
  }
}
"""


@fault("iptables_drop", "iptables drops udp/5060", Step.OPEN_SERVER_FIREWALL)
def _(lab: Lab) -> Iterator[Phone]:
    lab.host("iptables", "-I", "INPUT", "-p", "udp", "--dport", "5060", "-j", "DROP")
    yield Phone()
    lab.host("iptables", "-F", "INPUT")


@fault("iptables_reject", "iptables rejects udp/5060", Step.OPEN_SERVER_FIREWALL)
def _(lab: Lab) -> Iterator[Phone]:
    lab.host("iptables", "-I", "INPUT", "-p", "udp", "--dport", "5060", "-j", "REJECT")
    yield Phone()
    lab.host("iptables", "-F", "INPUT")


@fault("nft_drop", "a table of nft's own drops, iptables and ufw look clean", Step.OPEN_SERVER_FIREWALL)
def _(lab: Lab) -> Iterator[Phone]:
    lab.host("nft", "-f", "-", stdin=GUARD)
    yield Phone()
    lab.host("nft", "delete", "table", "inet", "guard")


@fault("limit", "a rate limit lets one packet through", Step.OPEN_SERVER_FIREWALL)
def _(lab: Lab) -> Iterator[Phone]:
    rule = "-p udp --dport 5060 -m hashlimit --hashlimit-above 1/min --hashlimit-burst 1 --hashlimit-mode srcip"
    lab.host("iptables", "-A", "INPUT", *rule.split(), "--hashlimit-name", "sip", "-j", "DROP")
    yield Phone()
    lab.host("iptables", "-F", "INPUT")


@fault("answers_dropped", "the host's own OUTPUT rule drops the answers", Step.OPEN_SERVER_FIREWALL)
def _(lab: Lab) -> Iterator[Phone]:
    lab.host("iptables", "-A", "OUTPUT", "-o", "wan", "-p", "udp", "--sport", "5060", "-j", "DROP")
    yield Phone()
    lab.host("iptables", "-F", "OUTPUT")


def _ufw(lab: Lab, *allowed: str) -> None:
    for port in ("22/tcp", *allowed):
        lab.host("ufw", "allow", port)
    lab.host("ufw", "--force", "enable")


def _no_ufw(lab: Lab) -> None:
    lab.host("ufw", "--force", "reset")
    lab.host("nft", "flush", "ruleset")


@fault("ufw_no_rule", "ufw has no line for 5060", Step.OPEN_SERVER_FIREWALL)
def _(lab: Lab) -> Iterator[Phone]:
    _ufw(lab)
    yield Phone()
    _no_ufw(lab)


@fault("ufw_tcp_only", "ufw lets 5060 in over TCP only", Step.OPEN_SERVER_FIREWALL)
def _(lab: Lab) -> Iterator[Phone]:
    _ufw(lab, "5060/tcp")
    yield Phone()
    _no_ufw(lab)


@fault("ufw_and_drop", "ufw allows, a DROP stands before it", Step.OPEN_SERVER_FIREWALL)
def _(lab: Lab) -> Iterator[Phone]:
    _ufw(lab, "5060/udp")
    lab.host("iptables", "-I", "INPUT", "-p", "udp", "--dport", "5060", "-j", "DROP")
    yield Phone()
    lab.host("iptables", "-D", "INPUT", "-p", "udp", "--dport", "5060", "-j", "DROP")
    _no_ufw(lab)


def _ban(lab: Lab) -> None:
    for rule in (
        "-N f2b-call-soundz",
        "-A f2b-call-soundz -j RETURN",
        "-I INPUT -p udp -m multiport --dports 5060,5061 -j f2b-call-soundz",
        f"-I f2b-call-soundz -s {USER_IP} -j REJECT --reject-with icmp-port-unreachable",
    ):
        lab.host("iptables", *rule.split())


@fault("ban", "fail2ban keeps the user's address out: the log it reads tells of his tries", Step.UNBAN_USER)
def _(lab: Lab) -> Iterator[Phone]:
    for password in (PASSWORD, "another"):
        lab.register(Phone(password=password), lab.folder / "before.log")
    _ban(lab)
    yield Phone()
    lab.host("nft", "flush", "ruleset")


@fault("ban_unseen", "the user's address is banned, and the log has never heard of it", Step.UNBAN_USER)
def _(lab: Lab) -> Iterator[Phone]:
    _ban(lab)
    yield Phone()
    lab.host("nft", "flush", "ruleset")
