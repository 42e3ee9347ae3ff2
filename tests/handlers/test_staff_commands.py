"""Commands of the staff: what each does, who may, and how a ticket is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.model import EventKind, Status
from bot.standing import Standing, standing
from handlers.app import STAFF_COMMANDS, USER_COMMANDS
from handlers.staff_commands import aim
from tests.fake_api import FakeApi
from tests.handlers.serving import GROUP, PERSON, STAFF, STAFF_2, STRANGER, populated, serving


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as server:
        yield populated(server)


@pytest.mark.parametrize(
    ("words", "here", "needs", "meant"),
    [
        (["15"], None, 0, (15, [])),
        (["№15", "x"], None, 1, (15, ["x"])),
        (["#15"], None, 0, (15, [])),
        ([], None, 0, (None, [])),
        (["x"], None, 1, (None, ["x"])),
        ([], 7, 0, (7, [])),
        (["15"], 7, 0, (15, [])),
        (["15"], 7, 1, (7, ["15"])),  # a tag, or somebody's id
        (["15", "x"], 7, 1, (15, ["x"])),
        (["#15", "x"], 7, 1, (15, ["x"])),
        (["hal", "boʻldi"], 7, 0, (7, ["hal", "boʻldi"])),
        (["9" * 30], None, 0, (None, ["9" * 30])),
        (["²"], None, 0, (None, ["²"])),
    ],
)
def test_a_ticket_is_named_by_number_or_by_place(
    words: list[str], here: int | None, needs: int, meant: tuple[int | None, list[str]]
) -> None:
    assert aim(words, here, needs) == meant


async def test_each_deed_by_command_is_logged_and_shown_on_the_card(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        number = await bot.opened()
        await bot.card(number)
        for text, answer in (
            ("/take 1", "№1 – Nodir zimmasida."),
            ("/assign 1 Sevara", "№1 – Sevara zimmasida."),
            ("/assign 1 @nodir", "№1 – Nodir zimmasida."),
            (f"/assign 1 {STAFF_2}", "№1 – Sevara zimmasida."),
            ("/assign 1 @hech_kim", "Bunday operatorni topmadim. @nomini yoki ID raqamini yozing."),
            ("/tag №1 VIP #provayder", "№1 belgilari: #vip #provayder"),
            ("/tag 1 -vip", "№1 belgilari: #provayder"),
            ("/priority 1 shoshilinch", "№1: shoshilinch."),
            ("/note 1 15 ta telefon,\nhammasi bitta xonada", "№1 uchun eslatma yozildi, foydalanuvchi koʻrmaydi."),
            ("/close 1 Yangi router oʻrnatildi", "№1 yopildi."),
            ("/close 1", "№1 allaqachon yopilgan."),
            ("/reopen 1", "№1 qayta ochildi, serverni yana tekshiryapman."),
            ("/reopen 1", "№1 ochiq turibdi."),
            ("/ask 1 ping", "№1: foydalanuvchidan soʻradim (ping)."),
            ("/take 9", "Bunday murojaat yoʻq."),
        ):
            assert (await bot.orders(text)).text == answer
        ticket = await bot.ticket(number)
        notes = [event.body for event in ticket.events if event.kind is EventKind.NOTE]
        assert notes == [{"text": "15 ta telefon,\nhammasi bitta xonada", "by": "Nodir"}]
        assert standing(ticket) == Standing(None, "high", ("provayder",))  # who opens again sets it free
        heard = [m.text for m in api.answers(PERSON)]
        assert heard[0] == "Murojaat №1 yopildi. Operator: Yangi router oʻrnatildi"
        assert not any("telefon," in text for text in heard)


async def test_a_command_without_what_it_needs_shows_how_it_is_written(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        for command in ("ticket", "take", "close", "reopen", "note", "ask", "assign", "tag", "priority"):
            assert f"/{command} 15" in (await bot.orders(f"/{command}")).text


async def test_a_ticket_is_given_to_nobody_when_two_are_called_the_same(api: FakeApi, tmp_path: Path) -> None:
    api.user(STAFF_2, "Nodir", last_name="Karimov")
    async with serving(api, tmp_path) as bot:
        await bot.opened()
        assert (await bot.orders("/assign 1 nodir")).text.startswith("Bunday operatorni topmadim")
        assert (await bot.orders("/assign 1 @nodir")).text == "№1 – Nodir zimmasida."
        assert (await bot.orders("/assign 1 nodir karimov")).text == "№1 – Nodir Karimov zimmasida."


async def test_in_its_topic_or_in_reply_to_its_card_a_ticket_needs_no_number(tmp_path: Path) -> None:
    with FakeApi() as server:
        forum = populated(server, forum=True)
        async with serving(forum, tmp_path) as bot:
            for person in (1001, 1002):
                await bot.opened(person)
            thread = (await bot.card(2)).thread_id
            assert thread is not None
            answer = await bot.orders("/tag 1002", thread=thread)
            assert (answer.text, answer.thread_id) == ("№2 belgilari: #1002", thread)
            assert (await bot.orders("/take", reply_to=(await bot.card(1)).message_id)).text == "№1 – Nodir zimmasida."
            assert (await bot.orders("/close hal bo'ldi", thread=thread)).text == "№2 yopildi."
            assert (await bot.ticket(2)).status is Status.SOLVED


async def test_a_list_is_narrowed_by_holder_status_and_words_and_urgent_ones_come_first(
    api: FakeApi, tmp_path: Path
) -> None:
    async with serving(api, tmp_path) as bot:
        for person, name in ((1001, "Anvar"), (1002, "Barno"), (1003, "Vali")):
            await bot.opened(person, name)
        await bot.service.actions.take(2, "Nodir", source="test:take")
        await bot.service.actions.priority(2, "high", "Nodir", source="test:high")
        await bot.service.actions.close(3, "staff", "Nodir", source="test:close")

        async def listed(text: str) -> list[str]:
            return [line.split(" ·")[0] for line in (await bot.orders(text)).text.split("\n") if line.startswith("№")]

        asked = ("", " mine", " yopiq", " hammasi", " Anvar", " hammasi vali")
        assert {words: await listed(f"/tickets{words}") for words in asked} == {
            "": ["№2", "№1"],
            " mine": ["№2"],
            " yopiq": ["№3"],
            " hammasi": ["№2", "№1", "№3"],
            " Anvar": ["№1"],
            " hammasi vali": ["№3"],
        }
        assert (await bot.orders("/tickets yopiq")).text.split("\n")[0] == "Murojaatlar: 1"  # none of them is open
        assert (await bot.orders("/tickets meniki", by=STAFF_2)).text == "Murojaat topilmadi."


async def test_one_ticket_is_shown_with_its_buttons_and_its_log(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        await bot.opened()
        shown = await bot.orders("/ticket 1")
        assert shown.text.startswith("№1 · Aziza · ichki raqam: 1002")
        assert "operator chaqirildi" in shown.text
        assert "s:1:take" in [button.data for row in shown.buttons for button in row]


async def test_of_a_long_ticket_the_card_is_whole_and_the_newest_of_the_log_stand_below(
    api: FakeApi, tmp_path: Path
) -> None:
    async with serving(api, tmp_path) as bot:
        number = await bot.opened()
        tickets = bot.service.desk.tickets
        await tickets.append(number, EventKind.EVIDENCE, {"media": "text", "text": "qator <&>\n" * 300})
        for n in range(40):
            await tickets.append(number, EventKind.NOTE, {"text": f"eslatma-{n} " + "<b>😀&\n" * 40, "by": "Nodir"})
        shown = await bot.orders("/ticket 1")
        heads = [line for line in shown.text.split("\n") if "eslatma-" in line]
        numbers = [int(line.split("eslatma-")[1].split()[0]) for line in heads]
        assert (numbers, len(numbers) > 10) == ([*range(40 - len(numbers), 40)], True)
        assert "expandable_blockquote" in {entity["type"] for entity in shown.raw["entities"]}
    assert api.refused() == []


# Who may do what: every command of the staff, by everybody there is.
ONLY_STAFF = [name for name in STAFF_COMMANDS if name not in USER_COMMANDS]
WORDS = {"note": "1 matn", "ask": "1 ping", "assign": f"1 {STAFF}", "tag": "1 vip", "priority": "1 high"}
DEEDS = ("take", "close", "reopen", "note", "ask", "assign", "tag", "priority")


@pytest.mark.parametrize("who", [STAFF, STAFF_2])
async def test_each_of_the_staff_may_do_everything_in_their_group(api: FakeApi, tmp_path: Path, who: int) -> None:
    async with serving(api, tmp_path) as bot:
        number = await bot.opened()
        await bot.settled()
        for command in DEEDS:
            before = len((await bot.ticket(number)).events)
            await bot.orders(f"/{command} {WORDS.get(command, number)}", by=who)
            assert (command, len((await bot.ticket(number)).events) > before) == (command, True)


@pytest.mark.parametrize(
    ("who", "where"),
    [
        (STRANGER, GROUP),
        (PERSON, GROUP),
        (1087968824, GROUP),  # an anonymous admin of any group
        (777000, GROUP),
        (STAFF, STAFF),  # in private nobody is staff
        (PERSON, PERSON),
        (STAFF, -100999),  # another group
    ],
)
async def test_nobody_else_may_do_anything_anywhere_and_each_attempt_is_noted(
    api: FakeApi, tmp_path: Path, caplog: pytest.LogCaptureFixture, who: int, where: int
) -> None:
    api.group(-100999, "Boshqa guruh")
    async with serving(api, tmp_path) as bot:
        number = await bot.opened()
        await bot.settled()
        before, shown = (await bot.ticket(number)).events, [m.text for m in api.answers(GROUP)]
        for command in ONLY_STAFF:
            api.send_text(who, f"/{command} {WORDS.get(command, number)}", chat=where)
            await bot.until(lambda: not api.pending())
            await bot.settled()
        assert (await bot.ticket(number)).events == before
        said = [m.text for m in api.answers(GROUP) if "anonim" not in m.text]
        told = {m.text.split(".")[0] for m in api.answers(where)} if where != GROUP else set()
    assert (said, told) == (shown, {"Bu buyruq faqat operatorlar guruhida ishlaydi"} if where > 0 else set())
    noted = [name for name in ONLY_STAFF if f"refused: user {who} in chat {where}: command '/{name}'" in caplog.text]
    assert noted == ONLY_STAFF


async def test_what_users_order_does_nothing_in_the_staff_chat(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        for command in USER_COMMANDS:
            if command not in STAFF_COMMANDS:
                api.send_text(STAFF, f"/{command}", chat=GROUP)
        await bot.until(lambda: not api.pending())
        await bot.settled()
        assert await bot.service.desk.tickets.list() == ()
        assert {m.text.split(",")[0] for m in api.answers(GROUP)} == {"Bunday buyruq yoʻq"}


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ({"text": "/clsoe 1"}, "Bunday buyruq yoʻq"),
        ({"text": "/diagnose ni yana bosing"}, "Bunday buyruq yoʻq"),  # meant for the user, whom it does not reach
        (
            {"text": "/close 1", "forward_origin": {"type": "hidden_user", "sender_user_name": "A", "date": 1}},
            "Uzatilgan",
        ),
        ({"caption": "/close 1"}, "Rasm yoki fayl ostidagi"),
        ({"text": "/close@boshqa_bot 1"}, None),
        ({"text": "/close@Yordam_Bot 1"}, "№1 yopildi"),
    ],
)
async def test_what_is_no_order_does_nothing_and_says_so(
    api: FakeApi, tmp_path: Path, said: dict[str, Any], answer: str | None
) -> None:
    async with serving(api, tmp_path) as bot:
        card = await bot.card(await bot.opened())
        await bot.settled()
        before = len(api.answers(GROUP))
        if "caption" in said:
            api.send_photo(STAFF, chat=GROUP, reply_to=card.message_id, **said)
        else:
            api.send(STAFF, GROUP, reply_to=card.message_id, **said)
        await bot.settled()
        answers = [m.text for m in api.answers(GROUP)[before:]]
        assert [text[: len(answer or "")] for text in answers] == ([answer] if answer else [])
        closed = answer == "№1 yopildi"
        assert ((await bot.ticket(1)).status is Status.CLOSED, len(api.answers(PERSON))) == (closed, int(closed))


@pytest.mark.parametrize("where", [STRANGER, GROUP])
async def test_a_link_that_a_stranger_asks_for_is_refused_and_noted(
    api: FakeApi, tmp_path: Path, caplog: pytest.LogCaptureFixture, where: int
) -> None:
    async with serving(api, tmp_path) as bot:
        api.send_text(STRANGER, "/web", chat=where)
        await bot.settled()
    assert f"refused: user {STRANGER} in chat {where}: command '/web'" in caplog.text
    assert ["MicroSIP ulanmayaptimi?" in m.text for m in api.answers(where)] == ([True] if where == STRANGER else [])


async def test_who_asks_somebody_that_takes_no_messages_is_told_so_once(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        await bot.card(await bot.opened())
        await bot.settled()
        api.chats.chats[PERSON].state = "blocked"  # and the update that tells it is still to come
        before = len(api.answers(GROUP))
        answer = await bot.orders("/ask 1 ping")
        await bot.settled()
        assert [m.text for m in api.answers(GROUP)[before:]] == [answer.text]


async def test_a_staff_command_in_private_says_where_it_works(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        api.send_text(PERSON, "/close 1")
        assert "faqat operatorlar guruhida" in (await bot.hears("Bu buyruq", PERSON)).text
        assert await bot.service.desk.tickets.list() == ()


async def test_who_hides_behind_the_group_is_told_why_nothing_happens(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        api.user(1087968824, "Group", username="GroupAnonymousBot")
        assert "anonim" in (await bot.orders("/tickets", by=1087968824)).text


async def test_what_changes_nothing_on_the_card_costs_the_group_no_call(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        await bot.card(await bot.opened())
        await bot.orders("/tag 1 vip")  # an edit: of a card that was only posted the bot does not know what it shows
        await bot.card(1, "#vip")
        await bot.settled()
        before = len(api.calls("editMessageText", GROUP))
        await bot.orders("/note 1 routeri eski")
        await bot.orders("/tag 1 vip")
        await bot.settled()
        assert len(api.calls("editMessageText", GROUP)) == before
        await bot.orders("/tag 1 -vip")
        await bot.until(lambda: "#vip" not in bot.cards(1)[0].text)


async def test_help_names_every_command_and_who_may(api: FakeApi, tmp_path: Path) -> None:
    async with serving(api, tmp_path) as bot:
        text = (await bot.orders("/help")).text
        assert [name for name in STAFF_COMMANDS if f"/{name} – " not in text] == []
        assert "STAFF_IDS" in text


async def test_each_of_the_staff_is_offered_their_commands_in_their_group_and_strangers_are_not(
    api: FakeApi, tmp_path: Path
) -> None:
    async with serving(api, tmp_path) as bot:
        await bot.until(lambda: len(api.calls("setMyCommands")) >= 10)
    offered = [
        (json.loads(call.params["scope"]), [command["command"] for command in json.loads(call.params["commands"])])
        for call in api.calls("setMyCommands")
        if "language_code" not in call.params
    ]
    staff = [
        menu
        for user in (STAFF, STAFF_2)
        for menu in (
            ({"type": "chat_member", "chat_id": GROUP, "user_id": user}, [*STAFF_COMMANDS]),
            ({"type": "chat", "chat_id": user}, [*USER_COMMANDS, "web"]),
        )
    ]
    assert offered == [({"type": "all_private_chats"}, [*USER_COMMANDS]), *staff]
