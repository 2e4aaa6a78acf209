"""Is there a newer mlops-ci, how is it locked, and what does that version itself say of this repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge import files, uv
from mlops_ci.edge.processes import Limits, machine_environment, run
from mlops_ci.errors import OutsideError, UsageError
from mlops_ci.records.upgrades import TakenOver
from mlops_ci.steps.lock import TOOL_LOCK, UNPINNED, relocked, tool_lock
from mlops_ci.steps.project_files import read_text

if TYPE_CHECKING:
    from mlops_ci.edge.git import Repository
    from mlops_ci.steps.progress import Progress

_LOCKED = re.compile(r"^mlops-ci==(?P<version>[0-9A-Za-z.+!-]+)", re.MULTILINE)
_RELEASE = re.compile(r"\d+(\.\d+)*")
_SECONDS = 1800


class Newer(msgspec.Struct, frozen=True, kw_only=True):
    """The version that is locked, the newest the index has, and the text of a lock with that."""

    current: str
    newest: str
    lock: str

    @property
    def is_newer(self) -> bool:
        return _is_newer(self.newest, self.current)


def look(repository: Repository) -> Newer:
    """Ask the index. OutsideError where it does not answer, UsageError where no version is locked."""
    before = read_text(repository.root / TOOL_LOCK) or ""
    text = tool_lock(relocked(f"{UNPINNED}\n", before=before, upgrade="mlops-ci"))
    return Newer(current=_version(before), newest=_version(text), lock=text)


def ask(newer: Newer, repository: Repository, progress: Progress) -> TakenOver:
    """What the newer version makes of the repository. Nothing is written into it."""
    with files.temporary() as folder:
        lock = folder / "tool.lock"
        lock.write_text(newer.lock, encoding="utf-8")
        progress.note(f"installing mlops-ci {newer.newest} beside this one")
        uv.install(lock, folder / "tool", making=f"an environment with mlops-ci {newer.newest}")
        answer = folder / "answer.json"
        program = folder / "tool" / "bin" / "mlops-ci"
        finished = run(
            [str(program), "-C", str(repository.root), "upgrade", "--answer", str(answer)],
            cwd=folder,
            environment=machine_environment(()),
            log=folder / "log.txt",
            limits=Limits(seconds=_SECONDS),
        )
        if not finished.succeeded or not answer.is_file():
            kind = UsageError if finished.code == UsageError.exit_code else OutsideError
            said = finished.log.strip().removeprefix("error: ") or f"it ended with code {finished.code}"
            raise kind(
                f"mlops-ci {newer.newest} cannot take over: {said}",
                "Nothing was changed. Mend that, then run it again.",
            )
        return _decoded(answer, newer)


def _decoded(answer: Path, newer: Newer) -> TakenOver:
    try:
        found = msgspec.json.decode(answer.read_bytes(), type=TakenOver)
    except msgspec.MsgspecError as error:
        raise OutsideError(
            f"the answer of mlops-ci {newer.newest} is not understood: {error}",
            f"Lock it by hand: echo '{UNPINNED}=={newer.newest}' | uv pip compile --universal --generate-hashes - -o "
            f"{TOOL_LOCK}, then `mlops-ci workflows --update` with that version.",
        ) from error
    if found.version != newer.newest:
        raise OutsideError(
            f"the index gave mlops-ci {found.version} for {newer.newest}", "Nothing was changed. Is the index whole?"
        )
    return found


def _version(lock: str) -> str:
    found = _LOCKED.search(lock)
    if found is None:
        raise UsageError(f"{TOOL_LOCK} does not say which mlops-ci is locked", "`mlops-ci doctor` says how to mend it.")
    return found["version"]


def _is_newer(one: str, other: str) -> bool:
    """By the numbers of the release; of equal ones the final release is newer than what came before it."""
    releases = [_RELEASE.match(version) for version in (one, other)]
    first, second = (tuple(map(int, found.group().split("."))) if found else () for found in releases)
    ends = [found.group() == version if found else False for found, version in zip(releases, (one, other), strict=True)]
    return first > second or (first == second and ends == [True, False])
