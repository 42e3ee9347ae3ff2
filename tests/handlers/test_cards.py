"""A ticket as the staff see it: every verdict has its card, all of it fits, nothing of it is markup from outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from html import unescape

import pytest

from bot.model import (
    Certainty,
    Event,
    EventKind,
    Finding,
    Kind,
    Reading,
    Status,
    Step,
    Tag,
    Target,
    Ticket,
    Verdict,
)
from bot.rules import owner_of
from bot.standing import Member, Standing, standing
from handlers.card import Cards
from handlers.reply import TEXT_MAX, Screens
from messages import load

TARGET = Target("call.soundz.uz", 5060, frozenset(), "call.soundz.uz")
CARDS = Cards(Screens(load("uz"), TARGET))
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ticket(*events: tuple[EventKind, Mapping[str, object]], **changed: object) -> Ticket:
    plain: dict[str, object] = {
        "number": 12,
        "status": Status.ESCALATED,
        "language": "uz",
        "extension": "1002",
        "opened_at": NOON,
        "closed_at": None,
        "user_id": 501,
        "chat_id": 501,
        "user_name": "Aziza",
        "events": tuple(Event(NOON, kind, body) for kind, body in events),
    }
    return Ticket(**{**plain, **changed})  # type: ignore[arg-type]


def shown(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def test_the_card_tells_who_what_is_known_what_to_do_and_who_has_it() -> None:
    verdict = Verdict(Step.START_PBX, owner_of(Step.START_PBX), Certainty.PROVEN, (Finding(Tag.SERVER_NOT_LISTENING),))
    reading = Reading(Kind.NSLOOKUP, "nslookup", "ok", {}, (Finding(Tag.USER_DNS_OK, {"addresses": ("127.0.0.1",)}),))
    case = ticket(
        (EventKind.ESCALATED, {"reason": "asked"}),
        (EventKind.EVIDENCE, {"media": "text", "text": "birinchi <3"}),
        (EventKind.READ, {"reading": reading.to_log()}),
        (EventKind.EVIDENCE, {"media": "text", "text": "ikkinchi"}),
        (EventKind.TAKEN, {"by": "Nodir"}),
        (EventKind.PRIORITY, {"level": "high", "by": "Nodir"}),
        (EventKind.TAGGED, {"tags": ["vip", "uy"], "by": "Nodir"}),
        verdict=verdict,
    )
    lines = shown(CARDS.card(case).html).split("\n")
    assert lines[:5] == [
        "№12 · Aziza · ichki raqam: 1002",
        "Holat: operator koʻrib chiqadi · 🙋 Nodir · 🔥 shoshilinch · 🏷 #vip #uy",
        "DNS ✅ → ping ? → 5060/UDP ? → MicroSIP ? → Register ?",
        "👤 Odam soʻrayapti",
        "Xulosa: telefon serverini ishga tushirish (aniq)",
    ]
    assert "2. pm2 restart pbx-system" in lines
    assert lines[-5:-1] == ["Oʻqildi: nslookup: joyida", "ikkinchi", "---", "birinchi <3"]
    assert "<code>pm2 restart pbx-system</code>" in CARDS.card(case).html


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("certainty", Certainty)
def test_every_verdict_has_its_card(step: Step, certainty: Certainty) -> None:
    verdict = Verdict(step, owner_of(step), certainty)
    sure = {Certainty.PROVEN: "(aniq)", Certainty.LIKELY: "(ehtimol)"}[certainty]
    assert sure in shown(CARDS.card(ticket(verdict=verdict)).html)


def test_what_people_call_themselves_and_send_is_never_markup() -> None:
    evil = "</b><3 & <code>"
    case = ticket(
        (EventKind.EVIDENCE, {"media": "text", "text": evil}),
        (EventKind.TAKEN, {"by": evil}),
        (EventKind.TAGGED, {"tags": [evil], "by": evil}),
        user_name=evil,
        extension=None,
    )
    html = CARDS.card(case).html
    assert (html.count(evil), html.count("&lt;/b&gt;&lt;3 &amp; &lt;code&gt;")) == (0, 4)


def test_the_longest_card_fits_one_message() -> None:
    everything = tuple(Finding(tag) for tag in Tag)[:40]
    verdict = Verdict(Step.OPEN_SERVER_FIREWALL, owner_of(Step.OPEN_SERVER_FIREWALL), Certainty.LIKELY, everything[:4])
    sent = [(EventKind.EVIDENCE, {"media": "text", "text": "<" * 60_000})] * 3
    tags = (EventKind.TAGGED, {"tags": ["b" * 24] * 8, "by": "x" * 64})
    case = ticket(*sent, tags, (EventKind.TAKEN, {"by": "x" * 64}), verdict=verdict, user_name="y" * 64)
    assert len(shown(CARDS.card(case).html).encode("utf-16-le")) // 2 <= TEXT_MAX


@pytest.mark.parametrize(("in_topic", "how"), [(False, "“Reply” qiling"), (True, "Shu mavzuga yozganingiz")])
def test_how_to_answer_depends_on_the_place(in_topic: bool, how: str) -> None:
    assert how in CARDS.card(ticket(), in_topic=in_topic).html
    assert how not in CARDS.card(ticket(status=Status.CLOSED), in_topic=in_topic).html


def test_what_staff_settled_is_folded_from_the_log_and_free_again_when_it_is_opened_again() -> None:
    taken = (EventKind.TAKEN, {"by": "Nodir"})
    given = (EventKind.TAKEN, {"by": "Nodir", "to": "Sevara"})
    urgent = (EventKind.PRIORITY, {"level": "high", "by": "Nodir"})
    assert [standing(ticket(*events)) for events in ((), (taken,), (taken, given, urgent))] == [
        Standing(),
        Standing(Member("Nodir")),
        Standing(Member("Sevara"), "high"),
    ]
    assert standing(ticket(taken, urgent, (EventKind.REOPENED, {}))) == Standing(None, "high")
