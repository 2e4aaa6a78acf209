"""What a newer mlops-ci would make of a repository; it passes as JSON from the newer version to the older one."""

from __future__ import annotations

import msgspec


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict that does not follow from its evidence any more, or a decision that cannot be read (`told`)."""

    decision: str
    project: str
    commit: str
    told: str


class JudgedAgain(msgspec.Struct, frozen=True, kw_only=True):
    """The last decisions, judged again from what was kept of them.

    `verdicts`: of decisions that kept their rows; `stay`: those of them that still follow.
    """

    decisions: int = 0
    verdicts: int = 0
    stay: int = 0
    without_rows: int = 0
    changed: tuple[Changed, ...] = ()


class TakenOver(msgspec.Struct, frozen=True, kw_only=True):
    """Made by the version `version`. `files`: path in the repository -> content, of what it would write.

    `conflicts`: generated files that people edited on lines that change; they are not among `files`.
    """

    version: str
    files: dict[str, bytes] = {}
    conflicts: tuple[str, ...] = ()
    judged: JudgedAgain = JudgedAgain()
