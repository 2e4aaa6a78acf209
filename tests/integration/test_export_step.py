"""The step `export` on a project: what it gives, what restores it, and what its errors name."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from mlops_ci.config.settings import Package
from mlops_ci.edge import exporter
from mlops_ci.errors import OutsideError, UserCodeError
from mlops_ci.steps.case import Asked, settle
from mlops_ci.steps.export import Exported, Model, export
from mlops_ci.steps.fit import fit
from mlops_ci.steps.holdout import make_parts
from mlops_ci.steps.project import open_project
from mlops_ci.steps.snapshot import make_snapshot
from mlops_ci.steps.workshop import Workshop
from tests.environments import CACHES, required
from tests.helpers import repo

SETTINGS = """\
version: 1
project: parcels
task: classification
data: {sources: {rows: data/rows.csv}, target: late, id: id}
train: {entrypoint: train:train}
gates: [accuracy >= 0.5]
"""
SKLEARN = """
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.impute import SimpleImputer

def train(frame, params, seed):
    return make_pipeline(SimpleImputer(), LogisticRegression()).fit(frame.drop(columns="late"), frame["late"])
"""
OWN = """
class Constant:
    classes_ = [False, True]
    def predict(self, frame):
        return [True] * len(frame)

def train(frame, params, seed):
    return Constant()
"""


def rows() -> str:
    draw = np.random.default_rng(5)
    lines = ["id,size,weight,late"]
    for number in range(200):
        size, weight = draw.normal(), "" if draw.random() < 0.1 else f"{draw.normal():.3f}"
        lines.append(f"{number},{size:.3f},{weight},{'true' if size + draw.normal(0, 0.4) > 0 else 'false'}")
    return "\n".join(lines) + "\n"


class Exports:
    """A project with a trained model, exported with any settings of `package`."""

    def __init__(self, root: Path, training: str) -> None:
        repo(root, {"mlops.yaml": SETTINGS, "train.py": training, "data/rows.csv": rows()})
        self.said: list[str] = []
        project = open_project(root)
        case = settle(project, Asked())
        workshop = Workshop(project, case.head, self.said.append)
        snapshot, _ = make_snapshot(project, case.head, workshop=workshop, apart=False)
        holdout, _ = make_parts(snapshot, case.head.config)
        self.model = Model(
            project=project,
            tree=case.head,
            snapshot=snapshot,
            holdout=holdout,
            fitted=fit(project, case.head, snapshot, workshop),
            workshop=workshop,
        )

    def __call__(self, package: Package | None = None) -> Exported:
        tree = self.model.tree
        if package is not None:
            tree = msgspec.structs.replace(tree, config=msgspec.structs.replace(tree.config, package=package))
        return export(msgspec.structs.replace(self.model, tree=tree), say=self.said.append)


@pytest.fixture(autouse=True)
def caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(CACHES))


@pytest.fixture
def exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exports:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    made = Exports(tmp_path / "project", SKLEARN)
    with required("the converters"):
        exporter.install(made.model.workshop.environment, made.said.append)
    return made


def test_a_model_is_exported_once_and_restored_while_nothing_it_reads_changes(exports: Exports) -> None:
    first, again = exports(), exports()
    assert (first.restored, again.restored) == (False, True)
    assert (first.answer, first.digest) == (again.answer, again.digest)
    assert first.path.name == "model.onnx"
    assert first.answer.onnx is not None
    [feed] = first.answer.onnx.feeds
    assert (feed.name, feed.columns, feed.type) == ("X", ("size", "weight"), "float32")
    assert (first.answer.prediction, first.answer.classes) == ("boolean", ("false", "true"))
    assert first.answer.parity.rows == exports.model.holdout.rows
    assert first.answer.parity.hunted["missing"] == 20  # the column that has missing values


def test_settings_of_the_format_make_another_file(exports: Exports) -> None:
    assert exports(Package(format="skops", trusted=("numpy.dtype",))).path.suffix == ".skops"
    pickled = exports(Package(format="pickle"))
    assert pickled.path.suffix == ".pkl"
    assert "sklearn.linear_model._logistic.LogisticRegression" in pickled.imports


def test_what_cannot_be_exported_names_the_setting(tmp_path: Path, exports: Exports) -> None:
    other = Exports(tmp_path / "other", OWN)
    with pytest.raises(UserCodeError) as found:
        other()
    assert found.value.where.endswith("package.format")
    assert found.value.where.startswith("mlops.yaml:")
    assert "skops: not trusted: train.Constant" in found.value.message


def test_a_python_too_old_for_the_converters_is_told(exports: Exports) -> None:
    old = msgspec.structs.replace(exports.model.workshop.environment, version="3.9.18")
    with pytest.raises(OutsideError, match=r"Python is 3\.9\.18") as found:
        exporter.install(old, exports.said.append)
    assert "format: pickle" in found.value.advice
