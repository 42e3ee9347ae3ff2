"""What does an event change in a ticket's row, and on the scoreboard of the rules? Both follow in its transaction.

The row repeats what lists and numbers ask for, so that nobody reads a million events to count. The scoreboard has a
line each time a row of the table was told: did it prove right, wrong, and was a person needed?
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlite_utils import Database

from bot.vocabulary import Certainty, EventKind, Owner, Status, Step

Body = Mapping[str, Any]
OF_A_PERSON = (EventKind.ESCALATED, EventKind.STAFF_MESSAGE)
_SECONDS_SINCE = "round((julianday(?) - julianday({})) * 86400, 3)"
_LAST_TOLD = "id = (SELECT max(id) FROM told WHERE ticket = ?)"


def follow(db: Database, number: int, kind: EventKind, body: Body, now: str) -> None:
    """Brings the ticket's row and its lines of the scoreboard up to date with one more event."""
    changes = [("updated_at = ?", now), *_row_changes(kind, body, now)]
    said = ", ".join(change for change, _ in changes)
    db.execute(f"UPDATE tickets SET {said} WHERE number = ?", [*(value for _, value in changes), number])
    if kind is EventKind.VERDICT:
        _told(db, number, body, now)
    elif kind is EventKind.TRIED:
        last_of_step = (
            "id = (SELECT max(t.id) FROM told t JOIN rules r ON r.id = t.rule WHERE t.ticket = ? AND r.step = ?)"
        )
        open_still = "outcome IS NOT 'confirmed'"  # a button of before the phone worked tells nothing new
        db.execute(f"UPDATE told SET outcome = 'tried' WHERE {last_of_step} AND {open_still}", [number, body["step"]])
    elif kind is EventKind.CLOSED and body.get("reason") == "solved":
        _confirm(db, number)
    elif kind is EventKind.REOPENED:
        _doubt(db, number)
    elif kind in OF_A_PERSON:
        db.execute("UPDATE told SET person = 1 WHERE ticket = ? AND outcome IS NOT 'confirmed'", [number])


def _row_changes(kind: EventKind, body: Body, now: str) -> list[tuple[str, Any]]:
    """(assignment with one blank, its value) for what an event means to the ticket's row."""
    since_opened = _SECONDS_SINCE.format("opened_at")
    if kind is EventKind.CHECKED:
        found = (finding for result in body.get("results", ()) for finding in result["findings"])
        named = [name for finding in found if (name := finding["args"].get("provider"))]
        return [("provider = ?", name) for name in named[-1:]]
    if kind is EventKind.ASKED:
        return [(f"answered_s = coalesce(answered_s, {since_opened})", now)]
    if kind is EventKind.VERDICT:
        verdict = body["verdict"]
        # That the phone works now is no cause: what was told before it stays the cause.
        cause = "cause = coalesce(cause, ?)" if verdict["step"] == Step.CONNECTED else "cause = ?"
        return [
            *((f"{key} = ?", verdict[key]) for key in ("step", "owner", "certainty")),
            ("verdict = ?", json.dumps(verdict, ensure_ascii=False)),
            (cause, verdict["step"]),
            (f"answered_s = coalesce(answered_s, {since_opened})", now),
        ]
    if kind is EventKind.ESCALATED:
        return [
            ("status = ?", Status.ESCALATED.value),
            ("escalated_at = coalesce(escalated_at, ?)", now),
            ("person = ?", 1),
        ]
    if kind is EventKind.STAFF_MESSAGE:
        since_escalated = _SECONDS_SINCE.format("escalated_at")
        return [(f"staff_s = coalesce(staff_s, {since_escalated})", now), ("person = ?", 1)]
    if kind is EventKind.RECHECK:
        return [("status = ?", Status.OPEN.value)]
    if kind is EventKind.REOPENED:
        again = Status.ESCALATED if body.get("escalated") else Status.OPEN
        return [("status = ?", again.value), ("closed_at = ?", None), ("solved_s = ?", None)]
    if kind is EventKind.CLOSED:
        if body.get("reason") != "solved":
            return [("status = ?", Status.CLOSED.value), ("closed_at = ?", now)]
        return [("status = ?", Status.SOLVED.value), ("closed_at = ?", now), (f"solved_s = {since_opened}", now)]
    if kind is EventKind.RATED:
        return [("stars = ?", body["stars"])]
    return []


def _told(db: Database, number: int, body: Body, now: str) -> None:
    """One more line of the scoreboard, and what it says of the lines before it."""
    verdict = body["verdict"]
    if verdict["step"] == Step.CONNECTED:
        _confirm(db, number)
        return
    # Done as told, and still something is wrong; or the fault is proven to lie with somebody else.
    db.execute("UPDATE told SET outcome = 'contradicted' WHERE ticket = ? AND outcome = 'tried'", [number])
    if verdict["certainty"] == Certainty.PROVEN:
        others = "rule IN (SELECT id FROM rules WHERE owner NOT IN (?, ?))"
        db.execute(
            f"UPDATE told SET outcome = 'contradicted' WHERE ticket = ? AND outcome IS NOT 'confirmed' AND {others}",
            [number, verdict["owner"], Owner.NONE.value],
        )
    db.execute(
        "INSERT INTO told (ticket, rule, at) VALUES (?, ?, ?)",
        [number, _rule(db, verdict["step"], verdict["owner"], body.get("rule") or ""), now],
    )


def _confirm(db: Database, number: int) -> None:
    """The phone works: what was told last was right."""
    somebodys = "rule IN (SELECT id FROM rules WHERE owner <> ?)"
    db.execute(f"UPDATE told SET outcome = 'confirmed' WHERE {_LAST_TOLD} AND {somebodys}", [number, Owner.NONE.value])


def _doubt(db: Database, number: int) -> None:
    """Called solved, and it was not. That a phone worked stays true: what is wrong now is another matter."""
    unseen = "(SELECT step FROM tickets WHERE number = ticket) <> ?"
    db.execute(
        f"UPDATE told SET outcome = NULL WHERE {_LAST_TOLD} AND outcome = 'confirmed' AND {unseen}",
        [number, Step.CONNECTED.value],
    )


def _rule(db: Database, step: str, owner: str, why: str) -> int:
    """The number under which the scoreboard knows a row of the table."""
    db.execute("INSERT OR IGNORE INTO rules (step, owner, why) VALUES (?, ?, ?)", [step, owner, why])
    found = db.execute("SELECT id FROM rules WHERE step = ? AND owner = ? AND why = ?", [step, owner, why]).fetchone()
    return int(found[0])
