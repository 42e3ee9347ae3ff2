"""The ticket log's tables and views: people, tickets, events, the search index, and two views to read on the shell.

A ticket's row repeats what its events say (status, last verdict), so that lists stay fast; both are written in one
transaction by bot/tickets.py and bot/ticket_summary.py, and nowhere else.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from bot import schema_speed

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
    """When a ticket was emptied; wishes to be forgotten until they are fulfilled; when people had their own log."""
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
def m004_relayed_albums(db: Database) -> None:
    """The parts of an album, and who of the staff chat was told that he is no staff, found without a look at all."""
    db.executescript("""
        CREATE INDEX relayed_albums ON relayed (chat_id, album, message_id) WHERE album IS NOT NULL;
        CREATE INDEX relayed_strangers ON relayed (chat_id, by_id) WHERE fate = 'stranger';
    """)


@migrations()
def m005_mentions(db: Database) -> None:
    """Messages in the staff chat that tell of a ticket among other things, until somebody wishes to be forgotten."""
    db.executescript("""
        CREATE TABLE mentions (
            ticket INTEGER NOT NULL REFERENCES tickets (number), chat_id INTEGER NOT NULL,
            message_id INTEGER NOT NULL, PRIMARY KEY (ticket, chat_id, message_id)
        ) STRICT, WITHOUT ROWID;
    """)


for step in schema_speed.STEPS:
    migrations()(step)


@migrations()
def m_incident_heard(db: Database) -> None:
    """Whether who was linked heard of an incident's end: 1, or 0: the chat took no message. NULL: there was no need."""
    db.executescript("""
        ALTER TABLE incident_tickets ADD COLUMN heard INTEGER;
        UPDATE incident_tickets SET heard = 1 WHERE told_at IS NOT NULL;
    """)


@migrations()
def m_mentions_by_message(db: Database) -> None:
    """Whether a message of the staff chat tells of tickets, found without a look at all of them."""
    db.execute("CREATE INDEX mentions_by_message ON mentions (chat_id, message_id)")
