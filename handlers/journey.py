"""Because of what is something sent? The source of the work in hand, which names each of its sends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True)
class Journey:
    """Work on one source, e.g. 'update:123' or 'ticket:45:diagnosis:2'. Its sends are its steps."""

    source: str
    retried: bool = False  # whoever started it will start it again when it stays unfinished
    unfinished: Literal["lost", "not_sent"] | None = None  # how a send was given up: to be tried again
    error: str | None = None  # the last unexpected exception of a handler
    _count: Counter[str] = field(default_factory=Counter)

    def step(self, endpoint: str, name: str | None) -> str:
        """The name of the next send: as given, or '<endpoint>#<n>'; the same again after a restart."""
        base = name or endpoint
        if self.unfinished or self.error:  # an apology is not the step that failed: that one will be made again
            base = f"{base}!"
        self._count[base] += 1
        number = self._count[base]
        return f"{base}#{number}" if name is None or number > 1 else base


_CURRENT: ContextVar[Journey | None] = ContextVar("journey", default=None)


def current() -> Journey | None:
    """The journey this code runs in; None: its sends are not journalled."""
    return _CURRENT.get()


@contextmanager
def within(source: str) -> Iterator[None]:
    """As `journey`; when this very one is on already, it goes on, so that an unfinished send is tried again."""
    made = _CURRENT.get()
    if made is not None and made.source == source:
        yield
        return
    with journey(source):
        yield


@contextmanager
def journey(source: str) -> Iterator[Journey]:
    """Sends made inside, and in tasks started inside, are journalled under this source."""
    made = Journey(source)
    token = _CURRENT.set(made)
    try:
        yield made
    finally:
        _CURRENT.reset(token)
