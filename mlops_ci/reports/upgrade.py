"""What an upgrade changes, in words: lines for a terminal, and the text of the pull request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_ci.reports import words
from mlops_ci.reports.markdown import code, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_ci.records.upgrades import Changed, JudgedAgain, TakenOver

UPDATE = "mlops-ci workflows --update"
_MOST = 20
_MARK = "<!-- mlops-ci:upgrade {} -->"


def title(version: str) -> str:
    """Of the pull request and of the commit."""
    return f"Upgrade mlops-ci to {version}"


def overtaken(version: str) -> str:
    """Why a pull request is closed that nobody merged."""
    return f"The default branch has mlops-ci {text(version)}, which is the newest there is: nothing is left to do here."


def version_told(text: str) -> str:
    """The version that the text of a pull request is about; empty where it is none of ours."""
    found = re.search(_MARK.format(r"(\S+)"), text)
    return found[1] if found else ""


def judged(found: JudgedAgain) -> str:
    """How many verdicts stay, in a sentence."""
    if not found.decisions:
        return "There is no decision to judge again."
    decisions = f"the last {found.decisions} decisions" if found.decisions > 1 else "the last decision"
    if not found.verdicts:
        return f"None of {decisions} kept rows to judge again."
    rowless = f" ({found.without_rows} kept no rows)" if found.without_rows else ""
    noun, verb = "verdict" if found.verdicts == 1 else "verdicts", "stays" if found.stay == 1 else "stay"
    return f"{found.stay} of {found.verdicts} {noun} of {decisions} {verb}{rowless}."


def changed(one: Changed) -> str:
    """One verdict that does not stay."""
    return f"{one.decision[:12]} ({one.project}, commit {one.commit[:7]}): {one.told}"


def body(current: str, taken: TakenOver, *, left_out: Sequence[str], waits: bool) -> str:
    """The text of the pull request.

    `left_out`: files that the token may not write. `waits`: GitHub holds its checks back until somebody approves.
    """
    parts = [f"mlops-ci {text(current)} → {text(taken.version)}", _files(taken, left_out), judged(taken.judged)]
    if taken.judged.changed:
        listed = [f"* {text(changed(one))}" for one in taken.judged.changed[:_MOST]]
        more = len(taken.judged.changed) - _MOST
        parts += ["These do not:", "\n".join([*listed, *([f"* and {more} more"] if more > 0 else [])])]
    if left_out:
        parts.append(
            f"**Left out**: {', '.join(map(code, left_out))}. The token of a workflow may not change workflows. On "
            f"this branch, with mlops-ci {text(taken.version)}: `{UPDATE}`, then commit. Or give the environment "
            "`mlops` a secret `MLOPS_CI_TOKEN` that may write contents, workflows and pull requests."
        )
    if taken.conflicts:
        parts.append(
            f"**Edited by people where it changes now**, and left as it is: {', '.join(map(code, taken.conflicts))}. "
            f"`{UPDATE}` marks the places."
        )
    if waits:
        parts.append(words.HELD_BACK)
    return "\n\n".join([*parts, _MARK.format(taken.version)]) + "\n"


def _files(taken: TakenOver, left_out: Sequence[str]) -> str:
    lines = ["* `.mlops-ci/tool.lock`: what CI installs, with hashes"]
    lines += [f"* {code(path)}: in step with this version" for path in sorted(taken.files) if path not in left_out]
    return "\n".join(lines)
