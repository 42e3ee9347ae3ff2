"""The table of rules itself: which findings lead to which step, how surely, and why. Read from the top.

The order follows what was measured on the real PBX: first what makes every answer impossible (no socket, a
foreign owner), then what the PBX wrote about this user, then its firewall and its name, then the user's own name
service, settings, PC and path. One table in one file: its order is its meaning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bot.model import Certainty, Finding, Step, Tag


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: it fires when each need is met by one of its tags."""

    step: Step
    certainty: Certainty
    needs: tuple[frozenset[Tag], ...]
    why: str  # for engineers; shown in docs/table.md

    def fires(self, known: Collection[Tag]) -> bool:
        """Whether every need has a tag among the known ones."""
        return all(not need.isdisjoint(known) for need in self.needs)

    def because(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """The findings that met the needs, in the order of the needs."""
        found = tuple(findings)
        return tuple(_meeting(found, need) for need in self.needs)


def _meeting(findings: tuple[Finding, ...], need: frozenset[Tag]) -> Finding:
    """The first finding that meets a need; StopIteration when none does: only for a row that fires."""
    return next(finding for finding in findings if finding.tag in need)


def any_of(*tags: Tag) -> frozenset[Tag]:
    """A need met by any of these."""
    return frozenset(tags)


def _row(step: Step, certainty: Certainty, why: str, *needs: Tag | frozenset[Tag]) -> Rule:
    wanted = tuple(need if isinstance(need, frozenset) else frozenset({need}) for need in needs)
    return Rule(step, certainty, wanted, why)


PROVEN, LIKELY = Certainty.PROVEN, Certainty.LIKELY

# The phone got no usable answer: MicroSIP says 408 for a drop, a reject, a stopped or hung PBX and lost answers alike.
NO_ANSWER = any_of(Tag.PHONE_SAYS_TIMEOUT, Tag.PHONE_RECEIVES_NOTHING, Tag.PHONE_IGNORES_ANSWER)
# Something besides the server's own state says that packets do not get through.
NOTHING_ARRIVES = NO_ANSWER | any_of(
    Tag.LOG_SILENT,
    Tag.SERVER_SIP_SILENT,
    Tag.SERVER_SIP_REFUSED,
    Tag.LOOPBACK_SIP_SILENT,
    Tag.LOOPBACK_SIP_REFUSED,
    Tag.PM2_STOPPED,
)
USER_DNS_FAILS = any_of(
    Tag.USER_DNS_NXDOMAIN,
    Tag.USER_DNS_TIMEOUT,
    Tag.USER_DNS_SERVFAIL,
    Tag.USER_DNS_REFUSED,
    Tag.USER_DNS_NO_ADDRESS,
    Tag.USER_DNS_ERROR,
)
# The log's line is of now and of this phone: the phone says the same, or the log was watched live.
DENIED = any_of(Tag.PHONE_SAYS_WRONG_PASSWORD, Tag.PHONE_GOT_403, Tag.LOG_LIVE)
NOT_FOUND = any_of(Tag.PHONE_SAYS_NOT_FOUND, Tag.LOG_LIVE)
FAILED_THERE = any_of(Tag.PHONE_SAYS_SERVER_ERROR, Tag.LOG_LIVE)

RULES: tuple[Rule, ...] = (
    # 1. Nobody can register: the process and its socket.
    _row(
        Step.FREE_PORT, PROVEN, "another program owns udp/5060, the PBX cannot bind",
        Tag.SERVER_PORT_OWNER_FOREIGN, NOTHING_ARRIVES | any_of(Tag.LOG_PORT_TAKEN, Tag.PM2_RESTARTING),
    ),
    _row(Step.FREE_PORT, PROVEN, "the PBX says EADDRINUSE", Tag.LOG_PORT_TAKEN),
    _row(
        Step.BIND_ALL_INTERFACES, PROVEN, "udp/5060 is bound to loopback only: refused from outside",
        Tag.SERVER_LISTENS_LOOPBACK,
    ),
    _row(Step.START_PBX, PROVEN, "pm2 says the PBX is stopped or errored", Tag.PM2_STOPPED),
    _row(
        Step.START_PBX, PROVEN, "the PBX's log ends with its own stop, and nobody listens or answers",
        Tag.LOG_PBX_STOPPED,
        any_of(
            Tag.SERVER_NOT_LISTENING, Tag.SERVER_SIP_SILENT, Tag.SERVER_SIP_REFUSED,
            Tag.LOOPBACK_SIP_SILENT, Tag.LOOPBACK_SIP_REFUSED,
        ),
    ),
    _row(
        Step.START_PBX, PROVEN, "no socket on udp/5060, and nothing gets an answer",
        Tag.SERVER_NOT_LISTENING, NOTHING_ARRIVES,
    ),
    _row(
        Step.START_PBX, PROVEN, "the socket's queue is not read and probes stay unanswered: the PBX hangs",
        Tag.SERVER_QUEUE_STUCK, any_of(Tag.LOOPBACK_SIP_SILENT, Tag.SERVER_SIP_SILENT),
    ),
    _row(
        Step.START_PBX, LIKELY, "the socket's queue is not read while the phone waits: the PBX hangs",
        Tag.SERVER_QUEUE_STUCK, NO_ANSWER | any_of(Tag.LOG_SILENT),
    ),
    _row(Step.SERVER_ERROR, PROVEN, "the PBX dies again and again", Tag.PM2_RESTARTING),
    # 2. What the PBX wrote and the phone says agree: his packets arrived, so nothing below can be the cause.
    # The log alone may tell of the morning, or of somebody else's phone: see 6.
    _row(
        Step.RESET_EXTENSION_PASSWORD, PROVEN, "the PBX lost the password in a restart; the user's is right",
        Tag.LOG_PASSWORD_LOST, DENIED,
    ),
    _row(
        Step.FIX_USERNAME, PROVEN, "403, and the login sent is not the extension's number",
        Tag.LOG_USERNAME_MISMATCH, DENIED,
    ),
    _row(
        Step.FIX_PASSWORD, PROVEN, "the digest fails and the password field is empty",
        Tag.LOG_WRONG_PASSWORD, Tag.ACCOUNT_PASSWORD_EMPTY,
    ),
    _row(
        Step.TRY_OTHER_NETWORK, LIKELY,
        "the digest fails and the request names an address: a router may have rewritten it, so nobody is blamed yet",
        Tag.LOG_WRONG_PASSWORD, Tag.LOG_REQUEST_BY_IP,
    ),
    _row(
        Step.FIX_PASSWORD, PROVEN, "403, the digest fails and nothing on the way changed the request",
        Tag.LOG_WRONG_PASSWORD, Tag.LOG_REQUEST_BY_NAME, DENIED,
    ),
    _row(
        Step.FIX_PASSWORD, LIKELY, "403 and the digest fails; a rewriting router is not excluded",
        Tag.LOG_WRONG_PASSWORD, DENIED,
    ),
    _row(
        Step.FIX_USERNAME, LIKELY, "404, and the PBX was asked for another number than the user's own",
        Tag.LOG_NOT_FOUND_OTHER, NOT_FOUND,
    ),
    _row(
        Step.FIX_USERNAME, LIKELY, "404, and the user name typed is not the user's number",
        any_of(Tag.LOG_NOT_FOUND, Tag.PHONE_SAYS_NOT_FOUND), Tag.ACCOUNT_USERNAME_DIFFERS,
    ),
    _row(
        Step.CREATE_EXTENSION, PROVEN, "404, and asking for the user's own number gives 404 as well",
        any_of(Tag.LOG_NOT_FOUND, Tag.PHONE_SAYS_NOT_FOUND),
        any_of(Tag.EXTENSION_UNKNOWN, Tag.EXTENSION_DISABLED),
    ),
    _row(
        Step.FIX_USERNAME, LIKELY, "404, yet the user's own number exists: another one is typed in",
        any_of(Tag.LOG_NOT_FOUND, Tag.PHONE_SAYS_NOT_FOUND), Tag.EXTENSION_EXISTS,
    ),
    _row(
        Step.CREATE_EXTENSION, LIKELY, "404 on both sides: unknown or disabled",
        Tag.LOG_NOT_FOUND, NOT_FOUND,
    ),
    _row(
        Step.SERVER_ERROR, PROVEN, "the PBX answered 500, and its log says why",
        any_of(Tag.LOG_DB_DOWN, Tag.LOG_SERVER_ERROR), FAILED_THERE,
    ),
    _row(
        Step.REDUCE_LOSS, LIKELY, "every request is sent several times, and ping loses packets or is slow",
        Tag.LOG_REGISTER_DUPLICATED, any_of(Tag.USER_PING_LOSS, Tag.USER_PING_SLOW),
    ),
    _row(
        Step.CONNECTED, PROVEN, "the PBX wrote 'registered', and its API or the phone confirms",
        Tag.LOG_REGISTERED, any_of(Tag.EXTENSION_ONLINE, Tag.PHONE_REGISTERED, Tag.PHONE_ONLINE),
    ),
    _row(Step.CONNECTED, PROVEN, "the phone's log shows its own 200", Tag.PHONE_REGISTERED),
    # 3. The server's answers or the way to it are blocked on the server.
    _row(
        Step.OPEN_SERVER_FIREWALL, PROVEN, "the server's own filter forbids the answers (EPERM), the phone gets none",
        Tag.LOG_SEND_EPERM, NO_ANSWER | any_of(Tag.LOG_LIVE, Tag.SERVER_FIREWALL_BLOCKS_ANSWERS),
    ),
    _row(
        Step.UNBAN_USER, PROVEN, "the user's address is in a ban list, and nothing gets an answer",
        Tag.USER_IP_BANNED, NOTHING_ARRIVES,
    ),
    _row(
        Step.OPEN_SERVER_FIREWALL, PROVEN, "a rule for udp/5060 counts dropped packets",
        Tag.SERVER_FIREWALL_COUNTER_ROSE,
    ),
    _row(
        Step.OPEN_SERVER_FIREWALL, PROVEN, "a rule drops udp/5060, and nothing gets an answer",
        Tag.SERVER_FIREWALL_BLOCKS, NOTHING_ARRIVES,
    ),
    _row(
        Step.OPEN_SERVER_FIREWALL, PROVEN, "the rules drop the answers, and the phone gets none",
        Tag.SERVER_FIREWALL_BLOCKS_ANSWERS, NO_ANSWER | any_of(Tag.LOG_CHALLENGE_REPEATED),
    ),
    _row(
        Step.UNBAN_USER, LIKELY, "the address the number last came from is in a ban list, and nothing arrives",
        Tag.EXTENSION_ADDRESS_BANNED, NOTHING_ARRIVES,
    ),
    _row(
        Step.OPEN_SERVER_FIREWALL, LIKELY, "a rate limit lets through less of udp/5060 than one phone needs",
        Tag.SERVER_FIREWALL_THROTTLES,
    ),
    _row(
        Step.OPEN_SERVER_FIREWALL, LIKELY, "a rate limit for udp/5060, and the phone gets no answer",
        Tag.SERVER_FIREWALL_LIMITS, NOTHING_ARRIVES | any_of(Tag.LOG_PACKET_SEEN, Tag.LOG_CHALLENGE_ONCE),
    ),
    _row(
        Step.TRY_OTHER_NETWORK, LIKELY, "the PBX answers the same request again and again, the phone does not hear it",
        Tag.LOG_CHALLENGE_REPEATED, NO_ANSWER,
    ),
    _row(
        Step.OPEN_SERVER_FIREWALL, PROVEN, "no rule lets udp/5060 in, and nothing gets an answer",
        Tag.SERVER_FIREWALL_NO_RULE, NOTHING_ARRIVES,
    ),
    _row(Step.FREE_PORT, LIKELY, "the owner of udp/5060 is not the PBX", Tag.SERVER_PORT_OWNER_FOREIGN),
    _row(Step.OPEN_SERVER_FIREWALL, LIKELY, "a rule drops udp/5060", Tag.SERVER_FIREWALL_BLOCKS),
    _row(
        Step.OPEN_SERVER_FIREWALL, LIKELY, "a socket is there, yet a probe is refused or lost on the host itself",
        Tag.SERVER_LISTENS,
        any_of(Tag.LOOPBACK_SIP_REFUSED, Tag.LOOPBACK_SIP_SILENT, Tag.SERVER_SIP_REFUSED, Tag.SERVER_SIP_SILENT),
    ),
    _row(
        Step.START_PBX, LIKELY, "the host refuses udp/5060",
        any_of(Tag.SERVER_SIP_REFUSED, Tag.LOOPBACK_SIP_REFUSED),
    ),
    _row(
        Step.OPEN_SERVER_FIREWALL, LIKELY, "the host answers ping or its own loopback, udp/5060 stays silent",
        Tag.SERVER_SIP_SILENT, any_of(Tag.SERVER_PING_ANSWERS, Tag.LOOPBACK_SIP_ANSWERS),
    ),
    _row(Step.START_PBX, LIKELY, "udp/5060 stays silent", any_of(Tag.SERVER_SIP_SILENT, Tag.LOOPBACK_SIP_SILENT)),
    _row(Step.START_PBX, LIKELY, "the last word of the PBX's log is that it was stopped", Tag.LOG_PBX_STOPPED),
    _row(Step.START_PBX, LIKELY, "no udp socket on 5060", any_of(Tag.SERVER_NOT_LISTENING, Tag.SERVER_LISTENS_TCP_ONLY)),
    _row(
        Step.SERVER_DNS, PROVEN, "public resolvers do not give the right address",
        any_of(
            Tag.SERVER_DNS_NXDOMAIN, Tag.SERVER_DNS_WRONG_IP, Tag.SERVER_DNS_NO_ADDRESS, Tag.SERVER_DNS_BROKEN,
        ),
    ),
    _row(
        Step.SERVER_DNS, LIKELY, "no other network of the country gets the right address",
        any_of(Tag.OUTSIDE_DNS_WRONG, Tag.OUTSIDE_DNS_FAILS),
    ),
    _row(
        Step.RESET_EXTENSION_PASSWORD, PROVEN, "the PBX lost the extension's password in a restart",
        Tag.LOG_PASSWORD_LOST,
    ),
    _row(Step.SERVER_ERROR, PROVEN, "the PBX lost its database", Tag.LOG_DB_DOWN),
    _row(Step.SERVER_ERROR, LIKELY, "the PBX's API cannot reach its database", Tag.API_DB_DOWN),
    _row(Step.CREATE_EXTENSION, PROVEN, "the API says the extension is disabled", Tag.EXTENSION_DISABLED),
    _row(
        Step.RESET_EXTENSION_PASSWORD, LIKELY, "403 soon after a restart of the PBX: it loses every password then",
        any_of(Tag.PHONE_SAYS_WRONG_PASSWORD, Tag.PHONE_GOT_403, Tag.LOG_AUTH_FAILED), Tag.PM2_RESTARTED_LATELY,
    ),
    _row(
        Step.RESET_EXTENSION_PASSWORD, LIKELY,
        "the PBX lost several passwords in a restart, this extension had registered before it and not since",
        Tag.SERVER_LOST_PASSWORDS,
    ),
    # 4. The user's PC: account, name service, settings that break registration.
    _row(
        Step.ACTIVATE_ACCOUNT, PROVEN, "the settings have no active account or no server",
        any_of(Tag.ACCOUNT_NOT_ACTIVE, Tag.ACCOUNT_SERVER_EMPTY),
    ),
    _row(
        Step.ACTIVATE_ACCOUNT, LIKELY, "the status bar shows no account, or an idle one",
        any_of(Tag.PHONE_SAYS_NO_ACCOUNT, Tag.PHONE_SAYS_IDLE),
    ),
    _row(
        Step.CHECK_INTERNET, LIKELY, "the PC reaches nothing",
        any_of(Tag.USER_PING_GENERAL_FAILURE, Tag.PHONE_SAYS_NO_NETWORK),
    ),
    _row(
        Step.CHECK_INTERNET, LIKELY, "no way to the network and no name service",
        Tag.USER_PING_UNREACHABLE, USER_DNS_FAILS,
    ),
    _row(
        Step.FIX_DNS, PROVEN, "MicroSIP's own name server is no address, the engine does not start",
        any_of(Tag.ACCOUNT_NAMESERVER_BAD, Tag.PHONE_BAD_NAMESERVER),
    ),
    _row(Step.FIX_DNS, LIKELY, "the engine could not open its sockets", Tag.PHONE_SOCKETS_FAILED),
    _row(
        Step.REMOVE_PROXY, PROVEN, "the request is for the right name, but goes to another host: a proxy",
        Tag.PHONE_REGISTERS_NAME, Tag.PHONE_RESOLVES_OTHER_NAME,
    ),
    _row(
        Step.FIX_SERVER_FIELD, PROVEN, "the field, or the phone's log, names another server or port",
        any_of(Tag.ACCOUNT_SERVER_WRONG, Tag.PHONE_RESOLVES_OTHER_NAME, Tag.PHONE_USES_OTHER_PORT),
    ),
    _row(
        Step.REMOVE_PROXY, LIKELY, "a proxy is set, and the phone reaches nobody",
        Tag.ACCOUNT_PROXY_SET, NO_ANSWER | any_of(Tag.PHONE_SAYS_NO_SERVER, Tag.PHONE_SAYS_UNAVAILABLE),
    ),
    _row(
        Step.FIX_TRANSPORT, PROVEN, "the phone tried TCP or TLS; the PBX listens on UDP only",
        Tag.PHONE_USES_TCP, NO_ANSWER | any_of(Tag.PHONE_SAYS_UNAVAILABLE),
    ),
    _row(Step.FIX_TRANSPORT, PROVEN, "TCP or TLS is chosen; the PBX listens on UDP only", Tag.ACCOUNT_TRANSPORT_WRONG),
    _row(
        Step.WRONG_DNS_ANSWER, PROVEN, "the user's resolver gives another address than the public ones",
        any_of(Tag.USER_DNS_WRONG_IP, Tag.USER_PING_WRONG_IP), any_of(Tag.SERVER_DNS_OK, Tag.USER_OTHER_DNS_OK),
    ),
    _row(
        Step.WRONG_DNS_ANSWER, LIKELY, "the name leads to another address",
        any_of(Tag.USER_DNS_WRONG_IP, Tag.USER_PING_WRONG_IP),
    ),
    _row(
        Step.REMOVE_PROXY, LIKELY, "the name leads to the right address, yet the phone sends elsewhere: a proxy",
        Tag.PHONE_SENDS_TO_WRONG_IP, Tag.PHONE_REGISTERS_NAME, Tag.USER_DNS_OK,
    ),
    _row(
        Step.WRONG_DNS_ANSWER, LIKELY, "the phone registers the right name at another address",
        Tag.PHONE_SENDS_TO_WRONG_IP, Tag.PHONE_REGISTERS_NAME,
    ),
    _row(
        Step.FIX_SERVER_FIELD, LIKELY, "the phone sends to another address", Tag.PHONE_SENDS_TO_WRONG_IP,
    ),
    _row(
        Step.FIX_DNS, PROVEN, "the name is fine elsewhere, the user's resolver fails",
        USER_DNS_FAILS, any_of(Tag.SERVER_DNS_OK, Tag.USER_OTHER_DNS_OK),
    ),
    _row(
        Step.FIX_DNS, LIKELY, "the user's resolver fails", USER_DNS_FAILS | any_of(Tag.USER_PING_UNKNOWN_HOST),
    ),
    _row(
        Step.FIX_DNS, LIKELY, "the phone asks for the right name and does not find it",
        Tag.PHONE_SAYS_NO_SERVER, Tag.PHONE_REGISTERS_NAME,
    ),
    _row(
        Step.FIX_SERVER_FIELD, LIKELY, "the phone finds no server though the name resolves: a typo in the field",
        Tag.PHONE_SAYS_NO_SERVER, Tag.USER_DNS_OK,
    ),
    _row(
        Step.FIX_SERVER_FIELD, LIKELY, "a REGISTER came to the trunk's port while the phone tried and heard nothing",
        Tag.LOG_OTHER_PORT, NO_ANSWER | any_of(Tag.LOG_LIVE),
    ),
    _row(Step.ALLOW_IN_FIREWALL, PROVEN, "Windows denied sending (10013)", Tag.PHONE_SEND_DENIED),
    _row(Step.OPEN_SERVER_FIREWALL, LIKELY, "no rule lets udp/5060 in", Tag.SERVER_FIREWALL_NO_RULE),
    _row(Step.FIX_TRANSPORT, LIKELY, "503: usually TCP or TLS to a closed port", Tag.PHONE_SAYS_UNAVAILABLE),
    # 5. The path between.
    _row(
        Step.TRY_OTHER_NETWORK, PROVEN, "another network works: the usual one is in the way", Tag.OTHER_NETWORK_WORKS,
    ),
    _row(
        Step.REDUCE_LOSS, LIKELY, "ping loses packets or is slow, and the phone waits in vain",
        any_of(Tag.USER_PING_LOSS, Tag.USER_PING_SLOW),
        NO_ANSWER | any_of(Tag.PHONE_CONNECTING, Tag.LOG_CHALLENGE_REPEATED, Tag.LOG_CHALLENGE_ONCE),
    ),
    _row(
        Step.TRY_OTHER_NETWORK, LIKELY, "the packet arrives, its headers were rewritten on the way",
        Tag.LOG_HEADERS_REWRITTEN,
    ),
    _row(
        Step.TRY_OTHER_NETWORK, LIKELY, "the PBX answers again and again, or its answers fit no request of the phone",
        any_of(Tag.LOG_CHALLENGE_REPEATED, Tag.PHONE_IGNORES_ANSWER),
    ),
    _row(
        Step.TRY_OTHER_NETWORK, LIKELY, "the phone heard one 401, its bigger second packet is lost",
        any_of(Tag.LOG_CHALLENGE_ONCE, Tag.PHONE_RECEIVES_401), NO_ANSWER | any_of(Tag.LOG_LIVE),
    ),
    _row(
        Step.UNBAN_USER, LIKELY, "the name is right, the phone hears nothing, and the server bans some addresses",
        Tag.SERVER_BANS, Tag.PHONE_RECEIVES_NOTHING, any_of(Tag.USER_DNS_OK, Tag.LOG_SILENT, Tag.PHONE_REGISTERS_NAME),
    ),
    _row(
        Step.OPEN_SERVER_FIREWALL, LIKELY, "no network reaches the server with right settings: a filter before it",
        Tag.OTHER_NETWORK_FAILS, NO_ANSWER, any_of(Tag.ACCOUNT_RIGHT, Tag.USER_DNS_OK),
    ),
    _row(
        Step.ALLOW_IN_FIREWALL, LIKELY, "the PC's firewall blocks, and the phone gets no answer",
        Tag.USER_FIREWALL_BLOCKS, NO_ANSWER,
    ),
    _row(
        Step.TRY_OTHER_NETWORK, LIKELY, "a VPN adapter carries the call, and no answer comes",
        Tag.PHONE_BEHIND_VPN, NO_ANSWER,
    ),
    _row(
        Step.OPEN_SERVER_FIREWALL, LIKELY,
        "the phone sends to the right host, whose own rules are right, and nothing arrives: a filter before it",
        Tag.PHONE_RECEIVES_NOTHING, Tag.LOG_SILENT, any_of(Tag.SERVER_FIREWALL_OPEN, Tag.SERVER_FIREWALL_INACTIVE),
    ),
    _row(
        Step.TRY_OTHER_NETWORK, LIKELY, "others in the same network have the same trouble now",
        Tag.NEIGHBOURS_SAME_TROUBLE, NO_ANSWER,
    ),
    _row(
        Step.TRY_OTHER_NETWORK, LIKELY, "no answer comes, and the phone is in another network than ever before",
        any_of(Tag.NETWORK_UNUSUAL, Tag.PROVIDER_UNUSUAL), NO_ANSWER,
    ),
    # Usually harmless to a registration, off by the owner's instructions all the same: tried before a person is
    # sent to another network.
    _row(
        Step.TURN_OFF_EXTERNAL_IP, LIKELY, "no answer comes, and Allow IP Rewrite or a Public Address is set",
        any_of(Tag.ACCOUNT_REWRITE_ON, Tag.ACCOUNT_PUBLIC_ADDRESS_SET), NO_ANSWER,
    ),
    _row(
        Step.TURN_OFF_STUN_ICE, LIKELY, "no answer comes, and STUN or ICE is on",
        any_of(Tag.ACCOUNT_STUN_ON, Tag.ACCOUNT_ICE_ON, Tag.PHONE_STUN_FAILED), NO_ANSWER,
    ),
    _row(
        Step.TRY_OTHER_NETWORK, LIKELY, "other networks of the country reach the host, the user's does not",
        Tag.USER_PING_TIMEOUT, Tag.OUTSIDE_PING_ANSWERS, NO_ANSWER,
    ),
    _row(
        Step.TRY_OTHER_NETWORK, LIKELY, "we reach the host, no network of the country does: the way between",
        Tag.OUTSIDE_PING_LOST, Tag.SERVER_PING_ANSWERS, NO_ANSWER,
    ),
    _row(
        Step.TRY_OTHER_NETWORK, LIKELY, "the name is right, the phone sends and hears nothing",
        Tag.PHONE_RECEIVES_NOTHING, any_of(Tag.USER_DNS_OK, Tag.PHONE_REGISTERS_NAME),
    ),
    _row(
        Step.TRY_OTHER_NETWORK, LIKELY, "settings and name are right, nothing comes through",
        Tag.PHONE_SAYS_TIMEOUT, any_of(Tag.ACCOUNT_RIGHT, Tag.LOG_SILENT), Tag.USER_DNS_OK,
    ),
    # 6. What the PBX wrote alone: true of its time and of that number, the phone was not heard.
    _row(Step.UNBAN_USER, LIKELY, "the user's address is in a ban list", Tag.USER_IP_BANNED),
    _row(
        Step.UNBAN_USER, LIKELY, "the address the number last came from is in a ban list",
        Tag.EXTENSION_ADDRESS_BANNED,
    ),
    _row(
        Step.RESET_EXTENSION_PASSWORD, LIKELY,
        "the number registered, then the PBX was started anew, and nobody has registered since: it has no passwords",
        Tag.EXTENSION_BEFORE_RESTART,
    ),
    _row(
        Step.OPEN_SERVER_FIREWALL, LIKELY, "the PBX wrote that the server's filter forbade its answers (EPERM)",
        Tag.LOG_SEND_EPERM,
    ),
    _row(Step.FIX_USERNAME, LIKELY, "the login sent is not the extension's number", Tag.LOG_USERNAME_MISMATCH),
    _row(Step.FIX_PASSWORD, LIKELY, "the PBX wrote that the digest fails", Tag.LOG_WRONG_PASSWORD),
    _row(Step.CREATE_EXTENSION, LIKELY, "the PBX wrote 404: unknown or disabled", Tag.LOG_NOT_FOUND),
    _row(Step.SERVER_ERROR, LIKELY, "the PBX wrote that it answered 500", Tag.LOG_SERVER_ERROR),
    _row(Step.CREATE_EXTENSION, LIKELY, "the PBX does not know the number", Tag.EXTENSION_UNKNOWN),
    _row(Step.SERVER_ERROR, LIKELY, "the phone was answered 500", Tag.PHONE_SAYS_SERVER_ERROR),
    # 7. Settings seen alone, what breaks a registration first.
    _row(Step.REMOVE_PROXY, LIKELY, "a proxy is set", Tag.ACCOUNT_PROXY_SET),
    _row(
        Step.FIX_USERNAME, LIKELY, "the user name or login is not the extension's number",
        any_of(Tag.ACCOUNT_USERNAME_DIFFERS, Tag.ACCOUNT_LOGIN_DIFFERS),
    ),
    _row(Step.FIX_PASSWORD, LIKELY, "the password field is empty", Tag.ACCOUNT_PASSWORD_EMPTY),
    _row(
        Step.TURN_OFF_EXTERNAL_IP, LIKELY, "Allow IP Rewrite or a Public Address is set",
        any_of(Tag.ACCOUNT_REWRITE_ON, Tag.ACCOUNT_PUBLIC_ADDRESS_SET),
    ),
    _row(
        Step.TURN_OFF_STUN_ICE, LIKELY, "STUN or ICE is on",
        any_of(Tag.ACCOUNT_STUN_ON, Tag.ACCOUNT_ICE_ON, Tag.PHONE_STUN_FAILED),
    ),
    # 8. Nothing better is known.
    _row(Step.CREATE_EXTENSION, LIKELY, "the phone was answered 404", Tag.PHONE_SAYS_NOT_FOUND),
    _row(Step.CONNECTED, LIKELY, "the status bar says it is on line", Tag.PHONE_ONLINE),
    _row(
        Step.CONNECTED, LIKELY, "the log line alone: an un-register and a forged packet write it too",
        Tag.LOG_REGISTERED,
    ),
    _row(
        Step.PRESS_REGISTER, LIKELY, "the engine is off or waits: save once more and look",
        any_of(Tag.PHONE_SAYS_OFFLINE, Tag.PHONE_CONNECTING),
    ),
    _row(
        Step.PRESS_REGISTER, LIKELY, "the server answers, the settings are right: nothing wrong was seen",
        Tag.ACCOUNT_RIGHT, any_of(Tag.SERVER_SIP_ANSWERS, Tag.USER_PING_CLEAN, Tag.USER_DNS_OK),
    ),
    _row(
        Step.PRESS_REGISTER, LIKELY, "name, socket and rules are right, and nothing of the phone arrives: watch it try",
        Tag.LOG_SILENT, Tag.USER_DNS_OK, Tag.SERVER_LISTENS,
    ),
)  # fmt: skip
