"""The staff's side of the chat in the terminal: a trainee writes in the staff chat and presses the card's buttons."""

from __future__ import annotations

from typing import Any

from handlers.terminal import BOT, STAFF_CHAT, STAFF_ID, ConsoleApi, Shown

TRAINEE_ID = 2
_DEED = "s:"  # how the data of a card's button begins


class StaffConsole(ConsoleApi):
    """A Bot API for one person and one of the staff, whose words and presses are made here."""

    def __init__(self, person: str, trainee: str) -> None:
        super().__init__(name=person)
        self.trainee = {"id": TRAINEE_ID, "is_bot": False, "first_name": trainee, "language_code": "uz"}
        self.asides: list[str] = []  # what Telegram shows beside messages: answers to presses, reactions

    def card(self) -> Shown | None:
        """The newest message of the staff chat with buttons of a ticket; None while there is none."""
        with_deeds = [s for s in self.shown.values() if s.chat_id == STAFF_ID and _deeds(s)]
        return with_deeds[-1] if with_deeds else None

    def order(self, text: str) -> None:
        """What the trainee writes: a command as it is, anything else as a reply to the card."""
        if text.startswith("/") and not text.startswith("//"):
            command = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
            self._put({"message": self._message(STAFF_CHAT, self.trainee, text=text, entities=command)})
            return
        card = self.card()
        body: dict[str, Any] = {"text": text}
        if card is not None:
            body["reply_to_message"] = self._message(STAFF_CHAT, BOT, text=card.text, message_id=card.message_id)
        self._put({"message": self._message(STAFF_CHAT, self.trainee, **body)})

    def press_deed(self, number: int) -> str | None:
        """Presses the n-th button of the card, counted from 1; its words. None: there is no such button."""
        card = self.card()
        if card is None or not 1 <= number <= len(_deeds(card)):
            return None
        button = _deeds(card)[number - 1]
        query = {
            "id": str(next(self._ids)),
            "from": self.trainee,
            "chat_instance": "1",
            "data": button["callback_data"],
            "message": self._message(STAFF_CHAT, BOT, text=card.text, message_id=card.message_id),
        }
        self._put({"callback_query": query})
        return str(button["text"])

    def place_of(self, deed: str) -> int | None:
        """Which button of the card does this ('take', 'menu:ask', …), counted from 1; None: none does."""
        card = self.card()
        verbs = [button["callback_data"].split(":", 2)[2] for button in _deeds(card)] if card else []
        return verbs.index(deed) + 1 if deed in verbs else None

    def _on_answercallbackquery(self, body: dict[str, Any]) -> bool:
        if body.get("text"):
            self.asides.append(str(body["text"]))
        return True

    def _on_setmessagereaction(self, body: dict[str, Any]) -> bool:
        self.asides += [str(sign.get("emoji", "")) for sign in body.get("reaction") or []]
        return True

    def _on_editmessagereplymarkup(self, body: dict[str, Any]) -> dict[str, Any]:
        known = self.shown[int(body["message_id"])]
        return self._on_editmessagetext({**body, "text": known.text})

    def _on_getchatmember(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"status": "member", "user": self.trainee}


def _deeds(shown: Shown) -> list[dict[str, Any]]:
    return [button for button in shown.buttons if str(button.get("callback_data", "")).startswith(_DEED)]
