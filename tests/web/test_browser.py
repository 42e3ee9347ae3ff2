"""One of the staff at work in a real browser, beside a running bot: from the link in the chat to a closed ticket."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.orders import new_order_id
from bot.passes import new_pass
from tests.running import PERSON, STAFF, STAFF_CHAT, RunningBot
from tests.web.served import CSRF, Served, order, seen

pytest.importorskip("datasette", reason="the extra 'web' is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not installed")
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningBot, Served]]:
    folder = tmp_path_factory.mktemp("browser")
    page = Served(folder)
    with RunningBot(folder, {"PBX_ON_THIS_HOST": "no", "WEB_URL": page.url}) as running, page:
        yield running, page


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=[PHONE, DESK], ids=["phone", "desk"])
def tab(request: pytest.FixtureRequest, chromium: Any) -> Iterator[Any]:
    """A browser's tab; nothing of its pages is kept out by the pages' own Content Security Policy."""
    context = chromium.new_context(viewport=request.param)
    page, said = context.new_page(), []
    page.set_default_timeout(15_000)
    page.on("console", lambda message: said.append(message.text))
    yield page
    context.close()
    assert [text for text in said if "Policy" in text] == []


def link_from_the_chat(bot: RunningBot) -> str:
    """What the bot answers to /web."""
    before = len(bot.api.answers(STAFF))
    bot.api.send_text(STAFF, "/web")
    message = bot.wait_for("/login?t=", STAFF, after=before)
    found = re.search(r"http://\S+", message.text)
    assert found is not None
    assert list(message.buttons) == []  # Telegram refuses a button to this very computer
    return found[0]


def waiting_ticket(bot: RunningBot, person: int, name: str) -> int:
    """A person who asks for a human; the number of the ticket."""
    bot.api.user(person, name)
    bot.api.send_text(person, "/operator")
    message = bot.wait_for("Operatorga xabar berdim", person)
    return int(re.search(r"№(\d+)", message.text)[1])  # type: ignore[index]


def follow_from_another_site(tab: Any, address: str) -> None:
    """Presses a link as it stands in Telegram's web client: the navigation is cross-site, strict cookies stay home."""
    page = f'<!doctype html><link rel="icon" href="data:,"><a href="{address}">havola</a>'
    tab.route("http://telegram.test/", lambda route: route.fulfill(body=page, content_type="text/html"))
    tab.goto("http://telegram.test/")
    tab.get_by_role("link", name="havola").click()


def overflows(tab: Any) -> bool:
    """Whether the page is wider than the screen."""
    return bool(tab.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def test_from_the_link_to_a_closed_ticket(bot: tuple[RunningBot, Served], tab: Any) -> None:
    running, _ = bot
    person = PERSON + tab.viewport_size["width"]
    number = waiting_ticket(running, person, "Dilnoza Yoʻldosheva")
    link = link_from_the_chat(running)

    follow_from_another_site(tab, link)
    tab.get_by_role("button", name="Kirish").click()
    tab.wait_for_url("**/")
    assert not overflows(tab)

    tab.get_by_role("link", name="Operator kutyapti", exact=True).click()
    tab.get_by_label("Qidirish").fill("Йўлдошева")
    tab.get_by_label("Qidirish").press("Enter")
    tab.locator(f'a.line[href="/tickets/{number}"]').click()
    assert tab.locator("h1").inner_text().startswith(f"№{number}")
    assert not overflows(tab)

    tab.get_by_label("Murojaatchiga javob").fill("Salom, hozir <b>qarab</b> chiqaman")
    tab.get_by_role("button", name="Joʻnatish").click()
    tab.get_by_text("bajarildi").first.wait_for()
    assert running.wait_for("hozir <b>qarab</b> chiqaman", person).text.startswith("Operator:")

    tab.get_by_label("Operatorlar uchun eslatma").fill("routeri eski")
    tab.get_by_role("button", name="Saqlash").click()
    tab.locator(".timeline .note", has_text="routeri eski").wait_for()

    tab.get_by_label("Yopish sababi").select_option("no_answer")
    tab.get_by_role("button", name="Murojaatni yopish").click()
    tab.locator("header.case .status-closed").wait_for()
    running.wait_for(f"№{number} yopildi", person)
    assert [message.text for message in running.api.answers(person) if "routeri eski" in message.text] == []

    tab.get_by_role("button", name="Qayta ochish").click()
    tab.locator("header.case .status-open, header.case .status-escalated").wait_for()
    running.wait_for("qayta ochildi", person)

    follow_from_another_site(tab, link)  # used up; who is in is one tap from the list
    assert "Havola eskirgan" in tab.locator("main").inner_text()
    tab.get_by_role("link", name="Kirgan boʻlsangiz").click()
    tab.locator(f'a.line[href="/tickets/{number}"]').wait_for()


def test_a_link_from_elsewhere_into_the_page_is_one_tap_from_working(bot: tuple[RunningBot, Served], tab: Any) -> None:
    running, served = bot
    tab.goto(link_from_the_chat(running))
    tab.get_by_role("button", name="Kirish").click()
    tab.wait_for_url("**/")
    follow_from_another_site(tab, f"{served.url}/numbers?days=7")
    tab.get_by_role("link", name="Kirgan boʻlsangiz").click()
    assert tab.locator("h1").inner_text() == "Raqamlar"
    assert tab.url == f"{served.url}/numbers?days=7"


def test_the_keyboard_reaches_everything_that_acts(bot: tuple[RunningBot, Served], tab: Any) -> None:
    running, served = bot
    number = waiting_ticket(running, 7000 + tab.viewport_size["width"], "Bobur")
    tab.goto(link_from_the_chat(running))
    tab.get_by_role("button", name="Kirish").press("Enter")
    tab.wait_for_url("**/")
    tab.goto(f"{served.url}/tickets/{number}")
    reached = set()
    for _ in range(60):
        tab.keyboard.press("Tab")
        reached.add(tab.evaluate("(document.activeElement.name || document.activeElement.innerText || '').trim()"))
    assert {
        "text",
        "reason",
        "Joʻnatish",
        "Saqlash",
        "Murojaatni yopish",
        "Oʻzimga olish",
        "Chiqish",
    } - reached == set()


def test_no_name_or_tag_makes_the_page_wider_than_the_screen(bot: tuple[RunningBot, Served], tab: Any) -> None:
    running, served = bot
    number = waiting_ticket(running, 8000 + tab.viewport_size["width"], "علي" + "W" * 61)
    with served.logged_in(served.word(new_pass(STAFF, "W" * 64))) as browser:
        order(browser, number, action="take")
        order(browser, number, action="note", text="W" * 1000)
        running.api.send_text(STAFF, f"/tag {number} {'w' * 64}", STAFF_CHAT)
        running.api.wait_for(lambda: 'class="tag">w' in browser.get(f"/tickets/{number}").text)
    tab.goto(link_from_the_chat(running))
    tab.get_by_role("button", name="Kirish").click()
    tab.wait_for_url("**/")
    wide = []
    for path in ("/", f"/tickets/{number}", "/numbers", "/incidents"):
        tab.goto(f"{served.url}{path}")
        wide += [path] if overflows(tab) else []
    assert wide == []


def test_a_stranger_gets_no_link_and_no_hint_of_the_page(bot: tuple[RunningBot, Served]) -> None:
    running, _ = bot
    running.api.user(PERSON, "Aziza")
    running.says("/web")
    running.wait_for("/diagnose")
    assert [message.text for message in running.api.answers(PERSON) if "login?t=" in message.text] == []


def test_an_order_of_somebody_who_left_the_staff_is_not_carried_out(bot: tuple[RunningBot, Served]) -> None:
    running, served = bot
    number = waiting_ticket(running, 7500, "Malika")
    served.staff(STAFF, 901)  # the page knows 901, the bot does not
    with served.logged_in(served.word(new_pass(901, "Kecha"))) as browser:
        assert order(browser, number, action="close", reason="staff").status_code == 303
        running.api.wait_for(lambda: "rad etildi" in browser.get(f"/tickets/{number}").text)
        assert 'class="pill status-escalated"' in browser.get(f"/tickets/{number}").text
    served.staff(STAFF)


def test_what_was_ordered_from_a_form_older_than_the_persons_wish_to_be_forgotten_is_not_done(
    bot: tuple[RunningBot, Served],
) -> None:
    running, served = bot
    number = waiting_ticket(running, PERSON, "Aziza")
    with served.logged_in() as browser:
        token = CSRF.search(browser.get(f"/tickets/{number}").text)
        assert token is not None
        running.says("/forget_me")
        question = running.wait_for("Maʼlumotlaringiz oʻchirilsinmi")
        running.presses(question, "forget")
        running.wait_for("Oʻchirildi ✅", timeout=60)
        for action in ("reply", "note", "close"):
            fields = {"csrftoken": token[1], "order": new_order_id(), "action": action, "text": "Aziza, salom"}
            browser.post(f"/tickets/{number}/orders", data={**fields, "reason": "solved"})
        running.api.wait_for(lambda: seen(browser.get(f"/tickets/{number}")).count("maʼlumotlar oʻchirilgan") == 3)
        assert "Aziza" not in seen(browser.get(f"/tickets/{number}"))
    assert [message.text for message in running.api.answers(PERSON) if "Aziza" in message.text] == []


def test_what_was_ordered_while_the_bot_was_away_is_done_once_when_it_is_back(
    bot: tuple[RunningBot, Served],
) -> None:
    running, served = bot
    number = waiting_ticket(running, 7600, "Sardor")
    running.stop(signal.SIGKILL)
    with served.logged_in() as browser:
        order(browser, number, action="reply", text="kutib turing")
        assert "yuborilmoqda" in browser.get(f"/tickets/{number}").text
        running.start()
        running.wait_for("kutib turing", 7600)
        running.api.wait_for(lambda: "bajarildi" in browser.get(f"/tickets/{number}").text)
        running.stop(signal.SIGKILL)
        running.start()
        order(browser, number, action="reply", text="ikkinchi")
        running.wait_for("ikkinchi", 7600)
    sent = [message.text for message in running.api.answers(7600) if "kutib turing" in message.text]
    assert sent == ["Operator: kutib turing"]
