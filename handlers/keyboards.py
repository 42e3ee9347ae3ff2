"""Which buttons hang under a ticket's card? A menu and its sub-menus, all of one message. Pure.

Data: `s:<ticket>:<verb>[:<what>]`. A sub-menu takes the place of the menu and has a way back.
"""

from __future__ import annotations

from collections.abc import Sequence

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.model import Kind, Target, Ticket
from bot.rules import EFFORT
from bot.standing import standing
from handlers.actions import BY_HAND, ENDED
from handlers.reply import Screens
from messages import Catalogue

MENUS = ("close", "ask", "canned")
# What staff can ask for, the easiest for the user first; of a traceroute they make more than the table does.
ASKABLE: tuple[Kind, ...] = (*EFFORT, Kind.TRACEROUTE)
_CANNED = "canned."


def canned(words: Catalogue) -> tuple[str, ...]:
    """The names of the ready answers, in the order of the file: `[canned.<name>]` with `name` and `text`."""
    return tuple(key.split(".")[1] for key in words if key.startswith(_CANNED) and key.endswith(".name"))


def askable(ticket: Ticket, target: Target) -> tuple[Kind, ...]:
    """What a user can be asked for: a live Register only where it can be watched."""
    watched = ticket.extension is not None and (target.log_files or target.log_command)
    return tuple(kind for kind in ASKABLE if watched or kind is not Kind.LIVE_REGISTER)


def keyboard(screens: Screens, ticket: Ticket, menu: str | None = None) -> InlineKeyboardMarkup:
    """The buttons for a ticket as it is now; `menu`: 'close', 'ask', 'canned', 'canned:<name>', else the first."""
    number, words = ticket.number, screens.words
    if ticket.status in ENDED:
        return InlineKeyboardMarkup([[_button(words, "reopen", f"s:{number}:reopen")]])
    kind, _, chosen = (menu or "").partition(":")
    if kind == "close":
        rows = [[_button(words, f"close_{reason}", f"s:{number}:close:{reason}")] for reason in BY_HAND]
    elif kind == "ask":
        rows = _pairs(
            [
                InlineKeyboardButton(words.plain(f"kind.{asked}"), callback_data=f"s:{number}:ask:{asked}")
                for asked in askable(ticket, screens.target)
            ]
        )
    elif kind == "canned" and chosen in canned(words):
        rows = [[_button(words, "send_canned", f"s:{number}:send:{chosen}")]]
    elif kind == "canned":
        rows = [
            [InlineKeyboardButton(words.plain(f"canned.{name}.name"), callback_data=f"s:{number}:canned:{name}")]
            for name in canned(words)
        ]
    else:
        return InlineKeyboardMarkup(_first(words, ticket))
    back = "canned" if chosen else "first"
    return InlineKeyboardMarkup([*rows, [_button(words, "back", f"s:{number}:menu:{back}")]])


def _first(words: Catalogue, ticket: Ticket) -> list[list[InlineKeyboardButton]]:
    number = ticket.number
    take = [] if standing(ticket).taken_by else [_button(words, "take", f"s:{number}:take")]
    menus = [_button(words, f"menu_{name}", f"s:{number}:menu:{name}") for name in MENUS]
    return [[*take, menus[0]], [menus[1], menus[2]], [_button(words, "check_now", f"s:{number}:check")]]


def _pairs(buttons: Sequence[InlineKeyboardButton]) -> list[list[InlineKeyboardButton]]:
    return [list(buttons[start : start + 2]) for start in range(0, len(buttons), 2)]


def _button(words: Catalogue, name: str, data: str) -> InlineKeyboardButton:
    return InlineKeyboardButton(words.plain(f"staff_button.{name}"), callback_data=data)
