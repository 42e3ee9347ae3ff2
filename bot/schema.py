"""The ticket log's tables and views: people, tickets, events, the search index, and two views to read on the shell.

A ticket's row repeats what its events say (status, last verdict), so that lists stay fast; both are written in one
transaction by bot/tickets.py and nowhere else.
"""

from __future__ import annotations

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
