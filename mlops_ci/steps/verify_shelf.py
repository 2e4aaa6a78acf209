"""The ledger as a whole at one commit, for `verify`: its files listed once, read from few processes, damage kept."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge import branches
from mlops_ci.errors import OutsideError
from mlops_ci.ledger import audit, holdouts, names
from mlops_ci.records.releases import Release
from mlops_ci.records.verified import Problem
from mlops_ci.steps import ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mlops_ci.edge.git import Repository
    from mlops_ci.ledger.audit import Parts
    from mlops_ci.records.evaluation import Holdout

_PLAIN = "100644"
_CACHED = 64
_AT_ONCE = 200


class _Commit(msgspec.Struct, frozen=True):
    commit: str = ""


class _Predicate(msgspec.Struct, frozen=True):
    subject: _Commit
    judge: _Commit
    base: str = ""


class _Statement(msgspec.Struct, frozen=True):
    predicate: _Predicate


_commits = msgspec.json.Decoder(_Statement).decode


class Shelf:
    """Everything the ledger holds at `head`. Larger files than mlops-ci writes count as not there."""

    def __init__(self, repository: Repository, head: str) -> None:
        self.repository = repository
        self.head = head
        self.files: dict[str, str] = {}
        """Path -> blob."""
        self.odd: list[str] = []
        """What is no plain file."""
        for entry in branches.list_files(repository, head):
            if entry.mode == _PLAIN:
                self.files[entry.path] = entry.blob
            else:
                self.odd.append(entry.path)
        self.folders: dict[str, list[str]] = {}
        """Folder of a decision -> its files."""
        for path in self.files:
            parts = path.split("/", 5)
            if len(parts) == 6 and parts[0] == names.DECISIONS:
                self.folders.setdefault("/".join(parts[:5]), []).append(path)
        self._ids = {folder.rpartition("/")[2]: folder for folder in self.folders}
        self._opened: dict[str, tuple[Parts | None, tuple[Problem, ...]]] = {}
        self._holdouts: dict[tuple[str, str], Holdout | Problem] = {}

    def ids(self, beginning: str = "") -> tuple[str, ...]:
        """The decisions whose id begins so, in the order of their folders."""
        return tuple(one for one in self._ids if one.startswith(beginning))

    @property
    def ids_known(self) -> Mapping[str, str]:
        """Decision -> its folder."""
        return self._ids

    def decision_path(self, identity: str) -> str:
        """Where its decision.json lies."""
        return f"{self._ids[identity]}/decision.json"

    def opened(self, identity: str) -> tuple[Parts | None, tuple[Problem, ...]]:
        """A decision by its whole id; (None, ()) where the ledger has none of it."""
        if identity not in self._opened and identity in self._ids:
            self._remember(identity, next(self.each([identity])))
        return self._opened.get(identity, (None, ()))

    def parts(self, identity: str) -> Parts | None:
        """As far as it can be read."""
        return self.opened(identity)[0]

    def each(self, ids: Iterable[str]) -> Iterator[tuple[Parts | None, tuple[Problem, ...]]]:
        """Decisions in this order, from one process, one at a time in memory."""
        folders = [self._ids[one] for one in ids]
        contents = self._contents([self.files[path] for folder in folders for path in self.folders[folder]])
        for folder in folders:
            read = {path.removeprefix(f"{folder}/"): next(contents) for path in self.folders[folder]}
            yield audit.open_folder(folder, {name: data for name, data in read.items() if data is not None})

    def commits(self, ids: Iterable[str]) -> Iterator[str]:
        """Those that decisions name, as far as they can be read."""
        listed = [self.decision_path(one) for one in ids]
        for start in range(0, len(listed), _AT_ONCE):
            for data in self.read(listed[start : start + _AT_ONCE]).values():
                try:
                    found = _commits(data).predicate
                except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                    continue
                yield from filter(None, (found.subject.commit, found.judge.commit, found.base))

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Those of some files that are there."""
        there = [path for path in paths if path in self.files]
        contents = self._contents([self.files[path] for path in there])
        return {path: data for path, data in zip(there, contents, strict=True) if data is not None}

    def holdout(self, path: str, sha256: str) -> Holdout | Problem:
        """A holdout by the index that a decision names, read once."""
        key = (path, sha256)
        if key not in self._holdouts:
            self._holdouts[key] = self._holdout(path, sha256)
        return self._holdouts[key]

    def release(self, path: str) -> Release | Problem:
        """What `releases/PROJECT/vN.json` says."""
        data = self.read([path]).get(path)
        if data is None:
            return Problem(where=path, message="the ledger has no such release")
        try:
            return msgspec.json.decode(data, type=Release)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return Problem(where=path, message=f"cannot be read: {error}")

    def _holdout(self, path: str, sha256: str) -> Holdout | Problem:
        data = self.read([path]).get(path)
        if data is None or hashlib.sha256(data).hexdigest() != sha256:
            told = "is missing" if data is None else "is not what the decision was made from"
            return Problem(where=path, message=told)
        index = audit.index_of(path, data)
        if isinstance(index, Problem):
            return index
        folder = path.rpartition("/")[0]
        content = self.read(f"{folder}/{one.file}" for one in index.arrays)
        try:
            return holdouts.parse(index, {one.rpartition("/")[2]: data for one, data in content.items()})
        except OutsideError as error:
            return Problem(where=folder, message=error.message)

    def _contents(self, blobs: list[str]) -> Iterator[bytes | None]:
        for size, content in self.repository.blobs(blobs):
            if size <= ledger.LARGEST_FILE:
                yield content.read(size)
                continue
            left = size
            while left and (part := content.read(min(left, 1 << 20))):
                left -= len(part)
            yield None

    def _remember(self, identity: str, found: tuple[Parts | None, tuple[Problem, ...]]) -> None:
        if len(self._opened) >= _CACHED:
            self._opened.pop(next(iter(self._opened)))
        self._opened[identity] = found


def open_shelf(repository: Repository) -> Shelf | None:
    """The ledger here, or as it was fetched; None: nothing was decided yet."""
    at = ledger.head(repository)
    return Shelf(repository, at) if at else None


def release_paths(shelf: Shelf) -> Mapping[str, int]:
    """Path -> number, of every release."""
    numbered = {path: names.release_number(path) for path in shelf.files}
    return {path: number for path, number in numbered.items() if number is not None}
