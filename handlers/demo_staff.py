"""`yordam demo --staff`: a case from the staff's side, to practise on. The person is played, everything else is real.

The trainee sits in the staff chat: numbers press the card's buttons, text goes to the person, `//` makes a note,
`/tickets` and the like are commands. The person answers what is asked and thanks for what helped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from rich.markup import escape

from bot.model import Event, EventKind, Kind, Target, Ticket
from bot.settings import Settings
from handlers.actions import ENDED
from handlers.demo import OLD_ADDRESS, STUCK, Demo, Running, standing_in, typed
from handlers.demo_pbx import DemoPbx
from handlers.staff_terminal import TRAINEE_ID, StaffConsole
from handlers.terminal import STAFF_ID, Shown
from messages import Catalogue

CASE = 1  # the one ticket of a practice run
STARS = "rate:5"
# What the person's computer says; of other kinds the example that people are shown.
EVIDENCE = {
    Kind.MICROSIP_STATUS: STUCK,
    Kind.NSLOOKUP: OLD_ADDRESS.strip(),
    Kind.PING: "Pinging call.soundz.uz [203.0.113.77] with 32 bytes of data:\n"
    "Request timed out.\nRequest timed out.\n\nPing statistics for 203.0.113.77:\n"
    "    Packets: Sent = 2, Received = 0, Lost = 2 (100% loss),",
}
# One whole story of the staff's side: a button by what it does, or words.
SCRIPT = (
    "#take",
    "{hello}",
    "// {note}",
    "#menu:ask",
    "#ask:ping",
    "{advice}",
    "/ticket 1",
    "#menu:close",
    "#close:solved",
)


@dataclass(slots=True)
class PlayedPerson:
    """Does what a person would do next, going by what the log says since the last look."""

    words: Catalogue
    target: Target
    answers: list[str]
    seen: int = 0

    def next(self, ticket: Ticket) -> list[str]:
        """What they say or press now; a button as '#<what it does>'."""
        fresh, self.seen = ticket.events[self.seen :], len(ticket.events)
        return [said for event in fresh if (said := self._after(event)) is not None]

    def _after(self, event: Event) -> str | None:
        if event.kind is EventKind.STAFF_MESSAGE:
            return self.answers.pop(0) if self.answers else None
        if event.kind is EventKind.ASKED and "by" in event.body:
            kind = Kind(event.body["question"])
            if kind is Kind.MICROSIP_SCREEN:
                return self.words.plain("practice.no_picture")
            if kind in EVIDENCE:
                return EVIDENCE[kind]
            return self.words.plain(f"ask.{kind}.example", None, host=self.target.host)
        if event.kind is EventKind.CLOSED and event.body.get("reason") == "solved":
            return f"#{STARS}"
        return None


class StaffDemo(Demo):
    """One case, played from one side and practised from the other."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.model_copy(update={"staff_ids": frozenset({TRAINEE_ID})}))
        self.seated = False  # in the staff chat: before, the trainee looks over the person's shoulder
        self._shown: dict[int, Shown] = {}

    async def practise(self, lines: Iterator[str] | None, *, story: bool = False) -> None:
        """The trainee's part from `lines`, or from the keyboard; `story`: the scripted one."""
        async with DemoPbx() as pbx:
            self.settings = standing_in(self.settings, pbx)
            self.live = lines is None and not story
            words = self.words
            api = StaffConsole(words.plain("practice.person"), words.plain("demo.you"))
            async with Running(self, api) as running:
                practice = _Practice(self, running, api)
                await practice.begin()
                for said in self._story() if story else lines or ():
                    await practice.turn(said)
                while self.live and (said := await typed()):
                    if said.strip():
                        await practice.turn(said)
                self.say("practice.over")

    def _story(self) -> Iterator[str]:
        said = {name: self.words.plain(f"practice.{name}") for name in ("hello", "note", "advice")}
        return (line.format(**said) for line in SCRIPT)

    def show(self, shown: Shown) -> None:
        """Prints a message of either side, and again what changed of it."""
        staff = shown.chat_id == STAFF_ID
        if staff and not self.seated:
            return
        known = self._shown.get(shown.message_id)
        if known is not None and _seen(known) == _seen(shown):
            return
        self._shown[shown.message_id] = replace(shown)
        key = "demo.staff_side" if staff else "practice.person_side"
        self.head("yellow" if staff else "green", key, changed=known is not None)
        if known is None or known.text != shown.text:
            self.console.print(escape(shown.text))
        if staff:
            for number, button in enumerate(shown.buttons, 1):
                self.console.print(f"  [cyan]\\[{number}][/] {escape(button['text'])}")
        self.console.print()


class _Practice:
    """The course of one practice run."""

    def __init__(self, demo: StaffDemo, running: Running, api: StaffConsole) -> None:
        self.demo, self.running, self.api = demo, running, api
        words = demo.words
        answers = [words.plain(f"practice.answer_{n}") for n in (1, 2)]
        self.person = PlayedPerson(words, demo.settings.target(), answers)

    async def begin(self) -> None:
        """The person's way to the staff, up to the card."""
        self.demo.say("practice.stand_in")
        for said in ("/diagnose", STUCK, OLD_ADDRESS, "/operator", self.demo.words.plain("practice.plea")):
            await self._person(said)
        self.person.seen = len((await self._ticket()).events)
        self.demo.say("practice.how")
        self.demo.seated = True
        await self._quiet()
        self._hint(await self._ticket())

    async def turn(self, said: str) -> None:
        """What the trainee does, all that follows, and what could be tried next."""
        said = said.strip()
        deed = self.api.place_of(said[1:]) if said.startswith("#") else int(said) if _is_place(said) else None
        if deed is None:
            self.api.order(said)
        elif (pressed := self.api.press_deed(deed)) is not None:
            said = pressed
        else:
            self.demo.say("practice.no_button")
            return
        if deed is not None or not self.demo.live:  # what somebody typed stands there already
            self._told("practice.you", "blue", said)
        await self._quiet()
        for done in self.person.next(await self._ticket()):
            await self._person(done)
        self._hint(await self._ticket())

    async def _person(self, said: str) -> None:
        if said.startswith("#"):
            data = [str(button.get("callback_data", "")) for _, button in self.api.buttons()]
            place = next((n for n, deed in enumerate(data, 1) if deed.endswith(said[1:])), 0)
            if not place:
                return
            said = str(self.api.buttons()[place - 1][1]["text"])
            self.api.press(place)
        else:
            self.api.type(said)
        self._told("practice.person", "magenta", said)
        await self._quiet()

    async def _quiet(self) -> None:
        await self.running.quiet()
        asides, self.api.asides = self.api.asides, []
        for aside in asides:
            self.demo.console.print(f"[dim]💬 {escape(aside)}[/]\n")

    def _told(self, key: str, style: str, said: str) -> None:
        self.demo.head(style, key)
        self.demo.console.print(escape(said) + "\n")

    def _hint(self, ticket: Ticket) -> None:
        """What the trainee has not tried yet."""
        for key, tried in HINTS:
            if not any(tried(event) for event in ticket.events):
                self.demo.say("practice.hint_reopen" if ticket.status in ENDED else f"practice.{key}")
                return
        self.demo.say("practice.hint_done")

    async def _ticket(self) -> Ticket:
        return await self.running.service.desk.fresh(CASE)


HINTS: tuple[tuple[str, Callable[[Event], bool]], ...] = (
    ("hint_take", lambda event: event.kind is EventKind.TAKEN),
    ("hint_reply", lambda event: event.kind is EventKind.STAFF_MESSAGE),
    ("hint_note", lambda event: event.kind is EventKind.NOTE),
    ("hint_ask", lambda event: event.kind is EventKind.ASKED and "by" in event.body),
    ("hint_close", lambda event: event.kind is EventKind.CLOSED),
)


def _seen(shown: Shown) -> tuple[str, list[str]]:
    """What a terminal shows of it."""
    return shown.text, [str(button["text"]) for button in shown.buttons]


def _is_place(said: str) -> bool:
    return said.isascii() and said.isdigit() and len(said) < 3
