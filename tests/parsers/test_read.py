"""Laws of reading anything a user sends: every kind in text order, nothing for chat, never an exception."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Context, Evidence, Kind
from bot.parsers import is_picture, read, read_text
from tests.parsers.corpus import Case, cases
from tests.parsers.noise import NOISES, Noise

SAMPLES = list(cases("samples"))
MIXED = [*cases("samples", "mixed"), *cases("mixed")]
UNKNOWN = [*cases("samples", "unknown"), *cases("unknown")]
OWN = [*cases("nslookup"), *cases("ping"), *cases("traceroute")]
PING = (
    "Обмен пакетами с call.soundz.uz [69.62.127.9] с 32 байтами данных:\n"
    "Ответ от 69.62.127.9: число байт=32 время=88мс TTL=50\n"
    "Статистика Ping для 69.62.127.9:\n"
    "    Пакетов: отправлено = 1, получено = 1, потеряно = 0\n    (0% потерь)\n"
)


@pytest.mark.parametrize("case", SAMPLES, ids=lambda case: case.name)
def test_every_sample_is_read_as_a_whole(case: Case) -> None:
    assert case.seen(read_text(case.text, case.context)) == list(case.parts)


@pytest.mark.parametrize("case", [*MIXED, *OWN[::3]], ids=lambda case: case.name)
def test_no_parser_takes_the_output_of_another(case: Case) -> None:
    assert case.seen(read_text(case.text, case.context)) == list(case.parts)


@pytest.mark.parametrize("case", UNKNOWN, ids=lambda case: case.name)
def test_chat_commands_and_templates_are_no_evidence(case: Case) -> None:
    assert read_text(case.text, case.context) == ()


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.__name__)
def test_noise_makes_no_evidence_of_chat(noise: Noise) -> None:
    found = [case.name for case in UNKNOWN if read_text(noise(case.text), case.context)]
    assert found == []


@pytest.mark.parametrize(
    "content",
    [
        PING.encode(),
        PING.encode("utf-8-sig"),
        PING.encode("utf-16"),
        PING.encode("utf-16-le"),
        PING.encode("utf-16-be"),
        PING.encode("cp1251"),
        PING.encode("cp866"),
        PING.replace("\n", "\r\n").encode("cp866"),
    ],
)
def test_a_file_is_read_in_whatever_encoding_it_was_saved(content: bytes) -> None:
    (reading,) = read(Evidence(content=content), Context())
    assert (reading.kind, reading.status, reading.facts["loss_pct"]) == (Kind.PING, "ok", 0)


def test_text_and_file_of_one_message_are_both_read() -> None:
    readings = read(Evidence(text="call.soundz.uz has address 1.2.3.4", content=PING.encode()), Context())
    assert [reading.kind for reading in readings] == [Kind.NSLOOKUP, Kind.PING]


@pytest.mark.parametrize(
    "head",
    [
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"GIF89a",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"\0\0\0\x18ftypheic",
        b"BM\x36\x00\x0c\x00\0\0\0\0\x36\0\0\0" + bytes(20),
    ],
)
def test_a_picture_is_not_read_as_text(head: bytes) -> None:
    assert is_picture(head + PING.encode())


@pytest.mark.parametrize("content", [b"", b"BM", b"BMW sotiladi", PING.encode(), b"[Settings]\naccountId=1\n"])
def test_text_is_no_picture(content: bytes) -> None:
    assert not is_picture(content)


def test_outputs_on_one_line_keep_their_order() -> None:
    lookup = "Server: UnKnown Address: 192.168.1.1 Name: call.soundz.uz Address: 69.62.127.9"
    ping = " ".join(PING.split())
    assert [r.kind for r in read_text(f"{lookup} {ping}", Context())] == [Kind.NSLOOKUP, Kind.PING]
    assert [r.kind for r in read_text(f"{ping} {lookup}", Context())] == [Kind.PING, Kind.NSLOOKUP]


WORDS = st.sampled_from(
    (
        *(
            "Server:",
            "Address:",
            "1.2.3.4",
            "TTL=5",
            "=",
            "(0%",
            "icmp_seq=1",
            "\n",
            "***",
            ": ",
            "> ",
            "PING a (1.1.1.1)",
        ),
        *(
            "[SIP]",
            "Chain INPUT (policy DROP)",
            "udp dpt:5060",
            "ss -l",
            "root@a:~#",
            "\x1b[1m",
            "╤х",
            "[Settings]",
            " ",
        ),
        *("C:\\>ping a", "-A INPUT", "Status: active", '{"level":'),
    )
)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300) | st.lists(WORDS | st.text(max_size=5), max_size=60).map("".join))
def test_no_text_raises(text: str) -> None:
    assert isinstance(read_text(text, Context()), tuple)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_raise(content: bytes) -> None:
    assert isinstance(read(Evidence(content=content), Context()), tuple)
