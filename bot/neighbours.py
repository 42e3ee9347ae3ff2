"""From which public addresses do people come, is this one's network the usual one, and who else is there in trouble?

The table `addresses` copies what the log of tickets says, to be asked quickly; triggers empty it with its ticket.
No provider is named: without a list of who owns which address, a network is only 'the usual' or 'another'.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlite_utils import Database

from bot.model import Finding, Tag
from bot.networks import NEAR_BITS, SAME_NET_BITS, network_of
from bot.store import Store

LATELY = timedelta(hours=6)
USUAL_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known around one ticket's address."""

    usual: bool | None = None  # None: the extension was not seen before
    others: int = 0  # people near it with the same verdict lately

    def findings(self, address: str) -> tuple[Finding, ...]:
        """NETWORK_UNUSUAL(address), NEIGHBOURS_SAME_TROUBLE(count, network)."""
        found = []
        if self.usual is False:
            found.append(Finding(Tag.NETWORK_UNUSUAL, {"address": address}))
        if self.others:
            network = network_of(address, NEAR_BITS)
            found.append(Finding(Tag.NEIGHBOURS_SAME_TROUBLE, {"count": self.others, "network": network}))
        return tuple(found)


class Neighbours:
    """Typed access to the table."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def seen(self, ticket: int, address: str) -> None:
        """Remembers that the person of this ticket came from there. Raises ValueError for what is no address."""
        near, net = network_of(address, NEAR_BITS), network_of(address, SAME_NET_BITS)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        sql = "INSERT OR IGNORE INTO addresses (ticket, address, near, net, at) VALUES (?, ?, ?, ?, ?)"
        await self._store.run(lambda db: db.execute(sql, [ticket, address, near, net, now]))

    async def around(self, ticket: int, address: str) -> Surroundings:
        """What other tickets say about this one's address. Raises ValueError for what is no address."""
        near, net = network_of(address, NEAR_BITS), network_of(address, SAME_NET_BITS)
        lately, long_ago = (
            (datetime.now(UTC) - span).isoformat(timespec="milliseconds") for span in (LATELY, USUAL_FOR)
        )

        def work(db: Database) -> Surroundings:
            nets = db.execute(
                "SELECT DISTINCT a.net FROM tickets t JOIN tickets e ON e.extension = t.extension"
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
            return Surroundings((net,) in nets if nets else None, others)

        return await self._store.run(work)
