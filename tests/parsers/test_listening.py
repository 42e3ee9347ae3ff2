"""Does every socket listing tell whether the SIP port is held, where, and by whom?"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.model import Context, Finding, Tag
from bot.parsers.listening import parse
from bot.parsers.page import Page

DATA = Path(__file__).parents[1] / "data" / "listening"
PASTES = sorted(DATA.glob("*.txt"))
PROMPT = "root@pbx:~#"


def read(text: str) -> list[tuple[str | None, str]]:
    return [(claim.reading.tool, claim.reading.status) for claim in parse(Page.of(text), Context())]


def tags(text: str) -> list[str]:
    return [f.tag.value for claim in parse(Page.of(text), Context()) for f in claim.reading.findings]


@pytest.mark.parametrize("path", PASTES, ids=lambda path: path.stem)
def test_real_listings_give_their_status(path: Path) -> None:
    tool, status = path.stem.rsplit("-", 1)[0], path.stem.rsplit(".", 1)[1]
    assert read(path.read_bytes().decode()) == [(tool, status)]


@pytest.mark.parametrize("path", PASTES, ids=lambda path: path.stem)
def test_lost_line_breaks_and_columns_change_nothing(path: Path) -> None:
    text = path.read_bytes().decode()
    squeezed = "\n".join(" ".join(line.split()) for line in text.splitlines())
    doubled = text.replace("  ", "    ")
    assert (read(squeezed), read(doubled)) == (read(text), read(text))


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ("udp   UNCONN 0  0  0.0.0.0:5060  0.0.0.0:*", "listening_all"),
        ("udp   UNCONN 0  0  *:5060  *:*", "listening_all"),
        ("udp   UNCONN 0  0  [::]:5060  [::]:*", "listening_all"),
        ("udp   UNCONN 0  0  0.0.0.0:sip  0.0.0.0:*", "listening_all"),
        ("udp   UNCONN 0  0  69.62.127.9%eth0:5060  0.0.0.0:*", "listening_all"),
        ("UNCONN 0  0  [::ffff:127.0.0.1]:5060  *:*", "listening_local_only"),
        ("udp   UNCONN 0  0  127.0.0.1:5060  0.0.0.0:*", "listening_local_only"),
        ("udp   UNCONN 0  0  [::1]:5060  [::]:*", "listening_local_only"),
        ("udp   UNCONN 0  0  0.0.0.0:15060  0.0.0.0:*", "not_listening"),
        ("udp   UNCONN 0  0  0.0.0.0:50600  0.0.0.0:*", "not_listening"),
        ("udp   ESTAB  0  0  10.0.0.1:40000  10.0.0.2:5060", "not_listening"),
        ('udp   UNCONN 0  0  0.0.0.0:5061  0.0.0.0:*  users:(("node",pid=5060,fd=17))', "not_listening"),
        ("tcp   LISTEN 0  511  *:5060  *:*", "tcp_only"),
        ("LISTEN 0  511  0.0.0.0:5060  0.0.0.0:*", "tcp_only"),
        ("tcp   ESTAB 0  0  10.0.0.1:5060  10.0.0.2:3333", "not_listening"),
    ],
)
def test_ss_is_judged_by_the_local_end(row: str, status: str) -> None:
    assert read(row) == [("ss", status)]
    assert read(f"{PROMPT} ss -tuanp | grep 5060\n{row}\n{PROMPT}") == [("ss", status)]


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ("udp        0      0 0.0.0.0:5060            0.0.0.0:*           903/node", "listening_all"),
        ("udp6       0      0 :::5060                 :::*                -", "listening_all"),
        ("udp        0      0 127.0.0.1:5060          0.0.0.0:*", "listening_local_only"),
        ("udp        0      0 localhost:sip           0.0.0.0:*", "listening_local_only"),
        ("tcp        0      0 0.0.0.0:5060            0.0.0.0:*     LISTEN   1/systemd", "tcp_only"),
        ("udp4       0      0  *.5060                 *.*", "listening_all"),
        ("udp4       0      0  127.0.0.1.5060         *.*", "listening_local_only"),
        ("tcp4       0      0  *.5060                 *.*          LISTEN", "tcp_only"),
        ("  UDP    0.0.0.0:5060           *:*                                    555", "listening_all"),
        ("  UDP    [::1]:5060             *:*                                    555", "listening_local_only"),
        ("  TCP    0.0.0.0:5060           0.0.0.0:0      ПРОСЛУШИВАНИЕ       6120", "tcp_only"),
        ("  TCP    0.0.0.0:5060           0.0.0.0:0      ABHÖREN             6120", "tcp_only"),
        ("  UDP    192.168.1.5:50600      *:*                                5060", "not_listening"),
    ],
)
def test_netstat_of_every_system_is_judged_by_the_local_end(row: str, status: str) -> None:
    assert read(row) == [("netstat", status)]


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ("node    17921 root   17u  IPv4 234547      0t0  UDP *:5060", "listening_all"),
        ("node    17921 root   17u  IPv4 234547      0t0  UDP localhost:sip", "listening_local_only"),
        ("node\\x20/r 17921 root   17u  IPv4 234547      0t0  UDP 69.62.127.9:sip", "listening_all"),
        ("python3 17921 root   17u  IPv4 234547      0t0  TCP *:5060 (LISTEN)", "tcp_only"),
        ("python3 17921 root   17u  IPv4 234547      0t0  TCP *:5061 (LISTEN)", "not_listening"),
    ],
)
def test_lsof_is_judged_by_the_local_end(row: str, status: str) -> None:
    header = "COMMAND   PID USER   FD   TYPE DEVICE SIZE/OFF NODE NAME\n"
    assert (read(row), read(header + row)) == ([("lsof", status)], [("lsof", status)])


@pytest.mark.parametrize(
    ("command", "tool", "expected"),
    [
        ("ss -tuln | grep 5060", "ss", ["server_not_listening"]),
        ("ss -tlnp | grep 5060", "ss", []),
        ("netstat -tulnp | grep 5060", "netstat", ["server_not_listening"]),
        ("sudo lsof -i :5060", "lsof", ["server_not_listening"]),
        ("lsof -iTCP:5060", "lsof", []),
        ("ss -tuln | grep 5061", "ss", []),
    ],
)
def test_silence_is_a_finding_only_where_udp_would_have_been_shown(
    command: str, tool: str, expected: list[str]
) -> None:
    text = f"{PROMPT} {command}\n{PROMPT}"
    assert (read(text), tags(text)) == ([(tool, "not_listening")], expected)


@pytest.mark.parametrize(
    ("users", "recv_q", "expected"),
    [
        ('users:(("node",pid=16999,fd=17))', 0, ["server_listens"]),
        ('users:(("node /root/pbx-s",pid=16999,fd=17))', 0, ["server_listens"]),
        ('users:(("PM2 v5.3.0: God",pid=16999,fd=17))', 0, ["server_listens"]),
        ('users:(("python",pid=16999,fd=17))', 0, ["server_listens", "server_port_owner_foreign"]),
        ("", 30720, ["server_listens", "server_queue_stuck"]),
        ("", 768, ["server_listens"]),
    ],
)
def test_a_foreign_owner_and_a_stuck_queue_are_findings(users: str, recv_q: int, expected: list[str]) -> None:
    assert tags(f"udp   UNCONN {recv_q}  0  0.0.0.0:5060  0.0.0.0:*  {users}") == expected


def test_the_owner_is_named_with_its_pid() -> None:
    [claim] = parse(Page.of('udp UNCONN 0 0 0.0.0.0:5060 0.0.0.0:* users:(("asterisk",pid=77,fd=9))'), Context())
    assert claim.reading.facts == {
        "port": 5060, "proto": "udp", "addresses": ["0.0.0.0"], "owner": "asterisk", "pid": 77, "recv_q_bytes": 0,
    }  # fmt: skip
    assert claim.reading.findings[1] == Finding(Tag.SERVER_PORT_OWNER_FOREIGN, {"owner": "asterisk", "pid": 77})


def test_windows_netstat_describes_the_users_pc() -> None:
    assert tags("  UDP    0.0.0.0:5060           *:*                                    555") == []


@pytest.mark.parametrize(
    "text",
    [
        "ss -tuln | grep 5060",
        "root@pbx:~# netstat -an",
        "udp 5060 port ochiqmi?",
        "TX 545 bytes Request msg REGISTER/cseq=1 to UDP 69.62.127.9:5060:",
        "tcp 5060 va udp 5060 ni oching",
        "LISTEN qilyaptimi?",
        "0.0.0.0:5060->5060/udp",
    ],
)
def test_words_and_bare_commands_are_no_listing(text: str) -> None:
    assert read(text) == []


def test_every_listing_of_a_paste_is_a_reading() -> None:
    text = (
        f"{PROMPT} ss -lun | grep 5060\nUNCONN 0 0 0.0.0.0:5060 0.0.0.0:*\n{PROMPT} netstat -tln | grep 5060\n"
        f"{PROMPT} lsof -i :5060\nnode 17921 root 17u IPv4 234547 0t0 UDP *:5060\n{PROMPT}"
    )
    assert read(text) == [("ss", "listening_all"), ("netstat", "not_listening"), ("lsof", "listening_all")]
