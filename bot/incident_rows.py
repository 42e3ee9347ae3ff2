"""The rows of incidents: read, open, rewrite, close; and what the PBX's log said of each phone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlite_utils import Database

from bot.incidents import Phone, Scope
from bot.model import Certainty, Finding, Owner, Step, Verdict
from bot.redact import redact
from bot.ticket_rows import first_row

PATROL = "own side"
# By these a person goes on with a case of his own; the deeds of the bot and of the staff are not among them.
_GOES_ON = "'user_message', 'evidence', 'answered', 'skipped', 'tried', 'recheck', 'reopened'"
# A ticket `t` is still one of the incident `n`: it waits for its end, and nobody has gone on with it after that.
WAITS = (
    "t.status = 'escalated' AND NOT EXISTS (SELECT 1 FROM events e WHERE e.ticket = t.number AND e.at > n.closed_at"  # noqa: S608 - our own words
    f" AND (e.kind IN ({_GOES_ON}) OR (e.kind = 'escalated' AND json_extract(e.body, '$.reason') = 'asked')))"
)


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident as it stands, with how many tickets are linked to it."""

    number: int
    scope: Scope
    verdict: Verdict
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None  # of the staff; None: it ended by itself, or stands
    tickets_closed_by: str | None  # who of the staff had the linked tickets closed
    place: tuple[int, int] | None  # chat and message of its card
    tickets: tuple[int, ...]  # linked ones
    open_tickets: int  # those that wait for its end
    told: int
    missed: int  # chats that took no message

    @property
    def linked(self) -> int:
        """How many tickets are linked."""
        return len(self.tickets)


def read_incident(db: Database, number: int) -> Incident | None:
    """One incident with its counts; None when there is no such number."""
    sql = (
        "SELECT n.*, json_group_array(i.ticket) AS linked, coalesce(sum(i.heard = 1), 0) AS told,"  # noqa: S608 - ours
        f" coalesce(sum(i.heard = 0), 0) AS missed, coalesce(sum({WAITS}), 0) AS open_tickets FROM incidents n"
        " LEFT JOIN incident_tickets i ON i.incident = n.number LEFT JOIN tickets t ON t.number = i.ticket"
        " WHERE n.number = ? GROUP BY n.number"
    )
    row = first_row(db, sql, [number])
    if row is None:
        return None
    return Incident(
        number=row["number"],
        scope=Scope(row["scope"]),
        verdict=verdict_of(row),
        opened_at=datetime.fromisoformat(row["opened_at"]),
        closed_at=datetime.fromisoformat(row["closed_at"]) if row["closed_at"] else None,
        closed_by=row["closed_by"],
        tickets_closed_by=row["tickets_closed_by"],
        place=(row["chat_id"], row["message_id"]) if row["message_id"] else None,
        tickets=tuple(sorted(ticket for ticket in json.loads(row["linked"]) if ticket is not None)),
        open_tickets=row["open_tickets"],
        told=row["told"],
        missed=row["missed"],
    )


def verdict_of(row: Mapping[str, Any]) -> Verdict:
    """What an incident rests on, from its row."""
    because = tuple(Finding.from_json(body) for body in json.loads(row["because"]))
    return Verdict(Step(row["step"]), Owner(row["owner"]), Certainty(row["certainty"]), because)


def open_incident(db: Database, scope: Scope, verdict: Verdict, at: datetime) -> int:
    """A new incident; its number."""
    cursor = db.execute(
        "INSERT INTO incidents (scope, step, owner, certainty, because, opened_at) VALUES (?, '', '', '', '', ?)"
        " RETURNING number",
        [scope.value, text_of(at)],
    )
    number = int(cursor.fetchone()[0])
    write_verdict(db, number, verdict)
    return number


def write_verdict(db: Database, number: int, verdict: Verdict) -> None:
    """What it rests on now."""
    because = json.dumps([_clean(finding).to_json() for finding in verdict.because], ensure_ascii=False)
    db.execute(
        "UPDATE incidents SET step = ?, owner = ?, certainty = ?, because = ? WHERE number = ?",
        [verdict.step.value, verdict.owner.value, verdict.certainty.value, because, number],
    )


def _clean(finding: Finding) -> Finding:
    """Without secrets: a rule or an owner's command line may hold one."""
    args = {key: redact(value) if isinstance(value, str) else value for key, value in finding.args.items()}
    return Finding(finding.tag, args)


def close_incident(db: Database, number: int, by: str | None, at: str) -> None:
    """It is over."""
    db.execute("UPDATE incidents SET closed_at = ?, closed_by = ? WHERE number = ?", [at, by, number])


def standing(db: Database, scope: Scope) -> int | None:
    """The number of the one of this scope that is not over."""
    row = first_row(db, "SELECT number FROM incidents WHERE scope = ? AND closed_at IS NULL", [scope.value])
    return int(row["number"]) if row else None


def started_at(db: Database) -> datetime | None:
    """When the PBX last started, as far as pm2 told."""
    row = first_row(db, "SELECT started_at FROM patrol WHERE name = ?", [PATROL])
    return datetime.fromisoformat(row["started_at"]) if row and row["started_at"] else None


def hear(db: Database, phones: Iterable[Phone]) -> None:
    """The newest word on each phone stays."""
    for phone in phones:
        known, lost = (moment.isoformat() if moment else None for moment in (phone.known_at, phone.lost_at))
        db.execute(
            "INSERT INTO pbx_phones (extension, known_at, lost_at) VALUES (?, ?, ?) ON CONFLICT (extension) DO UPDATE"
            " SET known_at = coalesce(excluded.known_at, known_at), lost_at = coalesce(excluded.lost_at, lost_at)",
            [phone.extension, known, lost],
        )


def phones(db: Database) -> tuple[Phone, ...]:
    """All phones the log told of."""

    def moment(text: str | None) -> datetime | None:
        return datetime.fromisoformat(text) if text else None

    rows = db.query("SELECT extension, known_at, lost_at FROM pbx_phones ORDER BY extension")
    return tuple(Phone(row["extension"], moment(row["known_at"]), moment(row["lost_at"])) for row in rows)


def text_of(moment: datetime) -> str:
    """As times stand in the tables."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def now_text() -> str:
    """This moment, as it stands in the tables."""
    return text_of(datetime.now(UTC))


def all_back(db: Database, number: int) -> bool:
    """Whether every linked extension was heard of since it was linked: the PBX knows its password again."""
    waiting = first_row(
        db,
        "SELECT 1 FROM incident_tickets i JOIN tickets t ON t.number = i.ticket LEFT JOIN pbx_phones p"
        " ON p.extension = t.extension WHERE i.incident = ? AND t.status != 'solved'"
        " AND (p.known_at IS NULL OR datetime(p.known_at) < datetime(i.linked_at))",
        [number],
    )
    return waiting is None
