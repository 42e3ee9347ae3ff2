"""A finding, an event and a time in the words of a catalogue: what every room that shows a ticket needs.

Speaks no language itself: it names the keys, whoever owns the catalogue hands it in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from markupsafe import Markup

from bot.model import Event, EventKind, Finding, Tag, Target, Verdict

_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}(/[0-9]{1,3})?")
_NUMBER = re.compile(r"[0-9A-Za-z_.+-]{1,32}")


class Words(Protocol):
    """A catalogue of texts: `html` escapes what is filled in, `plain` has no markup."""

    def __contains__(self, key: object) -> bool: ...

    def blanks(self, key: str) -> set[str]:
        """The names a text must be given."""
        ...

    def html(self, key: str, /, ui: str | None = None, **values: Any) -> Markup:
        """A text with markup."""
        ...

    def plain(self, key: str, /, ui: str | None = None, **values: Any) -> str:
        """A text without."""
        ...

    def has_label(self, name: str) -> bool:
        """Whether MicroSIP has a label of this name."""
        ...

    def label(self, name: str, ui: str | None) -> Markup:
        """MicroSIP's own label."""
        ...


def because(words: Words, finding: Finding, ui: str | None = None) -> Markup:
    """One finding in words; a field is called as on the user's screen (`ui`: MicroSIP's language)."""
    values: dict[str, Any] = {
        key: ", ".join(value) if isinstance(value, tuple) else value for key, value in finding.args.items()
    }
    if isinstance(field := values.get("field"), str) and words.has_label(field):
        values["field"] = words.label(field, ui)
    return _filled(words, f"because.{finding.tag}", values)


def kind_of_finding(words: Words, tag: Tag) -> Markup:
    """What a tag means where no case fills in its numbers."""
    return _filled(words, f"because.{tag}", {})


def _filled(words: Words, key: str, values: Mapping[str, Any]) -> Markup:
    return words.html(key, **{name: values.get(name, "–") for name in words.blanks(key)})


def status(words: Words, name: str) -> str:
    """How a parser calls what it read, in words; a name that older versions used stays as it is."""
    return words.plain(f"read.{name}") if f"read.{name}" in words else name


def reason(words: Words, why: str) -> str:
    """Why a row of the table says what it says, in words; of a row that is gone the engineers' reason."""
    return words.plain(f"rule.{why}") if f"rule.{why}" in words else why


def for_staff(words: Words, verdict: Verdict, target: Target, extension: str | None) -> Markup:
    """What to do on the server, with commands to copy. A number that is not known is none: an example would be
    somebody else's."""
    return words.html(f"step.{verdict.step}.staff", **step_values(verdict, target, extension, unknown="–"))


def step_values(verdict: Verdict, target: Target, extension: str | None, unknown: str = "1002") -> dict[str, Any]:
    """What a step's text may fill in; an `unknown` number's place is taken by an example."""
    said = {key: value for finding in verdict.because for key, value in finding.args.items()}
    return {
        "host": target.host,
        "server": target.server,
        "port": target.sip_port,
        "pm2": target.pm2_name,
        "extension": extension or _matching(_NUMBER, said.get("extension")) or unknown,
        "address": _matching(_ADDRESS, said.get("address")) or "IP",
    }


def _matching(shape: re.Pattern[str], value: object) -> str | None:
    """A value that may stand in a command to be copied: a forged line of a log could hold anything."""
    return value if isinstance(value, str) and shape.fullmatch(value) else None


def happened(words: Words, event: Event) -> str:
    """An event in one line."""
    key = f"event.{event.kind}"
    if not words.blanks(key):
        return words.plain(key)
    return words.plain(key, what=_what(words, event)).removesuffix(": ")  # of an emptied ticket


def sent(words: Words, event: Event) -> str:
    """What it was that came in; of a file that is evidence also whether it can be looked at."""
    media = event.body.get("media") or "text"
    if event.kind is EventKind.EVIDENCE and media in ("photo", "document"):
        media += "_kept" if event.body.get("attachment") else "_not_kept"
    return words.plain(f"sent.{media}") if f"sent.{media}" in words else media


def _what(words: Words, event: Event) -> str:
    body = event.body
    match event.kind:
        case EventKind.EVIDENCE:
            return sent(words, event)
        case EventKind.USER_MESSAGE | EventKind.STAFF_MESSAGE if body.get("media", "text") != "text":
            return f"{sent(words, event)} {body.get('text') or ''}".rstrip()
        case EventKind.READ:
            return f"{words.plain('kind.' + body['reading']['kind'])}: {status(words, body['reading']['status'])}"
        case EventKind.ASKED | EventKind.SKIPPED:
            return words.plain(f"kind.{body['question']}")
        case EventKind.ANSWERED:
            return str(body.get("value") or words.plain(f"kind.{body['kind']}"))
        case EventKind.VERDICT:
            return words.plain(f"step.{body['verdict']['step']}.name")
        case EventKind.TRIED:
            return words.plain(f"step.{body['step']}.name")
        case EventKind.CLOSED:
            return words.plain(f"close_reason.{body['reason']}")
        case EventKind.RATED:
            return " ".join(filter(None, ("⭐" * (body["stars"] or 0), body.get("comment"))))
        case EventKind.TAKEN:
            return str(body.get("to") or body["by"])
        case EventKind.TAGGED:
            return ", ".join(body["tags"]) or "–"
        case EventKind.PRIORITY:
            return words.plain(f"priority.{body['level']}")
        case EventKind.REMINDED:
            return words.plain(f"reminded.{body['to']}")
        case EventKind.LINKED:
            if number := body.get("incident"):
                return words.plain("web.incident.one", number=number)
            return f"№{body['ticket']}"
        case _:
            return str(body.get("text", ""))


def duration(words: Words, took_s: float | None) -> str:
    """A time as people say it: '5 soniya', '12 daqiqa', '2,5 soat', '3 kun'; a dash when it was not measured."""
    if took_s is None:
        return "–"
    for unit, size_s, below in (("seconds", 1, 90), ("minutes", 60, 90), ("hours", 3600, 48)):
        amount = took_s / size_s
        if round(amount) < below:
            exact = unit == "hours" and amount < 10
            return words.plain(f"stats.{unit}", n=decimal(amount) if exact else round(amount))
    return words.plain("stats.days", n=round(took_s / 86400))


def decimal(number: float) -> str:
    """One digit after a comma, none where it would be 0."""
    return f"{number:.1f}".removesuffix(".0").replace(".", ",")
