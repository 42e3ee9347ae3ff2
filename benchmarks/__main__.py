"""Every comparison of this folder in one table: `python -m benchmarks [NAME]…`."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path


def main(names: list[str]) -> None:
    """Prints a table for each module of the folder that has `rows()`: what was compared, and the ratio."""
    found = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])]
    for name in names or sorted(found):
        if name == "__main__":
            continue
        rows = getattr(importlib.import_module(f"benchmarks.{name}"), "rows", None)
        if rows is None:
            continue
        print(f"\n{name}")
        for what, ratio in rows():
            print(f"  {what:98} {ratio}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
