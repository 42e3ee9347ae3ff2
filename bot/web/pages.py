"""The pages, each a function from a visit to an answer; the table at the end is every address there is."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from datasette import Response  # type: ignore[import-untyped, import-not-found, unused-ignore]
from datasette.utils.asgi import AsgiFileDownload  # type: ignore[import-untyped, import-not-found, unused-ignore]
from sqlite_utils import Database

from bot.casefile import fold
from bot.model import EventKind, Status, Ticket
from bot.numbers import Period, numbers
from bot.orders import SESSION, new_order_id
from bot.passes import opened, sealed
from bot.standing import standing
from bot.stations import stations
from bot.ticket_rows import Wanted, find_tickets, networks_of, read_ticket
from bot.web.case_page import fired, timeline
from bot.web.charts import Column, columns, share_bar
from bot.web.incidents import Incident, incidents, linked, numbered, of_ticket, standing_now
from bot.web.listing import Chosen, listing
from bot.web.ordering import CLOSE_REASONS, TEXT_MAX, WrongOrderError, given, order_of, possible, wait_for
from bot.web.room import LOGIN, LOGOUT, TICKET
from bot.web.visit import Visit
from bot.wording import because, for_staff, reason

log = logging.getLogger(__name__)
Page = Callable[[Visit], Awaitable[Any]]
LIKE_MAX = 5  # similar tickets of each sort
ENTRIES_SHOWN = 60  # of the timeline's end; what was before is folded
PERIODS_DAYS = (7, 30, 90)
SCORES_FIRST = 10  # rows of the scoreboard that are shown unfolded
MEDIA = {".jpg": "image/jpeg", ".png": "image/png", ".txt": "text/plain; charset=utf-8"}


# --- coming and going ---


async def login(visit: Visit) -> Any:
    """The link leads here. Looking uses nothing up: chats look at links by themselves to show a preview."""
    word = visit.query.get("t", "")
    room, link = visit.room, opened(visit.room.key, "link", word)
    if link is None or link.user_id not in room.staff() or await room.orders.used(link.nonce):
        return await visit.page("login.html", 403, link=None)
    return await visit.page("login.html", link=link, word=word)


async def enter(visit: Visit) -> Any:
    """The button on that page: the link is used up, the session begins."""
    room = visit.room
    link = opened(room.key, "link", (await visit.form()).get("t", ""))
    if link is None or link.user_id not in room.staff() or not await room.orders.enter(link):
        if link is not None:
            log.warning("refused: the link of user %d is used up, or they are not of the staff", link.user_id)
        return await visit.page("login.html", 403, link=None)
    session = await room.orders.session(link.nonce)
    if session is None:
        return await visit.page("login.html", 403, link=None)
    log.info("user %d has logged in to the review page", link.user_id)
    answer = Response.redirect("/", status=303)
    answer.set_cookie(room.cookie, sealed(room.key, "session", session), max_age=int(SESSION.total_seconds()))
    return answer


async def leave(visit: Visit) -> Any:
    """Ends the session for good."""
    await visit.room.orders.leave(visit.request.actor["login"])
    answer = await visit.page("login.html", link=None, left=True)
    answer.set_cookie(visit.room.cookie, "", max_age=0)
    return answer


# --- tickets ---


async def ticket_list(visit: Visit) -> Any:
    """The newest tickets, narrowed as the address says."""
    chosen = Chosen.read(visit.query)
    return await visit.page("list.html", chosen=chosen, found=await visit.read(lambda db: listing(db, chosen)),
                            statuses=tuple(Status), standing_now=await visit.read(standing_now))  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Case:
    """What one ticket's page reads at once."""

    ticket: Ticket
    like: dict[str, tuple[Ticket, ...]]
    provider: str | None  # whose customer the person is, where that is known
    networks: tuple[str, ...]  # from which the person came
    incidents: tuple[Incident, ...]
    emptied_at: datetime | None  # when what people had said in it was forgotten; None: it is all there


def _read_case(db: Database, number: int) -> _Case | None:
    ticket = read_ticket(db, number)
    if ticket is None:
        return None
    alike = {} if ticket.emptied else {"person": Wanted(user_id=ticket.user_id)}
    if ticket.extension:
        alike["extension"] = Wanted(extension=ticket.extension)
    if ticket.verdict:
        alike["step"] = Wanted(step=ticket.verdict.step)
    networks = networks_of(db, [number]).get(number, ())
    if networks:
        alike["network"] = Wanted(near=networks[-1])
    like = {
        sort: tuple(other for other in find_tickets(db, wanted, LIKE_MAX + 1) if other.number != number)[:LIKE_MAX]
        for sort, wanted in alike.items()
    }
    emptied, provider = db.execute("SELECT emptied_at, provider FROM tickets WHERE number = ?", [number]).fetchone()
    return _Case(
        ticket,
        {sort: found for sort, found in like.items() if found},
        provider,
        networks,
        of_ticket(db, number),
        datetime.fromisoformat(emptied) if emptied else None,
    )


async def ticket(visit: Visit) -> Any:
    """One ticket: what is known, what happened, what can be done."""
    return await _ticket(visit)


async def _ticket(visit: Visit, wrong: str | None = None, said: str = "", action: str = "") -> Any:
    room, words = visit.room, visit.room.words
    case = await visit.read(lambda db: _read_case(db, visit.number))
    if case is None:
        return await visit.sorry(404)
    orders = await given(visit, visit.number)
    verdict = case.ticket.verdict
    entries = timeline(words, case.ticket.events, room.target.sip_port)
    return await visit.page(
        "ticket.html",
        422 if wrong else 200,
        ticket=case.ticket,
        standing=standing(case.ticket),
        wants_person=any(e.kind is EventKind.ESCALATED and e.body.get("reason") == "asked" for e in case.ticket.events),
        stations=stations(fold(case.ticket), room.target.sip_port),
        because=[because(words, finding) for finding in verdict.because] if verdict else [],
        staff_do=for_staff(words, verdict, room.target, case.ticket.extension) if verdict else None,
        fired=fired(words, case.ticket),
        entries=entries[-ENTRIES_SHOWN:],
        earlier=entries[:-ENTRIES_SHOWN],
        like=case.like,
        provider=case.provider,
        networks=case.networks,
        emptied_at=case.emptied_at,
        incidents=case.incidents,
        orders=orders,
        look_again=not wrong and any(one.on_its_way for one in orders),
        possible=possible(case.ticket),
        reasons=CLOSE_REASONS,
        text_max=TEXT_MAX,
        order_id=new_order_id(),
        wrong=wrong,
        said=said,
        said_in=action,
    )


async def order(visit: Visit) -> Any:
    """A form of the ticket's page: an order for the bot."""
    form, actor = await visit.form(), visit.request.actor
    try:
        wanted = order_of(form, visit.number, actor["id"], actor["name"])
    except WrongOrderError as trouble:
        return await _ticket(visit, str(trouble), form.get("text", "")[: TEXT_MAX * 2], form.get("action", ""))
    if await visit.read(lambda db: read_ticket(db, visit.number)) is None:
        return await visit.sorry(404)
    await visit.room.orders.give(wanted)
    await wait_for(visit, wanted)
    return Response.redirect(f"/tickets/{visit.number}#orders", status=303)


async def back(visit: Visit) -> Any:
    """Where a form was sent to: who comes here by an address wants the ticket."""
    return Response.redirect(f"/tickets/{visit.number}", status=303)


async def attachment(visit: Visit) -> Any:
    """A picture or file of this very ticket, if its log mentions it."""
    name = str(visit.request.url_vars["name"])
    found = await visit.read(lambda db: read_ticket(db, visit.number))
    mentioned = found is not None and any(event.body.get("attachment") == name for event in found.events)
    path = visit.room.attachments.path(name) if mentioned else None
    if path is None:
        return await visit.sorry(404)
    return AsgiFileDownload(path, content_type=MEDIA[path.suffix])


# --- incidents and numbers ---


async def incident_list(visit: Visit) -> Any:
    """What was broken on our own side."""
    return await visit.page("incidents.html", found=await visit.read(incidents), one=None, tickets=())


async def incident(visit: Visit) -> Any:
    """One of them, with the tickets it concerns."""
    one = await visit.read(lambda db: numbered(db, visit.number))
    if one is None:
        return await visit.sorry(404)
    room, words = visit.room, visit.room.words
    return await visit.page(
        "incidents.html",
        found=(one,),
        one=one,
        tickets=await visit.read(lambda db: linked(db, visit.number)),
        because=[because(words, finding) for finding in one.verdict.because],
        staff_do=for_staff(words, one.verdict, room.target, None),
    )


async def figures(visit: Visit) -> Any:
    """How the help is doing."""
    asked = visit.query.get("days", "")
    days = next((days for days in PERIODS_DAYS if str(days) == asked), PERIODS_DAYS[1])
    found = await visit.read(lambda db: numbers(db, Period.last(days)))
    words = visit.room.words
    bars = [
        Column(
            f"{one.day:%d.%m}",
            one.opened,
            one.solved,
            words.plain("web.numbers.tip", day=f"{one.day:%d.%m.%Y}", opened=one.opened, solved=one.solved),
        )
        for one in found.days
    ]
    parts = [(status.value, count) for status, count in found.statuses.items() if count]
    return await visit.page(
        "numbers.html",
        n=found,
        days=days,
        periods=PERIODS_DAYS,
        scores_first=SCORES_FIRST,
        reason=lambda why: reason(words, why),
        chart=columns(words.plain("web.numbers.days"), bars),
        shares=share_bar(words.plain("web.numbers.statuses"), parts),
        most=max((cause.count for cause in found.causes), default=1),
    )


# --- every address there is ---

GETS: dict[str, Page] = {
    r"/": ticket_list,
    TICKET: ticket,
    rf"{TICKET}/orders": back,
    rf"{TICKET}/attachments/(?P<name>[0-9a-f.a-z-]{{1,80}})": attachment,
    r"/incidents": incident_list,
    r"/incidents/(?P<number>[1-9][0-9]{0,11})": incident,
    r"/numbers": figures,
    LOGIN: login,
}
POSTS: dict[str, Page] = {rf"{TICKET}/orders": order, LOGIN: enter, LOGOUT: leave}
OPEN_TO_ALL = (login, enter)


async def answer(visit: Visit, pattern: str) -> Any:
    """Finds the page, asks Datasette once more whether this person may see it, and is sorry for what goes wrong."""
    page = (POSTS if visit.request.method == "POST" else GETS).get(pattern)
    if page is None:
        return await visit.sorry(405)
    if page not in OPEN_TO_ALL and not await visit.datasette.permission_allowed(visit.request.actor, "review-tickets"):
        return await visit.sorry(403)
    try:
        return await page(visit)
    except sqlite3.OperationalError as trouble:
        log.warning("the ticket log could not be read: %s", trouble)
        return await visit.sorry(503)
    except Exception:
        log.exception("the page %s broke", pattern)
        return await visit.sorry(500)
