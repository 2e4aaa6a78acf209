"""Of which paths nobody has to agree to a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.config.codeowners import parse

if TYPE_CHECKING:
    from collections.abc import Iterable

_IN_A_FOLDER = {
    ".github/": tuple(f"workflows/mlops-{name}.yml" for name in ("check", "record", "upgrade")),
    ".mlops-ci/": ("tool.lock",),
    "environments/": ("production.yaml",),
    "tests/model/": ("test_model.py",),
}


def unowned(text: str, paths: Iterable[str]) -> list[str]:
    """Those of some paths that nobody owns whole by a CODEOWNERS; of a folder, `/` at its end, what matters in it."""
    rules = parse(text)
    return [path for path in paths if not all(rules.owners(each) for each in _inside(path))]


def _inside(path: str) -> tuple[str, ...]:
    """Files that stand for a path."""
    names = next((names for folder, names in _IN_A_FOLDER.items() if f"/{path}".endswith(f"/{folder}")), ("",))
    return tuple(path + name for name in names)
