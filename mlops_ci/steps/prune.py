"""What nothing needs any more: bundles of old releases, runs and answers nobody asked for."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge import files, remote
from mlops_ci.edge.stores import folder
from mlops_ci.records.prunes import Goes, Pruning, Stays, Tombstone
from mlops_ci.steps import signatures, stores
from mlops_ci.steps.deployed import deployed
from mlops_ci.steps.publish import bring_in, publish
from mlops_ci.steps.releases import releases
from mlops_ci.steps.tombstones import bury

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_ci.steps.project import Project

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
    kept = {each.digest for each in stays}
    old: dict[str, list[str]] = {}
    for release in numbered.values():
        if release.bundle not in kept:
            old.setdefault(release.bundle, []).append(release.release)
    goes = (*_bundles(project, old, rule), *_unused(project, rule.days))
    return Pruning(goes=goes, stays=tuple(stays), done=False)


def erase(project: Project, pruning: Pruning, rule: Rule) -> Pruning:
    """Remove what goes. A bundle is written down as erased first: broken off in between, the next run goes on."""
    place, name = stores.remote_store(project), project.config.project
    bundles = [each for each in pruning.goes if each.kind == "bundle"]
    numbered = releases(project.repository, name).values()
    if bundles:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        bury(
            project.repository,
            [
                Tombstone(
                    version=1,
                    digest=each.digest,
                    project=name,
                    releases=tuple(one.release for one in numbered if one.bundle == each.digest),
                    store=place.place if place else project.config.store,
                    time=now,
                    reason=rule.reason or rule.words,
                )
                for each in bundles
            ],
        )
    if bundles and place and remote.remote_of(project.repository):
        publish(project.repository, [])
    for each in pruning.goes:
        for signature in {one.signature.digest for one in numbered if one.bundle == each.digest and one.signature}:
            if each.kind == "bundle" and place:
                place.remove(signatures.archive_name(signature))  # before its bundle, by which the next run finds it
            files.remove(signatures.place(project, signature))
        if each.kind == "bundle" and place:
            place.remove(stores.archive_name(each.digest))
        if each.digest:
            files.remove(folder.place(stores.local_folder(project), each.digest))
        else:
            files.remove(project.root / each.name)
    return msgspec.structs.replace(pruning, done=True)


def _bundles(project: Project, old: dict[str, list[str]], rule: Rule) -> Iterator[Goes]:
    """Of the releases that are old: in the store, or copies here of what is elsewhere or nowhere any more."""
    place = stores.remote_store(project)
    for digest, numbers in old.items():
        here = folder.place(stores.local_folder(project), digest)
        size = place.size(stores.archive_name(digest)) if place else _size(here) if here.is_dir() else None
        name = f"{', '.join(numbers)} ({digest[:12]})"
        if size is not None:
            yield Goes(kind="bundle", name=name, bytes=size, reason=rule.words, digest=digest)
        elif here.is_dir():
            yield Goes(kind="copy", name=name, bytes=_size(here), reason="the store has it no more", digest=digest)


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
