"""The project's behaviour tests of the model: the judge's files, on the candidate."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import msgspec

from mlops_ci.edge import files, model_tests
from mlops_ci.errors import UserCodeError
from mlops_ci.records.evaluation import Holdout
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part, Result
from mlops_ci.steps.cache import Cache
from mlops_ci.steps.change import MODEL_TESTS
from mlops_ci.steps.fit import Fitted
from mlops_ci.steps.project import Project
from mlops_ci.steps.snapshot import Snapshot
from mlops_ci.steps.trees import Tree
from mlops_ci.steps.workshop import Workshop


class _NotKept(Exception):  # noqa: N818 - no error: an answer that another run may give differently
    """Results of which some could not be found out: time and memory may be there the next time."""

    def __init__(self, results: tuple[Result, ...]) -> None:
        super().__init__()
        self.results = results


def run_model_tests(
    project: Project,
    rules: Tree,
    head: Tree,
    snapshot: Snapshot,
    holdout: Holdout,
    fitted: Fitted,
    predictions: Path,
    workshop: Workshop,
) -> tuple[Result, ...]:
    """One Result a test of `rules` on the model of `head`; none where the project has no tests/model."""
    tests = tuple(path for path in rules.paths if path.startswith(MODEL_TESTS))
    if not any(path.endswith(".py") for path in tests):
        return ()
    reads = [
        [[path, files.sha256(rules.root / path)] for path in tests if (rules.root / path).is_file()],
        fitted.digest or fitted.model,
        workshop.code,
        workshop.environment.digest,
        snapshot.info.digest,
        snapshot.info.split,
    ]
    make = partial(
        _run,
        rules=rules,
        head=head,
        tests=tests,
        snapshot=snapshot,
        holdout=holdout,
        fitted=fitted,
        predictions=predictions,
        workshop=workshop,
    )
    try:
        folder, _ = Cache(project.state).folder("tests", reads, make)
    except _NotKept as unfinished:
        return unfinished.results
    return msgspec.json.decode((folder / "results.json").read_bytes(), type=tuple[Result, ...])


def _run(
    folder: Path,
    *,
    rules: Tree,
    head: Tree,
    tests: tuple[str, ...],
    snapshot: Snapshot,
    holdout: Holdout,
    fitted: Fitted,
    predictions: Path,
    workshop: Workshop,
) -> None:
    with workshop.open(extra=tuple((rules.root / path, path) for path in tests)) as bench:
        request = {
            "tests": MODEL_TESTS.rstrip("/"),
            "model": fitted.model,
            "holdout": str(snapshot.folder / "holdout"),
            "train": str(snapshot.folder / "train"),
            "predictions": str(predictions),
            "target": head.config.data.target,
            "id": list(head.config.data.id),
            "task": str(holdout.task),
            "classes": list(holdout.classes),
        }
        try:
            results = model_tests.run(
                request,
                python=bench.python,
                workspace=bench.workspace,
                scratch=bench.scratch,
                limits=bench.limits,
                secrets=bench.secrets,
            )
        except UserCodeError as error:
            results = (
                Result(
                    check="model tests",
                    part=Part.TESTS,
                    status=Status.ERRORED,
                    message=error.message,
                    details="\n".join(filter(None, (error.advice, error.details))),
                ),
            )
    # How long a test took is not part of its answer.
    steady = tuple(msgspec.structs.replace(result, numbers={}) for result in results)
    if any(result.status is Status.ERRORED for result in steady):
        raise _NotKept(steady)
    (folder / "results.json").write_bytes(msgspec.json.encode(steady))
