"""Whole stories: `yordam run` over HTTP, a real Kamailio as the SIP server, a name server on loopback."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import PERSON, ROOT, STAFF, STAFF_CHAT, RunningBot
from tests.servers.dns import DnsServer, Rcode
from tests.servers.healthy import HOST, healthy_pbx, looking_at, needs_kamailio
from tests.servers.kamailio import free_port
from tests.servers.namespace import why_not

NSLOOKUP_FAILS = (
    "C:\\Users\\User>nslookup call.soundz.uz\nServer:  UnKnown\nAddress:  192.168.1.1\n\n"
    "*** UnKnown can't find call.soundz.uz: Non-existent domain\n"
)
NSLOOKUP_WORKS = (
    "C:\\Users\\User>nslookup call.soundz.uz\nServer:  dns.google\nAddress:  8.8.8.8\n\n"
    "Name:    call.soundz.uz\nAddress:  127.0.0.1\n"
)


def settings(dns: DnsServer, sip_port: int) -> dict[str, str]:
    """A bot on the PBX's own host."""
    return looking_at(dns, sip_port, PBX_ON_THIS_HOST="yes")


@needs_kamailio
def test_all_healthy_the_users_own_dns_is_found_and_the_case_is_closed(tmp_path: Path) -> None:
    with healthy_pbx(PBX_ON_THIS_HOST="yes") as plan, RunningBot(tmp_path, plan) as bot:
        bot.says("/diagnose")
        question = bot.wait_for("pastki chap burchagida")
        assert question.text.startswith("Server")
        bot.presses(question, "st:no_server")
        bot.wait_for("nslookup call.soundz.uz")
        bot.says(NSLOOKUP_FAILS)
        verdict = bot.wait_for("nomini topa olmayapti")
        assert verdict.text.startswith("Sabab aniq:")
        bot.presses(verdict, "done")
        bot.wait_for("nslookup call.soundz.uz", after=bot.place_of(verdict))
        bot.says(NSLOOKUP_WORKS)
        bot.presses(bot.wait_for("pastki chap burchagida", after=bot.place_of(verdict)), "st:online")
        bot.wait_for("MicroSIP serverga ulandi")
        ticket = json.loads(bot.yordam("ticket", "1", "--json"))
        assert (ticket["status"], ticket["verdict"]["step"]) == ("solved", "connected")
        assert [call for call in bot.api.refused() if "message is not modified" not in call.description] == []


def test_a_name_that_is_gone_is_our_fault_and_nothing_is_asked(tmp_path: Path) -> None:
    with DnsServer({HOST: Rcode("NXDOMAIN")}) as dns, RunningBot(tmp_path, settings(dns, free_port())) as bot:
        bot.says("/diagnose")
        verdict = bot.wait_for("Bu sizda emas, bizda")
        card = bot.wait_for("№1", STAFF_CHAT)
        assert "Sabab aniq" in verdict.text
        assert "Aziza" in card.text
        ticket = json.loads(bot.yordam("ticket", "1", "--json"))
        assert [event["kind"] for event in ticket["events"] if event["kind"] == "asked"] == []
        assert (ticket["status"], ticket["verdict"]["owner"]) == ("escalated", "server")


@needs_kamailio
def test_a_stopped_pbx_is_proven_and_the_staff_are_told_what_to_do(tmp_path: Path, dns: DnsServer) -> None:
    with RunningBot(tmp_path, settings(dns, free_port())) as bot:
        bot.says("/diagnose")
        verdict = bot.wait_for("telefon serveri hozir ishlamayapti")
        assert verdict.text.startswith("Bu sizda emas, bizda.\nSabab aniq:")
        assert "pm2 restart pbx-system" in bot.wait_for("telefon serverini ishga tushirish", STAFF_CHAT).text


@needs_kamailio
@pytest.mark.skipif(why_not("nft") is not None, reason=str(why_not("nft")))
@pytest.mark.parametrize("stories", ["inside_a_network.py", "inside_live.py"])
@pytest.mark.timeout(300)
def test_stories_that_need_a_network_of_their_own(stories: str) -> None:
    """A closed firewall though the PBX answers on its own host; a phone that is watched while it registers."""
    command = ["unshare", "-n", sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/{stories}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout or "skipped" in done.stdout, done.stdout


@needs_kamailio
def test_a_restart_in_the_middle_goes_on_where_it_was(tmp_path: Path) -> None:
    with healthy_pbx(PBX_ON_THIS_HOST="yes") as plan, RunningBot(tmp_path, plan) as bot:
        bot.says("/diagnose")
        question = bot.wait_for("pastki chap burchagida")
        bot.wait_for("№1", STAFF_CHAT)  # by now the question is in the log
        bot.stop(signal.SIGKILL)
        bot.presses(question, "st:no_server")
        bot.start()
        bot.wait_for("nslookup call.soundz.uz")
        assert len([m for m in bot.api.answers(PERSON) if "pastki chap burchagida" in m.text]) == 1


@needs_kamailio
def test_unreadable_twice_goes_on_without_it(tmp_path: Path) -> None:
    with healthy_pbx(PBX_ON_THIS_HOST="yes") as plan, RunningBot(tmp_path, plan) as bot:
        bot.says("/diagnose")
        bot.presses(bot.wait_for("pastki chap burchagida"), "st:no_server")
        bot.wait_for("nslookup call.soundz.uz")
        bot.says("tushunmadim")
        bot.wait_for("Bunda nslookup natijasi koʻrinmadi")
        bot.says("qanday qilib")
        bot.wait_for("busiz davom etamiz")


@needs_kamailio
def test_a_person_at_any_moment_and_both_sides_hear_each_other(tmp_path: Path) -> None:
    with healthy_pbx(PBX_ON_THIS_HOST="yes") as plan, RunningBot(tmp_path, plan) as bot:
        bot.says("/diagnose")
        bot.presses(bot.wait_for("pastki chap burchagida"), "person")
        bot.wait_for("Operatorga xabar berdim")
        card = bot.wait_for("Odam soʻrayapti", STAFF_CHAT)
        bot.says("Ertalabdan beri ishlamayapti")
        bot.wait_for("Ertalabdan beri", STAFF_CHAT)
        bot.api.send_text(STAFF, "Hozir qarayman <3", chat=STAFF_CHAT, reply_to=card.message_id)
        bot.wait_for("Hozir qarayman <3")
        bot.api.send_text(STAFF, "/close 1", chat=STAFF_CHAT)
        bot.wait_for("№1 yopildi")
        assert json.loads(bot.yordam("tickets", "--json", "--search", "ertalabdan"))[0]["status"] == "closed"


def test_strangers_in_the_staff_chat_order_nothing(tmp_path: Path, dns: DnsServer) -> None:
    with RunningBot(tmp_path, settings(dns, free_port())) as bot:
        bot.api.user(77, "Begona")
        bot.api.send_text(77, "/tickets", chat=STAFF_CHAT)
        bot.api.send_text(STAFF, "/tickets", chat=STAFF_CHAT)
        bot.wait_for("Murojaat topilmadi", STAFF_CHAT)
        assert len(bot.api.answers(STAFF_CHAT)) == 1


def test_a_password_is_taken_out_of_the_chat_and_kept_nowhere(tmp_path: Path, dns: DnsServer) -> None:
    with RunningBot(tmp_path, settings(dns, free_port())) as bot:
        bot.says("/operator")
        bot.wait_for("Operatorga xabar berdim")
        bot.says("parol: Sir12345maxfiy")
        bot.wait_for("chatdan oʻchirdim")
        bot.wait_for("yetkazdim")
        bot.stop()
        kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert b"Sir12345maxfiy" not in kept
        assert not any("Sir12345maxfiy" in message.text for message in bot.api.answers(STAFF_CHAT))
        assert bot.api.token.encode() not in kept


def test_a_bot_thrown_out_of_the_staff_chat_says_so_and_posts_what_waited_when_it_is_back(
    tmp_path: Path, dns: DnsServer
) -> None:
    with RunningBot(tmp_path, settings(dns, free_port())) as bot:
        bot.api.send_text(STAFF, "/start")
        bot.wait_for("Assalomu alaykum", STAFF)
        bot.api.kick(STAFF_CHAT, STAFF)
        bot.wait_for("guruhidan chiqarildi", STAFF)
        bot.says("/operator")
        bot.wait_for("operator uni koʻrib chiqadi")  # nobody has been told yet
        bot.api.chats.chats[STAFF_CHAT].state = "ok"
        bot.api.raw(
            "my_chat_member",
            {
                "chat": bot.api.chats.chats[STAFF_CHAT].body,
                "from": bot.api.chats.people[STAFF],
                "date": 0,
                "old_chat_member": {"status": "left", "user": {"id": 42, "is_bot": True, "first_name": "bot"}},
                "new_chat_member": {"status": "member", "user": {"id": 42, "is_bot": True, "first_name": "bot"}},
            },
        )
        bot.wait_for("№1", STAFF_CHAT)
