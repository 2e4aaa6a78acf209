"""The ledger as a whole: what lies in it beside decisions, and that its history only ever added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.ledger import audit, names
from mlops_ci.ledger.rewritten import rewritten
from mlops_ci.records.verified import Finding, Note, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.steps.verify_shelf import Shelf

_SHARED = (f"{names.HOLDOUTS}/", f"{names.ERASED}/")
_AT_ONCE = 200


def ledger_files(shelf: Shelf) -> Iterator[Problem]:
    """Files that are of no decision: rows, looks, tombstones; and those that are nothing of ours."""
    for path in shelf.odd:
        yield Problem(where=path, message="is no plain file")
    shared = [path for path in shelf.files if path.startswith(_SHARED)]
    for start in range(0, len(shared), _AT_ONCE):
        for path, data in shelf.read(shared[start : start + _AT_ONCE]).items():
            yield from audit.shared(path, data)
    in_folders = {path for paths in shelf.folders.values() for path in paths}
    for path in shelf.files.keys() - in_folders - {names.PAGE}:
        if not path.startswith(_SHARED) and names.release_number(path) is None:
            yield Problem(where=path, message="is nothing that a ledger has")


def ledger_history(shelf: Shelf) -> Iterator[Finding]:
    """No commit changed or removed what was there before it."""
    repository = shelf.repository
    if repository.is_shallow():
        yield Note(where=names.BRANCH, message="this clone is shallow: older history cannot be seen")
    options = ("--format=tformat:commit %H %P", "--raw", "-r", "-m", "-z", "--no-abbrev", "--no-renames")
    yield from rewritten(repository.run("log", *options, "--diff-filter=MDT", shelf.head, "--"))
