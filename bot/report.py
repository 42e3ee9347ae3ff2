"""What the shell commands print: checks, readings, verdicts and tickets, for people or as the contract's JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import click
from rich.console import Console
from rich.table import Table

from bot.casefile import fold
from bot.checks import EVERY
from bot.checks.runner import Runner
from bot.diagnose import Diagnosis, context_of, diagnose, read_together
from bot.model import (
    CheckResult,
    Context,
    Evidence,
    Owner,
    Reading,
    Target,
    Ticket,
    Verdict,
)
from bot.parsers import read as read_evidence
from bot.rules import decide, told_by
from bot.settings import Settings
from bot.stations import DOUBTFUL
from bot.store import read_only
from bot.table import RULES
from bot.ticket_rows import list_tickets, read_ticket

READ_MAX_BYTES = 20 * 2**20


async def check(settings: Settings, only: Sequence[str], extension: str | None, as_json: bool) -> int:
    """Runs the checks and prints them. Returns the exit status: 0 good, 1 the server is at fault, 2 not tested."""
    target = _with_extension(settings.target(), extension)
    started = time.perf_counter()
    try:
        results = await Runner().run(target, only=only or EVERY)
    except ValueError as trouble:
        click.echo(str(trouble), err=True)
        return 2
    took_ms = (time.perf_counter() - started) * 1000
    found = diagnose((), results).verdict
    verdict = found if found is not None and found.owner is Owner.SERVER else None
    if as_json:
        body = {
            "target": _target_json(target),
            "results": [result.to_json() for result in results],
            "verdict": verdict.to_json() if verdict else None,
            "took_ms": round(took_ms, 1),
        }
        click.echo(json.dumps(body, ensure_ascii=False))
    else:
        _print_check(target, results, verdict, took_ms)
    if verdict is not None:
        return 1
    return 0 if any(result.failure is None for result in results) else 2


def _print_check(target: Target, results: Iterable[CheckResult], verdict: Verdict | None, took_ms: float) -> None:
    console = Console(highlight=False)
    table = Table(title=f"{target.host}:{target.sip_port}/udp, probed at {target.probe_host}")
    for column in ("", "check", "found", "ms"):
        table.add_column(column, justify="right" if column == "ms" else "left")
    for result in results:
        said = ", ".join(_said(finding.tag.value, finding.args) for finding in result.findings)
        sign = "[yellow]–[/]" if result.failure else _sign(result)
        text = f"[yellow]not tested: {result.failure}[/] {result.detail or ''}" if result.failure else said
        table.add_row(sign, result.name, text, f"{result.took_ms:.0f}")
    console.print(table)
    if verdict is not None:
        console.print(f"[red bold]{verdict.step}[/] ({verdict.certainty}, {verdict.owner})")
    else:
        console.print("[green]Nothing that was tested blames the server.[/]")
    console.print(f"{took_ms:.0f} ms in all")


def _sign(result: CheckResult) -> str:
    own = decide(result.findings)
    if own is not None and own.owner is Owner.SERVER:
        return "[red]✗[/]"
    doubtful = any(finding.tag in DOUBTFUL for finding in result.findings)
    return "[yellow]![/]" if doubtful else "[green]✓[/]"


def _said(tag: str, args: Any) -> str:
    values = " ".join(f"{k}={','.join(v) if isinstance(v, tuple) else v}" for k, v in args.items())
    return f"{tag} {values}".strip()


def read_lines(settings: Settings, requests: TextIO, out: TextIO) -> None:
    """`read --jsonl`: an answer a request, in order; a line that is no request gets an answer that says so."""
    base = context_of(settings.target())
    for line in requests:
        if not line.strip():
            continue
        number: Any = None
        try:
            request = json.loads(line)
            number = request["id"]
            extension = (request.get("context") or {}).get("extension")
            context = _context(base, str(extension) if extension else None)
            evidence = Evidence(text=request["text"]) if "text" in request else _load(Path(request["path"]))
            readings = [reading.to_json() for reading in read_evidence(evidence, context)]
            answer: dict[str, Any] = {"id": number, "readings": readings}
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as trouble:
            answer = {"id": number, "readings": [], "error": f"{type(trouble).__name__}: {trouble}"}
        out.write(json.dumps(answer, ensure_ascii=False) + "\n")
        out.flush()


def read_files(settings: Settings, files: Sequence[Path], as_json: bool) -> int:
    """`read FILE…`: what is read in each. Returns 2 when a file cannot be opened."""
    context = context_of(settings.target())
    everything: list[dict[str, Any]] = []
    for file in files:
        try:
            readings = read_evidence(_load(file), context)
        except OSError as trouble:
            click.echo(f"{file}: {trouble.strerror}", err=True)
            return 2
        everything += [reading.to_json() for reading in readings]
        if not as_json:
            _print_readings(str(file), readings)
    if as_json:
        click.echo(json.dumps(everything[0] if len(everything) == 1 else everything, ensure_ascii=False))
    return 0


def _print_readings(name: str, readings: Iterable[Reading]) -> None:
    console = Console(highlight=False, markup=False)
    console.print(name)
    empty = True
    for reading in readings:
        empty = False
        console.print(f"  {reading.kind} ({reading.tool or '-'}): {reading.status}")
        for key, value in reading.facts.items():
            console.print(f"    {key}: {value}")
        for finding in reading.findings:
            console.print(f"    → {_said(finding.tag.value, finding.args)}")
    if empty:
        console.print("  nothing recognised")


async def explain(settings: Settings, files: Sequence[Path], checks: bool, extension: str | None, as_json: bool) -> int:
    """Files, and checks unless told otherwise, to the verdict. Returns 2 when a file cannot be opened."""
    target = _with_extension(settings.target(), extension)
    results = await Runner().run(target) if checks else ()
    context = context_of(target, results, extension)
    try:
        readings = read_together([_load(file) for file in files], context)
    except OSError as trouble:
        click.echo(str(trouble), err=True)
        return 2
    found = diagnose(readings, results, closed=told_by([reading.kind for reading in readings]))
    _print_diagnosis(readings, results, found, as_json)
    return 0


def explain_ticket(settings: Settings, number: int, save: bool, as_json: bool) -> int:
    """A ticket's log, judged by today's table. Returns 2 when there is no such ticket."""
    found = _ticket(settings, number)
    if found is None:
        return 2
    case = fold(found)
    judged = diagnose(case.readings, case.results, answers=case.answers, tried=case.tried, closed=case.closed)
    if save:
        folder = Path("tests/scenarios") / f"ticket_{number}"
        folder.mkdir(parents=True, exist_ok=True)
        scenario = {
            "story": f"ticket {number}",
            "extension": found.extension,
            "tried": sorted(case.tried),
            "findings": [finding.to_json() for finding in judged.findings],
            "verdict": judged.verdict.to_json() if judged.verdict else None,
        }
        (folder / "scenario.json").write_text(json.dumps(scenario, ensure_ascii=False, indent=2) + "\n", "utf-8")
        click.echo(str(folder), err=True)
    _print_diagnosis(case.readings, case.results, judged, as_json)
    return 0


def _print_diagnosis(
    readings: Sequence[Reading], results: Sequence[CheckResult], found: Diagnosis, as_json: bool
) -> None:
    if as_json:
        body = {
            "readings": [reading.to_json() for reading in readings],
            "results": [result.to_json() for result in results],
            "verdict": found.verdict.to_json() if found.verdict else None,
            "next_question": found.question.value if found.question else None,
        }
        click.echo(json.dumps(body, ensure_ascii=False))
        return
    _print_readings("evidence", readings)
    console = Console(highlight=False, markup=False)
    for result in results:
        console.print(f"  {result.name}: {result.failure or [f.tag.value for f in result.findings]}")
    known = {finding.tag for finding in found.findings}
    for place, rule in enumerate(RULES, 1):
        if rule.fires(known):
            console.print(f"row {place}: {rule.step} ({rule.certainty}) – {rule.why}")
    verdict = found.verdict
    console.print(f"verdict: {f'{verdict.step} ({verdict.owner}, {verdict.certainty})' if verdict else 'none'}")
    console.print(f"next question: {found.question or 'none'}")


def tickets(settings: Settings, status: str | None, search: str | None, as_json: bool) -> None:
    """`yordam tickets`."""
    with read_only(settings.database) as db:
        found = list_tickets(db, status, search, 1000) if db is not None else ()
    if as_json:
        click.echo(json.dumps([ticket.to_json(events=False) for ticket in found], ensure_ascii=False))
        return
    table = Table("№", "status", "step", "extension", "person", "opened", "closed")
    for ticket in found:
        table.add_row(
            str(ticket.number),
            ticket.status.value,
            ticket.verdict.step.value if ticket.verdict else "–",
            ticket.extension or "–",
            ticket.user_name,
            ticket.opened_at.strftime("%Y-%m-%d %H:%M"),
            ticket.closed_at.strftime("%Y-%m-%d %H:%M") if ticket.closed_at else "–",
        )
    Console().print(table)


def ticket(settings: Settings, number: int, as_json: bool) -> int:
    """`yordam ticket N`. Returns 2 when there is no such ticket."""
    found = _ticket(settings, number)
    if found is None:
        return 2
    if as_json:
        click.echo(json.dumps(found.to_json(events=True), ensure_ascii=False))
        return 0
    console = Console(highlight=False, markup=False)
    console.print(f"№{found.number} {found.status} · {found.user_name} · {found.extension or '–'}")
    if found.verdict:
        console.print(f"{found.verdict.step} ({found.verdict.owner}, {found.verdict.certainty})")
    for event in found.events:
        said = json.dumps(event.body, ensure_ascii=False)
        console.print(f"{event.at:%Y-%m-%d %H:%M:%S} {event.kind} {said if len(said) < 300 else said[:299] + '…'}")
    return 0


def _ticket(settings: Settings, number: int) -> Ticket | None:
    with read_only(settings.database) as db:
        found = read_ticket(db, number) if db is not None else None
    if found is None:
        click.echo(f"no ticket {number}", err=True)
    return found


def _load(path: Path) -> Evidence:
    with click.open_file(str(path), "rb") as file:  # "-" is standard input
        return Evidence(content=file.read(READ_MAX_BYTES))


def _context(base: Context, extension: str | None) -> Context:
    return Context(base.host, base.sip_port, base.expected_ips, extension)


def _with_extension(target: Target, extension: str | None) -> Target:
    return replace(target, extension=extension)


def _target_json(target: Target) -> dict[str, Any]:
    return {
        "host": target.host,
        "sip_port": target.sip_port,
        "probe_host": target.probe_host,
        "expected_ips": sorted(target.expected_ips),
        "dns_servers": list(target.dns_servers),
        "extension": target.extension,
    }
