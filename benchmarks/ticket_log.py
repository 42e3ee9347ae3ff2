"""A made-up ticket log of any size, as two years of a busy desk would leave it; the same for the same seed.

Written in bulk, past bot/tickets.py, a thousand tickets a day: a test holds it to what `follow` would have written.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from bot.model import Certainty, EventKind, Finding, Owner, Status, Step, Tag, Verdict
from bot.rules import owner_of
from bot.schema import migrations
from bot.store import Store
from bot.table import RULES
from bot.ticket_search import merge, words_of

UNTIL = datetime(2026, 11, 23, 7, tzinfo=UTC)
A_DAY = 1000
CHUNK = 5000
RARE, RARELY = "zangori", 40  # so many tickets of any log hold it, beside the same words in each
PER_EXTENSION = 110  # tickets, in any log
GIVEN = (
    "Aziza", "Aʼzam", "Bekzod", "Gulnora", "Dilnoza", "Oʻktam", "Gʻayrat", "Шаҳноза",
    "Юлия", "Ўткир", "Нодира", "Sardor", "Zulfiya", "Jasur", "Қодир",
)  # fmt: skip
FAMILY = (
    "Karimova", "Yoʻldoshev", "Gʻulomova", "Rahimov", "Тўраева", "Ахмедов", "Toshmatova",
    "Qoʻchqorov", "Хўжаев", "Abdullayeva",
)  # fmt: skip
SAID = (
    "Assalomu alaykum, MicroSIP ulanmayapti",
    "Қўнғироқ ўтмаяпти, нима қилай?",
    "internet bor, lekin qoʻngʻiroq oʻtmayapti",
    "Сервер не найден deb yozyapti",
    "ping call.soundz.uz Reply from 69.62.127.9: bytes=32 time=103ms TTL=50",
    "*** UnKnown can't find call.soundz.uz: Non-existent domain",
    "Request timed out. Packets: Sent = 4, Received = 0, Lost = 4 (100% loss)",
    "parolni yangiladim, endi 408 chiqyapti",
    "ofisda hamma ulangan, faqat menda yoʻq",
)
PROVIDERS = ("Uztelecom", "Uztelecom", "Uztelecom", "Uzmobile", "Ucell", "Beeline", "Comnet")  # every seventh person
ANSWERED = "Assalomu alaykum! Hozir tekshirib koʻramiz."
_WEIGHTS = [30 if owner_of(rule.step) is Owner.USER else 5 for rule in RULES]
_TOLD = [rule for rule in RULES if rule.step is not Step.CONNECTED]
_TOLD_WEIGHTS = [weight for rule, weight in zip(RULES, _WEIGHTS, strict=True) if rule.step is not Step.CONNECTED]


@dataclass(slots=True)
class Story:
    """One ticket's rows."""

    number: int
    user_id: int
    opened_at: datetime
    row: dict[str, Any] = field(default_factory=dict)
    events: list[tuple[str, str, str]] = field(default_factory=list)  # at, kind, body
    told: list[tuple[int, str, str | None, int]] = field(default_factory=list)  # rule, at, outcome, person
    said: list[str] = field(default_factory=list)

    def happens(self, after_s: float, kind: EventKind, **body: Any) -> str:
        """One event more; its time as the log writes it."""
        at = stored(self.opened_at + timedelta(seconds=after_s))
        self.events.append((at, kind.value, json.dumps(body, ensure_ascii=False)))
        self.row["updated_at"] = at
        if "text" in body:
            self.said.append(body["text"])
        return at


def extension_of(user_id: int, count: int) -> str:
    """Whose number it is in a log of so many tickets."""
    return str(1000 + user_id % max(1, count // PER_EXTENSION))


def stored(at: datetime) -> str:
    """A time as the log writes it."""
    return at.isoformat(timespec="milliseconds")


def seconds(begin: str, end: str) -> float:
    """Between two times of the log."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()


def stories(count: int, seed: int = 1) -> Iterator[Story]:
    """So many tickets, oldest first; the last ones are still open."""
    dice = random.Random(seed)
    for number in range(1, count + 1):
        yield _story(dice, number, count, UNTIL - timedelta(days=(count - number + 1) / A_DAY))


def _story(dice: random.Random, number: int, count: int, opened_at: datetime) -> Story:
    user_id = dice.randrange(max(1, count // 4)) + 1
    story = Story(number, user_id, opened_at)
    provider = PROVIDERS[user_id % len(PROVIDERS)]
    story.row = {
        "status": Status.OPEN.value, "person": 0, "extension": extension_of(user_id, count), "provider": provider
    }  # fmt: skip
    story.happens(0, EventKind.OPENED)
    said = _said(dice, number, count)
    checked = {"name": "sip", "took_ms": 31.5, "failure": None, "findings": [{"tag": "server_sip_answers", "args": {}}]}
    named = {"tag": Tag.PROVIDER_KNOWN.value, "args": {"address": "198.51.100.7", "provider": provider}}
    around = {"name": "neighbours", "took_ms": 0.0, "failure": None, "findings": [named]}
    story.happens(2.5, EventKind.CHECKED, results=[checked, around], extension=story.row["extension"])
    asked_at = story.happens(dice.uniform(2.6, 9), EventKind.ASKED, question="microsip_status", news=1)
    story.row["answered_s"] = seconds(stored(opened_at), asked_at)
    for after_s, text in enumerate(said, 50):
        story.happens(after_s, EventKind.EVIDENCE, media="text", text=text, bytes=len(text), unreadable=False)
    place = dice.choices(range(len(_TOLD)), _TOLD_WEIGHTS)[0]
    rule = _TOLD[place]
    because = tuple(Finding(sorted(need)[0]) for need in rule.needs)
    told_s = dice.uniform(61, 180)
    at = _told(story, told_s, Verdict(rule.step, owner_of(rule.step), rule.certainty, because), rule.why)
    lasting = opened_at > UNTIL - timedelta(days=1) and dice.random() < 0.5
    person = owner_of(rule.step) is Owner.SERVER or dice.random() < 0.15
    outcome = None
    if person:
        story.row |= {"status": Status.ESCALATED.value, "person": 1, "escalated_at": at}
        story.happens(told_s, EventKind.ESCALATED, reason=rule.step.value)
        if not lasting or dice.random() < 0.5:
            staff_s = min(1800, dice.lognormvariate(6, 1))
            answered_at = story.happens(told_s + staff_s, EventKind.STAFF_MESSAGE, text=ANSWERED, by="Nodir")
            story.row["staff_s"] = seconds(at, answered_at)
    if not lasting:
        outcome = _ends(dice, story, told_s + dice.uniform(2000, 90_000 if person else 4000))
    story.told.append((place + 1, at, outcome, int(person)))
    return story


def _said(dice: random.Random, number: int, count: int) -> list[str]:
    """A complaint and what was pasted after it, one to three texts."""
    nth, rest = divmod(number, max(1, count // RARELY))
    if rest != 1:
        return dice.sample(SAID, dice.randint(1, 3))
    first, *others = random.Random(nth).sample(SAID, 2)
    return [f"{first} {RARE}", *others]


def _told(story: Story, after_s: float, verdict: Verdict, why: str) -> str:
    body = verdict.to_json()
    at = story.happens(after_s, EventKind.VERDICT, verdict=body, rule=why, findings=body["because"], news=2)
    story.row |= {key: body[key] for key in ("step", "owner", "certainty")}
    story.row["verdict"] = json.dumps(body, ensure_ascii=False)
    if verdict.step is not Step.CONNECTED:
        story.row["cause"] = body["step"]
    return at


def _ends(dice: random.Random, story: Story, after_s: float) -> str | None:
    """Two thirds are solved, the others left; the outcome of what was told."""
    if dice.random() < 0.66:
        _told(story, after_s, Verdict(Step.CONNECTED, Owner.NONE, Certainty.PROVEN), "")
        at = story.happens(after_s, EventKind.CLOSED, reason="solved")
        story.row |= {"status": Status.SOLVED.value, "closed_at": at, "solved_s": seconds(stored(story.opened_at), at)}
        if dice.random() < 0.4:
            story.row["stars"] = dice.choice((5, 5, 5, 4, 4, 3, 1))
            story.happens(after_s + 30, EventKind.RATED, stars=story.row["stars"])
        return "confirmed"
    at = story.happens(after_s, EventKind.CLOSED, reason="stale")
    story.row |= {"status": Status.CLOSED.value, "closed_at": at}
    return None


def build(path: Path, count: int, seed: int = 1) -> None:
    """Writes the log of so many tickets to a new database."""
    Store(path, (migrations,)).close()
    db = Database(sqlite3.connect(path, isolation_level=None))
    for pragma in ("synchronous=OFF", "journal_mode=MEMORY", "cache_size=-200000", "temp_store=MEMORY"):
        db.execute(f"PRAGMA {pragma}")
    dice = random.Random(seed)
    names = [f"{dice.choice(GIVEN)} {dice.choice(FAMILY)}" for _ in range(max(1, count // 4))]
    coming = stories(count, seed)
    with db.atomic():
        _write_rules_and_people(db, names)
    while chunk := list(islice(coming, CHUNK)):
        with db.atomic():
            _write(db, chunk, names)
    while merge(db):  # as the bot does every six hours
        continue
    db.execute("PRAGMA journal_mode=WAL")
    db.close()


def _write_rules_and_people(db: Database, names: list[str]) -> None:
    db.conn.executemany(
        "INSERT INTO rules (id, step, owner, why) VALUES (?, ?, ?, ?)",
        [(place, rule.step.value, owner_of(rule.step).value, rule.why) for place, rule in enumerate(_TOLD, 1)],
    )
    db.conn.executemany(
        "INSERT INTO people (user_id, name, language, extension, seen_at) VALUES (?, ?, 'uz', ?, ?)",
        [(user, name, extension_of(user, 4 * len(names)), stored(UNTIL)) for user, name in enumerate(names, 1)],
    )


COLUMNS = (
    "status", "extension", "updated_at", "closed_at", "step", "owner", "certainty", "verdict", "cause", "person",
    "escalated_at", "answered_s", "staff_s", "solved_s", "stars", "provider",
)  # fmt: skip


def _write(db: Database, chunk: list[Story], names: list[str]) -> None:
    columns = ("number", "user_id", "chat_id", "language", "opened_at", "source", *COLUMNS)
    blanks = ", ".join("?" * len(columns))
    db.conn.executemany(
        f"INSERT INTO tickets ({', '.join(columns)}) VALUES ({blanks})",  # noqa: S608 - our own column names
        [
            (s.number, s.user_id, s.user_id, "uz", stored(s.opened_at), f"update:{s.number}", *map(s.row.get, COLUMNS))
            for s in chunk
        ],
    )
    db.conn.executemany(
        "INSERT INTO events (ticket, at, kind, body) VALUES (?, ?, ?, ?)",
        [(story.number, *event) for story in chunk for event in story.events],
    )
    db.conn.executemany(
        "INSERT INTO told (ticket, rule, at, outcome, person) VALUES (?, ?, ?, ?, ?)",
        [(story.number, *told) for story in chunk for told in story.told],
    )
    db.conn.executemany(
        "INSERT INTO search (rowid, words) VALUES (?, ?)",
        [
            (s.number, " ".join(words_of(f"{names[s.user_id - 1]} {s.row['extension']} {' '.join(s.said)}")))
            for s in chunk
        ],
    )
