"""How long `verify` takes: `python -m bench.verify [DECISIONS [ROWS]]`.

A ledger with releases, moves and so many checks, each with so many held-out rows and five gates, one commit each.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from mlops_ci.edge import branches
from mlops_ci.edge.git import Repository
from mlops_ci.flows.verify import verify
from mlops_ci.ledger import entries
from mlops_ci.ledger.names import BRANCH
from mlops_ci.steps.progress import Silent
from tests import audited
from tests.helpers import git

_DEFAULTS = [1000, 2000]


def grown(root: Path, decisions: int, rows: int) -> None:
    """More checks on the ledger of a project, each appended by a commit of its own."""
    repository = Repository.open(root)
    first = git(root, "rev-list", "--max-parents=0", "main")
    for number in range(100, 100 + decisions):
        entry = audited.check_entry(root, number, commit=first, many=rows)
        branches.write_branch(repository, BRANCH, entries.files(entry), message=f"check {number}")


def seconds(root: Path, what: str, *, everything: bool = False) -> float:
    """Of one verification, which has to find nothing."""
    start = time.perf_counter()
    found = verify(root, what, Silent(), everything=everything)
    taken = time.perf_counter() - start
    if not found.ok:
        raise SystemExit(f"{len(found.problems)} problems: {found.problems[0]}")
    return taken


def main() -> None:
    asked = [int(one) for one in sys.argv[1:3]]
    decisions, rows = [*asked, *_DEFAULTS[len(asked) :]]
    with tempfile.TemporaryDirectory() as folder:
        root = audited.project(Path(folder) / "r")
        grown(root, decisions, rows)
        print(f"{decisions:,} checks of {rows:,} rows")
        print(f"production  {seconds(root, 'production'):6.2f} s")
        print(f"--all       {seconds(root, '', everything=True):6.2f} s")


if __name__ == "__main__":
    main()
