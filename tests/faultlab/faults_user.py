"""What goes wrong on the user's PC: name service and settings. And what looks wrong and is not."""

from __future__ import annotations

from collections.abc import Iterator

from bot.model import Step
from tests.faultlab.fault import fault
from tests.faultlab.lab import Lab, Phone
from tests.faultlab.network import DEAD, HOST, OTHER_HOST, PBX


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


@fault("by_address", "the address is typed instead of the name", Step.CONNECTED)
def _(lab: Lab) -> Iterator[Phone]:
    yield Phone(server=PBX)
