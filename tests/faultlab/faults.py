"""The faults that can be made here: each is injected, used by a phone, removed, and calls for one next step.

A fault is a generator function: up to its `yield` it injects, what it yields is the phone of the user, after it
everything is as before.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.model import Step
from tests.faultlab.lab import USER, Lab, Phone
from tests.faultlab.network import DEAD, HOST, OTHER_HOST, PBX, USER_IP

GUARD = """
table inet guard {
  chain input {
    type filter hook input priority -10
    udp dport 5060 counter drop
  }
}
"""
HOLDS_THE_PORT = """
import socket, time
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.bind(("0.0.0.0", 5060))
print(flush=True)
time.sleep(300)
"""
Injection = Callable[[Lab], Iterator[Phone]]


@dataclass(frozen=True, slots=True)
class Fault:
    """`step`: what has to be done; `also`: steps that the evidence cannot tell from it."""

    name: str
    story: str
    step: Step
    also: frozenset[Step]
    at_work: Callable[[Lab], contextlib.AbstractContextManager[Phone]]
    extension: str = USER  # the user's own number


FAULTS: list[Fault] = []


def fault(name: str, story: str, step: Step, *also: Step, extension: str = USER) -> Callable[[Injection], None]:
    """Enters a function in the list of faults."""

    def enter(injection: Injection) -> None:
        FAULTS.append(Fault(name, story, step, frozenset(also), contextlib.contextmanager(injection), extension))

    return enter


# The user's side: name service, settings.


@fault("healthy", "all is well", Step.CONNECTED)
def _(lab: Lab) -> Iterator[Phone]:
    yield Phone()


@fault("dns_nxdomain", "the user's resolver does not know the name", Step.FIX_DNS)
def _(lab: Lab) -> Iterator[Phone]:
    lab.net.resolver("user", None)
    yield Phone()
    lab.net.resolver("user")


@fault("dns_timeout", "the user's resolver does not answer", Step.FIX_DNS)
def _(lab: Lab) -> Iterator[Phone]:
    lab.router("iptables", "-A", "INPUT", "-i", "lan", "-p", "udp", "--dport", "53", "-j", "DROP")
    yield Phone()
    lab.router("iptables", "-F", "INPUT")


@fault("dns_refused", "nobody listens where the user's resolver should be", Step.FIX_DNS)
def _(lab: Lab) -> Iterator[Phone]:
    lab.net.stop_resolver("user")
    yield Phone()
    lab.net.resolver("user")


@fault("wrong_address_dead", "the user's resolver gives an address without a host", Step.WRONG_DNS_ANSWER)
def _(lab: Lab) -> Iterator[Phone]:
    lab.net.resolver("user", DEAD)
    yield Phone()
    lab.net.resolver("user")


@fault("wrong_address_alive", "the user's resolver gives another living host", Step.WRONG_DNS_ANSWER)
def _(lab: Lab) -> Iterator[Phone]:
    lab.net.resolver("user", OTHER_HOST)
    yield Phone()
    lab.net.resolver("user")


@fault("public_nxdomain", "nobody's resolver knows the name", Step.SERVER_DNS, Step.FIX_DNS)
def _(lab: Lab) -> Iterator[Phone]:
    lab.net.resolver("user", None)
    lab.net.resolver("public", None)
    yield Phone()
    lab.net.resolver("public")
    lab.net.resolver("user")


@fault("wrong_password", "a wrong password is typed", Step.FIX_PASSWORD)
def _(lab: Lab) -> Iterator[Phone]:
    yield Phone(password="another")


@fault("empty_password", "no password is typed", Step.FIX_PASSWORD)
def _(lab: Lab) -> Iterator[Phone]:
    yield Phone(password="")


@fault("wrong_login", "the login is not the number", Step.FIX_USERNAME)
def _(lab: Lab) -> Iterator[Phone]:
    yield Phone(login="admin")


@fault("other_number", "another number than the user's own is typed", Step.FIX_USERNAME, Step.CREATE_EXTENSION)
def _(lab: Lab) -> Iterator[Phone]:
    yield Phone(user="9999")


@fault("typo", "the server's name is mistyped", Step.FIX_SERVER_FIELD)
def _(lab: Lab) -> Iterator[Phone]:
    yield Phone(server="call.sounds.uz")


@fault("wrong_port", "another port is typed", Step.FIX_SERVER_FIELD)
def _(lab: Lab) -> Iterator[Phone]:
    yield Phone(server=f"{HOST}:5080")


@fault("trunk_port", "the port of the PBX's trunk is typed", Step.FIX_SERVER_FIELD)
def _(lab: Lab) -> Iterator[Phone]:
    yield Phone(server=f"{HOST}:5061")


@fault("proxy", "a proxy is set that is another host", Step.REMOVE_PROXY)
def _(lab: Lab) -> Iterator[Phone]:
    yield Phone(proxy=OTHER_HOST)


@fault("tcp_refused", "TCP is chosen, its port is closed", Step.FIX_TRANSPORT)
def _(lab: Lab) -> Iterator[Phone]:
    yield Phone(transport="tcp")


@fault("tcp_dropped", "TCP is chosen, its packets are dropped", Step.FIX_TRANSPORT)
def _(lab: Lab) -> Iterator[Phone]:
    lab.host("iptables", "-A", "INPUT", "-p", "tcp", "--dport", "5060", "-j", "DROP")
    yield Phone(transport="tcp")
    lab.host("iptables", "-F", "INPUT")


# The path between.


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


# The server's filters.


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


@fault("ban", "fail2ban keeps the user's address out", Step.UNBAN_USER)
def _(lab: Lab) -> Iterator[Phone]:
    for rule in (
        "-N f2b-call-soundz",
        "-A f2b-call-soundz -j RETURN",
        "-I INPUT -p udp -m multiport --dports 5060,5061 -j f2b-call-soundz",
        f"-I f2b-call-soundz -s {USER_IP} -j REJECT --reject-with icmp-port-unreachable",
    ):
        lab.host("iptables", *rule.split())
    yield Phone()
    lab.host("nft", "flush", "ruleset")


# The PBX itself.


@fault("stopped", "the PBX is stopped", Step.START_PBX)
def _(lab: Lab) -> Iterator[Phone]:
    lab.pbx.stop()
    yield Phone()
    lab.pbx.restart()
    lab.give_password()


@fault("hung", "the PBX hangs", Step.START_PBX)
def _(lab: Lab) -> Iterator[Phone]:
    pid = lab.pbx.pid
    os.kill(pid, signal.SIGSTOP)
    yield Phone()
    os.kill(pid, signal.SIGCONT)
    lab.pbx.restart()
    lab.give_password()


@fault("loopback", "the PBX is bound to loopback", Step.BIND_ALL_INTERFACES)
def _(lab: Lab) -> Iterator[Phone]:
    lab.pbx.restart(SIP_HOST="127.0.0.1")
    lab.give_password()
    yield Phone()
    lab.pbx.restart(SIP_HOST="0.0.0.0")
    lab.give_password()


@fault("port_taken", "another program holds the port", Step.FREE_PORT)
def _(lab: Lab) -> Iterator[Phone]:
    lab.pbx.stop()
    other = subprocess.Popen([*lab.net.prefix("host"), "python3", "-ISc", HOLDS_THE_PORT], stdout=subprocess.PIPE)
    assert other.stdout is not None
    other.stdout.readline()
    lab.pbx.pm2("restart", "pbx-system")
    time.sleep(3)
    yield Phone()
    other.kill()
    other.communicate()
    lab.pbx.restart()
    lab.give_password()


@fault("password_lost", "the PBX was restarted and lost the password", Step.RESET_EXTENSION_PASSWORD)
def _(lab: Lab) -> Iterator[Phone]:
    lab.pbx.restart()
    yield Phone()
    lab.give_password()


@fault("database_restarted", "PostgreSQL's restart restarted the PBX", Step.RESET_EXTENSION_PASSWORD)
def _(lab: Lab) -> Iterator[Phone]:
    os.kill(lab.pbx.pid, signal.SIGUSR2)
    lab.pbx.wait_for(lambda: lab.pbx.since_start().count("SIP Domain:") > 1, "pm2 does not start it again")
    yield Phone()
    lab.give_password()


@fault("database_down", "the database is down", Step.SERVER_ERROR)
def _(lab: Lab) -> Iterator[Phone]:
    away = lab.pbx.database.with_name("away.json")
    lab.pbx.database.rename(away)
    yield Phone()
    away.rename(lab.pbx.database)


@fault("unknown", "the user's own number does not exist", Step.CREATE_EXTENSION, extension="1047")
def _(lab: Lab) -> Iterator[Phone]:
    yield Phone(user="1047")


@fault("disabled", "the user's own number is disabled", Step.CREATE_EXTENSION, extension="1003")
def _(lab: Lab) -> Iterator[Phone]:
    yield Phone(user="1003", password="secret-of-1003")


# Both typed right: the address itself instead of the name.


@fault("by_address", "the address is typed instead of the name", Step.CONNECTED)
def _(lab: Lab) -> Iterator[Phone]:
    yield Phone(server=PBX)
