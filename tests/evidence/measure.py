"""How often is the verdict right? Every fault in many scenes and with files missing or shuffled.

python -m tests.evidence.measure 20
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache

from bot.diagnose import context_of, diagnose
from bot.model import Certainty, Evidence, Reading, Step, Target, Verdict
from bot.parsers import read
from tests.evidence.faults import FAULTS, Fault
from tests.evidence.scene import NAME, Scene

PBX = Target(NAME, 5060, frozenset(), NAME)


def judged(files: Mapping[str, str], extension: str | None) -> Verdict | None:
    """The verdict on files in this order, as `yordam explain --no-checks` gives it."""
    readings = [reading for text in files.values() for reading in _readings(text, extension)]
    return diagnose(readings, ()).verdict


@cache
def _readings(text: str, extension: str | None) -> tuple[Reading, ...]:
    return read(Evidence(content=text.encode()), context_of(PBX, extension=extension))


def modes(files: Mapping[str, str], seed: int) -> Iterator[tuple[str, dict[str, str]]]:
    """(mode, files): all, shuffled, each one left out, and the user's own."""
    yield "all", dict(files)
    names = list(files)
    random.Random(seed).shuffle(names)
    yield "shuffled", {name: files[name] for name in names}
    for missing in files:
        yield f"no {missing[2:].split('.')[0]}", {name: text for name, text in files.items() if name != missing}
    yield "phone's log and nslookup", {name: files[name] for name in files if name[0] in "13"}


def rate(fault: Fault, verdict: Verdict | None) -> str:
    """right | acceptable | none | wrong | PROVEN WRONG."""
    step = verdict.step if verdict else Step.CALL_STAFF
    if step is fault.step:
        return "right"
    if step in fault.accept:
        return "acceptable"
    if verdict is None:
        return "none"
    return "PROVEN WRONG" if verdict.certainty is Certainty.PROVEN else "wrong"


def main(scenes: int) -> None:
    """Prints a line a mode, then every wrong case."""
    counts: dict[str, Counter[str]] = {}
    wrong: Counter[str] = Counter()
    for seed in range(scenes):
        for fault in FAULTS:
            scene = Scene.of(seed)
            files = fault.compose(scene)
            for known in (None, scene.extension):
                for mode, sent in modes(files, seed):
                    verdict = judged(sent, known)
                    rating = rate(fault, verdict)
                    key = f"{mode}{'' if known else ', number unknown'}"
                    counts.setdefault(key, Counter())[rating] += 1
                    if rating not in ("right", "acceptable"):
                        said = (
                            f"{verdict.step} {verdict.certainty} {[f.tag.value for f in verdict.because]}"
                            if verdict
                            else "-"
                        )
                        wrong[f"{rating:12} {key:40} {fault.name:10} {said}"] += 1
    for key, ratings in counts.items():
        total = ratings.total()
        print(f"{key:45} {dict(ratings)}  {100 * (ratings['right'] + ratings['acceptable']) / total:.1f} %")
    for line, times in sorted(wrong.items()):
        print(times, line)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
