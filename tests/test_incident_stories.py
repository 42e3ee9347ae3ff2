"""Our own side breaks while the real bot runs: one alert, everybody told at once, one word to each at the end."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.running import ROOT, STAFF, STAFF_CHAT, RunningBot
from tests.servers.dns import DnsServer
from tests.servers.healthy import looking_at, needs_kamailio
from tests.servers.kamailio import Kamailio, free_port
from tests.servers.namespace import why_not

KNOWN, OVER, ALERT = "Bu nosozlikni bilamiz", "Bizdagi nosozlik tugadi", "Nosozlik №"


def plan(dns: DnsServer, sip_port: int, **more: str) -> dict[str, str]:
    """A bot that looks at its own side all the time."""
    return looking_at(dns, sip_port, CHECK_TIMEOUT_S="1", **{"OWN_SIDE_EVERY_S": "0.5", **more})


def arrive(bot: RunningBot, *people: int) -> None:
    """Each of them starts a case."""
    for person in people:
        bot.api.user(person, f"Odam {person}")
        bot.api.send_text(person, "/diagnose")


def said(bot: RunningBot, chat: int, words: str) -> int:
    """How often the bot sent these words there."""
    return sum(words in str(call.params.get("text")) for call in bot.api.calls("sendMessage", chat) if call.ok)


def tap(bot: RunningBot, card: Any, by: int = STAFF) -> None:
    """The one button under the incident's card as it stands now."""
    now = next(m for m in bot.api.answers(STAFF_CHAT) if m.message_id == card.message_id)
    bot.api.press(by, card.message_id, str(now.buttons[0][0].data), chat=STAFF_CHAT)


def rows(bot: RunningBot, sql: str) -> list[tuple[Any, ...]]:
    """What stands in the database."""
    with closing(sqlite3.connect(bot.folder / "data" / "yordam.db")) as db:
        return db.execute(sql).fetchall()


def kinds(bot: RunningBot, number: int) -> list[str]:
    """The events of a ticket."""
    return [kind for ticket, kind in rows(bot, "SELECT ticket, kind FROM events ORDER BY id") if ticket == number]


def statuses(bot: RunningBot) -> list[str]:
    """Of all tickets, the first first."""
    return [status for (status,) in rows(bot, "SELECT status FROM tickets ORDER BY number")]


@needs_kamailio
@pytest.mark.timeout(120)
def test_a_stopped_pbx_is_one_alert_and_all_who_came_hear_once_that_it_is_over(tmp_path: Path, dns: DnsServer) -> None:
    port = free_port()
    with RunningBot(tmp_path, plan(dns, port)) as bot:
        alert = bot.wait_for(ALERT, STAFF_CHAT)
        assert "pm2 restart pbx-system" in alert.text
        arrive(bot, 1, 2)
        told = [bot.wait_for(KNOWN, person) for person in (1, 2)]
        assert [message.text.startswith("Bu sizda emas, bizda.") for message in told] == [True, True]
        events = ["opened", "linked", "checked", "verdict", "escalated"]  # nothing was asked, nothing looked at first
        bot.api.wait_for(lambda: [kinds(bot, number) for number in (1, 2)] == [events, events])
        bot.api.wait_for(lambda: "qilganlar: 2" in card_text(bot, alert))
        with Kamailio(port):
            bot.wait_for(OVER, 1)
            bot.wait_for(OVER, 2)
            bot.api.wait_for(lambda: "tugadi" in card_text(bot, alert) and "aytildi: 2" in card_text(bot, alert))
            tap(bot, alert)
            bot.wait_for("yopildi", 1)
            bot.wait_for("yopildi", 2)
            assert statuses(bot) == ["closed", "closed"]
            assert bot.stop() == 0
        counted = [said(bot, chat, words) for chat, words in ((1, OVER), (2, OVER), (STAFF_CHAT, ALERT))]
        assert counted == [1, 1, 1]
        assert len(bot.api.answers(STAFF_CHAT)) == 1  # no card of its own for any of the linked tickets


def card_text(bot: RunningBot, card: Any) -> str:
    return next(message.text for message in bot.api.answers(STAFF_CHAT) if message.message_id == card.message_id)


@needs_kamailio
@pytest.mark.timeout(120)
def test_the_bot_is_killed_while_it_tells_the_end_and_nobody_hears_it_twice(tmp_path: Path, dns: DnsServer) -> None:
    port, people = free_port(), range(4001, 4008)
    with RunningBot(tmp_path, plan(dns, port)) as bot:
        bot.wait_for(ALERT, STAFF_CHAT)
        for person in people:  # one after the other: they will be told in this order
            arrive(bot, person)
            bot.wait_for(KNOWN, person)
        hangs = bot.api.fault("hang", "sendMessage", contains=str(people[3]), seconds=60)
        with Kamailio(port):
            bot.api.wait_for(lambda: hangs.times == 0, 30)
            assert [said(bot, person, OVER) for person in people] == [1, 1, 1, 0, 0, 0, 0]
            bot.stop(signal.SIGKILL)
            bot.start()
            for person in people:
                bot.wait_for(OVER, person)
            assert bot.stop() == 0
        assert [said(bot, person, OVER) for person in people] == [1] * len(people)


@needs_kamailio
@pytest.mark.timeout(120)
def test_the_staff_end_it_with_one_tap_and_who_asks_again_gets_a_real_check(tmp_path: Path, dns: DnsServer) -> None:
    port = free_port()
    with RunningBot(tmp_path, plan(dns, port)) as bot:
        alert = bot.wait_for(ALERT, STAFF_CHAT)
        arrive(bot, 1)
        verdict = bot.wait_for(KNOWN, 1)
        again = next(b.data for row in verdict.buttons for b in row if b.data and b.data.endswith(":again"))
        bot.api.press(1, verdict.message_id, again)
        bot.api.wait_for(lambda: kinds(bot, 1).count("verdict") == 2)
        assert kinds(bot, 1).count("checked") == 2
        bot.api.send_text(STAFF, "10 daqiqada tuzaladi", STAFF_CHAT, reply_to=alert.message_id)
        bot.wait_for("Bu javob hech kimga yuborilmadi", STAFF_CHAT)
        bot.api.user(77, "Begona")
        tap(bot, alert, by=77)
        tap(bot, alert)
        bot.wait_for(OVER, 1)
        bot.api.wait_for(lambda: statuses(bot) == ["closed"])
        bot.api.wait_for(lambda: "Tugatgan: Nodir" in card_text(bot, alert))
        assert rows(bot, "SELECT json_extract(body, '$.reason') FROM events WHERE kind = 'closed'") == [("incident",)]
        rounds = len(bot.api.calls("sendMessage", STAFF_CHAT))
        arrive(bot, 2)  # still broken: a verdict of its own, and no second alert until it was well in between
        bot.wait_for("Bu sizda emas, bizda", 2)
        assert bot.stop() == 0
        assert (said(bot, STAFF_CHAT, ALERT), rounds) == (1, 2)  # the second: that his answer went to nobody


def due_at(bot: RunningBot) -> datetime:
    """When the next round is due."""
    return datetime.fromisoformat(rows(bot, "SELECT due_at FROM patrol")[0][0])


def test_a_restart_neither_skips_nor_doubles_a_round(tmp_path: Path, dns: DnsServer) -> None:
    with RunningBot(tmp_path, plan(dns, free_port(), OWN_SIDE_EVERY_S="600")) as bot:
        bot.api.wait_for(lambda: rows(bot, "SELECT 1 FROM patrol"))
        bot.stop(signal.SIGKILL)
        first, menus = due_at(bot), len(bot.api.calls("setMyCommands"))
        bot.start()
        bot.api.wait_for(lambda: len(bot.api.calls("setMyCommands")) > menus)
        assert bot.stop() == 0
        assert due_at(bot) == first  # not looked twice, and not put off
        with closing(sqlite3.connect(tmp_path / "data" / "yordam.db")) as db, db:
            db.execute("UPDATE patrol SET due_at = '2026-01-01T00:00:00+00:00'")
        bot.start()
        bot.api.wait_for(lambda: due_at(bot) > first)  # what was missed is made up for at once
        assert bot.stop() == 0


LINES = """\
{at} +00:00: {at} info: [SIP] Received message from {ip}:{port}
{at} +00:00: [SIP DEBUG] Received UDP packet from {ip}:{port}, length: 755
{at} +00:00: {at} info: [SIP] Request: REGISTER sip:call.soundz.uz SIP/2.0
{at} +00:00: {at} info: [SIP] Processing REGISTER from {ip}:{port}
"""
IN = "{at} +00:00: {at} info: Extension {number} registered from {ip}:{port}\n"
LOST = """\
{at} +00:00: {at} warn: SIP password not available for extension {number}. Password may need to be reset.
{at} +00:00: {at} warn: Could not retrieve password for extension {number}. Please reset the password.
{at} +00:00: {at} warn: Authentication failed for {number}
{at} +00:00: {at} info: [SIP] Sending response 403 Forbidden to {ip}:{port}
"""


class Log:
    """What the PBX writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.touch()

    def tells(self, what: str, *numbers: str) -> None:
        for number in numbers:
            at = datetime.now().strftime("%Y-%m-%d %H:%M:%S")
            with self.path.open("a") as file:
                file.write((LINES + what).format(at=at, number=number, ip="198.51.100.7", port=50000 + int(number)))


def heard(bot: RunningBot) -> dict[str, tuple[int, int]]:
    """What is known of phones: whether the PBX knew their password, and lost it."""
    found = rows(bot, "SELECT extension, known_at IS NOT NULL, lost_at IS NOT NULL FROM pbx_phones")
    return {number: (known, lost) for number, known, lost in found}


def gone(bot: RunningBot) -> list[str]:
    """Extensions whose password is lost, as far as anybody saw."""
    return [number for (number,) in rows(bot, "SELECT extension FROM pbx_phones WHERE lost_at > known_at")]


@needs_kamailio
@pytest.mark.timeout(180)
def test_passwords_lost_in_a_restart_are_one_incident_for_those_it_concerns(tmp_path: Path, dns: DnsServer) -> None:
    log = Log(tmp_path / "pm2-out.log")
    with Kamailio() as sip, RunningBot(tmp_path, plan(dns, sip.port, PBX_LOG_FILES=str(log.path))) as bot:
        bot.api.wait_for(lambda: rows(bot, "SELECT 1 FROM patrol"))  # from then on it listens
        log.tells(IN, "1004", "1002", "1003")
        bot.api.wait_for(lambda: len(heard(bot)) == 3)
        log.tells(LOST, "1002")
        bot.api.wait_for(lambda: heard(bot)["1002"] == (1, 1))
        assert bot.api.answers(STAFF_CHAT) == []  # one alone is no incident
        arrive(bot, 4)
        bot.wait_for("pastki chap burchagida", 4)
        bot.api.send_text(4, "1002")
        bot.wait_for("Ichki raqamingiz", 4)
        log.tells(LOST, "1003")
        alert = bot.wait_for(ALERT, STAFF_CHAT)
        assert "1002, 1003" in alert.text

        looks = kinds(bot, 1).count("checked")
        bot.api.send_text(4, "/diagnose")  # whose number is known: at once
        bot.wait_for(KNOWN, 4)
        assert kinds(bot, 1).count("checked") == looks + 1

        arrive(bot, 1)  # whose number nobody knows yet: a word, and the question as ever
        question = bot.wait_for("pastki chap burchagida", 1)
        assert "parolini yoʻqotgan" in question.text
        bot.api.send_text(1, "1003")
        lost = bot.wait_for(KNOWN, 1)
        assert "Sabab aniq:" in lost.text
        assert "Parolingiz toʻgʻri" in lost.text

        arrive(bot, 2)
        bot.wait_for("pastki chap burchagida", 2)
        bot.api.send_text(2, "1004")  # registered before the restart, not seen since: likely, not more
        likely = bot.wait_for(KNOWN, 2)
        assert "Sabab, ehtimol:" in likely.text
        assert "parolingiz, ehtimol, toʻgʻri" in likely.text

        arrive(bot, 3)
        bot.wait_for("pastki chap burchagida", 3)
        bot.api.send_text(3, "1999")  # of whom nothing is known: nothing is claimed
        bot.wait_for("Ichki raqamingiz", 3)

        again = next(b.data for row in likely.buttons for b in row if b.data and b.data.endswith(":again"))
        bot.api.press(2, likely.message_id, again)  # perhaps it is something else: he is asked
        bot.api.wait_for(lambda: said(bot, 2, "pastki chap burchagida") == 2)

        bot.api.send_text(1, "/operator")
        bot.wait_for("Operatorga xabar berdim", 1)
        bot.wait_for("Odam soʻrayapti", STAFF_CHAT)  # now he has a card of his own
        log.tells(IN, "1002", "1003")
        bot.api.wait_for(lambda: gone(bot) == [])
        assert said(bot, 1, OVER) == 0  # 1004 has not come back yet
        tap(bot, alert)
        for person in (1, 2, 4):
            bot.wait_for(OVER, person)
        assert [said(bot, person, KNOWN) for person in (1, 2, 3, 4)] == [1, 1, 0, 1]
        assert [said(bot, person, OVER) for person in (1, 2, 3, 4)] == [1, 1, 0, 1]
        assert said(bot, STAFF_CHAT, ALERT) == 1


@needs_kamailio
@pytest.mark.timeout(120)
def test_what_the_log_held_before_the_bot_came_is_put_together_from_two_tickets(tmp_path: Path, dns: DnsServer) -> None:
    log = Log(tmp_path / "pm2-out.log")
    log.tells(LOST, "1002", "1003")
    with (
        Kamailio() as sip,
        RunningBot(tmp_path, plan(dns, sip.port, PBX_LOG_FILES=str(log.path), PBX_ON_THIS_HOST="yes")) as bot,
    ):
        for person, number in ((1, "1002"), (2, "1003")):
            arrive(bot, person)
            bot.wait_for("pastki chap burchagida", person)
            assert said(bot, STAFF_CHAT, ALERT) == 0
            bot.api.send_text(person, number)
            assert "Parolingiz toʻgʻri" in bot.wait_for("Bu sizda emas, bizda", person).text
        alert = bot.wait_for(ALERT, STAFF_CHAT)
        bot.api.wait_for(lambda: "qilganlar: 2" in card_text(bot, alert))  # the first, who was told before, as well
        tap(bot, alert)
        bot.wait_for(OVER, 1)
        bot.wait_for(OVER, 2)
        assert bot.stop() == 0


@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
@pytest.mark.timeout(200)
def test_a_real_restart_under_pm2() -> None:
    """The PBX's stand-in, MicroSIP's own SIP stack, in a network of their own."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/inside_incidents.py"]
    done = subprocess.run(["unshare", "-n", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
