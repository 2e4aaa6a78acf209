"""What nothing needs any more: what the store holds of old releases, runs and answers nobody asked for."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, get_args

import msgspec

from mlops_ci.edge import files, remote
from mlops_ci.edge.stores import folder
from mlops_ci.records.prunes import Goes, Pruning, Stays, Tombstone
from mlops_ci.records.stores import ItemKind
from mlops_ci.steps import signatures, stores
from mlops_ci.steps.deployed import deployed
from mlops_ci.steps.publish import bring_in, publish
from mlops_ci.steps.releases import releases
from mlops_ci.steps.tombstones import bury

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_ci.steps.project import Project

_Item = tuple[ItemKind, str]
_KINDS: tuple[ItemKind, ...] = get_args(ItemKind)
_DAY = 24 * 3600.0


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """`keep`: the newest releases whose bundles stay; `days`: how long ago runs and answers were used that go."""

    keep: int
    days: float
    reason: str = ""
    """Why bundles are erased; "" says the rule."""

    @property
    def words(self) -> str:
        newest = f"the newest {self.keep} releases" if self.keep > 1 else "the newest release"
        return f"not among {newest}, and no environment runs it or ran it last"


def look(project: Project, rule: Rule) -> Pruning:
    """What would go, and which releases stay for what; nothing is changed."""
    if stores.remote_store(project) and remote.remote_of(project.repository):
        bring_in(project.repository)  # what others released and promoted meanwhile
        if branch := project.repository.default_branch():
            remote.fetch(project.repository, f"+refs/heads/{branch}:refs/remotes/origin/{branch}")
    numbered = releases(project.repository, project.config.project)
    ran, newest = deployed(project), sorted(numbered)[-rule.keep :]
    stays = []
    for number, release in numbered.items():
        reasons = [f"one of the newest {rule.keep}"] if number in newest else []
        reasons += [f"environment {name}" for each in (release.release, release.bundle) for name in ran.get(each, ())]
        if reasons:
            stays.append(Stays(release=release.release, digest=release.bundle, reasons=tuple(dict.fromkeys(reasons))))
    names = {each.release for each in stays}
    kept = {item for release in numbered.values() if release.release in names for item in release.items}
    old: dict[_Item, list[str]] = {}
    for release in numbered.values():
        for item in release.items:
            if item not in kept:
                old.setdefault(item, []).append(release.release)
    goes = (*_items(project, old, rule), *_unused(project, rule.days))
    return Pruning(goes=goes, stays=tuple(stays), done=False)


def erase(project: Project, pruning: Pruning, rule: Rule) -> Pruning:
    """Remove what goes. What is in the store is written down as erased first: broken off, the next run goes on."""
    place, name = stores.remote_store(project), project.config.project
    erased = [each for each in pruning.goes if each.item and each.kind != "copy"]
    numbered = releases(project.repository, name).values()
    if erased:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        bury(
            project.repository,
            [
                Tombstone(
                    version=1,
                    digest=each.digest,
                    project=name,
                    releases=tuple(one.release for one in numbered if (each.item, each.digest) in one.items),
                    store=place.place if place else project.config.store,
                    time=now,
                    reason=rule.reason or rule.words,
                    kind=msgspec.UNSET if each.item == "bundle" else each.item,
                )
                for each in erased
            ],
        )
    if erased and place and remote.remote_of(project.repository):
        publish(project.repository, [])
    for each in pruning.goes:
        for signature in {one.signature.digest for one in numbered if one.bundle == each.digest and one.signature}:
            if each in erased and place:
                place.remove(signatures.archive_name(signature))  # before its bundle, by which the next run finds it
            files.remove(signatures.place(project, signature))
        if each in erased and place and each.item:
            place.remove(stores.archive_name(each.digest, kind=each.item))
        if each.item:
            files.remove(folder.place(stores.local_folder(project), each.digest, kind=each.item))
        else:
            files.remove(project.root / each.name)
    return msgspec.structs.replace(pruning, done=True)


def _items(project: Project, old: dict[_Item, list[str]], rule: Rule) -> Iterator[Goes]:
    """Of the releases that are old: in the store, or copies here of what is elsewhere or nowhere any more."""
    place = stores.remote_store(project)
    for (kind, digest), numbers in sorted(old.items(), key=lambda each: _KINDS.index(each[0][0])):
        here = folder.place(stores.local_folder(project), digest, kind=kind)
        size = place.size(stores.archive_name(digest, kind=kind)) if place else _size(here) if here.is_dir() else None
        name = f"{', '.join(numbers)} ({digest[:12]})"
        if size is not None:
            yield Goes(kind=kind, name=name, bytes=size, reason=rule.words, digest=digest, item=kind)
        elif here.is_dir():
            gone = "the store has it no more"
            yield Goes(kind="copy", name=name, bytes=_size(here), reason=gone, digest=digest, item=kind)


def _unused(project: Project, days: float) -> Iterator[Goes]:
    oldest = time.time() - days * _DAY
    for kind, parents in (
        ("run", [project.state / "runs"]),
        ("cache", sorted((project.state / "cache").glob("*"))),
    ):
        for path in (path for parent in parents if parent.is_dir() for path in sorted(parent.iterdir())):
            used = path.lstat().st_mtime
            if used < oldest:
                last = datetime.fromtimestamp(used, UTC)
                yield Goes(
                    kind="run" if kind == "run" else "cache",
                    name=path.relative_to(project.root).as_posix(),
                    bytes=_size(path),
                    reason=f"last used on {last:%Y-%m-%d}",
                )


def _size(path: Path) -> int:
    inside = path.rglob("*") if path.is_dir() and not path.is_symlink() else (path,)
    return sum(each.lstat().st_size for each in inside if not each.is_dir() or each.is_symlink())
