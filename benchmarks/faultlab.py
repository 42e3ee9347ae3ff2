"""How right are the verdicts on faults really made: a PBX under pm2, a PJSIP phone, firewalls, a router, name servers?

Each fault is injected into network namespaces; see tests/faultlab/measure.py. Takes about ten minutes, for a phone
gives up after 32 s.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bot.model import Owner
from tests.faultlab.lab import why_not
from tests.faultlab.measure import measure, of_owner

RIGHT = ("right", "allowed")


def rows() -> Iterator[tuple[str, str]]:
    """A row a fault: the verdict from pasted files, and the one of a watch that asks nothing; then the sums."""
    if reason := why_not():
        yield "real faults in network namespaces", f"not measured: {reason}"
        return
    with tempfile.TemporaryDirectory() as folder:
        measured = measure([], Path(folder))
    for row in measured:
        files, live = row.verdicts["files"], row.verdicts["live"]
        said = [f"{one['step']} ({one['certainty']})" if one else "none" for one in (files, live)]
        ratings = f"{row.rating('files')}, live: {row.rating('live')}"
        things = ", ".join(row.asked) or "nothing"
        verdicts = f"files {said[0]}, live {said[1]} after {row.seconds:.0f} s"
        yield f"{row.fault.name}: {verdicts}, asked: {things}", ratings
    for evidence in ("files", "checks", "live"):
        counts = Counter(row.rating(evidence) for row in measured)
        right = sum(counts[rating] for rating in RIGHT)
        told = f"{100 * right / len(measured):.0f} % of {len(measured)}"
        yield f"the right step, from {evidence}", f"{told}, proven and wrong: {counts['WRONG']}"
    for owner in (Owner.SERVER, Owner.USER):
        asked = [len(row.asked) for row in of_owner(measured, owner)]
        yield f"things asked where it is the {owner}", f"median {median(asked):.0f}, most {max(asked)}"
    yield "the watch's verdict, median", f"{median(row.seconds for row in measured):.0f} s"
