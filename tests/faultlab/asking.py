"""How many things does a fault cost the user? The bot's own questions, answered from what the fault left behind."""

from __future__ import annotations

from collections.abc import Sequence

from bot.diagnose import diagnose
from bot.model import CheckResult, Kind, Reading
from bot.parsers.microsip_status import status_finding
from bot.rules import told_by

# What the status bar shows for the code of the last answer, as MicroSIP words it.
SHOWN = {200: "online", 403: "wrong_password", 404: "not_found", 408: "timeout", 502: "no_server", 503: "unavailable"}
NOT_HAD = frozenset({Kind.EXTENSION, Kind.MICROSIP_SCREEN, Kind.MICROSIP_INI})  # the number is known; no MicroSIP here
MOST = 5  # as many as the bot asks


def asked(
    checks: Sequence[CheckResult], live: CheckResult, pasted: Sequence[Reading], code: int | None
) -> tuple[Kind, ...]:
    """What the user was asked for, in order, until nothing more was: every answer is the true one, or 'skip'."""
    results, readings = list(checks), list[Reading]()
    answered: set[Kind] = set()
    questions: list[Kind] = []
    while len(questions) < MOST:
        kind = diagnose(readings, results, closed=told_by(answered) | NOT_HAD).question
        if kind is None:
            break
        questions.append(kind)
        answered.add(kind)
        if kind is Kind.LIVE_REGISTER:
            results.append(live)
        elif kind is Kind.MICROSIP_STATUS and code in SHOWN:
            status = SHOWN[code]
            readings.append(Reading(kind, None, status, {"code": code}, (status_finding(status),)))
        else:
            readings += [reading for reading in pasted if reading.kind is kind]
    return tuple(questions)
