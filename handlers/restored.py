"""Was a copy put back? Then the bot that was copied made the moves that were due: nobody is answered a second time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.backup import copied_at, settled_in
from bot.store import Store
from handlers.people import Spawn
from handlers.staff import Staff


async def restored(store: Store, staff: Staff, spawn: Spawn, unfinished: Sequence[int]) -> bool:
    """Whether this is the first start on a copy; the staff then hear of when it is, and whose case stood open."""
    at = await copied_at(store)
    if at is None:
        return False

    async def tell() -> None:
        numbers = ", ".join(f"№{number}" for number in unfinished) or "–"
        made = datetime.fromtimestamp(at, UTC).strftime("%d.%m.%Y %H:%M")
        await staff.alert("staff.restored", at=made, numbers=numbers)
        await settled_in(store)

    spawn(f"restored:{at}", tell(), staff.chat_id or 0)
    return True
