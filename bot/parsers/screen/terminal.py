"""A picture of a console as text: lines in reading order, with what OCR confuses put right.

C:\\Users\\PC>ping call.soundz.uz
Reply from 69.62.127.9: bytes=32 time=3ms TTL=54
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.model import Context, Reading
from bot.parsers.screen.ocr import Pixels
from bot.parsers.screen.spots import Spot

_CONSOLE = re.compile(
    r"nslookup|\bping\b|TTL\s*=|bytes\s*=\s*32|[A-Z]:\\Users|Address(?:es)?:|timed\s*out|tracert|traceroute|"
    r"64\s*bytes\s*from|PS\s[A-Z]:\\|root@|[~$#]\s*(?:ping|dig|nslookup)|ms\b.*ms\b",
    re.IGNORECASE,
)


def console(lines: Sequence[Spot]) -> bool:
    """Does this look like a console's text?"""
    return sum(bool(_CONSOLE.search(line.text)) for line in lines) >= 2


def read_terminal(image: Pixels, lines: Sequence[Spot], context: Context) -> tuple[Reading, ...]:
    """Readings of the console's text; () when none of it is known."""
    return ()
