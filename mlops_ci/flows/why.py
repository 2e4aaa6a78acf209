"""why: the chain of reasons behind what runs somewhere, or behind a release."""

from __future__ import annotations

from pathlib import Path

from mlops_ci.records.chains import Chain
from mlops_ci.steps.project import open_project
from mlops_ci.steps.why import chain_of


def why(start: Path, asked: str) -> Chain:
    """File, commit, decision, rules and gates, release, model, data, code, parameters, environment, training run."""
    return chain_of(open_project(start), asked)
