"""`yordam demo`: a chat in the terminal, a conversation from a pipe, or one whole case played by itself."""

from __future__ import annotations

import asyncio
import select
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self, TextIO

from rich.console import Console
from rich.markup import escape

from bot.mailbox import migrations as mailbox_migrations
from bot.schema import migrations as ticket_migrations
from bot.settings import Settings
from bot.store import Store
from handlers.app import Service, build
from handlers.demo_pbx import HERE, SHOWN_ADDRESS, DemoPbx
from handlers.pace import Limits
from handlers.terminal import PERSON_ID, STAFF_ID, TOKEN, ConsoleApi, Shown
from messages import load

UNHURRIED = Limits(private_burst=1000, private_interval_s=0.001, group_calls=1000, all_calls=1000)
SEPARATOR = "---"
PASTE_GAP_S = 0.15  # lines that follow each other faster were pasted, not typed
STUCK = "Тайм-аут запроса"  # what the person's MicroSIP says
OLD_ADDRESS = (  # what the person's computer says of the PBX's name
    "C:\\Users\\User>nslookup call.soundz.uz\nServer:  UnKnown\nAddress:  192.168.1.1\n\n"
    "Non-authoritative answer:\nName:    call.soundz.uz\nAddress:  203.0.113.77\n"
)
# One whole case, as it happens most often: the person's DNS gives an old address.
SCRIPT = (
    "/diagnose",
    STUCK,
    OLD_ADDRESS,
    "1",
    "C:\\Users\\User>nslookup call.soundz.uz\nServer:  dns.google\nAddress:  8.8.8.8\n\n"
    f"Non-authoritative answer:\nName:    call.soundz.uz\nAddress:  {SHOWN_ADDRESS}\n",
    "На линии",
)


class Demo:
    """One conversation over the in-process Bot API, with a database that lasts as long as it."""

    def __init__(self, settings: Settings, out: TextIO = sys.stdout) -> None:
        self.settings = settings
        self.console = Console(file=out, highlight=False, soft_wrap=True)
        self.live = False
        self.words = load(settings.default_language)
        self._printed: dict[int, str] = {}

    async def chat(self, lines: Iterator[str] | None) -> None:
        """Messages from `lines`; from the keyboard when there are none."""
        self.live = lines is None
        async with Running(self, ConsoleApi(self.show if self.live else None)) as running:
            if lines is not None:
                for said in lines:
                    await running.say(said)
                return
            await running.say("/start")
            self.say("demo.how")
            while said := await typed():
                if said.strip():
                    await running.say(said, echo=False)

    async def play(self) -> None:
        """The scripted case, against a stand-in PBX on this machine."""
        async with DemoPbx() as pbx:
            self.settings = standing_in(self.settings, pbx)
            self.say("demo.stand_in")
            await self.chat(iter(SCRIPT))

    def say(self, key: str, **values: str) -> None:
        """A word of the demo itself."""
        self.console.print(f"[dim]{escape(self.words.plain(key, **values))}[/]\n")

    def show(self, shown: Shown) -> None:
        """Prints a message, or what became of it, once."""
        if self._printed.get(shown.message_id) == shown.text:
            return
        edited = shown.message_id in self._printed
        self._printed[shown.message_id] = shown.text
        staff = shown.chat_id == STAFF_ID
        self.head("yellow" if staff else "green", "demo.staff_side" if staff else "demo.bot", changed=edited)
        self.console.print(escape(shown.text))
        if shown.chat_id == PERSON_ID:
            for number, button in enumerate(shown.buttons, 1):
                self.console.print(f"  [cyan]\\[{number}][/] {escape(button['text'])}")
        self.console.print()

    def head(self, style: str, key: str, *, changed: bool = False) -> None:
        """Who says what comes now, or on whose screen it stands."""
        again = f" [dim]({escape(self.words.plain('demo.changed'))})[/]" if changed else ""
        self.console.print(f"[bold {style}]{escape(self.words.plain(key))}[/]{again}")


class Running:
    """The service while the conversation lasts."""

    def __init__(self, demo: Demo, api: ConsoleApi) -> None:
        self.demo = demo
        self.api = api

    async def __aenter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="yordam-demo-")
        self.store = Store(Path(self._folder.name) / "yordam.db", (ticket_migrations, mailbox_migrations))
        settings = self.demo.settings.with_token(TOKEN, STAFF_ID)
        self.service: Service = build(settings, self.store, request=self.api, limits=UNHURRIED)
        self._task = asyncio.create_task(self.service.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.service.inbox.stop()
        await self._task
        self.store.close()
        self._folder.cleanup()

    async def say(self, said: str, *, echo: bool = True) -> None:
        """One message of the person's, and all that follows from it."""
        if echo:
            self.demo.head("blue", "demo.you")
            self.demo.console.print(escape(said.strip()) + "\n")
        self._hand_in(said.strip())
        await self.quiet()

    async def quiet(self) -> None:
        """Shows all that follows from what was said."""
        await self.api.quiet(lambda: self.service.inbox.busy)
        for shown in list(self.api.shown.values()):
            self.demo.show(shown)

    def _hand_in(self, said: str) -> None:
        if said.isdigit() and len(said) < 3 and self.api.press(int(said)):
            return
        if said.startswith("@") and "\n" not in said:
            try:
                self.api.send_file(Path(said[1:]).expanduser())
            except (OSError, RuntimeError):  # also: whose home is ~nobody's?
                self.demo.say("demo.no_file", file=said[1:])
            return
        self.api.type(said)


def standing_in(settings: Settings, pbx: DemoPbx) -> Settings:
    """The same, asking the stand-in alone."""
    return settings.model_copy(
        update={
            "pbx_host": "call.soundz.uz",
            "pbx_probe_host": HERE,
            "pbx_sip_port": pbx.sip_port,
            "dns_servers": (f"{HERE}:{pbx.dns_port}",),
            "pbx_expected_ips": frozenset(),
            "pbx_on_this_host": "no",
            "pbx_log_files": (),
            "pbx_api_url": None,
            "outside_probes": "off",
        }
    )


async def typed() -> str:
    """A line, and those that were pasted with it; nothing at the end. Waits in the loop, where Ctrl+C is heard."""
    loop, something = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin, something.set)
    try:
        await something.wait()
    finally:
        loop.remove_reader(sys.stdin)
    lines = [sys.stdin.readline()]
    while lines[0] and select.select([sys.stdin], [], [], PASTE_GAP_S)[0]:
        line = sys.stdin.readline()
        if not line:
            break
        lines.append(line)
    return "".join(lines)


def piped(text: str) -> Iterator[str]:
    """The messages of a pipe, separated by lines of three dashes."""
    message: list[str] = []
    for line in [*text.splitlines(), SEPARATOR]:
        if line.strip() != SEPARATOR:
            message.append(line)
            continue
        if said := "\n".join(message).strip("\n"):
            yield said
        message = []
