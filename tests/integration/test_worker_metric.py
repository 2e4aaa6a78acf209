"""A metric of the project's own in a process of its own: what it is called with, and what it may return."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops_ci.edge import worker
from mlops_ci.edge.answers import Measured, measured_rows
from mlops_ci.edge.processes import Limits
from mlops_ci.errors import UserCodeError
from mlops_ci.worker import frames

ROWS = 40


class Project:
    """Forty held-out rows, a model's answers about them, and a module `mine` with the function `metric`."""

    def __init__(self, root: Path) -> None:
        self.workspace, self.scratch, self.output = root / "workspace", root / "scratch", root / "output"
        self.workspace.mkdir()
        self.holdout, self.answers = root / "holdout", root / "answers"
        self.answers.mkdir()
        draw = np.random.default_rng(1)
        frames.write(pd.DataFrame({"x": draw.normal(size=ROWS), "late": ["no", "yes"] * (ROWS // 2)}), self.holdout)
        frames.save(self.answers / "labels.npy", np.tile(np.array([0, 1, 1, 0], dtype=np.int32), ROWS // 4))
        frames.save(self.answers / "scores.npy", np.linspace(0, 1, ROWS, dtype=np.float32))

    def measure(self, body: str, seconds: float = 60) -> float | np.ndarray:
        """One number, or one a row."""
        lines = textwrap.indent(textwrap.dedent(body), "    ")
        text = f"import numpy as np\nimport pandas as pd\n\n\ndef metric(holdout, predictions):\n{lines}\n"
        (self.workspace / "mine.py").write_text(text, encoding="utf-8")
        return self.run("mine:metric", seconds)

    def run(self, function: str, seconds: float = 60) -> float | np.ndarray:
        self.output.mkdir(exist_ok=True)
        answer = worker.run(
            "metric",
            {
                "name": "share",
                "function": function,
                "holdout": str(self.holdout),
                "predictions": str(self.answers),
                "task": "binary",
                "classes": ["no", "yes"],
                "target": "late",
                "output": str(self.output),
            },
            python=Path(sys.executable),
            workspace=self.workspace,
            scratch=self.scratch,
            limits=Limits(seconds=seconds, memory_bytes=None, threads=1),
        ).value
        assert isinstance(answer, Measured)
        return measured_rows(self.output, rows=ROWS) if answer.value is None else answer.value


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_it_is_called_with_the_rows_and_what_was_answered(project: Project) -> None:
    right = project.measure("return holdout['late'] == predictions['label']")
    assert isinstance(right, np.ndarray)
    assert right.tolist() == [1.0, 1.0, 0.0, 0.0] * (ROWS // 4)
    assert project.measure("return predictions['score'].sum()") == pytest.approx(ROWS / 2)


def test_a_series_in_another_order_is_put_back_and_one_with_another_index_refused(project: Project) -> None:
    found = project.measure("return predictions['score'].sample(frac=1, random_state=3)")
    assert isinstance(found, np.ndarray)
    assert found.tolist() == np.linspace(0, 1, ROWS, dtype=np.float32).tolist()
    with pytest.raises(UserCodeError, match="index is not that of holdout"):
        project.measure("return predictions['score'].set_axis(range(100, 140))")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return 3", 3.0),
        ("return np.float32(0.5)", 0.5),
        ("return np.array(2)", 2.0),
        ("return [1] * len(holdout)", [1.0] * ROWS),
        ("return tuple(range(len(holdout)))", [float(row) for row in range(ROWS)]),
    ],
)
def test_numbers_of_any_kind_are_taken(project: Project, body: str, expected: object) -> None:
    found = project.measure(body)
    assert (found.tolist() if isinstance(found, np.ndarray) else found) == expected


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return None", "mine:metric returned nothing"),
        ("return 'good'", "returned a str that is no number"),
        ("return True", "returned a bool that is no number"),
        ("return float('nan')", "returned nan"),
        ("return float('-inf')", "returned -inf"),
        ("return predictions", "that is no number"),
        ("return predictions[['score']]", "returned shape (40, 1) for 40 rows"),
        ("return predictions['score'][:-1]", "returned shape (39,) for 40 rows"),
        ("return predictions['score'].where(predictions['score'] > 0.5)", "NaN or infinity for 20 of 40 rows"),
        ("return np.full(40, 1e300)", "NaN or infinity for 40 of 40 rows"),
        ("return holdout['late']", "that is no number"),
        ("return {}", "that is no number"),
    ],
)
def test_what_is_no_number_is_told_with_the_function_and_the_key(project: Project, body: str, says: str) -> None:
    with pytest.raises(UserCodeError) as caught:
        project.measure(body)
    assert says in caught.value.message
    assert caught.value.where == "metrics.share"
    assert caught.value.advice


def test_what_it_raises_is_told_in_its_own_lines(project: Project) -> None:
    with pytest.raises(UserCodeError) as caught:
        project.measure("return holdout['costs']")
    assert caught.value.message == "the metric share raised KeyError: 'costs'"
    assert caught.value.where == "mine.py:6"
    assert "holdout['costs']" in caught.value.details


def test_one_that_never_ends_is_stopped_and_one_that_ends_everything_is_told(project: Project) -> None:
    with pytest.raises(UserCodeError, match="a metric was not done within 3 s"):
        project.measure("while True: pass", seconds=3)
    with pytest.raises(UserCodeError, match=r"exit\(3\)"):
        project.measure("raise SystemExit(3)")
    with pytest.raises(UserCodeError, match="ended the interpreter"):
        project.measure("import os\nos._exit(0)")


def test_a_function_that_is_not_there_or_takes_something_else_is_told(project: Project) -> None:
    project.measure("return 1")
    with pytest.raises(UserCodeError, match="mine has no metrics"):
        project.run("mine:metrics")
    with pytest.raises(UserCodeError, match="no module mine_"):
        project.run("mine_:metric")
    (project.workspace / "other.py").write_text("def metric(frame): return 1\n", encoding="utf-8")
    with pytest.raises(UserCodeError, match=r"called with \(holdout, predictions\)"):
        project.run("other:metric")
