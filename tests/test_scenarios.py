"""Stories of real trouble, a folder each: the files of the case, and the one step that follows from them.

`scenario.json`: story, extension (or null), findings of checks and buttons, verdict {step, owner, certainty} (null:
a person takes over), accept (other steps that this evidence cannot tell from the right one), question, tried (steps
that did not help), known_gap (why the story does not end well yet).
`yordam explain --ticket N --save` adds one from a real case.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.diagnose import Diagnosis, context_of, diagnose
from bot.model import Certainty, CheckResult, Evidence, Finding, Reading, Step, Tag, Target, Verdict
from bot.parsers import read
from bot.rules import PRODUCES, owner_of

FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("scenarios/*/scenario.json"))
PBX = Target("call.soundz.uz", 5060, frozenset(), "call.soundz.uz")

# What must be among a verdict's reasons before the person's own settings are blamed.
PROOF = {
    Step.FIX_PASSWORD: {Tag.LOG_WRONG_PASSWORD, Tag.ACCOUNT_PASSWORD_EMPTY},
    Step.FIX_USERNAME: {
        Tag.LOG_USERNAME_MISMATCH,
        Tag.LOG_NOT_FOUND,
        Tag.PHONE_SAYS_NOT_FOUND,
        Tag.ACCOUNT_USERNAME_DIFFERS,
        Tag.ACCOUNT_LOGIN_DIFFERS,
    },
    Step.FIX_SERVER_FIELD: {
        Tag.ACCOUNT_SERVER_WRONG,
        Tag.PHONE_RESOLVES_OTHER_NAME,
        Tag.PHONE_USES_OTHER_PORT,
        Tag.PHONE_SENDS_TO_WRONG_IP,
        Tag.PHONE_SAYS_NO_SERVER,
        Tag.LOG_OTHER_PORT,
    },
    Step.FIX_TRANSPORT: {Tag.ACCOUNT_TRANSPORT_WRONG, Tag.PHONE_USES_TCP, Tag.PHONE_SAYS_UNAVAILABLE},
    Step.REMOVE_PROXY: {Tag.ACCOUNT_PROXY_SET, Tag.PHONE_RESOLVES_OTHER_NAME},
    Step.ACTIVATE_ACCOUNT: {
        Tag.ACCOUNT_NOT_ACTIVE,
        Tag.ACCOUNT_SERVER_EMPTY,
        Tag.PHONE_SAYS_NO_ACCOUNT,
        Tag.PHONE_SAYS_IDLE,
    },
    Step.TURN_OFF_EXTERNAL_IP: {Tag.ACCOUNT_REWRITE_ON, Tag.ACCOUNT_PUBLIC_ADDRESS_SET},
    Step.TURN_OFF_STUN_ICE: {Tag.ACCOUNT_STUN_ON, Tag.ACCOUNT_ICE_ON, Tag.PHONE_STUN_FAILED},
}


@cache
def told(folder: Path) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((folder / "scenario.json").read_text("utf-8"))
    return body


@cache
def reading_of(path: Path, extension: str | None) -> tuple[Reading, ...]:
    return read(Evidence(content=path.read_bytes()), context_of(PBX, extension=extension))


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name != "scenario.json")


def judged(folder: Path, files: Sequence[Path]) -> Diagnosis:
    body = told(folder)
    readings = [reading for file in files for reading in reading_of(file, body.get("extension"))]
    given = tuple(Finding.from_json(finding) for finding in body.get("findings", ()))
    answered = {kind for kind, tags in PRODUCES.items() if not tags.isdisjoint(finding.tag for finding in given)}
    closed = answered | {reading.kind for reading in readings}
    tried = {Step(step) for step in body.get("tried", ())}
    return diagnose(readings, [CheckResult("given", 0.0, given)], tried=tried, closed=closed)


def in_words(verdict: Verdict | None) -> dict[str, str]:
    """A case in which no row fires is handed to a person."""
    if verdict is None:
        return {"step": Step.CALL_STAFF, "owner": owner_of(Step.CALL_STAFF), "certainty": Certainty.LIKELY}
    return {"step": verdict.step, "owner": verdict.owner, "certainty": verdict.certainty}


def expected(folder: Path) -> dict[str, str]:
    verdict = told(folder)["verdict"]
    if verdict is None:
        return in_words(None)
    return {key: verdict[key] for key in ("step", "owner", "certainty")}


def allowed(folder: Path) -> set[str]:
    return {expected(folder)["step"], *told(folder).get("accept", ())}


def poorer(folder: Path) -> Iterator[tuple[str, list[Path]]]:
    """The files in another order, without each one of them, and only what the person has."""
    files = files_of(folder)
    for seed in range(2):
        yield f"shuffled {seed}", random.Random(seed).sample(files, len(files))
    for missing in files:
        yield f"without {missing.name}", [file for file in files if file != missing]
    yield "the phone's log and nslookup", [file for file in files if file.name[0] in "13"]


def blamed_without_proof(verdict: Verdict) -> bool:
    proof = PROOF.get(verdict.step)
    return proof is not None and proof.isdisjoint(finding.tag for finding in verdict.because)


def name_of(folder: Path) -> str:
    return folder.name


def right_end(folder: Path, files: Sequence[Path]) -> dict[str, str]:
    """The verdict in words; an acceptable one stands for the right one."""
    said = in_words(judged(folder, files).verdict)
    return expected(folder) if said["step"] in told(folder).get("accept", ()) else said


def marked() -> list[Any]:
    """The folders; those with a known gap are expected to fail."""
    gaps = {folder: told(folder).get("known_gap") for folder in FOLDERS}
    return [
        pytest.param(folder, id=folder.name, marks=[pytest.mark.xfail(reason=gap)] if gap else [])
        for folder, gap in gaps.items()
    ]


@pytest.mark.parametrize("folder", marked())
def test_a_story_ends_with_its_step(folder: Path) -> None:
    assert right_end(folder, files_of(folder)) == expected(folder)


@pytest.mark.parametrize("folder", [f for f in FOLDERS if told(f).get("question")], ids=name_of)
def test_a_story_goes_on_with_its_question(folder: Path) -> None:
    assert judged(folder, files_of(folder)).question == told(folder)["question"]


@pytest.mark.parametrize("folder", marked())
def test_less_evidence_never_proves_a_wrong_step(folder: Path) -> None:
    wrong = [
        (how, verdict.step.value)
        for how, files in poorer(folder)
        if (verdict := judged(folder, files).verdict)
        and verdict.certainty is Certainty.PROVEN
        and verdict.step not in allowed(folder)
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_nobody_is_blamed_without_proof(folder: Path) -> None:
    unproven = [
        (how, verdict.step.value)
        for how, files in [("all", files_of(folder)), *poorer(folder)]
        if (verdict := judged(folder, files).verdict) and blamed_without_proof(verdict)
    ]
    assert unproven == []


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_a_password_is_blamed_only_where_it_is_the_cause(folder: Path) -> None:
    steps = {verdict.step for _, files in poorer(folder) if (verdict := judged(folder, files).verdict)}
    assert Step.FIX_PASSWORD not in steps or Step.FIX_PASSWORD in allowed(folder)


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_the_order_of_files_changes_nothing(folder: Path) -> None:
    files = files_of(folder)
    assert in_words(judged(folder, files[::-1]).verdict) == in_words(judged(folder, files).verdict)


def test_every_step_has_a_story() -> None:
    assert {Step(expected(folder)["step"]) for folder in FOLDERS} == set(Step)
