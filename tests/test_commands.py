"""The commands as a shell meets them: what they print, where, and how they end."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.fake_api import FakeApi
from tests.running import ROOT, RunningBot
from tests.servers.dns import DnsServer, Rcode
from tests.servers.kamailio import free_port
from tests.servers.sip import SipServer, always

Done = subprocess.CompletedProcess[str]
COMMANDS = (
    "backup", "check", "demo", "explain", "export", "health", "purge", "read", "run", "stats", "ticket", "tickets",
    "web",
)  # fmt: skip
LOOKUP = (
    "C:\\Users\\User>nslookup call.soundz.uz\nServer:  UnKnown\nAddress:  192.168.1.1\n\n"
    "*** UnKnown can't find call.soundz.uz: Non-existent domain\n"
)
READING = {
    "kind": "nslookup",
    "tool": "windows-nslookup",
    "status": "nxdomain",
    "addresses": [],
    "host": "call.soundz.uz",
    "findings": ["user_dns_nxdomain"],
}
TOKEN = "4242:a-token_that-must-not-be-shown"


def yordam(folder: Path, *words: str, stdin: str = "", **settings: str) -> Done:
    """Runs a command in a folder of its own, with nothing set but what is given."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "COLUMNS": "200", **settings}
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        cwd=folder,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def refused(done: Done) -> tuple[int, str, list[str]]:
    """Exit status, standard output, and the lines on standard error."""
    return done.returncode, done.stdout, done.stderr.splitlines()


# --- the face ---


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_is_for(tmp_path: Path, command: str) -> None:
    done = yordam(tmp_path, command, "--help")
    assert (done.returncode, done.stdout.startswith(f"Usage: yordam {command}"), done.stderr) == (0, True, "")
    assert list(tmp_path.iterdir()) == []


def test_the_list_of_commands_is_whole(tmp_path: Path) -> None:
    listed = yordam(tmp_path, "--help").stdout.split("Commands:\n")[1]
    assert {line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2] != " "} >= set(
        COMMANDS
    )


# --- bad settings ---


def test_one_line_names_every_bad_setting_and_none_of_their_values(tmp_path: Path) -> None:
    bad = {
        "BOT_TOKEN": "hunter2-is-no-token",
        "STAFF_CHAT_ID": "operators",
        "STAFF_IDS": "900,Nodir",
        "PBX_SIP_PORT": "70000",
        "DNS_SERVERS": "dns.example",
        "PBX_EXPECTED_IPS": "256.1.1.1",
        "RETENTION_DAYS": "0",
        "PBX_API_URL": "ftp://pbx",
    }
    code, out, lines = refused(yordam(tmp_path, "run", **bad))
    assert (code, out, len(lines)) == (2, "", 1)
    assert {name for name in bad if name in lines[0]} == set(bad)
    assert [value for value in bad.values() if len(value) > 1 and value in lines[0]] == []


@pytest.mark.parametrize("command", ["check", "demo", "tickets", "health", "explain x.txt", "read x.txt"])
def test_no_command_starts_with_a_bad_setting(tmp_path: Path, command: str) -> None:
    done = yordam(tmp_path, *command.split(), PBX_SIP_PORT="sip")
    assert refused(done) == (2, "", ["Bad settings: PBX_SIP_PORT (not a whole number)"])


def test_settings_are_read_from_a_file_too_and_the_process_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PBX_HOST=from-the.file\nPBX_SIP_PORT=5070\n")
    done = yordam(tmp_path, "check", "--json", "--only", "pm2", PBX_SIP_PORT="5080", PBX_ON_THIS_HOST="no")
    target = json.loads(done.stdout)["target"]
    assert (target["host"], target["sip_port"]) == ("from-the.file", 5080)


def test_without_a_token_the_bot_says_so(tmp_path: Path) -> None:
    assert refused(yordam(tmp_path, "run")) == (2, "", ["Bad settings: BOT_TOKEN (missing)"])


def test_a_token_that_telegram_refuses_is_a_bad_setting_and_stays_unsaid(tmp_path: Path) -> None:
    with FakeApi() as api:
        done = yordam(tmp_path, "run", BOT_TOKEN=TOKEN, TELEGRAM_API_URL=api.base_url)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == "Bad settings: BOT_TOKEN (Telegram does not know it)"
    assert TOKEN not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["tickets", "ticket 1", "explain --ticket 1", "run"])
def test_a_damaged_database_is_one_line(tmp_path: Path, command: str) -> None:
    (tmp_path / "yordam.db").write_text("no database at all " * 9)
    done = yordam(tmp_path, *command.split(), DATA_DIR=".", BOT_TOKEN=TOKEN)
    assert refused(done) == (2, "", ["the database cannot be used: file is not a database"])


# --- check ---


def plan(dns: DnsServer, sip_port: int) -> dict[str, str]:
    """A PBX on 127.0.0.1 that is looked at from outside only."""
    return {
        "PBX_PROBE_HOST": "127.0.0.1",
        "PBX_ON_THIS_HOST": "no",
        "DNS_SERVERS": dns.address,
        "PBX_SIP_PORT": str(sip_port),
        "CHECK_TIMEOUT_S": "1",
    }


def check(folder: Path, dns: DnsServer, *words: str, sip_port: int = 9) -> Done:
    return yordam(folder, "check", *words, **plan(dns, sip_port))


def test_a_good_server_ends_with_0_and_a_server_at_fault_with_1(tmp_path: Path) -> None:
    good = {"call.soundz.uz": {"A": ("127.0.0.1",)}}
    with DnsServer(good) as dns, SipServer(always(200)) as sip:
        done = check(tmp_path, dns, "--json", "--only", "dns", "--only", "sip", sip_port=sip.port)
    body = json.loads(done.stdout)
    assert (done.returncode, body["verdict"], done.stderr) == (0, None, "")
    assert [(one["name"], one["failure"]) for one in body["results"]] == [("dns", None), ("sip", None)]
    assert set(body) == {"target", "results", "verdict", "took_ms"}
    assert set(body["results"][0]) >= {"name", "took_ms", "failure", "findings"}
    with DnsServer({"call.soundz.uz": Rcode("NXDOMAIN")}) as dns:
        done = check(tmp_path, dns, "--json", "--only", "dns")
    verdict = json.loads(done.stdout)["verdict"]
    assert (done.returncode, verdict["step"], verdict["owner"], verdict["certainty"]) == (
        1,
        "server_dns",
        "server",
        "proven",
    )
    assert set(verdict) == {"step", "owner", "certainty", "because", "also"}


def test_what_could_not_be_tested_ends_with_2(tmp_path: Path) -> None:
    with DnsServer({}) as dns:
        done = check(tmp_path, dns, "--only", "firewall")
        assert (done.returncode, "not tested: not_here" in done.stdout) == (2, True)
        assert refused(check(tmp_path, dns, "--only", "nothing"))[0::2] == (
            2,
            [
                "no such check: nothing; there are api, dns, extension, firewall, last_seen, outside, pbx_log, ping,"
                " pm2, sip, sip_loopback, sockets"
            ],
        )


def test_news_that_is_not_good_gets_no_tick(tmp_path: Path) -> None:
    account = {"PBX_API_URL": "http://127.0.0.1:9", "PBX_API_USER": "bot", "PBX_API_PASSWORD": "secret"}
    done = yordam(tmp_path, "check", "--only", "api", **account)
    assert [line.split()[1:5] for line in done.stdout.splitlines() if "api_down" in line] == [["!", "│", "api", "│"]]


# --- read ---


def test_every_line_is_answered_in_order_and_a_bad_one_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "paste.txt").write_text(LOOKUP)
    asked = [
        json.dumps({"id": "text", "text": LOOKUP}),
        "no JSON",
        "[1]",
        json.dumps({"id": "no text"}),
        json.dumps({"id": "gone", "path": "gone.txt"}),
        "",
        json.dumps({"id": "path", "path": "paste.txt", "context": {"extension": "1002"}}),
        json.dumps({"id": "nothing", "text": "salom"}),
    ]
    done = yordam(tmp_path, "read", "--jsonl", stdin="\n".join(asked) + "\n")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert [(one["id"], one["readings"], "error" in one) for one in answers] == [
        ("text", [READING], False),
        (None, [], True),
        (None, [], True),
        ("no text", [], True),
        ("gone", [], True),
        ("path", [READING], False),
        ("nothing", [], False),
    ]


def test_an_answer_comes_before_the_next_question(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bot", "read", "--jsonl"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in ("1", "2"):
            process.stdin.write(json.dumps({"id": number, "text": "salom"}) + "\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline()) == {"id": number, "readings": []}


def test_files_are_read_and_a_missing_one_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "paste.txt").write_text(LOOKUP)
    assert json.loads(yordam(tmp_path, "read", "--json", "paste.txt").stdout) == READING
    assert json.loads(yordam(tmp_path, "read", "--json", "-", stdin=LOOKUP).stdout) == READING
    assert "nslookup (windows-nslookup): nxdomain" in yordam(tmp_path, "read", "paste.txt").stdout
    assert refused(yordam(tmp_path, "read", "gone.txt")) == (2, "", ["gone.txt: No such file or directory"])
    assert yordam(tmp_path, "read").returncode == 2


# --- explain ---


def test_evidence_is_explained_with_the_rows_that_fired(tmp_path: Path) -> None:
    (tmp_path / "paste.txt").write_text(LOOKUP)
    done = yordam(tmp_path, "explain", "--no-checks", "--json", "paste.txt")
    body = json.loads(done.stdout)
    assert (done.returncode, set(body)) == (0, {"readings", "results", "verdict", "next_question"})
    assert (body["readings"], body["results"]) == ([READING], [])
    assert (body["verdict"]["step"], body["verdict"]["because"]) == (
        "fix_dns",
        [{"tag": "user_dns_nxdomain", "args": {}}],
    )
    shown = yordam(tmp_path, "explain", "--no-checks", "paste.txt").stdout
    assert ("fix_dns (likely) – " in shown, "verdict: fix_dns (user, likely)" in shown) == (True, True)
    assert yordam(tmp_path, "explain").returncode == 2
    assert yordam(tmp_path, "explain", "--no-checks", "gone.txt").returncode == 2


# --- demo ---


def test_without_input_a_whole_case_is_played(tmp_path: Path) -> None:
    done = yordam(tmp_path, "demo")
    assert (done.returncode, done.stderr) == (0, "")
    stages = ("Serverni tekshirdim:", "pastki chap burchagida", "Sabab aniq:", "Bajardim", "MicroSIP serverga ulandi")
    places = [done.stdout.find(words) for words in stages]
    assert (min(places) >= 0, places) == (True, sorted(places))
    assert list(tmp_path.iterdir()) == []


def test_piped_messages_are_separated_by_three_dashes(tmp_path: Path) -> None:
    with DnsServer({"call.soundz.uz": Rcode("NXDOMAIN")}) as dns:
        done = yordam(tmp_path, "demo", stdin="/start\n---\n/diagnose\n", **plan(dns, free_port()))
    assert (done.returncode, done.stderr, done.stdout.count("Siz\n")) == (0, "", 2)
    assert done.stdout.index("Assalomu alaykum") < done.stdout.index("Bu sizda emas, bizda.")


def test_what_is_no_text_is_no_error_and_any_screen_will_do(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bot", "demo"]
    narrow = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "latin-1", "PBX_HOST": "127.0.0.1"}
    wide = {**narrow, "PYTHONIOENCODING": "utf-8:surrogateescape"}
    for environment in (narrow, wide):
        done = subprocess.run(command, env=environment, cwd=tmp_path, input=b"\xff\xfe salom\n", capture_output=True)
        assert (done.returncode, done.stderr, b"UnicodeEncodeError" in done.stdout) == (0, b"", False)
        assert b"MicroSIP Yordam" in done.stdout


# --- the log ---


def test_an_empty_log_is_no_error(tmp_path: Path) -> None:
    assert refused(yordam(tmp_path, "tickets", "--json")) == (0, "[]\n", [])
    assert refused(yordam(tmp_path, "ticket", "7")) == (2, "", ["no ticket 7"])
    assert refused(yordam(tmp_path, "explain", "--ticket", "7")) == (2, "", ["no ticket 7"])
    assert yordam(tmp_path, "health").returncode == 1
    assert refused(yordam(tmp_path, "backup", "copy.db"))[0] == 1
    assert list(tmp_path.iterdir()) == []


def test_a_running_bot_is_healthy_listed_judged_and_copied(tmp_path: Path) -> None:
    zone = {"call.soundz.uz": Rcode("NXDOMAIN")}
    with DnsServer(zone) as dns, SipServer(always(200)) as sip, RunningBot(tmp_path, plan(dns, sip.port)) as bot:
        bot.says("/diagnose")
        bot.wait_for("Bu sizda emas, bizda")
        bot.api.wait_for(lambda: json.loads(bot.yordam("tickets", "--json"))[0]["status"] == "escalated")
        (listed,) = json.loads(bot.yordam("tickets", "--json", "--status", "escalated"))
        ticket: dict[str, Any] = json.loads(bot.yordam("ticket", "1", "--json"))
        keys = {"number", "status", "language", "extension", "opened_at", "closed_at", "user_id", "verdict"}
        assert (keys - set(listed), {*keys, "events"} - set(ticket), "events" in listed) == (set(), set(), False)
        assert {"at", "kind"} - set(ticket["events"][0]) == set()
        assert (ticket["number"], ticket["user_id"], ticket["verdict"]["step"]) == (1, 501, "server_dns")
        assert json.loads(bot.yordam("tickets", "--json", "--status", "closed")) == []
        assert json.loads(bot.yordam("explain", "--ticket", "1", "--json"))["verdict"] == ticket["verdict"]
        assert bot.yordam("health").startswith("ok: last poll ")
        second = [sys.executable, "-m", "bot", "run"]
        elsewhere = {**os.environ, "BOT_TOKEN": bot.api.token, "DATA_DIR": str(tmp_path / "data")}
        refusal = subprocess.run(
            second, env={**elsewhere, "PYTHONPATH": str(ROOT)}, cwd=tmp_path, capture_output=True, text=True
        )
        assert (refusal.returncode, f"process {bot.process.pid} already works" in refusal.stderr) == (2, True)
        assert bot.stop(signal.SIGTERM) == 0


def test_a_copy_taken_while_the_bot_writes_is_whole(tmp_path: Path) -> None:
    zone = {"call.soundz.uz": Rcode("NXDOMAIN")}
    with DnsServer(zone) as dns, RunningBot(tmp_path, plan(dns, free_port())) as bot:
        bot.says("/operator")
        bot.wait_for("№1")
        enough = threading.Event()

        def chatter() -> None:
            for number in range(2000):
                if enough.wait(0.002):
                    return
                bot.says(f"xabar {number}")

        writer = threading.Thread(target=chatter)
        writer.start()
        try:
            for number in range(3):
                bot.yordam("backup", f"copy{number}.db")
        finally:
            enough.set()
            writer.join()
        bot.stop()
    copies = sorted(tmp_path.glob("copy*.db"))
    found = []
    for copy in copies:
        with closing(sqlite3.connect(copy)) as db:
            (sound,) = db.execute("PRAGMA integrity_check").fetchone()
            (tickets,) = db.execute("SELECT count(*) FROM tickets").fetchone()
            found.append((sound, tickets))
    assert found == [("ok", 1)] * 3
    again = yordam(tmp_path, "backup", "copy0.db", DATA_DIR=str(tmp_path / "data"))
    assert (again.returncode, "exists already" in again.stderr) == (2, True)
