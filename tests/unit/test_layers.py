"""The floors of docs/architecture.md over the real imports."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parents[2] / "mlops_ci"

# Room -> floor; rooms of one floor do not know each other, except where ALSO says so.
FLOORS = {
    "cli": 7,
    "flows": 6,
    "steps": 5,
    "checks": 4,
    "gates": 4,
    "data": 3,
    "evaluation": 3,
    "packaging": 3,
    "promotion": 3,
    "reports": 3,
    "workflows": 3,
    "config": 2,
    "render": 2,
    "ledger": 2,
    "edge": 2,
    "records": 1,
    "errors": 1,
    "lazy": 1,
}
APART = {"worker", "deepchecks_worker", "exporter", "serving"}
# Where an apart room is handed over by path: the one place that looks at where it lies, not into it.
HANDED_OVER = {
    "worker": "edge/worker.py",
    "deepchecks_worker": "edge/deepchecks.py",
    "exporter": "edge/exporter.py",
    "serving": "edge/runtime.py",
}
ALSO = {("records", "errors")}
# The only rooms that may call the outside world.
CALLS_EDGE = {"steps", "edge"}
# Nobody needs these to do arithmetic: each outside library has one owner.
OWNERS = {
    "duckdb": "edge/database.py",
    "git": "edge/git_process.py",
    "httpx": "edge/http.py",
    "docker": "edge/docker.py",
    "mlflow": "edge/mlflow",
    "obstore": "edge/stores/s3.py",
    "deepchecks": "deepchecks_worker/",
    "yaml": "config/yaml.py",
    "jinja2": "render.py",
    "lark": "gates/grammar.py",
    "click": "cli/",
    "rich": "cli/",
    "uv": "edge/uv.py",
}


class Import(NamedTuple):
    """One import, or library loaded lazily: who, what, where, and whether it is for types only or in a function."""

    file: str
    line: int
    module: str
    for_types: bool
    in_function: bool


def imports(path: Path) -> list[Import]:
    found: list[Import] = []
    name = path.relative_to(PACKAGE).as_posix()

    def visit(node: ast.AST, *, for_types: bool, in_function: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend(Import(name, node.lineno, alias.name, for_types, in_function) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = ".".join(["mlops_ci", *path.relative_to(PACKAGE).parts[: -node.level]]) if node.level else ""
            module = ".".join(part for part in (parent, node.module or "") if part)
            found.extend(
                Import(name, node.lineno, f"{module}.{alias.name}", for_types, in_function) for alias in node.names
            )
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "lazy.library":
            library = str(ast.literal_eval(node.args[0]))
            found.append(Import(name, node.lineno, library, for_types=False, in_function=in_function))
        inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        types = for_types or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        for child in ast.iter_child_nodes(node):
            visit(child, for_types=types, in_function=inside)

    visit(ast.parse(path.read_text(encoding="utf-8")), for_types=False, in_function=False)
    return found


ALL = [each for path in sorted(PACKAGE.rglob("*.py")) for each in imports(path)]


def room(of: str) -> str:
    """The room of a file (`edge/git.py`, `render.py`) or of a module of ours (`mlops_ci.edge.git`)."""
    if of.startswith("mlops_ci."):
        return of.split(".")[1]
    return of.removesuffix(".py").split("/")[0]


def ours(each: Import) -> bool:
    return each.module.startswith("mlops_ci.") and room(each.module) in FLOORS.keys() | APART


def told(wrong: list[Import]) -> list[str]:
    return [f"mlops_ci/{each.file}:{each.line} imports {each.module}" for each in wrong]


def test_every_room_has_a_floor() -> None:
    rooms = {room(each.relative_to(PACKAGE).as_posix()) for each in PACKAGE.rglob("*.py")}
    assert rooms - {"__init__", "__main__"} <= FLOORS.keys() | APART


def test_imports_go_down_only() -> None:
    def allowed(each: Import) -> bool:
        here, there = room(each.file), room(each.module)
        return here == there or (here, there) in ALSO or FLOORS[there] < FLOORS[here]

    inside = [each for each in ALL if ours(each) and room(each.file) in FLOORS and room(each.module) in FLOORS]
    assert told([each for each in inside if not allowed(each)]) == []


def test_only_steps_call_edge() -> None:
    wrong = [each for each in ALL if room(each.file) not in CALLS_EDGE and each.module.startswith("mlops_ci.edge")]
    assert told(wrong) == []


def test_our_own_modules_are_never_imported_inside_a_function() -> None:
    apart = [each for each in ALL if room(each.file) not in APART]
    assert told([each for each in apart if each.in_function and each.module.startswith("mlops_ci")]) == []


@pytest.mark.parametrize("apart", sorted(APART))
def test_an_apart_room_knows_nothing_of_ours_and_nobody_imports_it(apart: str) -> None:
    inside = [each for each in ALL if room(each.file) == apart and each.module.startswith("mlops_ci.")]
    assert told([each for each in inside if room(each.module) != apart]) == []
    outside = [each for each in ALL if room(each.file) != apart and room(each.module) == apart]
    assert (
        told([each for each in outside if (each.file, each.module) != (HANDED_OVER[apart], f"mlops_ci.{apart}")]) == []
    )


@pytest.mark.parametrize("library", OWNERS)
def test_an_outside_library_has_one_owner(library: str) -> None:
    users = [
        each
        for each in ALL
        if each.module.split(".")[0] == library and room(each.file) not in APART and not each.for_types
    ]
    assert told([each for each in users if not each.file.startswith(OWNERS[library])]) == []


def test_the_table_is_the_one_in_the_docs() -> None:
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    [table] = [block for block in page.split("```") if block.strip().startswith("7  cli")]
    floors: dict[str, int] = {}
    for line in table.strip().splitlines():
        number, _, rest = line.partition("  ")
        if number.isdigit():
            names = rest.strip().split("   ")[0].split()
            floors |= {name: int(number) for name in names if name in FLOORS}
    assert floors == FLOORS
