"""A holdout as files of the ledger: stored once for all decisions on it, named by content so that none is overwritten.

`index-<digest>.json` holds task, classes and slices with the sha256 of every array beside it, so that naming the
index and its sha256 in a decision pins everything. Ids stay the same when labels are corrected; the truth file differs.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, cast

import msgspec

from mlops_ci.errors import OutsideError
from mlops_ci.ledger import arrays
from mlops_ci.ledger.names import holdout_folder
from mlops_ci.records.canonical import canonical_json
from mlops_ci.records.evaluation import Factor, Holdout, Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


class StoredArray(msgspec.Struct, frozen=True, kw_only=True):
    file: str
    sha256: str


class StoredFactor(msgspec.Struct, frozen=True, kw_only=True):
    column: str
    values: tuple[str, ...]
    codes: StoredArray


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a holdout; `file` names are beside the index."""

    task: Task
    digest: str
    classes: tuple[str, ...]
    ids: StoredArray
    truth: StoredArray
    group: StoredArray | None
    by_day: bool = False
    slices: tuple[StoredFactor, ...]

    @property
    def arrays(self) -> tuple[StoredArray, ...]:
        found = [self.ids, self.truth, *(factor.codes for factor in self.slices)]
        return (*found, self.group) if self.group else tuple(found)


def files(holdout: Holdout) -> tuple[str, dict[str, bytes]]:
    """The path of the index, and all files by path; the same holdout gives the same files."""
    folder = holdout_folder(holdout.digest)
    found: dict[str, bytes] = {}

    def stored(name: str, array: NDArray[np.generic]) -> StoredArray:
        file, data = _named(name, array)
        found[f"{folder}/{file}"] = data
        return StoredArray(file=file, sha256=hashlib.sha256(data).hexdigest())

    index = canonical_json(
        Index(
            task=holdout.task,
            digest=holdout.digest,
            classes=holdout.classes,
            ids=stored("ids", holdout.ids),
            truth=stored("truth", holdout.truth),
            group=None if holdout.group is None else stored("group", holdout.group),
            by_day=holdout.by_day,
            slices=tuple(
                StoredFactor(column=column, values=factor.values, codes=stored("slice", factor.codes))
                for column, factor in sorted(holdout.slices.items())
            ),
        )
    )
    path = f"{folder}/index-{hashlib.sha256(index).hexdigest()[:16]}.json"
    return path, {path: index, **found}


def ids_file(ids: NDArray[np.uint64]) -> tuple[str, bytes]:
    """The name and bytes of the file that holds the ids of a holdout, which looks name too."""
    return _named("ids", ids)


def _named(name: str, array: NDArray[np.generic]) -> tuple[str, bytes]:
    data = arrays.encode(array)
    return f"{name}-{hashlib.sha256(data).hexdigest()[:16]}.npy", data


def parse_index(data: bytes, *, path: str) -> Index:
    """The index; OutsideError when it is not one."""
    try:
        return msgspec.json.decode(data, type=Index)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise OutsideError(f"{path} is not an index of a holdout: {error}", "Was it edited by hand?") from error


def parse(index: Index, content: Mapping[str, bytes]) -> Holdout:
    """The holdout from its index and the files beside it, by file name; OutsideError when one is missing or changed."""

    def loaded(stored: StoredArray) -> NDArray[np.generic]:
        data = content.get(stored.file)
        if data is None or hashlib.sha256(data).hexdigest() != stored.sha256:
            what = "missing" if data is None else "changed"
            raise OutsideError(f"{stored.file} of holdout {index.digest[:12]} is {what}", "Fetch the ledger again.")
        return arrays.decode(data, name=stored.file)

    return Holdout(
        task=index.task,
        digest=index.digest,
        ids=cast("NDArray[np.uint64]", loaded(index.ids)),
        truth=loaded(index.truth),
        classes=index.classes,
        group=cast("NDArray[np.int64]", loaded(index.group)) if index.group else None,
        by_day=index.by_day,
        slices={
            factor.column: Factor(codes=cast("NDArray[np.int32]", loaded(factor.codes)), values=factor.values)
            for factor in index.slices
        },
    )
