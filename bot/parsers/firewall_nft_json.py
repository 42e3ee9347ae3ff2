"""Which rules does `nft -j list ruleset` print? The JSON is put back into nft's own words and read as those.

{"nftables": [{"metainfo": {…}}, {"table": {"family": "inet", "name": "filter", "handle": 1}}, …]}
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bot.parsers.firewall_nft import read_nft
from bot.parsers.firewall_rules import Ruleset

_VERDICTS = ("accept", "drop", "return", "continue")
_MAX_DEPTH = 8


def read_json(text: str, port: int, own: frozenset[str] = frozenset()) -> tuple[Ruleset, int, int] | None:
    """The ruleset and where in the text it stands; None where the text holds no such JSON."""
    start = text.find('{"nftables"')
    if start < 0 and (key := text.find('"nftables"')) > 0:
        start = text.rfind("{", 0, key)
    if start < 0:
        return None
    try:
        body, length = json.JSONDecoder().raw_decode(text[start:])
        listed = "\n".join(_lines(body["nftables"]))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None
    read = read_nft(listed, port, own)
    return (read[0] if read else Ruleset(())), start, start + length


def _lines(objects: list[dict[str, Any]]) -> Iterator[str]:
    """Tables with their sets first, as `nft list ruleset` prints them."""
    tables: dict[tuple[str, str], list[str]] = {}
    chains: dict[tuple[str, str, str], list[str]] = {}
    for entry in objects:
        for kind, body in entry.items():
            if kind == "table":
                tables.setdefault((body["family"], body["name"]), [])
            elif kind in ("set", "map"):
                elements = ", ".join(_element(element) for element in body.get("elem", ()))
                line = f"{kind} {body['name']} {{ elements = {{ {elements} }} }}"
                tables.setdefault((body["family"], body["table"]), []).append(line)
            elif kind == "chain":
                head = chains.setdefault((body["family"], body["table"], body["name"]), [])
                if "hook" in body:
                    head.append(
                        f"type {body['type']} hook {body['hook']} priority {body['prio']}; "
                        f"policy {body.get('policy', 'accept')};"
                    )
            elif kind == "rule":
                words = " ".join(_statement(statement) for statement in body.get("expr", ()))
                chains.setdefault((body["family"], body["table"], body["chain"]), []).append(words)
    for (family, name), sets in tables.items():
        yield f"table {family} {name} {{"
        yield from sets
        for (its_family, table, chain), rules in chains.items():
            if (its_family, table) == (family, name):
                yield from (f"chain {chain} {{", *rules, "}")
        yield "}"


def _statement(statement: dict[str, Any]) -> str:
    for kind, body in statement.items():
        if kind == "match":
            operator = {"in": ""}.get(body["op"], body["op"])
            return f"{_expression(body['left'])} {operator} {_expression(body['right'])}"
        if kind in _VERDICTS:
            return kind
        if kind == "reject":
            return "reject"
        if kind in ("jump", "goto"):
            return f"{kind} {body['target']}"
        if kind == "vmap":
            return f"{_expression(body['key'])} vmap {_expression(body['data'])}"
        if kind == "counter":
            packets = body.get("packets") if isinstance(body, dict) else None
            return f"counter packets {packets} bytes 0" if packets is not None else "counter"
        if kind == "limit":
            return "limit rate"
        if kind in ("set", "meter"):
            held = body.get("stmt", ())
            return "update @seen { " + " ".join("limit" for one in held if "limit" in one) + " }"
        if kind == "ct count":
            return "ct count over 1"
        if kind == "xt":
            return f'xt {body.get("type", "match")} "{body.get("name", "")}"' if body else 'xt match "unknown"'
        if kind == "log":
            return "log"
        return "notrack"  # mangle, masquerade …: says nothing about who passes
    return ""


def _expression(value: Any, depth: int = 0) -> str:
    if depth > _MAX_DEPTH:
        return "more"
    inner = depth + 1
    if isinstance(value, list):
        return ",".join(_expression(one, inner) for one in value)
    if not isinstance(value, dict):
        return str(value)
    for kind, body in value.items():
        if kind == "payload":
            return f"{body['protocol']} {body['field']}" if "protocol" in body else "@raw"
        if kind == "meta":
            return f"meta {body['key']}"
        if kind == "ct":
            return f"ct {body['key']}"
        if kind == "fib":
            flags = body["flags"] if isinstance(body["flags"], list) else [body["flags"]]
            return f"fib {' . '.join(flags)} {body['result']}"
        if kind == "set":
            return "{ " + ", ".join(_element(one, inner) for one in body) + " }"
        if kind == "range":
            return f"{_expression(body[0], inner)}-{_expression(body[1], inner)}"
        if kind == "prefix":
            return f"{body['addr']}/{body['len']}"
        if kind == "concat":
            return " . ".join(_expression(one, inner) for one in body)
        if kind == "elem":
            return _expression(body["val"], inner)
        return "more"
    return ""


def _element(element: Any, depth: int = 0) -> str:
    """A set's element, or a map's `key : verdict`."""
    if isinstance(element, list) and len(element) == 2 and isinstance(element[1], dict):
        return f"{_expression(element[0], depth)} : {_statement(element[1])}"
    return _expression(element, depth)
