"""The injected faults, and the one next step each of them calls for.

A fault is a function from a scene to the files that people and staff would send. Each was once injected on the
real PBX and observed from every vantage; the files follow what was seen there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.model import Step
from tests.evidence import host, pbx, person, phone
from tests.evidence.scene import NAME, Scene

Files = dict[str, str]
DROP = "-A INPUT -p udp -m udp --dport 5060 -j DROP"


@dataclass(frozen=True, slots=True)
class Fault:
    """`accept`: steps that the evidence cannot tell from the right one."""

    name: str
    story: str
    compose: Callable[[Scene], Files]
    step: Step
    accept: frozenset[Step] = field(default_factory=frozenset)


FAULTS: list[Fault] = []


def fault(name: str, story: str, step: Step, *accept: Step) -> Callable[[Callable[[Scene], Files]], None]:
    """Enters a function in the list of faults."""

    def enter(compose: Callable[[Scene], Files]) -> None:
        FAULTS.append(Fault(name, story, compose, step, frozenset(accept)))

    return enter


def user(scene: Scene, log: str, *, dns: str | None = None, pinged: str | None = None) -> Files:
    """What the person sends."""
    return {
        "1_nslookup.txt": dns or person.nslookup(scene, "sloppy" if scene.chance.random() < 0.1 else "ok"),
        "2_ping.txt": pinged or person.ping(scene, "ok"),
        "3_microsip_log.txt": log,
    }


def server(scene: Scene, log: str | None, *, ss: str | None = None, filters: Files | None = None) -> Files:
    """What the PBX host shows; unless told otherwise everything there is right."""
    files = {"4_ss.txt": ss or host.sockets(scene)} | (filters or right_filters(scene))
    return files | ({"8_pbx.log": log} if log is not None else {})


def right_filters(scene: Scene) -> Files:
    """A firewall that lets SIP in, or none at all."""
    if scene.chance.random() < 0.5:
        allows = scene.chance.choice(("5060/udp", "5060:5061/udp"))
        return {
            "5_ufw.txt": host.ufw(scene, allows),
            "6_iptables.txt": host.iptables(scene, ufw_allows=allows, ufw_active=True),
        }
    return {
        "5_ufw.txt": host.ufw(scene, active=False),
        "6_iptables.txt": host.iptables(scene),
        "7_nft.txt": host.nft(scene),
    }


def silent(scene: Scene) -> str:
    """The PBX's log without the user."""
    return pbx.watched(scene).text


def greeted(scene: Scene, *, copies: int = 1) -> str:
    """The PBX's log with the user's registration."""
    log = pbx.watched(scene)
    log.register(pbx.peer_of(scene), scene.extension, copies=copies)
    log.wait(15)
    log.keep_alive(pbx.peer_of(scene))
    log.others()
    return log.text


def refused(scene: Scene, *why: str, asked: str = NAME) -> str:
    """The PBX's log with a 403."""
    log = pbx.watched(scene)
    log.refuse(pbx.peer_of(scene), scene.extension, list(why), host=asked)
    log.others()
    return log.text


def challenged(scene: Scene, times: int, *, blocked: bool = False) -> str:
    """The PBX's log with the same request again and again."""
    log = pbx.watched(scene)
    for pause_s in (0.5, 1, 2, 4, 4, 4, 4, 4, 4, 4, 4)[:times]:
        log.challenge(pbx.peer_of(scene), scene.extension, blocked=blocked)
        log.wait(pause_s)
    log.others()
    return log.text


@fault("F00", "all is well", Step.CONNECTED)
def _(scene: Scene) -> Files:
    return user(scene, phone.registered(scene)) | server(scene, greeted(scene))


@fault("F01", "the name does not exist", Step.FIX_DNS, Step.SERVER_DNS)
def _(scene: Scene) -> Files:
    dns, pinged = person.nslookup(scene, "nxdomain"), person.ping(scene, "unknown")
    return user(scene, phone.unresolved(scene), dns=dns, pinged=pinged) | server(scene, silent(scene))


@fault("F02a", "the user's name server does not answer", Step.FIX_DNS)
def _(scene: Scene) -> Files:
    dns, pinged = person.nslookup(scene, "timeout"), person.ping(scene, "unknown")
    return user(scene, phone.unresolved(scene, waited_s=4.1), dns=dns, pinged=pinged) | server(scene, silent(scene))


@fault("F02b", "the user's name server refuses", Step.FIX_DNS)
def _(scene: Scene) -> Files:
    dns, pinged = person.nslookup(scene, "refused"), person.ping(scene, "unknown")
    return user(scene, phone.unresolved(scene, waited_s=2.2), dns=dns, pinged=pinged) | server(scene, silent(scene))


def _elsewhere(scene: Scene, *, alive: bool) -> Files:
    address = scene.chance.choice(("89.236.218.10", "104.21.44.12", "192.168.1.50", "185.196.214.20"))
    dns = person.nslookup(scene, "ok", address)
    pinged = person.ping(scene, "ok" if alive else "timeout", address)
    return user(scene, phone.unanswered(scene, address), dns=dns, pinged=pinged) | server(scene, silent(scene))


@fault("F03a", "the name leads to a dead address", Step.WRONG_DNS_ANSWER, Step.SERVER_DNS)
def _(scene: Scene) -> Files:
    return _elsewhere(scene, alive=False)


@fault("F03b", "the name leads to another living host", Step.WRONG_DNS_ANSWER, Step.SERVER_DNS)
def _(scene: Scene) -> Files:
    return _elsewhere(scene, alive=True)


@fault("F04", "only ping is blocked", Step.CONNECTED)
def _(scene: Scene) -> Files:
    rule = ("-A INPUT -p icmp -m icmp --icmp-type 8 -j DROP",)
    filters = {"5_ufw.txt": host.ufw(scene, active=False), "6_iptables.txt": host.iptables(scene, rule)}
    pinged = person.ping(scene, "timeout")
    return user(scene, phone.registered(scene), pinged=pinged) | server(scene, greeted(scene), filters=filters)


def blocked(scene: Scene, filters: Files) -> Files:
    """The phone hears nothing, because of these filters."""
    return user(scene, phone.unanswered(scene)) | server(scene, silent(scene), filters=filters)


@fault("F05a", "iptables drops udp/5060", Step.OPEN_SERVER_FIREWALL)
def _(scene: Scene) -> Files:
    return blocked(
        scene,
        {
            "5_ufw.txt": host.ufw(scene, active=False),
            "6_iptables.txt": host.iptables(scene, (DROP,)),
            "7_nft.txt": host.nft(scene, ("udp dport 5060 counter packets 38 bytes 19494 drop",)),
        },
    )


@fault("F05b", "ufw has no line for 5060", Step.OPEN_SERVER_FIREWALL)
def _(scene: Scene) -> Files:
    return blocked(scene, {"5_ufw.txt": host.ufw(scene, None), "6_iptables.txt": host.iptables(scene, ufw_active=True)})


@fault("F05c", "ufw lets 5060 in over TCP only", Step.OPEN_SERVER_FIREWALL)
def _(scene: Scene) -> Files:
    allows = "5060/tcp"
    return blocked(
        scene,
        {
            "5_ufw.txt": host.ufw(scene, allows),
            "6_iptables.txt": host.iptables(scene, ufw_allows=allows, ufw_active=True),
        },
    )


@fault("F05d", "a table of nft's own drops, iptables and ufw look clean", Step.OPEN_SERVER_FIREWALL)
def _(scene: Scene) -> Files:
    family, priority = scene.chance.choice((("inet", "filter"), ("inet", "-10"), ("ip", "raw")))
    native = (
        f"table {family} guard {{\n\tchain input {{\n\t\ttype filter hook input priority {priority}; policy accept;\n"
    )
    native += "\t\tudp dport 5060 counter packets 41 bytes 21033 drop\n\t}\n}\n"
    return blocked(
        scene,
        {
            "5_ufw.txt": host.ufw(scene, active=False),
            "6_iptables.txt": host.iptables(scene),
            "7_nft.txt": host.nft(scene, native=native),
        },
    )


@fault(
    "F05e",
    "a filter before the server: nothing arrives from anybody",
    Step.OPEN_SERVER_FIREWALL,
    Step.TRY_OTHER_NETWORK,
)
def _(scene: Scene) -> Files:
    return blocked(replace(scene, others=None), right_filters(scene))


@fault("F05g", "ufw allows, a raw DROP stands before it", Step.OPEN_SERVER_FIREWALL)
def _(scene: Scene) -> Files:
    allows = "5060/udp"
    return blocked(
        scene,
        {
            "5_ufw.txt": host.ufw(scene, allows),
            "6_iptables.txt": host.iptables(scene, (DROP,), ufw_allows=allows, ufw_active=True),
        },
    )


@fault("F06", "iptables rejects udp/5060", Step.OPEN_SERVER_FIREWALL)
def _(scene: Scene) -> Files:
    rule = "-A INPUT -p udp -m udp --dport 5060 -j REJECT --reject-with icmp-port-unreachable"
    return blocked(
        scene,
        {
            "5_ufw.txt": host.ufw(scene, active=False),
            "6_iptables.txt": host.iptables(scene, (rule,)),
            "7_nft.txt": host.nft(scene, ("udp dport 5060 counter packets 28 bytes 14364 reject",)),
        },
    )


@fault("F07a", "the PBX is stopped", Step.START_PBX)
def _(scene: Scene) -> Files:
    log = pbx.log_of(scene)
    log.register(pbx.peer_of(scene), scene.extension)
    log.wait(20)
    log.stop()
    return user(scene, phone.unanswered(scene)) | server(scene, log.text, ss=host.sockets(scene, None))


@fault("F07b", "the PBX hangs", Step.START_PBX)
def _(scene: Scene) -> Files:
    waiting = scene.chance.choice((30720, 61440, 212992))
    return user(scene, phone.unanswered(scene)) | server(scene, silent(scene), ss=host.sockets(scene, waiting=waiting))


@fault("F08", "the PBX is bound to loopback", Step.BIND_ALL_INTERFACES)
def _(scene: Scene) -> Files:
    return user(scene, phone.unanswered(scene)) | server(scene, silent(scene), ss=host.sockets(scene, "127.0.0.1"))


@fault("F09", "a wrong password", Step.FIX_PASSWORD)
def _(scene: Scene) -> Files:
    log = refused(scene, f"Digest auth verification failed for {scene.extension}")
    return user(scene, phone.refused(scene, 403)) | server(scene, log)


@fault("F09b", "the PBX was restarted and lost the password", Step.RESET_EXTENSION_PASSWORD)
def _(scene: Scene) -> Files:
    number = scene.extension
    log = refused(
        scene,
        f"SIP password not available for extension {number}. Password may need to be reset.",
        f"Could not retrieve password for extension {number}. Please reset the password.",
    )
    return user(scene, phone.refused(scene, 403)) | server(scene, log)


@fault("F10", "the extension is unknown or disabled", Step.CREATE_EXTENSION, Step.FIX_USERNAME)
def _(scene: Scene) -> Files:
    log = pbx.watched(scene)
    log.request(pbx.peer_of(scene))
    log.say(f"Extension not found or disabled: {scene.extension}", "warn")
    log.say(f"[SIP] Sending response 404 Not Found to {pbx.peer_of(scene)}")
    log.answer(pbx.peer_of(scene))
    return user(scene, phone.refused(scene, 404)) | server(scene, log.text)


@fault("F11", "a typo in the SIP server's name", Step.FIX_SERVER_FIELD)
def _(scene: Scene) -> Files:
    typo = scene.chance.choice(("call.sounds.uz", "cal.soundz.uz", "call.soundz.ru", "call.soundzuz"))
    return user(scene, phone.unresolved(scene, typo)) | server(scene, silent(scene))


@fault("F12", "TCP is chosen, its port is closed", Step.FIX_TRANSPORT)
def _(scene: Scene) -> Files:
    return user(scene, phone.over_tcp(scene, dropped=False)) | server(scene, silent(scene))


@fault("F12b", "TCP is chosen, its packets are dropped", Step.FIX_TRANSPORT)
def _(scene: Scene) -> Files:
    return user(scene, phone.over_tcp(scene, dropped=True)) | server(scene, silent(scene))


@fault("F13", "a short NAT timeout: registered, incoming calls would fail later", Step.CONNECTED)
def _(scene: Scene) -> Files:
    return user(scene, phone.registered(scene)) | server(scene, greeted(scene))


@fault("F14good", "a correct ALG, or the kernel's: only the API's contact would show it", Step.CONNECTED)
def _(scene: Scene) -> Files:
    return user(scene, phone.registered(scene)) | server(scene, greeted(scene))


@fault("F14s", "a SIP helper on the server spoils odd packets only", Step.CONNECTED)
def _(scene: Scene) -> Files:
    log = pbx.watched(scene)
    stranger = "45.134.144.10:5071"
    log.request(stranger)
    log.say("No username found in From header", "warn")
    log.say(f"[SIP] Sending response 400 Bad Request to {stranger}")
    log.answer(stranger, blocked=True)
    log.register(pbx.peer_of(scene), scene.extension)
    return user(scene, phone.registered(scene)) | server(scene, log.text)


@fault("F14via", "a router's SIP ALG adds a Via: the answer does not fit", Step.TRY_OTHER_NETWORK)
def _(scene: Scene) -> Files:
    return user(scene, phone.unanswered(scene)) | server(scene, challenged(scene, 11))


@fault("F14branch", "a router's SIP ALG alters the branch: the answer comes and fits nothing", Step.TRY_OTHER_NETWORK)
def _(scene: Scene) -> Files:
    return user(scene, phone.unanswered(scene, answered=True)) | server(scene, challenged(scene, 11))


@fault("F14digest", "a router's SIP ALG alters the digest's uri: 403 with a right password", Step.TRY_OTHER_NETWORK)
def _(scene: Scene) -> Files:
    log = refused(scene, f"Digest auth verification failed for {scene.extension}", asked="69.62.127.9")
    return user(scene, phone.refused(scene, 403)) | server(scene, log)


@fault("F15", "a third of the packets is lost, registered after some copies", Step.REDUCE_LOSS, Step.CONNECTED)
def _(scene: Scene) -> Files:
    pinged = person.ping(scene, "loss")
    return user(scene, phone.registered(scene, copies=3), pinged=pinged) | server(scene, greeted(scene, copies=2))


@fault("F16", "600 ms and more, registered after some copies", Step.REDUCE_LOSS, Step.CONNECTED)
def _(scene: Scene) -> Files:
    rtt_ms = scene.chance.choice((600, 650, 3000))
    pinged = person.ping(scene, "ok", rtt_ms=rtt_ms)
    log = phone.registered(scene, copies=2, late_s=rtt_ms / 1000)
    return user(scene, log, pinged=pinged) | server(scene, greeted(scene, copies=2 if rtt_ms < 1000 else 3))


@fault("F17", "the request is bigger than the path carries", Step.TRY_OTHER_NETWORK, Step.OPEN_SERVER_FIREWALL)
def _(scene: Scene) -> Files:
    return user(scene, phone.unanswered(scene, size=1688)) | server(scene, silent(scene))


@fault("F17c", "only the second, bigger request is lost", Step.TRY_OTHER_NETWORK)
def _(scene: Scene) -> Files:
    return user(scene, phone.second_lost(scene, 1544)) | server(scene, challenged(scene, 1))


@fault("F18", "another program holds the port", Step.FREE_PORT)
def _(scene: Scene) -> Files:
    log = pbx.watched(scene)
    for _round in range(6):
        log.say("SIP Server error: bind EADDRINUSE 0.0.0.0:5060", "error")
        log.say("SIP Trunk Manager listening on port 5061")
        log.say("Failed to start server: bind EADDRINUSE 0.0.0.0:5060", "error")
        log.wait(0.8)
    owner = scene.chance.choice(("python", "python3", "asterisk", "kamailio"))
    return user(scene, phone.unanswered(scene)) | server(scene, log.text, ss=host.sockets(scene, owner=owner))


@fault("F19", "fail2ban bans the user's address", Step.UNBAN_USER)
def _(scene: Scene) -> Files:
    address = scene.public_ip
    rules = (
        "-N f2b-call-soundz",
        "-A INPUT -p udp -m multiport --dports 5060,5061 -j f2b-call-soundz",
        f"-A f2b-call-soundz -s {address}/32 -j REJECT --reject-with icmp-port-unreachable",
        "-A f2b-call-soundz -j RETURN",
    )
    chain = f"\n\tchain f2b-call-soundz {{\n\t\tip saddr {address} counter packets 28 bytes 14364 reject\n"
    chain += "\t\tcounter packets 96 bytes 41000 return\n\t}\n"
    jump = ("meta l4proto udp udp dport { 5060, 5061 } counter packets 124 bytes 55364 jump f2b-call-soundz",)
    return blocked(
        scene,
        {
            "5_ufw.txt": host.ufw(scene, active=False),
            "6_iptables.txt": host.iptables(scene, rules),
            "7_nft.txt": host.nft(scene, jump, chains=chain),
        },
    )


@fault("F19b", "a rate limit lets one or two packets through", Step.OPEN_SERVER_FIREWALL)
def _(scene: Scene) -> Files:
    rule = (
        "-A INPUT -p udp -m udp --dport 5060 -m hashlimit --hashlimit-above 1/min --hashlimit-burst 2 "
        "--hashlimit-mode srcip --hashlimit-name sip -j DROP"
    )
    filters = {"5_ufw.txt": host.ufw(scene, active=False), "6_iptables.txt": host.iptables(scene, (rule,))}
    return user(scene, phone.second_lost(scene)) | server(scene, challenged(scene, 1), filters=filters)


@fault("F20", "an answer without received and rport: registered with the private Contact", Step.CONNECTED)
def _(scene: Scene) -> Files:
    return user(scene, phone.registered(scene)) | server(scene, None)


@fault("F20via", "the answers go to the private address in Via", Step.TRY_OTHER_NETWORK)
def _(scene: Scene) -> Files:
    return user(scene, phone.unanswered(scene)) | server(scene, challenged(scene, 11))


@fault("F21a", "the way back is dropped outside the server", Step.TRY_OTHER_NETWORK)
def _(scene: Scene) -> Files:
    return user(scene, phone.unanswered(scene)) | server(scene, challenged(scene, 11))


@fault("F21b", "the server's own OUTPUT rule drops the answers", Step.OPEN_SERVER_FIREWALL)
def _(scene: Scene) -> Files:
    rule = ("-A OUTPUT -p udp -m udp --sport 5060 -j DROP",)
    filters = {
        "5_ufw.txt": host.ufw(scene, active=False),
        "6_iptables.txt": host.iptables(scene, rule),
        "7_nft.txt": host.nft(scene, output=("udp sport 5060 counter packets 41 bytes 17220 drop",)),
    }
    return user(scene, phone.unanswered(scene)) | server(scene, challenged(scene, 11, blocked=True), filters=filters)


@fault("DB", "PostgreSQL is down", Step.SERVER_ERROR)
def _(scene: Scene) -> Files:
    log = pbx.watched(scene)
    log.request(pbx.peer_of(scene))
    log.say("Error in handleRegister: connect ECONNREFUSED 127.0.0.1:5432", "error")
    log.say("Error stack:", "error")
    log.say(f"[SIP] Sending response 500 Internal Server Error to {pbx.peer_of(scene)}")
    log.answer(pbx.peer_of(scene))
    return user(scene, phone.refused(scene, 500)) | server(scene, log.text)
