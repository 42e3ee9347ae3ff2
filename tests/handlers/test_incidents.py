"""The end of an incident reaches everybody it can, once, at Telegram's pace; the staff's card follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.casefile import fold
from bot.incidents import Round
from bot.model import CheckResult, EventKind, Finding, Tag, Target
from bot.schema import migrations
from handlers.incidents import FAILURES_MAX, Incidents
from handlers.pace import Limits
from handlers.post import Post
from handlers.reply import Screens
from messages import load
from tests.fake_api import FakeApi
from tests.handlers.rig import Rig, calling

STAFF_CHAT = -100777
OVER, ALERT = "Bizdagi nosozlik tugadi", "Nosozlik №1"
NOON = datetime(2026, 1, 23, 12, 0, tzinfo=UTC)  # over before anything that a story does
HEARD = CheckResult("dns", 1.0, (Finding(Tag.SERVER_DNS_OK, {"addresses": ("203.0.113.10",)}),))
BAD = (HEARD, CheckResult("sip", 1.0, (Finding(Tag.SERVER_SIP_REFUSED),)))
GOOD = (HEARD, CheckResult("sip", 1.0, (Finding(Tag.SERVER_SIP_ANSWERS, {"code": 200, "rtt_ms": 1.0}),)))


@dataclass(slots=True)
class Desk:
    """Incidents over a database, and the own cards that tickets got."""

    rig: Rig
    incidents: Incidents
    cards: list[int]
    closed: list[int]  # tickets that were closed with a word to their people
    minutes: int = 0

    async def sees(self, *rounds: tuple[CheckResult, ...]) -> None:
        """One round a minute."""
        for results in rounds:
            seen = Round(NOON + timedelta(minutes=self.minutes), results)
            self.minutes += 1
            await self.incidents.follow(seen, await self.incidents.log.count(seen, seen.at))

    async def linked(self, *people: int) -> list[int]:
        """A ticket of each, linked to the first incident."""
        numbers = []
        for person in people:
            opened = await self.incidents.tickets.open(
                user_id=person, chat_id=person, name="Ali", language="uz", source=f"update:{person}"
            )
            await self.incidents.tickets.append(opened.number, EventKind.ESCALATED, {"reason": "start_pbx"})
            await self.incidents.links.link(1, opened.number)
            numbers.append(opened.number)
        return numbers

    def said(self, words: str, chat: int) -> int:
        """How often this was sent there."""
        calls = self.rig.api.calls("sendMessage", chat)
        return sum(call.ok and words in str(call.params["text"]) for call in calls)


@asynccontextmanager
async def watching(folder: Path, limits: Limits | None = None) -> AsyncIterator[Desk]:
    """Incidents that can speak. `limits=None`: Telegram's."""
    target = Target("call.soundz.uz", 5060, frozenset(), "call.soundz.uz")
    with FakeApi() as api:
        api.group(STAFF_CHAT, "Operatorlar")
        async with calling(api, folder, limits) as rig:
            await rig.store.run(migrations.apply)
            cards: list[int] = []
            closed: list[int] = []

            async def close(number: int, reason: str, by: str, *, source: str) -> bool:
                closed.append(number)
                return await incidents.tickets.append(
                    number, EventKind.CLOSED, {"reason": reason, "by": by}, source=source
                )

            screens, post = Screens(load("uz"), target), Post(rig.bot)
            incidents = Incidents.over(
                rig.store, screens, post, lambda: STAFF_CHAT, cards.append, rig.inbox.spawn, close
            )
            yield Desk(rig, incidents, cards, closed)


async def test_sixty_are_told_without_one_refusal_by_telegram(tmp_path: Path) -> None:
    people = range(1, 61)
    async with watching(tmp_path) as desk:
        desk.rig.api.flood.on = True
        for person in people:
            desk.rig.api.user(person)
        await desk.sees(BAD, BAD)
        await desk.linked(*people)
        await desk.sees(GOOD, GOOD, GOOD)
        await desk.rig.until(lambda: all(desk.said(OVER, person) for person in people), 30)
        await desk.rig.until(lambda: desk.rig.api.messages(STAFF_CHAT)[0].text.count("aytildi: 60") == 1)
        assert [desk.said(OVER, person) for person in people] == [1] * 60
        assert (desk.said(ALERT, STAFF_CHAT), desk.rig.api.flood.refusals) == (1, 0)


async def test_who_blocked_the_bot_or_is_gone_keeps_nobody_from_hearing_it(tmp_path: Path) -> None:
    async with watching(tmp_path) as desk:
        for person in (1, 2, 4):
            desk.rig.api.user(person)
        desk.rig.api.block(2)
        await desk.sees(BAD, BAD)
        await desk.linked(1, 2, 3, 4)  # 3 does not exist any more
        await desk.sees(GOOD, GOOD, GOOD)
        await desk.rig.until(lambda: desk.said(OVER, 4))
        await desk.rig.until(lambda: "aytildi: 2\nYetib bormadi" in desk.rig.api.messages(STAFF_CHAT)[0].text)
        assert "(bot toʻxtatilgan): 2" in desk.rig.api.messages(STAFF_CHAT)[0].text
        assert [desk.said(OVER, person) for person in (1, 4)] == [1, 1]
        assert await desk.incidents.log.unsettled() == ()


async def test_what_the_network_stopped_is_said_in_the_next_round(tmp_path: Path) -> None:
    async with watching(tmp_path) as desk:
        for person in (1, 2):
            desk.rig.api.user(person)
        await desk.sees(BAD, BAD)
        await desk.linked(1, 2)
        await desk.rig.until(lambda: desk.said(ALERT, STAFF_CHAT))
        desk.rig.courier.stop()  # from now on a call that would have to wait fails at once
        broken = desk.rig.api.fault("status", "sendMessage", contains=OVER, times=99, status=502)
        await desk.sees(GOOD, GOOD, GOOD)
        await desk.rig.until(lambda: broken.times < 99)
        assert await desk.incidents.log.unsettled() == (1,)
        broken.times = 0
        await desk.sees(GOOD)
        await desk.rig.until(lambda: desk.said(OVER, 1) and desk.said(OVER, 2))
        assert [desk.said(OVER, person) for person in (1, 2)] == [1, 1]


async def test_a_linked_ticket_gets_its_own_card_when_the_person_asks_for_one(tmp_path: Path) -> None:
    async with watching(tmp_path) as desk:
        await desk.sees(BAD, BAD)
        quiet, asking = await desk.linked(1, 2)
        await desk.incidents.resume()  # as after a restart: what is linked and has no card stays without
        desk.incidents.card_changed(quiet)
        await desk.incidents.tickets.append(asking, EventKind.ESCALATED, {"reason": "asked"})
        desk.incidents.card_changed(asking)
        desk.incidents.card_changed(99)  # of no incident
        await desk.rig.until(lambda: asking in desk.cards)
        assert desk.cards == [99, asking]


async def reasons(desk: Desk, number: int) -> list[str]:
    """Why a ticket was closed, each time."""
    ticket = await desk.incidents.tickets.get(number)
    assert ticket is not None
    return [event.body["reason"] for event in ticket.events if event.kind is EventKind.CLOSED]


async def test_who_goes_on_after_the_end_is_not_closed_with_the_others(tmp_path: Path) -> None:
    async with watching(tmp_path) as desk:
        for person in (1, 2, 3):
            desk.rig.api.user(person)
        await desk.sees(BAD, BAD)
        asking, writing, waiting = await desk.linked(1, 2, 3)
        await desk.sees(GOOD, GOOD, GOOD)
        await desk.rig.until(lambda: all(desk.said(OVER, person) for person in (1, 2, 3)))
        tickets = desk.incidents.tickets
        await tickets.append(asking, EventKind.RECHECK, {"checks": []})
        await tickets.append(asking, EventKind.ESCALATED, {"reason": "call_staff"})
        await tickets.append(writing, EventKind.USER_MESSAGE, {"text": "hali ham ulanmayapti", "media": "text"})
        await desk.incidents.tend_all()
        known = await desk.incidents.log.get(1)
        assert known is not None
        assert known.open_tickets == 1  # what the button says
        await desk.incidents.close_linked(1, "Nodir")
        await desk.rig.until(lambda: desk.closed)
        while await desk.incidents.log.unsettled():  # noqa: ASYNC110 - it says so nowhere else
            await asyncio.sleep(0.005)
        assert desk.closed == [waiting]


async def test_who_was_solved_while_the_others_were_told_stays_solved(tmp_path: Path) -> None:
    async with watching(tmp_path) as desk:
        for person in (1, 2):
            desk.rig.api.user(person)
        await desk.sees(BAD, BAD)
        first, second = await desk.linked(1, 2)
        await desk.rig.until(lambda: desk.said(ALERT, STAFF_CHAT))
        slow = desk.rig.api.fault("hang", "sendMessage", contains=OVER, seconds=1)
        await desk.incidents.end(1, "Nodir")
        await desk.rig.until(lambda: slow.times == 0)
        await desk.incidents.tickets.append(second, EventKind.CLOSED, {"reason": "solved"})
        await desk.rig.until(lambda: desk.said(OVER, 2))
        while await desk.incidents.log.unsettled():  # noqa: ASYNC110 - it says so nowhere else
            await asyncio.sleep(0.005)
        assert [await reasons(desk, number) for number in (first, second)] == [["incident"], ["solved"]]


async def test_a_chat_that_telegram_fails_on_keeps_no_other_from_hearing_it(tmp_path: Path) -> None:
    async with watching(tmp_path) as desk:
        for person in (71, 72):
            desk.rig.api.user(person)
        await desk.sees(BAD, BAD)
        await desk.linked(71, 72)
        await desk.rig.until(lambda: desk.said(ALERT, STAFF_CHAT))
        desk.rig.courier.stop()  # from now on a call that would have to wait fails at once
        broken = desk.rig.api.fault("status", "sendMessage", contains="71", times=99, status=500)
        await desk.sees(GOOD, GOOD, GOOD)
        await desk.rig.until(lambda: desk.said(OVER, 72))
        assert (desk.said(OVER, 71), await desk.incidents.log.unsettled()) == (0, (1,))
        broken.times = 0
        await desk.sees(GOOD)
        await desk.rig.until(lambda: desk.said(OVER, 71))
        assert desk.said(OVER, 72) == 1


async def test_however_many_chats_telegram_fails_on_the_others_hear_it_in_time(tmp_path: Path) -> None:
    broken = range(71, 71 + FAILURES_MAX)
    async with watching(tmp_path) as desk:
        for person in (*broken, 90):
            desk.rig.api.user(person)
        await desk.sees(BAD, BAD)
        await desk.linked(*broken, 90)
        await desk.rig.until(lambda: desk.said(ALERT, STAFF_CHAT))
        desk.rig.courier.stop()  # from now on a call that would have to wait fails at once
        for person in broken:
            desk.rig.api.fault("status", "sendMessage", contains=str(person), times=999, status=500)
        await desk.sees(GOOD, GOOD, GOOD)
        async with asyncio.timeout(20):
            while not desk.said(OVER, 90):
                await desk.sees(GOOD)
                await asyncio.sleep(0.02)  # the round goes on beside us
        assert [desk.said(OVER, person) for person in (*broken, 90)] == [0] * FAILURES_MAX + [1]


async def test_a_card_that_somebody_deleted_is_posted_anew_with_its_button(tmp_path: Path) -> None:
    async with watching(tmp_path) as desk:
        await desk.sees(BAD, BAD)
        await desk.rig.until(lambda: desk.said(ALERT, STAFF_CHAT))
        (card,) = desk.rig.api.messages(STAFF_CHAT)
        desk.rig.api.delete_message(STAFF_CHAT, card.message_id)
        await desk.linked(1)
        await desk.sees(BAD)
        await desk.rig.until(lambda: desk.rig.api.messages(STAFF_CHAT))
        (again,) = desk.rig.api.messages(STAFF_CHAT)
        assert [button.data for row in again.buttons for button in row] == ["inc:1:end"]
        await desk.incidents.end(1, "Nodir")
        await desk.rig.until(lambda: "tugadi" in desk.rig.api.messages(STAFF_CHAT)[0].text)
        assert len(desk.rig.api.messages(STAFF_CHAT)) == 1


async def test_an_incident_of_the_time_out_of_the_staff_chat_is_shown_when_the_bot_is_back(tmp_path: Path) -> None:
    async with watching(tmp_path) as desk:
        chats = desk.rig.courier.chats
        desk.rig.api.chats.chats[STAFF_CHAT].state = "kicked"
        await desk.sees(BAD, BAD)
        await desk.rig.until(lambda: chats.why_closed(STAFF_CHAT))
        desk.rig.api.chats.chats[STAFF_CHAT].state = "ok"
        chats.reopened(STAFF_CHAT)
        await desk.sees(BAD)
        await desk.rig.until(lambda: desk.said(ALERT, STAFF_CHAT))


async def test_who_comes_in_the_moment_of_the_end_is_told_of_it_and_looked_at_himself(tmp_path: Path) -> None:
    async with watching(tmp_path) as desk:
        desk.rig.api.user(1)
        await desk.sees(BAD, BAD)
        tickets, log = desk.incidents.tickets, desk.incidents.log
        ticket = await tickets.open(user_id=1, chat_id=1, name="Ali", language="uz", source="update:1")
        bad = Round(datetime.now(UTC), BAD)
        await desk.incidents.follow(bad, ())

        async def ends() -> bool:
            await log.get(1)  # so that the database has just told that it stands
            return await log.end(1, "Nodir")

        ending = asyncio.create_task(ends())
        known = await desk.incidents.known(ticket, fold(ticket))
        assert await ending
        await desk.rig.until(lambda: desk.said(OVER, 1))
        assert (known, await reasons(desk, ticket.number)) == ((), [])
