"""Every comparison of this folder in one table: `python -m benchmarks [NAME]…`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def main(names: list[str]) -> None:
    """Prints a table for each module of the folder that has `rows()`: what was compared, and the ratio."""
    comparing = (path for path in Path(__file__).parent.glob("*.py") if "\ndef rows(" in path.read_text("utf-8"))
    comparisons = sorted(path.stem for path in comparing)
    if strangers := sorted(set(names) - set(comparisons)):
        sys.exit(f"no comparison: {', '.join(strangers)}; there are {', '.join(comparisons)}")
    for name in names or comparisons:
        print(f"\n{name}")
        for what, ratio in importlib.import_module(f"benchmarks.{name}").rows():
            print(f"  {what:98} {ratio}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
