"""The staff chat, for all who have something to say there: a ticket's card and place, a word about the bot itself."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from telegram import CallbackQuery, Message, Update
from telegram.constants import ChatMemberStatus
from telegram.error import TelegramError
from telegram.ext import ContextTypes, ExtBot

from bot.model import Ticket
from bot.standing import Member
from bot.tickets import Tickets
from bot.topics import TopicRows
from handlers.board import Board, cards_pace
from handlers.card import Cards, cut
from handlers.journey import journey, within
from handlers.pace import Limits
from handlers.people import Spawn, name_of
from handlers.reply import Screen, Screens
from handlers.roster import Roster
from handlers.topics import Topics

log = logging.getLogger(__name__)
Context = ContextTypes.DEFAULT_TYPE
PRESENT = (ChatMemberStatus.MEMBER, ChatMemberStatus.ADMINISTRATOR)
TOAST_MAX = 200  # signs (Bot API)
GONE_AT_MOST = timedelta(days=1)  # out of the staff chat, where a restart has forgotten since when


@dataclass(slots=True)
class Staff:
    """Handlers and notices of the staff chat."""

    tickets: Tickets
    screens: Screens
    bot: ExtBot[Any]
    configured_chat: int | None
    where: Callable[[int], int]  # the id a chat has now: a group that grows gets another
    spawn: Spawn
    board: Board
    roster: Roster
    answering: list[int] = field(default_factory=list)  # chats to which one of the staff writes just now
    on_arrival: Callable[[], object] = lambda: None  # the bot, or one of the staff, is new in the staff chat
    redraw: Callable[[int], object] = lambda _: None  # a ticket's card is to show what is true: handlers/incidents.py
    _told_on: date | None = None  # the last day on which the staff heard that their chat takes nothing
    _gone_at: datetime | None = None  # when the bot was thrown out; None: it was not, as far as is known

    @classmethod
    def build(
        cls,
        tickets: Tickets,
        screens: Screens,
        bot: ExtBot[Any],
        configured_chat: int | None,
        ids: frozenset[int],
        where: Callable[[int], int],
        spawn: Spawn,
        limits: Limits,
    ) -> Staff:
        """With its board and roster."""

        def chat_id() -> int | None:
            return None if configured_chat is None else where(configured_chat)

        async def without_right() -> None:
            with within(f"topics:{chat_id()}"):  # said once, also over restarts
                await staff.say(Screen(screens.words.html("staff.topics_no_right")), "no_right")

        topics = Topics(TopicRows(tickets.store), bot, screens.words, limits.topic_interval_s, without_right)
        pace = cards_pace(limits)
        board = Board(tickets, Cards(screens), bot, topics, chat_id, spawn, pace, lambda error: staff.unwritable(error))
        staff = cls(tickets, screens, bot, configured_chat, where, spawn, board, Roster(bot, ids, chat_id))
        return staff

    @property
    def chat_id(self) -> int | None:
        """The staff chat as it is called today; None when there is none."""
        return None if self.configured_chat is None else self.where(self.configured_chat)

    @property
    def cards(self) -> Cards:
        """Tickets in the staff's words."""
        return self.board.cards

    # --- a ticket's place ---

    def on_change(self, number: int) -> None:
        """The ticket's card is to show what is true now; nobody waits for it."""
        self.board.changed(number)

    async def joined(self, update: Update, context: Context) -> None:
        """The bot is (back) in the staff chat, or its rights changed: the cards there become what is true."""
        change = update.my_chat_member
        if change is None or change.chat.id != self.chat_id:
            return
        if change.new_chat_member.status not in PRESENT:
            self._gone_at = self._gone_at or change.date
            return
        gone, self._gone_at = self._gone_at, None
        if gone is None and change.old_chat_member.status not in PRESENT:
            gone = change.date - GONE_AT_MOST
        await self.catch_up(datetime.now(UTC) - gone if gone else timedelta())

    async def catch_up(self, missed: timedelta = timedelta()) -> None:
        """Open tickets without a card in the staff chat as it is now get one, those changed lately are drawn anew."""
        if self.chat_id is None:
            return
        self.board.topics.look_again(self.chat_id)
        self.on_arrival()
        for number in await self.tickets.without_fresh_card(missed, self.chat_id):
            self.redraw(number)

    async def newcomers(self, update: Update, context: Context) -> None:
        """One of the staff has come into the staff chat: only now Telegram takes a menu for them."""
        message = update.effective_message
        if message is None or message.chat_id != self.chat_id:
            return
        if any(user.id in self.roster.ids for user in message.new_chat_members):
            self.on_arrival()

    @contextlib.contextmanager
    def writing(self, chat_id: int) -> Iterator[None]:
        """One of the staff writes there: whether that arrives is told to them, by whoever does it."""
        self.answering.append(chat_id)
        try:
            yield
        finally:
            self.answering.remove(chat_id)

    # --- presses ---

    async def pressed(self, update: Update) -> CallbackQuery | None:
        """The press of one of the staff; anybody else is refused politely."""
        query = update.callback_query
        if query is None or self.allowed(update):
            return query
        await self.toast(query, "toast.only_staff")
        return None

    async def toast(
        self, query: CallbackQuery, key: str = "", *, text: str = "", alert: bool = False, **values: Any
    ) -> None:
        """Answers a press with a short word: of the catalogue, else `text`; with neither only the clock goes away."""
        said = self.screens.words.plain(key, **values) if key else text
        with contextlib.suppress(TelegramError):  # too old to be answered; what it asks for is done all the same
            await query.answer(cut(said, TOAST_MAX) or None, show_alert=alert)

    # --- words about the bot itself ---

    async def alert(self, key: str, *, about: Iterable[int] = (), **values: Any) -> None:
        """A word to the staff about the bot itself, or something that it names these tickets for."""
        await self.say(Screen(self.screens.words.html(key, **values)), about=about)

    async def blocked(self, ticket: Ticket) -> None:
        """A ticket's user takes no messages: said where it lives."""
        words = self.screens.words.html("staff.blocked", number=ticket.number, person=ticket.user_name)
        topic = await self.board.topics.known(ticket.number, self.chat_id or 0)
        said = await self.say(Screen(words), thread_id=topic)
        if said is None and topic is not None:  # somebody deleted it
            said = await self.say(Screen(words))
        if said is not None:  # it names a person: to be found again when they want to be forgotten
            await self.tickets.posted(ticket.number, said.chat_id, said.message_id, "alert")

    async def unwritable(self, error: TelegramError) -> None:
        """Tickets cannot be shown in the staff chat: each of the staff is told in private, once a day."""
        today = datetime.now(UTC).date()
        if self._told_on != today:
            self._told_on = today
            with journey(f"unwritable:{today}"):  # also over restarts
                await self.tell_each("staff.unwritable", error=str(error))

    async def tell_each(self, key: str, **values: Any) -> None:
        """A word to each of the staff in private, for when their chat is gone; who never wrote to us hears nothing."""
        for user_id in sorted(self.roster.ids):
            with contextlib.suppress(TelegramError):
                await self.bot.send_message(user_id, self.screens.words.html(key, None, **values), parse_mode="HTML")

    async def say(
        self, screen: Screen, step: str | None = None, thread_id: int | None = None, *, about: Iterable[int] = ()
    ) -> Message | None:
        """Says something in the staff chat, perhaps about tickets; None when it takes no messages."""
        if self.chat_id is None:
            return None
        try:
            said = await self.bot.send_message(
                self.chat_id,
                screen.html,
                parse_mode="HTML",
                reply_markup=screen.keyboard,
                message_thread_id=thread_id,
                rate_limit_args=step,
            )
        except TelegramError as error:
            log.error("the staff chat does not take messages: %s", error)
            return None
        await self.tickets.mentioned(about, said.chat_id, said.message_id)
        return said

    def allowed(self, update: Update) -> bool:
        """Whether this person may act here; a refusal is logged."""
        return self.roster.may(update)


def who(update: Update) -> str:
    """The name of a staff member as the others see it."""
    return name_of(update.effective_user) if update.effective_user else ""


def member(update: Update) -> Member:
    """The same with their id."""
    return Member(who(update), update.effective_user.id if update.effective_user else None)


def source(update: Update) -> str:
    """What an update's deeds are remembered under."""
    return f"update:{update.update_id}"
