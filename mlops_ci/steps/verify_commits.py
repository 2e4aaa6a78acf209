"""What git says of the commits that decisions name, asked of many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.config import load, yaml
from mlops_ci.errors import ConfigError
from mlops_ci.steps.environments import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_ci.config.settings import Config
    from mlops_ci.edge.git import Repository

_MISSING = "missing"


class Commits:
    """Times, trees and files of commits. What this clone lacks is None, or empty."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._times: dict[str, str | None] = {}
        self._objects: dict[tuple[str, str], str] = {}
        self._texts: dict[str, bytes | None] = {}
        self._settings: dict[tuple[str, str], Config | None] = {}

    def learn(self, commits: Iterable[str], paths: Iterable[str]) -> None:
        """Ask of all of them in two processes. paths: from the root; "" is the whole tree."""
        new = [one for one in dict.fromkeys(commits) if one not in self._times and _is_id(one)]
        if not new:
            return
        self._times |= dict.fromkeys(new)
        names = "".join(f"{one}\n" for one in new).encode()
        options = ("--ignore-missing", "--no-walk=unsorted", "--stdin", "--format=tformat:%H %ct")
        for line in self.repository.run("log", *options, stdin=names).decode().splitlines():
            commit, _, seconds = line.partition(" ")
            self._times[commit] = text_of(int(seconds))
        asked = [(one, path) for one in new if self._times[one] for path in paths if "\n" not in path]
        wanted = "".join(f"{one}:{path}\n" for one, path in asked).encode("utf-8", "surrogateescape")
        answers = self.repository.run("cat-file", "--batch-check", stdin=wanted) if asked else b""
        for key, line in zip(asked, answers.decode("utf-8", "replace").splitlines(), strict=True):
            self._objects[key] = "" if line.endswith(_MISSING) else line.partition(" ")[0]

    def time(self, commit: str) -> str | None:
        """Committer date, ISO 8601 UTC."""
        self.learn([commit], ())
        return self._times.get(commit)

    def object(self, commit: str, path: str) -> str:
        """The id of a file or folder at a commit; empty where there is none."""
        return self._objects.get((commit, path), "")

    def text(self, commit: str, path: str) -> bytes | None:
        """A file at a commit."""
        blob = self.object(commit, path)
        if blob and blob not in self._texts:
            self._texts[blob] = self.repository.show(commit, path)
        return self._texts.get(blob)

    def settings(self, commit: str, path: str) -> Config | None:
        """The settings of a commit, read once for all commits that have the same; None where they cannot be used."""
        key = (self.object(commit, path), path)
        if key not in self._settings:
            data = self.text(commit, path)
            try:
                self._settings[key] = load.parse(yaml.decode(data, file=path), file=path) if data is not None else None
            except ConfigError:
                self._settings[key] = None
        return self._settings[key]


def _is_id(commit: str) -> bool:
    return len(commit) in (40, 64) and not commit.strip("0123456789abcdef")
