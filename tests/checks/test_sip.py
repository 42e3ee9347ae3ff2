"""A SIP probe believes only the answer to its own request, and tells refused from silent."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from sipmessage import Request

from bot.checks import NotTested
from bot.checks.runner import Runner
from bot.checks.sip_udp import request
from bot.model import Failure, Finding, Tag, Target
from tests.checks.conftest import RunOne, full_result
from tests.servers import sip
from tests.servers.sip import SipServer, always, silent

SILENT = Finding(Tag.SERVER_SIP_SILENT)
REFUSED = Finding(Tag.SERVER_SIP_REFUSED)

BROKEN_400 = (  # what the real PBX says to a From header it does not understand
    b"SIP/2.0 400 Bad Request\r\nVia: \r\nFrom: \r\nTo: \r\nCall-ID: \r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"
)


def right(code: int, change: Callable[[bytes], bytes]) -> sip.Behaviour:
    """The right answer, changed."""
    return lambda packet, request, number: (change(bytes(sip.answer(request, code))),)


async def codes(run_one: RunOne, target: Target, server: SipServer) -> list[object]:
    """The status codes found, or the tags, or the failure."""
    found, failure = await run_one("sip", replace(target, sip_port=server.port))
    return [finding.args.get("code", finding.tag) for finding in found] or [failure]


@pytest.mark.parametrize("code", [200, 401, 404, 500, 603])
async def test_any_final_answer_is_an_answer(run_one: RunOne, target: Target, code: int) -> None:
    with SipServer(always(code)) as server:
        assert await codes(run_one, target, server) == [code]


async def test_the_request_is_a_plain_options_without_contact(run_one: RunOne, target: Target) -> None:
    with SipServer(always(200)) as server:
        await codes(run_one, target, server)
        asked = server.requests[0]
        told = (asked.method, str(asked.uri), asked.contact, asked.cseq.method, "rport" in asked.via[0].parameters)
        assert told == ("OPTIONS", f"sip:pbx.example:{server.port}", [], "OPTIONS", True)
        assert asked.via[0].port == server.sources[0][1]


async def test_the_answer_may_come_from_another_port(run_one: RunOne, target: Target) -> None:
    with SipServer(always(200), from_other_port=True) as server:
        assert await codes(run_one, target, server) == [200]


async def test_a_provisional_answer_is_waited_beyond(run_one: RunOne, target: Target) -> None:
    def trying(packet: bytes, request: Request, number: int) -> tuple[bytes, ...]:
        return bytes(sip.answer(request, 100)), bytes(sip.answer(request, 200))

    with SipServer(trying) as server:
        assert await codes(run_one, target, server) == [200]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda packet: packet.replace(b"z9hG4bK", b"z9hG4bKx"), id="another branch"),
        pytest.param(lambda packet: packet.replace(b"Call-ID: ", b"Call-ID: x"), id="another call"),
        pytest.param(lambda packet: packet.replace(b"1 OPTIONS", b"2 OPTIONS"), id="another request"),
        pytest.param(lambda packet: packet.replace(b"1 OPTIONS", b"1 REGISTER"), id="another method"),
        pytest.param(
            lambda packet: packet.replace(b"Via: ", b"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKalg\r\nVia: "),
            id="a second Via above",
        ),
        pytest.param(
            lambda packet: packet.replace(b"\r\nFrom:", b"\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\nFrom:"),
            id="a second Via below",
        ),
        pytest.param(lambda packet: BROKEN_400, id="the PBX's broken 400"),
        pytest.param(lambda packet: b"\xff\xfe\x00garbage", id="garbage"),
        pytest.param(lambda packet: packet.replace(b"SIP/2.0 200", b"SIP/2.0 2OO"), id="a code that is none"),
        pytest.param(lambda packet: packet.replace(b"SIP/2.0 200", b"SIP/2.0 042"), id="a code out of range"),
        pytest.param(lambda packet: packet.replace(b"Call-ID:", b"Call-ID"), id="a header without colon"),
        pytest.param(lambda packet: packet.replace(b"\r\n", b"\n"), id="bare line feeds"),
    ],
)  # fmt: skip
async def test_what_is_not_our_answer_is_neither_an_answer_nor_silence(
    run_one: RunOne, target: Target, change: Callable[[bytes], bytes]
) -> None:
    with SipServer(right(200, change)) as server:
        assert await codes(run_one, target, server) == [Failure.UNREADABLE]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda packet: packet.replace(b";branch", b";received=192.0.2.1;rport=9;branch"), id="nat"),
        pytest.param(lambda packet: packet.replace(b"Via:", b"v:").replace(b"Call-ID:", b"i:"), id="compact"),
        pytest.param(lambda packet: packet.replace(b"CSeq:", b"CSEQ:"), id="any case"),
        pytest.param(
            lambda packet: packet.replace(b"\r\nFrom", b";received=127.0.0.1;rport=5\r\nFrom", 1), id="rport twice"
        ),
    ],
)  # fmt: skip
async def test_what_the_standard_lets_pass_is_an_answer(
    run_one: RunOne, target: Target, change: Callable[[bytes], bytes]
) -> None:
    with SipServer(right(200, change)) as server:
        assert await codes(run_one, target, server) == [200]


async def test_a_strangers_packet_before_the_answer_changes_nothing(run_one: RunOne, target: Target) -> None:
    def noisy(packet: bytes, request: Request, number: int) -> tuple[bytes, ...]:
        right = bytes(sip.answer(request, 200))
        return b"junk", right.replace(b"z9hG4bK", b"z9hG4bKx").replace(b" 200 ", b" 403 "), right

    with SipServer(noisy) as server:
        assert await codes(run_one, target, server) == [200]


async def test_a_late_duplicate_is_not_the_answer_to_the_next_request(run_one: RunOne, target: Target) -> None:
    earlier: list[bytes] = []

    def late(packet: bytes, request: Request, number: int) -> tuple[bytes, ...]:
        earlier.append(bytes(sip.answer(request, 401 if number == 0 else 200)))
        return earlier[0], earlier[-1]

    with SipServer(late) as server:
        assert await codes(run_one, target, server) == [401]
        assert await codes(run_one, target, server) == [200]


async def test_a_lost_packet_is_sent_again_unchanged(run_one: RunOne, target: Target) -> None:
    def second(packet: bytes, request: Request, number: int) -> tuple[bytes, ...]:
        return (bytes(sip.answer(request, 200)),) if number == 1 else ()

    with SipServer(second) as server:
        assert await codes(run_one, target, server) == [200]
        assert server.packets[0] == server.packets[1]


async def test_silence_is_said_after_packets_at_0_and_half_and_one_and_a_half_seconds(
    run_one: RunOne, target: Target
) -> None:
    with SipServer(silent) as server:
        start = time.monotonic()
        found = await run_one("sip", replace(target, sip_port=server.port, timeout_s=1.8))
        took_s = time.monotonic() - start
        assert found == ((SILENT,), None)
        assert len(server.packets) == 3
        assert 1.7 < took_s < 2.4


async def test_nobody_there_is_refused_at_once(run_one: RunOne, target: Target) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    start = time.monotonic()
    assert await run_one("sip", replace(target, sip_port=port)) == ((REFUSED,), None)
    assert time.monotonic() - start < 1  # not after a timeout


async def test_after_a_refusal_the_event_loop_is_at_rest(target: Target) -> None:
    # An error queue that is not emptied wakes the loop for ever.
    before = time.process_time()
    with SipServer(silent) as server:
        (result,) = await Runner().run(replace(target, sip_port=server.port), only=["sip"])
    assert result.findings == (SILENT,)
    assert time.process_time() - before < 0.5


async def test_loopback_is_asked_within_a_second(run_one: RunOne, target: Target) -> None:
    with SipServer(silent) as server:
        start = time.monotonic()
        found = await run_one("sip_loopback", replace(target, sip_port=server.port, timeout_s=8))
        assert found == ((Finding(Tag.LOOPBACK_SIP_SILENT),), None)
        assert len(server.packets) == 2
        assert time.monotonic() - start < 2


async def test_loopback_of_another_host_says_nothing(run_one: RunOne, target: Target) -> None:
    elsewhere = replace(target, on_this_host=False)
    assert await run_one("sip_loopback", elsewhere) == ((), Failure.NOT_HERE)


async def test_a_name_that_does_not_resolve_is_not_silence(run_one: RunOne, target: Target) -> None:
    assert await run_one("sip", replace(target, probe_host="a b")) == ((), Failure.UNREADABLE)


async def test_where_no_route_leads_nothing_was_tested(run_one: RunOne, target: Target) -> None:
    assert await run_one("sip", replace(target, probe_host="255.255.255.255")) == ((), Failure.UNREADABLE)


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\x00", "\u2028", " ", ">", ";x=1"])
def test_nothing_in_a_name_becomes_another_header(line_break: str) -> None:
    with pytest.raises(NotTested):
        request("OPTIONS", f"pbx.example{line_break}Injected: 1", 5060)


@pytest.mark.parametrize("code", [401, 404])
async def test_an_extension_is_asked_for_without_credentials_and_without_contact(
    run_one: RunOne, target: Target, code: int
) -> None:
    tag = {401: Tag.EXTENSION_EXISTS, 404: Tag.EXTENSION_UNKNOWN}[code]
    with SipServer(always(code)) as server:
        asked = replace(target, sip_port=server.port, extension="1002")
        assert await run_one("extension", asked) == ((Finding(tag, {"extension": "1002"}),), None)
        sent = server.requests[0]
        assert (sent.method, sent.contact, sent.authorization, sent.expires) == ("REGISTER", [], None, None)
        who = "<sip:1002@pbx.example>"
        assert (str(sent.to_address), str(sent.from_address).partition(";")[0]) == (who, who)


@pytest.mark.parametrize("code", [200, 400, 403, 407, 500])
async def test_another_code_says_nothing_about_the_extension(run_one: RunOne, target: Target, code: int) -> None:
    with SipServer(always(code)) as server:
        asked = replace(target, sip_port=server.port, extension="1002")
        assert await run_one("extension", asked) == ((), Failure.UNREADABLE)


@pytest.mark.parametrize("extension", ["", "1 2", "1002\r\nX: 1", "1002>", "a" * 33, "1002@x", "१२", "1002\n"])
async def test_what_is_no_extension_is_not_sent(run_one: RunOne, target: Target, extension: str) -> None:
    with SipServer(always(401)) as server:
        asked = replace(target, sip_port=server.port, extension=extension)
        assert await run_one("extension", asked) == ((), Failure.UNREADABLE)
        assert server.packets == []


async def test_a_silent_or_absent_pbx_says_nothing_about_the_extension(run_one: RunOne, target: Target) -> None:
    with SipServer(silent) as server:
        asked = replace(target, sip_port=server.port, extension="1002", timeout_s=0.3)
        assert await run_one("extension", asked) == ((), Failure.TIMEOUT)
    assert await run_one("extension", asked) == ((), Failure.UNREADABLE)


async def test_without_an_extension_there_is_nothing_to_ask(run_one: RunOne, target: Target) -> None:
    assert await run_one("extension", target) == ((), Failure.NOT_CONFIGURED)


async def test_our_own_ports_are_known_and_noted(target: Target) -> None:
    runner = Runner()
    with SipServer(always(401)) as server:
        asked = replace(target, sip_port=server.port, extension="1002")
        results = await asyncio.gather(runner.run(asked, only=["sip", "extension"]))
        sources = {port for _, port in server.sources}
    assert runner.own_ports == frozenset(sources)
    assert {one.detail for one in results[0]} == {f"local port {port}" for port in sources}


async def test_the_result_tells_how_long_the_answer_took(target: Target) -> None:
    with SipServer(always(200)) as server:
        result = await full_result("sip", replace(target, sip_port=server.port))
    rtt_ms = result.findings[0].args["rtt_ms"]
    assert isinstance(rtt_ms, float)
    assert 0 < rtt_ms <= result.took_ms + 0.1
