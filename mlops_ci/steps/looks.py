"""How often held-out rows were looked at, by what the ledger holds."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from mlops_ci.edge import branches
from mlops_ci.errors import OutsideError
from mlops_ci.ledger import arrays, looks, names
from mlops_ci.ledger.statements import LARGEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from mlops_ci.edge.git import Repository
    from mlops_ci.ledger.entries import Entry
    from mlops_ci.ledger.looks import Key
    from mlops_ci.records.decisions import Look

JUDGED = "judged"
"""The array of a decision's evidence that says which rows `@` gates were judged on; without it, all."""
LARGEST_ARRAY = 256 * 1024 * 1024
_CHUNK = 100
_EVERY_ROW = ""


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """Earlier looks at the rows of a holdout, the one asked about left out."""

    looks: NDArray[np.int64]
    """Shape (rows,): at each row."""
    seen: int
    """Looks at any of the rows."""
    anywhere: int
    """Of them, those that may have been at any row, as rows were named or divided otherwise then."""
    promised: int | None
    """The fewest decisions that were promised for any of the rows; None: nothing was."""


class _Recorded(NamedTuple):
    """A look with the id of the blob that holds its rows; empty: it may have been at any row."""

    look: Look
    rows: str


def exposure(repository: Repository, at: str | None, look: Look, ids: NDArray[np.uint64]) -> Exposure:
    """Earlier looks at rows, given by their ids, shape (n,), in the ledger at a commit (None: there is none).

    Those of the same project count, by name or by folder. Where rows were named or divided otherwise, a look may have
    been at any row, or a row of now in training then: it counts for all. One of an older version, which does not say
    its rows, counts where the holdout is still the same.
    """
    import numpy as np

    blobs: dict[str, set[Key]] = defaultdict(set)
    promised: dict[str, list[int]] = defaultdict(list)
    for found in _recorded(repository, at, look) if at else ():
        if looks.key(found.look) != looks.key(look):
            blobs[found.rows].add(looks.key(found.look))
        if found.look.decisions:
            promised[found.rows].append(found.look.decisions)
    counted = np.zeros(len(ids), dtype=np.int64)
    touching: set[Key] = set()
    fewest: list[int] = []
    for blob, there in _rows(repository, set(blobs) | set(promised)):
        keys = blobs.get(blob, set())
        # A look that is in the ledger in two spellings (another name of the project) counts once.
        here = looks.per_row(ids, [(there, 1)])
        if here.any():
            counted += here * len(keys - touching)
            touching |= keys
            fewest += promised.get(blob, [])
    return Exposure(
        looks=counted,
        seen=len(touching),
        anywhere=len(blobs.get(_EVERY_ROW, ())),
        promised=min(fewest, default=None),
    )


def read_ids(repository: Repository, at: str, look: Look | None) -> NDArray[np.uint64] | None:
    """The ids of the rows of a recorded look; None where it names none."""
    if look is None or not look.rows:
        return None
    path = f"{names.holdout_folder(look.holdout)}/{names.plain(look.rows)}"
    content = branches.read_files(repository, at, [path], limit=LARGEST_ARRAY)
    return looks.parse_ids(content[path], look) if path in content else None


def still_as_judged(repository: Repository, at: str, entry: Entry) -> None:
    """OutsideError when, under a guarantee, the ledger at `at` holds other looks at the rows than the decision assumed.

    Asked on the very commit the decision is written on top of: of two that would take the last look, one does.
    """
    look, promise = entry.evidence.look, entry.evidence.promise
    if look is None or promise is None or entry.ids is None:
        return
    now = exposure(repository, at, look, entry.ids)
    judged = now.looks if JUDGED not in entry.arrays else now.looks[entry.arrays[JUDGED].astype(bool)]
    told = len(judged) != promise.rows or judged.max(initial=0) == promise.looks  # without rows, which are not known
    if now.seen != promise.seen or not told:
        raise OutsideError(
            "others looked at these held-out rows meanwhile: "
            f"{promise.seen} earlier looks when it was judged, {now.seen} now; nothing was recorded",
            "Run `mlops-ci check` again: nothing is trained anew, and the gates are judged on what is left.",
        )


def _recorded(repository: Repository, at: str, mine: Look) -> Iterator[_Recorded]:
    """The looks of the same project."""
    listed = {entry.path: entry.blob for entry in branches.list_files(repository, at, names.HOLDOUTS)}
    paths = {path: blob for path, blob in listed.items() if names.look(path.rpartition("/")[2])}
    for path, data in zip(paths, branches.read_blobs(repository, paths, limit=LARGEST), strict=True):
        found = looks.parse(data, path=path)
        if not found.rows:
            if found.holdout == mine.holdout:
                yield _Recorded(found, _EVERY_ROW)
        elif mine.project == found.project or mine.folder == found.folder:
            file = f"{path.rpartition('/')[0]}/{found.rows}"
            if file not in listed:
                raise OutsideError(f"{file} is missing in the ledger", "Fetch the ledger again.")
            yield _Recorded(found, listed[file] if found.naming == mine.naming else _EVERY_ROW)


def _rows(repository: Repository, blobs: set[str]) -> Iterator[tuple[str, NDArray[np.uint64] | None]]:
    """The rows of each blob; None for every row."""
    import numpy as np

    if _EVERY_ROW in blobs:
        yield _EVERY_ROW, None
    wanted = sorted(blobs - {_EVERY_ROW})
    for start in range(0, len(wanted), _CHUNK):
        chunk = {blob: blob for blob in wanted[start : start + _CHUNK]}
        for blob, data in zip(chunk, branches.read_blobs(repository, chunk, limit=LARGEST_ARRAY), strict=True):
            yield blob, arrays.decode(data, name="rows of a look").astype(np.uint64)
