"""docs/table.md is the table of rules as people read it; `python -m tests.test_table_doc` writes it anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bot.model import Tag
from bot.rules import owner_of
from bot.table import DENIED, NO_ANSWER, NOTHING_ARRIVES, RULES, USER_DNS_FAILS

DOCUMENT = Path(__file__).parent.parent / "docs" / "table.md"
GROUPS = {
    "**nothing arrives**": NOTHING_ARRIVES,
    "**no answer**": NO_ANSWER,
    "**the user's DNS fails**": USER_DNS_FAILS,
    "**denied**": DENIED,
}
HEAD = """# The table of rules

Written by `python -m tests.test_table_doc` from `bot/table.py`; a test keeps it current.

Findings come from what people send, from buttons and from the checks. The first row whose needs are all met gives the
verdict; a need is met by any one of its tags. Rows lower down that fire as well are "also noticed". A row lists only
what it needs, so learning more never silences a row. `proven`: a log line, an answer or a setting seen proves it;
`likely`: it fits, another cause is thinkable.

Some needs have a name:
"""


def spelt(tags: frozenset[Tag]) -> str:
    return " or ".join(f"`{tag}`" for tag in Tag if tag in tags)


def worded(need: frozenset[Tag]) -> str:
    """A need, with the name of the largest group in it."""
    for name, group in GROUPS.items():
        if group <= need:
            rest = spelt(need - group)
            return f"{name} or {rest}" if rest else name
    return spelt(need)


def document() -> str:
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield HEAD.strip()
    yield ""
    for name, group in GROUPS.items():
        yield f"- {name}: {spelt(group)}"
    yield ""
    yield "| row | step | owner | sure | needs | why |"
    yield "|---|---|---|---|---|---|"
    for place, rule in enumerate(RULES, 1):
        needs = "; ".join(worded(need) for need in rule.needs)
        yield f"| {place} | `{rule.step}` | {owner_of(rule.step)} | {rule.certainty} | {needs} | {rule.why} |"


def test_the_document_shows_the_table_as_it_is() -> None:
    assert DOCUMENT.read_text("utf-8") == document()


if __name__ == "__main__":
    DOCUMENT.write_text(document(), "utf-8")
