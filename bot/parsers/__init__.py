"""From anything a user sends to readings: every parser looks at the page, the claims are put in text order.

A parser module has `parse(page, context) -> list[Claim]`, is pure and total, and never raises.
"""

from __future__ import annotations

import logging
from types import ModuleType

from bot.model import Context, Evidence, Kind, Reading
from bot.parsers import (
    firewall,
    listening,
    microsip_ini,
    microsip_log,
    microsip_status,
    nslookup,
    pbx_log,
    ping,
    screen_worker,
    traceroute,
)
from bot.parsers.mojibake import decode
from bot.parsers.page import Claim, Page

PARSERS: tuple[ModuleType, ...] = (
    nslookup,
    ping,
    traceroute,
    firewall,
    listening,
    pbx_log,
    microsip_log,
    microsip_ini,
    microsip_status,
)
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_log = logging.getLogger(__name__)


def read_text(text: str, context: Context) -> tuple[Reading, ...]:
    """Everything that is recognised in a text, in text order; `()` when nothing is. Never raises."""
    page = Page.of(text)
    claims = [(claim, rank) for rank, parser in enumerate(PARSERS) for claim in _claims(parser, page, context)]
    outputs = [claim for claim, _ in claims if claim.reading.kind is not Kind.MICROSIP_STATUS]
    kept = [(claim, rank) for claim, rank in claims if not _yields(claim, outputs)]
    kept.sort(key=lambda item: (item[0].first, _place(item[0], page), item[0].last, item[1]))
    return tuple(claim.reading for claim, _ in kept)


def read(evidence: Evidence, context: Context) -> tuple[Reading, ...]:
    """The readings of a message: its text and its file (text of any encoding, INI included). Never raises."""
    readings = read_text(evidence.text, context) if evidence.text else ()
    if evidence.content is None:
        return readings
    if is_picture(evidence.content):
        return readings + screen_worker.read(evidence.content, context)
    return readings + read_text(decode(evidence.content), context)


def is_picture(content: bytes) -> bool:
    """Whether bytes begin like a picture (PNG, JPEG, GIF, BMP, TIFF, WebP, HEIC, AVIF), whatever was declared."""
    if content.startswith(b"BM"):  # two letters are no proof: the size in the header is
        return len(content) > 30 and content[6:10] == b"\0\0\0\0"
    boxed = content[4:8] == b"ftyp" and content[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"avif")
    return content.startswith(_PICTURES) or boxed or (content[:4] == b"RIFF" and content[8:12] == b"WEBP")


def _claims(parser: ModuleType, page: Page, context: Context) -> list[Claim]:
    try:
        claims: list[Claim] = parser.parse(page, context)
    except Exception:  # one parser's fault must not hide what the others read
        _log.exception("parser %s failed", parser.__name__)
        return []
    return claims


def _yields(claim: Claim, outputs: list[Claim]) -> bool:
    """The rule of overlaps: words of the status bar yield to any output that contains them.

    All other claims stay, even on one line: their shapes exclude each other, and a line without its breaks may
    hold several outputs.
    """
    if claim.reading.kind is not Kind.MICROSIP_STATUS:
        return False
    return any(output.first <= claim.last and claim.first <= output.last for output in outputs)


def _place(claim: Claim, page: Page) -> int:
    return claim.at if claim.at is not None else page.offset_of(claim.first) if page.lines else 0
