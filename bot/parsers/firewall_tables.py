"""The tables of iptables while they are read: which chain is a base chain, and what a cut text leaves open."""

from __future__ import annotations

import re

from bot.parsers.firewall_rules import Chain, Rule, Ruleset

_PRIORITY = {"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}
_HOOKS = {"PREROUTING": "prerouting", "INPUT": "input", "OUTPUT": "output"}
_ELSEWHERE = re.compile(r"for?wa?r?d|out|docker|route|nat|^PRE|^POST|kube|cali|cni|libvirt_fw", re.I)
_LISTED = "(listed)"  # rules whose chain was not printed, as grep leaves them


class Tables:
    """Chains by table. A text without table names is the filter table."""

    def __init__(self) -> None:
        self.seen = False
        self._tables: dict[str, dict[str, Chain]] = {}
        self._current = "filter"

    def enter(self, table: str) -> None:
        """What follows belongs to this table."""
        self._current = table
        self._tables.setdefault(table, {})
        self.seen = True

    def declare(self, name: str, policy: str | None) -> Chain:
        """A chain; its policy where it is a base chain's and printed."""
        chain = self._tables.setdefault(self._current, {}).setdefault(name, Chain(name))
        chain.policy = policy or chain.policy
        self.seen = True
        return chain

    def add(self, chain: str | None, rule: Rule) -> None:
        """The next rule of a chain; None: the text does not say of which."""
        self.declare(chain or _LISTED, None).rules.append(rule)

    def ruleset(self) -> Ruleset:
        """All tables with their base chains hooked in; nat decides nothing about passing."""
        for table, chains in self._tables.items():
            for chain in chains.values():
                chain.hook = _HOOKS.get(chain.name) if table != "nat" else None
                chain.priority = _PRIORITY[table]
        _complete(self._tables.setdefault("filter", {}))
        return Ruleset(tuple(self._tables.items()))


def _complete(chains: dict[str, Chain]) -> None:
    """In a partial text, chains that nothing printed leads to are taken as led to from INPUT."""
    entry = chains.get("INPUT")
    if entry is None:
        entry = chains["INPUT"] = Chain("INPUT", hook="input")
    if entry.policy is not None:
        return
    reached = {rule.target for chain in chains.values() for rule in chain.rules if rule.target}
    for chain in list(chains.values()):
        if chain.hook is None and chain.name not in reached and not _ELSEWHERE.search(chain.name):
            entry.rules.append(Rule("", "jump", chain.name, request=True))
