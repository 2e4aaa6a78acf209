"""Heads of the ledger that were written down elsewhere: what they hold cannot have been forged since."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mlops_ci.edge import remote
from mlops_ci.ledger import names
from mlops_ci.records.verified import Authenticity, Finding, Note, Problem
from mlops_ci.steps.verify_environment import environments_of, named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_ci.ledger.audit import Parts
    from mlops_ci.steps.verify_decision import Scene

_UNSEEN = (
    "a ledger that was forged as a whole, with history, and agrees with itself cannot be told from a true one. "
    "Name a head that was written down elsewhere: --head COMMIT"
)
_LOOKED_INTO = 20
"""Heads that are looked into for decisions, the newest first."""


class Recorded(NamedTuple):
    """A head of the ledger, and who wrote it down."""

    commit: str
    by: str


class Heads(NamedTuple):
    """`good`: those the ledger at hand goes on from, the newest first; `named`: decisions the default branch names."""

    good: tuple[Recorded, ...]
    named: frozenset[str]
    findings: tuple[Finding, ...]


def heads(at: Scene, asked: str) -> Heads:
    """Those that files of the default branch, other clones and whoever asks know of. asked: "" is none."""
    named_parts = [(name, commit, parts) for name in environments_of(at) for commit, parts in named(at, name)]
    found = [*_given(at, asked), *_in_moves(named_parts), *_of_clones(at)]
    mine = at.project.repository.run("rev-list", "--topo-order", at.shelf.head).decode().split()
    place = {commit: number for number, commit in enumerate(mine)}
    good = sorted((one for one in found if one.commit in place), key=lambda one: place[one.commit])
    return Heads(
        good=tuple(good),
        named=frozenset(parts.id for _, _, parts in named_parts),
        findings=tuple(_lost(at, [one for one in found if one.commit not in place])),
    )


def authenticity(at: Scene, known: Heads, ids: Iterable[str]) -> Authenticity:
    """Whether every one of these decisions is held by a recorded head, or named by the default branch itself."""
    wanted = {one for one in ids if one in at.shelf.ids_known}
    left = wanted - known.named
    used: list[Recorded] = []
    for one in known.good[:_LOOKED_INTO]:
        if held := _held(at, one.commit, left):
            used.append(one)
            left -= held
    if not wanted:
        return Authenticity(authenticated=False, told="no decision was looked at")
    if not left:
        by = "; ".join(f"head {one.commit[:12]}, {one.by}" for one in used) or "the file that names it"
        return Authenticity(authenticated=True, told=f"by {by}")
    lacking = (
        f"no recorded head holds {len(left)} of {len(wanted)} decisions"
        if len(left) < len(wanted)
        else ("no head of this ledger is recorded elsewhere" if not known.good else "no recorded head holds it")
    )
    return Authenticity(authenticated=False, told=f"{lacking}: {_UNSEEN}")


def _held(at: Scene, commit: str, ids: set[str]) -> set[str]:
    """Those decisions that lie in the ledger at a commit as they do now."""
    paths = {at.shelf.decision_path(one): one for one in ids}
    wanted = list(paths)
    found: set[str] = set()
    for start in range(0, len(wanted), 500):
        for entry in at.project.repository.look_up(commit, wanted[start : start + 500]):
            if entry.blob == at.shelf.files.get(entry.path):
                found.add(paths[entry.path])
    return found


def _given(at: Scene, asked: str) -> list[Recorded]:
    """One by its whole digits may be none that this clone has: then that is what is wrong."""
    if not asked:
        return []
    whole = re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", asked)
    return [Recorded(asked if whole else at.project.repository.resolve(asked), "given with --head")]


def _in_moves(found: Iterable[tuple[str, str, Parts]]) -> Iterator[Recorded]:
    for name, commit, parts in found:
        move = (parts.evidence.move or None) if parts.evidence else None
        if move and move.ledger:
            yield Recorded(
                move.ledger, f"which the {parts.decision.kind} {parts.short} of {name} at {commit[:7]} names"
            )


def _of_clones(at: Scene) -> Iterator[Recorded]:
    """Heads fetched from other clones than the one the ledger comes from."""
    repository, origin = at.project.repository, remote.remote_of(at.project.repository)
    ending = f"/{names.BRANCH}"
    lines = (
        repository.run("for-each-ref", "--format=%(objectname) %(refname)", "refs/remotes")
        .decode("utf-8", "replace")
        .splitlines()
    )
    for line in lines:
        commit, _, ref = line.partition(" ")
        clone = ref.removeprefix("refs/remotes/").removesuffix(ending)
        if ref.endswith(ending) and (origin is None or clone != origin.name):
            yield Recorded(commit, f"fetched from {clone}")


def _lost(at: Scene, found: list[Recorded]) -> Iterator[Finding]:
    """A head that is no ancestor: the history was rewritten, unless the other clone only is ahead."""
    for one in found:
        ahead = at.project.repository.find(one.commit) and at.project.repository.is_ancestor(at.shelf.head, one.commit)
        if one.by.startswith("fetched from"):
            told = "goes on from here" if ahead else "and the ledger here have each what the other lacks"
            yield Note(where=names.BRANCH, message=f"the head {one.commit[:12]}, {one.by}, {told}")
        elif not ahead:
            told = f"the head {one.commit[:12]}, {one.by}, is not in its history: it was rewritten, or this is not all"
            yield Problem(where=names.BRANCH, message=f"{told} of it (git fetch origin {names.BRANCH})")
