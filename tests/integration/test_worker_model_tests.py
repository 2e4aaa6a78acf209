"""The project's model tests, run by its own pytest, with every way in which they end."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest

from mlops_ci.edge import model_tests
from mlops_ci.edge.processes import Limits
from mlops_ci.errors import UserCodeError
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Result
from mlops_ci.worker import frames

MODEL = """
import numpy as np

class Model:
    classes_ = np.array(["no", "yes"])
    feature_names_in_ = np.array(["x"])
    def predict(self, frame): return np.where(frame["x"] > 0, "yes", "no")
    def predict_proba(self, frame):
        p = 1 / (1 + np.exp(-frame["x"].to_numpy()))
        return np.column_stack([1 - p, p])
"""


class Project:
    def __init__(self, root: Path) -> None:
        self.root, self.workspace = root, root / "workspace"
        (self.workspace / "tests" / "model").mkdir(parents=True)
        (self.workspace / "mine.py").write_text(MODEL, encoding="utf-8")
        (root / "model.pkl").write_bytes(b"\x80\x04\x8c\x04mine\x8c\x05Model\x93)R.")
        table = pd.DataFrame({"row": [1, 2, 3], "x": [-1.0, 0.5, 2.0], "late": ["no", "yes", "no"]})
        frames.write(table, root / "holdout")
        frames.write(table.iloc[:2], root / "train")
        np.save(root / "labels.npy", np.array([0, 1, 1], np.int32))
        np.save(root / "scores.npy", np.array([0.1, 0.6, 0.9], np.float32))

    def test(self, text: str, *, name: str = "tests/model/test_late.py", seconds: float = 60) -> dict[str, Result]:
        self.write(text, name)
        tested = model_tests.run(
            {
                "tests": "tests/model",
                "model": str(self.root / "model.pkl"),
                "holdout": str(self.root / "holdout"),
                "train": str(self.root / "train"),
                "predictions": str(self.root),
                "target": "late",
                "id": ["row"],
                "task": "binary",
                "classes": ["no", "yes"],
                "group": ["town"],
            },
            python=Path(sys.executable),
            workspace=self.workspace,
            scratch=self.root / "scratch",
            limits=Limits(seconds=seconds),
        )
        self.behaviours = {one.result.check: one.behaviours for one in tested}
        self.results = {one.result.check: one.result for one in tested}
        return self.results

    def write(self, text: str, name: str) -> None:
        (self.workspace / name).write_text(textwrap.dedent(text), encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_fixtures_give_the_model_the_rows_and_what_was_judged(project: Project):
    results = project.test(
        """
        def test_predict(predict, holdout):
            assert predict(holdout).tolist() == ["no", "yes", "yes"]
            assert predict.proba(holdout).shape == (3,)
            assert predict.proba(holdout)[2] > 0.8

        def test_rows(holdout, train_data):
            assert list(holdout.columns) == ["row", "x", "late"]
            assert len(train_data) == 2
            holdout["x"] = 0

        def test_rows_are_fresh(holdout):
            assert holdout["x"].tolist() == [-1.0, 0.5, 2.0]

        def test_predictions(predictions, holdout):
            assert predictions["label"].tolist() == ["no", "yes", "yes"]
            assert (predictions["label"] == holdout["late"]).mean() > 0.6
            assert (predictions["score"] * 10).round().tolist() == [1, 6, 9]

        def test_model(model):
            assert type(model).__module__ == "mine"
        """
    )
    assert {name: result.status for name, result in results.items()} == {
        f"test_late.py::test_{name}": Status.PASSED
        for name in ("predict", "rows", "rows_are_fresh", "predictions", "model")
    }, [result.details for result in results.values()]


def test_outcomes_are_pytests_own_and_a_failure_says_what_and_where(project: Project):
    results = project.test(
        """
        import pytest

        def test_fails(predict, holdout):
            answer = predict(holdout)[0]
            assert answer == "yes", "rain must not help"

        def test_raises(predict):
            predict({}["gone"])

        @pytest.fixture
        def broken(): raise ValueError("no data")

        def test_fixture(broken): pass

        @pytest.mark.skip(reason="later")
        def test_skipped(): pass

        @pytest.mark.xfail(reason="known")
        def test_known(): assert False

        def test_shows(holdout):
            assert len(holdout) == 4

        def test_refused(predict, holdout):
            predict(holdout.drop(columns="x"))
        """
    )
    failed = results["test_late.py::test_fails"]
    assert (failed.status, failed.message) == (Status.FAILED, "rain must not help")
    assert str(failed.where) == "tests/model/test_late.py:6"
    assert "answer = predict(holdout)[0]" not in failed.details
    assert 'assert answer == "yes"' in failed.details
    assert results["test_late.py::test_raises"].status is Status.FAILED
    assert results["test_late.py::test_raises"].message == "KeyError: 'gone'"
    assert results["test_late.py::test_fixture"].status is Status.ERRORED
    assert results["test_late.py::test_skipped"].status is Status.SKIPPED
    assert results["test_late.py::test_skipped"].message == "later"
    assert results["test_late.py::test_known"].status is Status.SKIPPED
    shows = results["test_late.py::test_shows"]
    assert shows.message == "assert 3 == 4"
    assert "where" not in shows.details
    refused = results["test_late.py::test_refused"]
    assert "asks for columns it is not given: 'x'" in refused.message
    assert str(refused.where) == "tests/model/test_late.py:26"
    assert "mlops_ci/worker" not in refused.details


@pytest.mark.parametrize(
    ("crash", "said"),
    [
        ("import os; os._exit(0)", "the interpreter ended with code 0"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "the interpreter was killed by signal 9"),
    ],
)
def test_a_test_that_ends_the_interpreter_is_errored_and_so_are_those_after_it(project: Project, crash: str, said: str):
    results = project.test(f"def test_one(): pass\n\ndef test_two():\n    {crash}\n\ndef test_three(): pass\n")
    assert [result.status for result in results.values()] == [Status.PASSED, Status.ERRORED, Status.ERRORED]
    two, three = list(results.values())[1:]
    assert two.message == f"{said} while this test ran"
    assert str(two.where) == "tests/model/test_late.py:3"
    assert three.message == f"did not run: {said} in test_late.py::test_two"


def test_a_test_that_never_ends_is_stopped(project: Project):
    results = project.test("import time\ndef test_one(): pass\ndef test_two(): time.sleep(600)\n", seconds=8)
    assert [result.status for result in results.values()] == [Status.PASSED, Status.ERRORED]
    assert "not done within 8 s while this test ran" in results["test_late.py::test_two"].message


def test_an_exit_inside_a_test_does_not_hide_the_others(project: Project):
    results = project.test(
        "import pytest\ndef test_one(): raise SystemExit(0)\n"
        "def test_two(): pytest.exit('enough')\ndef test_three(): pass\n"
    )
    assert [result.status for result in results.values()] == [Status.FAILED, Status.ERRORED, Status.ERRORED]


def test_a_module_that_cannot_be_imported_is_errored_beside_the_others(project: Project):
    project.write("def test_fine(): pass\n", "tests/model/test_fine.py")
    results = project.test("import no_such_package\ndef test_one(): pass\n")
    assert results["test_late.py"].status is Status.ERRORED
    assert "No module named 'no_such_package'" in results["test_late.py"].message
    assert str(results["test_late.py"].where) == "tests/model/test_late.py"
    assert results["test_fine.py::test_fine"].status is Status.PASSED


def test_an_interpreter_that_ends_while_tests_are_collected_is_told(project: Project):
    with pytest.raises(UserCodeError, match="ended the interpreter with code 4"):
        project.test("import os\nos._exit(4)\n")


def test_no_tests_are_skipped_with_the_reason(project: Project):
    results = project.test("THERE = 'is no test here'\n")
    assert [(result.status, result.blocking) for result in results.values()] == [(Status.SKIPPED, False)]
    (project.workspace / "tests" / "model" / "test_late.py").unlink()
    assert [result.status for result in project.test("", name="tests/model/README.md").values()] == [Status.SKIPPED]


def test_the_projects_own_pytest_settings_do_not_count(project: Project):
    project.write("[tool.pytest.ini_options]\naddopts = '--cov --no-such-option'\n", "pyproject.toml")
    project.write("[pytest]\naddopts = --boxed\n", "pytest.ini")
    project.write("raise RuntimeError('for the unit tests only')\n", "tests/conftest.py")
    project.write("import pytest\n@pytest.fixture\ndef five(): return 5\n", "tests/model/conftest.py")
    results = project.test("def test_five(five): assert five == 5\n")
    assert results["test_late.py::test_five"].status is Status.PASSED
    assert not (project.workspace / ".pytest_cache").exists()


def test_a_missing_pytest_says_what_to_add(project: Project):
    project.write("raise ModuleNotFoundError('not here', name='pytest')\n", "pytest.py")
    with pytest.raises(UserCodeError, match="the model tests need pytest") as caught:
        project.test("def test_one(): pass\n")
    assert caught.value.advice == "add pytest to your requirements and lock them again"


def test_behaviours_are_counted_for_the_tool_to_judge(project: Project):
    project.test(
        """
        import pytest

        @pytest.fixture
        def rows(holdout):
            return holdout.loc[holdout.index.repeat(100)].reset_index(drop=True)

        def test_higher(behaviour, rows):
            counted = behaviour.direction(
                rows, raise_by={"x": 1}, then="higher", at_least="95%", confidence="99%"
            )
            assert counted.rate == 1

        def test_by_town(behaviour, rows):
            behaviour.minimum(rows.assign(town=rows.index % 30), "yes", at_least=0.6, when_undecided="warn")
            behaviour.invariant(rows, change={"x": lambda x: x * 2}, at_least="90%")

        @pytest.mark.xfail(reason="known")
        def test_known(behaviour, rows):
            behaviour.minimum(rows, "no", at_least="90%")

        def test_wrong_column(behaviour, rows):
            behaviour.direction(rows, raise_by={"y": 1}, then="higher", at_least="95%")
        """
    )
    [higher] = project.behaviours["test_late.py::test_higher"]
    assert (higher.kind, higher.held, higher.of, higher.needed, higher.confidence) == (
        "direction",
        300,
        300,
        0.95,
        0.99,
    )
    assert str(higher.where) == "tests/model/test_late.py:9"
    minimum, invariant = project.behaviours["test_late.py::test_by_town"]
    assert (minimum.held, minimum.of, minimum.when_undecided) == (200, 300, "warn")
    assert sum(many for *_, many in minimum.groups or ()) == 30
    assert (invariant.held, invariant.of, invariant.groups) == (300, 300, None)
    assert project.results["test_late.py::test_known"].status is Status.SKIPPED
    assert project.behaviours["test_late.py::test_known"] == ()
    wrong = project.results["test_late.py::test_wrong_column"]
    assert (wrong.status, wrong.message) == (Status.FAILED, "ValueError: there is no column 'y'")
    assert str(wrong.where) == "tests/model/test_late.py:23"
    assert "mlops_ci/worker" not in wrong.details


@pytest.mark.parametrize(
    "counts", [{"held": 5, "of": 3}, {"held": 0, "of": 0}, {"held": 1, "of": 2, "groups": [[1, 1, 1]]}, {"needed": 1.0}]
)
def test_counts_that_are_none_are_refused(counts: dict[str, object]):
    plain = {"event": "behaviour", "id": "a", "held": 1, "of": 2, "needed": 0.5, "confidence": 0.95, **counts}
    events = [{"event": "collected", "tests": ["a"]}, {"event": "ended", "id": "a", "outcome": "passed"}, plain]
    with pytest.raises(UserCodeError):
        model_tests._results([msgspec.convert(event, model_tests.Event) for event in events], "")
