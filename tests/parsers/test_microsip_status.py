"""Laws of the status bar's words: what reports a status, and what only speaks about one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Context, Finding, Tag
from bot.parsers.microsip_status import STATUS_LABELS, parse, status_finding
from bot.parsers.page import Page

REPORTS = {
    "timeout": [
        "408", "timeout", "taym-aut", "тайм аут", "Тайм-аут запроса", "Request Timeout", "408 chiqyapti", "408 xatosi",
        "taymaut bo'lyapti", "Request Timeout (408)", "pastda Тайм-аут запроса deb turibdi", "таймаут чиқяпти",
        "nega taym-aut chiqyapti?", "Vaqtni talab qilish", "Вақтни талаб қилиш", "ошибка 408", "«Тайм-аут запроса»",
        "408 chiqyapti, nima qilay?", "avval ulanmoqda, keyin request timeout", "REQUEST TIMEOUT", "у меня тайм-аут",
        "Assalomu alaykum. MicroSIP da Request Timeout chiqyapti nima qilsam bo'ladi", "Сервер вернул код ошибки: 408",
    ],
    "no_server": [
        "сервер не найден", "Bad Gateway", "Соединение не удалось", "Connection Failed", "502", "server topilmadi",
        "Ulanish amalga oshmadi", "Yomon shlyuz", "сервер не найден чиқяпти",
    ],
    "wrong_password": [
        "noto'g'ri parol", "Noto‘g‘ri parol", "Notoʻgʻri parol", "нотўғри парол", "неправильный пароль chiqyapti",
        "login oynasi ochilaveradi", "parol so'rayapti", "parol so‘rayveradi", "Incorrect Password", "Неверный пароль",
        "parol xato deyapti", "403 chiqyapti", "Forbidden", "просит пароль постоянно", "логин ойнаси очилаверади",
    ],
    "connecting": ["ulanmoqda", "Ulanmoqda...", "connecting deb turibdi", "Соединение...", "уланмоқда"],
    "online": ["Online", "Onlayn", "На линии", "online turibdi", "онлайн", "Online (Auto Answer)"],
    "idle": ["Idle", "Свободен", "Bo'sh", "bo‘sh deb turibdi"],
    "offline": ["Offline", "Не в сети", "Oflayn", "offline turibdi"],
    "unavailable": ["Service Unavailable", "Сервис недоступен", "503", "Xizmat ish faoliyatida emas"],
    "not_found": ["Not Found", "Не найдено", "Topilmadi", "404 chiqyapti"],
    "server_error": ["500", "Server Internal Error", "Ошибка сервера", "Internal Server Error chiqyapti"],
    "no_network": ["Network is unreachable", "Сеть недоступна", "Tarmoq ulanishi mavjud emas."],
    "sockets_failed": ["Unable to initialize network sockets.", "Невозможно инициализировать сетевые сокеты."],
    "no_account": ["pastda faqat MicroSIP yozilgan", "microsip deb turibdi"],
    "other_code": ["Bad Request", "Method Not Allowed", "Response Code: 486"],
}  # fmt: skip

NO_REPORTS = [
    "", "salom", "ok", "1002", "201", "69.62.127.9", "MicroSIP", "MicroSIP nima?", "ping nima degani o‘zi", "rahmat",
    "STUN yoqilgan bo'lishi kerakmi yoki o'chiqmi?", "parolni qanday o'zgartiraman?", "jinni bo‘libsanmi",
    "timeout nima degani?", "408 nima degani", "что такое тайм-аут?", "Здравствуйте, не могу подключиться",
    "ulanmayapti", "serverga ulana olmayapman", "online to'lov qilsa bo'ladimi", "qachon online bo'ladi?",
    "parol noto'g'ri bo'lsa nima bo'ladi", "timeout emas", "online emas", "bo'sh vaqtim yo'q", "kecha timeout edi",
    "parolimni unutdim", "parol bering", "пароль какой?", "saytda 404 chiqyapti", "ping timeout beryapti",
    "Request timed out.", "Request timeout for icmp_seq 0", "DNS request timed out.", "ufw: command not found",
    "Host call.soundz.uz not found: 3(NXDOMAIN)", "ping: connect: Network is unreachable",
    "; connection timed out; no servers could be reached", "Can't find call.soundz.uz: Non-existent domain",
    "Unit nginx.service could not be found.", "Соединение с сервером как проверить?", "sudo ufw status verbose",
]  # fmt: skip


def read(text: str) -> list[str]:
    return [claim.reading.status for claim in parse(Page.of(text), Context())]


@pytest.mark.parametrize(("status", "text"), [(status, text) for status, texts in REPORTS.items() for text in texts])
def test_a_report_in_three_languages_is_understood(status: str, text: str) -> None:
    assert read(text) == [status]


@pytest.mark.parametrize("text", NO_REPORTS)
def test_questions_denials_and_other_programs_are_no_report(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (status, text)
        for status, labels in STATUS_LABELS.items()
        if status != "no_account"  # the program's own name proves nothing
        for label in labels
        for text in (label.en, label.ru, label.uz)
        if text
    ],
)
def test_every_label_on_a_button_is_understood_when_typed(status: str, text: str) -> None:
    assert read(text) == [status]


def test_a_reading_names_the_label_its_language_and_its_code() -> None:
    (claim,) = parse(Page.of("pastda Тайм-аут запроса deb turibdi"), Context())
    assert claim.reading.to_json() == {
        "kind": "microsip_status",
        "tool": None,
        "status": "timeout",
        "label": "Тайм-аут запроса",
        "language": "ru",
        "code": 408,
        "findings": ["phone_says_timeout"],
    }


def test_a_pressed_button_gives_the_same_finding() -> None:
    assert [status_finding(status).tag for status in STATUS_LABELS] == [
        Tag.PHONE_SAYS_TIMEOUT,
        Tag.PHONE_SAYS_NO_SERVER,
        Tag.PHONE_SAYS_UNAVAILABLE,
        Tag.PHONE_SAYS_WRONG_PASSWORD,
        Tag.PHONE_SAYS_NOT_FOUND,
        Tag.PHONE_SAYS_SERVER_ERROR,
        Tag.PHONE_ONLINE,
        Tag.PHONE_CONNECTING,
        Tag.PHONE_SAYS_IDLE,
        Tag.PHONE_SAYS_NO_ACCOUNT,
        Tag.PHONE_SAYS_OFFLINE,
        Tag.PHONE_SAYS_NO_NETWORK,
        Tag.PHONE_SOCKETS_FAILED,
        Tag.PHONE_SAYS_OTHER_CODE,
    ]
    assert status_finding("other_code", 486) == Finding(Tag.PHONE_SAYS_OTHER_CODE, {"code": 486})


def test_a_long_message_is_no_report() -> None:
    assert read("Request Timeout " + "va yana boshqa gaplar " * 12) == []


@settings(max_examples=80, deadline=None)
@given(st.text(), st.sampled_from(["408", "Request Timeout", "parol so'ra", "Response Code: 9"]))
def test_any_text_is_read_without_an_error(text: str, label: str) -> None:
    for message in (text, f"{text} {label}", f"{label} {text}"):
        assert len(read(message)) <= 1
