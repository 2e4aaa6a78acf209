"""Releases in the ledger: which there are, and the next number, taken once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge import branches
from mlops_ci.errors import OutsideError, UsageError
from mlops_ci.ledger import names
from mlops_ci.records.releases import Release
from mlops_ci.steps import ledger
from mlops_ci.steps.publish import publish

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_ci.edge.git import Repository
    from mlops_ci.ledger.entries import Entry
    from mlops_ci.records.images import Target

_LARGEST = 64 * 1024
_NUMBER = re.compile(r"v([1-9]\d{0,8})")
_ATTEMPTS = 20


def releases(repository: Repository, project: str) -> dict[int, Release]:
    """Number -> release, of one project, the lowest first."""
    at = ledger.head(repository)
    if at is None:
        return {}
    folder = f"{names.RELEASES}/{names.plain(project)}"
    blobs = {entry.path: entry.blob for entry in branches.list_files(repository, at, folder)}
    numbered = {path: number for path in blobs if (number := names.release_number(path)) is not None}
    contents = branches.read_blobs(repository, {path: blobs[path] for path in numbered}, limit=_LARGEST)
    found = {number: _decoded(path, data) for (path, number), data in zip(numbered.items(), contents, strict=True)}
    return dict(sorted(found.items()))


def named(known: Mapping[int, Release], asked: str) -> Release:
    """The release that is asked for as `v3`. UsageError where that is none, or there is no such."""
    match = _NUMBER.fullmatch(asked)
    if match is None:
        raise UsageError(f"{asked!r} is no release", "Name one by its number: v3.")
    if int(match[1]) not in known:
        advice = f"There are v{min(known)} to v{max(known)}." if known else "Make one: mlops-ci release"
        raise UsageError(f"there is no release {asked}", advice)
    return known[int(match[1])]


def of_bundle(
    repository: Repository, project: str, digest: str, *, images: tuple[Target, ...] = (), key: str = ""
) -> Release | None:
    """The release that a bundle is already, the last of them.

    Only one counts whose `images` were all pushed, and that is signed by `key`, by its fingerprint, where one is named.
    """
    known = releases(repository, project).values()
    found = [one for one in known if one.bundle == digest and set(images) <= one.pushed.keys()]
    if key:
        found = [one for one in found if one.signature and one.signature.key == key]
    return found[-1] if found else None


def record_release(
    repository: Repository, project: str, make: Callable[[int], Entry | None], *, push: bool = False
) -> Entry | None:
    """Record what `make` gives for the next number, with `push` in the remote's ledger too; that entry.

    Picked again where somebody else took the number first. None where `make` has nothing to record any more.
    """
    for _ in range(_ATTEMPTS):
        entry = make(_next(repository, project))
        if entry is None:
            return None
        try:
            if push:
                publish(repository, [entry])
            else:
                ledger.record(repository, entry)
        except ledger.NumberTakenError:
            continue
        return entry
    raise OutsideError(f"no number for a release of {project} was free in {_ATTEMPTS} tries", "Run it again.")


def _next(repository: Repository, project: str) -> int:
    """No number that the ledger here has, nor the remote's as it was last fetched."""
    folder = f"{names.RELEASES}/{names.plain(project)}"
    heads = [repository.find(f"refs/{where}/{names.BRANCH}") for where in ("heads", "remotes/origin")]
    listed = [entry.path for at in heads if at for entry in branches.list_files(repository, at, folder)]
    return max((names.release_number(path) or 0 for path in listed), default=0) + 1


def _decoded(path: str, data: bytes) -> Release:
    try:
        return msgspec.json.decode(data, type=Release)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise OutsideError(f"{path} of the ledger cannot be read: {error}", "Was it edited by hand?") from error
