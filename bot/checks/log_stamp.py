"""When was a line of the PBX's log written, by the log's own clock? Its zone is nobody's business."""

from __future__ import annotations

import re
from datetime import datetime

STAMP = re.compile(r"^.{0,40}?(20\d\d-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)")
JSON_STAMP = re.compile(r'"timestamp": ?"(20\d\d-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)')


def stamp_of(line: str) -> datetime | None:
    """The time stamp of pm2's or winston's line; None where there is none."""
    found = STAMP.match(line) or JSON_STAMP.search(line[-200:])
    try:
        return datetime.fromisoformat(f"{found[1]}T{found[2]}") if found else None
    except ValueError:
        return None
