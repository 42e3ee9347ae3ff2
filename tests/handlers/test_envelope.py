"""The outside of an update is read whatever its shape; who is next is decided from it alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.mailbox import Letter
from handlers.envelope import chat_of, membership_of, new_id_of, request_of, sent_at, update_id_of
from handlers.journey import Journey
from handlers.mending import cut, plain
from handlers.waiting import Waiting

KINDS = ["message", "edited_message", "callback_query", "my_chat_member", "new_chat_member"]
FIELDS = ["update_id", "chat", "from", "id", "date", "text", "edit_date", "data", "message_id", "status"]
names = st.sampled_from([*KINDS, *FIELDS, "migrate_to_chat_id"])
shapes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_subnormal=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5),
    max_leaves=20,
)


@given(shapes)
def test_any_shape_can_be_read_from_outside(raw: Any) -> None:
    assert isinstance(chat_of(raw), int)
    assert isinstance(sent_at(raw, 5.0), float)
    for look in (request_of, membership_of, new_id_of, update_id_of):
        look(raw)


@pytest.mark.parametrize(
    ("raw", "chat"),
    [
        ({"update_id": 1, "message": {"chat": {"id": -5}, "from": {"id": 7}}}, -5),
        ({"update_id": 1, "callback_query": {"from": {"id": 7}, "message": {"chat": {"id": -5}}}}, -5),
        ({"update_id": 1, "callback_query": {"from": {"id": 7}}}, 7),
        ({"update_id": 1, "my_chat_member": {"chat": {"id": 7}}}, 7),
        ({"update_id": 1, "news_of_2031": {"chat": {"id": 9}}}, 9),
        ({"update_id": 1}, 0),
    ],
)
def test_an_update_belongs_to_its_chat_else_to_its_sender(raw: Any, chat: int) -> None:
    assert chat_of(raw) == chat


def test_only_commands_and_presses_of_one_person_are_the_same_request() -> None:
    def message(text: str, sender: int = 7) -> Any:
        return {"message": {"text": text, "from": {"id": sender}}}

    def press(data: str, message_id: int = 1) -> Any:
        return {"callback_query": {"data": data, "from": {"id": 7}, "message": {"message_id": message_id}}}

    different = [message("/start"), message("/start", 8), message("/start 2"), press("a"), press("b"), press("a", 2)]
    assert len({request_of(raw) for raw in different}) == 6
    assert request_of(message("/start ")) == request_of(message("/start"))
    assert request_of(message("salom")) is None


async def test_a_chat_waits_until_its_letter_is_done_and_others_do_not() -> None:
    waiting = Waiting(most_bodies=2)
    letters = [Letter(1, 7, "a", 0.0), Letter(2, 7, "b", 0.0), Letter(3, 8, "c", 0.0)]
    for letter in letters:
        waiting.put(letter)
    first, _ = await waiting.take()
    second, _ = await waiting.take()
    assert (first, second) == (letters[0], Letter(3, 8, None, 0.0))  # the third body stays in the database
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(waiting.take(), 0.05)
    waiting.later(first, 0.01)
    assert (await waiting.take())[0] == first
    waiting.done(first)
    assert ((await waiting.take())[0], len(waiting)) == (letters[1], 2)


def test_steps_are_named_alike_on_every_run_and_an_apology_takes_no_step() -> None:
    journey = Journey("update:1")
    seen = [journey.step("sendMessage", name) for name in (None, None, "verdict", "verdict")]
    journey.error = "ValueError"
    assert [*seen, journey.step("sendMessage", None)] == [
        "sendMessage#1",
        "sendMessage#2",
        "verdict",
        "verdict#2",
        "sendMessage!#1",
    ]


@given(st.text(alphabet=st.characters() | st.sampled_from("<>&/b😀\ud800"), max_size=200), st.integers(2, 50))
def test_plain_words_fit_and_are_never_empty(text: str, longest: int) -> None:
    said = cut(plain(text), longest)
    assert said.strip()
    assert len(said.encode("utf-16-le", "surrogatepass")) <= 2 * longest
