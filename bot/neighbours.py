"""From which public addresses do people come, is this one at the usual place, and who else is there in trouble?

The table `addresses` copies what the log of tickets says, to be asked quickly; triggers empty it with its ticket.
Places are networks, and providers where a list names them (bot/providers.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlite_utils import Database

from bot.model import Finding, Tag
from bot.networks import NEAR_BITS, SAME_NET_BITS, network_of
from bot.providers import Providers
from bot.store import Store

LATELY = timedelta(hours=6)
USUAL_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known around one ticket's address."""

    provider: str | None = None  # whose address it is, where that is known
    unusual: Finding | None = None  # that the extension always came from other places
    others: int = 0  # people near it with the same verdict lately

    def findings(self, address: str) -> tuple[Finding, ...]:
        """What is unusual, whose address it is (PROVIDER_KNOWN, unless the former names him), and the others there.

        NEIGHBOURS_SAME_TROUBLE(count, network).
        """
        found = [self.unusual] if self.unusual else []
        if self.provider and not any(one.tag is Tag.PROVIDER_UNUSUAL for one in found):
            found.append(Finding(Tag.PROVIDER_KNOWN, {"address": address, "provider": self.provider}))
        if self.others:
            network = network_of(address, NEAR_BITS)
            found.append(Finding(Tag.NEIGHBOURS_SAME_TROUBLE, {"count": self.others, "network": network}))
        return tuple(found)


class Neighbours:
    """Typed access to the table."""

    def __init__(self, store: Store, providers: Callable[[], Providers]) -> None:
        self._store = store
        self._providers = providers

    async def seen(self, ticket: int, address: str) -> None:
        """Remembers that the person of this ticket came from there. Raises ValueError for what is no address."""
        near, net = network_of(address, NEAR_BITS), network_of(address, SAME_NET_BITS)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        sql = "INSERT OR IGNORE INTO addresses (ticket, address, near, net, at) VALUES (?, ?, ?, ?, ?)"
        await self._store.run(lambda db: db.execute(sql, [ticket, address, near, net, now]))

    async def around(self, ticket: int, address: str) -> Surroundings:
        """What other tickets say about this one's address. Raises ValueError for what is no address."""
        near = network_of(address, NEAR_BITS)
        lately, long_ago = (
            (datetime.now(UTC) - span).isoformat(timespec="milliseconds") for span in (LATELY, USUAL_FOR)
        )

        def work(db: Database) -> tuple[set[str], int]:
            before = db.execute(
                "SELECT DISTINCT a.address FROM tickets t JOIN tickets e ON e.extension = t.extension"
                " JOIN addresses a ON a.ticket = e.number"
                " WHERE t.number = ? AND e.number < t.number AND a.at > ?",
                [ticket, long_ago],
            ).fetchall()
            others = db.execute(
                "SELECT count(DISTINCT o.user_id) FROM tickets t JOIN addresses a ON a.near = ? AND a.at > ?"
                " JOIN tickets o ON o.number = a.ticket"
                " WHERE t.number = ? AND o.user_id != t.user_id AND o.step = t.step",
                [near, lately, ticket],
            ).fetchone()[0]
            return {one for (one,) in before}, int(others)

        before, others = await self._store.run(work)
        known = self._providers()  # asked each time: the list may be a newer one
        return Surroundings(known.name(address), known.unusual(address, before), others)
