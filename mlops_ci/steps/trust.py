"""Whose signature a bundle must have: what was named for this run, else `package.trust` of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.config import find
from mlops_ci.edge import runtime, signing
from mlops_ci.errors import ConfigError, UsageError
from mlops_ci.steps.project import open_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_ci.config.settings import Config
    from mlops_ci.steps.signatures import Signer


def demanded(start: Path, named: Path | None = None) -> Path | None:
    """The file of the public key; None where nobody's signature is demanded.

    named: by an option; then counts MLOPS_CI_TRUST, then the project around `start`, where there is one.
    """
    if key := named or runtime.named_trust():
        return key.absolute()
    if not find.projects_around(start, find.git_root(start)):
        return None
    project = open_project(start)
    return key_of(project.root, project.config)


def key_of(root: Path, config: Config) -> Path | None:
    """The file that `package.trust` names in the project at `root`. ConfigError where it is no file of the project."""
    if config.package.trust is None:
        return None
    key, where = root / config.package.trust, config.place("package.trust")
    if not key.is_file():
        raise ConfigError(f"there is no file {config.package.trust}", "Commit the public key there.", where=where)
    if not key.resolve().is_relative_to(root.resolve()):
        raise ConfigError(f"{config.package.trust} leads out of the project", "Commit the key itself.", where=where)
    return key


def require_signer(root: Path, config: Config, by: Signer | None, say: Callable[[str], None]) -> None:
    """ConfigError where `package.trust` is set and nobody signs, or by another key."""
    key, where = key_of(root, config), config.place("package.trust")
    if key is None:
        return
    if by is None:
        advice = f"Name the file of its private half in {signing.KEY}."
        raise ConfigError("releases are to be signed, and no key is named", advice, where=where)
    wanted = signing.fingerprint("public", key, say)
    if by.key != wanted:
        raise ConfigError(
            f"releases are to be signed by key {wanted[:12]} ({config.package.trust}), and {by.path} is key "
            f"{by.key[:12]}",
            f"Name its private half in {signing.KEY}, or commit the new public key.",
            where=where,
        )


def require_signature(bundle: Path, key: Path | None, say: Callable[[str], None]) -> None:
    """UsageError where a bundle is not one that `key` has signed; None: nobody's signature is demanded.

    By our own runtime: that of the bundle is part of what may have been changed, as is the lock it is run with.
    """
    if key is not None and (problem := signing.problem(bundle, key, say)):
        raise UsageError(
            f"a signature is demanded, and this bundle has none that holds: {problem}",
            f"Release it with {signing.KEY}, or name the public key of who did.",
        )
