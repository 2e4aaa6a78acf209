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
    from collections.abc import Iterable, Iterator

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
    retire_at: int | None = None
    """The fewest passes that were to retire any of the rows; None: none were."""
    touched: tuple[Touched, ...] = ()
    """Which looks were at which rows: of a look that tells one answer alone, where it decides."""

    def among(self, rows: NDArray[np.bool_]) -> Among:
        """The looks at any of these rows; rows: shape (rows,)."""
        there = [one for one in self.touched if (one.rows & rows).any()]
        keys = {key for one in there for key in one.keys}
        passes = sum(key.passed is True for key in keys)
        return Among(looks=len(keys), passes=passes, numbers_shown=any(one.numbers_shown for one in there))

    def used(self, decisions: int, retire_at: int | None) -> NDArray[np.int64]:
        """Looks at each row, shape (rows,); at least `decisions` where it is retired or its numbers were shown.

        retire_at: None where passes retire no row and numbers may have been shown.
        """
        if retire_at is None:
            return self.looks
        used, passes = self.looks.copy(), self.looks * 0
        for one in self.touched:
            passes[one.rows] += sum(key.passed is True for key in one.keys)
            if one.numbers_shown:
                used[one.rows] = decisions
        used[passes >= retire_at] = decisions
        return used


class Touched(NamedTuple):
    """Rows, shape (rows,) bool, and the looks that were at just these."""

    rows: NDArray[np.bool_]
    keys: frozenset[Key]
    numbers_shown: bool
    """More than one answer a look was told of them, or it was asked when nothing counted the answers."""


class Among(NamedTuple):
    """Looks at any of some rows."""

    looks: int
    passes: int
    numbers_shown: bool


class _Recorded(NamedTuple):
    """A look with the id of the blob that holds its rows, and of that with rows whose numbers were shown instead.

    Empty: any row may be among them. None: no others.
    """

    look: Look
    rows: str
    shown: str | None

    @property
    def open(self) -> bool:
        """Its answers are not among those that a guarantee for adapted models counts."""
        return self.look.passed is msgspec.UNSET or self.look.retire_at is msgspec.UNSET


def exposure(repository: Repository, at: str | None, look: Look, ids: NDArray[np.uint64]) -> Exposure:
    """Earlier looks at rows, given by their ids, shape (n,), in the ledger at a commit (None: there is none).

    Those of the same project count, by name or by folder. Where rows were named or divided otherwise, a look may have
    been at any row, or a row of now in training then: it counts for all. One of an older version, which does not say
    its rows, counts where the holdout is still the same.
    """
    import numpy as np

    found = _gathered(_recorded(repository, at, look) if at else (), look)
    counted = np.zeros(len(ids), dtype=np.int64)
    touching: set[Key] = set()
    promised: list[Look] = []
    touched: list[Touched] = []
    for blob, there in _rows(repository, set(found)):
        one = found[blob]
        # A look that is in the ledger in two spellings (another name of the project) counts once.
        here = looks.per_row(ids, [(there, 1)])
        if here.any():
            counted += here * len(one.keys - touching)
            touching |= one.keys
            promised += one.promised
            if look.shown is not msgspec.UNSET:
                touched.append(Touched(rows=here > 0, keys=frozenset(one.keys), numbers_shown=one.numbers_shown))
    return Exposure(
        looks=counted,
        seen=len(touching),
        anywhere=len(found[_EVERY_ROW].keys) if _EVERY_ROW in found else 0,
        promised=min((one.decisions for one in promised), default=None),
        retire_at=min((one.retire_at for one in promised if one.retire_at), default=None),
        touched=tuple(touched),
    )


class _Blob:
    """What was done with the rows of one blob."""

    def __init__(self) -> None:
        self.keys: set[Key] = set()
        self.promised: list[Look] = []
        self.numbers_shown = False


def _gathered(recorded: Iterable[_Recorded], mine: Look) -> dict[str, _Blob]:
    """By blob of rows; the look that is asked about is left out, its promise is not."""
    blobs: dict[str, _Blob] = defaultdict(_Blob)
    for found in recorded:
        one = blobs[found.rows]
        if looks.key(found.look).asked != looks.key(mine).asked:
            one.keys.add(looks.key(found.look))
            one.numbers_shown |= found.open
        if found.look.decisions:
            one.promised.append(found.look)
        if found.shown is not None:
            blobs[found.shown].numbers_shown = True
    return blobs


def read_ids(repository: Repository, at: str, look: Look | None, *, file: str = "") -> NDArray[np.uint64] | None:
    """The ids of the rows of a recorded look, or of the other `file` it names; None where it names none."""
    if look is None or not look.rows:
        return None
    path = f"{names.holdout_folder(look.holdout)}/{names.plain(file or look.rows)}"
    content = branches.read_files(repository, at, [path], limit=LARGEST_ARRAY)
    return looks.parse_ids(content[path], look, file=file) if path in content else None


def still_as_judged(repository: Repository, at: str, entry: Entry) -> None:
    """OutsideError when, under a guarantee, the ledger at `at` holds other looks at the rows than the decision assumed.

    Asked on the very commit the decision is written on top of: of two that would take the last look, one does.
    """
    import numpy as np

    look, promise = entry.evidence.look, entry.evidence.promise
    if look is None or promise is None or entry.ids is None:
        return
    now = exposure(repository, at, look, entry.ids)
    if promise.verdicts_only:
        among = now.among(np.ones(len(entry.ids), dtype=np.bool_))
        _still(among.looks, promise.looks, told=among.passes == (promise.passes or 0))
        return
    judged = now.looks if JUDGED not in entry.arrays else now.looks[entry.arrays[JUDGED].astype(bool)]
    told = len(judged) != promise.rows or judged.max(initial=0) == promise.looks  # without rows, which are not known
    _still(now.seen, promise.seen, told=told)


def _still(now: int, then: int, *, told: bool) -> None:
    if now != then or not told:
        raise OutsideError(
            "others looked at these held-out rows meanwhile: "
            f"{then} earlier looks when it was judged, {now} now; nothing was recorded",
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
                yield _Recorded(found, _EVERY_ROW, None)
        elif mine.project == found.project or mine.folder == found.folder:
            same = found.naming == mine.naming
            rows, shown = _blob(listed, path, found.rows), _blob(listed, path, found.shown or "")
            others = (shown if same else _EVERY_ROW) if shown else None
            yield _Recorded(found, rows if same else _EVERY_ROW, others)


def _blob(listed: dict[str, str], look: str, file: str) -> str:
    """The blob of a file beside a look; empty for no file."""
    path = f"{look.rpartition('/')[0]}/{file}"
    if file and path not in listed:
        raise OutsideError(f"{path} is missing in the ledger", "Fetch the ledger again.")
    return listed[path] if file else ""


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
