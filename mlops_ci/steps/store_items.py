"""What lies in the store beside bundles: the row-level evidence of a decision, and prepared tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from mlops_ci.edge import files, tables
from mlops_ci.edge.stores import folder as kept
from mlops_ci.errors import UsageError
from mlops_ci.ledger.entries import row_files
from mlops_ci.packaging import manifest
from mlops_ci.records.bundles import FileDigest, Manifest
from mlops_ci.records.canonical import canonical_json
from mlops_ci.records.stores import StoredItem
from mlops_ci.steps import stores
from mlops_ci.steps.cache import Cache

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from mlops_ci.records.evaluation import Holdout
    from mlops_ci.steps.project import Project
    from mlops_ci.steps.snapshot import Snapshot

TABLE = "table.parquet"
ABOUT = "snapshot.json"
_FORMAT = 1
"""Of a snapshot in the store: raise it when it is written otherwise."""


class Laid(NamedTuple):
    """A folder that is ready for the store."""

    folder: Path
    item: StoredItem


def rows_item(arrays: Mapping[str, NDArray[np.generic]], holdout: Holdout) -> StoredItem:
    """What row-level evidence is in the store; nothing is put there."""
    content = row_files(arrays, holdout)
    listed = manifest.manifest(content)
    return StoredItem(digest=manifest.digest(listed), bytes=len(listed) + sum(map(len, content.values())))


def keep_rows(
    project: Project,
    arrays: Mapping[str, NDArray[np.generic]],
    holdout: Holdout,
    say: Callable[[str], None],
    *,
    here: bool = False,
) -> StoredItem:
    """Put row-level evidence into the store and read it back; the same again changes nothing.

    here: into the folder of this machine alone.
    """
    content = row_files(arrays, holdout)
    with files.temporary() as scratch:
        for name, data in content.items():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            (scratch / name).write_bytes(data)
        (scratch / manifest.NAME).write_bytes(manifest.manifest(content))
        laid = opened(scratch)
        if here:
            kept.put(stores.local_folder(project), scratch, laid.item.digest, kind="predictions")
        else:
            stores.keep(project, scratch, laid.item.digest, say, kind="predictions")
    return laid.item


def laid_snapshot(project: Project, snapshot: Snapshot) -> Laid:
    """The whole prepared table as Parquet, with what is known of it; restored where it was written before."""
    whole = snapshot.table if snapshot.gate_part is None else snapshot.gate_part.whole.table

    def fill(into: Path) -> None:
        tables.write(whole, into / TABLE)
        (into / ABOUT).write_bytes(canonical_json(snapshot.info))
        # A table can be larger than memory: it is read in pieces.
        listed = {
            name: FileDigest(sha256=files.sha256(into / name), bytes=(into / name).stat().st_size)
            for name in (TABLE, ABOUT)
        }
        (into / manifest.NAME).write_bytes(canonical_json(Manifest(version=1, files=listed)))

    found, _ = Cache(project.state).folder("table", [_FORMAT, msgspec.to_builtins(snapshot.info)], fill)
    return opened(found)


def opened(folder: Path) -> Laid:
    """A folder with a manifest.json. UsageError where its files are not those of the manifest."""
    listed = (folder / manifest.NAME).read_bytes()
    digest = manifest.digest(listed)
    if problem := kept.damage(folder, digest):
        raise UsageError(f"{folder.name} is not what was laid there: {problem}", "Remove it and run the command again.")
    sizes = msgspec.json.decode(listed, type=Manifest).files.values()
    return Laid(folder, StoredItem(digest=digest, bytes=len(listed) + sum(each.bytes for each in sizes)))
