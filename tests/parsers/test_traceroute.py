"""Laws of the traces: reached means that the destination itself answered with times."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Context, Finding, Reading, Tag
from bot.parsers import traceroute
from bot.parsers.page import Page
from tests.parsers.corpus import Case, cases
from tests.parsers.noise import NOISES, Noise

CASES = [*cases("samples", "traceroute"), *cases("traceroute")]
CONTEXT = Context(expected_ips=frozenset({"69.62.127.9"}))
HEAD = "traceroute to call.soundz.uz (69.62.127.9), 30 hops max, 60 byte packets\n"
ROWS = " 1  192.168.1.1 (192.168.1.1)  1.0 ms  1.1 ms  1.2 ms\n 2  * * *\n"


def read(text: str) -> list[Reading]:
    return [claim.reading for claim in traceroute.parse(Page.of(text), CONTEXT)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_of_the_corpus_is_read(case: Case) -> None:
    assert case.seen(read(case.text)) == list(case.parts)


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.__name__)
def test_noise_changes_next_to_nothing(noise: Noise) -> None:
    wrong = []
    for case in CASES[::2]:
        seen = [reading.status for reading in read(noise(case.text))]
        if seen != [part["status"] for part in case.parts]:
            wrong.append(case.name)
    assert len(wrong) <= 0.05 * len(CASES[::2]), wrong


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        (HEAD + ROWS, (Finding(Tag.USER_TRACE_NOT_REACHED),)),
        (
            HEAD + ROWS + " 3  69.62.127.9 (69.62.127.9)  99.0 ms  99.1 ms  99.2 ms\n",
            (Finding(Tag.USER_TRACE_REACHED),),
        ),
        (HEAD + ROWS + " 3  69.62.127.9 (69.62.127.9)  99.0 ms !X * *\n", (Finding(Tag.USER_TRACE_NOT_REACHED),)),
        (HEAD.replace("call.soundz.uz", "google.com") + ROWS, ()),
        ("traceroute: unknown host call.soundz.uz", (Finding(Tag.USER_TRACE_UNKNOWN_HOST),)),
    ],
)
def test_findings_are_about_the_pbx_only(text: str, findings: tuple[Finding, ...]) -> None:
    assert [reading.findings for reading in read(text)] == [findings]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(CASES), min_size=1, max_size=3), st.data())
def test_no_piece_of_any_output_raises(chosen: list[Case], data: st.DataObject) -> None:
    text = "\n".join(case.text for case in chosen)
    first, last = sorted(data.draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    assert {reading.status for reading in read(text[first:last])} <= {"reached", "not_reached", "unknown_host"}
