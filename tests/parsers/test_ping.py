"""Laws of the pings: status, loss and round trip as printed, and what they say about the way to the PBX."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Context, Finding, Reading, Tag
from bot.parsers import ping
from bot.parsers.page import Page
from tests.parsers.corpus import Case, cases
from tests.parsers.noise import NOISES, Noise

CASES = [*cases("samples", "ping"), *cases("ping")]
CONTEXT = Context(expected_ips=frozenset({"69.62.127.9"}))


def read(text: str, context: Context = CONTEXT) -> list[Reading]:
    return [claim.reading for claim in ping.parse(Page.of(text), context)]


def pinged(name: str, replies: str, received: int, rtt_ms: int | None = None) -> str:
    text = f"Pinging {name} with 32 bytes of data:\n{replies}\nPackets: Sent = 4, Received = {received}, "
    text += f"Lost = {4 - received} ({(4 - received) * 25}% loss),\n"
    if rtt_ms is not None:
        text += f"Minimum = {rtt_ms}ms, Maximum = {rtt_ms}ms, Average = {rtt_ms}ms\n"
    return text


PBX = "call.soundz.uz [69.62.127.9]"
REPLY = "Reply from 69.62.127.9: bytes=32 time=98ms TTL=50\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_of_the_corpus_is_read(case: Case) -> None:
    assert case.seen(read(case.text)) == list(case.parts)


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.__name__)
def test_noise_changes_next_to_nothing(noise: Noise) -> None:
    sample = CASES[::5]
    wrong = []
    for case in sample:
        seen = [reading.status for reading in read(noise(case.text))]
        if seen != [part["status"] for part in case.parts]:
            wrong.append(case.name)
    assert len(wrong) <= 0.05 * len(sample), wrong


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        (pinged(PBX, REPLY * 4, 4, 98), (Finding(Tag.USER_PING_CLEAN, {"rtt_ms": 98}),)),
        (pinged(PBX, REPLY * 4, 4, 400), (Finding(Tag.USER_PING_SLOW, {"rtt_ms": 400}),)),
        (
            pinged(PBX, REPLY * 3, 3, 600),
            (Finding(Tag.USER_PING_LOSS, {"loss_pct": 25}), Finding(Tag.USER_PING_SLOW, {"rtt_ms": 600})),
        ),
        (pinged(PBX, "Request timed out.\n" * 4, 0), (Finding(Tag.USER_PING_TIMEOUT),)),
        (
            pinged("call.soundz.uz [10.0.0.5]", "Request timed out.\n" * 4, 0),
            (Finding(Tag.USER_PING_WRONG_IP, {"address": "10.0.0.5"}), Finding(Tag.USER_PING_TIMEOUT)),
        ),
        (
            pinged("call.soundz.uz [10.0.0.5]", REPLY * 4, 4, 9),
            (Finding(Tag.USER_PING_WRONG_IP, {"address": "10.0.0.5"}),),
        ),
        (pinged("8.8.8.8", REPLY.replace("69.62.127.9", "8.8.8.8") * 4, 4, 50), ()),
        (pinged("google.com [8.8.8.8]", "Request timed out.\n" * 4, 0), ()),
        (pinged("8.8.8.8", "General failure.\n" * 4, 0), (Finding(Tag.USER_PING_GENERAL_FAILURE),)),
        (
            pinged("8.8.8.8", "Reply from 192.168.1.1: Destination host unreachable.\n" * 4, 4),
            (Finding(Tag.USER_PING_UNREACHABLE),),
        ),
        ("ping: call.soundz.uz: Name or service not known", (Finding(Tag.USER_PING_UNKNOWN_HOST),)),
        ("Request timed out.\nRequest timed out.", (Finding(Tag.USER_PING_TIMEOUT),)),
    ],
)
def test_findings_are_about_the_pbx_or_about_having_no_network(text: str, findings: tuple[Finding, ...]) -> None:
    assert [reading.findings for reading in read(text)] == [findings]


def test_an_unknown_right_address_blames_no_address() -> None:
    (reading,) = read(pinged("call.soundz.uz [10.0.0.5]", REPLY * 4, 4, 9), Context())
    assert reading.findings == (Finding(Tag.USER_PING_CLEAN, {"rtt_ms": 9}),)


def test_an_unreachable_answer_is_no_reply_although_windows_counts_it() -> None:
    text = pinged(PBX, "Reply from 192.168.1.1: Destination host unreachable.\n" * 4, 4)
    assert [(reading.status, reading.facts["loss_pct"]) for reading in read(text)] == [("unreachable", 0)]


def test_in_a_trace_or_a_lookup_timeouts_are_no_ping() -> None:
    trace = "  4     *        *        *     Request timed out.\n"
    lookup = "DNS request timed out.\n    timeout was 2 seconds.\n"
    assert read(trace * 3 + lookup * 3) == []


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(CASES), min_size=1, max_size=3), st.data())
def test_no_piece_of_any_output_raises(chosen: list[Case], data: st.DataObject) -> None:
    text = "\n".join(case.text for case in chosen)
    first, last = sorted(data.draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    statuses = {"ok", "loss", "timeout", "unreachable", "general_failure", "unknown_host"}
    assert {reading.status for reading in read(text[first:last])} <= statuses
