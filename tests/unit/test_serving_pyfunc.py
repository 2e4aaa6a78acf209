"""A model of MLflow in a bundle: asked as its description says, and never opened where the format says otherwise."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops_ci.serving.bundle import opened
from mlops_ci.serving.described import Input, Output, Serving
from mlops_ci.serving.described import Model as Described
from mlops_ci.serving.engine_pyfunc import pyfunc_engine
from mlops_ci.serving.errors import BundleError
from mlops_ci.serving.model import Model
from tests import serving_bundles

HOSTILE = b"flavors: {python_function: {loader_module: evil, code: evil, data: evil.py}}\n"


class Loaded:
    """What MLflow gives: `predict` answers with what it was made with, the raw model with probabilities."""

    def __init__(self, answer: Any, scores: Any = None, classes: Any = None) -> None:
        self.answer, self.scores, self.classes_ = answer, scores, classes
        self.asked: list[pd.DataFrame] = []

    def predict(self, frame: pd.DataFrame) -> Any:
        self.asked.append(frame)
        return self.answer

    def get_raw_model(self) -> Loaded:
        return self

    def predict_proba(self, frame: pd.DataFrame) -> Any:
        return self.scores


def serving(predicts: Any, classes: tuple[str, ...] = (), kind: Any = "text", *, probabilities: bool = True) -> Serving:
    shares = tuple(Output(f"probability_{name}", "float") for name in classes) if probabilities else ()
    return Serving(
        version=1,
        project="x",
        task="multiclass" if classes else "regression",
        model=Described("model", "pyfunc", predicts=predicts),
        inputs=(Input("a", "float"), Input("b", "text", nullable=True)),
        outputs=(Output("prediction", kind), *shares),
        classes=classes,
    )


def ask(monkeypatch: pytest.MonkeyPatch, loaded: Any, described: Serving, tmp_path: Path) -> list[list[Any]]:
    mlflow, pyfunc = ModuleType("mlflow"), ModuleType("mlflow.pyfunc")
    pyfunc.load_model = lambda folder: loaded(folder) if callable(loaded) else loaded  # type: ignore[attr-defined]
    mlflow.pyfunc = pyfunc  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    monkeypatch.setitem(sys.modules, "mlflow.pyfunc", pyfunc)
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)
    return pyfunc_engine(tmp_path / "model", described)([(1.0, "x"), (2.0, None), (3.0, "z")])


CASES = {
    "numbers": (Loaded(np.array([[1.5], [2.0], [-1.0]])), serving("labels", kind="float"), [[1.5, 2.0, -1.0]]),
    "labels of a table": (
        Loaded(pd.DataFrame({"label": ["no", "yes", "no"]})),
        serving("labels", ("no", "yes"), probabilities=False),
        [["no", "yes", "no"]],
    ),
    "the second of two classes, a tie is its": (
        Loaded(np.array([0.5, 0.25, 0.75])),
        serving("probabilities", ("no", "yes")),
        [["yes", "no", "yes"], [0.5, 0.75, 0.25], [0.5, 0.25, 0.75]],
    ),
    "a column a class, a tie is the first's": (
        Loaded(pd.DataFrame({"no": [0.5, 0.25, 1.0], "yes": [0.5, 0.75, 0.0]})),
        serving("probabilities", ("no", "yes")),
        [["no", "yes", "no"], [0.5, 0.25, 1.0], [0.5, 0.75, 0.0]],
    ),
    "classes that are numbers": (
        Loaded(np.array([0.75, 0.25, 0.5])),
        serving("probabilities", ("2", "10"), kind="integer"),
        [[10, 2, 10], [0.25, 0.75, 0.5], [0.75, 0.25, 0.5]],
    ),
    "classes that are booleans": (
        Loaded(np.array([[0.75], [0.25], [1.0]])),
        serving("probabilities", ("false", "true"), kind="boolean"),
        [[True, False, True], [0.25, 0.75, 0.0], [0.75, 0.25, 1.0]],
    ),
    "labels, and probabilities of the model in it": (
        Loaded(["b", "a", "b"], np.array([[0.75, 0.25], [0.5, 0.5], [1.0, 0.0]]), np.array(["b", "a"])),
        serving("labels", ("a", "b", "c")),
        [["b", "a", "b"], [0.25, 0.5, 0.0], [0.75, 0.5, 1.0], [0.0, 0.0, 0.0]],
    ),
    "labels, and probabilities without names": (
        Loaded(["a", "a", "b"], np.array([0.25, 0.0, 1.0])),
        serving("labels", ("a", "b")),
        [["a", "a", "b"], [0.75, 1.0, 0.0], [0.25, 0.0, 1.0]],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_asked_as_the_bundle_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, case: str) -> None:
    loaded, described, expected = CASES[case]
    assert ask(monkeypatch, loaded, described, tmp_path) == expected
    assert loaded.asked[0].columns.tolist() == ["a", "b"]
    assert loaded.asked[0].isna().to_numpy().tolist() == [[False, False], [False, True], [False, False]]


def test_what_its_loader_raises_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def loader(folder: str) -> Any:
        raise RuntimeError(f"no GPU for {Path(folder).name}")

    with pytest.raises(BundleError, match="model: it cannot be opened here: RuntimeError: no GPU for model"):
        ask(monkeypatch, loader, serving("labels", kind="float"), tmp_path)


def bundle(folder: Path, changes: dict[str, Any], **files: bytes) -> Path:
    """The ONNX bundle of the tests with an MLflow folder beside its model."""
    made = serving_bundles.binary()
    told = json.loads(made["serving.json"])
    told["model"] |= changes
    written = serving_bundles.write(folder, {**made, "serving.json": json.dumps(told).encode()})
    (written / "model").mkdir()
    for name, content in files.items():
        (written / "model" / name.replace("_py", ".py")).write_bytes(content)
    return serving_bundles.sealed(written)


def test_a_loader_that_lies_beside_an_onnx_model_is_never_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not even where MLflow is installed and the manifest lists it."""
    monkeypatch.setitem(sys.modules, "mlflow", None)  # its import would raise
    folder = bundle(tmp_path / "bundle", {}, MLmodel=HOSTILE, evil_py=b"raise SystemExit('it ran')\n")
    (folder / "MLmodel").write_bytes(HOSTILE)
    found = Model(opened(serving_bundles.sealed(folder)))
    assert found.serving.model.format == "onnx"
    assert "evil" not in sys.modules


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "pyfunc"}, "model.predicts and the format pyfunc go together"),
        ({"predicts": "labels"}, "model.predicts and the format pyfunc go together"),
        ({"format": "pyfunc", "predicts": "labels"}, "model.onnx/MLmodel: manifest.json does not list it"),
        ({"format": "pyfunc", "predicts": "labels", "file": "../model"}, "MLmodel: manifest.json does not list it"),
        ({"file": "model"}, "model: manifest.json does not list it"),
        ({"format": "pyfunc", "predicts": "shares", "file": "model"}, "Invalid enum value 'shares'"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BundleError, match=words):
        opened(bundle(tmp_path / "bundle", changes, MLmodel=HOSTILE))


@pytest.mark.parametrize("name", ["evil.py", "data/model.pth", "code/__pycache__/x.cpython-311.pyc", "MLmodel"])
def test_nothing_is_in_its_folder_that_the_manifest_does_not_list(tmp_path: Path, name: str) -> None:
    folder = bundle(tmp_path / "bundle", {"format": "pyfunc", "predicts": "labels", "file": "model"}, MLmodel=HOSTILE)
    assert opened(folder).model == folder / "model"
    (folder / "model" / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / "model" / name).write_bytes(b"import os\n")
    with pytest.raises(BundleError, match=name):
        opened(folder)
