"""A bot's eyes on the PBX's host as a process: the checks and the live watch, and the verdict on what they found.

    python -m tests.faultlab.watching 1002 35
    {"stage": "packet_seen", "at": 1795375470.97}
    {"verdict": {…}, "stage": "refused", "findings": ["log_wrong_password", …], "seconds": 0.4}

The settings come from the environment, as the bot's.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import replace
from typing import Any

from bot.checks.register_watch import Stage, Watches
from bot.checks.runner import Runner
from bot.diagnose import diagnose
from bot.settings import Settings


def say(**what: Any) -> None:
    """A line for whoever started this."""
    print(json.dumps(what), flush=True)


async def main(extension: str, limit_s: float) -> None:
    """Watches first, so that no line is missed, and checks meanwhile; both see the fault as it is now."""
    target = Settings.load().target()
    runner = Runner()
    watches = Watches(runner)

    def show(stage: Stage) -> None:
        say(stage=stage.value, at=time.time())

    began = time.monotonic()
    watch = asyncio.ensure_future(watches.watch(target, extension, on_stage=show, limit_s=limit_s))
    await asyncio.sleep(0)
    say(watching=True)
    checks = await runner.run(replace(target, extension=extension))
    results = [*checks, (seen := await watch).result]
    await watches.close()
    verdict = diagnose([], results).verdict
    say(
        verdict=verdict.to_json() if verdict else None,
        stage=seen.stage.value,
        confirmed=seen.confirmed,
        source_ip=seen.source_ip,
        failure=seen.result.failure,
        findings=[one.tag.value for one in seen.result.findings],
        seconds=round(time.monotonic() - began, 1),
        checks=[result.to_json() for result in checks],
        watch=seen.result.to_json(),
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
