"""Looks at held-out rows as files of the ledger, and how often each row was looked at (statistics.md 3).

`holdouts/<digest>/<look>.json` says what was judged for a pass, `ids-<digest>.npy` beside it on which rows. A look
counts for every row it was at, in whatever holdout that row lies now: one that has grown is not new.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec

from mlops_ci.errors import OutsideError
from mlops_ci.ledger import arrays, holdouts
from mlops_ci.ledger.names import holdout_folder, look_path
from mlops_ci.records.canonical import canonical_json
from mlops_ci.records.decisions import Look

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray


class Key(NamedTuple):
    """What makes two looks one: statistics.md 3."""

    holdout: str
    predictions: str
    claims: tuple[str, ...]
    passed: bool | None = None
    """Of a look that told one answer: another answer to the same (a label was corrected) tells once more."""

    @property
    def asked(self) -> Key:
        """Without the answer."""
        return self._replace(passed=None)


def key(look: Look) -> Key:
    answer = None if look.passed is msgspec.UNSET else look.passed
    return Key(look.holdout, look.predictions, look.claims, answer)


def files(look: Look, ids: NDArray[np.uint64], shown: NDArray[np.uint64] | None = None) -> dict[str, bytes]:
    """Path -> bytes of a look and its rows. ValueError when they are not the look's.

    ids: shape (n,). shown: shape (m,), of the rows whose numbers were shown instead of theirs; None: none were.
    """
    named = [(look.rows, ids)] if look.shown is msgspec.UNSET else [(look.rows, ids), (look.shown, shown)]
    content = canonical_json(look)
    found = {look_path(look.holdout, hashlib.sha256(content).hexdigest()): content}
    for name, rows in named:
        file, data = ("", b"") if rows is None else holdouts.ids_file(rows)
        if file != name:
            raise ValueError("the look was not at these rows")
        found[f"{holdout_folder(look.holdout)}/{file}"] = data
    return found


def parse_ids(data: bytes, look: Look, *, file: str = "") -> NDArray[np.uint64]:
    """The ids of a look's rows, or of the other `file` it names; OutsideError for other bytes than it names."""
    name = file or look.rows
    ids = cast("NDArray[np.uint64]", arrays.decode(data, name=name))
    if holdouts.ids_file(ids)[0] != name:
        raise OutsideError(f"the ids of holdout {look.holdout[:12]} were changed", "Fetch the ledger again.")
    return ids


def parse(data: bytes, *, path: str) -> Look:
    """The look; OutsideError when it is none. A look that cannot be read must not be forgotten."""
    try:
        return msgspec.json.decode(data, type=Look)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise OutsideError(f"{path} is not a look at a holdout: {error}", "Was it edited by hand?") from error


def per_row(ids: NDArray[np.uint64], seen: Iterable[tuple[NDArray[np.uint64] | None, int]]) -> NDArray[np.int64]:
    """Looks at each row, shape (n,).

    ids: shape (n,), in any order. seen: ids of rows and the looks at them; None: at every row.
    """
    import numpy as np

    mine, places = np.unique(ids, return_inverse=True)
    looks = np.zeros(len(mine) + 1, dtype=np.int64)  # the last collects what is not mine
    for rows, number in seen:
        if rows is None:
            looks[:-1] += number
        elif len(mine):
            at = np.searchsorted(mine, rows)
            at[at == len(mine)] = 0
            looks[np.where(mine[at] == rows, at, len(mine))] += number  # an id that is there twice counts once
    return looks[:-1][places]
