"""Laws of the page: what is cleaned away, what stays, and which commands are seen."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.parsers.page import MAX_CHARS, MAX_LINE, Page, split_prompt

RUSSIAN = "Ответ от 69.62.127.9: число байт=32 время=88мс TTL=50"


def cleaned(text: str) -> list[str]:
    return list(Page.of(text).lines)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("\x1b[01;32mroot@pbx\x1b[00m:~# ss", ["root@pbx:~# ss"]),
        ("^[[32minfo^[[39m: ok", ["info: ok"]),
        ("[32minfo[39m: ok", ["info: ok"]),
        ("\x1b]0;root@pbx: ~\x07root@pbx:~#", ["root@pbx:~#"]),
        ('{"m":"\\u001b[32minfo\\u001b[39m"}', ['{"m":"info"}']),
        ("\x1b[?2004hroot@pbx:~# ls", ["root@pbx:~# ls"]),
        ("[ 1] 5060/udp ALLOW IN Anywhere", ["[ 1] 5060/udp ALLOW IN Anywhere"]),
    ],
)
def test_terminal_colours_are_removed_in_every_spelling(text: str, lines: list[str]) -> None:
    assert cleaned(text) == lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a\r\nb\rc\r\r\nd", ["a", "b", "c", "d"]),
        ("Name:\u00a0\u00a0call.soundz.uz\u200b", ["Name:  call.soundz.uz"]),
        ("> Status: active\n>\n> 5060 ALLOW", ["Status: active", "", "5060 ALLOW"]),
        (">a\n>b\n>c", ["a", "b", "c"]),
        ("C:\\>ping x", ["C:\\>ping x"]),
        ("```bash\nss -lun\n```", ["", "ss -lun", ""]),
        ("`ufw: command not found`", ["ufw: command not found"]),
        ("Aziz K, [28.12.2025 14:05]\nStatus: inactive", ["", "Status: inactive"]),
        ("[28.12.2025 14:05] Aziz: salom", ["Aziz: salom"]),
        ("iptables —dport 5060 “x” o‘zi 3–4…", ['iptables --dport 5060 "x" o\'zi 3-4...']),
        ("1 &lt;1 ms", ["1 <1 ms"]),
        ("字节=32（0% 丢失）", ["字节=32(0% 丢失)"]),
    ],
)
def test_what_messengers_add_is_removed(text: str, lines: list[str]) -> None:
    assert cleaned(text) == lines


@pytest.mark.parametrize(
    ("meant", "shown"),
    [
        ("utf-8", "cp1251"),
        ("utf-8", "cp866"),
        ("utf-8", "latin-1"),
        ("cp866", "cp1251"),
        ("cp1251", "cp866"),
        ("cp1251", "latin-1"),
    ],
)
def test_a_wrong_code_page_is_repaired(meant: str, shown: str) -> None:
    assert cleaned(RUSSIAN.encode(meant).decode(shown, "replace")) == [RUSSIAN]


@pytest.mark.parametrize(
    "text",
    [
        RUSSIAN,
        "Zeitüberschreitung der Anforderung.",
        "Délai d’attente de la demande dépassé.".replace("’", "'"),
        "Ulaşılamayan Hedef Ana Makine",
        "Ёлка ва ўзбекча ҳарфлар: қўнғироқ",
        "Превышен интервал ожидания для запроса.",
        "来自 69.62.127.9 的回复: 字节=32 时间=103ms TTL=50",
    ],
)
def test_right_text_is_left_alone(text: str) -> None:
    assert cleaned(text) == [text]


def test_wraps_within_words_at_40_and_80_columns_are_undone() -> None:
    line = "Reply from 69.62.127.9: bytes=32 time=103ms TTL=50"
    text = "\n".join(line[at : at + 40] for _ in range(3) for at in range(0, len(line), 40))
    assert cleaned(text) == [line] * 3


def test_wraps_between_words_are_undone() -> None:
    line = "2026-11-23 00:50:03 +05:00: 2026-11-23 00:50:03 info: [SIP] Response sent to 213.230.87.14:57705"
    head, tail = line.rsplit(" ", 1)
    assert len(head) <= 80
    assert cleaned(f"{head}\n{tail}\n{head}\n{tail}") == [line, line]


def test_lines_that_only_happen_to_be_full_stay_apart() -> None:
    rule = "ACCEPT     udp  --  0.0.0.0/0            0.0.0.0/0            multiport dports 5060"
    text = f"Chain INPUT (policy ACCEPT)\n{rule}\n{rule}\n{rule}"
    assert cleaned(text) == text.split("\n")


@pytest.mark.parametrize("below", ["UNCONN 0   0   *:5060", "LISTEN 0   128   *:5060", "State   Recv-Q   Send-Q"])
def test_rows_and_headers_of_ss_do_not_continue_a_full_prompt_line(below: str) -> None:
    command = "root@pbx-srv0:~# ss -lun 'sport = :5060'"
    assert (len(command), cleaned(f"{command}\n{below}")) == (40, [command, below])


def test_lost_line_breaks_come_back_where_records_begin() -> None:
    record = "0|pbx-system  | 2026-11-23 00:50:03 +05:00: 2026-11-23 00:50:03 info: [SIP] Received message"
    assert cleaned(f"{record} {record} {record}") == [record] * 3


def test_a_long_line_is_folded_not_lost() -> None:
    page = Page.of("word " * 1000 + "end")
    assert max(map(len, page.lines)) <= MAX_LINE
    assert page.lines[-1].endswith("end")


def test_both_ends_of_a_long_text_are_read() -> None:
    page = Page.of("first\n" + "x\n" * MAX_CHARS + "last")
    assert (page.lines[0], page.lines[-1]) == ("first", "last")


def test_commands_know_what_they_printed() -> None:
    page = Page.of("root@pbx:~# ss -lun | grep 5060\nroot@pbx:~# sudo ufw status\nStatus: inactive\n\nroot@pbx:~#\n")
    assert [(c.text, c.output_first, c.output_last, c.ended, c.silent) for c in page.commands] == [
        ("ss -lun | grep 5060", 1, 0, True, True),
        ("ufw status", 2, 2, True, False),
    ]


def test_a_command_without_a_later_prompt_has_not_ended() -> None:
    (command,) = Page.of("root@pbx:~# ss -lun | grep 5060").commands
    assert (command.ended, command.silent) == (False, False)


@pytest.mark.parametrize(
    ("line", "split"),
    [
        ("C:\\Users\\User>ping x", ("C:\\Users\\User>", "ping x")),
        ("PS C:\\Users\\user> ping x", ("PS C:\\Users\\user>", "ping x")),
        ("C:\\>", ("C:\\>", "")),
        ("root@OpenWrt:~# ping x", ("root@OpenWrt:~#", "ping x")),
        ("[root@alma ~]# firewall-cmd --state", ("[root@alma ~]#", "firewall-cmd --state")),
        ("aziz@MacBook-Pro ~ % ping x", ("aziz@MacBook-Pro ~ %", "ping x")),
        ("➜  ~ ping x", ("➜  ~", "ping x")),
        ("[admin@MikroTik] > /ping x", ("[admin@MikroTik] >", "/ping x")),
        ("/ # nslookup x", ("/ #", "nslookup x")),
        ("$ lsof -i :5060", ("$", "lsof -i :5060")),
        ("# ufw status", ("#", "ufw status")),
        ("# Generated by iptables-save v1.8.9", None),
        ("Status: active", None),
        ("5 > 3", None),
        ("69.62.127.9", None),
    ],
)
def test_prompts_of_the_usual_shells_are_seen(line: str, split: tuple[str, str] | None) -> None:
    assert split_prompt(line) == split


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400))
def test_any_text_becomes_a_page_whose_offsets_find_their_lines(text: str) -> None:
    page = Page.of(text)
    assert page.text.split("\n") == list(page.lines)
    for at in range(len(page.text)):
        assert page.text.count("\n", 0, at) == page.line_at(at)
