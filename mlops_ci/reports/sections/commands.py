"""What to do next: exact commands to copy."""

from __future__ import annotations

from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.results import Part
from mlops_ci.reports import numbers
from mlops_ci.reports.document import Block, CodeBlock, Heading, Text
from mlops_ci.reports.story import Story


def section(story: Story) -> tuple[Block, ...]:
    width = max(len(command) for command, _ in commands(story))
    lines = [f"{command:<{width}}  # {why}" for command, why in commands(story)]
    return (Heading((Text("Next"),)), CodeBlock("\n".join(lines)))


def commands(story: Story) -> tuple[tuple[str, str], ...]:
    """Each command with what it does; names of columns and branches are never part of one."""
    decision = story.decision
    tool, found = f"mlops-ci{folder(story)}", []
    if decision.subject.commit and not decision.subject.dirty:
        found.append((f"{tool} check --at {numbers.short(decision.subject.commit)}", "the same at your desk"))
    number = blocking_gate(story)
    if number is not None:
        if decision.numbered_gates[number - 1].rows is not None:  # of those kept for verdicts nothing is listed
            found.append((f"{tool} rows {story.name} --gate {number}", "the rows behind the gate"))
        found.append((f"{tool} waive {number} --reason ... --until ...", "let it through for a while, by a review"))
    elif story.stopped_by and story.stopped_by[0].part is Part.DATA:
        found.append((f"{tool} data diff", "what changed in the data"))
        found.append((f"{tool} explain {_check(story)}", "what this check asks"))
    if decision.outcome is Outcome.UNDECIDED and number is not None:
        found.append((f"{tool} gates plan", "how many rows each gate needs"))
    found.append((reads(story), "the full report"))
    return tuple(found)


def reads(story: Story) -> str:
    """The command that shows the report of this decision."""
    return f"mlops-ci{folder(story)} report {story.name}"


def folder(story: Story) -> str:
    """` -C models/churn` for a project that is not at the root; left out where its name would need quoting."""
    return f" -C {story.prefix}" if _plain(story.prefix) else ""


def blocking_gate(story: Story) -> int | None:
    """The number, as it is shown, of the first gate that does not let this pass; None when no gate does."""
    wanted = Status(story.decision.outcome.value)
    if wanted not in {Status.FAILED, Status.UNDECIDED}:
        return None
    numbered = enumerate(story.decision.numbered_gates, 1)
    return next((number for number, one in numbered if one.blocking and one.verdict is wanted), None)


def _check(story: Story) -> str:
    name = story.stopped_by[0].check
    return name if _plain(name) else "contract"


def _plain(text: str) -> bool:
    """Safe to paste into any shell as it is."""
    return bool(text) and all(sign.isascii() and (sign.isalnum() or sign in "_-./") for sign in text) and text[0] != "-"
