"""upgrade: the newest mlops-ci the index has → its own word on this repository → lock and workflows in one change."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec

from mlops_ci.records.upgrades import TakenOver
from mlops_ci.reports import upgrade as words
from mlops_ci.steps import newer, take_over, upgrade
from mlops_ci.steps.progress import Progress
from mlops_ci.steps.project import repository_around
from mlops_ci.steps.upgrade import Proposed


class How(StrEnum):
    """What becomes of a newer version."""

    CHECK = "check"
    WRITE = "write"
    COMMIT = "commit"
    PROPOSE = "propose"


class Upgraded(msgspec.Struct, frozen=True, kw_only=True):
    """`taken`: None where nothing newer is there, or it was only asked for. `written`: paths in the repository."""

    current: str
    newest: str
    is_newer: bool
    taken: TakenOver | None = None
    written: tuple[str, ...] = ()
    commit: str = ""
    proposed: Proposed | None = None


def upgrade_to_newest(start: Path, how: How, progress: Progress) -> Upgraded:
    """Bring lock, workflows and verdicts to the newest version; nothing is written before all of it is known."""
    repository = repository_around(start)
    found = newer.look(repository)
    told = Upgraded(current=found.current, newest=found.newest, is_newer=found.is_newer)
    if not found.is_newer and how is How.PROPOSE:
        return msgspec.structs.replace(told, proposed=upgrade.close_overtaken(found))
    if not found.is_newer or how is How.CHECK:
        return told
    if how is How.PROPOSE:
        if before := upgrade.answered(found):
            return msgspec.structs.replace(told, proposed=before)
    else:
        upgrade.check_clean(repository)
    taken = newer.ask(found, repository, progress)
    told = msgspec.structs.replace(told, taken=taken)
    if how is How.PROPOSE:
        return msgspec.structs.replace(told, proposed=upgrade.propose(repository, found, taken))
    files = upgrade.content(found, taken)
    if how is How.COMMIT:
        upgrade.check_committable(repository, files)
    upgrade.write(repository, files)
    commit = upgrade.commit(repository, files, found.newest, words.judged(taken.judged)) if how is How.COMMIT else ""
    return msgspec.structs.replace(told, written=tuple(files), commit=commit)


def answer(start: Path, into: Path) -> None:
    """What this version makes of the repository, for the older one that asks; written to `into`, and nothing else."""
    take_over.answer(repository_around(start), into)
