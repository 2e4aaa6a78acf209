"""A git repository, asked and never changed: branches.py writes, remote.py talks to where it was cloned from."""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import msgspec

from mlops_ci.edge.export import export
from mlops_ci.edge.git_process import Answer, call, decoded, stream, without_password
from mlops_ci.edge.index import copied
from mlops_ci.errors import OutsideError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


_DAMAGE = re.compile(r"not a tree object|bad object|unable to (read|find)|missing (blob|tree)|corrupt|loose object")


class CommitInfo(msgspec.Struct, frozen=True, kw_only=True):
    """`committed`: committer date, ISO 8601 UTC (`2024-05-01T12:00:00Z`)."""

    sha: str
    title: str
    author: str
    committed: str


class Entry(NamedTuple):
    """One file of a commit."""

    mode: str
    blob: str
    path: str


class Repository:
    """A git repository with a working tree.

    A `folder` is posix and relative to the root ("" is the root); methods that take one give paths relative to it.
    A `commit` is anything git resolves. Texts from git are UTF-8 with surrogateescape, as os.fsdecode gives.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def open(cls, path: Path) -> Repository:
        """The repository around `path`; OutsideError when there is none or git is not installed."""
        answer = call(path, "rev-parse", "--show-toplevel")
        if answer.code == 0:
            return cls(Path(decoded(answer.out)))
        if "dubious ownership" in answer.err:
            raise OutsideError(
                f"{path} is in a git repository that belongs to another user",
                f"If you trust it: git config --global --add safe.directory {path.absolute()}",
            )
        if "must be run in a work tree" in answer.err:
            raise OutsideError(f"{path} is in a bare git repository, without files", "Run it in a clone.")
        raise OutsideError(f"{path} is not in a git repository", "Run `git init` there, or name the folder with -C.")

    def call(self, *arguments: str, stdin: bytes = b"") -> Answer:
        """Run git in the root, whatever it answers."""
        return call(self.root, *arguments, stdin=stdin)

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Standard output of git; OutsideError with its own words when it fails."""
        answer = self.call(*arguments, stdin=stdin)
        if answer.code != 0:
            raise self.failure(next(word for word in arguments if word[0] != "-"), answer)
        return answer.out

    def head(self) -> str | None:
        """The commit that is checked out; None in a repository without commits."""
        return self.find("HEAD")

    def branch(self) -> str | None:
        """The branch that is checked out, even without commits; None when HEAD is detached."""
        answer = self.call("symbolic-ref", "--quiet", "HEAD")
        return decoded(answer.out).removeprefix("refs/heads/") if answer.code == 0 else None

    def default_branch(self) -> str | None:
        """What origin/HEAD names, else main, else master (here or at origin), else the current branch."""
        lines = decoded(self.run("for-each-ref", "--format=%(refname) %(symref)", "refs/heads", "refs/remotes/origin"))
        refs = dict(line.split(" ", 1) for line in lines.splitlines())
        if refs.get("refs/remotes/origin/HEAD"):
            return refs["refs/remotes/origin/HEAD"].removeprefix("refs/remotes/origin/")
        for name in ("main", "master"):
            if f"refs/heads/{name}" in refs or f"refs/remotes/origin/{name}" in refs:
                return name
        return self.branch()

    def find(self, ref: str) -> str | None:
        """The commit `ref` names, or None."""
        if not is_name(ref):
            return None
        answer = self.call("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        return decoded(answer.out) if answer.code == 0 else None

    def resolve(self, ref: str) -> str:
        """The commit `ref` names; UsageError when there is none."""
        commit = self.find(ref)
        if commit is None:
            advice = "Give a branch, a tag or a commit that `git log` shows"
            history = "; this clone is shallow, so `git fetch --unshallow` may bring it." if self.is_shallow() else "."
            raise UsageError(f"{ref!r} names no commit, or more than one", advice + history)
        return commit

    def parents(self, commit: str) -> tuple[str, ...]:
        """The parents of a commit, first parent first; none for a root and at the edge of a shallow clone."""
        line = decoded(self.run("rev-list", "--no-walk", "--parents", self._commit(commit)))
        return tuple(line.split()[1:])

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor, or None."""
        answer = self.call("merge-base", self._commit(one), self._commit(other))
        if answer.code > 1:
            raise self.failure("merge-base", answer)
        return decoded(answer.out).partition("\n")[0] or None

    def is_ancestor(self, ancestor: str, commit: str) -> bool:
        """Whether `ancestor` is `commit` or comes before it."""
        answer = self.call("merge-base", "--is-ancestor", self._commit(ancestor), self._commit(commit))
        if answer.code > 1:
            raise self.failure("merge-base", answer)
        return answer.code == 0

    @contextmanager
    def ancestors(self, commit: str) -> Iterator[Iterator[str]]:
        """`commit` and everything before it, newest first, read from git only as far as it is asked for."""
        with stream(self.root, "rev-list", self._commit(commit)) as lines:
            yield (decoded(line) for line in lines)

    def is_shallow(self) -> bool:
        """Whether the history was cut off by `clone --depth`."""
        return self.run("rev-parse", "--is-shallow-repository").strip() == b"true"

    def commit_info(self, commit: str) -> CommitInfo:
        """Title, author and time of a commit."""
        line = self.run("log", "-1", "--format=%H%x00%ct%x00%an%x00%s", self._commit(commit))
        sha, seconds, author, title = decoded(line).split("\0", 3)
        committed = datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return CommitInfo(sha=sha, title=title, author=author, committed=committed)

    def user(self) -> str:
        """The name commits are made under, user.name; empty where none is set."""
        return decoded(self.call("config", "--get", "user.name").out)

    def is_clean(self, folder: str) -> bool:
        """Whether the folder is as HEAD has it: nothing changed, nothing untracked that is not ignored."""
        return not self.run("status", "--porcelain", "-z", "--untracked-files=normal", "--", folder or ".")

    def tree(self, commit: str, folder: str) -> str:
        """The id of the folder's tree; "" when the commit has no such folder."""
        answer = self.call("rev-parse", "--verify", "--quiet", f"{self._commit(commit)}:{folder}")
        if answer.code != 0:
            self.resolve(commit)
            return ""
        return decoded(answer.out)

    def show(self, commit: str, path: str) -> bytes | None:
        """A file's content at a commit, `path` from the root; None when it is not there."""
        answer = self.call("cat-file", "blob", f"{self._commit(commit)}:{path}")
        if answer.code == 0:
            return answer.out
        if any(entry.mode != "040000" for entry in self.look_up(self.resolve(commit), [path])):
            raise self.failure("cat-file", answer)
        return None

    def files(self, commit: str, folder: str) -> tuple[str, ...]:
        """The files of the folder at a commit."""
        return tuple(entry.path for entry in self.entries(commit, folder))

    def entries(self, commit: str, folder: str) -> tuple[Entry, ...]:
        """The files of the folder at a commit with mode and blob; none when it has no such folder."""
        answer = self.call("ls-tree", "-r", "-z", "--full-tree", f"{self._commit(commit)}:{folder}")
        if answer.code != 0 and self.tree(commit, folder):
            raise self.failure("ls-tree", answer)
        return tuple(_entry(line) for line in answer.out.split(b"\0") if line)

    def look_up(self, commit: str, paths: Sequence[str]) -> tuple[Entry, ...]:
        """Those of some paths from the root that are there at a commit; a few hundred at a time."""
        out = self.run("ls-tree", "-z", "--full-tree", self._commit(commit), "--", *paths)
        return tuple(_entry(line) for line in out.split(b"\0") if line)

    def worktree_files(self, folder: str) -> tuple[str, ...]:
        """The files that lie in the folder: tracked ones, and untracked ones that git does not ignore."""
        out = self.run("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", folder or ".")
        paths = ((path, self.root / folder / path) for path in _inside(folder, out))
        return tuple(sorted(name for name, path in paths if path.is_symlink() or path.is_file()))

    def blob_of(self, path: str) -> str:
        """The name git would give a file of the working tree, after its filters and line ends."""
        return decoded(self.run("hash-object", "--", path))

    def changed_paths(self, old: str | None, new: str | None, folder: str) -> tuple[tuple[str, str], ...]:
        """(status, path) of what differs, by path; status A, M, T or D, a rename is D and A.

        `old` None: everything is new. `new` None: against the working tree with its untracked files.
        """
        if old is None:
            paths = self.worktree_files(folder) if new is None else self.files(new, folder)
            return tuple(("A", path) for path in sorted(paths))
        command = ("diff-tree", "-r") if new else ("diff", "--no-ext-diff", "--no-textconv")
        commits = [self._commit(commit) for commit in (old, new) if commit]
        out = self._compare(*command, "-z", "--no-renames", "--name-status", *commits, "--", folder or ".")
        fields = decoded(out).split("\0")[:-1]
        prefix = f"{folder}/" if folder else ""
        changed = {path.removeprefix(prefix): status for status, path in zip(fields[::2], fields[1::2], strict=True)}
        if new is None:
            others = self.run("ls-files", "-z", "--others", "--exclude-standard", "--", folder or ".")
            changed |= {path: "M" if path in changed else "A" for path in _inside(folder, others) if path[-1] != "/"}
        return tuple((status, path) for path, status in sorted(changed.items()))

    def _compare(self, *arguments: str) -> bytes:
        with copied(self.root) as index:
            answer = call(self.root, *arguments, index=index)
        if answer.code != 0:
            raise self.failure(arguments[0], answer)
        return answer.out

    def export(self, commit: str, folder: str, target: Path) -> tuple[str, ...]:
        """Write the folder's files at a commit into `target`, byte for byte: no filters, no line-end changes.

        Given back are the paths left out: submodules, and symbolic links that lead outside.
        """
        return export(self, self.entries(commit, folder), target)

    def blobs(self, ids: Sequence[str]) -> Iterator[tuple[int, BinaryIO]]:
        """Size and content of each blob, from one process; the caller reads exactly that size before the next."""
        if not ids:
            return
        with tempfile.TemporaryFile() as names:
            names.write("".join(f"{blob}\n" for blob in ids).encode())
            names.seek(0)
            with stream(self.root, "cat-file", "--batch", stdin=names) as content:
                for blob in ids:
                    header = content.readline().split()
                    if len(header) != 3:
                        advice = "The clone may be partial or damaged: `git fsck` tells."
                        raise OutsideError(f"git has no object {blob}", advice, where=str(self.root))
                    yield int(header[2]), content
                    content.readline()

    def _commit(self, ref: str) -> str:
        """Full ids are taken as they are: a process less for each question."""
        return ref if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", ref) else self.resolve(ref)

    def failure(self, verb: str, answer: Answer, advice: str = "") -> OutsideError:
        """What git said when it failed, as our error."""
        said = [line for line in without_password(answer.err).splitlines() if line.strip()]
        reason = said[-1].removeprefix("fatal: ") if said else f"exit code {answer.code}"
        advice = advice or ("`git fsck` tells whether the clone is whole." if _DAMAGE.search(answer.err) else "")
        return OutsideError(f"git {verb} failed: {reason}", advice, where=str(self.root))


def _entry(line: bytes) -> Entry:
    facts, _, path = line.partition(b"\t")
    mode, _, blob = facts.decode().split(" ")
    return Entry(mode, blob, decoded(path + b"\n"))


def _inside(folder: str, out: bytes) -> set[str]:
    prefix = f"{folder}/" if folder else ""
    return {path.removeprefix(prefix) for path in decoded(out + b"\n").split("\0") if path}


def is_name(ref: str) -> bool:
    """Whether git would read it as a name: not as an option, and without the control characters no name has."""
    return bool(ref) and not ref.startswith("-") and not re.search(r"[\x00-\x1f\x7f]", ref)
