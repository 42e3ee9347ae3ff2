"""What one firewall tool said about the SIP port: the common answer of all firewall grammars."""

from __future__ import annotations

from dataclasses import dataclass

from bot.parsers.firewall_rules import NO_RULE, Judgement


@dataclass(frozen=True, slots=True)
class Ruling:
    """`status` is a corpus status; `first` and `last` are offsets in the text it was read from."""

    tool: str
    status: str
    rule: str | None = None  # that decided, as printed, shortened
    first: int = 0
    last: int = 0
    limits: tuple[str, ...] = ()  # rules that drop SIP beyond a rate
    answers_blocked: str | None = None  # the rule or policy that drops the PBX's answers
    banned: tuple[str, ...] = ()  # addresses
    silent: bool = False  # the status stands for 'not known': nothing may be concluded


def ruling_of(tool: str, judgement: Judgement, first: int, last: int) -> Ruling:
    """A judged ruleset as a ruling."""
    return Ruling(
        tool,
        judgement.status,
        judgement.rule.text if judgement.rule else None,
        first,
        last,
        tuple(rule.text for rule in judgement.limits),
        judgement.answers_blocked,
        judgement.banned,
        silent=judgement.status == NO_RULE and judgement.policy != "drop",  # the policy is out of sight
    )
