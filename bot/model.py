"""The nouns of the diagnosis: what is sent, what is read, what is measured, what is concluded.

Every noun is a frozen value; the words they are made of are in bot/vocabulary.py and can be had from here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.vocabulary import Certainty, EventKind, Failure, Kind, Owner, Status, Step, Tag

__all__ = [
    "Certainty",
    "CheckResult",
    "Context",
    "Event",
    "EventKind",
    "Evidence",
    "Failure",
    "Finding",
    "Kind",
    "Owner",
    "Reading",
    "Scalar",
    "Status",
    "Step",
    "Tag",
    "Target",
    "Ticket",
    "Value",
    "Verdict",
]

Scalar = str | int | float | bool | None
Value = Scalar | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A tag with its numbers."""

    tag: Tag
    args: Mapping[str, Value] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """`{"tag", "args"}` as in the contract."""
        return {
            "tag": self.tag.value,
            "args": {k: list(v) if isinstance(v, tuple) else v for k, v in self.args.items()},
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Finding:
        """The inverse of to_json. Raises KeyError or ValueError on another shape."""
        args = {k: tuple(v) if isinstance(v, list) else v for k, v in body["args"].items()}
        return cls(Tag(body["tag"]), args)


@dataclass(frozen=True, slots=True)
class Context:
    """What a reader of evidence knows already."""

    host: str = "call.soundz.uz"
    sip_port: int = 5060
    expected_ips: frozenset[str] = frozenset()  # empty: the right address is not known
    extension: str | None = None  # the user's own number; None: not known yet


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing the user sent: text, or a file or picture with its bytes."""

    text: str | None = None
    content: bytes | None = None
    media_type: str | None = None  # as declared, not trusted


@dataclass(frozen=True, slots=True)
class Reading:
    """What a parser read in evidence. Statuses and facts: corpus rules, see docs/flow.md."""

    kind: Kind
    tool: str | None
    status: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def source(self) -> str:
        """A newer reading of the same source replaces this one. Firewall tools see different rules.

        A name server that was asked by hand is another source than the PC's own.
        """
        if self.kind is Kind.FIREWALL:
            return f"{self.kind}:{self.tool}"
        if self.kind is Kind.NSLOOKUP and self.facts.get("resolver"):
            return f"{self.kind}:other"
        if self.kind is Kind.MICROSIP_SCREEN:
            return f"{self.kind}:{self.facts.get('dialog')}"
        return self.kind.value

    @classmethod
    def from_log(cls, body: Mapping[str, Any]) -> Reading:
        """The inverse of to_log."""
        return cls(
            Kind(body["kind"]),
            body["tool"],
            body["status"],
            body["facts"],
            tuple(Finding.from_json(finding) for finding in body["findings"]),
        )

    def to_log(self) -> dict[str, Any]:
        """For the ticket log: everything, so that the case can be judged again."""
        return {
            "kind": self.kind.value,
            "tool": self.tool,
            "status": self.status,
            "facts": dict(self.facts),
            "findings": [finding.to_json() for finding in self.findings],
        }

    def to_json(self) -> dict[str, Any]:
        """The contract's READING, with each finding's tag only."""
        return {
            "kind": self.kind.value,
            "tool": self.tool,
            "status": self.status,
            **self.facts,
            "findings": [finding.tag.value for finding in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Target:
    """The one PBX that may be probed, and where its traces are."""

    host: str
    sip_port: int
    expected_ips: frozenset[str]  # empty: whatever the authoritative answer is
    probe_host: str
    dns_servers: tuple[str, ...] = ()  # 'ip' or 'ip:port'; empty: the system's and two public ones
    log_files: tuple[str, ...] = ()
    log_command: str | None = None
    pm2_name: str = "pbx-system"
    api_url: str | None = None
    api_user: str | None = None
    api_password: str | None = field(default=None, repr=False)
    outside_url: str | None = None  # of the outside probes' service; None: it is not asked
    on_this_host: bool | None = None  # None: find out
    timeout_s: float = 4.0
    ttl_s: float = 15.0
    extension: str | None = None  # for the existence probe
    user_ip: str | None = None  # the user's public address, where a log line told it
    providers_file: str | None = None  # who owns which address (bot/providers.py); None: nobody knows

    @property
    def server(self) -> str:
        """What belongs into MicroSIP's field 'SIP Server'."""
        return self.host if self.sip_port == 5060 else f"{self.host}:{self.sip_port}"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check measured: findings or a failure, never both."""

    name: str
    took_ms: float
    findings: tuple[Finding, ...] = ()
    failure: Failure | None = None
    detail: str | None = None  # for engineers; never a secret, never shown to users
    at: datetime | None = None

    def __post_init__(self) -> None:
        """Raises ValueError when a failure comes with findings (law 1)."""
        if self.failure is not None and self.findings:
            raise ValueError(f"{self.name}: a failed check has no findings")

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> CheckResult:
        """The inverse of to_json."""
        return cls(
            body["name"],
            body["took_ms"],
            tuple(Finding.from_json(finding) for finding in body["findings"]),
            Failure(body["failure"]) if body["failure"] else None,
        )

    def to_json(self) -> dict[str, Any]:
        """The contract's result object."""
        return {
            "name": self.name,
            "took_ms": round(self.took_ms, 1),
            "failure": self.failure.value if self.failure else None,
            "findings": [finding.to_json() for finding in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """One next step, how sure, because of what, and what else was noticed."""

    step: Step
    owner: Owner
    certainty: Certainty
    because: tuple[Finding, ...] = ()
    also: tuple[Step, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The contract's VERDICT."""
        return {
            "step": self.step.value,
            "owner": self.owner.value,
            "certainty": self.certainty.value,
            "because": [finding.to_json() for finding in self.because],
            "also": [step.value for step in self.also],
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Verdict:
        """The inverse of to_json."""
        return cls(
            Step(body["step"]),
            Owner(body["owner"]),
            Certainty(body["certainty"]),
            tuple(Finding.from_json(finding) for finding in body["because"]),
            tuple(Step(step) for step in body["also"]),
        )


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a ticket's log."""

    at: datetime
    kind: EventKind
    body: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """`{"at", "kind", …}` as in the contract."""
        return {"at": self.at.isoformat(timespec="seconds"), "kind": self.kind.value, **self.body}


@dataclass(frozen=True, slots=True)
class Ticket:
    """One case of one person, as the log tells it."""

    number: int
    status: Status
    language: str
    extension: str | None
    opened_at: datetime
    closed_at: datetime | None
    user_id: int
    chat_id: int
    user_name: str
    verdict: Verdict | None = None
    events: tuple[Event, ...] = ()

    @property
    def emptied(self) -> bool:
        """Whether it was forgotten: it is nobody's, and nothing more is written to it (bot/emptying.py)."""
        return not self.chat_id

    def to_json(self, *, events: bool) -> dict[str, Any]:
        """The contract's ticket; `events` is left out of lists."""
        body: dict[str, Any] = {
            "number": self.number,
            "status": self.status.value,
            "language": self.language,
            "extension": self.extension,
            "opened_at": self.opened_at.isoformat(timespec="seconds"),
            "closed_at": self.closed_at.isoformat(timespec="seconds") if self.closed_at else None,
            "user_id": self.user_id,
            "user_name": self.user_name,
            "verdict": self.verdict.to_json() if self.verdict else None,
        }
        if events:
            body["events"] = [event.to_json() for event in self.events]
        return body
