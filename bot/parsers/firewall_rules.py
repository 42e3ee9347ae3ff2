"""May an arbitrary IPv4 client send UDP to the SIP port? The rules of any netfilter tool, walked as the kernel does.

The grammars (iptables, nft) turn their text into a Ruleset; `judge` follows jumps, gotos and returns in it.
A rule that asks for more than protocol and port (a source, an interface, a rate …) does not decide for everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

OPEN, BLOCKED, NO_RULE, INACTIVE = "open", "blocked", "no_rule", "inactive"
PERMISSION_DENIED, COMMAND_MISSING, BANS = "permission_denied", "command_missing", "bans"

_PORTS_BY_NAME = {
    "ssh": 22, "domain": 53, "http": 80, "https": 443, "ntp": 123, "snmp": 161, "openvpn": 1194, "iax": 4569,
    "rtp": 5004, "sip": 5060, "sip-tls": 5061, "sips": 5061, "postgresql": 5432, "ndmp": 10000, "webmin": 10000,
}  # fmt: skip
_MAX_DEPTH = 32
_OCTET = r"0{0,2}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_ONE_ADDRESS = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}(?:/32)?")
_BAN_NAME = re.compile(
    r"f2b|fail2ban|(?<![a-z])bans?(?![a-z])|banned|black|blocked|abus|attack|crowdsec|sshguard", re.I
)


@lru_cache(1024)  # most rules of a ruleset name the same few
def admits_port(ports: str, port: int) -> bool:
    """Whether a list such as `5060`, `sip,sip-tls`, `5060:5080` or `10000-20000` contains the port."""
    for part in ports.strip("{} ").split(","):
        low, dash, high = part.strip().replace(":", "-", 1).partition("-")
        if part.strip().lower() == "sip-tls":
            low, dash, high = "5061", "", ""
        first = _port(low, 0 if dash else -1)
        last = _port(high, 65535) if dash else first
        if 0 <= first <= port <= last:
            return True
    return False


def _port(name: str, otherwise: int) -> int:
    name = name.strip().lower()
    if name.isascii() and name.isdigit() and len(name) < 8:
        return int(name)
    return _PORTS_BY_NAME.get(name, otherwise if not name else -1)


@dataclass(slots=True)
class Demand:
    """What a rule demands of a packet; a grammar fills it in while it reads the rule."""

    udp: bool = True  # the protocol, where named, is UDP
    udp_named: bool = False
    to_port: bool | None = None  # None: any port; else whether the SIP port is among them
    from_port: bool | None = None
    any_source: bool = True
    here: bool = True  # the destination, where named, is this host
    anywhere: bool = True  # no destination is named
    in_interface: str | None = None
    out_interface: str | None = None
    new: bool = True  # admits a packet of a new connection
    established: bool = True
    rate: bool = False  # applies beyond or up to a rate only
    more: bool = False  # any other condition
    source: str | None = None  # the address, where one is named

    def request(self) -> bool:
        """A client's packet to the SIP port meets it, if no rate limits it."""
        return (
            self.udp and self.to_port is not False and self.from_port is None and self.any_source and self.here
            and self.in_interface is None and self.out_interface is None and self.new and not self.more
        )  # fmt: skip

    def answer(self) -> bool:
        """The PBX's answer from the SIP port to any client meets it."""
        return (
            self.udp and self.to_port is None and self.from_port is not False and self.any_source
            and self.anywhere and self.in_interface is None and self.out_interface is None
            and self.established and not self.more and not self.rate
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, reduced to what the two questions need."""

    text: str
    verdict: str  # accept | drop | return | jump | goto | none
    target: str | None = None  # the chain jumped to
    request: bool = False  # decides for any client's packet to the SIP port
    answer: bool = False  # decides for the PBX's answers to any client
    limits: bool = False  # would decide for the SIP port, beyond a rate only
    specific: bool = False  # names UDP or a port: not one of the interface rules that `iptables -L` hides
    bare: bool = False  # says nothing but its verdict, and the tool hides interfaces
    source: str | None = None
    keeps_out: bool = False  # decides for the SIP packets of its source
    packets: int | None = None  # where counters are printed


def rule_of(
    demand: Demand, text: str, verdict: str, target: str | None = None,
    *, bare: bool = False, packets: int | None = None,
) -> Rule:  # fmt: skip
    """The rule that a grammar has read."""
    request = demand.request()
    return Rule(
        text=" ".join(text.split())[:200],
        verdict=verdict,
        target=target,
        request=request and not demand.rate,
        answer=demand.answer(),
        limits=request and demand.rate and demand.to_port is True,
        specific=demand.udp_named or demand.to_port is not None,
        bare=bare,
        source=demand.source,
        keeps_out=demand.source is not None and not demand.rate and replace(demand, any_source=True).request(),
        packets=packets,
    )


@dataclass(slots=True)
class Chain:
    """Rules in order. `hook` and `policy` only of base chains; policy None: not printed."""

    name: str
    hook: str | None = None  # ingress | prerouting | input | output | other
    policy: str | None = None  # accept | drop
    priority: int = 0
    rules: list[Rule] = field(default_factory=list)


Chains = Mapping[str, Chain]


@dataclass(frozen=True, slots=True)
class Ruleset:
    """Every table that was printed: (name, chains), in the order of the text."""

    tables: tuple[tuple[str, Chains], ...]
    sets_banned: tuple[str, ...] = ()  # addresses in sets whose name speaks of bans


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a ruleset does to the SIP port. `rule` decided; None: no rule, but a policy or nothing."""

    status: str
    rule: Rule | None = None
    limits: tuple[Rule, ...] = ()
    answers_blocked: str | None = None  # the rule or policy that drops the PBX's answers
    banned: tuple[str, ...] = ()
    policy: str | None = None  # accept | drop: the input policy that decided, where no rule did


class _Walk:
    """One packet's way through the chains of one table; each chain is judged once for each way to reach it."""

    def __init__(self, chains: Chains, *, answer: bool) -> None:
        self.chains = chains
        self.answer = answer
        self.limits: list[Rule] = []
        self._known: dict[tuple[str, bool], tuple[str, Rule | None]] = {}

    def run(self, name: str, specific: bool = False, depth: int = 0) -> tuple[str, Rule | None]:
        """('accept' | 'drop', rule), or ('return', None) where the packet leaves at the end."""
        key = (name, specific)
        if key not in self._known:
            self._known[key] = ("return", None)  # a loop falls through
            if name in self.chains and depth < _MAX_DEPTH:
                self._known[key] = self._through(self.chains[name], specific, depth)
        return self._known[key]

    def _through(self, chain: Chain, specific: bool, depth: int) -> tuple[str, Rule | None]:
        for rule in chain.rules:
            if rule.limits and not self.answer:
                self._note(rule, depth)
            if not (rule.answer if self.answer else rule.request):
                continue
            if rule.verdict in ("jump", "goto"):
                outcome = self.run(rule.target or "", specific or rule.specific, depth + 1)
                if outcome[0] != "return":
                    return outcome
                if rule.verdict == "goto" and rule.target in self.chains:
                    return "return", None
            elif rule.verdict == "return":
                return "return", None
            elif rule.verdict == "drop" or (rule.verdict == "accept" and (specific or not rule.bare)):
                return rule.verdict, rule
        return "return", None

    def _note(self, rule: Rule, depth: int) -> None:
        drops = rule.verdict == "drop"
        if rule.verdict in ("jump", "goto"):
            drops = self.run(rule.target or "", True, depth + 1)[0] == "drop"
        if drops:
            self.limits.append(rule)


_STAGES = ("ingress", "prerouting", "input")
_INPUT = 2


def judge(ruleset: Ruleset) -> Judgement:
    """The first rule that decides; a drop anywhere on the way beats every accept."""
    on_the_way = sorted(
        (
            (_STAGES.index(chain.hook), chain.priority, position, chain, chains)
            for position, (_, chains) in enumerate(ruleset.tables)
            for chain in chains.values()
            if chain.hook in _STAGES
        ),
        key=lambda entry: entry[:3],
    )
    limits: list[Rule] = []
    accepted: Rule | None = None
    blocked: Rule | None = None
    policies: list[str | None] = []  # of input chains that no rule decided
    for stage, _, _, chain, chains in on_the_way:
        walk = _Walk(chains, answer=False)
        outcome, rule = walk.run(chain.name)
        limits += walk.limits
        if outcome == "drop":
            blocked = blocked or rule
        elif outcome == "accept" and stage == _INPUT:
            accepted = accepted or rule
        elif outcome == "return" and (stage == _INPUT or chain.policy == "drop"):
            policies.append(chain.policy)
    if blocked:
        status = BLOCKED
    elif "drop" in policies:
        status = NO_RULE
    else:
        status = NO_RULE if None in policies and not accepted else OPEN
    rule = blocked or (accepted if status == OPEN else None)
    policy = None if rule else "drop" if "drop" in policies else (policies or [None])[0]
    return Judgement(status, rule, tuple(limits), _answers_blocked(ruleset), _banned(ruleset), policy)


def _answers_blocked(ruleset: Ruleset) -> str | None:
    for _, chains in ruleset.tables:
        for chain in chains.values():
            if chain.hook == "output":
                outcome, rule = _Walk(chains, answer=True).run(chain.name)
                if outcome == "drop" and rule:
                    return rule.text
                if outcome == "return" and chain.policy == "drop":
                    return f"{chain.name} policy drop"
    return None


def _banned(ruleset: Ruleset) -> tuple[str, ...]:
    """Single IPv4 addresses that are dropped: in chains and sets of fail2ban and the like, or on the way in.

    fail2ban may ban through ufw, whose rules for one address stand in a chain of their own.
    """
    found = dict.fromkeys(ruleset.sets_banned)
    for _, chains in ruleset.tables:
        led_to: dict[str, bool] = {}  # by a rule that SIP meets
        for rule in (rule for chain in chains.values() for rule in chain.rules if rule.target):
            led_to[rule.target or ""] = led_to.get(rule.target or "", False) or rule.request
        for chain in chains.values():
            by_rule = chain.hook == "input" or chain.name == "ufw-user-input"
            by_name = chain.hook is None and _BAN_NAME.search(chain.name) and led_to.get(chain.name, True)
            if by_rule or by_name:
                found |= dict.fromkeys(
                    address
                    for rule in chain.rules
                    if rule.verdict == "drop" and rule.source and (rule.keeps_out or by_name)
                    and (address := single_address(rule.source))
                )  # fmt: skip
    return tuple(found)


def single_address(source: str) -> str | None:
    """`192.0.2.7` or `192.0.2.7/32` as an address, anything else is None."""
    return source.removesuffix("/32") if _ONE_ADDRESS.fullmatch(source) else None


def bans(set_name: str, elements: Iterable[str]) -> tuple[str, ...]:
    """The addresses of a set whose name speaks of bans."""
    if not _BAN_NAME.search(set_name):
        return ()
    return tuple(address for element in elements if (address := single_address(element)))
