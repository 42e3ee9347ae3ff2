"""Which tickets does the list show, and how can it be narrowed? An address's query string → a filter, and facets."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from sqlite_utils import Database

from bot.model import Event, EventKind, Owner, Status, Step, Ticket
from bot.numbers import UZBEKISTAN
from bot.standing import Standing, standing
from bot.ticket_rows import Row, Wanted, events_of, find_facets, find_tickets, networks_of

PAGE = 50
FACETED = 1000  # of the newest that match: a facet of everything would read everything
FACETED_SEARCH = 100  # for each that is found in a rare step, a hundred hits of a frequent word are read
FACET_MAX = 8
FACETS = ("status", "step", "owner", "day", "extension", "provider", "network")
SEARCH_MAX = 200  # characters


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the reader asked for; every field is a parameter of the address. None: not narrowed."""

    q: str | None = None
    status: str | None = None
    step: str | None = None
    owner: str | None = None
    extension: str | None = None
    person: int | None = None
    provider: str | None = None
    network: str | None = None
    day: date | None = None
    below: int | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Chosen:
        """From an address; what makes no sense is left out."""
        said = {key: value.strip() for key, value in query.items() if value.strip()}
        return cls(
            q=said["q"][:SEARCH_MAX] if "q" in said else None,
            status=said.get("status") if said.get("status") in set(Status) else None,
            step=said.get("step") if said.get("step") in set(Step) else None,
            owner=said.get("owner") if said.get("owner") in set(Owner) else None,
            extension=said.get("extension"),
            person=_number(said.get("person")),
            provider=said.get("provider"),
            network=said.get("network"),
            day=_day(said.get("day")),
            below=_number(said.get("below")),
        )

    def address(self, **changes: object) -> str:
        """The list's address with some fields changed; a change starts at the first page."""
        fields = {**asdict(self), "below": None, **changes}
        kept = {key: str(value) for key, value in fields.items() if value is not None}
        return f"/?{urlencode(kept)}" if kept else "/"

    @property
    def narrowed(self) -> tuple[str, ...]:
        """The fields by which it is narrowed."""
        return tuple(key for key, value in asdict(self).items() if value is not None)

    def wanted(self) -> Wanted:
        """The same for the ticket log."""
        begins = datetime.combine(self.day, time(), UZBEKISTAN) if self.day else None
        return Wanted(
            status=self.status,
            step=self.step,
            owner=self.owner,
            extension=self.extension,
            user_id=self.person,
            provider=self.provider,
            near=self.network,
            opened_from=begins,
            opened_before=begins + timedelta(days=1) if begins else None,
            search=self.q,
            below=self.below,
        )


@dataclass(frozen=True, slots=True)
class Line:
    """A ticket of the list, and what the staff have settled about it."""

    ticket: Ticket
    standing: Standing


@dataclass(frozen=True, slots=True)
class Facet:
    """One way to narrow the list: the field's values among the newest matches, the most frequent first."""

    field: str
    values: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list."""

    lines: tuple[Line, ...]
    facets: tuple[Facet, ...]
    more_below: int | None  # the next page begins below this number; None: there is none
    faceted: int  # how many of the newest matches the facets are of


def listing(db: Database, chosen: Chosen) -> Listing:
    """The page and its facets; reads no more than it shows and FACETED rows, of a search FACETED_SEARCH."""
    wanted = chosen.wanted()
    found = find_tickets(db, wanted, PAGE + 1)
    newest = find_facets(db, replace(wanted, below=None), FACETED_SEARCH if chosen.q else FACETED)
    shown = found[:PAGE]
    return Listing(
        _with_standing(db, shown), _facets(db, newest), shown[-1].number if len(found) > PAGE else None, len(newest)
    )


def _facets(db: Database, rows: Collection[Row]) -> tuple[Facet, ...]:
    counts: dict[str, Counter[str]] = {field: Counter() for field in FACETS}
    numbers = [row["number"] for row in rows]
    counts["status"].update(_statuses(db, numbers))
    networks = networks_of(db, numbers)
    for row in rows:
        counts["network"].update(networks.get(row["number"], ()))
        counts["day"][datetime.fromisoformat(row["opened_at"]).astimezone(UZBEKISTAN).date().isoformat()] += 1
        for field, column in (("step", "cause"), ("owner",) * 2, ("extension",) * 2, ("provider",) * 2):
            value = row[column]
            if value not in (None, Owner.NONE, Step.CONNECTED):  # nobody's turn, and nothing wrong, narrow nothing
                counts[field][value] += 1
    if counts["provider"]:
        del counts["network"]  # the same, not as well told
    return tuple(Facet(field, _shown(field, counter)) for field, counter in counts.items())


def _statuses(db: Database, numbers: list[int]) -> dict[str, int]:
    """How many of these tickets stand how."""
    sql = "SELECT status, count(*) FROM tickets WHERE number IN (SELECT value FROM json_each(?)) GROUP BY 1"
    return {status: int(count) for status, count in db.execute(sql, [json.dumps(numbers)])}


def _shown(field: str, counter: Counter[str]) -> tuple[tuple[str, int], ...]:
    if field == "day":
        return tuple(sorted(counter.items(), reverse=True)[:FACET_MAX])
    least = 2 if field in ("extension", "network") else 1  # of these every ticket may have its own
    return tuple((value, count) for value, count in counter.most_common(FACET_MAX) if count >= least)


def _with_standing(db: Database, tickets: Iterable[Ticket]) -> tuple[Line, ...]:
    shown = tuple(tickets)
    kinds = (EventKind.TAKEN, EventKind.TAGGED, EventKind.PRIORITY, EventKind.REOPENED)
    events: Mapping[int, tuple[Event, ...]] = events_of(db, [ticket.number for ticket in shown], kinds)
    return tuple(Line(t, standing(replace(t, events=events.get(t.number, ())))) for t in shown)


def _number(said: str | None) -> int | None:
    return int(said) if said is not None and said.isascii() and said.isdigit() and len(said) < 19 else None


def _day(said: str | None) -> date | None:
    try:
        found = date.fromisoformat(said) if said else None
    except ValueError:
        return None
    return found if found and date.min.year < found.year < date.max.year else None  # it ends in another zone, too
