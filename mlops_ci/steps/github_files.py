"""Files that GitHub reads beside the workflows: who must agree to a change of what judges, and updates of pins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.config import codeowners
from mlops_ci.edge.github.access import place
from mlops_ci.render import render
from mlops_ci.steps.project_files import read_text

if TYPE_CHECKING:
    from pathlib import Path

DEPENDABOT = (".github/dependabot.yml", ".github/dependabot.yaml")
_UNKNOWN = "OWNER"
_INSTEAD = f"# @{_UNKNOWN} stands for people and teams, such as @ada or @acme/ml\n"
_SHARED = (".github/", ".mlops-ci/")
_OWN = ("mlops.yaml", "waivers.yaml", "environments/", "tests/model/")
_UPDATES_ACTIONS = re.compile(r"package-ecosystem['\"]?\s*:\s*['\"]?github-actions\b")


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of these files; paths from the root of the repository."""

    texts: dict[str, str]
    """To be written: none of them is there."""
    kept: tuple[str, ...]
    to_add: tuple[tuple[str, str], ...]
    """File -> lines that only people can add: the file is theirs, or who owns the repository is not known."""


def plan(root: Path, *, remote: str, inside: str, contract: str) -> Beside:
    """What to write and what to say. `remote`: address, "" for none; `inside`: of the project in the repository."""
    texts: dict[str, str] = {}
    to_add: list[tuple[str, str]] = []
    owner = owner_on_github(remote)
    owners, dependabot = _first(root, codeowners.PLACES), _first(root, DEPENDABOT)
    lines = owner_lines(owner or _UNKNOWN, inside=inside, contract=contract, there=_text(root, owners))
    if owner and not owners:
        texts[codeowners.PLACES[0]] = render("init/CODEOWNERS", owner=owner) + lines
    elif lines:
        to_add.append((owners or codeowners.PLACES[0], lines if owner else _INSTEAD + lines))
    updates = render("init/dependabot.yml")
    if not dependabot:
        texts[DEPENDABOT[0]] = updates
    elif not _UPDATES_ACTIONS.search(_text(root, dependabot)):
        to_add.append((dependabot, updates.partition("updates:\n")[2]))
    return Beside(texts=texts, kept=tuple(path for path in (owners, dependabot) if path), to_add=tuple(to_add))


def decisive(*, inside: str, contract: str) -> tuple[str, ...]:
    """The paths whose change changes what is decided, from the root of the repository; a folder ends in `/`."""
    prefix = f"{inside}/" if inside else ""
    return (*_SHARED, *(prefix + path for path in (*_OWN, contract)))


def owner_lines(owner: str, *, inside: str, contract: str, there: str = "") -> str:
    """The lines of CODEOWNERS that `there` lacks: one for each path that decides, each owned by `owner`."""
    named = {line.split()[0].strip("/") for line in there.splitlines() if line.strip()}
    paths = decisive(inside=inside, contract=contract)
    return "".join(f"/{path} @{owner}\n" for path in paths if path.strip("/") not in named)


def owner_on_github(remote: str) -> str:
    """Whose repository a remote's address names, "" where it is not on github.com."""
    found = place(remote)
    return found.owner if found and found.host == "github.com" else ""


def _first(root: Path, paths: tuple[str, ...]) -> str:
    """The first path that is there, "" for none; a link counts, wherever it points."""
    return next((path for path in paths if (root / path).is_symlink() or (root / path).exists()), "")


def _text(root: Path, path: str) -> str:
    return read_text(root / path) or "" if path else ""
