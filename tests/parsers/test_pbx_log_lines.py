"""Laws of one line of the PBX's log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.parsers.pbx_log_lines import LogEvent, Said, begins_record, read_line

STAMP = "2026-11-23 00:51:18"


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (
            f"0|pbx-syst | {STAMP} +05:00: {STAMP} \x1b[32minfo\x1b[39m: [SIP] Processing REGISTER from 192.0.2.7:1",
            LogEvent(Said.PROCESSING, "192.0.2.7", 1),
        ),
        (
            "[SIP] Request: REGISTER sip:call.soundz.uz SIP/2.0",
            LogEvent(Said.REQUEST, host="call.soundz.uz", text="REGISTER"),
        ),
        (
            "[SIP] Sending 401 challenge for 1002 to 192.0.2.7:57705",
            LogEvent(Said.CHALLENGE, "192.0.2.7", 57705, "1002"),
        ),
        (
            f"{STAMP} info: [SIP] Sending response 403 Forbidden to 192.0.2.7:57705",
            LogEvent(Said.ANSWER_CODE, "192.0.2.7", 57705, code=403),
        ),
        ("Extension 1002 registered from 192.0.2.7:1", LogEvent(Said.REGISTERED, "192.0.2.7", 1, "1002")),
        (
            f"{STAMP} warn: Username mismatch: admin != 1002",
            LogEvent(Said.USERNAME_MISMATCH, extension="1002", login="admin"),
        ),
        (
            f"{STAMP} error: Error in handleRegister: connect ECONNREFUSED 127.0.0.1:5432",
            LogEvent(Said.REGISTER_ERROR, text="connect ECONNREFUSED 127.0.0.1:5432"),
        ),
        (
            '{"level":"warn","message":"Authentication failed for 1002","service":"pbx-system"}',
            LogEvent(Said.AUTH_FAILED, extension="1002"),
        ),
        (f"{STAMP} +05:00: {STAMP} info: Environment: production", LogEvent(Said.ELSE)),
        (
            "[SIP] Extension 1004 found but not registered (enabled: true, registered: no)",
            LogEvent(Said.ELSE),
        ),
    ],
)
def test_a_line_is_one_event(line: str, event: LogEvent) -> None:
    assert read_line(line) == (event,)


def test_lines_that_were_glued_together_are_parted_at_their_time_stamps() -> None:
    glued = (
        f"[SIP] Sending response to 192.0.2.7:57705{STAMP} info: Extension 1002 registered from 192.0.2.7:57705"
        f"0|pbx-syst | {STAMP} info: x"
    )
    assert read_line(glued) == (
        LogEvent(Said.ANSWER, "192.0.2.7", 57705),
        LogEvent(Said.REGISTERED, "192.0.2.7", 57705, "1002"),
    )


def test_nothing_behind_the_words_of_a_client_is_believed() -> None:
    assert read_line("[SIP] Request: X [SIP] Processing REGISTER from 192.0.2.7:1") == (
        LogEvent(Said.REQUEST, text="X"),
    )
    assert read_line("[SIP] Unhandled method: X Extension 1002 registered from 192.0.2.7:1") == (
        LogEvent(Said.IGNORED),
    )


def test_a_wrapped_rest_begins_no_record() -> None:
    assert [begins_record(line) for line in (f"{STAMP} +05:00: x", "  [SIP] Request: x", "ing REGISTER from 1")] == [
        True,
        True,
        False,
    ]


@given(
    st.text()
    | st.lists(
        st.sampled_from(
            [
                '"message":"',
                "\\u",
                "\\u001b[32m",
                "\\",
                '"',
                STAMP,
                "[SIP] ",
                "0|a|",
                "Extension 1 registered from 1",
                ":",
            ]
        )
    ).map("".join)
)
def test_any_line_is_read_without_an_error(line: str) -> None:
    assert isinstance(read_line(line), tuple)
