"""Captions are known through OCR's slips, in every language pack."""

from __future__ import annotations

import pytest

pytest.importorskip("rapidfuzz", reason="the extra `ocr` is not installed")

from bot.parsers.screen.labels import match
from bot.parsers.screen.packs import CAPTIONS


@pytest.mark.parametrize(("caption", "text"), [(c.name, text) for c in CAPTIONS for text in c.names.values()])
def test_every_caption_names_its_own_row(caption: str, text: str) -> None:
    best = match(text)
    assert caption in [one.caption.name for one in best if one.score == best[0].score]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SIP-cepsep", "server"),
        ("Username *", "username"),
        ("Обновление реги…", "register_refresh"),
        ("Проверка доступн...", "keep_alive"),
        ("Использовать внешний 1Р-адрес", "allow_rewrite"),
        ("Ro'yxatdan o'tishni yangi...", "register_refresh"),
        ("Отображаемое ИМЯ", "display_name"),
        ("lCE", "ice"),
    ],
)
def test_ocr_slips_and_ellipses_are_seen_through(text: str, name: str) -> None:
    assert match(text)[0].caption.name == name


@pytest.mark.parametrize("text", ["call.soundz.uz", "1001", "Chrome", "Компьютер", "", "lP", "Save"])
def test_other_words_name_no_row(text: str) -> None:
    assert match(text) == ()
