"""What passes from the job that rescores bundles to the one that releases them: a list, and the bundles beside it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge import files
from mlops_ci.edge.stores.folder import damage
from mlops_ci.errors import UsageError
from mlops_ci.records.due import Rescored
from mlops_ci.steps.bundle import Bundle, open_bundle
from mlops_ci.steps.store_items import Laid, opened

if TYPE_CHECKING:
    from pathlib import Path

_LIST = "rescored.json"
_LARGEST = 16 * 2**20
_TABLE = ".snapshot"
"""No name of a project has a dot."""
_AGAIN = "Run the job `mlops / rescore` again."


def write_list(into: Path, found: tuple[Rescored, ...]) -> None:
    """The list of what was found out."""
    into.mkdir(parents=True, exist_ok=True)
    files.write(into / _LIST, msgspec.json.encode(found))


def lay_table(into: Path, project: str, table: Laid) -> None:
    """The prepared table of a project, beside its bundle."""
    shutil.copytree(table.folder, into / f"{project}{_TABLE}")


def table_of(folder: Path, found: Rescored) -> Laid | None:
    """The table of a row of the list, where it has one. UsageError where its files are not those of its manifest."""
    return opened(folder / f"{found.project}{_TABLE}") if found.table else None


def lay(into: Path, project: str, bundle: Bundle) -> None:
    """The bundle of a project, beside the list."""
    shutil.copytree(bundle.folder, into / project)


def read_list(folder: Path) -> dict[str, Rescored]:
    """By project. UsageError where it cannot be one; empty where the job left none."""
    path = folder / _LIST
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    try:
        found = msgspec.json.decode(data, type=tuple[Rescored, ...])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{_LIST} cannot be read: {error}", _AGAIN) from error
    return {one.project: one for one in found}


def bundle_of(folder: Path, found: Rescored) -> Bundle:
    """The bundle of a row of the list. UsageError where it is not the one that was rescored."""
    if found.info is None:
        raise UsageError(f"there is no bundle of {found.project}", _AGAIN)
    place = folder / found.project
    if problem := damage(place, found.info.digest):
        raise UsageError(f"the bundle of {found.project} is not the one that was rescored: {problem}", _AGAIN)
    return open_bundle(place)
