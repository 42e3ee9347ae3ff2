"""Pairs of a pasted log and what is to be read in it, from tests/data/<kind>/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bot.model import Context
from bot.parsers.page import Claim

DATA = Path(__file__).parents[1] / "data"


def names(kind: str) -> list[str]:
    """The pairs of a kind."""
    return sorted(path.stem for path in (DATA / kind).glob("*.json"))


def text(kind: str, name: str) -> str:
    """The paste."""
    return (DATA / kind / f"{name}.txt").read_bytes().decode()


def expected(kind: str, name: str) -> tuple[Context, list[dict[str, Any]]]:
    """What is known while reading it, and the claims."""
    body = json.loads((DATA / kind / f"{name}.json").read_text())
    known = body["context"]
    return Context(expected_ips=frozenset(known["expected_ips"]), extension=known.get("extension")), body["claims"]


def claimed(claims: list[Claim]) -> list[dict[str, Any]]:
    """Claims in the shape of the pairs."""
    return [
        {
            "lines": [claim.first, claim.last],
            **claim.reading.to_json(),
            "findings": [finding.to_json() for finding in claim.reading.findings],
        }
        for claim in claims
    ]
