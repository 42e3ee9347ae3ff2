"""Who may import whom, and which library is spoken where: the drawing of the rooms, kept true."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.checks import CHECKS
from bot.settings import Settings

ROOT = Path(__file__).parent.parent
ROOMS = {
    "bot.vocabulary": set(),
    "bot.model": {"bot.vocabulary"},
    "bot.folding": set(),
    "bot.redact": set(),
    "bot.store": set(),
    "bot.schema": {"bot.schema_speed"},
    "bot.schema_speed": set(),
    "bot.health": set(),
    "bot.stations": {"bot.model", "bot.vocabulary", "bot.casefile", "bot.rules", "bot.diagnose"},
    "bot.wording": {"bot.model", "bot.vocabulary"},
    "bot.web": {
        "bot.model",
        "bot.vocabulary",
        "bot.casefile",
        "bot.rules",
        "bot.table",
        "bot.redact",
        "bot.standing",
        "bot.stations",
        "bot.wording",
        "bot.numbers",
        "bot.ticket_rows",
        "bot.incidents",
        "bot.incident_rows",
        "bot.attachments",
        "bot.orders",
        "bot.passes",
    },
    "bot.passes": set(),
    "bot.orders": {"bot.passes", "bot.store"},
    "bot.settings": {"bot.model", "bot.hours"},
    "bot.logs": {"bot.redact"},
    "bot.parsers": {"bot.model", "bot.vocabulary"},
    "bot.checks": {"bot.model", "bot.vocabulary", "bot.parsers", "bot.networks", "bot.providers"},
    "bot.table": {"bot.model", "bot.vocabulary"},
    "bot.rules": {"bot.model", "bot.vocabulary", "bot.table"},
    "bot.casefile": {"bot.model", "bot.vocabulary", "bot.rules", "bot.diagnose"},
    "bot.networks": set(),
    "bot.providers": {"bot.model", "bot.vocabulary", "bot.networks"},
    "bot.neighbours": {"bot.model", "bot.vocabulary", "bot.store", "bot.networks", "bot.providers"},
    "bot.ban_lists": {"bot.model", "bot.vocabulary", "bot.checks"},
    "bot.unban": {"bot.model", "bot.vocabulary", "bot.checks", "bot.ban_lists"},
    "bot.diagnose": {"bot.model", "bot.vocabulary", "bot.parsers", "bot.checks", "bot.rules"},
    "bot.standing": {"bot.model"},
    "bot.topics": {"bot.store"},
    "bot.batched": {"bot.store"},
    "bot.mailbox": {"bot.store", "bot.batched"},
    "bot.relayed": {"bot.store"},
    "bot.due": {"bot.store"},
    "bot.barred": {"bot.store"},
    "bot.hours": set(),
    "bot.patience": {"bot.model", "bot.vocabulary", "bot.casefile", "bot.hours"},
    "bot.waits": {"bot.model", "bot.vocabulary", "bot.hours", "bot.store"},
    "bot.limits": set(),
    "bot.attachments": set(),
    "bot.own_log": {"bot.model", "bot.store", "bot.ticket_rows"},
    "bot.backup": {"bot.attachments", "bot.store"},
    "bot.emptying": {"bot.ticket_rows", "bot.ticket_search"},
    "bot.forgetting": {"bot.attachments", "bot.emptying", "bot.model", "bot.store", "bot.ticket_search", "bot.tickets"},
    "bot.ticket_search": {"bot.folding"},
    "bot.ticket_rows": {"bot.model", "bot.vocabulary", "bot.ticket_search"},
    "bot.ticket_summary": {"bot.vocabulary"},
    "bot.numbers": {"bot.vocabulary", "bot.rules"},
    "bot.chart": set(),
    "bot.export": {"bot.model", "bot.diagnose", "bot.ticket_rows"},
    "bot.settled": {"bot.settings"},
    "bot.tickets": {
        "bot.limits",
        "bot.ticket_rows",
        "bot.ticket_search",
        "bot.ticket_summary",
        "bot.model",
        "bot.vocabulary",
        "bot.redact",
        "bot.folding",
        "bot.store",
        "bot.schema",
    },
    "bot.incidents": {"bot.model", "bot.vocabulary", "bot.rules"},
    "bot.incident_rows": {"bot.model", "bot.vocabulary", "bot.incidents", "bot.redact", "bot.ticket_rows"},
    "bot.incident_log": {
        "bot.model",
        "bot.vocabulary",
        "bot.incidents",
        "bot.incident_rows",
        "bot.ticket_rows",
        "bot.store",
    },
    "bot.incident_links": {"bot.incident_rows", "bot.ticket_rows", "bot.store"},
    "messages": set(),
}
# The composition root and its commands, what they print, the page it puts together.
FREE = ("bot.__main__", "bot.number_commands", "bot.report", "bot.number_report", "bot.review")
HANDLERS_LEAVE_ALONE = {"bot.schema", "bot.report", "bot.review", "bot.__main__"}
LIBRARIES = {
    "telegram": ("handlers", "bot.__main__"),  # the latter only names an error
    "tornado": ("handlers.webhook",),
    "matplotlib": ("bot.chart",),
    "dns": ("bot.checks",),
    "httpx": ("bot.checks", "handlers.lines"),  # the latter only describes the library's own connections
    "icmplib": ("bot.checks",),
    "sipmessage": ("bot.checks",),
    "subprocess": ("bot.checks", "bot.parsers.screen_worker"),
    "sqlite_utils": (
        "bot.numbers",
        "bot.export",
        "bot.ticket_search",
        "bot.ticket_summary",
        "bot.store",
        "bot.schema",
        "bot.schema_speed",
        "bot.mailbox",
        "bot.batched",
        "bot.relayed",
        "bot.due",
        "bot.barred",
        "bot.waits",
        "bot.tickets",
        "bot.ticket_rows",
        "bot.orders",
        "bot.topics",
        "bot.neighbours",
        "bot.emptying",
        "bot.forgetting",
        "bot.own_log",
        "bot.incident_rows",
        "bot.incident_log",
        "bot.incident_links",
        "bot.web",
    ),
    "datasette": ("bot.web",),
    "uvicorn": ("bot.web",),
    "maxminddb": ("bot.providers",),
    "click": (*FREE, "bot.settled"),
}
LINES_MAX = 300
ONE_SITTING_ALL_THE_SAME = {"bot/table.py"}  # one table in one file: its order is its meaning


def sources() -> Iterator[tuple[str, Path]]:
    for room in ("bot", "handlers", "messages"):
        for path in sorted((ROOT / room).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def room_of(name: str) -> str | None:
    return next(
        (room for room in sorted(ROOMS, key=len, reverse=True) if name == room or name.startswith(room + ".")), None
    )


ALL = dict(sources())


@pytest.mark.parametrize("name", [name for name in ALL if room_of(name) and name not in FREE])
def test_a_room_imports_only_what_the_drawing_allows(name: str) -> None:
    room = room_of(name)
    assert room is not None
    ours = {found for found in imports(ALL[name]) if found.split(".")[0] in ("bot", "handlers", "messages")}
    allowed = {*ROOMS[room], room, "bot"}
    strange = {
        found for found in ours if not any(found == ok or found.startswith(ok + ".") for ok in allowed - {"bot"})
    }
    assert strange - {"bot"} == set()


def test_every_module_of_the_diagnosis_has_its_place_in_the_drawing() -> None:
    assert [name for name in ALL if name.startswith("bot.") and not room_of(name) and name not in FREE] == []


def test_nothing_inside_knows_telegram() -> None:
    inside = {name for name in ALL if not name.startswith("handlers") and name not in FREE}
    assert {name for name in inside if any(found.split(".")[0] == "handlers" for found in imports(ALL[name]))} == set()


@pytest.mark.parametrize(("library", "rooms"), LIBRARIES.items())
def test_a_library_is_spoken_in_one_room(library: str, rooms: tuple[str, ...]) -> None:
    speakers = {name for name, path in ALL.items() if any(f.split(".")[0] == library for f in imports(path))}
    assert {name for name in speakers if not name.startswith(rooms)} == set()


def test_handlers_go_through_the_doors() -> None:
    through = {name: imports(path) & HANDLERS_LEAVE_ALONE for name, path in ALL.items() if name.startswith("handlers")}
    assert {name: found for name, found in through.items() if found and name != "handlers.demo"} == {}


def test_every_file_is_one_sitting() -> None:
    sizes = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in ALL.values()}
    assert {name for name, size in sizes.items() if size > LINES_MAX} - ONE_SITTING_ALL_THE_SAME == set()


def test_every_module_says_what_it_answers() -> None:
    silent = [name for name, path in ALL.items() if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert silent == []


def test_every_check_is_a_file_of_the_registry() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)


def test_every_setting_is_explained_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    explained = {line.lstrip("# ").split("=")[0] for line in example.splitlines() if "=" in line}
    assert {name.upper() for name in Settings.model_fields} - explained == set()


def test_every_extra_that_the_readme_names_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    readme = (ROOT / "README.md").read_text("utf-8")
    named = {part.split()[0].strip("`.,;)") for part in readme.split("--extra ")[1:]}
    assert named - set(extras) == set()
