"""What a check is: one question to the network or the host, and the two ways it may end.

A check returns findings, or raises `NotTested` when the question could not be asked or the answer could not
be read. Anything else it raises is a crash, which the runner turns into a result too.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from bot.model import Failure, Finding, Target

T = TypeVar("T")
OWN_PORTS = 64


class NotTested(Exception):  # noqa: N818 - not an error of the program: the honest end of a check
    """The question could not be asked or its answer not read. `detail` is for engineers, never a secret."""

    def __init__(self, failure: Failure, detail: str) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail


@dataclass(slots=True)
class Probe:
    """What a running check is given beside the target: the environment, and answers shared within one run.

    `env` is the process environment (PATH, HOME, PM2_HOME). `fresh` says that somebody asked for a re-check.
    `memory` is the process's: what a check saw last time. `own_ports` are the local UDP ports of our latest SIP
    probes, so that whoever reads the PBX's log can leave our own requests out. `notes` end in the result's
    `detail`.
    """

    env: Mapping[str, str]
    fresh: bool = False
    memory: dict[str, object] = field(default_factory=dict)
    own_ports: deque[int] = field(default_factory=lambda: deque(maxlen=OWN_PORTS))
    notes: list[str] = field(default_factory=list)
    _shared: dict[str, asyncio.Task[Any]] = field(default_factory=dict)

    def noting_apart(self) -> Probe:
        """The same probe with a note pad of its own: one for each check of a run."""
        return replace(self, notes=[])

    def note(self, text: str) -> None:
        """Keeps a line for the result's `detail`."""
        self.notes.append(text)

    async def once(self, question: str, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The answer of `ask()`, asked once a run however many checks want it; its exception is shared too.

        A check that is cancelled while it waits does not take the answer from the others.
        """
        task = self._shared.get(question)
        if task is None:
            task = asyncio.ensure_future(ask())
            task.add_done_callback(_retrieve)
            self._shared[question] = task
        answer: T = await asyncio.shield(task)
        return answer


def _retrieve(task: asyncio.Task[Any]) -> None:
    # Every waiter may be gone by now; an exception nobody fetches would be logged by asyncio as lost.
    if not task.cancelled():
        task.exception()


Question = Callable[[Target, Probe], Awaitable[tuple[Finding, ...]]]


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the registry.

    `uses` are the fields of Target the answer depends on: results are kept and shared by name and their values.
    `budget_s` is the check's own limit; None means the target's `timeout_s`. `needs` names the one of them
    without which there is nothing to ask. `slow`: nobody waits for it, so it is made only where it is named.
    `keep_s`: so long its answer stands, even for somebody who asks anew; None means the target's `ttl_s`.
    """

    name: str
    run: Question
    uses: tuple[str, ...]
    needs: str | None = None
    budget_s: float | None = None
    slow: bool = False
    keep_s: float | None = None

    def key(self, target: Target) -> tuple[object, ...]:
        """Two targets with the same key get the same answer."""
        return (self.name, *(getattr(target, name) for name in self.uses))

    def limit_s(self, target: Target) -> float:
        """How long the check may take on this target."""
        return target.timeout_s if self.budget_s is None else self.budget_s
