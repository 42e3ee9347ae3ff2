"""The user's own picture back: frames on what is right and wrong, and two buttons for what could not be read."""

from __future__ import annotations

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, InputFile

from bot.casefile import CaseFile
from bot.model import Context, Kind, Reading
from bot.parsers import screen_worker
from bot.parsers.account import judge_account, right_server
from bot.parsers.field_marks import verdicts
from handlers.post import Post
from handlers.reply import Screen, Screens

# MicroSIP's label of a field; where the names differ.
LABEL = {"stun_enabled": "stun", "stun_server": "stun", "allow_rewrite": "rewrite"}
ASKED_FIELDS = ("server", "domain")  # the two whose value has to be right to the letter
CAPTION_MAX = 1024  # UTF-16 units (Bot API)


class Pictures:
    """Answers pictures of MicroSIP's dialogs."""

    def __init__(self, screens: Screens, post: Post) -> None:
        self.screens = screens
        self.post = post

    async def answer(self, chat_id: int, content: bytes, reading: Reading) -> bytes | None:
        """Sends the picture back with its frames (JPEG, returned); None when that cannot be done."""
        legend = self.legend(reading)
        if not legend:
            return None
        words = self.screens.words
        painted = {**legend, "title": words.plain("picture.title"), "password": words.plain("picture.password")}
        picture = await screen_worker.annotate_async(content, reading, painted)
        if picture is None:
            return None
        wrong = [legend[name] for name, how in verdicts(reading).items() if how == "wrong"]
        head = words.plain("picture.wrong" if wrong else "picture.fine")
        caption = "\n".join([head, *(f"• {line}" for line in wrong)])[: CAPTION_MAX // 2]
        file = InputFile(picture, filename="microsip.jpg")
        await self.post.bot.send_photo(chat_id, file, caption=caption, rate_limit_args="picture")
        return picture

    def legend(self, reading: Reading) -> dict[str, str]:
        """A line for each field that matters, in the words of the user's own MicroSIP."""
        words, target = self.screens.words, self.screens.target
        ui = str(reading.facts.get("pack") or reading.facts.get("lang") or "") or None
        server = right_server(Context(target.host, target.sip_port))
        seen = reading.facts.get("labels", {})  # as they stand on the picture: packs differ in the same language
        lines = {}
        for name, how in verdicts(reading).items():
            field = seen.get(name) or words.bare_label(LABEL.get(name, name), ui)
            if how == "wrong":
                wanted = words.plain(f"wanted.{name}", ui, host=target.host, server=server)
                lines[name] = words.plain("picture.field_wrong", field=field, wanted=wanted)
            else:
                lines[name] = words.plain(f"picture.field_{how}", field=field)
        return lines

    def doubt(self, number: int, case: CaseFile) -> Screen | None:
        """Two buttons for the first field of the newest picture that was in sight and could not be read."""
        found = unread(case)
        if found is None:
            return None
        reading, name = found
        words, target = self.screens.words, self.screens.target
        ui = str(reading.facts.get("pack") or reading.facts.get("lang") or "") or None
        text = words.html("picture.ask", field=words.label(LABEL.get(name, name), ui), host=target.host)
        row = [
            InlineKeyboardButton(words.plain("button.yes"), callback_data=f"{number}:field:{name}:yes"),
            InlineKeyboardButton(words.plain("button.no"), callback_data=f"{number}:field:{name}:no"),
        ]
        return Screen(text, InlineKeyboardMarkup([row, [self.screens.button("person", f"{number}:person")]]))


def unread(case: CaseFile) -> tuple[Reading, str] | None:
    """The newest picture of the account with a field that must be right to the letter and was not read."""
    shots = [r for r in case.readings if r.kind is Kind.MICROSIP_SCREEN and r.facts.get("dialog") == "account"]
    if not shots:
        return None
    fields, boxes = shots[-1].facts.get("fields", {}), shots[-1].facts.get("boxes", {})
    return next(((shots[-1], n) for n in ASKED_FIELDS if n in boxes and fields.get(n, "") is None), None)


def with_answer(reading: Reading, name: str, right: bool, context: Context) -> Reading:
    """The same picture, with what its owner said of one field."""
    value = (right_server(context) if name == "server" else context.host) if right else "?"
    fields = {**reading.facts["fields"], name: value}
    findings = judge_account(fields, reading.facts["checks"], context)
    status = "unsure" if any(fields.get(n, "") is None for n in ASKED_FIELDS) else "wrong" if findings else "right"
    return Reading(reading.kind, reading.tool, status, {**reading.facts, "fields": fields}, findings)
