"""Scores files with a bundle, in the environment it brings."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mlops_ci.edge import scoring

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_ci.records.scoring import Scored
    from mlops_ci.steps.progress import Progress


def score_files(
    bundle: Path, options: tuple[str, ...], folder: Path, progress: Progress, *, trust: Path | None = None
) -> Scored:
    """Files in, files out; paths among the options are relative to `folder`."""
    began = time.perf_counter()
    scored = scoring.score(bundle, options, folder=folder, say=progress.note, trust=trust)
    progress.finished("score", _told(scored), time.perf_counter() - began)
    return scored


def _told(scored: Scored) -> str:
    files = f"{scored.files} file{'s' if scored.files != 1 else ''}"
    before = f", {scored.scored_before} of them before" if scored.scored_before else ""
    return f"{scored.rows:,} rows of {files}{before}"
