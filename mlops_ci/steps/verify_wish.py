"""What `verify` was asked for, as the environments, releases and decisions to look at."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mlops_ci.errors import UsageError
from mlops_ci.ledger import names
from mlops_ci.steps.verify_environment import behind, environments_of, release_of
from mlops_ci.steps.verify_release import named_by
from mlops_ci.steps.verify_shelf import release_paths

if TYPE_CHECKING:
    from mlops_ci.steps.verify_decision import Scene

_RELEASE = re.compile(r"(?:([a-z0-9][a-z0-9-]*)/)?v([1-9]\d{0,8})")
_SHOWN = 5


class Wanted(NamedTuple):
    """Names of environments, paths of releases, ids of decisions that the ledger has."""

    environments: tuple[str, ...]
    releases: tuple[str, ...]
    decisions: tuple[str, ...]
    everything: bool = False


def wanted_of(at: Scene, asked: str, *, everything: bool) -> Wanted:
    """UsageError where there is no such thing."""
    known = environments_of(at)
    if everything:
        return Wanted(known, tuple(release_paths(at.shelf)), at.shelf.ids(), everything=True)
    if not asked or asked in known:
        return _of_environments(at, (asked,) if asked else known)
    if match := _RELEASE.fullmatch(asked):
        path = names.release_path(match[1] or at.project.config.project, int(match[2]))
        if path not in at.shelf.files:
            raise UsageError(f"there is no release {asked}", "mlops-ci history lists what was released.")
        return _with(at, (), (path,), ())
    found = at.shelf.ids(asked) if re.fullmatch(r"[0-9a-f]{4,64}", asked) else ()
    if len(found) == 1:
        return Wanted((), (), found)
    if found:
        told = ", ".join(one[:12] for one in found[:_SHOWN])
        raise UsageError(f"{asked!r} fits {len(found)} decisions", f"Give more digits of one: {told}")
    advice = f"Environments: {', '.join(known) or 'none'}. `mlops-ci history` lists decisions; --all is everything."
    raise UsageError(f"{asked!r} is no environment, release or decision here", advice)


def _of_environments(at: Scene, asked: tuple[str, ...]) -> Wanted:
    paths = tuple(filter(None, (release_of(at, name) for name in asked)))
    return _with(at, asked, tuple(dict.fromkeys(paths)), tuple(behind(at, name) for name in asked))


def _with(at: Scene, asked: tuple[str, ...], paths: tuple[str, ...], moves: tuple[str, ...]) -> Wanted:
    """With the decisions that releases stand on; those the ledger lacks are missed where they are named."""
    stands_on = [one for path in paths for one in named_by(at.shelf.release(path))]
    ids = [one for one in dict.fromkeys([*moves, *stands_on]) if one in at.shelf.ids_known]
    return Wanted(asked, paths, tuple(ids))
