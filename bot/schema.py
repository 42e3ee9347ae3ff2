"""The ticket log's tables and views: people, tickets, events, the search index, and two views to read on the shell.

A ticket's row repeats what its events say (status, last verdict), so that lists stay fast; both are written in one
transaction by bot/tickets.py and nowhere else.
"""

from __future__ import annotations

import re
from itertools import groupby
from operator import itemgetter

from sqlite_utils import Database, Migrations

migrations = Migrations("tickets")


@migrations()
def m001_log(db: Database) -> None:
    """People, tickets, their events, full-text search."""
    db.executescript("""
        CREATE TABLE people (
            user_id INTEGER PRIMARY KEY, name TEXT NOT NULL, language TEXT NOT NULL, extension TEXT,
            blocked INTEGER NOT NULL DEFAULT 0, seen_at TEXT NOT NULL
        ) STRICT;
        CREATE TABLE tickets (
            number INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, chat_id INTEGER NOT NULL,
            status TEXT NOT NULL, language TEXT NOT NULL, extension TEXT, opened_at TEXT NOT NULL,
            updated_at TEXT NOT NULL, closed_at TEXT, step TEXT, owner TEXT, certainty TEXT, verdict TEXT,
            source TEXT NOT NULL UNIQUE
        ) STRICT;
        CREATE INDEX tickets_by_status ON tickets (status, number DESC);
        CREATE INDEX tickets_by_chat ON tickets (chat_id, number DESC);
        CREATE INDEX tickets_by_user ON tickets (user_id, number DESC);
        CREATE INDEX tickets_by_step ON tickets (step, number DESC);
        CREATE TABLE events (
            id INTEGER PRIMARY KEY, ticket INTEGER NOT NULL REFERENCES tickets (number), at TEXT NOT NULL,
            kind TEXT NOT NULL, body TEXT NOT NULL, source TEXT
        ) STRICT;
        CREATE INDEX events_by_ticket ON events (ticket, id);
        CREATE UNIQUE INDEX events_by_source ON events (source) WHERE source IS NOT NULL;
        CREATE VIRTUAL TABLE search USING fts5 (text, ticket UNINDEXED, tokenize = 'unicode61');
        CREATE TABLE posts (
            chat_id INTEGER NOT NULL, message_id INTEGER NOT NULL, ticket INTEGER NOT NULL, role TEXT NOT NULL,
            PRIMARY KEY (chat_id, message_id)
        ) STRICT;
        CREATE INDEX posts_by_ticket ON posts (ticket, role);
    """)


@migrations()
def m002_views(db: Database) -> None:
    """`ticket_overview`: one readable line a ticket. `cause_stats`: how each step fared."""
    db.executescript("""
        CREATE VIEW ticket_overview AS
            SELECT t.number, t.status, t.step, t.owner, t.certainty, t.extension, p.name AS person,
                   t.opened_at, t.closed_at,
                   (SELECT count(*) FROM events e WHERE e.ticket = t.number) AS events
            FROM tickets t LEFT JOIN people p ON p.user_id = t.user_id ORDER BY t.number DESC;
        CREATE VIEW cause_stats AS
            WITH given AS (
                SELECT ticket, json_extract(body, '$.verdict.step') AS step, min(at) AS first_at
                FROM events WHERE kind = 'verdict' GROUP BY 1, 2
            )
            SELECT g.step, count(*) AS given, sum(t.status = 'solved') AS solved,
                   sum(EXISTS (SELECT 1 FROM events e WHERE e.ticket = g.ticket AND e.kind = 'tried'
                               AND json_extract(e.body, '$.step') = g.step)) AS did_not_help,
                   sum(EXISTS (SELECT 1 FROM events e WHERE e.ticket = g.ticket AND e.kind = 'escalated'))
                       AS needed_a_person
            FROM given g JOIN tickets t ON t.number = g.ticket GROUP BY g.step ORDER BY given DESC;
    """)


@migrations()
def m003_orders(db: Database) -> None:
    """What became of each order that the staff gave on the review page. The orders themselves: bot/orders.py."""
    db.executescript("""
        CREATE TABLE orders_done (id TEXT PRIMARY KEY, done_at TEXT NOT NULL, outcome TEXT NOT NULL) STRICT;
    """)


@migrations()
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


@migrations()
def m003_topics(db: Database) -> None:
    """Each ticket's topic, where the staff group is a forum (bot/topics.py)."""
    db.executescript("""
        CREATE TABLE topics (
            ticket INTEGER PRIMARY KEY REFERENCES tickets (number), chat_id INTEGER NOT NULL,
            thread_id INTEGER NOT NULL, shown TEXT NOT NULL, closed INTEGER NOT NULL DEFAULT 0,
            made_at REAL NOT NULL, UNIQUE (chat_id, thread_id)
        ) STRICT;
        CREATE INDEX topics_by_time ON topics (made_at);
    """)


@migrations()
def m003_relayed(db: Database) -> None:
    """Messages carried between people and staff: bot/relayed.py."""
    db.executescript("""
        CREATE TABLE relayed (
            chat_id INTEGER NOT NULL, message_id INTEGER NOT NULL, ticket INTEGER NOT NULL, fate TEXT NOT NULL,
            album TEXT, file TEXT, said TEXT, version INTEGER NOT NULL DEFAULT 0, by_id INTEGER,
            other_chat INTEGER, other_message INTEGER, PRIMARY KEY (chat_id, message_id)
        ) STRICT;
        CREATE INDEX relayed_by_copy ON relayed (other_chat, other_message);
        CREATE INDEX relayed_by_ticket ON relayed (ticket);
        CREATE INDEX relayed_unfinished ON relayed (chat_id) WHERE said IS NOT NULL;
    """)


@migrations()
def m003_due(db: Database) -> None:
    """What is to be done for a ticket, and when: bot/due.py. Times in unix seconds."""
    db.executescript("""
        CREATE TABLE due (
            ticket INTEGER NOT NULL, what TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (ticket, what)
        ) STRICT;
        CREATE INDEX due_by_time ON due (at);
    """)


@migrations()
def m003_muted(db: Database) -> None:
    """Until when somebody's words do not reach the staff; `blocked` is since when nothing is heard. Unix seconds."""
    db.execute("ALTER TABLE people ADD COLUMN muted_until INTEGER NOT NULL DEFAULT 0")


@migrations()
def m_forgetting(db: Database) -> None:
    """When a ticket was emptied; wishes to be forgotten until they are fulfilled; who had a copy of their own log when."""
    db.executescript("""
        ALTER TABLE tickets ADD COLUMN emptied_at TEXT;
        CREATE INDEX tickets_to_empty ON tickets (coalesce(closed_at, updated_at)) WHERE emptied_at IS NULL;
        ALTER TABLE people ADD COLUMN given_at TEXT;
        CREATE TABLE forgetting (
            id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER NOT NULL UNIQUE, chat_id INTEGER NOT NULL,
            tickets TEXT NOT NULL, asked_at TEXT NOT NULL
        ) STRICT;
    """)


@migrations()
def m003_incidents(db: Database) -> None:
    """Incidents of our own side, the tickets linked to them, what the PBX's log said of phones, when to look again."""
    db.executescript("""
        CREATE TABLE incidents (
            number INTEGER PRIMARY KEY, scope TEXT NOT NULL, step TEXT NOT NULL, owner TEXT NOT NULL,
            certainty TEXT NOT NULL, because TEXT NOT NULL, opened_at TEXT NOT NULL, closed_at TEXT, closed_by TEXT,
            tickets_closed_by TEXT, settled_at TEXT, chat_id INTEGER, message_id INTEGER
        ) STRICT;
        CREATE UNIQUE INDEX incidents_standing ON incidents (scope) WHERE closed_at IS NULL;
        CREATE TABLE incident_tickets (
            incident INTEGER NOT NULL REFERENCES incidents (number),
            ticket INTEGER NOT NULL REFERENCES tickets (number), linked_at TEXT NOT NULL, told_at TEXT,
            PRIMARY KEY (incident, ticket)
        ) STRICT;
        CREATE INDEX incident_tickets_by_ticket ON incident_tickets (ticket);
        CREATE TABLE pbx_phones (extension TEXT PRIMARY KEY, known_at TEXT, lost_at TEXT) STRICT;
        CREATE TABLE patrol (name TEXT PRIMARY KEY, due_at TEXT NOT NULL, side TEXT NOT NULL, started_at TEXT) STRICT;
    """)


@migrations()
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


@migrations()
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


@migrations()
def m_addresses(db: Database) -> None:
    """From where the people of tickets come (bot/neighbours.py); it goes with its ticket."""
    db.executescript("""
        CREATE TABLE addresses (
            ticket INTEGER NOT NULL REFERENCES tickets (number), address TEXT NOT NULL, near TEXT NOT NULL,
            net TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (ticket, address)
        ) STRICT;
        CREATE INDEX addresses_near ON addresses (near, at);
        CREATE TRIGGER addresses_emptied AFTER UPDATE OF emptied_at ON tickets WHEN new.emptied_at IS NOT NULL
            BEGIN DELETE FROM addresses WHERE ticket = new.number; END;
        CREATE TRIGGER addresses_gone AFTER DELETE ON tickets
            BEGIN DELETE FROM addresses WHERE ticket = old.number; END;
    """)


@migrations()
def m_changes(db: Database) -> None:
    """An index for 'what was touched lately', which the bot asks when it starts."""
    db.execute("CREATE INDEX tickets_by_change ON tickets (updated_at)")


@migrations()
def m004_relayed_albums(db: Database) -> None:
    """The parts of an album, and who of the staff chat was told that he is no staff, found without a look at all."""
    db.executescript("""
        CREATE INDEX relayed_albums ON relayed (chat_id, album, message_id) WHERE album IS NOT NULL;
        CREATE INDEX relayed_strangers ON relayed (chat_id, by_id) WHERE fate = 'stranger';
    """)
