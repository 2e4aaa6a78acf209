"""Where things lie on the branch of decisions."""

from __future__ import annotations

import re
from datetime import UTC, datetime

BRANCH = "mlops-reports"
PAGE = "README.md"
DECISIONS = "decisions"
HOLDOUTS = "holdouts"
RELEASES = "releases"
ERASED = "erased"
_DECISION = re.compile(r"decisions/\d{4}/\d\d/\d\d/([0-9a-f]{64})/decision\.json")
_LOOK = re.compile(r"([0-9a-f]{32,64})\.json")
_RELEASE = re.compile(r"releases/[a-z0-9][a-z0-9-]*/v([1-9]\d{0,8})\.json")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def decision_folder(decision_id: str, commit_time: str) -> str:
    """The folder of a decision, by the UTC day its subject was committed: the same from every clone.

    `commit_time` is ISO 8601 with a zone; ValueError when it is not.
    """
    day = datetime.fromisoformat(commit_time)
    if day.tzinfo is None:
        raise ValueError(f"{commit_time} has no time zone")
    return f"{DECISIONS}/{day.astimezone(UTC):%Y/%m/%d}/{decision_id}"


def decision_id(path: str) -> str | None:
    """The id in the path of a decision.json, None for every other path."""
    match = _DECISION.fullmatch(path)
    return match[1] if match else None


def holdout_folder(digest: str) -> str:
    return f"{HOLDOUTS}/{plain(digest)}"


def look_path(holdout: str, look: str) -> str:
    """The file that says what was judged on this holdout, by its digest."""
    name = f"{look}.json"
    if not _LOOK.fullmatch(name):
        raise ValueError(f"{look!r} is not a digest")
    return f"{holdout_folder(holdout)}/{name}"


def look(name: str) -> str | None:
    """The digest in the name of a look file, None for every other file of a holdout.

    Of the look; in ledgers of older versions, of the predictions.
    """
    match = _LOOK.fullmatch(name)
    return match[1] if match else None


def plain(name: str) -> str:
    """`name` if it can stand as a file name everywhere; ValueError otherwise."""
    if not _PLAIN.fullmatch(name):
        raise ValueError(f"{name!r} is not a plain file name")
    return name


def release_path(project: str, number: int) -> str:
    """The file that says which bundle a release is."""
    return f"{RELEASES}/{plain(project)}/v{number}.json"


def tombstone_path(digest: str) -> str:
    """The file that says a bundle was erased; ValueError where that is no digest."""
    if not _DIGEST.fullmatch(digest):
        raise ValueError(f"{digest!r} is not a digest")
    return f"{ERASED}/{digest}.json"


def release_number(path: str) -> int | None:
    """The number in the path of a release, None for every other path."""
    match = _RELEASE.fullmatch(path)
    return int(match[1]) if match else None
