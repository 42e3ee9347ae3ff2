"""Laws of the lookups: status, addresses and findings, in any language and through any noise."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Context, Finding, Reading, Tag
from bot.parsers import nslookup
from bot.parsers.page import Page
from tests.parsers.corpus import Case, cases
from tests.parsers.noise import NOISES, Noise

CASES = [*cases("samples", "nslookup"), *cases("nslookup")]
CONTEXT = Context(expected_ips=frozenset({"69.62.127.9"}))
HEAD = "Server:  UnKnown\nAddress:  192.168.1.1\n\n"


def read(text: str, context: Context = CONTEXT) -> list[Reading]:
    return [claim.reading for claim in nslookup.parse(Page.of(text), context)]


def answer(address: str, host: str = "call.soundz.uz") -> str:
    return f"{HEAD}Name:    {host}\nAddress:  {address}\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_of_the_corpus_is_read(case: Case) -> None:
    assert case.seen(read(case.text)) == list(case.parts)


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.__name__)
def test_noise_changes_next_to_nothing(noise: Noise) -> None:
    sample = CASES[::4]
    wrong = [case.name for case in sample if case.seen(read(noise(case.text))) != list(case.parts)]
    assert len(wrong) <= 0.05 * len(sample), wrong


@pytest.mark.parametrize(
    ("text", "context", "findings"),
    [
        (answer("69.62.127.9"), CONTEXT, (Finding(Tag.USER_DNS_OK, {"addresses": ("69.62.127.9",)}),)),
        (answer("10.0.0.1"), CONTEXT, (Finding(Tag.USER_DNS_WRONG_IP, {"addresses": ("10.0.0.1",)}),)),
        (answer("10.0.0.1"), Context(), (Finding(Tag.USER_DNS_ANSWERS, {"addresses": ("10.0.0.1",)}),)),
        (
            answer("1.2.3.4", "google.com"),
            CONTEXT,
            (Finding(Tag.USER_LOOKED_UP_OTHER_NAME, {"host": "google.com"}),),
        ),
        (
            answer("69.62.127.9", "srv1043218.hstgr.cloud"),
            CONTEXT,
            (Finding(Tag.USER_DNS_OK, {"addresses": ("69.62.127.9",)}),),
        ),
        (HEAD + "*** UnKnown can't find call.soundz.uz: Server failed", CONTEXT, (Finding(Tag.USER_DNS_SERVFAIL),)),
        (";; connection timed out; no servers could be reached", CONTEXT, (Finding(Tag.USER_DNS_TIMEOUT),)),
    ],
)
def test_findings_are_about_the_pbx_only(text: str, context: Context, findings: tuple[Finding, ...]) -> None:
    assert [reading.findings for reading in read(text, context)] == [findings]


def test_the_lines_of_a_claim_are_those_of_its_output() -> None:
    page = Page.of("salom\n" + answer("69.62.127.9") + "\nrahmat")
    assert [(claim.first, claim.last) for claim in nslookup.parse(page, CONTEXT)] == [(1, 5)]


def test_several_outputs_give_a_claim_each() -> None:
    ours, other = answer("69.62.127.9"), answer("1.2.3.4", "google.com")
    text = f"C:\\>nslookup call.soundz.uz\n{ours}\nC:\\>nslookup google.com\n{other}"
    assert [(reading.status, reading.facts["host"]) for reading in read(text)] == [
        ("ok", "call.soundz.uz"),
        ("wrong_ip", "google.com"),
    ]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(CASES), min_size=1, max_size=3), st.data())
def test_no_piece_of_any_output_raises(chosen: list[Case], data: st.DataObject) -> None:
    text = "\n".join(case.text for case in chosen)
    first, last = sorted(data.draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    assert all(reading.facts["host"] for reading in read(text[first:last]))
