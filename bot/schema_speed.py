"""What keeps lists, searches and numbers fast in a large log: columns that sum a ticket up, indexes, the search itself.

Steps of bot/schema.py, which applies them; like all of them they are written once and never changed.
"""

from __future__ import annotations

import re
from itertools import groupby
from operator import itemgetter

from sqlite_utils import Database


def m_numbers(db: Database) -> None:
    """What numbers ask for stands on the ticket's row; `told` and `rules`: the scoreboard (bot/ticket_summary.py)."""
    db.executescript("""
        ALTER TABLE tickets ADD COLUMN cause TEXT;
        ALTER TABLE tickets ADD COLUMN person INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE tickets ADD COLUMN escalated_at TEXT;
        ALTER TABLE tickets ADD COLUMN answered_s REAL;
        ALTER TABLE tickets ADD COLUMN staff_s REAL;
        ALTER TABLE tickets ADD COLUMN solved_s REAL;
        ALTER TABLE tickets ADD COLUMN stars INTEGER;
        CREATE INDEX tickets_by_owner ON tickets (owner, number DESC);
        CREATE INDEX tickets_by_opening
            ON tickets (opened_at, status, cause, person, answered_s, staff_s, solved_s, stars);
        CREATE TABLE rules (
            id INTEGER PRIMARY KEY, step TEXT NOT NULL, owner TEXT NOT NULL, why TEXT NOT NULL,
            UNIQUE (step, owner, why)
        ) STRICT;
        CREATE TABLE told (
            id INTEGER PRIMARY KEY, ticket INTEGER NOT NULL REFERENCES tickets (number),
            rule INTEGER NOT NULL REFERENCES rules (id), at TEXT NOT NULL, outcome TEXT,
            person INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE INDEX told_by_ticket ON told (ticket, id);
        CREATE INDEX told_by_time ON told (at, rule, outcome, person);
        UPDATE tickets SET
            cause = coalesce((SELECT json_extract(body, '$.verdict.step') FROM events WHERE ticket = number
                              AND kind = 'verdict' AND json_extract(body, '$.verdict.step') <> 'connected'
                              ORDER BY id DESC LIMIT 1), step),
            person = EXISTS (SELECT 1 FROM events WHERE ticket = number AND kind IN ('escalated', 'staff_message')),
            escalated_at = (SELECT min(at) FROM events WHERE ticket = number AND kind = 'escalated'),
            answered_s = (SELECT round((julianday(min(at)) - julianday(opened_at)) * 86400, 3) FROM events
                          WHERE ticket = number AND kind IN ('asked', 'verdict')),
            solved_s = iif(status = 'solved', round((julianday(closed_at) - julianday(opened_at)) * 86400, 3), NULL),
            stars = (SELECT json_extract(body, '$.stars') FROM events WHERE ticket = number AND kind = 'rated'
                     ORDER BY id DESC LIMIT 1);
        UPDATE tickets SET staff_s = (
            SELECT round((julianday(min(at)) - julianday(escalated_at)) * 86400, 3) FROM events
            WHERE ticket = number AND kind = 'staff_message' AND at >= escalated_at
        ) WHERE escalated_at IS NOT NULL;
        INSERT INTO rules (step, owner, why)
            SELECT DISTINCT json_extract(body, '$.verdict.step'), json_extract(body, '$.verdict.owner'), ''
            FROM events WHERE kind = 'verdict' AND json_extract(body, '$.verdict.step') <> 'connected';
        INSERT INTO told (ticket, rule, at)
            SELECT ticket, r.id, at FROM events JOIN rules r ON r.step = json_extract(body, '$.verdict.step')
            WHERE kind = 'verdict' ORDER BY events.id;
        UPDATE told SET outcome = 'contradicted' WHERE EXISTS (
            SELECT 1 FROM events e JOIN rules r ON r.id = told.rule
            WHERE e.ticket = told.ticket AND e.kind = 'tried' AND json_extract(e.body, '$.step') = r.step
        );
        UPDATE told SET outcome = 'confirmed' WHERE id IN (
            SELECT max(t.id) FROM told t JOIN tickets k ON k.number = t.ticket WHERE k.status = 'solved'
            GROUP BY t.ticket
        ) AND rule IN (SELECT id FROM rules WHERE owner <> 'none');
        UPDATE told SET person = 1 WHERE outcome IS NOT 'confirmed'
            AND ticket IN (SELECT ticket FROM events WHERE kind IN ('escalated', 'staff_message'));
        DROP VIEW cause_stats;
        CREATE VIEW cause_stats AS
            SELECT r.step, r.owner, r.why, count(*) AS given, sum(t.outcome IS 'confirmed') AS confirmed,
                   sum(t.outcome IS 'contradicted') AS contradicted, sum(t.person) AS needed_a_person
            FROM told t JOIN rules r ON r.id = t.rule GROUP BY r.id ORDER BY given DESC;
    """)


def m_search(db: Database) -> None:
    """One row of the search index a ticket, under its number, each word once (bot/ticket_search.py)."""
    db.execute(
        "CREATE VIRTUAL TABLE search_by_number USING fts5"
        " (words, tokenize = 'ascii', detail = none, prefix = '1 2 3 4 5 6 7 8 9 10 11 12')"
    )
    rows = db.execute("SELECT ticket, text FROM search ORDER BY ticket, rowid")
    for number, texts in groupby(rows, itemgetter(0)):
        words = dict.fromkeys(word[:64] for _, text in texts for word in re.findall(r"[^\W_]+", text))
        db.execute("INSERT INTO search_by_number (rowid, words) VALUES (?, ?)", [number, " ".join([*words][:4000])])
    db.execute("DROP TABLE search")
    db.execute("ALTER TABLE search_by_number RENAME TO search")


def m_lists(db: Database) -> None:
    """An index for each way the staff narrow a list, newest first, and one for the scoreboard of all time."""
    db.executescript("""
        CREATE INDEX tickets_by_owner_and_status ON tickets (owner, status, number DESC);
        CREATE INDEX tickets_by_step_and_status ON tickets (step, status, number DESC);
        CREATE INDEX tickets_by_extension ON tickets (extension, number DESC);
        CREATE INDEX told_by_rule ON told (rule, outcome, person);
        DROP VIEW cause_stats;
        CREATE VIEW cause_stats AS
            SELECT r.step, r.owner, r.why, t.given, t.confirmed, t.contradicted, t.needed_a_person FROM (
                SELECT rule, count(*) AS given, sum(outcome IS 'confirmed') AS confirmed,
                       sum(outcome IS 'contradicted') AS contradicted, sum(person) AS needed_a_person
                FROM told GROUP BY rule
            ) t JOIN rules r ON r.id = t.rule ORDER BY t.given DESC;
    """)


def m_changes(db: Database) -> None:
    """An index for 'what was touched lately', which the bot asks when it starts."""
    db.execute("CREATE INDEX tickets_by_change ON tickets (updated_at)")


def m_causes(db: Database) -> None:
    """A list of a step shows also whom it helped, so it goes by the cause."""
    db.executescript("""
        CREATE INDEX tickets_by_cause ON tickets (cause, number DESC);
        CREATE INDEX tickets_by_cause_and_status ON tickets (cause, status, number DESC);
    """)


def m_search_leaves(db: Database) -> None:
    """The index in small leaves: who looks for few tickets in a long list reads, and unpacks, a leaf for each."""
    db.execute("INSERT INTO search (search, rank) VALUES ('pgsz', 256)")
    db.execute("INSERT INTO search (search) VALUES ('rebuild')")


def m_providers(db: Database) -> None:
    """Whose customer the person of a ticket is, where a list tells it (bot/providers.py)."""
    db.executescript("""
        ALTER TABLE tickets ADD COLUMN provider TEXT;
        CREATE INDEX tickets_by_provider ON tickets (provider, number DESC) WHERE provider IS NOT NULL;
        CREATE INDEX tickets_by_provider_and_status ON tickets (provider, status, number DESC)
            WHERE provider IS NOT NULL;
        CREATE INDEX tickets_by_provider_and_cause ON tickets (provider, cause, number DESC) WHERE provider IS NOT NULL;
    """)


def m_one_number(db: Database) -> None:
    """What else is asked of one number's tickets stands in its index: only those that are shown are read."""
    db.executescript("""
        DROP INDEX tickets_by_extension;
        CREATE INDEX tickets_by_extension ON tickets (extension, number DESC, cause, status);
    """)


def m_search_small_leaves(db: Database) -> None:
    """Smaller leaves still: a leaf is read to its middle for each hit. The merging of bot/forgetting.py writes them."""
    db.execute("INSERT INTO search (search, rank) VALUES ('pgsz', 128)")


STEPS = (
    m_numbers, m_search, m_lists, m_changes, m_causes, m_search_leaves, m_providers, m_one_number,
    m_search_small_leaves,
)  # fmt: skip
