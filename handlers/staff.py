"""The staff's side: one card a ticket in their chat, replies to it reach the user, three commands.

Only people of STAFF_IDS in STAFF_CHAT_ID may do anything; everybody else is refused and logged.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from telegram import Message, Update
from telegram.error import Forbidden, TelegramError
from telegram.ext import ContextTypes, ExtBot

from bot.casefile import CaseFile, fold
from bot.model import EventKind, Owner, Status, Tag, Ticket
from bot.redact import redact
from bot.rules import decide
from bot.tickets import Tickets
from handlers.reply import TEXT_MAX, Screen, Screens

log = logging.getLogger(__name__)
Context = ContextTypes.DEFAULT_TYPE
# Telegram's stand-ins for 'somebody': never staff, whatever the list says (Bot API).
NOBODY = frozenset({1087968824, 777000, 136817688})
SHOWN_EVENTS = 30


@dataclass(slots=True)
class Staff:
    """Handlers and notices of the staff chat."""

    tickets: Tickets
    screens: Screens
    bot: ExtBot[Any]
    configured_chat: int | None
    ids: frozenset[int]
    where: Callable[[int], int]  # the id a chat has now: a group that grows gets another

    @property
    def chat_id(self) -> int | None:
        """The staff chat as it is called today; None when there is none."""
        return None if self.configured_chat is None else self.where(self.configured_chat)

    # --- the card ---

    async def on_change(self, number: int) -> None:
        """Posts the ticket's card, or edits it to what is true now."""
        if self.chat_id is None:
            return
        ticket = await self.tickets.get(number)
        if ticket is None:
            return
        screen = self.card(ticket)
        known = await self.tickets.post(number, "card")
        if known is not None:
            with contextlib.suppress(TelegramError):  # deleted by somebody: the next change posts a new one
                await self.bot.edit_message_text(
                    screen.html, known[0], known[1], parse_mode="HTML", reply_markup=screen.keyboard
                )
            return
        message = await self._post(screen, f"card:{number}")
        if message is not None:
            await self.tickets.posted(number, message.chat_id, message.message_id, "card")

    def card(self, ticket: Ticket) -> Screen:
        """Who, what is known, the verdict and what to do on the server."""
        words, case = self.screens.words, fold(ticket)
        lines = [
            words.html("staff.card", number=ticket.number, person=ticket.user_name, extension=ticket.extension or "–"),
            words.html("staff.state", state=words.plain(f"case.state_{ticket.status}")),
            words.html("staff.path", path=path_line(case)),
        ]
        if any(e.kind is EventKind.ESCALATED and e.body.get("reason") == "asked" for e in ticket.events):
            lines.append(words.html("staff.wants_person"))
        if ticket.verdict is None:
            lines.append(words.html("staff.no_verdict"))
        else:
            verdict = ticket.verdict
            sure = "aniq" if verdict.certainty.value == "proven" else "ehtimol"
            name = words.plain(f"step.{verdict.step}.name")
            lines.append(words.html("staff.verdict", step=name, certainty=sure))
            because = Markup("; ").join(self.screens.because(finding) for finding in verdict.because)
            if because:
                lines.append(words.html("staff.because", because=because))
            values = self.screens.values(verdict, ticket.extension)
            lines.append(words.html(f"step.{verdict.step}.staff", None, **values))
        sent = [e.body.get("text", "") for e in ticket.events if e.kind is EventKind.EVIDENCE and e.body.get("text")]
        if sent:
            lines.append(Markup("<blockquote expandable>{}</blockquote>").format(_cut("\n---\n".join(sent), 1500)))
        lines.append(words.html("staff.reply_how"))
        return Screen(Markup("\n").join(lines))

    async def forward(self, ticket: Ticket, message: Message) -> None:
        """What an escalated user writes reaches the staff under the ticket's card."""
        if self.chat_id is None:
            return
        words = self.screens.words
        if message.text:
            text = words.html(
                "staff.says", number=ticket.number, person=ticket.user_name, text=_cut(redact(message.text), 3000)
            )
            posted = await self._post(Screen(text), "forward")
        else:
            await self._post(Screen(words.html("staff.says", number=ticket.number, person=ticket.user_name, text="📎")))
            caption = redact(message.caption) if message.caption else None
            copied = await self.bot.copy_message(self.chat_id, message.chat_id, message.message_id, caption=caption)
            await self.tickets.posted(ticket.number, self.chat_id, copied.message_id, "forward")
            return
        if posted is not None:
            await self.tickets.posted(ticket.number, posted.chat_id, posted.message_id, "forward")

    async def alert(self, key: str, **values: Any) -> None:
        """A word to the staff about the bot itself."""
        await self._post(Screen(self.screens.words.html(key, **values)))

    async def _post(self, screen: Screen, step: str | None = None) -> Message | None:
        if self.chat_id is None:
            return None
        try:
            return await self.bot.send_message(
                self.chat_id, screen.html, parse_mode="HTML", reply_markup=screen.keyboard, rate_limit_args=step
            )
        except TelegramError as error:
            log.error("the staff chat does not take messages: %s", error)
            return None

    # --- what staff say and order ---

    def allowed(self, update: Update) -> bool:
        """Whether this person may act here; a refusal is logged."""
        user, chat = update.effective_user, update.effective_chat
        if user is None or chat is None or chat.id != self.chat_id:
            return False
        if user.id in self.ids and user.id not in NOBODY:
            return True
        log.warning("refused: user %d is not of the staff", user.id)
        return False

    async def reply(self, update: Update, context: Context) -> None:
        """A reply to a card, or to a forwarded word, goes to the user."""
        message = update.effective_message
        if message is None or message.reply_to_message is None or not self.allowed(update):
            return
        number = await self.tickets.by_post(message.chat_id, message.reply_to_message.message_id)
        ticket = await self.tickets.get(number) if number is not None else None
        if ticket is None or (message.text or "").startswith("//"):
            if ticket is not None:
                body = {"text": message.text, "by": _who(update)}
                await self.tickets.append(ticket.number, EventKind.NOTE, body, source=f"update:{update.update_id}")
            return
        body = {"text": message.text or message.caption or "", "by": _who(update)}
        await self.tickets.append(ticket.number, EventKind.STAFF_MESSAGE, body, source=f"update:{update.update_id}")
        try:
            if message.text:
                text = self.screens.words.html("operator.reply", text=message.text)
                await self.bot.send_message(ticket.chat_id, text, parse_mode="HTML", rate_limit_args="to_user")
            else:
                await self.bot.copy_message(ticket.chat_id, message.chat_id, message.message_id)
        except Forbidden:
            await self._say(message, "staff.not_sent")
            return
        await self._say(message, "staff.sent")

    async def tickets_list(self, update: Update, context: Context) -> None:
        """/tickets: what is open."""
        message = update.effective_message
        if message is None or not self.allowed(update):
            return
        waiting = [
            ticket
            for status in (Status.ESCALATED, Status.OPEN)
            for ticket in await self.tickets.list(status=status.value, limit=25)
        ]
        words = self.screens.words
        if not waiting:
            await self._say(message, "staff.list_none")
            return
        lines = [words.html("staff.list_head", count=len(waiting))] + [self._line(ticket) for ticket in waiting]
        await message.reply_html(_whole_lines(lines))

    def _line(self, ticket: Ticket) -> Markup:
        words = self.screens.words
        return words.html(
            "staff.list_line",
            number=ticket.number,
            state=words.plain(f"case.state_{ticket.status}"),
            step=words.plain(f"step.{ticket.verdict.step}.name") if ticket.verdict else "–",
            extension=ticket.extension or "–",
            person=ticket.user_name,
        )

    async def ticket(self, update: Update, context: Context) -> None:
        """/ticket N: the card and the log, which can be replied to as well."""
        found = await self._named(update, context, "staff.usage_ticket")
        message = update.effective_message
        if found is None or message is None:
            return
        words = self.screens.words
        events = [
            words.html(
                "staff.event",
                at=event.at.strftime("%d.%m %H:%M"),
                what=words.plain(f"event.{event.kind}", **self._what(event.kind, event.body)),
            )
            for event in found.events[-SHOWN_EVENTS:]
            if event.kind is not EventKind.POSTED
        ]
        card = self.card(found)
        posted = await message.reply_html(_whole_lines([*card.html.split("\n"), *events]))
        await self.tickets.posted(found.number, posted.chat_id, posted.message_id, "copy")

    def _what(self, kind: EventKind, body: Any) -> dict[str, str]:
        words = self.screens.words
        what = ""
        if kind is EventKind.READ:
            what = f"{words.plain('kind.' + body['reading']['kind'])}: {body['reading']['status']}"
        elif kind in (EventKind.ASKED, EventKind.SKIPPED):
            what = words.plain(f"kind.{body['question']}")
        elif kind is EventKind.ANSWERED:
            what = str(body.get("value") or words.plain(f"kind.{body['kind']}"))
        elif kind is EventKind.VERDICT:
            what = words.plain(f"step.{body['verdict']['step']}.name")
        elif kind is EventKind.TRIED:
            what = words.plain(f"step.{body['step']}.name")
        elif kind is EventKind.CLOSED:
            what = words.plain(f"close_reason.{body['reason']}")
        elif kind is EventKind.RATED:
            what = str(body["stars"])
        elif kind in (EventKind.USER_MESSAGE, EventKind.STAFF_MESSAGE, EventKind.NOTE):
            what = _cut(str(body.get("text", "")), 200)
        return {"what": what} if "what" in words.blanks(f"event.{kind}") else {}

    async def close(self, update: Update, context: Context) -> None:
        """/close N: ends a ticket and tells the user."""
        found = await self._named(update, context, "staff.usage_close")
        message = update.effective_message
        if found is None or message is None:
            return
        if found.status in (Status.OPEN, Status.ESCALATED):
            body = {"reason": "staff", "by": _who(update)}
            await self.tickets.append(found.number, EventKind.CLOSED, body, source=f"update:{update.update_id}")
            with contextlib.suppress(Forbidden):
                text = self.screens.words.html("case.closed", number=found.number)
                await self.bot.send_message(found.chat_id, text, parse_mode="HTML", rate_limit_args="closed")
        await self._say(message, "staff.closed", number=found.number)
        await self.on_change(found.number)

    async def _named(self, update: Update, context: Context, usage: str) -> Ticket | None:
        message = update.effective_message
        if message is None or not self.allowed(update):
            return None
        words = (message.text or "").split()
        if len(words) < 2 or not words[1].lstrip("№#").isdigit():
            await self._say(message, usage)
            return None
        ticket = await self.tickets.get(int(words[1].lstrip("№#")[:12]))
        if ticket is None:
            await self._say(message, "staff.no_such")
        return ticket

    async def _say(self, message: Message, key: str, **values: Any) -> None:
        await message.reply_html(self.screens.words.html(key, **values))


def path_line(case: CaseFile) -> str:
    """`DNS ✅ → ping ✅ → 5060/UDP ❌ → MicroSIP ? → Register ?`: where it ends, `?` for not tested."""
    by_name = {result.name: result for result in case.results}

    def mark(*names: str) -> str:
        tested = [by_name[name] for name in names if name in by_name and by_name[name].failure is None]
        if not tested:
            return "?"
        ours = [decide(result.findings) for result in tested]
        return "❌" if any(verdict and verdict.owner is Owner.SERVER for verdict in ours) else "✅"

    phone = {finding.tag for reading in case.readings for finding in reading.findings}
    ping = "❌" if any(f.tag is Tag.SERVER_PING_LOST for r in case.results for f in r.findings) else mark("ping")
    fine = phone & {Tag.ACCOUNT_RIGHT, Tag.PHONE_ONLINE, Tag.PHONE_REGISTERED}
    microsip = "?" if not phone else "✅" if fine else _user_mark(phone)
    register = "✅" if phone & {Tag.LOG_REGISTERED, Tag.PHONE_REGISTERED, Tag.PHONE_ONLINE} else "?"
    if any(tag.value.startswith("log_") for tag in phone) and register == "?":
        register = "❌"
    port = mark("sip", "sip_loopback", "sockets", "firewall", "pm2")
    return f"DNS {mark('dns')} → ping {ping} → 5060/UDP {port} → MicroSIP {microsip} → Register {register}"


def _user_mark(tags: Iterable[Tag]) -> str:
    accused = any(tag.value.startswith(("account_", "phone_says", "phone_got")) for tag in tags)
    return "❌" if accused else "?"


def _who(update: Update) -> str:
    return update.effective_user.full_name if update.effective_user else ""


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _whole_lines(lines: Iterable[str]) -> str:
    """As many whole lines as one message takes, so that no tag is cut."""
    kept, used = [], 0
    for line in lines:
        used += len(line.encode("utf-16-le")) // 2 + 1
        if used > TEXT_MAX - 1:
            break
        kept.append(line)
    return "\n".join(kept)
