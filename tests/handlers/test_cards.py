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
    Owner,
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
from bot.table import RULES
from handlers.card import Cards
from handlers.reply import TEXT_MAX, Screens
from handlers.said import COPIED, FILES
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
    rated = (EventKind.RATED, {"stars": 5, "comment": "<b>😀" * 250})
    case = ticket(*sent, tags, (EventKind.TAKEN, {"by": "x" * 64}), rated, verdict=verdict, user_name="y" * 64)
    assert len(shown(CARDS.card(case).html).encode("utf-16-le")) // 2 <= TEXT_MAX


@pytest.mark.parametrize("step", Step)
def test_what_findings_fill_in_is_never_too_long(step: Step) -> None:
    words, rows = CARDS.screens.words, [rule for rule in RULES if rule.step is step]
    for rule in rows:
        told = [(sorted(need)[0], words.blanks(f"because.{sorted(need)[0]}")) for need in rule.needs]
        because = tuple(Finding(Tag(tag), dict.fromkeys(blanks, "😀<&>" * 2000)) for tag, blanks in told)
        verdict = Verdict(step, owner_of(step), Certainty.LIKELY, because)
        pasted = (EventKind.EVIDENCE, {"media": "text", "text": "qator <&>\n" * 300})
        html = CARDS.card(ticket(pasted, verdict=verdict)).html
        assert len(shown(html).encode("utf-16-le")) // 2 <= TEXT_MAX
        assert "<blockquote expandable>qator" in html


def test_whatever_the_user_sent_is_on_the_card_once_the_newest_first() -> None:
    case = ticket(
        (EventKind.EVIDENCE, {"media": "text", "text": "salom"}),
        (EventKind.EVIDENCE, {"media": "photo", "text": "mana", "attachment": "1-a.png"}),
        (EventKind.USER_MESSAGE, {"media": "photo", "text": "mana"}),  # the same, said to the staff
        (EventKind.EVIDENCE, {"media": "document", "text": ""}),
        (EventKind.EVIDENCE, {"media": "button", "text": ""}),
        (EventKind.USER_MESSAGE, {"media": "voice", "text": ""}),
        (EventKind.USER_MESSAGE, {"media": "photo", "text": "mana"}),  # again, where no picture is read
        (EventKind.ANSWERED, {"kind": "other_network", "finding": Finding(Tag.OTHER_NETWORK_WORKS).to_json()}),
    )
    lines = shown(CARDS.card(case).html).split("\n")
    assert lines[4:-1] == [
        "Oʻqildi: boshqa tarmoq sinovi: boshqa tarmoqda ulandi",
        "[rasm] mana",
        "---",
        "[ovozli xabar]",
        "---",
        "[fayl (saqlanmadi: ichida kerakli narsa topilmadi)]",
        "---",
        "[rasm (paroli yopilgan nusxasi saqlandi)] mana",
        "---",
        "salom",
    ]


@pytest.mark.parametrize("kind", [*FILES, *COPIED])
def test_each_kind_of_message_has_its_word(kind: str) -> None:
    event = Event(NOON, EventKind.USER_MESSAGE, {"media": kind, "text": ""})
    assert f"sent.{kind}" in CARDS.screens.words
    assert shown(CARDS.event(event)) == f"01.03 12:00 foydalanuvchi: {CARDS.screens.words.plain(f'sent.{kind}')}"


@pytest.mark.parametrize("step", [step for step in Step if owner_of(step) is Owner.SERVER])
def test_what_is_to_be_done_on_the_server_can_be_copied(step: Step) -> None:
    html = CARDS.card(ticket(verdict=Verdict(step, Owner.SERVER, Certainty.PROVEN))).html
    commands = [unescape(found) for found in re.findall(r"<code>([^<]*)</code>", html) if found != "//"]
    assert any(" " in command or "=" in command for command in commands)
    assert not any("{" in command or ("pm2 logs" in command and "--nostream" not in command) for command in commands)


@pytest.mark.parametrize("step", [Step.CREATE_EXTENSION, Step.RESET_EXTENSION_PASSWORD])
def test_a_number_that_nobody_told_is_not_made_up(step: Step) -> None:
    html = CARDS.card(ticket(verdict=Verdict(step, Owner.SERVER, Certainty.LIKELY), extension=None)).html
    assert ("1002" in html, "<code>–</code>" in html) == (False, True)


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
