"""Laws of MicroSIP.ini: read as Windows reads it, put right byte by byte, its password never shown."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Context, Reading, Tag
from bot.parsers.ini_corrected import corrected_ini
from bot.parsers.microsip_ini import decode_ini, parse, read_ini
from bot.parsers.page import Page

FILES = Path(__file__).parents[1] / "data" / "microsip_ini"
CONTEXT = Context(expected_ips=frozenset({"69.62.127.9"}), extension="201")
SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
RIGHT = """[Settings]
version=3.22.3
accountId=1
rport=1
enableSTUN=0
[Account1]
server=call.soundz.uz
proxy=
domain=call.soundz.uz
username=201
password=0f1e2d3c4b5a6978
authID=
transport=udp
publicAddr=
ICE=0
allowRewrite=0
"""


def read(text: str, context: Context = CONTEXT) -> Reading:
    reading = read_ini(text, context)
    assert reading is not None
    return reading


def tags(reading: Reading) -> list[Tag]:
    return [finding.tag for finding in reading.findings]


def changed(text: str, **values: str) -> str:
    for key, value in values.items():
        text = "".join(
            f"{key}={value}\n" if line.partition("=")[0].casefold() == key.casefold() else line
            for line in text.splitlines(keepends=True)
        )
    return text


@pytest.mark.parametrize(
    ("name", "status", "found"),
    [
        ("ok_call_soundz", "right", [Tag.ACCOUNT_RIGHT]),
        ("stun_ice_on", "wrong", [Tag.ACCOUNT_ICE_ON, Tag.ACCOUNT_STUN_ON, Tag.ACCOUNT_REWRITE_ON]),
        (
            "wrong_domain_transport",
            "wrong",
            [
                Tag.ACCOUNT_SERVER_WRONG,
                Tag.ACCOUNT_SERVER_WRONG,
                Tag.ACCOUNT_TRANSPORT_WRONG,
                Tag.ACCOUNT_LOGIN_DIFFERS,
            ],
        ),
        (
            "inactive_empty_server_bad_ns",
            "no_account",
            [
                Tag.ACCOUNT_NOT_ACTIVE,
                Tag.ACCOUNT_SERVER_EMPTY,
                Tag.ACCOUNT_PASSWORD_EMPTY,
                Tag.ACCOUNT_NAMESERVER_BAD,
            ],
        ),
    ],
)
def test_a_file_as_it_lies_on_disk_is_read_and_put_right(name: str, status: str, found: list[Tag]) -> None:
    content = (FILES / f"{name}.ini").read_bytes()
    text = decode_ini(content)
    assert text is not None
    reading = read(text)
    assert (reading.status, tags(reading)) == (status, found)
    assert SECRET not in repr(reading)
    right = corrected_ini(content, CONTEXT)
    assert right is not None
    again = read(decode_ini(right) or "")
    assert [tag for tag in tags(again) if tag not in (Tag.ACCOUNT_PASSWORD_EMPTY, Tag.ACCOUNT_RIGHT)] == []
    assert corrected_ini(right, CONTEXT) == right
    assert (right == content) is (status == "right")


def test_only_the_wrong_lines_change() -> None:
    content = (FILES / "stun_ice_on.ini").read_bytes()
    right = corrected_ini(content, CONTEXT) or b""
    before, after = content.decode("utf-16").split("\r\n"), right.decode("utf-16").split("\r\n")
    assert [(old, new) for old, new in zip(before, after, strict=True) if old != new] == [
        ("enableSTUN=1", "enableSTUN=0"),
        ("ICE=1", "ICE=0"),
        ("allowRewrite=1", "allowRewrite=0"),
    ]


def test_fields_and_boxes_carry_the_dialogs_names() -> None:
    facts: dict[str, Any] = dict(read(changed(RIGHT, transport="", ICE="1")).facts)
    fields, checks = facts.pop("fields"), facts.pop("checks")
    assert facts == {
        "dialog": "account",
        "password_empty": False,
        "version": "3.22.3",
        "extension": "201",
        "active": True,
    }
    assert {name: value for name, value in fields.items() if value is not None} == {
        "server": "call.soundz.uz",
        "proxy": "",
        "username": "201",
        "domain": "call.soundz.uz",
        "login": "",
        "transport": "UDP+TCP",
        "public_address": "auto",
    }
    assert {name: on for name, on in checks.items() if on is not None} == {
        "ice": True,
        "allow_rewrite": False,
        "stun_enabled": False,
        "rport": True,
    }


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-8-sig", "cp1251", "utf-16-le"])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_every_encoding_and_line_end_is_kept(encoding: str, end: str) -> None:
    text = changed(RIGHT, server="wrong.example").replace(
        "username=201", "username=201\nlabel=Қабул" if "utf" in encoding else "username=201\nlabel=Приём"
    )
    content = text.replace("\n", end).encode(encoding)
    right = corrected_ini(content, CONTEXT)
    assert right == text.replace("wrong.example", "call.soundz.uz").replace("\n", end).encode(encoding)


@pytest.mark.parametrize(
    "text",
    [
        RIGHT.upper().replace("CALL.SOUNDZ.UZ", "call.soundz.uz").replace("UDP", "udp"),
        RIGHT.replace("=", " = "),
        RIGHT.replace("call.soundz.uz", '"call.soundz.uz"'),
        f"; a comment\n\n{RIGHT}[Calls]\n0=x\n",
        f"{RIGHT}[Account1]\nserver=second.example\n",
    ],
    ids=["case", "blanks", "quotes", "comment", "second section of the name"],
)
def test_windows_spelling_does_not_matter(text: str) -> None:
    assert (read(text).status, tags(read(text))) == ("right", [Tag.ACCOUNT_RIGHT])


def test_the_active_account_is_the_one_that_is_judged() -> None:
    second = RIGHT.partition("[Account1]")[2].replace("username=201", "username=305")
    text = changed(f"{RIGHT}[Account2]{second}", accountId="2")
    assert read(text).facts["extension"] == "305"
    assert read(changed(text, accountId="9")).status == "no_account"


def test_very_old_files_keep_the_account_in_the_settings() -> None:
    account = "server=call.soundz.uz\ndomain=call.soundz.uz\nusername=201\npassword=ab12\n"
    text = f"[Settings]\n{account}STUN=stun.example.org\n"
    assert tags(read(text)) == [Tag.ACCOUNT_STUN_ON]
    assert corrected_ini(text.encode(), CONTEXT) == text.replace("STUN=stun.example.org", "STUN=").encode()


def test_a_file_without_an_account_says_so() -> None:
    reading = read("[Settings]\naccountId=0\n")
    assert (reading.status, tags(reading), reading.facts["password_empty"]) == (
        "no_account",
        [Tag.ACCOUNT_NOT_ACTIVE],
        None,
    )
    assert corrected_ini(b"[Settings]\r\naccountId=0\r\n", CONTEXT) is None


def test_a_known_number_replaces_a_wrong_user_name_and_the_login_that_went_with_it() -> None:
    content = changed(RIGHT, username="999", authID="999").encode()
    assert corrected_ini(content, CONTEXT) == RIGHT.encode()


@pytest.mark.parametrize("text", ["", "salom", "[Settings]\ncolour=red\n", "SIP Server: call.soundz.uz", "a=1\nb=2"])
def test_other_texts_are_no_claim(text: str) -> None:
    assert parse(Page.of(text), CONTEXT) == []
    assert corrected_ini(text.encode(), CONTEXT) is None


def test_a_pasted_account_without_its_heading_is_read() -> None:
    account = RIGHT.partition("[Account1]\n")[2]
    (claim,) = parse(Page.of(f"mana:\n{account}"), CONTEXT)
    assert (claim.first, claim.last, claim.reading.status) == (1, 10, "right")


def test_a_file_pasted_as_text_is_one_claim() -> None:
    (claim,) = parse(Page.of(f"mana sozlama\n{RIGHT}\nqarang"), CONTEXT)
    assert (claim.first, claim.last, claim.reading.status) == (1, 16, "right")


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=8))
def test_no_password_ever_leaves(secret: str) -> None:
    reading = read(changed(RIGHT, password=f"Q7{secret}7Q"))
    assert f"Q7{secret}7Q" not in repr(reading)


@settings(max_examples=60, deadline=None)
@given(st.binary(), st.text())
def test_any_bytes_and_any_text_are_read_without_an_error(content: bytes, text: str) -> None:
    for body in (
        content,
        RIGHT.encode() + content,
        codecs.BOM_UTF16_LE + content,
        text.encode("utf-16", "replace"),
    ):
        right = corrected_ini(body, CONTEXT)
        assert right is None or corrected_ini(right, CONTEXT) == right
    parse(Page.of(RIGHT + text), CONTEXT)
