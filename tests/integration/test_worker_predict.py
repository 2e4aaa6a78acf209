"""Asking a model in a process of its own: what it is asked with, and what it may answer."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops_ci.edge import worker
from mlops_ci.edge.answers import Predicted, Timed, predictions
from mlops_ci.edge.processes import Limits
from mlops_ci.errors import UserCodeError
from mlops_ci.worker import frames

BINARY = ("no", "yes")


class Project:
    """Forty rows with the features x and y; `predict` fits the class Model of a training file and asks it."""

    def __init__(self, root: Path) -> None:
        self.workspace, self.scratch, self.output = root / "workspace", root / "scratch", root / "output"
        self.features = root / "features"
        self.workspace.mkdir()
        draw = np.random.default_rng(1)
        self.table = pd.DataFrame({"x": draw.normal(size=40), "y": draw.normal(size=40)})
        frames.write(self.table, self.features)

    def ask(self, model: str, *, task: str = "binary", classes: tuple[str, ...] = BINARY):
        self.output.mkdir(exist_ok=True)
        (self.workspace / "mine.py").write_text("import numpy as np\n\n" + textwrap.dedent(model), encoding="utf-8")
        pickled = b"\x80\x04\x8c\x04mine\x8c\x05Model\x93)R."  # mine.Model()
        (self.output / "model.pkl").write_bytes(pickled)
        return self.run(self.output / "model.pkl", task=task, classes=classes)

    def run(self, model: Path | str, *, task: str = "binary", classes: tuple[str, ...] = BINARY, **request: object):
        asked = {
            "model": str(model),
            "features": str(self.features),
            "task": task,
            "classes": classes,
            "target": "late",
            "id": ["row"],
            "output": str(self.output),
        }
        answer = worker.run(
            "predict",
            {**asked, **request},
            python=Path(sys.executable),
            workspace=self.workspace,
            scratch=self.scratch,
            limits=Limits(seconds=60),
        )
        assert isinstance(answer.value, Predicted)
        labels, scores = predictions(self.output, rows=40, classes=() if task == "regression" else classes)
        return answer.value, labels, scores

    def time(self, model: str, **request: object) -> Timed:
        """How long single rows take the class Model."""
        self.ask(model)
        asked = {"model": str(self.output / "model.pkl"), "features": str(self.features), "task": "binary"}
        answer = worker.run(
            "time",
            {**asked, "classes": BINARY, "target": "late", "id": ["row"], "requests": 30, "seconds": 20, **request},
            python=Path(sys.executable),
            workspace=self.workspace,
            scratch=self.scratch,
            limits=Limits(seconds=60),
        )
        assert isinstance(answer.value, Timed)
        return answer.value


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_the_score_is_the_probability_of_the_last_class_whatever_the_models_order(project: Project):
    answer, labels, scores = project.ask(
        """
        class Model:
            classes_ = np.array(["yes", "no"])
            def predict(self, frame): return np.where(frame["x"] > 0, "yes", "no")
            def predict_proba(self, frame):
                p = 1 / (1 + np.exp(-frame["x"].to_numpy()))
                return np.column_stack([p, 1 - p])
        """
    )
    x = project.table["x"].to_numpy()
    assert answer.score_kind == "probability"
    assert labels.tolist() == (x > 0).astype(int).tolist()
    assert scores == pytest.approx(1 / (1 + np.exp(-x)), abs=1e-6)


def test_a_model_without_probabilities_is_judged_by_its_decision_function(project: Project):
    answer, _, scores = project.ask(
        """
        class Model:
            classes_ = np.array(["no", "yes"])
            def predict(self, frame): return np.where(frame["x"] > 0, "yes", "no")
            def decision_function(self, frame): return frame["x"].to_numpy() * 3
        """
    )
    assert answer.score_kind == "decision"
    assert scores == pytest.approx(project.table["x"].to_numpy() * 3, abs=1e-6)


def test_classes_of_a_multiclass_model_are_put_into_the_targets_order(project: Project):
    _, labels, scores = project.ask(
        """
        class Model:
            classes_ = np.array(["c", "a"])
            def predict(self, frame): return ["c"] * len(frame)
            def predict_proba(self, frame): return np.tile([0.7, 0.3], (len(frame), 1))
        """,
        task="multiclass",
        classes=("a", "b", "c"),
    )
    assert labels.tolist() == [2] * 40
    assert scores[0].tolist() == pytest.approx([0.3, 0.0, 0.7])


def test_numbers_and_booleans_are_matched_by_their_text(project: Project):
    answer, labels, _ = project.ask(
        "class Model:\n    def predict(self, frame): return np.arange(len(frame)) % 3 * 1.0\n",
        task="multiclass",
        classes=("0", "1", "10"),
    )
    assert labels[:3].tolist() == [0, 1, -1]
    assert answer.unseen == ("2",)
    _, labels, _ = project.ask(
        "class Model:\n    def predict(self, frame): return np.arange(len(frame)) % 2\n", classes=("false", "true")
    )
    assert labels[:3].tolist() == [0, 1, 0]


def test_labels_that_are_none_of_the_classes_are_told(project: Project):
    with pytest.raises(UserCodeError, match=r"answers '0', '1', and the target's classes are 'no', 'yes'"):
        project.ask("class Model:\n    def predict(self, frame): return np.arange(len(frame)) % 2\n")


def test_a_booster_that_answers_probabilities_from_predict_is_understood(project: Project):
    answer, labels, scores = project.ask(
        "class Model:\n    def predict(self, frame): return np.linspace(0.01, 0.99, 40)\n"
    )
    assert answer.score_kind == "probability"
    assert labels.tolist() == [0] * 20 + [1] * 20
    assert scores[-1] == pytest.approx(0.99)


def test_regression_answers_are_numbers(project: Project):
    _, labels, scores = project.ask(
        "class Model:\n    def predict(self, frame): return frame[['x']].to_numpy()\n", task="regression", classes=()
    )
    assert labels == pytest.approx(project.table["x"].to_numpy(), abs=1e-6)
    assert scores is None


@pytest.mark.parametrize(
    ("body", "task", "said"),
    [
        ("def predict(self, frame): return ['no'] * 3", "binary", "predict answered 3 rows for 40 rows"),
        ("def predict(self, frame): return 'no'", "binary", "predict answered one value for 40 rows"),
        ("def predict(self, frame): return None", "binary", "predict answered None"),
        ("def predict(self, frame): return ['no'] * 39 + [None]", "binary", "no label for 1 rows"),
        ("def predict(self, frame): return [1.0] * 39 + [float('nan')]", "regression", "NaN or infinity 1 times in 40"),
        ("def predict(self, frame): return [1e300] * 40", "regression", "NaN or infinity 40 times"),
        ("def predict(self, frame): return ['a'] * 40", "regression", "values that are not numbers"),
        ("def predict(self, frame): return np.zeros((40, 3))", "regression", r"answered shape \(40, 3\)"),
        (
            (
                "def predict(self, frame): return ['no'] * 40\n"
                "    def predict_proba(self, frame): return np.ones((40, 3)) / 3"
            ),
            "binary",
            r"predict_proba answered shape \(40, 3\), and the model has 2 classes",
        ),
        (
            (
                "def predict(self, frame): return ['no'] * 40\n"
                "    def predict_proba(self, frame): return np.ones((40, 2)) * 2"
            ),
            "binary",
            "not probabilities",
        ),
        (
            "feature_names_in_ = ['x', 'x_bin']\n    def predict(self, frame): pass",
            "binary",
            "columns it is not given: 'x_bin'",
        ),
        (
            "feature_names_in_ = ['x', 'late']\n    def predict(self, frame): pass",
            "binary",
            "target 'late' among its features",
        ),
        (
            "feature_names_in_ = ['x', 'row']\n    def predict(self, frame): pass",
            "binary",
            "columns it is not given: 'row'",
        ),
        ("predict = 3", "binary", "has no predict"),
        ("def predict(self, frame): return 1 / 0", "binary", "predict raised ZeroDivisionError"),
    ],
)
def test_an_answer_that_cannot_be_used_is_told(project: Project, body: str, task: str, said: str):
    classes = () if task == "regression" else BINARY
    with pytest.raises(UserCodeError, match=said):
        project.ask(f"class Model:\n    {body}\n", task=task, classes=classes)


def test_the_model_is_asked_with_the_columns_it_names_in_its_order(project: Project):
    answer, _, _ = project.ask(
        """
        class Step:
            feature_names_in_ = np.array(["y", "x"])
        class Model:
            steps = [("scale", Step()), ("last", None)]
            def predict(self, frame):
                assert list(frame.columns) == ["y", "x"]
                return ["no"] * len(frame)
        """
    )
    assert answer.features == ("y", "x")


def test_a_class_of_the_training_script_is_told_with_what_to_do(project: Project):
    project.output.mkdir()
    (project.output / "model.pkl").write_bytes(b"\x80\x04\x8c\x08__main__\x8c\x05Model\x93)R.")
    with pytest.raises(UserCodeError, match="cannot be loaded") as caught:
        project.run(project.output / "model.pkl")
    assert "move it into a module" in caught.value.advice


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model.bin", "no kind of model file that is known"),
        ("gone.pkl", "there is no model file gone.pkl"),
        ("model.cbm", "model.cbm needs catboost"),
        ("model.pkl", "loading the model raised"),
    ],
)
def test_a_model_file_that_cannot_be_opened_is_told(project: Project, name: str, said: str):
    project.output.mkdir()
    if not name.startswith("gone"):
        (project.output / name).write_bytes(b"nothing")
    with pytest.raises(UserCodeError, match=said):
        project.run(project.output / name)


def test_a_joblib_file_is_opened(project: Project):
    import joblib
    from sklearn.dummy import DummyClassifier

    project.output.mkdir()
    model = DummyClassifier(strategy="prior").fit(project.table, ["no"] * 30 + ["yes"] * 10)
    joblib.dump(model, project.output / "model.joblib", compress=3)
    _, labels, scores = project.run(project.output / "model.joblib")
    assert labels.tolist() == [0] * 40
    assert scores.tolist() == [0.25] * 40


def test_an_mlflow_model_is_opened_by_the_projects_mlflow(project: Project):
    package = project.workspace / "mlflow"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "pyfunc.py").write_text(
        textwrap.dedent(
            """
            import pandas as pd
            class PyFuncModel:
                def __init__(self, uri): self.uri = uri
                def predict(self, frame): return pd.DataFrame({"out": [0.25] * len(frame)})
            def load_model(uri): return PyFuncModel(uri)
            """
        ),
        encoding="utf-8",
    )
    _, labels, scores = project.run("models:/delays/3")
    assert labels.tolist() == [0] * 40
    assert scores.tolist() == [0.25] * 40


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        ("np.save(path, np.zeros(40, np.int64))", "holds int64"),
        ("np.save(path, np.zeros(39, np.int32))", r"holds int32 \(39,\)"),
        ("np.save(path, np.full(40, 7, np.int32))", "codes that are no classes"),
        ("np.save(path, np.array([{}] * 40), allow_pickle=True)", "holds object|may have|no array"),
        ("path.write_bytes(b'junk')", "no array"),
        ("path.unlink()", "missing: labels.npy"),
        ("(path.unlink(), path.symlink_to('/etc/passwd'))", "cannot be read"),
    ],
)
def test_forged_arrays_are_refused(tmp_path: Path, forge: str, said: str):
    path = tmp_path / "labels.npy"
    np.save(path, np.zeros(40, np.int32))
    eval(forge, {"np": np, "path": path})
    with pytest.raises(UserCodeError, match=said):
        predictions(tmp_path, rows=40, classes=BINARY)


WAITS = """
    import time

    class Model:
        def predict(self, frame):
            time.sleep(0.01 if len(frame) == 1 else 0)
            return np.where(frame["x"] > 0, "yes", "no")
    """
WORKS = """
    import time

    class Model:
        def predict(self, frame):
            until = time.process_time() + (0.01 if len(frame) == 1 else 0)
            while time.process_time() < until:
                pass
            return np.where(frame["x"] > 0, "yes", "no")
    """


def test_a_model_that_waits_takes_time_and_one_that_works_takes_the_processor_too(project: Project):
    waits, works = project.time(WAITS), project.time(WORKS)
    assert len(waits.wall) == len(waits.cpu) == 30
    assert min(waits.wall) >= 0.01
    assert np.median(waits.cpu) < 0.005
    assert min(works.cpu) >= 0.01


def test_timing_ends_when_its_seconds_are_over_with_one_request_at_least(project: Project):
    assert len(project.time(WAITS, requests=10_000, seconds=0.2).wall) < 25
    assert len(project.time(WAITS, seconds=0).wall) == 1


def test_a_model_asked_by_tens_answers_every_row_in_order(project: Project):
    model = """
        class Model:
            def predict(self, frame): return np.where(frame["x"].rank() > len(frame) / 2, "yes", "no")
        """
    _, whole, _ = project.ask(model)
    _, by_tens, _ = project.run(project.output / "model.pkl", batch=10)
    x = project.table["x"]
    assert whole.tolist() == (x.rank() > 20).astype(int).tolist()
    expected = [
        (part.rank() > 5).astype(int).tolist() for part in (x[start : start + 10] for start in range(0, 40, 10))
    ]
    assert by_tens.tolist() == [label for part in expected for label in part]
