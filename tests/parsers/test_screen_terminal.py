"""What a picture of a console says after its reader lost a sign of it."""

from __future__ import annotations

import pytest

pytest.importorskip("cv2")
pytest.importorskip("rapidfuzz")

from bot.model import Context, Kind
from bot.parsers import read_text
from bot.parsers.screen.spots import Spot
from bot.parsers.screen.terminal import console, mended

LOST = """C:\\Users\\PC>ping call.soundz.uz
Обмен пакетами с call.soundz.uz [69.62.127.9] с 32 байтами данных:
Превышен интервал ожидания для запроса.
Превышен интервал ожидания для запроса.
Статистика Ping для 69.62.127.9:
"""


@pytest.mark.parametrize(
    ("statistics", "loss_pct"),
    [
        ("Пакетов: отправлено = 4, получено = 0, потеряно =\n(100% потерь)", 100),
        ("Пакетов: отправлено = 4, получено = 0, потеряно\n(100% потерь)", 100),
        ("Пакетов: отправлено = 4, получено = 0, потеряно = 4", 100),
        ("Пакетов: отправлено = 4, получено = 3,\n(25% потерь)", 25),
        ("Packets: Sent = 4, Received = 0, Lost", 100),
        ("Packets: Sent = 3, Received = 2, Lost = 1", 33),
    ],
)
def test_the_loss_is_told_without_the_number_or_the_percentage_that_was_not_read(
    statistics: str, loss_pct: int
) -> None:
    (reading,) = read_text(LOST + statistics, Context())
    assert (reading.kind, reading.facts["loss_pct"]) == (Kind.PING, loss_pct)


def test_the_lost_packets_are_not_taken_for_a_time() -> None:
    reply = "Reply from 69.62.127.9: bytes=32 time=3ms TTL=54\n"
    counts = "Packets: Sent = 4, Received = 3, Lost = 1\nApproximate round trip times in milli-seconds:\n"
    (reading,) = read_text(reply + counts, Context())
    assert (reading.facts["loss_pct"], reading.facts["rtt_avg_ms"]) == (25, None)


@pytest.mark.parametrize("sign", ["**k ", "*** ", "***", "жжж ", "'* ", "--- ", ""])
def test_a_failed_lookup_is_understood_whatever_became_of_its_stars(sign: str) -> None:
    asked = "C:\\Users\\PC>nslookup call.soundz.uz\nСервер: dns.google\nAddress: 8.8.8.8\n"
    failed = mended(f"{sign}dns. google не удалось найти call.soundz.uz: Server failed", Context())
    assert [reading.status for reading in read_text(asked + failed, Context())] == ["servfail"]


def test_a_sentence_is_not_given_stars() -> None:
    text = "C:\\Users\\PC>ping call.soundz.uz"
    assert mended(text, Context()) == text


def _spot(text: str) -> Spot:
    return Spot(0, 0, 100, 20, 0, text)


@pytest.mark.parametrize(
    ("lines", "is_console"),
    [
        (["С: \\Узегз\\Администратор>р1пд 10.10.34.36", "Пакетов: отправлено = 4, получено = 4, потеряно = O"], True),
        (["(0% потерь)", "Ответ от 192.168.1.5: Заданный узел недоступен."], True),
        (["Учетная запись", "SIP-сервер", "call.soundz.uz", "Имя пользователя", "Пароль"], False),
    ],
)
def test_a_russian_console_is_known_by_its_words(lines: list[str], is_console: bool) -> None:
    assert console([_spot(line) for line in lines]) == is_console
