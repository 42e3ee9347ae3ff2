"""The words: complete, fitting Telegram, spelled as Uzbek is spelled."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from telegram import InlineKeyboardMarkup

from bot.checks import CHECKS
from bot.diagnose import context_of
from bot.model import Certainty, EventKind, Evidence, Finding, Kind, Status, Step, Tag, Target, Verdict
from bot.parsers import read
from bot.parsers.microsip_status import STATUS_LABELS
from bot.rules import owner_of
from bot.table import RULES
from handlers.app import STAFF_COMMANDS, USER_COMMANDS
from handlers.keyboards import ASKABLE
from handlers.reply import STATUS_BUTTONS, TEXT_MAX, Screens
from messages import LANGUAGES, Catalogue, load

SAMPLES = Path(__file__).parent / "data"
TARGET = Target("call.soundz.uz", 5060, frozenset(), "call.soundz.uz")
TAGS_OF_TELEGRAM = re.compile(r"</?(?:b|i|u|s|code|pre|blockquote(?: expandable)?)>")


@pytest.fixture(params=LANGUAGES)
def words(request: pytest.FixtureRequest) -> Catalogue:
    return load(request.param)


def test_every_tag_step_check_kind_and_event_has_words(words: Catalogue) -> None:
    wanted = {f"because.{tag}" for tag in Tag}
    wanted |= {f"step.{step}.{part}" for step in Step for part in ("name", "true", "do", "next", "staff")}
    wanted |= {f"check.{check.name}" for check in CHECKS}
    wanted |= {f"kind.{kind}" for kind in Kind}
    wanted |= {f"event.{kind}" for kind in EventKind}
    wanted |= {f"case.state_{status}" for status in Status}
    wanted |= {f"ask.{kind}.{part}" for kind in ASKABLE for part in ("text", "example", "unclear")}
    wanted |= {f"command.{name}" for name in (*USER_COMMANDS, *STAFF_COMMANDS)}
    assert wanted - set(words) == set()


def test_every_row_of_the_table_has_its_reason_in_words_and_no_other_has(words: Catalogue) -> None:
    told = {key.removeprefix("rule.") for key in words if key.startswith("rule.")}
    assert told == {rule.why for rule in RULES}


def test_whatever_a_parser_calls_what_it_read_has_words(words: Catalogue) -> None:
    samples = [path for path in SAMPLES.rglob("*.txt") if "corpus" not in path.parts]
    samples += [path for path in SAMPLES.parent.glob("scenarios/*/*") if path.suffix != ".json"]
    readings = [one for path in samples for one in read(Evidence(content=path.read_bytes()), context_of(TARGET))]
    corpus = [line for path in (SAMPLES / "corpus").glob("*.jsonl") for line in path.read_text("utf-8").splitlines()]
    expected = [json.loads(line)["expect"] for line in corpus]
    parts = [part for one in expected for part in one.get("parts", [one])]
    met = {one.status for one in readings} | {part["status"] for part in parts} | set(STATUS_LABELS)
    of_pictures = {"right", "wrong", "unsure"}
    told = {key.removeprefix("read.") for key in words if key.startswith("read.")}
    assert told == (met | of_pictures) - {"unknown"}


def test_every_language_has_the_same_keys_and_blanks() -> None:
    first = load(LANGUAGES[0])
    for language in LANGUAGES[1:]:
        other = load(language)
        assert {k: first.blanks(k) for k in first} == {k: other.blanks(k) for k in other}


def test_variants_are_of_steps_and_tags_that_exist(words: Catalogue) -> None:
    strange = [
        key
        for key in words
        if ".variant." in key and (key.split(".")[1] not in set(Step) or key.split(".")[3] not in set(Tag))
    ]
    assert strange == []


def test_uzbek_letters_are_u02bb_and_u02bc() -> None:
    uz = load("uz")
    letter = re.compile(r"(?<!pin)[oOgG]['`’‘ʼ]")  # ping’da: a suffix after a foreign word, no letter
    assert [key for key in uz if letter.search(re.sub(r"<[^>]*>", "", uz.raw(key)))] == []


def test_suffixes_of_foreign_words_are_no_uzbek_letter() -> None:
    uz = load("uz")
    foreign = re.compile(r"(?:MicroSIP|DNS|IP|ICE|STUN|UDP|TCP|ping|nslookup|firewall)[ʻʼ']")
    assert [key for key in uz if foreign.search(uz.raw(key))] == []


def test_no_exclamation_mark_in_bad_news(words: Catalogue) -> None:
    assert [key for key in words if key.startswith(("step.", "error.", "verdict.")) and "!" in words.raw(key)] == []


def test_what_is_to_be_done_has_at_most_five_steps(words: Catalogue) -> None:
    long = [k for k in words if k.endswith(".do") and len(re.findall(r"(?m)^\d\.", words.raw(k))) > 5]
    assert long == []


def test_only_tags_that_telegram_knows_are_used(words: Catalogue) -> None:
    strange = {
        key: rest for key in words if (rest := re.findall(r"</?[a-z][^>]*>", TAGS_OF_TELEGRAM.sub("", words.raw(key))))
    }
    assert strange == {}


def test_what_is_filled_in_is_escaped(words: Catalogue) -> None:
    assert words.html("start.hello", name="<3 & </b>").count("&lt;3 &amp; &lt;/b&gt;") == 1


def utf16(text: str) -> int:
    return len(unescape(re.sub(r"<[^>]*>", "", text)).encode("utf-16-le")) // 2


def fits(text: str, keyboard: InlineKeyboardMarkup | None) -> bool:
    rows = keyboard.inline_keyboard if keyboard else ()
    data = [str(button.callback_data or "").encode() for row in rows for button in row]
    return utf16(text) <= TEXT_MAX and all(len(part) <= 64 for part in data)


def test_every_verdict_and_question_fits_a_message_and_its_buttons(words: Catalogue) -> None:
    screens = Screens(words, TARGET)
    number = 10**9
    for rule in RULES:
        because = tuple(Finding(sorted(need)[0]) for need in rule.needs)
        verdict = Verdict(rule.step, owner_of(rule.step), Certainty.LIKELY, because, tuple(Step))
        for ui in (None, "en", "ru", "uz"):
            screen = screens.verdict(number, verdict, ui=ui)
            assert fits(screen.html, screen.keyboard), rule.why
    for kind in ASKABLE:
        for unix in (False, True):
            question = screens.question(number, kind, unix=unix)
            assert fits(question.html, question.keyboard), kind
            assert fits(screens.unreadable(number, kind).html, None)


def test_proven_and_likely_sound_different(words: Catalogue) -> None:
    said = {
        certainty: Screens(words, TARGET).verdict(1, Verdict(Step.FIX_DNS, owner_of(Step.FIX_DNS), certainty)).html
        for certainty in Certainty
    }
    assert said[Certainty.PROVEN] != said[Certainty.LIKELY]


def test_what_a_verdict_rests_on_is_said_once(words: Catalogue) -> None:
    screens = Screens(words, TARGET)
    for rule in RULES:
        because = tuple(Finding(sorted(need)[0]) for need in rule.needs)
        verdict = Verdict(rule.step, owner_of(rule.step), rule.certainty, because)
        lines = screens.verdict(1, verdict).html.replace("</blockquote>", "").split("\n")
        for finding in map(screens.because, because):
            ways = (f"• {finding}", words.html("verdict.why", because=finding))
            assert sum(lines.count(way) for way in ways) == 1, rule.why


def test_the_servers_fault_is_said_first(words: Catalogue) -> None:
    verdict = Verdict(Step.START_PBX, owner_of(Step.START_PBX), Certainty.PROVEN)
    assert Screens(words, TARGET).verdict(1, verdict).html.startswith(words.html("verdict.ours"))


@pytest.mark.parametrize(("ui", "label"), [("ru", "«Сохранить»"), ("en", "“Save”"), ("uz", "“Saqlash”")])
def test_a_label_stands_as_on_the_users_screen(words: Catalogue, ui: str, label: str) -> None:
    verdict = Verdict(Step.FIX_TRANSPORT, owner_of(Step.FIX_TRANSPORT), Certainty.PROVEN)
    assert label in Screens(words, TARGET).verdict(1, verdict, ui=ui).html


@pytest.mark.parametrize("step", [Step.FIX_SERVER_FIELD, Step.ACTIVATE_ACCOUNT])
def test_a_port_of_its_own_belongs_to_the_server_and_not_to_the_domain(words: Catalogue, step: Step) -> None:
    screens = Screens(words, replace(TARGET, sip_port=5080))
    said = screens.verdict(1, Verdict(step, owner_of(step), Certainty.PROVEN), ui="ru").html
    assert re.findall("<code>(call.+?)</code>", said) == ["call.soundz.uz:5080", "call.soundz.uz"]


def test_an_unknown_language_of_microsip_gives_russian_and_english(words: Catalogue) -> None:
    assert words.label("save", None) == "<b>«Сохранить»</b> (“Save”)"


def test_every_status_button_has_a_label(words: Catalogue) -> None:
    assert [words.bare_label(f"st_{status}", None) for status in STATUS_BUTTONS].count("") == 0
