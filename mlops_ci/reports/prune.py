"""What `prune` found, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.reports import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.records.prunes import Goes, Pruning

_MOST = 20
_WORDS = {
    "bundle": "bundles",
    "predictions": "predictions of releases",
    "snapshot": "snapshots of releases",
    "copy": "copies of what was in the store",
    "run": "runs",
    "cache": "kept answers",
}


def lines(pruning: Pruning) -> Iterator[str]:
    """What goes, by kind and at most twenty of each; then which releases stay for what, and the next command."""
    for kind, word in _WORDS.items():
        found = [each for each in pruning.goes if each.kind == kind]
        if found:
            yield f"{word}: {len(found)}, {numbers.size(sum(each.bytes for each in found))}"
            yield from map(_line, found[:_MOST])
            if len(found) > _MOST:
                yield f"  and {numbers.count(len(found) - _MOST)} more"
    for each in pruning.stays:
        yield f"stays: {each.release} ({each.digest[:12]}): {', '.join(each.reasons)}"
    size = numbers.size(pruning.bytes)
    if not pruning.goes:
        yield "nothing to remove"
    elif pruning.done:
        yield f"removed: {size}"
    else:
        yield f"{size} would go: mlops-ci prune --yes"


def _line(each: Goes) -> str:
    return f"  {each.name}  {numbers.size(each.bytes)}  {each.reason}"
