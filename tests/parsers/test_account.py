"""Laws of judging MicroSIP's account settings."""

from __future__ import annotations

import pytest

from bot.model import Context, Finding, Tag
from bot.parsers.account import judge_account, leads_to_pbx

CONTEXT = Context(expected_ips=frozenset({"69.62.127.9"}), extension="1002")
RIGHT: dict[str, str | None] = {
    "server": "call.soundz.uz",
    "proxy": "",
    "username": "1002",
    "domain": "call.soundz.uz",
    "login": "",
    "transport": "UDP",
    "public_address": "auto",
}
CHECKS: dict[str, bool | None] = {"ice": False, "allow_rewrite": False}


def judged(fields: dict[str, str | None], checks: dict[str, bool | None] | None = None) -> tuple[Finding, ...]:
    return judge_account(RIGHT | fields, CHECKS | (checks or {}), CONTEXT)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"server": " CALL.soundz.uz:5060 "},
        {"server": "69.62.127.9"},
        {"domain": "69.62.127.9:5060"},
        {"login": "1002"},
        {"transport": "UDP+TCP"},
        {"transport": ""},
        {"public_address": "Авто"},
        {"proxy": "call.soundz.uz"},
        {"stun_server": "stun.example.org"},
    ],
)
def test_a_right_account_in_any_spelling_is_right(fields: dict[str, str | None]) -> None:
    assert judged(fields) == (Finding(Tag.ACCOUNT_RIGHT),)


@pytest.mark.parametrize(
    ("fields", "checks", "finding"),
    [
        (
            {"server": "call. soundz.uz"},
            {},
            Finding(
                Tag.ACCOUNT_SERVER_WRONG,
                {"field": "server", "value": "call. soundz.uz", "expected": "call.soundz.uz"},
            ),
        ),
        (
            {"domain": "call.soundz.uz:5061"},
            {},
            Finding(
                Tag.ACCOUNT_SERVER_WRONG,
                {"field": "domain", "value": "call.soundz.uz:5061", "expected": "call.soundz.uz"},
            ),
        ),
        ({"server": ""}, {}, Finding(Tag.ACCOUNT_SERVER_EMPTY)),
        ({"proxy": "sip.example.org"}, {}, Finding(Tag.ACCOUNT_PROXY_SET, {"value": "sip.example.org"})),
        ({"transport": "TLS"}, {}, Finding(Tag.ACCOUNT_TRANSPORT_WRONG, {"value": "tls"})),
        ({"login": "admin"}, {}, Finding(Tag.ACCOUNT_LOGIN_DIFFERS, {"login": "admin", "username": "1002"})),
        (
            {"username": "1020"},
            {},
            Finding(Tag.ACCOUNT_USERNAME_DIFFERS, {"username": "1020", "extension": "1002"}),
        ),
        ({"public_address": "10.0.0.5"}, {}, Finding(Tag.ACCOUNT_PUBLIC_ADDRESS_SET, {"value": "10.0.0.5"})),
        ({}, {"ice": True}, Finding(Tag.ACCOUNT_ICE_ON)),
        ({}, {"allow_rewrite": True}, Finding(Tag.ACCOUNT_REWRITE_ON)),
        ({}, {"stun_enabled": True}, Finding(Tag.ACCOUNT_STUN_ON)),
        ({}, {"rport": False}, Finding(Tag.ACCOUNT_RPORT_OFF)),
        (
            {"nameserver": "dns.google"},
            {"dns_srv": True},
            Finding(Tag.ACCOUNT_NAMESERVER_BAD, {"value": "dns.google"}),
        ),
    ],
)
def test_each_wrong_setting_is_one_finding(
    fields: dict[str, str | None], checks: dict[str, bool | None], finding: Finding
) -> None:
    assert judged(fields, checks) == (finding,)


@pytest.mark.parametrize(
    ("fields", "checks"),
    [
        ({"nameserver": "dns.google"}, {"dns_srv": False}),
        ({"nameserver": "8.8.8.8, 1.1.1.1"}, {"dns_srv": True}),
        ({"stun_server": ""}, {"stun_enabled": True}),
    ],
)
def test_a_setting_that_is_not_used_is_not_wrong(fields: dict[str, str | None], checks: dict[str, bool | None]) -> None:
    assert judged(fields, checks) == (Finding(Tag.ACCOUNT_RIGHT),)


@pytest.mark.parametrize("name", [*RIGHT, *CHECKS])
def test_what_was_not_seen_is_neither_wrong_nor_proves_the_account_right(name: str) -> None:
    fields: dict[str, str | None] = {**RIGHT, name: None} if name in RIGHT else RIGHT
    checks: dict[str, bool | None] = {**CHECKS, name: None} if name in CHECKS else CHECKS
    assert judge_account(fields, checks, CONTEXT) == ()


def test_an_address_is_not_judged_while_the_right_ones_are_unknown() -> None:
    nothing_known = Context(extension="1002")
    assert judge_account({**RIGHT, "server": "203.0.113.9"}, CHECKS, nothing_known) == ()
    assert leads_to_pbx("127.0.0.1", nothing_known) is False


def test_a_port_of_its_own_must_be_written() -> None:
    elsewhere = Context(sip_port=5080)
    assert [leads_to_pbx(value, elsewhere) for value in ("call.soundz.uz", "call.soundz.uz:5080")] == [
        False,
        True,
    ]


def test_an_empty_password_and_an_inactive_account_are_told() -> None:
    found = judge_account(RIGHT, CHECKS, CONTEXT, password_empty=True, active=False)
    assert [finding.tag for finding in found] == [Tag.ACCOUNT_NOT_ACTIVE, Tag.ACCOUNT_PASSWORD_EMPTY]
