"""What staff order with commands: lists, one ticket, and every deed. In a ticket's topic its number may be left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from telegram import Message, Update
from telegram.ext import ContextTypes

from bot.folding import fold
from bot.model import Kind, Status, Ticket
from bot.standing import PRIORITIES, Member, standing
from handlers.actions import BY_HAND, ENDED, Actions
from handlers.card import fitting
from handlers.keyboards import ASKABLE
from handlers.roster import ANONYMOUS_ADMIN
from handlers.staff import Staff, member, source, who

Context = ContextTypes.DEFAULT_TYPE
LIST_MAX = 25
LOOKED_THROUGH = 300  # open tickets that 'mine' looks through
NOT_ENDED = ("take", "assign", "ask")  # what is only done to a ticket that has not
TAG_MAX, TAGS_MAX = 24, 8


@dataclass(frozen=True, slots=True)
class Order:
    """A command that was understood: which ticket, and the words after its number."""

    message: Message
    ticket: Ticket
    rest: list[str]
    by: str
    source: str


def aim(words: list[str], here: int | None, needs: int) -> tuple[int | None, list[str]]:
    """The ticket a command is about and the words that remain; (None, …): none was named.

    `here`: the ticket of the topic, or of the card replied to. There a bare number may be meant as a word (a note
    about '15 phones'), so it names a ticket only when `needs` words remain; '№15' and '#15' always do.
    """
    first = words[0] if words else ""
    bare = first.lstrip("№#")
    if bare.isascii() and bare.isdigit() and len(bare) < 12 and (bare != first or here is None or len(words) > needs):
        return int(bare), words[1:]
    return here, words


@dataclass(frozen=True, slots=True)
class StaffCommands:
    """The handlers of the staff group's commands."""

    staff: Staff
    actions: Actions
    commands: tuple[str, ...] = ()  # those that /help explains

    async def help(self, update: Update, context: Context) -> None:
        """/help: what can be ordered, and who may."""
        if message := await self._heard(update):
            words = self.staff.screens.words
            lines = [f"/{name} – {words.html(f'command.{name}')}" for name in self.commands]
            await message.reply_html("\n".join([*lines, "", words.html("staff.help")]))

    async def tickets(self, update: Update, context: Context) -> None:
        """/tickets [mine] [status] [words to look for]: what waits, the most urgent first."""
        message = await self._heard(update)
        if message is None:
            return
        words, mine = [], False
        statuses: tuple[Status, ...] = (Status.ESCALATED, Status.OPEN)
        for word in _words(message):
            named = _chosen(self.staff, word, "filter", (*Status, "mine", "all"))
            mine = mine or named == "mine"
            if named == "all":
                statuses = tuple(Status)
            elif named in tuple(Status):
                statuses = (Status(named),)
            elif named is None:
                words.append(word)
        found = await self._found(statuses, " ".join(words) or None, member(update) if mine else None)
        if not found:
            await self._say(message, "staff.list_none")
            return
        head = self.staff.screens.words.html("staff.list_head", count=len(found))
        listed = await message.reply_html("\n".join(fitting([head, *map(self.staff.cards.line, found)])))
        await self.staff.tickets.mentioned([t.number for t in found], listed.chat_id, listed.message_id)

    async def _found(self, statuses: tuple[Status, ...], search: str | None, holder: Member | None) -> list[Ticket]:
        limit = LIST_MAX if holder is None else LOOKED_THROUGH
        found = []
        for status in statuses:
            for brief in await self.staff.tickets.list(status=status.value, search=search, limit=limit):
                ticket = await self.staff.tickets.get(brief.number)
                if ticket is not None and (holder is None or _has(holder, ticket)):
                    found.append(ticket)
        found.sort(key=lambda ticket: -PRIORITIES.index(standing(ticket).priority))
        return found[:LIST_MAX]

    async def ticket(self, update: Update, context: Context) -> None:
        """/ticket N: the card with its buttons, and the log; it can be replied to as well."""
        if order := await self._order(update, "ticket", 0):
            card = self.staff.cards.with_log(order.ticket)
            posted = await order.message.reply_html(card.html, reply_markup=card.keyboard)
            await self.staff.tickets.posted(order.ticket.number, posted.chat_id, posted.message_id, "copy")

    async def close(self, update: Update, context: Context) -> None:
        """/close N [reason]: ends a ticket; the user is told why."""
        if order := await self._order(update, "close", 0):
            said = " ".join(order.rest)
            named = _chosen(self.staff, said, "closing_word", BY_HAND)
            number, words = order.ticket.number, "" if named else said
            done = await self.actions.close(number, named or "staff", order.by, source=order.source, words=words)
            await self._say(order.message, "staff.closed" if done else "staff.closed_already", number=number)

    async def reopen(self, update: Update, context: Context) -> None:
        """/reopen N: opens it again."""
        if order := await self._order(update, "reopen", 0):
            number = order.ticket.number
            now = await self.actions.reopen(number, order.by, source=order.source)
            key = "staff.open_already" if now is None else "staff.reopened" if now == number else "staff.goes_on"
            await self._say(order.message, key, number=number, now=now)

    async def take(self, update: Update, context: Context) -> None:
        """/take N: it is mine, unless somebody has it."""
        if order := await self._order(update, "take", 0):
            by_id = member(update).id
            holder = await self.actions.take(order.ticket.number, order.by, by_id=by_id, source=order.source)
            await self._say(order.message, "staff.taken", number=order.ticket.number, by=holder.name)

    async def assign(self, update: Update, context: Context) -> None:
        """/assign N @name|id: it is somebody else's from now on."""
        if order := await self._order(update, "assign", 1):
            to = await self.staff.roster.named(" ".join(order.rest))
            if to is None:
                await self._say(order.message, "staff.no_such_person")
                return
            await self.actions.take(order.ticket.number, order.by, to=to, source=order.source)
            await self._say(order.message, "staff.taken", number=order.ticket.number, by=to.name)

    async def tag(self, update: Update, context: Context) -> None:
        """/tag N word…: adds tags; '-word' takes one away."""
        if order := await self._order(update, "tag", 1):
            tags = list(standing(order.ticket).tags)
            for word in (word.strip("#,.").casefold()[:TAG_MAX] for word in order.rest):
                if word.startswith("-"):
                    tags = [tag for tag in tags if tag != word.lstrip("-#")]
                elif word and word not in tags:
                    tags.append(word)
            number, kept = order.ticket.number, tags[:TAGS_MAX]
            await self.actions.tag(number, kept, order.by, source=order.source)
            shown = " ".join(f"#{tag}" for tag in kept) or "–"
            await self._say(order.message, "staff.tagged", number=number, tags=shown)

    async def priority(self, update: Update, context: Context) -> None:
        """/priority N low|normal|high."""
        if chosen := await self._choice(update, "priority", "priority", PRIORITIES):
            order, level = chosen
            await self.actions.priority(order.ticket.number, level, order.by, source=order.source)
            shown = self.staff.screens.words.plain(f"priority.{level}")
            await self._say(order.message, "staff.prioritised", number=order.ticket.number, level=shown)

    async def note(self, update: Update, context: Context) -> None:
        """/note N text: among staff; the user never sees it."""
        if order := await self._order(update, "note", 1):
            text = _after(order.message, order.rest)
            await self.actions.note(order.ticket.number, text, order.by, source=order.source)
            await self._say(order.message, "staff.noted", number=order.ticket.number)

    async def ask(self, update: Update, context: Context) -> None:
        """/ask N kind: asks the user for one kind of evidence."""
        if chosen := await self._choice(update, "ask", "kind", ASKABLE):
            order, said = chosen
            with self.staff.writing(order.ticket.chat_id):
                reached = await self.actions.ask(order.ticket.number, Kind(said), order.by, source=order.source)
                shown = self.staff.screens.words.plain(f"kind.{said}")
                key = "staff.asked" if reached else "staff.not_sent"
                await self._say(order.message, key, number=order.ticket.number, kind=shown)

    async def not_here(self, update: Update, context: Context) -> None:
        """A staff command in a private chat, whoever writes it: refused, and said where it works."""
        message = update.effective_message
        if message is not None and not self.staff.allowed(update):
            await self._say(message, "staff.only_in_group")

    async def no_web(self, update: Update, context: Context) -> None:
        """/web in private, by somebody who is not of the staff: noted, and answered as any word that starts nothing."""
        message = update.effective_message
        if message is not None and not self.staff.allowed(update):
            screen = self.staff.screens.begin("case.not_started")
            await message.reply_html(screen.html, reply_markup=screen.keyboard)

    # --- small change ---

    async def _heard(self, update: Update) -> Message | None:
        """The message of one of the staff; None is refused. Who hides behind the group is told why."""
        message = update.effective_message
        if message is None or self.staff.allowed(update):
            return message
        hidden = update.effective_user is not None and update.effective_user.id == ANONYMOUS_ADMIN
        if hidden and message.chat_id == self.staff.chat_id:
            await self._say(message, "staff.anonymous")
        return None

    async def _order(self, update: Update, command: str, needs: int) -> Order | None:
        """The command as meant; None when it was refused, or not understood and explained."""
        message = await self._heard(update)
        if message is None:
            return None
        number, rest = aim(_words(message), await self._here(message), needs)
        if number is None or len(rest) < needs:
            await self._usage(message, command)
            return None
        ticket = await self.staff.tickets.get(number)
        if ticket is None:
            await self._say(message, "staff.no_such")
            return None
        if ticket.emptied and command != "ticket":
            await self._say(message, "staff.emptied", number=number)
            return None
        if ticket.status in ENDED and command in NOT_ENDED:
            await self._say(message, "staff.ended", number=number)
            return None
        await self.staff.tickets.mentioned([number], message.chat_id, message.message_id)
        return Order(message, ticket, rest, who(update), source(update))

    async def _choice(
        self, update: Update, command: str, section: str, names: tuple[str, ...]
    ) -> tuple[Order, str] | None:
        """The command, and which of these names it says; None when it was refused, or not understood and explained."""
        order = await self._order(update, command, 1)
        if order is None:
            return None
        named = _chosen(self.staff, " ".join(order.rest), section, names)
        if named is None:
            await self._usage(order.message, command)
            return None
        return order, named

    async def _here(self, message: Message) -> int | None:
        """The ticket of the topic it was written in, or of the message it replies to."""
        if message.reply_to_message is not None:
            number = await self.staff.tickets.by_post(message.chat_id, message.reply_to_message.message_id)
            if number is not None:
                return number
        if message.message_thread_id is None or not message.is_topic_message:
            return None
        return await self.staff.board.topics.rows.at(message.chat_id, message.message_thread_id)

    async def _usage(self, message: Message, command: str) -> None:
        await self._say(message, f"staff.usage_{command}", kinds=", ".join(ASKABLE))

    async def _say(self, message: Message, key: str, **values: Any) -> None:
        said = await message.reply_html(self.staff.screens.words.html(key, **values))
        if "number" in values:  # so that it goes with the ticket when its person wishes to be forgotten
            await self.staff.tickets.mentioned([values["number"]], said.chat_id, said.message_id)


def _has(holder: Member, ticket: Ticket) -> bool:
    known = standing(ticket).holder
    return known is not None and holder.is_same(known)


def _words(message: Message) -> list[str]:
    return (message.text or "").split()[1:]


def _after(message: Message, rest: list[str]) -> str:
    """The text from the first of these words on, with its line breaks."""
    text = (message.text or "").split(None, 1)[1]
    if text.split()[: len(rest)] != rest:
        text = text.split(None, 1)[1]
    return text


def _chosen(staff: Staff, said: str, section: str, names: tuple[str, ...]) -> str | None:
    """The name that was said, as such or in the catalogue's words; None: neither."""
    words, wanted = staff.screens.words, fold(said).strip()
    for name in names:
        if wanted and wanted in (str(name), fold(words.plain(f"{section}.{name}"))):
            return str(name)
    return None
