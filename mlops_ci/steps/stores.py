"""Bundles, predictions and snapshots in the project's store: `store:` in mlops.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlops_ci.edge import actions, archives, files, remote
from mlops_ci.edge.github import access
from mlops_ci.edge.github.client import GitHub
from mlops_ci.edge.stores import folder
from mlops_ci.edge.stores.github_release import GitHubReleases
from mlops_ci.edge.stores.oci import OciStore
from mlops_ci.edge.stores.registry import Registry
from mlops_ci.edge.stores.s3 import S3Store
from mlops_ci.errors import ConfigError, OutsideError, UsageError
from mlops_ci.records.stores import WORKFLOWS, store_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_ci.edge.stores.remote import Remote
    from mlops_ci.records.stores import ItemKind, StorePlace
    from mlops_ci.steps.project import Project

_LARGEST = 2 * 1024**3
"""Of one item, packed and unpacked: what a file of a GitHub release may have."""
MOST_FILES = 12_000
"""Of one item: more than a folder of MLflow may have, with what a bundle lays around it."""


class Kept(NamedTuple):
    """What is in the store: its folder on this machine, and what it was read back from."""

    folder: Path
    place: str


def keep(project: Project, item: Path, digest: str, say: Callable[[str], None], *, kind: ItemKind = "bundle") -> Kept:
    """Put a folder with its manifest into the store and read it back. `say`: what is done now."""
    kept = folder.put(local_folder(project), item, digest, kind=kind)
    place = remote_store(project)
    if place:
        say(f"sending the {kind} to {place.place}")
        with files.temporary() as scratch:
            archives.pack(kept, scratch / "item.zip", only=folder.vouched(kept))
            place.put(archive_name(digest, kind=kind), scratch / "item.zip")
    return Kept(kept, place.place if place else project.config.store)


def find(project: Project, digest: str, say: Callable[[str], None], *, kind: ItemKind = "bundle") -> Path | None:
    """The folder of an item, fetched where this machine has none of it yet; None where the store has none either.

    UsageError where it was changed here, OutsideError where it was changed there.
    """
    target = folder.place(local_folder(project), digest, kind=kind)
    place = place_to_fetch(project)
    if not target.is_dir() and place:
        say(f"fetching {kind} {digest[:12]} from {place.place}")
        if not _fetched(place, digest, local_folder(project), kind=kind):
            return None
    return here(project, digest, kind=kind)


def here(project: Project, digest: str, *, kind: ItemKind = "bundle") -> Path | None:
    """The folder of an item on this machine; None where it is not here. UsageError where it was changed."""
    target = folder.place(local_folder(project), digest, kind=kind)
    if not target.is_dir():
        return None
    if problem := folder.damage(target, digest, signed=kind == "bundle"):
        told = f"what is here as {kind} {digest[:12]} was changed: {problem}"
        raise UsageError(told, f"Remove {target} and run the command again.")
    return target


def place_to_fetch(project: Project) -> Remote | None:
    """Where to look for what this machine lacks; None where that is nowhere else."""
    return remote_store(project) or _workflows_store(project)


def remote_store(project: Project) -> Remote | None:
    """Where items are kept beside the folder of this machine; None where the store is that folder."""
    place = _place(project)
    match place.kind:
        case "folder":
            return None
        case "github-release":
            return GitHubReleases(GitHub(access.from_environment(_on_github(project))))
        case "oci":
            return OciStore(Registry(place.host, place.name))
        case "s3":
            return S3Store(place.host, place.name)


def require_lasting(project: Project) -> None:
    """ConfigError where the store is a folder of a checkout, in a job whose runner throws it away."""
    place = _place(project)
    if actions.is_job() and place.kind == "folder" and not Path(place.folder).is_absolute():
        raise ConfigError(
            f"{place.folder} is a folder of the runner, and what is kept there is lost with it",
            "Leave `store` out, and what a workflow makes goes into GitHub releases; or name another (docs/store.md).",
            where=project.config.place("store"),
        )


def _workflows_store(project: Project) -> Remote | None:
    """Where workflows put bundles while no store is named, for who can ask there."""
    if is_set(project) or not (access.given_token() and _on_github(project)):
        return None
    return GitHubReleases(GitHub(access.from_environment(_on_github(project))))


def is_set(project: Project) -> bool:
    """Whether mlops.yaml names a store."""
    return "store" in project.config.lines


def _on_github(project: Project) -> str:
    there = remote.remote_of(project.repository)
    return access.repository_named(there.url if there else "")


def _fetched(place: Remote, digest: str, store: Path, *, kind: ItemKind) -> bool:
    """Into the folder of this machine, whole and of that digest, or not at all."""
    with files.temporary() as scratch:
        archive, item = scratch / "item.zip", scratch / "item"
        if not place.fetch(archive_name(digest, kind=kind), archive, limit=_LARGEST):
            return False
        item.mkdir()
        try:
            archives.unpack(archive, item, most_bytes=_LARGEST, most_files=MOST_FILES)
            problem = folder.damage(item, digest)
        except archives.ArchiveError as error:
            problem = str(error)
        if problem:
            raise OutsideError(
                f"what {place.place} holds as {kind} {digest[:12]} is something else: {problem}",
                "Remove it there and release again: the same commit gives the same again.",
            )
        folder.put(store, item, digest, kind=kind)
    return True


def local_folder(project: Project) -> Path:
    """Where items lie on this machine: the store itself, or what was fetched from one elsewhere."""
    return project.root / _place(project).folder


def _place(project: Project) -> StorePlace:
    """A runner is thrown away: where no store is named, a job keeps bundles where its repository is."""
    place = store_place(project.config.store if is_set(project) or not actions.is_job() else WORKFLOWS)
    if place is None:
        raise ConfigError("it names no store", where=project.config.place("store"))
    return place


def archive_name(digest: str, *, kind: ItemKind = "bundle") -> str:
    """Of an item, in a store elsewhere."""
    return f"{kind}-{digest}"
