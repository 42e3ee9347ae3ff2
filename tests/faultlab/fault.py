"""What a fault is: it is injected, used by a phone, removed, and calls for one next step.

A fault is a generator function: up to its `yield` it injects, what it yields is the phone of the user, after it
everything is as before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.model import Step
from tests.faultlab.lab import USER, Lab, Phone

Injection = Callable[[Lab], Iterator[Phone]]


@dataclass(frozen=True, slots=True)
class Fault:
    """`step`: what has to be done; `also`: steps that the evidence cannot tell from it."""

    name: str
    story: str
    step: Step
    also: frozenset[Step]
    at_work: Callable[[Lab], contextlib.AbstractContextManager[Phone]]
    extension: str = USER  # the user's own number
    module: str = ""  # it is written in


def _at_work(injection: Injection) -> Callable[[Lab], contextlib.AbstractContextManager[Phone]]:
    @contextlib.contextmanager
    def at_work(lab: Lab) -> Iterator[Phone]:
        steps = injection(lab)
        phone = next(steps)
        try:
            yield phone
        finally:
            next(steps, None)  # removed also when whoever uses it fails

    return at_work


FAULTS: list[Fault] = []  # filled by the modules faults_*; tests/faultlab/faults.py has them all


def fault(name: str, story: str, step: Step, *also: Step, extension: str = USER) -> Callable[[Injection], None]:
    """Enters a function in the list of faults."""

    def enter(injection: Injection) -> None:
        made = Fault(name, story, step, frozenset(also), _at_work(injection), extension, injection.__module__)
        FAULTS.append(made)

    return enter
