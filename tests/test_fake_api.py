"""The fake Bot API refuses what Telegram refuses, and loses what it was told to lose."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests import fake_html
from tests.fake_api import FakeApi
from tests.fake_chats import TOKEN, Button
from tests.fake_people import PNG


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as server:
        server.user(7, "<3")
        yield server


def call(api: FakeApi, method: str, **params: Any) -> Any:
    """The result, or Telegram's description of the refusal."""
    request = urllib.request.Request(  # noqa: S310 - our own address
        f"{api.base_url}{TOKEN}/{method}", json.dumps(params).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return json.load(answer)["result"]
    except urllib.error.HTTPError as error:
        with error:
            return json.load(error)["description"]


@pytest.mark.parametrize(
    ("html", "refusal"),
    [
        ("hi <3", "Unclosed start tag at byte offset 3"),
        ("hi <3 >", 'Unsupported start tag "3" at byte offset 3'),
        ("<br>", 'Unsupported start tag "br" at byte offset 0'),
        ("ў</b>", "Unexpected end tag at byte offset 2"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ('<a href="x>y</a>', 'Unclosed start tag "a" at byte offset 0'),
    ],
)
def test_bad_html_is_refused_with_telegrams_words(html: str, refusal: str) -> None:
    with pytest.raises(fake_html.EntityError) as caught:
        fake_html.parse(html)
    assert str(caught.value) == refusal


def test_good_html_becomes_plain_text_with_utf16_entities() -> None:
    html = "😀<b>a &lt; b</b> &amp; & <blockquote expandable>x&#39;<u>y</u></blockquote><a href='bad'>z</a>"
    assert fake_html.parse(html) == (
        "😀a < b & & x'yz",
        [
            {"type": "bold", "offset": 2, "length": 5},
            {"type": "expandable_blockquote", "offset": 12, "length": 3},
            {"type": "underline", "offset": 14, "length": 1},
        ],
    )


def test_sends_and_edits_are_refused_as_by_telegram(api: FakeApi) -> None:
    def say(**params: Any) -> Any:
        return call(api, "sendMessage", **{"chat_id": 7, "text": "x", **params})

    keyboard = {"inline_keyboard": [[{"text": "A", "callback_data": "a"}]]}
    sent = say(text="<b>x</b>", parse_mode="HTML", reply_markup=keyboard)["message_id"]
    long_data = {"inline_keyboard": [[{"text": "A", "callback_data": "ў" * 33}]]}
    same = {"chat_id": 7, "message_id": sent, "text": "<b>x</b>", "parse_mode": "HTML"}
    assert [
        say(text=" \n"),
        say(text="😀" * 2049),
        say(chat_id=8),
        say(text="<3", parse_mode="HTML"),
        say(reply_markup=long_data),
        say(reply_parameters={"message_id": 1}),
        say(message_thread_id=5),
        call(api, "editMessageText", **same, reply_markup=keyboard)[:32],
        call(api, "editMessageText", chat_id=7, message_id=1, text="x"),
        call(api, "deleteMessage", chat_id=7, message_id=1),
        call(api, "answerCallbackQuery", callback_query_id="1")[:29],
        call(api, "noSuchMethod"),
    ] == [
        "Bad Request: message text is empty",
        "Bad Request: message is too long",
        "Bad Request: chat not found",
        "Bad Request: can't parse entities: Unclosed start tag at byte offset 0",
        "Bad Request: BUTTON_DATA_INVALID",
        "Bad Request: message to be replied not found",
        "Bad Request: message thread not found",
        "Bad Request: message is not modi",
        "Bad Request: message to edit not found",
        "Bad Request: message to delete not found",
        "Bad Request: query is too old",
        "Not Found",
    ]
    assert api.answers(7)[0].buttons == ((Button("A", "a"),),)
    call(api, "editMessageText", **same)  # without reply_markup: the buttons go
    assert api.answers(7)[0].buttons == ()


def test_people_out_of_reach_are_refused_with_403_or_a_new_id(api: FakeApi) -> None:
    api.group(-50)
    api.group(-60)
    api.block(7)
    api.kick(-50, by=7)
    api.migrate(-60, -1001, by=7)
    assert [call(api, "sendMessage", chat_id=chat, text="x") for chat in (7, -50, -60)] == [
        "Forbidden: bot was blocked by the user",
        "Forbidden: bot was kicked from the group chat",
        "Bad Request: group chat was upgraded to a supergroup chat",
    ]
    api.send_text(7, "back")
    assert call(api, "sendMessage", chat_id=7, text="x")["text"] == "x"


def test_an_offset_confirms_what_is_before_it_and_nothing_else(api: FakeApi) -> None:
    for text in ("a", "b", "c"):
        api.send_text(7, text)
    first = call(api, "getUpdates")
    again = call(api, "getUpdates", offset=first[0]["update_id"] + 1)
    assert [update["message"]["text"] for update in again] == ["b", "c"]
    assert (api.chats.confirmed, api.pending()) == ([first[0]["update_id"]], 2)


def test_files_over_20_mb_are_not_served_and_smaller_ones_are(api: FakeApi) -> None:
    api.send_document(7, b"[Settings]")
    api.send_document(7, b"", size=30 << 20)
    small, large = (update["message"]["document"]["file_id"] for update in call(api, "getUpdates"))
    path = call(api, "getFile", file_id=small)["file_path"]
    with urllib.request.urlopen(f"{api.base_file_url}{TOKEN}/{path}", timeout=5) as answer:  # noqa: S310
        assert answer.read() == b"[Settings]"
    assert call(api, "getFile", file_id=large) == "Bad Request: file is too big"


def test_flood_limits_order_a_pause_and_count_who_breaks_it(api: FakeApi) -> None:
    api.flood.on = True
    answers = [call(api, "sendMessage", chat_id=7, text="x") for _ in range(5)]
    assert answers[3:] == ["Too Many Requests: retry after 1"] * 2
    assert (api.flood.refusals, api.flood.violations) == (2, 1)


def test_people_press_what_is_there_and_albums_come_as_single_messages(api: FakeApi) -> None:
    markup = {"inline_keyboard": [[{"text": "A", "callback_data": "a"}]]}
    sent = call(api, "sendMessage", chat_id=7, text="x", reply_markup=markup)["message_id"]
    query = api.press(7, sent, "a")
    with pytest.raises(KeyError):
        api.press(7, sent, "b")
    api.album(7, [PNG, PNG], "two")
    updates = call(api, "getUpdates")
    assert updates[0]["callback_query"]["data"] == "a"
    assert call(api, "answerCallbackQuery", callback_query_id=query) is True
    albums = [update["message"] for update in updates[1:]]
    assert len({message["media_group_id"] for message in albums}) == 1
    assert [message.get("caption") for message in albums] == ["two", None]


def test_topics_are_made_closed_and_written_to(api: FakeApi) -> None:
    api.group(-100500, forum=True)
    thread = call(api, "createForumTopic", chat_id=-100500, name="#1")["message_thread_id"]
    sent = call(api, "sendMessage", chat_id=-100500, message_thread_id=thread, text="card")
    assert sent["message_thread_id"] == thread
    assert call(api, "closeForumTopic", chat_id=-100500, message_thread_id=thread) is True
    assert call(api, "closeForumTopic", chat_id=-100500, message_thread_id=thread) == "Bad Request: TOPIC_NOT_MODIFIED"
