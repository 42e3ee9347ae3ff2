"""Everything that the review page can say has words, also what no test has made it say."""

from __future__ import annotations

import pytest

from bot.incidents import Scope
from bot.model import Certainty, Failure, Owner, Status
from bot.orders import ACTIONS
from bot.standing import PRIORITIES
from messages import load

pytest.importorskip("datasette", reason="the extra 'web' is not installed")

from bot.web.listing import FACETS  # after it is known that the extra is there
from bot.web.ordering import CLOSE_REASONS

OUTCOMES = (
    "pending", "late", "done", "closed_already", "not_closed", "taken_already", "unreachable", "refused", "no_ticket",
    "failed", "goes_on", "emptied",
)  # fmt: skip


def test_everything_has_words() -> None:
    wanted = {f"web.status.{status}" for status in Status} | {f"web.owner.{owner}" for owner in Owner}
    wanted |= {f"web.sure.{certainty}" for certainty in Certainty} | {f"web.failure.{failure}" for failure in Failure}
    wanted |= {f"web.order.{word}" for word in (*ACTIONS, *OUTCOMES)} | {f"web.do.{action}" for action in ACTIONS}
    wanted |= {f"close_reason.{reason}" for reason in CLOSE_REASONS} | {f"priority.{level}" for level in PRIORITIES}
    wanted |= {f"web.incident.{scope}" for scope in Scope} | {f"web.facet.{field}" for field in FACETS}
    wanted |= {f"web.sorry.{status}" for status in (400, 403, 404, 405, 413, 500, 503)}
    assert wanted - set(load("uz")) == set()
