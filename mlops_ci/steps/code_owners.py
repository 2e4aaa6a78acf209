"""Who must agree to a change of a path: CODEOWNERS, read as GitHub reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_IN_A_FOLDER = {
    ".github/": tuple(f"workflows/mlops-{name}.yml" for name in ("check", "record", "upgrade")),
    ".mlops-ci/": ("tool.lock",),
    "environments/": ("production.yaml",),
    "tests/model/": ("test_model.py",),
}
_PARTS = re.compile(r"\*\*/|/\*\*$|\*\*|\*|\?|[^*?]+")
_AS_EXPRESSION = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def unowned(text: str, paths: Iterable[str]) -> list[str]:
    """Those of some paths that nobody owns whole; a folder ends in `/`, and what matters in it is looked at.

    The last pattern that fits counts, also where it names nobody.
    https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
    """
    lines = [words for line in text.splitlines() if (words := line.partition("#")[0].split())]
    rules = [(_expression(pattern), bool(owners)) for pattern, *owners in reversed(lines)]

    def has_owner(path: str) -> bool:
        return next((has for fits, has in rules if fits.fullmatch(path)), False)

    return [path for path in paths if not all(has_owner(each) for each in _inside(path))]


def _inside(path: str) -> tuple[str, ...]:
    """Files that stand for a path."""
    names = next((names for folder, names in _IN_A_FOLDER.items() if f"/{path}".endswith(f"/{folder}")), ("",))
    return tuple(path + name for name in names)


def _expression(pattern: str) -> re.Pattern[str]:
    """A pattern as of gitignore: one with a slash inside is read from the root, a folder takes all below it.

    `docs/*` takes files in docs and no folder, other than in gitignore.
    """
    inner = pattern.strip("/")
    is_rooted = pattern.startswith("/") or "/" in inner
    body = "".join(_AS_EXPRESSION.get(part, re.escape(part)) for part in _PARTS.findall(inner))
    below = "/.*" if pattern.endswith("/") else "" if pattern.endswith("/*") else "(?:/.*)?"
    return re.compile(("" if is_rooted else "(?:.*/)?") + body + below)
