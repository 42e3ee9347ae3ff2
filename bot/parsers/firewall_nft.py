"""Which rules does `nft list ruleset` print, whole, cut, grep'ed or with lost line breaks?

table inet filter {
        chain input {
                type filter hook input priority filter; policy drop;
                udp dport { 5060, 5061 } accept
        }
}
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bot.parsers.firewall_nft_rule import Table, rules_of
from bot.parsers.firewall_rules import Chain, Chains, Ruleset, bans

_TOKEN = re.compile(r'"[^"\n]{0,256}"|[{};,\n]|[^\s{};,"]+')
_BRACE = re.compile(r"[{}\n]")
_COMMENT = re.compile(r"#\s*handle\s+\d+|#\s*Warning:[^\n{}]{0,90}?do not touch!|(?<!\S)#[^\n]*")
_FAMILIES = frozenset(("ip", "ip6", "inet", "arp", "bridge", "netdev"))
_HOOKS = frozenset(("ingress", "prerouting", "input", "output"))
_NO_BEGINNING = frozenset(("comment", "with", "{", "}", ",", "."))  # of a rule
_ENDINGS = frozenset(("accept", "drop", "return", "continue"))
_PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
_START = re.compile(
    r"(?<!\S)table\s+(?:(?:inet|ip6?|arp|bridge|netdev)\s+)?[\w.-]{1,64}\s*\{"
    r"|(?<!\S)chain\s+[\w.-]{1,64}\s*\{"
    r"|(?<!\S)type\s+\w+\s+hook\s+\w+\s+(?:device\s+\S+\s+)?priority\s"
    r"|(?<![^\n])[ \t]*(?:(?:ip|ip6|meta|ct|iif|iifname|counter|log|limit)\s[^\n{};]{1,120})??"
    r"(?:udp|tcp|th|meta\s+l4proto)\s[^\n]{1,300}?(?<=\s)(?:accept|drop|reject|return|jump\s+\S+|goto\s+\S+|vmap)\b"
)
_RULE_LINE = re.compile(
    r"[ \t]*(?:[\w@.]|\{)[^\n]*\b(?:accept|drop|reject|return|jump|goto|counter|elements)\b|[ \t]*[{}]"
)
_BLANK_LINE = re.compile(r"[^\S\n]*(?:\n|$)")
_MATCHES = frozenset(
    ("udp", "tcp", "ip", "ip6", "ct", "meta", "th", "iif", "iifname", "fib", "icmp", "icmpv6", "counter")
)
_BRACES = {"{": 1, "}": -1}
_MAX_TOKENS = 60000


def read_nft(text: str, port: int, own: frozenset[str] = frozenset()) -> tuple[Ruleset, int, int] | None:
    """The ruleset and where in the text it begins and ends; None where nothing looks like one.

    `own`: addresses of the PBX host; a rule for another destination does not count.
    """
    start = _START.search(text)
    if start is None:
        return None
    end = _end(text, start.start())
    body = _COMMENT.sub(" ", text[start.start() : end])
    reading = _Structure(_TOKEN.findall(body)[:_MAX_TOKENS])
    reading.read()
    tables: list[tuple[str, Chains]] = []
    banned: list[str] = []
    for table in reading.tables:
        if table.family in ("ip6", "arp", "bridge"):
            continue
        for name, elements in table.sets.items():
            banned += bans(name, (element.split()[0] for element in elements if element.split()))
        for name, raw in table.chains.items():
            for tokens in raw:
                table.judged[name].rules += rules_of(tokens, table, port, own)
        tables.append((f"{table.family} {table.name}", table.judged))
    if not tables and not reading.tables:
        return None
    return Ruleset(tuple(tables), tuple(dict.fromkeys(banned))), start.start(), end


def _end(text: str, start: int) -> int:
    """Where the ruleset ends: at the brace that closes the last table, or at the last line that is a rule."""
    depth = 0
    end = start
    opened = text.find("{", start) >= 0
    for found in _BRACE.finditer(text, start):
        at = found.start()
        if found[0] == "{":
            depth += 1
        elif found[0] == "}":
            depth = max(0, depth - 1)
            end = at + 1
        elif depth == 0:
            begin, until = at + 1, at + 2048
            blank = _BLANK_LINE.match(text, begin, until)
            if not (blank or _RULE_LINE.match(text, begin, until) or _START.match(text, begin, until)):
                return max(end, at)
    if depth > 0 or not opened:
        return len(text)
    return max(end, len(text.rstrip()) if _RULE_LINE.match(text[end:].lstrip("\n")) else end)


@dataclass
class _Structure:
    """Tables, chains and sets out of tokens; what is cut off at either end is taken as far as it goes."""

    tokens: list[str]
    tables: list[Table] = field(default_factory=list)
    at: int = 0

    def read(self) -> None:
        table: Table | None = None
        while self.at < len(self.tokens):
            before, word = self.at, self.tokens[self.at]
            if word == "table":
                table = self._table()
            elif word == "chain" and self._word(2) == "{":
                table = table or self._implicit()
                self._chain(table, self._word(1))
            elif word in ("set", "map") and self._word(2) == "{":
                table = table or self._implicit()
                self._set(table, self._word(1))
            elif word in ("{", "}", "\n", ";", ","):
                self.at += 1
            elif word in ("define", "include", "flush", "add", "counter", "ct", "limit") and self._word(2) == "{":
                self.at += 3
                self._until_closed()
            else:
                table = table or self._implicit()
                self._loose(table)
            self.at = max(self.at, before + 1)  # a cut text must not hold the reader up

    def _word(self, ahead: int) -> str:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def _implicit(self) -> Table:
        self.tables.append(Table("inet", "(cut)"))
        return self.tables[-1]

    def _table(self) -> Table:
        family, name = self._word(1), self._word(2)
        if family not in _FAMILIES:
            family, name = "ip", family
            self.at -= 1
        self.at += 3
        if self._word(0) == "{":
            self.at += 1
        self.tables.append(Table(family, name))
        return self.tables[-1]

    def _loose(self, table: Table) -> None:
        """Rules whose chain was cut off: the input chain is meant, its policy is not known unless it is printed."""
        name = "(listed)"
        if name not in table.chains:
            table.chains[name] = []
            table.judged[name] = Chain(name, hook="input")
        self._rules(table, name)

    def _chain(self, table: Table, name: str) -> None:
        self.at += 3
        table.chains.setdefault(name, [])
        table.judged.setdefault(name, Chain(name))
        self._rules(table, name)

    def _rules(self, table: Table, name: str) -> None:
        """Rules up to the closing brace; a line break or ';' ends a rule, a verdict ends one too."""
        rule: list[str] = []
        depth = 0
        for at in range(self.at, len(self.tokens)):
            word = self.tokens[at]
            if depth == 0 and word == "}":
                self.at += 1
                break
            if depth == 0 and word in ("chain", "table") and "{" in (self._word(2), self._word(3)):
                break
            self.at += 1
            if word in _BRACES:
                depth += _BRACES[word]
            if depth == 0 and rule and (word in ("\n", ";") or _begins_anew(rule, word)):
                self._take(table, name, rule)
                rule = []
            if word not in ("\n", ";"):
                rule.append(word)
        if rule:
            self._take(table, name, rule)

    def _take(self, table: Table, name: str, rule: list[str]) -> None:
        chain = table.judged[name]
        if rule[0] == "type" and "hook" in rule:
            hook = rule[rule.index("hook") + 1 : rule.index("hook") + 2]
            chain.hook = hook[0] if hook and hook[0] in _HOOKS and "nat" not in rule[1:2] else "other"
            chain.priority = _priority(rule[rule.index("priority") + 1 :]) if "priority" in rule else 0
            chain.policy = chain.policy or "accept"  # the kernel's own, where none is printed
            rule = rule[rule.index("policy") :] if "policy" in rule else []
        if rule[:1] == ["policy"]:
            chain.policy = rule[1] if len(rule) > 1 and rule[1] in ("accept", "drop") else chain.policy
        elif rule:
            table.chains[name].append(rule)

    def _set(self, table: Table, name: str) -> None:
        self.at += 3
        tokens = self._until_closed()
        if "elements" not in tokens:
            table.sets.setdefault(name, [])
            return
        elements: list[str] = [""]
        for word in tokens[tokens.index("elements") + 1 :]:
            if word == ",":
                elements.append("")
            elif word not in ("=", "{", "}", "\n"):
                elements[-1] += f" {word}"
        table.sets[name] = [element.strip() for element in elements if element.strip()]

    def _until_closed(self) -> list[str]:
        begin, depth = self.at, 1
        while self.at < len(self.tokens) and depth > 0:
            depth += _BRACES.get(self.tokens[self.at], 0)
            self.at += 1
        return self.tokens[begin : self.at]


def _begins_anew(rule: list[str], word: str) -> bool:
    """Whether the word begins the next rule although the line break between them is lost."""
    last, before = rule[-1], rule[-2] if len(rule) > 1 else ""
    if word in _NO_BEGINNING or before == "prefix" or last == "comment":
        return False
    if last in _ENDINGS:
        return before != "policy"
    if "reject" in rule:
        return last not in ("with", "icmp", "icmpx", "icmpv6", "tcp", "type")
    if before in ("jump", "goto", "comment") or (before == "vmap" and last.startswith("@")):
        return True
    if last == "}" and "vmap" in rule:
        return True
    return before == "bytes" and word in _MATCHES


def _priority(words: list[str]) -> int:
    """`filter`, `-300`, `mangle + 10`, `filter - 1`."""
    total, sign = 0, 1
    for word in words:
        if word in ("+", "-"):
            sign = -1 if word == "-" else 1
        elif word in _PRIORITIES:
            total += _PRIORITIES[word]
        elif re.fullmatch(r"[+-]?\d{1,11}", word):
            total += sign * int(word)
        else:
            break
    return total
