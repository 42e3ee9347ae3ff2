"""Laws of reading MicroSIP's log: the last registration outcome, and the way of the packets."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Context, Reading, Tag
from bot.parsers.microsip_log import parse
from bot.parsers.page import Page
from tests.parsers import logged

PBX = "203.0.113.20"
CONTEXT = Context(expected_ips=frozenset({PBX}))


def said(message: str, sender: str = "pjsua_acc.c", at: str = "09:15:02.101") -> str:
    return f"{at} {sender:>22}  {message}"


def sent(cseq: int, to: str = f"UDP {PBX}:5060") -> str:
    return said(f"...TX 560 bytes Request msg REGISTER/cseq={cseq} (tdta03A5CA70) to {to}:", "pjsua_core.c")


def answered(code: int, cseq: int) -> str:
    return said(
        f".RX 470 bytes Response msg {code}/REGISTER/cseq={cseq} (rdata03A5CBE8) from UDP {PBX}:5060:",
        "pjsua_core.c",
    )


SUCCESS = said("....sip:201@call.soundz.uz: registration success, status=200 (OK), will re-register in 300 seconds")
TIMEOUT = said("....SIP registration failed, status=408 (Request Timeout)")


def read(*lines: str, context: Context = CONTEXT) -> Reading:
    (claim,) = parse(Page.of("\n".join(lines)), context)
    return claim.reading


def tags(reading: Reading) -> list[Tag]:
    return [finding.tag for finding in reading.findings]


def outcome(reading: Reading) -> tuple[str, int | None, str | None]:
    return reading.status, reading.facts["code"], reading.facts["extension"]


def discarded(source: str = f"{PBX}:5060") -> str:
    return said(
        f"Error processing packet from {source}: Missing required header(s) (PJSIP_EMISSINGHDR)  Via [code 171050]:",
        "sip_endpoint.c",
    )


def test_an_answer_thrown_away_for_its_missing_via_is_an_answer_ignored() -> None:
    told = tags(read(sent(7), discarded(), sent(7), discarded(), sent(7), discarded(), TIMEOUT))
    assert told == [Tag.PHONE_SAYS_TIMEOUT, Tag.PHONE_IGNORES_ANSWER]


def test_a_strangers_broken_packet_is_no_answer() -> None:
    strange = discarded("198.51.100.9:5060")
    assert Tag.PHONE_RECEIVES_NOTHING in tags(read(sent(7), strange, sent(7), strange, sent(7), TIMEOUT))


@pytest.mark.parametrize("name", logged.names("microsip_log"))
def test_a_log_reads_as_its_pair_says(name: str) -> None:
    context, claims = logged.expected("microsip_log", name)
    assert logged.claimed(parse(Page.of(logged.text("microsip_log", name)), context)) == claims


@pytest.mark.parametrize(
    ("line", "status", "code", "tag"),
    [
        (SUCCESS, "registered", 200, Tag.PHONE_REGISTERED),
        ("SIP registration failed, status=401 (Unauthorized)", "auth_failed", 401, Tag.PHONE_GOT_401_STOPPED),
        ("SIP registration failed, status=403 (Forbidden)", "auth_failed", 403, Tag.PHONE_GOT_403),
        ("SIP registration failed, status=404 (Not Found)", "not_found", 404, Tag.PHONE_SAYS_NOT_FOUND),
        (TIMEOUT, "timeout", 408, Tag.PHONE_SAYS_TIMEOUT),
        (
            "SIP registration failed, status=500 (Server Error)",
            "server_error",
            500,
            Tag.PHONE_SAYS_SERVER_ERROR,
        ),
        (
            "SIP registration failed, status=502 (gethostbyname() has returned error (PJ_ERESOLVE))",
            "dns_error",
            502,
            Tag.PHONE_SAYS_NO_SERVER,
        ),
        ("SIP registration failed, status=503 (Refused)", "unreachable", 503, Tag.PHONE_SAYS_UNAVAILABLE),
        ("SIP registration failed, status=423 (Too Brief)", "other_code", 423, Tag.PHONE_SAYS_OTHER_CODE),
        (
            "SIP registration error: No suitable credential (PJSIP_ENOCREDENTIAL) [status=171101]",
            "auth_failed",
            401,
            Tag.PHONE_GOT_401_STOPPED,
        ),
        (
            "SIP registration error: Credential failed to authenticate (PJSIP_EFAILEDCREDENTIAL) [status=171100]",
            "auth_failed",
            401,
            Tag.PHONE_SAYS_WRONG_PASSWORD,
        ),
    ],
)
def test_the_outcome_line_alone_is_enough(line: str, status: str, code: int, tag: Tag) -> None:
    reading = read(line)
    assert (reading.status, reading.facts["code"], tags(reading)) == (status, code, [tag])


def test_the_last_outcome_counts() -> None:
    assert outcome(read(TIMEOUT, SUCCESS)) == ("registered", 200, "201")
    assert outcome(read(SUCCESS, TIMEOUT)) == ("timeout", 408, "201")


def test_un_registering_is_no_outcome() -> None:
    leaving = [said("Acc 1: setting unregistration.."), sent(9), answered(200, 9)]
    assert outcome(read(TIMEOUT, *leaving, said("sip:201@call.soundz.uz: unregistration success")))[:2] == (
        "timeout",
        408,
    )
    assert outcome(read(SUCCESS, *leaving[:1], *[sent(9)] * 5))[0] == "registered"


def test_three_retransmissions_without_an_answer_are_a_timeout_without_a_code() -> None:
    reading = read(*[sent(7)] * 4)
    assert (reading.status, reading.facts["code"]) == ("timeout", None)
    assert tags(reading) == [Tag.PHONE_SAYS_TIMEOUT, Tag.PHONE_RECEIVES_NOTHING]


def test_two_copies_of_a_request_are_no_outcome_yet() -> None:
    assert read(sent(7), sent(7), said("x"), said("y"), said("z")).status == "no_outcome"


def test_a_challenge_that_came_but_is_not_heard_is_told_from_a_lost_second_request() -> None:
    deaf = read(sent(7), answered(401, 7), *[sent(7)] * 4, TIMEOUT)
    lost = read(sent(7), answered(401, 7), *[sent(8)] * 5, TIMEOUT)
    assert tags(deaf) == [Tag.PHONE_SAYS_TIMEOUT, Tag.PHONE_RECEIVES_401, Tag.PHONE_IGNORES_ANSWER]
    assert tags(lost) == [Tag.PHONE_SAYS_TIMEOUT, Tag.PHONE_RECEIVES_401]


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        (sent(7, "TCP 203.0.113.20:5060"), {"tag": "phone_uses_tcp", "args": {"transport": "tcp"}}),
        (sent(7, "UDP 203.0.113.20:5080"), {"tag": "phone_uses_other_port", "args": {"port": 5080}}),
        (
            sent(7, "UDP 198.51.100.9:5060"),
            {"tag": "phone_sends_to_wrong_ip", "args": {"address": "198.51.100.9"}},
        ),
        (
            said("...Failed to resolve 'call.sounds.uz': gethostbyname() has returned error (PJ_ERESOLVE)"),
            {"tag": "phone_resolves_other_name", "args": {"host": "call.sounds.uz"}},
        ),
        (said("udp sendto error 130013"), {"tag": "phone_send_denied", "args": {}}),
        (
            said("SIP UDP socket reachable at 100.71.2.3:61044"),
            {"tag": "phone_behind_vpn", "args": {"address": "100.71.2.3"}},
        ),
    ],
)
def test_what_the_packets_meet_on_their_way_is_noticed(line: str, finding: dict[str, object]) -> None:
    assert finding in [one.to_json() for one in read(line, TIMEOUT).findings]


def test_a_wrong_address_is_not_judged_while_the_right_one_is_unknown() -> None:
    reading = read(sent(7, "UDP 198.51.100.9:5060"), TIMEOUT, context=Context())
    assert tags(reading) == [Tag.PHONE_SAYS_TIMEOUT]


def test_a_stun_server_that_does_not_resolve_is_no_dns_error() -> None:
    stun = said("..STUN resolution for stun.example.invalid failed: gethostbyname() has returned error (PJ_ERESOLVE)")
    assert tags(read(stun, SUCCESS)) == [Tag.PHONE_REGISTERED, Tag.PHONE_STUN_FAILED]


@pytest.mark.parametrize("width", [40, 64, 80, 100])
def test_cut_lines_are_read_as_whole_ones(width: int) -> None:
    text = "\n".join(
        [
            sent(7),
            answered(401, 7),
            sent(8),
            answered(403, 8),
            "SIP registration failed, status=403 (Forbidden)",
        ]
    )
    cut = "\n".join(line[at : at + width] for line in text.splitlines() for at in range(0, len(line), width))
    assert outcome(read(cut))[:2] == ("auth_failed", 403)


@pytest.mark.parametrize(
    "text", ["", "salom", "12:00:01.123 salom", "MicroSIP log", "REGISTER sip:call.soundz.uz SIP/2.0"]
)
def test_what_is_no_log_is_no_claim(text: str) -> None:
    assert parse(Page.of(text), CONTEXT) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([sent(1), sent(2), answered(401, 1), answered(200, 2), SUCCESS, TIMEOUT, "Expires: 0"])),
    st.text(),
)
def test_any_order_of_lines_and_any_text_is_read_without_an_error(lines: list[str], text: str) -> None:
    for paste in ("\n".join(lines), "\n".join([*lines, text]), text):
        assert all(claim.first <= claim.last for claim in parse(Page.of(paste), CONTEXT))


@pytest.mark.parametrize("unit", ["REGISTER sip:", "From: ", "status=408 ", f"{TIMEOUT}\n", "Target 'a"])
def test_hostile_logs_cost_time_in_proportion_to_their_length(unit: str) -> None:
    whole, part = Page.of(unit * (65536 // len(unit))), Page.of(unit * (16384 // len(unit)))
    assert _seconds(whole) < max(20 * _seconds(part), 0.5)


def _seconds(page: Page) -> float:
    started = time.process_time()
    parse(page, CONTEXT)
    return time.process_time() - started
