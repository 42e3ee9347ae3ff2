"""Buttons under a ticket's card: answered at once, for the staff only, the first one has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.casefile import fold
from bot.model import EventKind, Kind, Status
from bot.standing import standing
from handlers.actions import BY_HAND
from handlers.keyboards import ASKABLE, canned
from handlers.staff import TOAST_MAX
from messages import load
from tests.fake_api import FakeApi
from tests.handlers.serving import GROUP, PERSON, STAFF, STAFF_2, STRANGER, Serving, populated, serving

WORDS = load("uz")


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as server:
        yield populated(server)


def data_of(message: object) -> list[str]:
    return [button.data for row in getattr(message, "buttons", ()) for button in row]


async def opened(bot: Serving, menu: str, number: int) -> None:
    """A sub-menu is open on the card."""
    await bot.presses(f"s:{number}:menu:{menu}", await bot.card(number))
    await bot.until(lambda: f"s:{number}:menu:first" in data_of(bot.cards(number)[0]))


async def test_menus_open_in_place_and_lead_back(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        number = await bot.opened()
        first = data_of(await bot.card(number))
        assert first == ["s:1:take", "s:1:menu:close", "s:1:menu:ask", "s:1:menu:canned", "s:1:check"]
        await opened(bot, "close", number)
        assert data_of(await bot.card(number)) == [f"s:1:close:{reason}" for reason in BY_HAND] + ["s:1:menu:first"]
        await bot.presses("s:1:menu:first", await bot.card(number))
        await bot.until(lambda: data_of(bot.cards(number)[0]) == first)
        await opened(bot, "ask", number)
        asked = [data.removeprefix("s:1:ask:") for data in data_of(await bot.card(number))[:-1]]
        assert asked == [kind.value for kind in ASKABLE if kind is not Kind.LIVE_REGISTER]  # nothing to watch it in
    assert len(api.calls("sendMessage", GROUP)) == 1


async def test_of_two_who_take_at_once_the_first_has_it_and_the_second_is_told_who(
    api: FakeApi, tmp_path: Path
) -> None:
    async with serving(api, tmp_path) as bot:
        number = await bot.opened()
        card = await bot.card(number)
        await bot.settled()
        before = len(api.calls("answerCallbackQuery"))
        api.press(STAFF, card.message_id, "s:1:take", chat=GROUP)
        api.press(STAFF_2, card.message_id, "s:1:take", chat=GROUP)
        said = await bot.until(lambda: (found := api.calls("answerCallbackQuery")[before:])[1:] and found)
        assert [call.params["text"] for call in said] == ["Murojaat sizda.", "Uni Nodir olgan."]
        assert "s:1:take" not in data_of(await bot.card(number, "🙋 Nodir"))
        taken = [event for event in (await bot.ticket(number)).events if event.kind is EventKind.TAKEN]
        assert [event.body for event in taken] == [{"by": "Nodir", "holder_id": STAFF}]


async def test_nobody_takes_what_has_ended(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        card = await bot.card(await bot.opened())
        await bot.service.actions.close(1, "staff", "Nodir", source="test:close")
        await bot.settled()
        api.press(STAFF, card.message_id, "s:1:take", chat=GROUP, force=True)
        await bot.settled()
        assert api.calls("answerCallbackQuery")[-1].params["text"] == "Bu murojaat allaqachon yopilgan."
        for order in ("/take 1", "/assign 1 @nodir", "/ask 1 ping"):
            assert (await bot.orders(order)).text == "№1 yopilgan. Avval qayta oching: /reopen 1"
        assert standing(await bot.ticket(1)).holder is None


async def test_two_who_are_called_the_same_are_two(api: FakeApi, tmp_path: Path) -> None:
    api.user(STAFF_2, "Nodir")
    async with serving(api, tmp_path) as bot:
        card = await bot.card(await bot.opened())
        said = [await bot.presses("s:1:take", card)]
        await bot.settled()
        api.press(STAFF_2, card.message_id, "s:1:take", chat=GROUP, force=True)
        await bot.settled()
        said.append(str(api.calls("answerCallbackQuery")[-1].params["text"]))
        assert said == ["Murojaat sizda.", "Uni Nodir olgan."]
        assert (await bot.orders("/tickets meniki", STAFF_2)).text == "Murojaat topilmadi."
        api.user(STAFF, "Nodirbek")  # a name may change, whose ticket it is does not
        assert "№1" in (await bot.orders("/tickets meniki", STAFF)).text


@pytest.mark.parametrize(
    ("reason", "status", "told"),
    [
        ("solved", Status.SOLVED, "hal boʻldi va yopildi"),
        ("staff", Status.CLOSED, "Murojaat №1 yopildi. Kerak boʻlsa"),
        ("no_answer", Status.CLOSED, "sizdan javob kelmadi"),
    ],
)
async def test_the_user_is_told_why_a_ticket_was_closed_once(
    api: FakeApi, tmp_path: Path, reason: str, status: Status, told: str
) -> None:
    async with serving(api, tmp_path) as bot:
        number = await bot.opened()
        await opened(bot, "close", number)
        card = await bot.card(number)
        assert await bot.presses(f"s:1:close:{reason}", card) == "Yopyapman."
        await bot.hears(told, PERSON)
        await bot.until(lambda: data_of(bot.cards(number)[0]) == ["s:1:reopen"])
        api.press(STAFF_2, card.message_id, f"s:1:close:{reason}", chat=GROUP, force=True)
        await bot.settled()
        assert ((await bot.ticket(number)).status, len(api.answers(PERSON))) == (status, 1)
        texts = [str(call.params.get("text")) for call in api.calls("answerCallbackQuery")]
        assert texts[-1] == "Bu murojaat allaqachon yopilgan."


async def test_a_closed_ticket_can_be_opened_again_and_the_server_is_looked_at(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        number = await bot.opened()
        await bot.card(number)
        await bot.service.actions.close(number, "staff", "Nodir", source="test:close")
        await bot.until(lambda: data_of(bot.cards(number)[0]) == ["s:1:reopen"])
        assert await bot.presses("s:1:reopen", await bot.card(number)) == "Qayta ochyapman."
        await bot.hears("№1 murojaatingiz qayta ochildi", PERSON)
        await bot.settled()
        kinds = [event.kind for event in (await bot.ticket(number)).events]
        assert kinds.index(EventKind.REOPENED) < kinds.index(EventKind.CHECKED)
        assert await bot.presses("s:1:menu:close", await bot.card(number)) == ""


async def test_the_user_is_asked_for_what_staff_choose(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        number = await bot.opened()
        await opened(bot, "ask", number)
        await bot.presses("s:1:ask:nslookup", await bot.card(number))
        asked = await bot.hears("nslookup call.soundz.uz", PERSON)
        assert asked.text.startswith("Operator soʻrayapti:")
        api.send_text(PERSON, "C:\\>nslookup call.soundz.uz\nServer: UnKnown\nAddress: 192.168.1.1\n\n"
                      "*** UnKnown can't find call.soundz.uz: Non-existent domain")  # fmt: skip
        await bot.until(lambda: api.answers(PERSON)[1:])
        await bot.settled()
        events = (await bot.ticket(number)).events
        assert [event.body["question"] for event in events if event.kind is EventKind.ASKED] == ["nslookup"]
        assert [event.body["reading"]["status"] for event in events if event.kind is EventKind.READ] == ["nxdomain"]


@pytest.mark.parametrize("kind", [kind for kind in ASKABLE if f"ask.{kind}.command" in WORDS])
async def test_what_staff_ask_for_is_read_as_its_answer(api: FakeApi, tmp_path: Path, kind: Kind) -> None:
    async with serving(api, tmp_path) as bot:
        number = await bot.opened()
        await bot.presses("s:1:menu:ask", await bot.card(number))
        await bot.settled()
        await bot.presses(f"s:1:ask:{kind}", await bot.card(number))
        await bot.hears("Operator soʻrayapti", PERSON)
        await bot.settled()
        assert fold(await bot.ticket(number)).asked is kind
        api.send_text(PERSON, WORDS.plain(f"ask.{kind}.example", host="call.soundz.uz"))
        await bot.card(number, f"Oʻqildi: {WORDS.plain(f'kind.{kind}')}")
        assert fold(await bot.ticket(number)).asked is None


async def test_a_ready_answer_is_shown_by_the_first_tap_and_sent_by_the_second(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        number = await bot.opened()
        await opened(bot, "canned", number)
        assert data_of(await bot.card(number))[:-1] == [f"s:1:canned:{name}" for name in canned(WORDS)]
        shown = await bot.presses("s:1:canned:working", await bot.card(number))
        assert (shown, api.answers(PERSON)) == (WORDS.plain("canned.working.text"), [])
        await bot.until(lambda: data_of(bot.cards(number)[0]) == ["s:1:send:working", "s:1:menu:canned"])
        assert await bot.presses("s:1:send:working", await bot.card(number)) == "Joʻnatyapman."
        sent = await bot.hears("Murojaatingizni koʻryapmiz", PERSON)
        assert sent.text == f"Operator: {WORDS.plain('canned.working.text')}"
        await bot.until(lambda: "s:1:menu:canned" in data_of(bot.cards(number)[0]) and len(api.answers(PERSON)) == 1)


@pytest.mark.parametrize(
    ("data", "said"), [("s:1:ask:ping", "ping -n 10"), ("s:1:send:working", "Murojaatingizni koʻryapmiz")]
)
async def test_a_second_tap_says_nothing_twice(api: FakeApi, tmp_path: Path, data: str, said: str) -> None:
    async with serving(api, tmp_path) as bot:
        card = await bot.card(await bot.opened())
        for _ in range(2):  # the second after the first was done with: its button still stood there
            api.press(STAFF, card.message_id, data, chat=GROUP, force=True)
            await bot.settled()
        assert [said in m.text for m in api.answers(PERSON)] == [True]


@pytest.mark.parametrize("data", [*(f"s:1:ask:{kind}" for kind in ASKABLE), "s:1:send:working"])
async def test_who_takes_no_messages_is_not_asked_and_staff_are_told(tmp_path: Path, data: str) -> None:
    with FakeApi() as server:
        api = populated(server, forum=True)
        async with serving(api, tmp_path) as bot:
            card = await bot.card(await bot.opened())
            api.block(PERSON)
            await bot.settled()
            api.press(STAFF, card.message_id, data, chat=GROUP, force=True)
            await bot.settled()
            told = [m.thread_id for m in api.answers(GROUP) if "botni toʻxtatib qoʻygan, javoblar" in m.text]
            assert told == [card.thread_id] * 2  # when he blocked the bot, and upon the press
            assert EventKind.ASKED not in {event.kind for event in (await bot.ticket(1)).events}
            assert (await bot.orders("/ask 1 ping")).text == "Yetkazib boʻlmadi: foydalanuvchi botni toʻxtatgan."


async def test_checks_made_now_appear_on_the_card(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        number = await bot.opened()
        assert "9/UDP ?" in (await bot.card(number)).text
        said = await bot.presses("s:1:check", await bot.card(number))
        await bot.card(number, "9/UDP ❌")  # nobody answers on that port
        await bot.settled()
        checked = [event for event in (await bot.ticket(number)).events if event.kind is EventKind.CHECKED]
        assert (said, [event.body["by"] for event in checked]) == ("Tekshiryapman, natija kartada chiqadi.", ["Nodir"])


@pytest.mark.parametrize("who", [STRANGER, PERSON, 1087968824, 777000])
async def test_who_is_not_of_the_staff_is_refused_politely_and_noted(
    api: FakeApi, tmp_path: Path, caplog: pytest.LogCaptureFixture, who: int
) -> None:
    tried = ("s:1:take", "s:1:close:solved", "s:1:ask:ping", "s:1:send:working", "s:1:check", "s:1:menu:close")
    async with serving(api, tmp_path) as bot:
        number = await bot.opened()
        card = await bot.card(number)
        await bot.settled()
        events = len((await bot.ticket(number)).events)
        for data in tried:
            api.press(who, card.message_id, data, chat=GROUP, force=True)
        said = await bot.until(lambda: (found := api.calls("answerCallbackQuery"))[len(tried) - 1 :] and found)
        await bot.settled()
        assert [call.params["text"] for call in said] == ["Bu tugmalar faqat operatorlar uchun."] * len(tried)
        assert len((await bot.ticket(number)).events) == events
        assert [m.buttons for m in bot.cards(number)] == [card.buttons]
    assert [data for data in tried if f"refused: user {who} in chat {GROUP}: button '{data}'" in caplog.text] == [
        *tried
    ]


async def test_a_staff_button_pressed_outside_the_staff_chat_does_nothing(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        number = await bot.opened(STAFF, "Nodir")
        await bot.card(number)
        await bot.service.actions.ask(number, Kind.PING, "Sevara", source="test:ask")
        question = await bot.hears("ping -n 10", STAFF)
        api.press(STAFF, question.message_id, "s:1:close:solved", force=True)  # forged, in private
        await bot.until(lambda: api.calls("answerCallbackQuery"))
        await bot.settled()
        assert (await bot.ticket(number)).status is Status.ESCALATED


async def test_a_button_of_another_version_says_that_it_is_old(api: FakeApi, tmp_path: Path) -> None:
    strange = ("s:99:take", "s:1:dance", "s:1:close:incident", "s:1:ask:tea", "s:x:take", "s:²:take", "s:")
    async with serving(api, tmp_path) as bot:
        number = await bot.opened()
        card = await bot.card(number)
        for data in strange:
            api.press(STAFF, card.message_id, data, chat=GROUP, force=True)
        said = await bot.until(lambda: (found := api.calls("answerCallbackQuery"))[len(strange) - 1 :] and found)
        assert [call.params["text"] for call in said] == ["Bu tugma eskirgan."] * len(strange)
        assert standing(await bot.ticket(number)).taken_by is None


async def test_a_press_on_a_card_too_old_to_read_still_works(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        number = await bot.opened()
        card = await bot.card(number)
        api.press(STAFF, card.message_id, "s:1:menu:close", chat=GROUP, inaccessible=True)
        await bot.until(lambda: "s:1:close:solved" in data_of(bot.cards(number)[0]))


def test_every_button_of_every_menu_fits_telegram() -> None:
    for name in canned(WORDS):
        assert len(f"s:999999999:canned:{name}".encode()) <= 64
        text = WORDS.plain(f"canned.{name}.text", host="call.soundz.uz", port=5060)
        assert len(text) <= TOAST_MAX  # it is read whole before it is sent
