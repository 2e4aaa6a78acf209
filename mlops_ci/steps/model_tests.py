"""The project's behaviour tests of the model: the judge's files, on the candidate."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import msgspec

from mlops_ci.config.settings import Config
from mlops_ci.edge import files, model_tests
from mlops_ci.errors import UserCodeError
from mlops_ci.gates.behaviour import judge
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

_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$")
_TEST = re.compile(rb"^\s*(async +)?def +test", re.MULTILINE)


class _NotKept(Exception):  # noqa: N818 - no error: an answer that another run may give differently
    """Results of which some could not be found out: time and memory may be there the next time."""

    def __init__(self, results: tuple[Result, ...]) -> None:
        super().__init__()
        self.results = results


class Tests(msgspec.Struct, frozen=True, kw_only=True):
    """The files of tests/model: path -> where it is read from. `proposed`: those that only head has."""

    files: dict[str, Path]
    proposed: frozenset[str]


def find_tests(rules: Tree, head: Tree) -> Tests:
    """The judge's test files; those that head adds run beside them and do not block yet."""
    ours, theirs = (
        {path: tree.root / path for path in tree.paths if path.startswith(MODEL_TESTS) and (tree.root / path).is_file()}
        for tree in (rules, head)
    )
    return Tests(files=theirs | ours, proposed=frozenset(theirs.keys() - ours.keys()))


def has_tests(rules: Tree, head: Tree) -> bool:
    """Whether a model that is trained here has tests of the judge's to answer."""
    train = head.config.train
    if train is None or train.predictions:
        return False
    names = (path for path in rules.paths if path.startswith(MODEL_TESTS) and _TEST_FILE.search(path))
    return any(_TEST.search((rules.root / name).read_bytes()) for name in names if (rules.root / name).is_file())


def run_model_tests(
    project: Project,
    tests: Tests,
    config: Config,
    snapshot: Snapshot,
    holdout: Holdout,
    fitted: Fitted,
    predictions: Path,
    workshop: Workshop,
) -> tuple[Result, ...]:
    """One Result a test; none where the project has no tests/model."""
    if not any(path.endswith(".py") for path in tests.files):
        return ()
    reads = [
        [[path, files.sha256(place)] for path, place in sorted(tests.files.items())],
        sorted(tests.proposed),
        fitted.digest or fitted.model,
        workshop.code,
        workshop.environment.digest,
        snapshot.info.digest,
        snapshot.info.split,
        [config.data.group, config.data.time, holdout.digest],
    ]
    make = partial(
        _run,
        tests=tests,
        config=config,
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
    tests: Tests,
    config: Config,
    snapshot: Snapshot,
    holdout: Holdout,
    fitted: Fitted,
    predictions: Path,
    workshop: Workshop,
) -> None:
    with workshop.open(extra=tuple((place, path) for path, place in tests.files.items())) as bench:
        request = {
            "tests": MODEL_TESTS.rstrip("/"),
            "model": fitted.model,
            "holdout": str(snapshot.folder / "holdout"),
            "train": str(snapshot.folder / "train"),
            "predictions": str(predictions),
            "target": config.data.target,
            "id": list(config.data.id),
            "group": list(config.data.group),
            "day": config.data.time if holdout.by_day else None,
            "task": str(holdout.task),
            "classes": list(holdout.classes),
        }
        try:
            tested = model_tests.run(
                request,
                python=bench.python,
                workspace=bench.workspace,
                scratch=bench.scratch,
                limits=bench.limits,
                secrets=bench.secrets,
            )
            results = judge(tested)
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
    steady = tuple(_steady(result, tests.proposed) for result in results)
    if any(result.status is Status.ERRORED for result in steady):
        raise _NotKept(steady)
    (folder / "results.json").write_bytes(msgspec.json.encode(steady))


def _steady(result: Result, proposed: frozenset[str]) -> Result:
    """Without the time it took, which is not part of the answer; a test that only head has does not block."""
    new = result.where is not None and result.where.file in proposed
    steady = {name: number for name, number in result.numbers.items() if name != "seconds"}
    return msgspec.structs.replace(result, numbers=steady, blocking=result.blocking and not new)
