"""/stats: the staff see how the help is doing, in a picture and in words that say the same; nobody else does."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.chart import Picture, draw
from bot.model import Certainty, EventKind, Owner, Status, Step, Verdict
from bot.numbers import Cause, Day, Now, Numbers, Period, Rating, Score, Spread
from bot.rules import owner_of
from bot.schema import migrations
from bot.store import Store
from bot.table import RULES
from bot.tickets import Tickets
from bot.wording import duration
from handlers.figures import CAUSES_MAX, picture, text
from handlers.stats import days_of
from messages import load
from tests.running import PERSON, ROOT, STAFF, STAFF_CHAT, RunningBot
from tests.servers.healthy import HOST, looking_at, named
from tests.servers.sip import SipServer, always

WORDS = load("uz")
NOON = datetime(2026, 11, 23, 7, tzinfo=UTC)
WEEK = Period.last(7, NOON)
STEPS = [step for step in Step if step not in (Step.CONNECTED, Step.CALL_STAFF)]
QUIET = Numbers(
    period=WEEK,
    opened=0,
    days=tuple(Day(day, 0, 0) for day in WEEK.days()),
    causes=(),
    statuses=dict.fromkeys(Status, 0),
    ended=0,
    solved_alone=0,
    first_answer=Spread(0, None, None),
    first_staff=Spread(0, None, None),
    solution=Spread(0, None, None),
    rating=Rating(0, None, (0, 0, 0, 0, 0)),
    now=Now(0, 0, 0, None),
    scores=(),
)
BUSY = replace(
    QUIET,
    opened=128,
    days=tuple(Day(day, 10 + n, n) for n, day in enumerate(WEEK.days())),
    causes=(
        Cause(Step.FIX_DNS, Owner.USER, 40),
        Cause(Step.START_PBX, Owner.SERVER, 20),
        Cause(Step.CONNECTED, Owner.NONE, 4),
    ),
    statuses={Status.OPEN: 5, Status.ESCALATED: 3, Status.SOLVED: 90, Status.CLOSED: 30},
    ended=120,
    solved_alone=78,
    first_answer=Spread(128, 5.2, 9.0),
    first_staff=Spread(20, 720.0, 5400.0),
    solution=Spread(90, 9000.0, 200_000.0),
    rating=Rating(52, 4.62, (1, 1, 3, 7, 40)),
    now=Now(7, 3, 1, None),
    scores=(Score(Step.FIX_DNS, Owner.USER, "", 40, 20, 2, 1), Score(Step.FIX_PASSWORD, Owner.USER, "", 9, 1, 6, 2)),
)


def bare(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html)


def test_the_caption_says_in_words_what_the_picture_shows() -> None:
    assert bare(text(WORDS, BUSY, bars=False)) == (
        "Oxirgi 7 kun (17.11.2026 – 23.11.2026)\n"
        "Murojaatlar: 128 · hal boʻldi 90 · yopildi 30 · ochiq 5 · operatorda 3\n"
        "Odamsiz hal boʻldi: 65 % (78 / 120 tugagan)\n"
        "Birinchi javob: 5 soniya (10 tadan 9 tasi – 9 soniya ichida)\n"
        "Operator javobi: 12 daqiqa (10 tadan 9 tasi – 1,5 soat ichida)\n"
        "Hal boʻlguncha: 2,5 soat (10 tadan 9 tasi – 2 kun ichida)\n"
        "Baho: 4,6 ★ (52 ta)\n"
        "Hozir: 7 ta ochiq, 3 ta operatorni kutyapti\n"
        "Qayta oʻylash kerak: “parolni qayta kiritish” 9 marta aytildi, 6 tasida yordam bermadi\n"
        "Kuniga oʻrtacha 18,3 ta, eng koʻpi 23.11 kuni: 16 ta\n"
        "\n"
        "Nima qilish kerak boʻldi (foydalanuvchida 40 · serverda 20 · boshqa 4)\n"
        "40 · kompyuterdagi DNS’ni tuzatish\n"
        "20 · telefon serverini ishga tushirish\n"
        "4 · nosozlik topilmadi"
    )


def test_without_a_picture_the_text_has_bars() -> None:
    lines = bare(text(WORDS, BUSY, bars=True)).splitlines()
    assert "Kunma-kun: ▅▅▅▆▆▇▇" in lines
    assert lines[-3:] == [
        "▇▇▇▇▇▇▇▇▇▇ 40 · kompyuterdagi DNS’ni tuzatish",
        "▇▇▇▇▇ 20 · telefon serverini ishga tushirish",
        "▇ 4 · nosozlik topilmadi",
    ]


def test_what_was_not_measured_is_not_said() -> None:
    first, *others = QUIET.days
    one = replace(QUIET, opened=1, statuses=QUIET.statuses | {Status.OPEN: 1}, days=(replace(first, opened=1), *others))
    silent = bare(text(WORDS, one, bars=False))
    assert [line.split(":")[0] for line in silent.splitlines()[1:]] == [
        "Murojaatlar",
        "Hozir",
        "Kuniga oʻrtacha 0,1 ta, eng koʻpi 17.11 kuni",
    ]
    assert [tile.value for tile in picture(WORDS, QUIET).tiles] == ["0", "–", "–", "–", "–", "–"]


def test_the_longest_caption_fits_under_a_picture() -> None:
    causes = tuple(Cause(step, owner_of(step), 10**6) for step in STEPS)
    longest = bare(text(WORDS, replace(BUSY, opened=10**7, causes=causes), bars=False))
    assert len(longest.encode("utf-16-le")) // 2 <= 1024


def test_rare_causes_are_summed_up() -> None:
    shown = picture(WORDS, replace(BUSY, causes=tuple(Cause(step, Owner.USER, 2) for step in STEPS))).causes
    assert (len(shown), shown[-1].label, shown[-1].count) == (
        CAUSES_MAX + 1,
        "boshqalar",
        2 * (len(STEPS) - CAUSES_MAX),
    )


@pytest.mark.parametrize(
    ("took_s", "said"),
    [
        (None, "–"),
        (0.4, "0 soniya"),
        (89, "89 soniya"),
        (90, "2 daqiqa"),
        (5399, "1,5 soat"),
        (36_000, "10 soat"),
        (200_000, "2 kun"),
    ],
)
def test_times_are_said_as_people_say_them(took_s: float | None, said: str) -> None:
    assert duration(WORDS, took_s) == said


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ("", 7),
        ("7d", 7),
        ("30D", 30),
        ("30 kun", 30),
        ("1", 1),
        ("0d", None),
        ("400d", None),
        ("hafta", None),
        ("-7", None),
    ],
)
def test_a_period_is_a_number_of_days(said: str, days: int | None) -> None:
    assert days_of(said.split()) == days


def drawn(shown: Picture) -> tuple[int, int]:
    """The picture's size in pixels."""
    image = pytest.importorskip("PIL.Image")
    width, height = image.open(io.BytesIO(draw(shown))).size
    return width, height


@pytest.mark.parametrize(
    "found", [BUSY, QUIET, replace(BUSY, days=tuple(Day(d, 1, 1) for d in Period.last(366, NOON).days()))]
)
def test_any_numbers_can_be_drawn_and_telegram_takes_the_picture(found: Numbers) -> None:
    pytest.importorskip("matplotlib")
    width, height = drawn(picture(WORDS, found))
    assert (width, width + height <= 10_000, height / width < 20) == (1080, True, True)


def test_the_longest_words_stay_inside_the_picture() -> None:
    pytest.importorskip("matplotlib")
    image = pytest.importorskip("PIL.Image")
    causes = tuple(
        Cause(step, Owner.USER, 10**6) for step in sorted(STEPS, key=lambda s: -len(WORDS.plain(f"step.{s}.name")))
    )
    shown = picture(WORDS, replace(BUSY, opened=10**6, causes=causes))
    pixels = image.open(io.BytesIO(draw(shown))).convert("L")
    right_edge = pixels.crop((1080 - 12, 0, 1080, pixels.size[1]))
    assert right_edge.getextrema() == (255, 255)


async def fill(data: Path) -> None:
    """Three cases of today."""
    store = Store(data / "yordam.db", (migrations,))
    log = Tickets(store)
    for n in range(3):
        source = f"update:{n}"
        number = (await log.open(user_id=n, chat_id=n, name="Ali", language="uz", source=source)).number
        verdict = Verdict(Step.FIX_DNS, Owner.USER, Certainty.PROVEN)
        await log.append(number, EventKind.VERDICT, {"verdict": verdict.to_json(), "rule": ""})
    await log.append(1, EventKind.CLOSED, {"reason": "solved"})
    store.close()


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBot]:
    pytest.importorskip("matplotlib")
    with RunningBot(tmp_path_factory.mktemp("stats")) as running:
        yield running


def test_the_staff_get_a_kind_word_then_a_picture_and_strangers_nothing(bot: RunningBot) -> None:
    api = bot.api
    api.user(77, "Begona")
    api.send_text(STAFF, "/stats hafta", STAFF_CHAT)
    assert "/stats 7d" in bot.wait_for("Davrni kun bilan", STAFF_CHAT).text
    api.send_text(STAFF, "/stats", STAFF_CHAT)
    bot.wait_for("Oxirgi 7 kunda murojaat boʻlmadi. Hozir ochiq: 0", STAFF_CHAT)
    bot.stop()
    asyncio.run(fill(bot.folder / "data"))
    bot.start()
    api.send_text(77, "/stats 30d", STAFF_CHAT)
    api.send_text(PERSON, "/stats")
    api.send_text(STAFF, "/stats 30d", STAFF_CHAT)
    photos = api.wait_for(lambda: [call for call in api.calls("sendPhoto", STAFF_CHAT) if call.ok], 60)
    assert len(photos) == 1
    caption = photos[0].params["caption"]
    assert bare(caption).splitlines()[1:3] == [
        "Murojaatlar: 3 · hal boʻldi 1 · yopildi 0 · ochiq 2 · operatorda 0",
        "Odamsiz hal boʻldi: 100 % (1 / 1 tugagan)",
    ]
    assert api.calls("sendPhoto", PERSON) == []


def test_where_the_bot_may_send_no_pictures_the_text_comes_alone(bot: RunningBot) -> None:
    before = len(bot.api.answers(STAFF_CHAT))
    bot.api.fault("status", "sendPhoto", status=400)
    bot.api.send_text(STAFF, "/stats 30d", STAFF_CHAT)
    said = bare(bot.wait_for("Oxirgi 30 kun", STAFF_CHAT, after=before).text)
    assert "Kunma-kun" in said
    assert [message.text for message in bot.api.answers(STAFF_CHAT)[before:]] == [said]


def test_without_the_extra_the_text_comes_alone(tmp_path: Path) -> None:
    (tmp_path / "shadow" / "matplotlib").mkdir(parents=True)
    (tmp_path / "shadow" / "matplotlib" / "__init__.py").write_text("raise ImportError\n")
    (tmp_path / "data").mkdir()
    asyncio.run(fill(tmp_path / "data"))
    with RunningBot(tmp_path, prefix=("env", f"PYTHONPATH={tmp_path / 'shadow'}:{ROOT}")) as bot:
        bot.api.send_text(STAFF, "/stats", STAFF_CHAT)
        said = bare(bot.wait_for("Oxirgi 7 kun", STAFF_CHAT).text)
    assert said.splitlines()[-1] == "▇▇▇▇▇▇▇▇▇▇ 3 · kompyuterdagi DNS’ni tuzatish"


def test_what_was_told_is_on_the_scoreboard_under_the_row_that_told_it_and_right_once_the_phone_works(
    tmp_path: Path,
) -> None:
    with named() as dns, SipServer(always(200)) as sip, RunningBot(tmp_path, looking_at(dns, sip.port)) as bot:
        bot.says(f"C:\\>nslookup {HOST}\nServer:  UnKnown\nAddress:  192.168.1.1\n\nDNS request timed out.\n"
                 "    timeout was 2 seconds.\n*** Request to UnKnown timed-out")  # fmt: skip
        verdict = bot.wait_for("nomini topa olmayapti")
        bot.presses(verdict, "done")
        bot.wait_for("topa olyaptimi", after=bot.place_of(verdict))
        bot.says("На линии")
        bot.wait_for("serverga ulandi")
        bot.stop()  # it finishes what it holds
        (score,) = json.loads(bot.yordam("stats", "--json"))["scores"]
    assert (score["step"], score["given"], score["confirmed"]) == ("fix_dns", 1, 1)
    assert score["rule"] in {row.why for row in RULES if row.step is Step.FIX_DNS}
