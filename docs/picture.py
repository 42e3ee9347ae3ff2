"""Makes docs/chat.png: one real conversation with the bot, drawn as a phone shows it.

    python docs/picture.py        # needs Debian's chromium and fonts-noto-color-emoji

Every word comes from the running bot, over the in-process Bot API of `yordam demo`; only the frame is drawn here.
"""

from __future__ import annotations

import asyncio
import html
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.mailbox import migrations as mailbox
from bot.schema import migrations as log
from bot.settings import Settings
from bot.store import Store
from handlers.app import build
from handlers.demo import UNHURRIED
from handlers.demo_pbx import HERE, SHOWN_ADDRESS, DemoPbx
from handlers.terminal import PERSON_ID, STAFF_ID, TOKEN, ConsoleApi

PICTURE = Path(__file__).with_name("chat.png")
WIDTH, SCALE = 780, 2  # CSS pixels of two phones side by side, and how many real ones each has
STAND_IN = {SHOWN_ADDRESS: "69.62.127.9"}  # the stand-in's address, and its port below, shown as the PBX's own
LOOKUP = (
    "C:\\Users\\User>nslookup call.soundz.uz\nServer:  UnKnown\nAddress:  192.168.1.1\n\n"
    "*** UnKnown can't find call.soundz.uz: Non-existent domain"
)
SAID = ("/diagnose", "Сервер не найден", LOOKUP)
STYLE = """
body { margin: 0; width: 780px; display: flex; background: #d5e1c8;
       font: 15px/1.32 'Open Sans', 'Noto Color Emoji', sans-serif; }
header { background: #fff; padding: 10px 16px; font-weight: 600; border-bottom: 1px solid #c8d3bd; }
header small { display: block; color: #7b8b93; font-weight: 400; }
section { width: 390px; }
section + section { border-left: 1px solid #b9c7ac; }
main { padding: 10px 10px 16px; display: flex; flex-direction: column; gap: 7px; }
.m { max-width: 330px; padding: 7px 11px 8px; border-radius: 14px; background: #fff; white-space: pre-wrap;
     overflow-wrap: anywhere; align-self: flex-start; }
.me { align-self: flex-end; background: #e7fccf; }
.me.paste { font-size: 13px; }
.keys { width: 352px; display: flex; flex-direction: column; gap: 4px; }
.row { display: flex; gap: 4px; }
.row span { flex: 1; background: #7f9a74d0; color: #fff; border-radius: 9px; padding: 6px 4px; text-align: center;
     font-size: 13px; }
pre, code { font: 13px/1.3 'JetBrains Mono', 'DejaVu Sans Mono', monospace; color: #2a5d8f; margin: 0;
     white-space: pre-wrap; }
pre { background: #eef3f7; border-left: 3px solid #4a8fc7; border-radius: 5px; padding: 5px 8px; }
blockquote { margin: 4px 0 0; padding: 4px 8px; border-left: 3px solid #5fa45a; background: #eef7ea; border-radius: 5px;
     font-size: 13px; }
"""


MEASURE = """
const ends = [...document.querySelectorAll('main')].map((chat) => chat.lastChild.getBoundingClientRect().bottom);
document.title = Math.max(...ends) + 16;
"""


class Recorder(ConsoleApi):
    """The conversation with its rows of buttons, which a terminal does not need."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[int, list[list[dict[str, Any]]]] = {}
        self.order: list[int | str] = []

    def _show(self, message_id: int, body: dict[str, Any]) -> None:
        super()._show(message_id, body)
        self.rows[message_id] = (body.get("reply_markup") or {}).get("inline_keyboard", [])
        if int(body["chat_id"]) == PERSON_ID and message_id not in self.order:
            self.order.append(message_id)


async def converse() -> Recorder:
    """The bot, a person, and a stand-in for the PBX."""
    api = Recorder()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "yordam.db", (log, mailbox))
        async with DemoPbx() as pbx:
            settings = Settings.load(
                pbx_host="call.soundz.uz",
                pbx_probe_host=HERE,
                pbx_sip_port=pbx.sip_port,
                dns_servers=f"{HERE}:{pbx.dns_port}",
                pbx_on_this_host="no",
            ).with_token(TOKEN, STAFF_ID)
            service = build(settings, store, request=api, limits=UNHURRIED)
            running = asyncio.create_task(service.run())
            for said in SAID:
                api.order.append(said)
                api.type(said)
                await api.quiet(busy(service.inbox))
            service.inbox.stop()
            await running
        store.close()
        for shown in api.shown.values():
            for stands_in, real in {**STAND_IN, str(pbx.sip_port): "5060"}.items():
                shown.text = shown.text.replace(stands_in, real)
    return api


def busy(inbox: Any) -> Callable[[], bool]:
    """Whether the bot still works."""
    return lambda: bool(inbox.busy)


def page(api: Recorder) -> str:
    """The chat as HTML, like Telegram's own markup; at the person's second message it goes on at the right."""
    top = "<section><header>MicroSIP Yordam<small>bot</small></header><main>"
    parts = [f"<style>{STYLE}</style>", top]
    for one in api.order:
        if one == SAID[1]:
            parts.append(f"</main></section>{top}")
        if isinstance(one, str):
            parts.append(f'<div class="m me {"paste" if chr(10) in one else ""}">{html.escape(one)}</div>')
            continue
        parts.append(f'<div class="m">{api.shown[one].text.strip()}</div>')
        if rows := api.rows[one]:
            lines = ("".join(f"<span>{html.escape(key['text'])}</span>" for key in row) for row in rows)
            parts.append('<div class="keys">' + "".join(f'<div class="row">{line}</div>' for line in lines) + "</div>")
    return "".join(parts) + "</main></section>"


def draw(chat: str) -> None:
    """Measured first, then taken at its full height."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "chat.html"
        measure = f"<script>{MEASURE}</script>"
        file.write_text(f'<!doctype html><meta charset="utf-8">{chat}{measure}', "utf-8")
        chromium = ["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={folder}/profile"]
        dom = subprocess.run([*chromium, f"--window-size={WIDTH},900", "--dump-dom", str(file)],
                             capture_output=True, text=True, check=True).stdout  # fmt: skip
        height = round(float(dom.split("<title>")[1].split("<")[0]))
        shot = [f"--window-size={WIDTH},{height}", f"--force-device-scale-factor={SCALE}", f"--screenshot={PICTURE}"]
        subprocess.run([*chromium, *shot, str(file)], capture_output=True, check=True)


if __name__ == "__main__":
    draw(page(asyncio.run(converse())))
