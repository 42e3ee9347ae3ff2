# ruff: noqa: E501 - markup and table rows read best unbroken
"""How well are pictures read? One table: right, wrong and not sure by category, seconds and memory.

'key' are the texts and 'keycheck' the boxes that registering hangs on; 'all key' counts both together.

    python -m benchmarks.screens [FOLDER] [--match TEXT] [--errors]

FOLDER holds pictures and truth.jsonl; by default the project's own pictures are measured.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.model import Context, Kind, Reading
from bot.parsers.screen import read_picture
from bot.parsers.screen_worker import THRIFT

OWN = Path(__file__).parent.parent / "tests" / "data" / "screens"
KEY = ("server", "domain", "username", "transport", "public_address", "stun_server")
KEY_CHECKS = ("ice", "allow_rewrite", "stun_enabled")
EXPECTED = "call.soundz.uz"
APOSTROPHES = str.maketrans(dict.fromkeys("ʻʼ‘’`´", "'"))  # one letter to a reader, whatever its shape


def _same(name: str, truth: str, read: str) -> bool:
    one, two = (text.strip().lower().translate(APOSTROPHES) for text in (truth, read))
    if name == "public_address":
        one, two = ("auto" if v in ("авто", "avtomatik") else v for v in (one, two))
    return one == two


def judge(truth: dict[str, Any], readings: tuple[Reading, ...]) -> Iterator[tuple[str, str, str, Any, Any]]:
    """Every visible field and check: group, name, 'right' | 'wrong' | 'unsure', the truth and what was read."""
    mine = [r for r in readings if r.kind is Kind.MICROSIP_SCREEN and r.facts["dialog"] == truth["dialog"]]
    fields = mine[0].facts["fields"] if mine else {}
    checks = mine[0].facts["checks"] if mine else {}
    for name, entry in truth["fields"].items():
        if name == "password" or not (entry["visible"] and entry["label_visible"]):
            continue
        read = fields.get(name)
        verdict = "unsure" if read is None else "right" if _same(name, entry["value"], read) else "wrong"
        yield ("key" if name in KEY else "other"), name, verdict, entry["value"], read
    for name, entry in truth["checks"].items():
        if entry["visible"] and entry["label_visible"]:
            read = checks.get(name)
            verdict = "unsure" if read is None else "right" if read == entry["on"] else "wrong"
            yield ("keycheck" if name in KEY_CHECKS else "check"), name, verdict, entry["on"], read


def judge_terminal(truth: dict[str, Any], readings: tuple[Reading, ...]) -> Iterator[tuple[str, str, str, Any, Any]]:
    """Each command once: right when status, host and addresses all are."""
    status = {"resolved": ("ok", "wrong_ip"), "no_reply": ("timeout",)}
    for command in truth["commands"]:
        mine = [r for r in readings if r.kind.value == command["command"]]
        if not mine:
            yield "terminal", command["command"], "unsure", command, None
            continue
        facts = mine[-1].facts
        good = mine[-1].status in status.get(command["status"], (command["status"],))
        good = good and command["host"] in (str(facts.get("host")).lower(), facts.get("ip"))
        if "addresses" in command:
            good = good and sorted(facts.get("addresses") or ()) == sorted(command["addresses"])
        elif command.get("loss_percent") is not None:
            good = good and facts.get("loss_pct") == command["loss_percent"]
            good = good and (command["avg_ms"] is None or facts.get("rtt_avg_ms") == command["avg_ms"])
        yield "terminal", command["command"], "right" if good else "wrong", command, mine[-1].to_json()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=OWN)
    parser.add_argument("--match", default="")
    parser.add_argument("--errors", action="store_true")
    options = parser.parse_args()
    if not THRIFT.items() <= os.environ.items():  # measured under the worker's conditions
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.screens", *sys.argv[1:]], os.environ | THRIFT)  # noqa: S606 - this program
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    names: dict[str, Counter[str]] = defaultdict(Counter)
    seconds: list[float] = []
    processor: list[float] = []
    hosts: Counter[str] = Counter()
    for line in (options.folder / "truth.jsonl").read_text(encoding="utf-8").splitlines():
        truth = json.loads(line)
        if options.match not in f"{truth['file']} {truth['degradation']} {truth['dialog']} {truth['category']}":
            continue
        content = (options.folder / truth["file"]).read_bytes()
        start, busy = time.perf_counter(), time.process_time()
        readings = read_picture(content, Context())
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - busy)
        terminal = truth["dialog"] == "terminal"
        category = "terminal" if terminal else truth["category"]
        bad = []
        for group, name, verdict, want, read in (judge_terminal if terminal else judge)(truth, readings):
            names[name][verdict] += 1
            for where in {category, truth["degradation"]} if category == "photo" else {category}:
                for what in (group, "all key") if group in ("key", "keycheck") else (group,):
                    counts[where, what][verdict] += 1
            if verdict != "right" and (group != "other" or verdict == "wrong"):
                bad.append(f"{name}: {want!r} -> {read!r}")
            if name in ("server", "domain"):
                if want.strip().lower() != EXPECTED and read == EXPECTED:
                    hosts["WRONG CALLED RIGHT"] += 1
                    bad.append("!!! wrong called right")
                right = want.strip().lower() == EXPECTED
                hosts["right hosts"] += right
                hosts["right called wrong"] += right and read is not None and read.lower() != EXPECTED
        if options.errors and bad:
            print(f"{truth['file']} {truth['degradation']} {truth.get('look', '')} {truth.get('font', '')} {truth.get('aa', '')} "
                  f"{truth.get('version', '')} {truth['lang']} {seconds[-1]:.2f}s: {'; '.join(bad)}", flush=True)  # fmt: skip
    print(f"{'category':10} {'group':9} {'n':>5} {'right':>7} {'wrong':>7} {'unsure':>7}")
    for (category, group), count in sorted(counts.items()):
        total = sum(count.values())
        shares = "".join(f"{100 * count[v] / total:8.1f}" for v in ("right", "wrong", "unsure"))
        print(f"{category:10} {group:9} {total:5}{shares}")
    print("by field:", ", ".join(f"{n} {100 * c['right'] / sum(c.values()):.0f}/{100 * c['wrong'] / sum(c.values()):.0f}" for n, c in sorted(names.items())))  # fmt: skip
    print("hosts:", dict(hosts))
    seconds.sort()
    processor.sort()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"seconds: median {seconds[len(seconds) // 2]:.2f}, p95 {seconds[int(len(seconds) * 0.95)]:.2f}, max {seconds[-1]:.2f}; of processor time "
          f"median {processor[len(seconds) // 2]:.2f}, p95 {processor[int(len(seconds) * 0.95)]:.2f}; "
          f"{len(seconds)} pictures; peak memory {peak:.0f} MB")  # fmt: skip


if __name__ == "__main__":
    main()
