"""What the run took: only where the run is known, never in the stored report."""

from __future__ import annotations

from mlops_ci.reports import numbers
from mlops_ci.reports.document import Block, Paragraph, Strong, Text
from mlops_ci.reports.story import Story


def section(story: Story) -> tuple[Block, ...]:
    run = story.run
    if run is None:
        return ()
    parts = [f"{numbers.duration(run.seconds)} in all"]
    if run.training_seconds is not None:
        parts.append(f"training {numbers.duration(run.training_seconds)}")
    if run.peak_memory_bytes is not None:
        parts.append(f"at most {numbers.size(run.peak_memory_bytes)} of memory")
    slowest = sorted(run.timings.items(), key=lambda timing: -timing[1])
    parts += [f"{name} {numbers.duration(seconds)}" for name, seconds in slowest if seconds >= 0.05]
    if run.restored:
        parts.append(f"restored: {', '.join(run.restored)}")
    parts.append(f"started {run.started[:16].replace('T', ' ')} UTC")
    if run.mlflow_run:
        parts.append(f"MLflow run {run.mlflow_run}")
    return (Paragraph((Strong("Cost: "), Text(" · ".join(parts)))),)
