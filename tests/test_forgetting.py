"""Forgetting: what goes, what stays, and that the files hold no byte of what went."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.attachments import Attachments
from bot.barred import Barred
from bot.casefile import CaseFile, fold
from bot.emptying import Forgotten, bare
from bot.forgetting import (
    BY_EXTENSION,
    EMPTIED,
    LEADS_TO_MESSAGES,
    OF_CHATS,
    OF_NOBODY,
    OF_PEOPLE,
    SCRUB_DUE,
    Forgetting,
    would_purge,
)
from bot.incident_links import IncidentLinks
from bot.mailbox import Letter, Mailbox
from bot.mailbox import migrations as mailbox_migrations
from bot.model import Certainty, CheckResult, EventKind, Finding, Kind, Owner, Reading, Status, Step, Tag, Verdict
from bot.relayed import Fate, Relayed, Row
from bot.schema import migrations
from bot.store import Store, read_only
from bot.tickets import Tickets
from bot.wording import happened
from messages import load

LONG_AGO = "2020-01-01T00:00:00.000+00:00"
VERDICT = Verdict(Step.WRONG_DNS_ANSWER, Owner.USER, Certainty.PROVEN, (
    Finding(Tag.USER_DNS_WRONG_IP, {"addresses": ("198.51.100.77",)}),
))  # fmt: skip
PING = Reading(Kind.PING, "ping", "ok", {"host": "call.soundz.uz", "ip": "198.51.100.78"}, (
    Finding(Tag.USER_PING_WRONG_IP, {"address": "198.51.100.78"}),
))  # fmt: skip
# All that a whole case leaves of its person. Each must be findable before, and nowhere afterwards.
TRACES = ("Zulayho Qodirova", "zulayho", "482137", "198.51.100.77", "198.51.100.78", "kechadan", "qaytadan", "shikoyat")


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Forgetting]:
    store = Store(tmp_path / "yordam.db", (migrations, mailbox_migrations))
    yield Forgetting(store, Attachments.beside(store.path))
    store.close()


async def a_case(log: Forgetting, user_id: int = 7, name: str = "Zulayho Qodirova", extension: str = "482137") -> int:
    """One whole case, solved, with everything a case can hold."""
    tickets = Tickets(log.store)
    ticket = await tickets.open(user_id=user_id, chat_id=user_id, name=name, language="uz", source=f"update:{user_id}0")
    number = ticket.number
    result = CheckResult("extension", 3.2, (Finding(Tag.EXTENSION_EXISTS, {"extension": extension}),))
    await tickets.append(number, EventKind.CHECKED, {"results": [result.to_json()], "extension": extension})
    await tickets.append(number, EventKind.ANSWERED, {"kind": "extension", "finding": None, "value": extension})
    await tickets.set_extension(number, extension)
    attachment = log.attachments.keep(number, b"a picture that %s sent" % name.encode(), ".jpg")
    evidence = {"media": "photo", "text": f"{name}: kechadan beri ishlamayapti", "bytes": 22, "unreadable": False}
    await tickets.append(number, EventKind.EVIDENCE, {**evidence, "attachment": attachment})
    await tickets.append(number, EventKind.READ, {"reading": PING.to_log()})
    await tickets.append(number, EventKind.VERDICT, {"verdict": VERDICT.to_json(), "findings": []})
    await tickets.append(number, EventKind.ESCALATED, {"reason": "asked"}, source=f"update:{user_id}1")
    await tickets.append(number, EventKind.TAKEN, {"by": "Nodir"})
    await tickets.append(number, EventKind.TAGGED, {"by": "Nodir", "tags": [extension]})
    await tickets.append(number, EventKind.STAFF_MESSAGE, {"text": f"{name}, qaytadan urining", "by": "Nodir"})
    await tickets.append(number, EventKind.NOTE, {"text": f"{extension} dan shikoyat", "by": "Nodir"})
    await tickets.append(number, EventKind.CLOSED, {"reason": "solved"})
    await tickets.append(number, EventKind.RATED, {"stars": 4, "comment": "qaytadan shikoyat"})
    return number


async def aged(log: Forgetting, number: int) -> None:
    """As if it had ended years ago."""
    sql = "UPDATE tickets SET closed_at = iif(closed_at IS NULL, NULL, ?), updated_at = ? WHERE number = ?"
    await log.store.run(lambda db: db.execute(sql, [LONG_AGO, LONG_AGO, number]))


def traces(log: Forgetting, words: tuple[str, ...] = TRACES) -> list[str]:
    """Which of these stand anywhere in the files: the database, its write-ahead log, the attachments."""
    held = b"".join(path.read_bytes() for path in log.store.path.parent.rglob("*") if path.is_file())
    return [word for word in words if word.encode() in held]


async def test_a_wish_leaves_no_byte_of_the_person_and_nobody_else_loses_any(log: Forgetting) -> None:
    others = [await a_case(log, 100 + n, f"Boshqa Odam{n}", f"31{n:03}") for n in range(60)]
    number = await a_case(log)
    others += [await a_case(log, 300 + n, f"Yana Odam{n}", f"32{n:03}") for n in range(60)]
    assert traces(log) == list(TRACES)
    before = [await Tickets(log.store).get(other) for other in others]
    wish = await log.wish(7, 7)
    await log.erase(wish)
    await log.scrub()
    await log.fulfilled(wish)
    await log.store.checkpoint()
    assert traces(log) == ["198.51.100.77", "198.51.100.78", "kechadan", "qaytadan", "shikoyat"]  # of the others
    assert [await Tickets(log.store).get(other) for other in others] == before
    assert [ticket.number for ticket in await Tickets(log.store).list(search="kechadan", limit=500)] == sorted(others)[
        ::-1
    ]
    assert await log.wishes() == ()
    assert number not in others


async def test_of_the_only_person_nothing_at_all_stands_in_the_files(log: Forgetting) -> None:
    await a_case(log)
    wish = await log.wish(7, 7)
    await log.erase(wish)
    await log.scrub()
    await log.fulfilled(wish)
    await log.store.checkpoint()
    assert traces(log) == []


async def test_number_times_cause_and_the_staffs_deeds_stay(log: Forgetting) -> None:
    number = await a_case(log)
    before = await Tickets(log.store).get(number)
    await log.erase(await log.wish(7, 7))
    after = await Tickets(log.store).get(number)
    assert before is not None
    assert after is not None
    assert [(event.at, event.kind) for event in after.events] == [(event.at, event.kind) for event in before.events]
    bare_verdict = replace(VERDICT, because=(Finding(Tag.USER_DNS_WRONG_IP),))
    assert replace(after, events=()) == replace(
        before, events=(), extension=None, user_id=0, chat_id=0, user_name="", verdict=bare_verdict
    )
    bodies = {event.kind: event.body for event in after.events}
    assert bodies[EventKind.TAKEN] == {"by": "Nodir"}
    assert bodies[EventKind.RATED] == {"stars": 4}
    assert bodies[EventKind.CLOSED] == {"reason": "solved"}
    assert bodies[EventKind.EVIDENCE] == {"media": "photo", "bytes": 22, "unreadable": False}
    assert bodies[EventKind.NOTE] == {"by": "Nodir"}


async def test_an_emptied_ticket_can_still_be_folded(log: Forgetting) -> None:
    number = await a_case(log)
    await log.erase(await log.wish(7, 7))
    ticket = await Tickets(log.store).get(number)
    assert ticket is not None
    bare_ping = Reading(Kind.PING, "ping", "ok", {}, (Finding(Tag.USER_PING_WRONG_IP),))
    case: CaseFile = fold(ticket)
    assert (case.readings, case.results) == (
        (bare_ping,),
        (CheckResult("extension", 3.2, (Finding(Tag.EXTENSION_EXISTS),)),),
    )


async def test_an_emptied_ticket_can_still_be_told(log: Forgetting) -> None:
    number = await a_case(log)
    await log.erase(await log.wish(7, 7))
    ticket = await Tickets(log.store).get(number)
    assert ticket is not None
    told = "\n".join(happened(load("uz"), event) for event in ticket.events)
    assert [word for word in TRACES if word in told] == []
    assert "rasm (saqlanmadi" in told


async def test_an_open_case_ends(log: Forgetting) -> None:
    ticket = await Tickets(log.store).open(user_id=7, chat_id=7, name="Z", language="uz", source="update:1")
    await log.erase(await log.wish(7, 7))
    after = await Tickets(log.store).get(ticket.number)
    assert after is not None
    assert (after.status, after.events[-1].body) == (Status.CLOSED, {"reason": "forgotten"})
    assert await Tickets(log.store).current(7) is None


async def test_nothing_is_told_anew_of_an_emptied_ticket(log: Forgetting) -> None:
    number = await a_case(log)
    await log.erase(await log.wish(7, 7))
    written = await Tickets(log.store).append(number, EventKind.USER_MESSAGE, {"text": "Zulayho kechikdi"})
    await Tickets(log.store).set_extension(number, "482137")
    ticket = await Tickets(log.store).get(number)
    assert ticket is not None
    assert (written, ticket.extension, traces(log, ("kechikdi",))) == (False, None, [])


async def test_a_wish_is_one_however_often_it_is_said_and_outlives_the_process(log: Forgetting) -> None:
    number = await a_case(log)
    first = await log.wish(7, 7)
    assert (await log.wish(7, 7), await log.wishes(), first.tickets) == (first, (first,), (number,))


async def test_what_a_crash_interrupted_is_done_again_without_harm(log: Forgetting) -> None:
    await a_case(log)
    wish = await log.wish(7, 7)
    await log.erase(wish)
    again = await log.erase((await log.wishes())[0])  # the process died before it was fulfilled
    await log.fulfilled(wish)
    await log.fulfilled(wish)
    assert (again, await log.wishes()) == (Forgotten(people=1), ())


async def test_no_wish_is_a_way_round_a_ban(log: Forgetting) -> None:
    await a_case(log)
    await log.store.run(lambda db: db.execute("UPDATE people SET blocked = 5 WHERE user_id = 7"))
    await log.erase(await log.wish(7, 7))
    people = await log.store.run(lambda db: list(db.query("SELECT user_id, name, extension, blocked FROM people")))
    assert people == [{"user_id": 7, "name": "", "extension": None, "blocked": 5}]


async def test_a_mute_that_is_over_keeps_nothing(log: Forgetting) -> None:
    await a_case(log)
    await Barred(log.store).mute(7, datetime.now(UTC) - timedelta(hours=1))
    await log.erase(await log.wish(7, 7))
    assert await log.store.run(lambda db: list(db.query("SELECT * FROM people"))) == []


async def test_a_file_too_large_to_be_written_anew_is_still_owed_it(log: Forgetting) -> None:
    async def owed() -> list[str]:
        return await log.store.run(lambda db: [row["name"] for row in db.query("SELECT name FROM pulse")])

    await a_case(log)
    await log.erase(await log.wish(7, 7))
    await Forgetting(log.store, log.attachments, rewritten_bytes=1000).scrub()
    assert await owed() == [SCRUB_DUE]
    await log.scrub()
    assert await owed() == []


async def test_what_a_crash_left_to_be_scrubbed_the_next_purge_scrubs(log: Forgetting) -> None:
    number = await a_case(log)
    await aged(log, number)
    await log.empty([number], "stale")  # the process died here
    said = ("198.51.100.77", "kechadan", "qaytadan", "shikoyat")
    assert traces(log, said) == list(said)
    again = Store(log.store.path, (migrations, mailbox_migrations))
    try:
        await Forgetting(again, log.attachments).purge(90)
    finally:
        again.close()
    assert traces(log, said) == []


async def test_a_file_that_is_opened_again_has_no_log_of_what_was_deleted(log: Forgetting) -> None:
    await a_case(log)
    await log.erase(await log.wish(7, 7))
    with_log = traces(log, ("shikoyat",))
    again = Store(log.store.path, (migrations, mailbox_migrations))
    log_size = log.store.path.with_name("yordam.db-wal").stat().st_size
    again.close()
    assert (with_log, log_size) == (["shikoyat"], 0)


async def test_a_chats_pause_and_what_it_asked_for_go_with_it(log: Forgetting) -> None:
    mailbox = Mailbox(log.store)
    await mailbox.receive([Letter(1, 7, "{}", 1.0, request="a fingerprint of what was asked")])
    mailbox.finish(1)
    mailbox.paused(7, 9e9)
    mailbox.paused(8, 9e9)
    await mailbox.forget(7)
    assert (await mailbox.chats()).paused == {8: 9e9}
    rows = await log.store.run(lambda db: list(db.query("SELECT chat_id, body, request, error FROM inbox")))
    assert rows == [{"chat_id": 0, "body": None, "request": None, "error": None}]


async def test_whoever_is_forgotten_is_not_told_of_an_incidents_end(log: Forgetting) -> None:
    number, links = await a_case(log), IncidentLinks(log.store)
    sql = "INSERT INTO incidents (scope, step, owner, certainty, because, opened_at) VALUES ('', '', '', '', '[]', '')"
    await log.store.run(lambda db: db.execute(sql))
    await log.store.run(lambda db: db.execute("UPDATE tickets SET status = 'escalated'"))
    await links.link(1, number)
    assert await links.untold(1) == {7: (number,)}
    await log.erase(await log.wish(7, 7))
    assert await links.untold(1) == {}


async def test_what_is_known_of_the_pbx_loses_the_persons_number_only(log: Forgetting) -> None:
    await a_case(log)
    lost = Finding(Tag.LOG_PASSWORD_LOST, {"extension": "482137"}).to_json()
    both = {"tag": "server_lost_passwords", "args": {"count": 2, "extensions": ["1002", "482137"]}}

    def known(db: Database) -> None:
        sql = "INSERT INTO incidents (scope, step, owner, certainty, because, opened_at) VALUES (?, '', '', '', ?, '')"
        db.execute(sql, ["passwords", json.dumps([both, lost])])
        db.conn.executemany("INSERT INTO pbx_phones (extension) VALUES (?)", [("1002",), ("482137",)])

    await log.store.run(known)
    await log.erase(await log.wish(7, 7))
    await log.scrub()
    because = await log.store.run(
        lambda db: json.loads(next(iter(db.query("SELECT because FROM incidents")))["because"])
    )
    phones = await log.store.run(lambda db: [row["extension"] for row in db.query("SELECT extension FROM pbx_phones")])
    assert because == [{**both, "args": {"count": 2, "extensions": ["1002"]}}, {**lost, "args": {}}]
    assert (phones, traces(log, ("482137",))) == (["1002"], [])


# --- by age ---


async def test_retention_empties_what_is_old_and_leaves_what_is_not(log: Forgetting) -> None:
    old, young = await a_case(log), await a_case(log, 8, "Botir", "51002")
    await aged(log, old)
    await log.store.run(lambda db: db.execute("UPDATE people SET seen_at = ? WHERE user_id = 7", [LONG_AGO]))
    kept = await Tickets(log.store).get(young)
    gone = await log.purge(90)
    assert (gone.tickets, gone.files, gone.people) == ((old,), 1, 1)
    assert traces(log, ("Zulayho Qodirova", "482137")) == []
    assert await Tickets(log.store).get(young) == kept
    assert [ticket.number for ticket in await Tickets(log.store).list(search="kechadan")] == [young]
    assert await log.purge(90) == Forgotten()


async def test_a_ticket_nobody_touched_for_the_retention_is_closed_and_emptied(log: Forgetting) -> None:
    ticket = await Tickets(log.store).open(user_id=7, chat_id=7, name="Z", language="uz", source="update:1")
    await aged(log, ticket.number)
    gone = await log.purge(90)
    after = await Tickets(log.store).get(ticket.number)
    assert after is not None
    assert (gone.tickets, after.status, after.events[-1].body) == ((1,), Status.CLOSED, {"reason": "stale"})


async def test_a_ticket_that_could_not_be_emptied_is_not_closed_for_it_and_is_as_old_as_before(log: Forgetting) -> None:
    ticket = await Tickets(log.store).open(user_id=7, chat_id=7, name="Z", language="uz", source="update:1")
    await aged(log, ticket.number)
    broken = "CREATE TRIGGER broken BEFORE UPDATE OF emptied_at ON tickets BEGIN SELECT RAISE(ABORT, 'disk'); END"
    await log.store.run(lambda db: db.execute(broken))
    with pytest.raises(sqlite3.Error):
        await log.purge(90)
    await log.store.run(lambda db: db.execute("DROP TRIGGER broken"))
    assert (await log.purge(90)).tickets == (ticket.number,)


async def test_more_tickets_than_one_transaction_takes_go_all(log: Forgetting) -> None:
    numbers = tuple([await a_case(log, n, f"Odam{n}", str(n)) for n in range(1000, 1130)])
    for number in numbers:
        await aged(log, number)
    assert (await log.purge(90)).tickets == numbers


async def test_nothing_leads_from_an_old_ticket_to_its_person(log: Forgetting) -> None:
    old, young = await a_case(log), await a_case(log, 8, "Botir", "51002")
    for number, user_id in ((old, 7), (young, 8)):
        await Relayed(log.store).keep(Row(user_id, 70, number, Fate.SENT, other_chat=-5, other_message=number))
        await Tickets(log.store).posted(number, user_id, 71, "question")
        await Tickets(log.store).posted(number, -5, 100 + number, "card")
        await Tickets(log.store).mentioned([number], -5, 200)
    await aged(log, old)
    await log.purge(90)
    assert await log.messages(old) == [(-5, 100 + old)]
    assert sorted(await log.messages(young)) == [(-5, young), (-5, 100 + young), (-5, 200), (8, 70), (8, 71)]


async def test_a_purge_that_was_interrupted_leaves_the_next_one_everything_that_is_left(log: Forgetting) -> None:
    number = await a_case(log)
    await Relayed(log.store).keep(Row(7, 70, number, Fate.SENT, other_chat=-5, other_message=7))
    await aged(log, number)
    broken = "CREATE TRIGGER broken BEFORE DELETE ON relayed BEGIN SELECT RAISE(ABORT, 'the disk is gone'); END"
    await log.store.run(lambda db: db.execute(broken))
    with pytest.raises(sqlite3.Error):
        await log.purge(90)
    await log.store.run(lambda db: db.execute("DROP TRIGGER broken"))
    assert (await log.purge(90)).tickets == (number,)
    assert await log.messages(number) == []


@pytest.mark.parametrize("blocked", [0, 5])
async def test_the_file_is_written_anew_also_when_only_a_person_was_forgotten(log: Forgetting, blocked: int) -> None:
    await Tickets(log.store).see(7, "Zulayho", "uz")
    sql = "UPDATE people SET blocked = ?, seen_at = ?"
    await log.store.run(lambda db: db.execute(sql, [blocked, LONG_AGO]))
    too_large = Forgetting(log.store, log.attachments, rewritten_bytes=0)
    await too_large.purge(90)
    due = await log.store.run(lambda db: db.execute("SELECT name FROM pulse").fetchall())
    assert due == [("scrub_due",)]


async def test_of_a_banned_person_who_is_long_gone_only_the_ban_stays(log: Forgetting) -> None:
    await aged(log, await a_case(log))
    sql = "UPDATE people SET blocked = 5, seen_at = ? WHERE user_id = 7"
    await log.store.run(lambda db: db.execute(sql, [LONG_AGO]))
    gone = await log.purge(90)
    people = await log.store.run(lambda db: list(db.query("SELECT user_id, name, extension, blocked FROM people")))
    assert (gone.people, people) == (0, [{"user_id": 7, "name": "", "extension": None, "blocked": 5}])


async def test_a_retention_beyond_every_calendar_keeps_everything(log: Forgetting) -> None:
    await aged(log, await a_case(log))
    assert await log.purge(10**12) == Forgotten()


async def test_a_dry_run_says_what_the_purge_then_does(log: Forgetting) -> None:
    for user_id in (7, 8, 9):
        await a_case(log, user_id)
    for number in (1, 2):
        await aged(log, number)
    await log.store.run(lambda db: db.execute("UPDATE people SET seen_at = ? WHERE user_id < 9", [LONG_AGO]))
    with read_only(log.store.path) as db:
        assert db is not None
        said = would_purge(db, log.attachments, 90)
    done = await log.purge(90)
    assert (said.tickets, said.files, said.people) == ((1, 2), 2, 2)
    assert done == said


async def test_files_that_no_event_mentions_are_swept_in_time(log: Forgetting) -> None:
    number = await a_case(log)
    mentioned = log.attachments.of_ticket(number)
    log.attachments.keep(number, b"its event was never written", ".jpg")
    await log.purge(90)  # too young to be sure
    assert len(log.attachments.of_ticket(number)) == 2
    log.attachments.sweep(mentioned, older_than_s=-1.0)
    assert log.attachments.of_ticket(number) == mentioned


# --- the registries ---


async def test_every_table_has_its_way_to_forget(log: Forgetting) -> None:
    known = EMPTIED | set(LEADS_TO_MESSAGES) | OF_PEOPLE | OF_CHATS | BY_EXTENSION | OF_NOBODY

    def tables(db: Database) -> set[str]:
        names = {row["name"] for row in db.query("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return {name for name in names if not name.startswith(("sqlite_", "search_"))}

    assert await log.store.run(tables) - known == set()


@pytest.mark.parametrize(
    ("body", "stays"),
    [
        ({"text": "salom", "unreadable": False}, {"unreadable": False}),
        ({"reason": "boshqa sabab: Ali"}, {"reason": None}),
        ({"kind": "extension", "value": "1002", "finding": None}, {"kind": "extension", "finding": None}),
        ({"question": "ping", "news": 3}, {"question": "ping", "news": 3}),
        ({"tags": ["vip-ali"], "by": "Nodir B."}, {"tags": [], "by": "Nodir B."}),
        ({"a_key_of_tomorrow": "anything"}, {}),
    ],
)
def test_only_names_of_ours_and_counts_stay(body: dict[str, object], stays: dict[str, object]) -> None:
    assert bare(body) == stays
