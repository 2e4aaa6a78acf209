"""A branch of files, read and written in the object store without a checkout.

Writing is one `git fast-import` (https://git-scm.com/docs/git-fast-import): it moves the branch only to a descendant of
what the branch is at that moment, so a lost race changes nothing and is tried again on the new head.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import random
import re
import secrets
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mlops_ci.edge.git import Entry, Repository

ATTEMPTS = 100
_LONGEST_PAUSE = 0.5
_PATIENCE = 10
_NOBODY = ("mlops-ci", "mlops-ci@localhost")
_PATHS_PER_CALL = 500


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a write: the head of the branch, whether it moved, and the files that stood in the way."""

    commit: str
    changed: bool
    collisions: tuple[str, ...] = ()


def head_of(repository: Repository, branch: str) -> str | None:
    """The branch here, else as it was last fetched from the remote, else None."""
    return repository.find(f"refs/heads/{branch}") or repository.find(f"refs/remotes/origin/{branch}")


def list_files(repository: Repository, commit: str, prefix: str = "") -> tuple[Entry, ...]:
    """The files below a folder at a commit, with their paths from the root."""
    head = f"{prefix}/" if prefix else ""
    return tuple(entry._replace(path=head + entry.path) for entry in repository.entries(commit, prefix))


def read_files(repository: Repository, commit: str, paths: Iterable[str], *, limit: int) -> dict[str, bytes]:
    """The files that are there, by path; OutsideError for one larger than `limit` bytes."""
    ids = _blob_ids(repository, commit, paths)
    return dict(zip(ids, read_blobs(repository, ids, limit=limit), strict=True))


def read_blobs(repository: Repository, ids: Mapping[str, str], *, limit: int) -> list[bytes]:
    """The content of blobs given as path -> id, in that order, from one process."""
    found = []
    for path, (size, content) in zip(ids, repository.blobs(tuple(ids.values())), strict=True):
        if size > limit:
            raise OutsideError(f"{path} has {size} bytes; at most {limit} are read", "It was not written by mlops-ci.")
        found.append(content.read(size))
    return found


def write_branch(
    repository: Repository,
    branch: str,
    files: Mapping[str, bytes],
    *,
    message: str,
    create_only: frozenset[str] = frozenset(),
    derive: Callable[[tuple[str, ...]], Mapping[str, bytes]] | None = None,
    over: str = "",
) -> Written:
    """Add files to a branch in one commit; the branch is made when it is absent.

    A path in `create_only` that is there with other content is a collision: then nothing is written. `derive` is
    given the head the commit is made on, () for none, and says which files follow from it; it is asked at every try.
    `over`: a commit that the new one follows as well, and of which it keeps nothing.
    """
    committer = _committer(repository)
    for _ in _tries(branch):
        head = head_of(repository, branch)
        heads = (head,) if head else ()
        present = _blob_ids(repository, head, files) if head else {}
        changed = {path: data for path, data in files.items() if not _is_blob(present.get(path, ""), data)}
        collisions = tuple(sorted(create_only & present.keys() & changed.keys()))
        if head and (collisions or not changed):
            return Written(commit=head, changed=False, collisions=collisions)
        changed |= derive(heads) if derive else {}
        parents = (*heads, over) if over else heads
        commit = _commit(repository, f"refs/heads/{branch}", parents, changed, {}, message=message, committer=committer)
        if commit:
            return Written(commit=commit, changed=True)
    raise AssertionError


def move_back(repository: Repository, branch: str, commit: str, before: str | None) -> bool:
    """Move a branch from `commit` to `before`, None: it was not there. False where it is elsewhere by now."""
    ref = f"refs/heads/{branch}"
    moved = ("update-ref", ref, before, commit) if before else ("update-ref", "-d", ref, commit)
    return repository.call(*moved).code == 0


@contextmanager
def alone(repository: Repository) -> Iterator[None]:
    """One process of this machine at a time is inside, in whatever worktree: for what moves two branches together."""
    folder = repository.root / os.fsdecode(repository.run("rev-parse", "--git-common-dir").rstrip(b"\n"))
    with (folder / "mlops-ci.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def commit_over(repository: Repository, parent: str, files: Mapping[str, bytes], *, message: str) -> str:
    """A commit with some files changed on top of `parent`, on no branch: git drops it where nobody takes it up."""
    ref = f"refs/mlops-ci/{secrets.token_hex(8)}"
    commit = _commit(repository, ref, (parent,), files, {}, message=message, committer=_committer(repository))
    if commit is None:
        raise OutsideError("a commit could not be made", "Is the repository being packed? Run it again.")
    repository.run("update-ref", "-d", ref, commit)
    return commit


def advance(repository: Repository, branch: str, before: str, commit: str) -> bool:
    """Move a branch on from `before`; where it is checked out, the files that `commit` changes follow.

    False where it is elsewhere by now. OutsideError where such a file has changes that are not committed.
    """
    ref, out = f"refs/heads/{branch}", repository.branch() == branch
    paths = [path for _, path in repository.changed_paths(before, commit, "")]
    touched = next((path for path in paths if out and not _untouched(repository, before, path)), "")
    if touched and repository.find(ref) == before:  # else it is what moved the branch
        raise OutsideError(f"{touched} has changes that are not committed", "Commit them, or `git restore` the file.")
    if touched or repository.call("update-ref", ref, commit, before).code != 0:
        return False
    if out:
        _bring_out(repository, commit, paths)
    return True


def _untouched(repository: Repository, commit: str, path: str) -> bool:
    """Whether a file lies in the working folder as a commit has it, or in neither."""
    entry = next(iter(repository.look_up(commit, [path])), None)
    there = os.path.lexists(repository.root / path)
    return not there if entry is None else there and repository.blob_of(path) == entry.blob


def _bring_out(repository: Repository, commit: str, paths: Sequence[str]) -> None:
    """The branch has moved: where another git holds the index all the time, `git status` shows the files as changed."""
    for _ in range(_PATIENCE):
        if repository.call("restore", f"--source={commit}", "--staged", "--worktree", "--", *paths).code == 0:
            return
        time.sleep(_LONGEST_PAUSE)


def merge_branches(
    repository: Repository,
    branch: str,
    other: str,
    *,
    message: str,
    derive: Callable[[tuple[str, ...]], Mapping[str, bytes]] | None = None,
) -> Written:
    """Bring everything of the commit `other` into the branch: the union of their files.

    Where both have a file with other content, the one of `other` stays: it is what the remote has published.
    """
    theirs = repository.resolve(other)
    committer = _committer(repository)
    for _ in _tries(branch):
        ours = repository.find(f"refs/heads/{branch}")
        if ours and repository.is_ancestor(theirs, ours):
            return Written(commit=ours, changed=False)
        if ours is None or repository.is_ancestor(ours, theirs):
            moved = repository.call("update-ref", f"refs/heads/{branch}", theirs, ours or "0" * len(theirs))
            commit = theirs if moved.code == 0 else None
        else:
            heads = (ours, theirs)
            here = set(list_files(repository, ours))
            new = {entry.path: entry.blob for entry in list_files(repository, theirs) if entry not in here}
            derived = derive(heads) if derive else {}
            commit = _commit(
                repository, f"refs/heads/{branch}", heads, derived, new, message=message, committer=committer
            )
        if commit:
            return Written(commit=commit, changed=True)
    raise AssertionError


def _tries(branch: str) -> Iterator[int]:
    chance = random.SystemRandom()
    for attempt in range(ATTEMPTS):
        yield attempt
        time.sleep(chance.uniform(0, min(_LONGEST_PAUSE, 0.01 * 2**attempt)))
    raise OutsideError(
        f"the branch {branch} could not be written in {ATTEMPTS} tries",
        f"Others write it at the same time, or a killed git left .git/refs/heads/{branch}.lock behind: remove it then.",
    )


def _commit(
    repository: Repository,
    ref: str,
    parents: tuple[str, ...],
    files: Mapping[str, bytes],
    blobs: Mapping[str, str],
    *,
    message: str,
    committer: bytes,
) -> str | None:
    """Commit on top of `parents` and move the ref; None when somebody else moved it first."""
    # Without "done" a stream cut short by a kill would be committed as far as it came.
    lines = [b"feature done\n", b"commit ", os.fsencode(ref), b"\nmark :1\n"]
    lines += [b"committer ", committer, b" now\n", _data(message.encode())]
    lines += [b"%s %s\n" % (verb, parent.encode()) for verb, parent in zip((b"from", b"merge"), parents, strict=False)]
    lines += [b"M 100644 %s %s\n" % (blob.encode(), _quoted(path)) for path, blob in sorted(blobs.items())]
    lines += [b"M 100644 inline %s\n%s" % (_quoted(path), _data(data)) for path, data in sorted(files.items())]
    lines += [b"get-mark :1\n", b"done\n"]
    answer = repository.call("fast-import", "--quiet", "--date-format=now", stdin=b"".join(lines))
    if answer.code == 0:
        return answer.out.decode().strip()
    if re.search(r"Not updating refs/|cannot lock ref|Unable to create .*\.lock", answer.err) and not re.search(
        r"exists; cannot create|Permission denied|No space left|Read-only", answer.err
    ):
        return None
    raise repository.failure("fast-import", answer, f"{ref.removeprefix('refs/heads/')} is as it was.")


def _data(data: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(data), data)


def _quoted(path: str) -> bytes:
    raw = os.fsencode(path)
    return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'


def _blob_ids(repository: Repository, commit: str, paths: Iterable[str]) -> dict[str, str]:
    wanted = list(paths)
    ids: dict[str, str] = {}
    for start in range(0, len(wanted), _PATHS_PER_CALL):
        chunk = wanted[start : start + _PATHS_PER_CALL]
        ids |= {entry.path: entry.blob for entry in repository.look_up(commit, chunk) if entry.mode != "040000"}
    return ids


def _is_blob(blob: str, data: bytes) -> bool:
    """Whether git's id for these bytes is `blob`: sha1 or sha256 over a header and the bytes."""
    if not blob:
        return False
    algorithm = hashlib.sha256 if len(blob) == 64 else hashlib.sha1
    return algorithm(b"blob %d\0%s" % (len(data), data), usedforsecurity=False).hexdigest() == blob


def _committer(repository: Repository) -> bytes:
    """The user's own name where one is configured, so that it says who recorded; else a fixed one."""
    answer = repository.call("config", "-z", "--get-regexp", r"^user\.(name|email)$")
    entries = dict(entry.split(b"\n", 1) for entry in answer.out.split(b"\0") if b"\n" in entry)
    name, email = entries.get(b"user.name", b""), entries.get(b"user.email", b"")
    if not (name and email):
        name, email = (part.encode() for part in _NOBODY)
    name, email = (re.sub(rb"[<>\n\0]", b"", part) for part in (name, email))
    return b"%s <%s>" % (name, email)
