"""The pull request of a promotion or a rollback, in words: its text, and why one is closed."""

from __future__ import annotations

from mlops_ci.reports import words
from mlops_ci.reports.markdown import LIMIT, code, text


def body(report: str, *, path: str, environment: str, decision: str, waits: bool) -> str:
    """The text: the report of the decision as Markdown, and what a merge does.

    `path`: of the environment's file. `waits`: GitHub holds its checks back until somebody approves.
    """
    parts = [f"Merging this moves {text(environment)}: it changes {code(path)} and nothing else."]
    if waits:
        parts.append(words.HELD_BACK)
    ending = "\n\n".join(parts) + "\n"
    whole = f"{report.rstrip()}\n\n---\n\n{ending}"
    return whole if len(whole) <= LIMIT else f"The report: `mlops-ci report {decision[:12]}`.\n\n{ending}"


def given_way(environment: str, release: str, reason: str) -> str:
    """Why an open one is closed by a rollback."""
    return f"{text(environment)} goes back to {text(release)} instead: {text(reason)}"


def overtaken(environment: str, runs: str) -> str:
    """Why one is closed that was planned on what does not run any more, or whose branch people edited."""
    now = f"{text(environment)} runs {text(runs) if runs else 'nothing'} now"
    return f"A new one is opened: {now}, and this one was planned on another file, or edited by hand since."


def second(environment: str, number: int) -> str:
    """Why one is closed that was opened at the same time as another."""
    return f"#{number:d} was opened at the same moment, and {text(environment)} takes one at a time."
