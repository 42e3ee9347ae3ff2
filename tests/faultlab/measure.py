"""How right are the verdicts on real faults? Injects each, collects both sides' evidence and asks `yordam explain`.

    python -m tests.faultlab.measure [--keep FOLDER] [NAME]…

Four questions a fault: what the user alone can send; all files; the user's files with the checks run on the PBX's
host; and, live, nothing but the checks and the watch of the log while the user presses Save. Several laboratories
work side by side, for most of the time is spent waiting for a phone to give up.
"""

from __future__ import annotations

import argparse
import json
import queue
import sys
import tempfile
import threading
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.diagnose import read_together
from bot.model import CheckResult, Context, Evidence, Kind, Owner, Step
from bot.rules import owner_of
from tests.faultlab.asking import asked
from tests.faultlab.faults import FAULTS, Fault
from tests.faultlab.lab import Lab, why_not
from tests.faultlab.network import HOST

LABS = 4
USERS = ("nslookup.txt", "ping.txt", "phone.log")
HOSTS = ("ss.txt", "ufw.txt", "iptables.txt", "nft.txt", "pbx.log")


@dataclass(frozen=True, slots=True)
class Row:
    """One fault, the phone's code, how long the watch took, what the user was asked, the verdict from each evidence.

    A verdict is {"step", "owner", "certainty", …} or None.
    """

    fault: Fault
    code: int | None
    seconds: float
    asked: tuple[Kind, ...]
    verdicts: dict[str, dict[str, Any] | None]

    def rating(self, evidence: str) -> str:
        """right | allowed | owner (wrong step, right owner) | wrong | WRONG (proven) | none."""
        verdict = self.verdicts[evidence]
        if verdict is None:
            return "none"
        step = Step(verdict["step"])
        if step is self.fault.step:
            return "right"
        if step in self.fault.also:
            return "allowed"
        if verdict["certainty"] == "proven":
            return "WRONG"
        return "owner" if owner_of(step) is owner_of(self.fault.step) else "wrong"


def measured(lab: Lab, fault: Fault, folder: Path) -> Row:
    """Injects, collects, asks, removes."""
    lab.fresh_start()
    with fault.at_work(lab) as phone:
        found = lab.collect(phone, folder, fault.extension)
        users = [folder / name for name in USERS]
        hosts = [folder / name for name in HOSTS]
        answers = {
            "user": lab.explain(*users, checks=False, extension=fault.extension),
            "files": lab.explain(*users, *hosts, checks=False, extension=fault.extension),
            "checks": lab.explain(*users, checks=True, extension=fault.extension),
        }
    (folder / "answers.json").write_text(json.dumps(answers, indent=1))
    verdicts = {name: answer["verdict"] for name, answer in answers.items()} | {"live": found["live"]["verdict"]}
    live, code = found["live"], found.get("code")
    pasted = [Evidence(text=path.read_text("utf-8")) for path in users]
    context = Context(host=HOST, extension=fault.extension)
    checks = [CheckResult.from_json(result) for result in live["checks"]]
    questions = asked(checks, CheckResult.from_json(live["watch"]), read_together(pasted, context), code)
    return Row(fault, code, live["seconds"], questions, verdicts)


def measure(names: list[str], keep: Path, labs: int = LABS) -> list[Row]:
    """A row a fault, in the list's order."""
    wanted = [fault for fault in FAULTS if not names or fault.name in names]
    rest: queue.Queue[Fault] = queue.Queue()
    for fault in wanted:
        rest.put(fault)
    rows: dict[str, Row] = {}

    def work() -> None:
        with Lab() as lab:
            while True:
                try:
                    fault = rest.get_nowait()
                except queue.Empty:
                    return
                try:
                    rows[fault.name] = measured(lab, fault, keep / fault.name)
                    print(line(rows[fault.name]), file=sys.stderr, flush=True)
                except Exception:
                    print(fault.name, traceback.format_exc(), file=sys.stderr, flush=True)
                    return  # this laboratory may be spoilt

    workers = [threading.Thread(target=work) for _ in range(min(labs, len(wanted)))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return [rows[fault.name] for fault in wanted if fault.name in rows]


def of_owner(rows: list[Row], owner: Owner) -> list[Row]:
    """The faults that are theirs."""
    return [row for row in rows if owner_of(row.fault.step) is owner]


def line(row: Row) -> str:
    """A row of the table."""
    cells = []
    for evidence, verdict in row.verdicts.items():
        said = f"{verdict['step']} ({verdict['certainty']})" if verdict else "-"
        cells.append(f"{row.rating(evidence):7} {said:34}")
    phone = f"{row.code or '-'!s:4} {row.seconds:4.0f} s  {len(row.asked)} asked"
    return f"{row.fault.name:19} {row.fault.step:24} {phone}  {'  '.join(cells)}"


def main(words: list[str]) -> None:
    """Prints the table and the counts."""
    ask = argparse.ArgumentParser()
    ask.add_argument("--keep", type=Path, help="leaves the evidence in this folder")
    ask.add_argument("--labs", type=int, default=LABS)
    ask.add_argument("names", nargs="*")
    chosen = ask.parse_args(words)
    if reason := why_not():
        sys.exit(f"no laboratory here: {reason}")
    with tempfile.TemporaryDirectory() as temporary:
        rows = measure(chosen.names, chosen.keep or Path(temporary), chosen.labs)
    for row in rows:
        print(line(row))
    for evidence in ("user", "files", "checks", "live"):
        print(evidence, dict(Counter(row.rating(evidence) for row in rows)))
    for owner in (Owner.SERVER, Owner.USER):
        print(f"asked where it is the {owner}:", sorted(len(row.asked) for row in of_owner(rows, owner)))


if __name__ == "__main__":
    main(sys.argv[1:])
