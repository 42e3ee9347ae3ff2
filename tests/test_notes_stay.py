"""Whatever staff write and however they edit it: words of a note never reach a user."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.office import GROUP, STAFF, USER, Office, office

SECRET = "MAXFIY"


@dataclass(frozen=True, slots=True)
class Version:
    """What a message says at one time; notes have the secret in them."""

    note: bool
    text: str


WORDS = st.text("abc <>&/\n", min_size=1, max_size=12).filter(lambda text: text.strip() and text.lstrip()[0] != "/")
REPLIES = st.builds(lambda text: Version(False, text.strip()), WORDS)
NOTES = st.builds(
    lambda sign, text: Version(True, f"{sign}{SECRET} {text}"),
    st.sampled_from(["//", "// ", "///", "/note ", "/NOTE ", "/note@yordam_bot ", " //", "\n// ", "/x "]),
    WORDS,
)
STORIES = st.lists(REPLIES | NOTES, min_size=1, max_size=6)


class Running:
    """One bot for all stories, and the event loop it lives in."""

    def __init__(self, runner: asyncio.Runner, bot: Office) -> None:
        self.runner = runner
        self.bot = bot


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with asyncio.Runner() as runner:
        serving = office(tmp_path_factory.mktemp("notes"))
        bot = runner.run(serving.__aenter__())
        runner.run(bot.called())
        try:
            yield Running(runner, bot)
        finally:
            runner.run(serving.__aexit__(None, None, None))


def may_see(story: list[Version]) -> set[str | None]:
    """What the user may be left with: the last reply; before a note any of them, or none if the note was faster."""
    replies: list[str | None] = []
    for version in story:
        if version.note:
            return {None, *replies}
        replies.append(version.text)
    return {replies[-1]}


async def told(bot: Office, story: list[Version], *, caption: bool) -> str | None:
    """What of a message and its edits stands at the user's."""
    card = next(message for message in bot.api.answers(GROUP) if message.text.startswith("№1"))
    part = "caption" if caption else "text"
    if caption:
        message = bot.api.send_photo(STAFF, caption=story[0].text, chat=GROUP, reply_to=card.message_id)
    else:
        message = bot.api.send_text(STAFF, story[0].text, GROUP, reply_to=card.message_id)
    for version in story[1:]:
        if len(version.text) % 2:  # the others overtake what is under way
            await bot.quiet()
        bot.edits(STAFF, message, GROUP, **{part: version.text})
    await bot.quiet()
    row = await bot.service.life.relay.rows.get(GROUP, message)
    if row is None or row.other_message is None:
        return None
    copy = bot.api.chats.chats[USER].messages[row.other_message]
    return str(copy.get(part, "")).removeprefix("Operator: ")


@given(story=STORIES, caption=st.booleans())
@settings(max_examples=80, deadline=None)
def test_no_edit_makes_a_note_reach_the_user(running: Running, story: list[Version], caption: bool) -> None:
    assert running.runner.run(told(running.bot, story, caption=caption)) in may_see(story)
    assert [text for text in running.bot.texts(USER) if SECRET in text] == []
