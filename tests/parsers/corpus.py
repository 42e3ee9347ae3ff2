"""Pasted texts with their expected readings (tests/data/corpus): the given samples, and more cases of each kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.model import Context, Reading

_FOLDER = Path(__file__).parent.parent / "data" / "corpus"
Part = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One text and what is to be read in it, in text order."""

    name: str
    text: str
    parts: tuple[Part, ...]
    context: Context

    def seen(self, readings: tuple[Reading, ...] | list[Reading]) -> list[Part]:
        """The readings as parts, with the facts that the case expects."""
        seen: list[Part] = [{"kind": r.kind.value, "status": r.status, **r.facts} for r in readings]
        if len(seen) != len(self.parts):
            return seen
        return [{key: part.get(key) for key in want} for part, want in zip(seen, self.parts, strict=True)]


def cases(file: str, *kinds: str) -> Iterator[Case]:
    """The cases of a file, of the given kinds where some are named. A null in a case means 'not judged'."""
    for line in (_FOLDER / f"{file}.jsonl").read_text("utf-8").splitlines():
        case = json.loads(line)
        if kinds and case["kind"] not in kinds:
            continue
        expect = case["expect"]
        parts = expect.get("parts") or ([] if case["kind"] == "unknown" else [{"kind": case["kind"], **expect}])
        known = tuple({key: value for key, value in part.items() if value is not None} for part in parts)
        extension = (case.get("context") or {}).get("extension")
        context = Context(expected_ips=frozenset({"69.62.127.9"}), extension=extension)
        yield Case(case["id"], case["text"], known, context)
