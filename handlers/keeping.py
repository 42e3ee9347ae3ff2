"""What of a file that somebody sent may lie on the disk? Only what was understood, and without its secrets.

A text file (MicroSIP.ini, a log) is kept as redacted text. A picture is kept as the one sent back: cut to the dialog,
the password covered, drawn anew, so that nothing hidden in the file comes along. Anything else may show anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.model import Kind, Reading
from bot.parsers import is_picture
from bot.parsers.mojibake import decode
from bot.redact import redact

TEXT_MAX = 2**20  # characters; of a longer log its end, which tells of now


@dataclass(frozen=True, slots=True)
class Keepable:
    """What may be written, and as what."""

    content: bytes
    suffix: str  # one of bot.attachments.SUFFIXES


def keepable(content: bytes, readings: tuple[Reading, ...], drawn: bytes | None) -> Keepable | None:
    """`drawn`: the picture as it was sent back, if it was. None: nothing of this may be kept."""
    if not readings:
        return None
    if not is_picture(content):
        return Keepable(_without_secrets(decode(content)).encode(), ".txt")
    return Keepable(drawn, ".jpg") if drawn is not None and _covered(readings) else None


def _covered(readings: tuple[Reading, ...]) -> bool:
    """Is the picture one dialog of MicroSIP's, its password's place known or in another dialog?"""
    dialogs = [reading for reading in readings if reading.kind is Kind.MICROSIP_SCREEN]
    if len(dialogs) != 1:  # what covers one dialog's password may leave the other's open
        return False
    facts = dialogs[0].facts
    return facts.get("dialog") == "settings" or "password" in facts.get("boxes", {})


def _without_secrets(text: str) -> str:
    if len(text) <= TEXT_MAX:
        return redact(text)
    # A secret may stand on the line after its name: the first whole line may be one whose name was cut off.
    _, _, tail = text[-TEXT_MAX:].partition("\n")
    _, _, tail = tail.partition("\n")
    return redact(tail)
