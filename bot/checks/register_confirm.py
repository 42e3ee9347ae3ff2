"""The PBX's log says 'registered': does its API say so too, and of the same moment?

The line is written for a sign-off as well, can be forged, and an old registration stays 'online' for an hour after
its phone is gone. So the API has to say online and to have heard of it just now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from bot.checks.runner import Runner
from bot.model import Failure, Finding, Tag, Target

FRESH_S = 30.0  # by our clock
CLOCK_S = 5.0  # between the log's stamp and the API's, time zones apart
ZONE_S = 15 * 60  # every zone of the world is a multiple of this away from UTC


@dataclass(frozen=True, slots=True)
class Answer:
    """`online`: EXTENSION_ONLINE, where it is true of this moment. `failure`: the API could not be asked."""

    online: Finding | None
    failure: Failure | None
    offline: Finding | None = None  # EXTENSION_OFFLINE, where the API said so
    detail: str = ""


async def online_now(runner: Runner, target: Target, stamp: str | None) -> Answer:
    """Asks the API; `stamp` is the time of the log's line in the log's own zone."""
    (result,) = await runner.run(target, only=["api"], fresh=True)
    if result.failure is not None:
        return Answer(None, result.failure)
    online = next((one for one in result.findings if one.tag is Tag.EXTENSION_ONLINE), None)
    if online is None and any(one.tag in (Tag.API_DOWN, Tag.API_DB_DOWN) for one in result.findings):
        return Answer(None, Failure.UNREADABLE)
    if online is None:
        offline = next((one for one in result.findings if one.tag is Tag.EXTENSION_OFFLINE), None)
        return Answer(None, None, offline, "signed off: the API says offline")
    if not is_fresh(online.args.get("last_updated"), stamp, datetime.now(UTC)):
        return Answer(None, None, None, "the API knows of an older registration only")
    return Answer(online, None)


def is_fresh(updated: object, stamp: str | None, now: datetime) -> bool:
    """Is the API's time (ISO, UTC) that of just now by our clock, or that of the log's line by the PBX's own?"""
    try:
        at = datetime.fromisoformat(str(updated).replace("Z", "+00:00"))
        if abs((now - at).total_seconds()) <= FRESH_S:
            return True
        written = datetime.fromisoformat(stamp).replace(tzinfo=UTC) if stamp else None
    except (ValueError, TypeError):
        return False
    if written is None:
        return False
    apart_s = (written - at).total_seconds() % ZONE_S
    return min(apart_s, ZONE_S - apart_s) <= CLOCK_S
