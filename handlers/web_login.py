"""/web: a link to the review page, for one of the staff, once, for a few minutes.

The address opens a page with a button; only the button uses the link up, so a preview of the chat's does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, Update
from telegram.constants import ChatType
from telegram.ext import ContextTypes

from bot.passes import LINK_VALID, new_pass, sealed
from handlers.people import name_of
from messages import Catalogue


@dataclass(frozen=True, slots=True)
class WebLogin:
    """The handler. To strangers the command does not exist: the filter in handlers/app.py lets only the staff here."""

    words: Catalogue
    key: bytes
    url: str

    async def web(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """One of the staff asks: in private they get the link, in a group they are told where."""
        user, message = update.effective_user, update.effective_message
        if user is None or message is None:
            return
        if message.chat.type != ChatType.PRIVATE:
            await message.reply_html(self.words.html("web.link.in_private"))
            return
        address = f"{self.url}/login?t={sealed(self.key, 'link', new_pass(user.id, name_of(user)))}"
        minutes = round(LINK_VALID.total_seconds() / 60)
        button = InlineKeyboardButton(self.words.plain("web.link.button"), url=address)
        await message.reply_html(
            self.words.html("web.link.text", url=address, minutes=minutes),
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            # Telegram refuses a button to an address of this very computer; as text it can be copied.
            reply_markup=InlineKeyboardMarkup([[button]]) if self.url.startswith("https://") else None,
            protect_content=True,
        )
