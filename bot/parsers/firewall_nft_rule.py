"""What does one nft rule demand of a packet, and what becomes of it?

udp dport { 5060, 5061 } ct state new counter packets 3 bytes 120 accept
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.parsers.firewall_nft_fields import ANSWER, REQUEST, deniable, key_of, meets
from bot.parsers.firewall_rules import Chain, Rule, single_address

_VERDICTS = {"accept": "accept", "drop": "drop", "reject": "drop", "return": "return"}
_XT_VERDICTS = {"REJECT": "drop", "TARPIT": "drop", "DROP": "drop", "STEAL": "drop"}
_COMPARISONS = {"<": "0-{0}", "lt": "0-{0}", "<=": "0-{1}", "le": "0-{1}", ">": "{2}-65535", "gt": "{2}-65535",
                ">=": "{1}-65535", "ge": "{1}-65535"}  # fmt: skip
_OPERATORS = frozenset(("==", "!=", "eq", "ne", *_COMPARISONS))
# Statements that say nothing about who passes, and how many words of their own follow.
_STATEMENTS = {
    "log": 0, "prefix": 1, "level": 1, "group": 1, "snaplen": 1, "queue-threshold": 1, "flags": 1, "comment": 1,
    "counter": 0, "packets": 1, "bytes": 1, "notrack": 0, "masquerade": 0, "with": 0, "tcp-reset": 0, "type": 1,
    "icmp-port-unreachable": 0, "icmpx": 0, "name": 1, "reset": 0, "all": 0,
}  # fmt: skip
_OTHER_PROTOCOLS = frozenset(("tcp", "sctp", "dccp", "udplite", "icmp", "icmpv6", "igmp", "esp", "ah", "comp", "arp"))


@dataclass(slots=True)
class Table:
    """One table while it is read: the tokens of its rules, and its sets and maps with their elements."""

    family: str
    name: str
    chains: dict[str, list[list[str]]] = field(default_factory=dict)
    judged: dict[str, Chain] = field(default_factory=dict)
    sets: dict[str, list[str]] = field(default_factory=dict)


def rules_of(tokens: list[str], table: Table, port: int, own: frozenset[str]) -> list[Rule]:
    """One rule, or the two that a verdict map makes of it (for requests and for answers)."""
    return _Reading(tokens, table, port, own).rules()


class _Reading:
    """A rule's tokens from left to right."""

    def __init__(self, tokens: list[str], table: Table, port: int, own: frozenset[str]) -> None:
        self.tokens = tokens
        self.at = 0
        self.table = table
        self.port = port
        self.own = own
        self.meets = [True, True]  # the request, the answer
        self.rate = self.names_port = self.specific = False
        self.source: str | None = None
        self.of_one = False  # only packets of that source
        self.packets: int | None = None
        self.mapped: list[tuple[str, str | None]] | None = None  # verdicts of a map: request, answer

    def rules(self) -> list[Rule]:
        verdict: tuple[str, str | None] = ("none", None)
        while self.at < len(self.tokens) and self.mapped is None and verdict[0] == "none":
            verdict = self._step()
        if self.mapped is not None:
            return [
                self._rule(*self.mapped[question], only=question)
                for question in (REQUEST, ANSWER)
                if self.mapped[question][0] != "none"
            ]
        return [self._rule(*verdict)]

    def _rule(self, verdict: str, target: str | None, only: int | None = None) -> Rule:
        asks = self.meets[REQUEST] and only != ANSWER
        request = asks and not self.of_one
        return Rule(
            text=_text(self.tokens),
            verdict=verdict,
            target=target,
            request=request and not self.rate,
            answer=self.meets[ANSWER] and not self.rate and only != REQUEST,
            limits=request and self.rate and self.names_port,
            specific=self.specific,
            source=self.source,
            keeps_out=asks and self.of_one and not self.rate,
            packets=self.packets,
        )

    def _next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else ""

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _step(self) -> tuple[str, str | None]:
        """One statement or match; the verdict where it is one."""
        word = self._next()
        if word in _VERDICTS:
            return _VERDICTS[word], None
        if word in ("jump", "goto"):
            return word, self._next()
        if word == "xt":
            return self._xt()
        if word == "packets" and self._peek().isdecimal():
            self.packets = int(self._next()[:18])
        elif word in _STATEMENTS:
            self.at += _STATEMENTS[word]
        elif word == "limit" or word == "quota":
            self.rate = True
            while (rest := self._peek()) and rest not in _VERDICTS and rest not in ("jump", "goto", "log", "counter"):
                self.at += 1
        elif word in ("add", "update", "delete", "meter", "dnat", "snat", "redirect", "queue", "dup", "fwd", "tproxy"):
            self._skip_statement()
        else:
            self._match(word)
        return "none", None

    def _skip_statement(self) -> None:
        """`update @seen { ip saddr limit rate over 5/second }`: a set of the kernel's, filled by the packets."""
        while (rest := self._peek()) and rest not in _VERDICTS and rest not in ("jump", "goto", "counter", "log"):
            self.rate = self.rate or rest == "limit" or (rest == "count" and "ct" in self.tokens)
            self.at += 1

    def _xt(self) -> tuple[str, str | None]:
        """`xt match "multiport"`: nft cannot print what an extension of iptables demands."""
        kind, name = self._next(), self._next().strip('"')
        if kind == "target":
            return _XT_VERDICTS.get(name, "none"), None
        if name in ("limit", "hashlimit", "connlimit"):
            self.rate = True
        elif name in ("conntrack", "state"):
            # The states are hidden: a rule with a port is written for new packets, one without for answers.
            self.meets = [self.meets[REQUEST] and self.names_port, self.tokens[-1] == "accept"]
        elif name not in ("comment", "udp"):
            self.meets = [False, False]
        return "none", None

    def _match(self, word: str) -> None:
        """`EXPRESSION [OPERATOR] VALUE`, an expression being fields joined by dots."""
        fields = [self._field(word)]
        while self._peek() == ".":
            self.at += 1
            fields.append(self._field(self._next()))
        if self._peek() == "set":  # 'meta mark set 0x1' changes the packet, it demands nothing
            self.at += 2
            return
        operator = self._next() if self._peek() in _OPERATORS else "=="
        if self._peek() == "vmap":
            self.at += 1
            self._map(fields)
            return
        known, elements = self._value()
        self._specify(fields)
        negated = operator in ("!=", "ne")
        if operator in _COMPARISONS:
            known = known and elements[0].isdecimal() and len(elements[0]) < 8
            limit = int(elements[0]) if known else 0
            elements = [_COMPARISONS[operator].format(limit - 1, limit, limit + 1)]
        if not known:
            self.meets = [False, False]
            return
        from_one = fields == ["saddr"] and not negated and len(elements) == 1
        one = from_one and single_address(elements[0]) is not None
        self.of_one = self.of_one or one
        for question in (ANSWER,) if one else (REQUEST, ANSWER):
            answers = [self._meets(fields, element, question) for element in elements]
            if negated:
                met = not any(answers) and all(deniable(name) for name in fields)
                met = met or (fields in (["iif"], ["oif"]) and elements == ["lo"])
            else:
                met = any(answers)
            self.meets[question] = self.meets[question] and met
        if from_one:
            self.source = elements[0]

    def _specify(self, fields: list[str]) -> None:
        self.specific = self.specific or bool({"dport", "sport", "l4proto"} & set(fields))
        self.names_port = self.names_port or "dport" in fields

    def _field(self, word: str) -> str:
        """The field's name, as `_meets` knows it; 'never' for another protocol's."""
        if word == "meta":
            word = self._next()
        if word in ("udp", "th"):
            name = self._next()
            return name if name in ("dport", "sport") else "more"
        if word in _OTHER_PROTOCOLS or word in ("ip6", "exthdr", "frag", "hbh", "mh", "rt6"):
            self.at += 1
            return "never"
        if word == "ip":
            name = self._next()
            return {"protocol": "l4proto"}.get(name, name if name in ("saddr", "daddr") else "more")
        if word == "ct":
            name = self._next()
            if name == "count":
                self.rate = True
                while self._peek() in ("over",):
                    self.at += 1
                return "count"
            if name in ("original", "reply"):
                self.at += 1
            return "state" if name == "state" else "more"
        if word == "fib":
            words = [self._next()]
            while self._peek() == ".":
                self.at += 1
                words.append(self._next())
            return "daddr type" if self._next() == "type" and words[0] == "daddr" else "more"
        names = {
            "iif": "iif", "iifname": "iif", "oif": "oif", "oifname": "oif", "l4proto": "l4proto",
            "nfproto": "nfproto", "protocol": "nfproto", "pkttype": "pkttype",
        }  # fmt: skip
        return names.get(word, "more")

    def _value(self) -> tuple[bool, list[str]]:
        """(known, elements) of a word, a list, a set in braces or a named set."""
        word = self._next()
        if word == "{":
            return True, self._braces()
        if word.startswith("@"):
            elements = self.table.sets.get(word[1:])
            return elements is not None, [key_of(element) for element in elements or ()]
        elements = [word.strip('"')]
        while self._peek() == ",":
            self.at += 1
            elements.append(self._next().strip('"'))
        while self._peek() in ("-", "/", "."):
            elements[-1] += f" {self._next()} {self._next()}"
        return True, elements

    def _braces(self) -> list[str]:
        elements, depth = [""], 1
        while self.at < len(self.tokens) and depth > 0:
            word = self._next()
            depth += (word == "{") - (word == "}")
            if word == "," and depth == 1:
                elements.append("")
            elif depth > 0:
                elements[-1] += f" {word}"
        return [element.strip() for element in elements if element.strip()]

    def _map(self, fields: list[str]) -> None:
        """`udp dport vmap { 5060 : accept, 5061 : jump sips }`."""
        word = self._next()
        entries = self._braces() if word == "{" else self.table.sets.get(word.lstrip("@"), [])
        self._specify(fields)
        found: list[tuple[str, str | None]] = [("none", None), ("none", None)]
        for entry in entries:
            key, _, verdict = entry.rpartition(" : ")
            words = verdict.split()
            if not words:
                continue
            judged = (_VERDICTS.get(words[0], words[0]), words[1] if len(words) > 1 else None)
            for question in (REQUEST, ANSWER):
                if found[question][0] == "none" and self._meets(fields, key_of(key), question):
                    found[question] = judged
        self.mapped = found

    def _meets(self, fields: Sequence[str], element: str, question: int) -> bool:
        if len(fields) == 1:
            return meets(fields[0], element.strip('"'), question, self.port, self.own)
        values = [part.strip() for part in element.split(" . ")]
        return len(values) == len(fields) and all(
            meets(name, value.strip('"'), question, self.port, self.own)
            for name, value in zip(fields, values, strict=True)
        )


def _text(tokens: list[str]) -> str:
    return " ".join(tokens).replace(" ,", ",").replace(" ;", ";")[:200]
