"""What a check came to, told at a desk and in a job in the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.cli.output import aside, clean, echo, emit_json
from mlops_ci.records.outcomes import Status, exit_code
from mlops_ci.reports.terminal import safe, verdict_lines
from mlops_ci.reports.visible import visible_lines

if TYPE_CHECKING:
    from mlops_ci.steps.write import Checked


def tell(checked: Checked, *, as_json: bool) -> int:
    """Print the verdict, on stderr what is behind a result that could not be found out; the exit code."""
    for result in checked.decision.checks:
        if result.status is Status.ERRORED and result.details:
            aside(result.check, (safe(line, 400) for line in visible_lines(result.details).splitlines()))
    if as_json:
        emit_json(checked.document())
    else:
        for line in verdict_lines(checked.story):
            echo(clean(line))
    return exit_code(checked.decision.outcome)
