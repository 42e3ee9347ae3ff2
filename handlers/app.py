"""The Telegram application, as a table of contents: every handler, in order."""

from __future__ import annotations

from dataclasses import dataclass

from telegram import Update
from telegram.ext import (
    ApplicationBuilder,
    CallbackQueryHandler,
    ChatMemberHandler,
    CommandHandler,
    MessageHandler,
    TypeHandler,
    filters,
)
from telegram.request import BaseRequest

from bot.attachments import Attachments
from bot.barred import Barred
from bot.checks.register_watch import Watches
from bot.checks.runner import Runner
from bot.forgetting import Forgetting
from bot.hours import Clock, utc_now
from bot.mailbox import Mailbox
from bot.orders import Outcomes
from bot.own_log import OwnLog
from bot.parsers import screen_worker
from bot.passes import key_of
from bot.redact import redact
from bot.settings import WEB_DATABASE, Settings
from bot.store import Store
from bot.tickets import Tickets
from handlers.actions import Actions
from handlers.barring import Barring
from handlers.case import Case
from handlers.courier import Courier
from handlers.desk import Desk
from handlers.erasing import Erasing
from handlers.errors import Errors
from handlers.evidence import Inflow
from handlers.inbox import Inbox
from handlers.incident_buttons import PATTERN as INCIDENT_BUTTONS
from handlers.incident_buttons import IncidentButtons
from handlers.incidents import Incidents
from handlers.lifecycle import Lifecycle
from handlers.lines import requests
from handlers.my_data import PATTERN as MY_DATA_BUTTONS
from handlers.my_data import MyData
from handlers.orders import Orders
from handlers.pace import Limits
from handlers.patrol import Patrol
from handlers.pictures import Pictures
from handlers.post import Post
from handlers.rating import Ratings
from handlers.relay import Relay
from handlers.reply import Screens
from handlers.sequel import Sequel
from handlers.service import App
from handlers.service import Service as Service  # who builds one names its type from here, too
from handlers.staff import Staff
from handlers.staff_buttons import PATTERN as STAFF_BUTTONS
from handlers.staff_buttons import StaffButtons
from handlers.staff_commands import StaffCommands
from handlers.staff_notices import StaffNotices
from handlers.stats import Stats
from handlers.talk import ORDERED, SAID, Talk
from handlers.unban import PATTERN as UNBAN_BUTTONS
from handlers.unban import Unbanning
from handlers.watching import Watching
from handlers.web_login import WebLogin
from messages import load

USER_COMMANDS = ("diagnose", "sozlama", "status", "operator", "help", "my_data", "forget_me")
ONLY_STAFF = ("tickets", "ticket", "take", "close", "reopen", "note", "ask", "assign", "tag", "priority", "stats")
ABOUT_PEOPLE = ("mute", "ban", "unban_user")
BEFORE_ALL = -1  # a group of handlers
STAFF_COMMANDS = (*ONLY_STAFF, *ABOUT_PEOPLE, "help")
IN_PRIVATE = (*USER_COMMANDS, "web")  # what one of the staff may order there


@dataclass(frozen=True, slots=True)
class Rooms:
    """Who answers updates."""

    case: Case
    mine: MyData
    inflow: Inflow
    web: WebLogin
    staff: Staff
    commands: StaffCommands
    barring: Barring
    stats: Stats
    talk: Talk
    card: StaffButtons
    incident: IncidentButtons
    unbanning: Unbanning
    errors: Errors


def build(
    settings: Settings,
    store: Store,
    *,
    request: BaseRequest | None = None,
    limits: Limits | None = None,
    now: Clock = utc_now,
) -> Service:
    """The application with all its handlers over one database. `request`, `limits`: another Bot API, its pace."""
    target = settings.target()
    screens = Screens(load(settings.default_language), target)
    mailbox, tickets = Mailbox(store), Tickets(store)
    notices = StaffNotices()
    courier = Courier(mailbox, limits, notices)
    application = _application(settings, courier, request)
    inbox = Inbox(mailbox, application, courier, redact)
    staff = Staff.build(
        tickets,
        screens,
        application.bot,
        settings.staff_chat_id,
        settings.staff_ids,
        courier.chats.where,
        inbox.spawn,
        courier.pace.limits,
    )
    staffed = settings.staff_chat_id is not None
    runner = Runner()
    post = Post(application.bot)

    def changed(number: int) -> None:
        incidents.card_changed(number)
        watching.look_out(number)
        sequel.consider(number)
        life.changed(number)

    async def close_ticket(number: int, reason: str, by: str, *, source: str) -> bool:
        return await actions.close(number, reason, by, source=source)

    incidents = Incidents.over(store, screens, post, lambda: staff.chat_id, staff.on_change, inbox.spawn, close_ticket)
    staff.redraw = incidents.card_changed
    desk = Desk(
        tickets,
        target,
        screens,
        runner,
        post,
        changed,
        Pictures(screens, post),
        incidents,
        staffed=staffed,
        spawn=inbox.spawn,
        now=now,
        reads_pictures=screen_worker.available(),
    )
    notices.staff, notices.desk = staff, desk
    actions = Actions(desk, inbox.spawn)
    orders = Orders(store.path.with_name(WEB_DATABASE), Outcomes(store), actions, staff.roster.ids, inbox.spawn)
    patrol = Patrol.of(target, runner, incidents, settings.own_side_every_s)
    watching = Watching(desk, Watches(runner), inbox.spawn)
    sequel = Sequel.over(store, desk, staff, actions, inbox.spawn)
    relay = Relay.over(store, staff, now, inbox.coming, courier.chats.why_closed)
    life = Lifecycle.over(store, settings.hours(), actions, relay, now)
    rating = Ratings(desk, life.dues, now)
    attachments = Attachments.beside(store.path)
    erasing = Erasing(
        Forgetting(store, attachments), mailbox, post, screens, inbox.spawn, lambda: courier.left(staff.chat_id)
    )
    rooms = Rooms(
        case=Case(desk, watching, inbox.spawn, rating, life.waits, relay, settings.retention_days),
        mine=MyData(OwnLog(store), Barred(store), erasing, post, screens),
        inflow=Inflow(desk, relay, rating, attachments),
        web=WebLogin(screens.words, key_of(store.path.parent), settings.web_url.rstrip("/")),
        staff=staff,
        commands=StaffCommands(staff, actions, STAFF_COMMANDS),
        barring=Barring(staff, actions, STAFF_COMMANDS, barred=relay.barred, now=now),
        stats=Stats(staff, inbox.spawn),
        talk=Talk(relay, actions),
        card=StaffButtons(staff, actions),
        incident=IncidentButtons(staff, incidents),
        unbanning=sequel.unbanning,
        errors=Errors(screens, staff),
    )
    _register(application, rooms)
    return Service(
        application,
        inbox,
        courier,
        desk,
        staff,
        actions,
        orders,
        watching,
        patrol,
        erasing,
        life,
        (USER_COMMANDS, STAFF_COMMANDS, IN_PRIVATE),
        settings.retention_days,
    )


def _application(settings: Settings, courier: Courier, request: BaseRequest | None) -> App:
    fetching, sending = (request, request) if request is not None else requests()
    return (
        ApplicationBuilder()
        .token(settings.token())
        .base_url(settings.telegram_api_url)
        .base_file_url(settings.telegram_file_url)
        .get_updates_request(fetching)
        .request(sending)
        .rate_limiter(courier)
        .updater(None)
        .build()
    )


def _register(application: App, rooms: Rooms) -> None:
    """The first handler that wants an update takes it: their order is a law."""
    private, groups, edited = filters.ChatType.PRIVATE, filters.ChatType.GROUPS, filters.UpdateType.EDITED_MESSAGE
    ordered = groups & ~filters.FORWARDED  # a user's words that one of the staff passes on are no order
    application.add_handler(TypeHandler(Update, rooms.barring.gate), BEFORE_ALL)
    for handler in (
        CommandHandler("start", rooms.case.start, private),
        CommandHandler("help", rooms.case.help, private),
        CommandHandler("diagnose", rooms.case.diagnose, private),
        CommandHandler("status", rooms.case.status, private),
        CommandHandler("sozlama", rooms.case.settings, private),
        CommandHandler("operator", rooms.case.operator, private),
        CommandHandler("my_data", rooms.mine.my_data, private),
        CommandHandler("forget_me", rooms.mine.forget_me, private),
        CommandHandler("web", rooms.web.web, filters.User(rooms.staff.roster.ids)),
        MessageHandler(groups & edited, rooms.talk.from_staff),  # no command is given by an edit
        CallbackQueryHandler(rooms.card.press, STAFF_BUTTONS),
        CallbackQueryHandler(rooms.incident.press, INCIDENT_BUTTONS),
        CallbackQueryHandler(rooms.unbanning.press, UNBAN_BUTTONS),
        CallbackQueryHandler(rooms.mine.press, MY_DATA_BUTTONS),
        CallbackQueryHandler(rooms.case.press),
        ChatMemberHandler(rooms.staff.joined, ChatMemberHandler.MY_CHAT_MEMBER),
        MessageHandler(groups & filters.StatusUpdate.NEW_CHAT_MEMBERS, rooms.staff.newcomers),
        CommandHandler("tickets", rooms.commands.tickets, ordered),
        CommandHandler("ticket", rooms.commands.ticket, ordered),
        CommandHandler("take", rooms.commands.take, ordered),
        CommandHandler("close", rooms.commands.close, ordered),
        CommandHandler("reopen", rooms.commands.reopen, ordered),
        CommandHandler("note", rooms.commands.note, ordered),
        CommandHandler("ask", rooms.commands.ask, ordered),
        CommandHandler("assign", rooms.commands.assign, ordered),
        CommandHandler("tag", rooms.commands.tag, ordered),
        CommandHandler("priority", rooms.commands.priority, ordered),
        CommandHandler("stats", rooms.stats.show, ordered),
        CommandHandler("help", rooms.commands.help, ordered),
        CommandHandler("mute", rooms.barring.mute, ordered),
        CommandHandler("ban", rooms.barring.ban, ordered),
        CommandHandler("unban_user", rooms.barring.unban, ordered),
        MessageHandler(groups & filters.UpdateType.MESSAGE & ORDERED, rooms.talk.no_order),
        CommandHandler("web", rooms.commands.no_web, private),
        CommandHandler((*ONLY_STAFF, *ABOUT_PEOPLE), rooms.commands.not_here, private),
        MessageHandler(private & (filters.UpdateType.MESSAGE | edited), rooms.inflow.message),
        MessageHandler(SAID, rooms.talk.from_staff),
    ):
        application.add_handler(handler)
    application.add_error_handler(rooms.errors.handle)
