"""What the ledger says of bundles, predictions and snapshots that were erased."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge import branches
from mlops_ci.errors import OutsideError
from mlops_ci.ledger import names
from mlops_ci.records.canonical import canonical_json
from mlops_ci.records.prunes import Tombstone
from mlops_ci.steps import ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_ci.edge.git import Repository

_LARGEST = 64 * 1024


def bury(repository: Repository, found: Sequence[Tombstone]) -> None:
    """Write them down, in one commit; the last word about each stays."""
    files = {names.tombstone_path(each.digest): canonical_json(each) for each in found}
    told = ", ".join(
        f"{each.kind or 'bundle'} of {release} of {each.project}" for each in found for release in each.releases
    )
    branches.write_branch(repository, names.BRANCH, files, message=f"erased: {told}\n")


def tombstone(repository: Repository, digest: str) -> Tombstone | None:
    """What was written down when something of that digest was erased; None where it never was."""
    at, path = ledger.head(repository), names.tombstone_path(digest)
    content = branches.read_files(repository, at, [path], limit=_LARGEST) if at else {}
    if path not in content:
        return None
    try:
        return msgspec.json.decode(content[path], type=Tombstone)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise OutsideError(f"{path} of the ledger cannot be read: {error}", "Was it edited by hand?") from error
