"""What the history of a ledger did to files that were there: it only ever adds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_ci.ledger import names
from mlops_ci.records.verified import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMIT = re.compile(r"commit ([0-9a-f]{40,64})(.*)")


def rewritten(log: bytes) -> Iterator[Problem]:
    """From `git log -m --raw -r -z --no-renames` with lines `commit ID PARENTS`: files changed, and files removed.

    A merge may choose between what its parents have. Pages are derived anew, and of a tombstone the last word stays.
    """
    fields = iter(log.split(b"\0"))
    commit, parents = "", 0
    merged: dict[tuple[str, str], int] = {}
    for raw in fields:
        field = raw.decode("utf-8", "surrogateescape").lstrip("\n")
        if match := _COMMIT.fullmatch(field):
            if match[1] != commit:
                yield from _of_merge(commit, parents, merged)
                commit, parents, merged = match[1], len(match[2].split()), {}
        elif field.startswith(":"):
            path = next(fields, b"").decode("utf-8", "surrogateescape")
            *_, status = field.split()
            if status == "A" or _may_change(path):
                continue
            if parents > 1:
                merged[path, status] = merged.get((path, status), 0) + 1
            else:
                yield _problem(commit, path, status)
    yield from _of_merge(commit, parents, merged)


def _of_merge(commit: str, parents: int, merged: dict[tuple[str, str], int]) -> Iterator[Problem]:
    """Changed against every parent, it is what no parent has; removed, it is gone though one had it."""
    for (path, status), times in merged.items():
        if status == "D" or times == parents:
            yield _problem(commit, path, status)


def _may_change(path: str) -> bool:
    return path == names.PAGE or path.startswith(f"{names.ERASED}/")


def _problem(commit: str, path: str, status: str) -> Problem:
    verb = "removed" if status == "D" else "changed"
    return Problem(where=path, message=f"commit {commit[:12]} of the ledger {verb} it, and a ledger only adds")
