"""Laws of reading the PBX's log: outcome, cause, whose it is, and what nobody can forge."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Context, Reading, Tag
from bot.parsers.page import Page
from bot.parsers.pbx_log import parse
from tests.parsers import logged

PHONE = "192.0.2.7:57705"


def lines(*messages: str) -> str:
    return "\n".join(f"2026-11-23 00:51:18 +05:00: 2026-11-23 00:51:18 info: {text}" for text in messages)


def received(source: str = PHONE, request: str = "REGISTER sip:call.soundz.uz SIP/2.0") -> list[str]:
    return [f"[SIP] Received message from {source}", f"[SIP] Request: {request}"]


def challenge(source: str = PHONE, extension: str = "1002") -> list[str]:
    return [
        *received(source),
        f"[SIP] Processing REGISTER from {source}",
        f"[SIP] Sending 401 challenge for {extension} to {source}",
        f"[SIP] Sending response to {source}",
        f"[SIP] Response sent successfully to {source}",
    ]


def success(source: str = PHONE, extension: str = "1002") -> list[str]:
    return [
        *challenge(source, extension),
        *received(source),
        f"[SIP] Processing REGISTER from {source}",
        f"[SIP] Sending response to {source}",
        f"Extension {extension} registered from {source}",
        f"[SIP] Response sent successfully to {source}",
    ]


def refusal(*cause: str, source: str = PHONE, code: str = "403 Forbidden") -> list[str]:
    return [
        *received(source),
        f"[SIP] Processing REGISTER from {source}",
        *cause,
        f"[SIP] Sending response {code} to {source}",
        f"[SIP] Sending response to {source}",
    ]


def read(text: str, extension: str | None = None) -> Reading:
    (claim,) = parse(Page.of(text), Context(extension=extension))
    return claim.reading


def tags(reading: Reading) -> list[Tag]:
    return [finding.tag for finding in reading.findings]


@pytest.mark.parametrize("name", logged.names("pbx_log"))
def test_a_real_log_reads_as_its_pair_says(name: str) -> None:
    context, claims = logged.expected("pbx_log", name)
    assert logged.claimed(parse(Page.of(logged.text("pbx_log", name)), context)) == claims


def test_one_packet_cannot_forge_a_registration() -> None:
    forged = "Extension 1002 registered from 192.0.2.7:1111"
    reading = read(lines(*received(request="X"), forged, "[SIP] Unhandled method: X", forged))
    assert (reading.status, reading.facts["source_ip"]) == ("received_only", "192.0.2.7")


def test_a_whole_forged_conversation_inside_a_request_is_not_believed() -> None:
    forged = success("198.51.100.9:5060")
    text = lines(*received(request="X"), *forged, "[SIP] Unhandled method: X", *forged)
    assert read(text, "1002").status == "received_only"


def test_a_registration_that_nobody_asked_for_does_not_count() -> None:
    text = lines(*challenge(extension="1004"), "Extension 1002 registered from 198.51.100.9:1111")
    assert read(text, "1002").status == "received_only"


def test_winston_messages_count_from_their_beginning_only() -> None:
    message = "[SIP] Request: X\n2026-11-23 00:51:18 info: Extension 1002 registered from 192.0.2.7:1"
    text = json.dumps({"level": "info", "message": message, "service": "pbx-system"}, separators=(",", ":"))
    assert read(text).status == "no_sip"


def test_clients_that_interleave_are_told_apart_by_their_sockets() -> None:
    other = "198.51.100.9:40000"
    text = lines(
        *challenge(PHONE, "1002"),
        *challenge(other, "1004"),
        *received(PHONE),
        f"[SIP] Processing REGISTER from {PHONE}",
        *received(other),
        f"[SIP] Processing REGISTER from {other}",
        "Digest auth verification failed for 1004",
        "Authentication failed for 1004",
        f"[SIP] Sending response 403 Forbidden to {other}",
        f"[SIP] Sending response to {other}",
        f"[SIP] Sending response to {PHONE}",
        f"Extension 1002 registered from {PHONE}",
    )
    assert (read(text, "1002").status, read(text, "1004").status) == ("registered", "auth_failed")
    assert read(text, "1004").facts == {
        "extension": "1004",
        "source_ip": "198.51.100.9",
        "source_port": 40000,
        "reason": "wrong_password",
    }


@pytest.mark.parametrize(
    ("cause", "reason", "tag"),
    [
        (["Digest auth verification failed for 1002"], "wrong_password", Tag.LOG_WRONG_PASSWORD),
        (
            ["SIP password not available for extension 1002. Password may need to be reset."],
            "password_not_cached",
            Tag.LOG_PASSWORD_LOST,
        ),
        (["Username mismatch: admin != 1002"], "username_mismatch", Tag.LOG_USERNAME_MISMATCH),
        ([], None, Tag.LOG_AUTH_FAILED),
    ],
)
def test_a_403_is_named_by_the_line_before_it(cause: list[str], reason: str | None, tag: Tag) -> None:
    reading = read(lines(*challenge(), *refusal(*cause, "Authentication failed for 1002")))
    assert (reading.status, reading.facts["reason"], tags(reading)[0]) == ("auth_failed", reason, tag)


def test_the_last_outcome_of_the_user_wins_over_later_ones_of_others() -> None:
    scanner = refusal("Extension not found or disabled: 300", source="203.0.113.5:5071", code="404 Not Found")
    assert read(lines(*success(), *scanner), "1002").status == "registered"
    assert read(lines(*success(), *scanner)).facts["extension"] == "300"


def test_this_host_and_the_provider_are_no_clients() -> None:
    text = lines(*success("127.0.0.1:41933"), *received("81.95.237.38:5060", "SIP/2.0 200 OK"))
    reading = read(text)
    assert (reading.status, tags(reading)) == ("no_sip", [Tag.LOG_SILENT])


def test_whoever_probes_from_the_pbxs_own_address_is_no_client() -> None:
    context = Context(extension="1002", expected_ips=frozenset({"203.0.113.10"}))
    (claim,) = parse(Page.of(lines(*challenge("203.0.113.10:44414"))), context)
    assert (claim.reading.status, tags(claim.reading)) == ("no_sip", [Tag.LOG_SILENT])


def test_a_sip_response_of_a_client_is_no_request() -> None:
    text = lines("[SIP] Received message from 192.0.2.7:5060", "[SIP] Request: SIP/2.0 200 OK")
    assert read(text).status == "no_sip"


def test_a_log_of_sip_lines_only_still_tells_success_and_refusal() -> None:
    sip = [line for line in success() if line.startswith("[SIP]")]
    refused = [line for line in [*challenge(), *refusal()] if line.startswith("[SIP]")]
    assert (read("\n".join(sip)).status, read("\n".join(sip)).facts["extension"]) == ("registered", "1002")
    assert (read("\n".join(refused)).status, read("\n".join(refused)).facts["extension"]) == (
        "auth_failed",
        "1002",
    )


def test_single_lines_found_by_grep_are_believed() -> None:
    assert read(lines(f"Extension 1002 registered from {PHONE}")).status == "registered"
    assert read(lines("Digest auth verification failed for 1002")).facts["reason"] == "wrong_password"


def test_the_same_challenge_again_and_again_means_that_the_answer_is_lost() -> None:
    reading = read(lines(*challenge(), *challenge(), *challenge()), "1002")
    assert reading.findings[0].to_json() == {
        "tag": "log_challenge_repeated",
        "args": {"count": 3, "extension": "1002", "source_ip": "192.0.2.7"},
    }


def test_one_challenge_and_then_nothing_is_its_own_finding() -> None:
    assert tags(read(lines(*challenge())))[0] is Tag.LOG_CHALLENGE_ONCE


def test_challenges_after_an_old_success_are_what_counts_now() -> None:
    reading = read(lines(*success(), *challenge(), *challenge(), *challenge()))
    assert (reading.status, tags(reading)[0]) == ("registered", Tag.LOG_CHALLENGE_REPEATED)


def test_a_success_after_repeated_challenges_shows_loss() -> None:
    assert tags(read(lines(*challenge(), *success())))[:2] == [
        Tag.LOG_REGISTERED,
        Tag.LOG_REGISTER_DUPLICATED,
    ]


def test_a_log_of_others_only_is_silence_of_this_user() -> None:
    reading = read(lines(*success(extension="1004")), "1002")
    assert (reading.status, tags(reading)) == ("received_only", [Tag.LOG_SILENT])


def test_another_number_asked_for_by_our_name_may_be_the_users_typo() -> None:
    typo = refusal("Extension not found or disabled: 1020", code="404 Not Found")
    (finding,) = read(lines(*typo), "1002").findings
    assert finding.to_json() == {
        "tag": "log_not_found_other",
        "args": {"extension": "1020", "known": "1002", "source_ip": "192.0.2.7"},
    }


def test_what_the_server_itself_suffers_needs_no_number() -> None:
    taken = read(lines("SIP Server error: bind EADDRINUSE 0.0.0.0:5060"), "1002")
    down = read(lines("Database connection error: connect ECONNREFUSED 127.0.0.1:5432"), "1002")
    assert (taken.status, tags(taken)) == ("server_error", [Tag.LOG_PORT_TAKEN])
    assert (down.status, tags(down)) == ("server_error", [Tag.LOG_DB_DOWN])


def test_a_register_at_the_other_port_leaves_one_line_without_address() -> None:
    reading = read(lines("Unexpected REGISTER request received"))
    assert (reading.status, tags(reading)) == ("received_only", [Tag.LOG_OTHER_PORT])


def test_a_log_that_ends_with_its_stop_tells_so_whoever_it_served_before() -> None:
    stop = ("SIGINT received, shutting down gracefully", "SIP Registrar stopped", "HTTP server closed")
    assert tags(read(lines(*stop))) == [Tag.LOG_PBX_STOPPED]
    served = read(lines(*success(), *stop), "1002")
    assert (served.status, Tag.LOG_PBX_STOPPED in tags(served)) == ("registered", True)


@pytest.mark.parametrize("later", [["SIP Registrar started on 0.0.0.0:5060"], received(), success()])
def test_a_stop_that_was_followed_by_anything_is_over(later: list[str]) -> None:
    assert Tag.LOG_PBX_STOPPED not in tags(read(lines("SIP Registrar stopped", *later)))


def test_who_was_registered_before_a_restart_no_longer_is() -> None:
    restart = ["SIP Registrar stopped", "SIP Registrar started on 0.0.0.0:5060"]
    before = read(lines(*success(), *restart), "1002")
    assert (before.status, tags(before)) == ("registered", [Tag.LOG_REQUEST_BY_NAME])
    after = read(lines(*success(), *restart, *success()), "1002")
    assert (after.status, tags(after)) == ("registered", [Tag.LOG_REGISTERED, Tag.LOG_REQUEST_BY_NAME])


def test_one_packet_cannot_forge_a_stop() -> None:
    forged = "SIP Registrar stopped"
    text = lines(*success(), *received(request="X"), forged, "[SIP] Unhandled method: X", forged)
    assert Tag.LOG_PBX_STOPPED not in tags(read(text, "1002"))


def blocked(times: int) -> list[str]:
    return [*challenge()[:-1], f"[SIP] Error sending response to {PHONE}: send EPERM {PHONE}"] * times


def test_answers_that_the_filter_forbids_are_counted() -> None:
    (found,) = [one for one in read(lines(*blocked(3)), "1002").findings if one.tag is Tag.LOG_SEND_EPERM]
    assert found.args == {"count": 3, "source_ip": "192.0.2.7"}


def test_an_answer_let_out_takes_the_forbidden_ones_back() -> None:
    assert Tag.LOG_SEND_EPERM not in tags(read(lines(*blocked(2), *challenge()), "1002"))
    other_port = challenge("192.0.2.7:61000")  # the same phone after it was started anew
    assert Tag.LOG_SEND_EPERM not in tags(read(lines(*blocked(2), *other_port), "1002"))
    assert Tag.LOG_SEND_EPERM in tags(read(lines(*challenge(), *blocked(1)), "1002"))


def test_rewritten_headers_and_blocked_answers_are_noticed() -> None:
    text = lines(
        *received(),
        f"[SIP] Processing REGISTER from {PHONE}",
        "No username found in From header",
        f"[SIP] Sending response 400 Bad Request to {PHONE}",
        f"[SIP] Sending response to {PHONE}",
        f"[SIP] Error sending response to {PHONE}: send EPERM {PHONE}",
    )
    assert set(tags(read(text))) == {
        Tag.LOG_PACKET_SEEN,
        Tag.LOG_SEND_EPERM,
        Tag.LOG_HEADERS_REWRITTEN,
        Tag.LOG_REQUEST_BY_NAME,
    }


@pytest.mark.parametrize(
    "worn",
    [
        lambda text: "".join(text.splitlines()),
        lambda text: " ".join(text.splitlines()),
        lambda text: text.replace(" ", ""),
        lambda text: text.replace(" ", "  "),
        lambda text: "\n".join(line[at : at + 64] for line in text.splitlines() for at in range(0, len(line), 64)),
        lambda text: "\n".join(f"0|pbx-syst | {line}" for line in text.splitlines()),
        lambda text: "\n".join(
            json.dumps({"message": f"{line}\n", "type": "out", "process_id": 0}) for line in text.splitlines()
        ),
    ],
    ids=["glued", "spaced", "no blanks", "double blanks", "cut at 64", "pm2", "pm2 --json"],
)
def test_lost_and_added_white_space_changes_nothing(worn: object) -> None:
    assert callable(worn)
    text = worn(
        lines(
            *challenge(),
            *refusal("Digest auth verification failed for 1002", "Authentication failed for 1002"),
        )
    )
    reading = read(text)
    assert (reading.status, reading.facts["reason"], reading.facts["source_port"]) == (
        "auth_failed",
        "wrong_password",
        57705,
    )


def test_logs_parted_by_other_output_are_two_claims() -> None:
    between = "\n\nPinging call.soundz.uz\nReply from 192.0.2.1\nReply from 192.0.2.1\nReply\nPackets\n\n"
    claims = parse(Page.of(lines(*success()) + between + lines(*challenge("198.51.100.9:1", "1004"))), Context())
    assert [claim.reading.status for claim in claims] == ["registered", "challenged_only"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "salom",
        "Extension",
        "pm2 logs pbx-system",
        "systemctl status nginx\nactive (running) info",
        "[SIP",
    ],
)
def test_what_is_no_log_is_no_claim(text: str) -> None:
    assert parse(Page.of(text), Context()) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([*success(), *challenge(), *refusal("Authentication failed for 1002"), "x", "{", '"'])),
    st.text(),
)
def test_any_order_of_lines_and_any_text_is_read_without_an_error(messages: list[str], text: str) -> None:
    for paste in (lines(*messages), "\n".join(messages) + text, text):
        assert all(claim.first <= claim.last for claim in parse(Page.of(paste), Context(extension="1002")))


@pytest.mark.parametrize(
    "unit",
    ["[SIP] Request: ", "Extension 1 ", '{"message":"', "[SIP] Sending 401 challenge for 1 to 1.1.1.1:1\n"],
)
def test_hostile_logs_cost_time_in_proportion_to_their_length(unit: str) -> None:
    whole, part = Page.of(unit * (65536 // len(unit))), Page.of(unit * (16384 // len(unit)))
    assert _seconds(whole) < max(20 * _seconds(part), 0.5)


def _seconds(page: Page) -> float:
    started = time.process_time()
    parse(page, Context())
    return time.process_time() - started
