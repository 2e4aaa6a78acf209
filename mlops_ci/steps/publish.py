"""A decision brought into the ledger of the remote: recorded on top of what it has now, pushed without force."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from mlops_ci.edge import remote
from mlops_ci.errors import OutsideError
from mlops_ci.ledger import names
from mlops_ci.steps import ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_ci.edge.git import Repository
    from mlops_ci.ledger.entries import Entry

_HERE = f"refs/heads/{names.BRANCH}"
_ATTEMPTS = 8
_LONGEST_PAUSE = 4.0


def bring_in(repository: Repository) -> None:
    """What the remote's ledger holds, into the one here; where both took a number, the remote's release has it."""
    if ledger.fetch(repository) and repository.find(_HERE):
        ledger.merge(repository, f"refs/remotes/origin/{names.BRANCH}")


def publish(repository: Repository, entries: Sequence[Entry]) -> str:
    """Record every entry and push; the commit of the remote's ledger that holds them.

    What others pushed meanwhile is brought in first, so that looks are counted on what the ledger holds. OutsideError
    where the remote refuses, or a guarantee does not hold any more: then nothing of this decision is on the remote.
    A release whose number the remote did not take is not recorded here either; NumberTakenError where others took it.
    """
    for attempt in range(_ATTEMPTS):
        bring_in(repository)
        appended = [ledger.append(repository, entry) for entry in entries]
        commit = ledger.head(repository)
        if commit is None:
            return ""
        pushed = False
        try:
            pushed = remote.push(repository, f"{commit}:{_HERE}")
        finally:
            if not pushed and any(entry.release for entry in entries):
                for one in reversed(appended):
                    ledger.withdraw(repository, one)
        if pushed:
            return commit
        time.sleep(random.SystemRandom().uniform(0, min(_LONGEST_PAUSE, 0.1 * 2**attempt)))
    raise OutsideError(
        f"the branch {names.BRANCH} could not be pushed in {_ATTEMPTS} tries",
        "Others push to it all the time. Run the job again: what was decided is not lost.",
    )
