"""What MLflow, auditors and people read of a bundle."""

from __future__ import annotations

import json

import msgspec
import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from mlops_ci.data.split import By, specification
from mlops_ci.packaging import manifest, mlflow_model
from mlops_ci.packaging.bill_of_materials import bill_of_materials
from mlops_ci.records.bundles import Golden, Input, Licence, ModelFile, Output, Serving
from mlops_ci.records.canonical import canonical_json
from mlops_ci.records.data import SnapshotInfo, SourceFile
from mlops_ci.records.decisions import Evidence, Subject, TrainingInfo
from mlops_ci.records.evaluation import Evaluation, Interval, MetricValue, Task
from mlops_ci.records.tables import Kind
from mlops_ci.reports.model_card import Card, model_card

HOSTILE = 'a": [x]\n<script>|`@team #1 {{ }}'
LOCK = """# made by uv
msgspec==0.22.0 \\
    --hash=sha256:aa
uvloop==0.23.0 ; sys_platform != 'win32' \\
    --hash=sha256:bb \\
    --hash=sha256:cc
    # via nothing
"""
SERVING = Serving(
    version=1,
    project="flights",
    task=Task.BINARY,
    commit="a" * 40,
    model=ModelFile(file="model.onnx", format="onnx"),
    inputs=(
        Input(name="hour", kind=Kind.INTEGER, nullable=False, minimum=0.0, maximum=23.0),
        Input(name="seats", kind=Kind.INTEGER, nullable=True),
        Input(name=HOSTILE, kind=Kind.TEXT, nullable=True, categories=("x", "y")),
    ),
    ids=("flight_id",),
    private=(),
    outputs=(Output(name="prediction", kind=Kind.BOOLEAN), Output(name="probability_true", kind=Kind.FLOAT)),
    classes=("false", "true"),
)
GOLDEN = Golden(
    version=1,
    columns=("hour", "seats", HOSTILE),
    rows=((1, None, "x"), (2, 100, None)),
    answers={"prediction": (True, False), "probability_true": (0.75, 0.25)},
    tolerance=1e-5,
    quantum=1e-3,
    fingerprint="f" * 64,
)
EVIDENCE = Evidence(
    snapshot=SnapshotInfo(
        digest="d" * 32,
        rows=1000,
        train_rows=800,
        holdout_rows=200,
        columns=(("hour", Kind.INTEGER),),
        split=specification(by="id", holdout=0.2, columns=("hour",), salt="s"),
        sources=(SourceFile(source="s", path="data/s.csv", bytes=1234, sha256="e" * 64),),
    ),
    training=TrainingInfo(
        rung="entrypoint", model="Pipeline(…, SVC)", features=("hour",), seed=7, packages={"scikit-learn": "1.9.1"}
    ),
    evaluation=Evaluation(
        task=Task.BINARY,
        rows=200,
        classes=("false", "true"),
        class_counts=(150, 50),
        metrics=(MetricValue(metric="roc_auc", value=0.75), MetricValue(metric="f1", value=None, reason="none")),
    ),
)
SUBJECT = Subject(
    commit="a" * 40,
    tree="b" * 40,
    data="",
    params="",
    environment="",
    commit_time="2024-05-01T12:00:00Z",
    commit_title="First <model>",
)
INTERVALS = {"roc_auc": Interval(low=0.7, high=0.8, confidence=0.95, method="delong-logit/3")}


def bill() -> bytes:
    return bill_of_materials(
        SERVING,
        EVIDENCE,
        SUBJECT,
        intervals=INTERVALS,
        lock=LOCK,
        licences={"msgspec": Licence(text="BSD-3-Clause"), "uvloop": Licence(text="MIT or Apache", spdx=False)},
        model="c" * 64,
        version="1.0",
    )


def test_the_digest_follows_every_byte_and_no_order() -> None:
    one, other = {"a": b"1", "b/c": b"2"}, {"b/c": b"2", "a": b"1"}
    assert manifest.manifest(one) == manifest.manifest(other)
    assert manifest.digest(manifest.manifest(one)) != manifest.digest(manifest.manifest({**one, "a": b"2"}))
    assert manifest.manifest({}) == b'{"files":{},"version":1}'


def test_mlmodel_reads_back_with_hostile_names() -> None:
    files = mlflow_model.files(SERVING, GOLDEN, LOCK, python="3.11", made="2024-05-01T12:00:00Z")
    found = yaml.safe_load(files["MLmodel"])
    assert found["flavors"]["python_function"]["loader_module"] == "mlops_ci_serving.pyfunc"
    assert found["flavors"]["python_function"]["python_version"] == "3.11"
    assert json.loads(found["signature"]["inputs"]) == [
        {"name": "hour", "required": True, "type": "long"},
        {"name": "seats", "required": False, "type": "double"},
        {"name": HOSTILE, "required": False, "type": "string"},
    ]
    example = json.loads(files["serving_input_example.json"])["dataframe_split"]
    assert example == {"columns": ["hour", "seats", HOSTILE], "data": [[1, None, "x"], [2, 100, None]]}
    assert yaml.safe_load(files["conda.yaml"])["dependencies"][-1]["pip"] == mlflow_model.pins(LOCK)
    assert yaml.safe_load(files["python_env.yaml"])["python"] == "3.11"


LOADERS = {
    "MLmodel": [
        (b"loader_module: mlops_ci_serving.pyfunc", b"loader_module: evil"),
        (b"code: serve", b"code: model"),
        (b"python_version: '3.11'", b"python_version: '3.11'\n  evil: {loader_module: evil}"),
        (b"flavors:", b"flavors: {python_function: {loader_module: evil}}\nflavors:"),
        (b"'2024-05-01T12:00:00Z'", b"'2024-05-01T12:00:00Z'\nflavors: {python_function: {loader_module: evil}}"),
        (b"utc_time_created", b"utc_time_made"),
    ],
    "requirements.txt": [(b"msgspec==0.22.0", b"evil==1.0")],
    "python_env.yaml": [(b"- pip", b"- evil")],
    "conda.yaml": [(b"- conda-forge", b"- evil")],
}


@pytest.mark.parametrize(("name", "old", "new"), [(name, *each) for name, all_ in LOADERS.items() for each in all_])
@pytest.mark.parametrize("made", ["2024-05-01T12:00:00Z", "2024-05-01T12:00:00+02:00"])
def test_what_mlflow_follows_is_what_is_written_here(name: str, old: bytes, new: bytes, made: str) -> None:
    written = mlflow_model.files(SERVING, GOLDEN, LOCK, python="3.11", made=made)
    read_back = msgspec.json.decode(canonical_json(SERVING), type=Serving)
    assert mlflow_model.foreign(written, read_back, LOCK) == ""
    if old in written[name]:
        assert mlflow_model.foreign(written | {name: written[name].replace(old, new)}, read_back, LOCK) == name


def test_pins_keep_markers_and_no_hashes() -> None:
    assert mlflow_model.pins(LOCK) == ["msgspec==0.22.0", "uvloop==0.23.0 ; sys_platform != 'win32'"]


def test_the_bill_of_materials_holds_by_cyclonedx() -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill().decode()) is None
    found = json.loads(bill())
    assert [one["purl"] for one in found["components"][1:]] == ["pkg:pypi/msgspec@0.22.0", "pkg:pypi/uvloop@0.23.0"]
    assert found["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"] == [
        {"type": "roc_auc", "value": "0.75", "confidenceInterval": {"lowerBound": "0.7", "upperBound": "0.8"}}
    ]
    assert bill() == bill()


def test_a_broken_bill_would_be_seen() -> None:
    broken = bill().replace(b"machine-learning-model", b"machine")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(broken.decode()) is not None


@pytest.mark.parametrize("use", ["", "Which flights to watch. Not for prices."])
def test_the_card_says_what_it_was_judged_on(use: str) -> None:
    card = model_card(Card(serving=SERVING, evidence=EVIDENCE, subject=SUBJECT, intervals=INTERVALS, intended_use=use))
    _, front, text = card.split("---\n", 2)
    meta = yaml.safe_load(front)
    assert meta["pipeline_tag"] == "tabular-classification"
    assert meta["model-index"][0]["results"][0]["metrics"] == [{"type": "roc_auc", "value": 0.75}]
    assert (use or "Not said: write it at `package.intended_use` in mlops.yaml.") in text
    assert "1,000 rows: 800 to train on, 200 held out" in text
    assert "| ROC AUC | 0.750 | 0.700 | 0.800 |" in text
    assert "Held out: 20\u00a0%, by a hash of `hour`" in text
    assert "<script>" not in text
    assert "@team" not in text.replace("@\u200bteam", "")


@pytest.mark.parametrize(
    ("by", "columns", "told"),
    [
        ("id", (), "Held out: 20\u00a0%, by a hash of the whole row"),
        ("group", ("month", "day"), "Held out: 20\u00a0% of the groups, by a hash of `day`, `month`"),
        ("time", ("hour",), "Held out: the last 20\u00a0% by `hour`"),
        ("column", ("side",), "Held out: what the data say in `side`"),
    ],
)
def test_the_card_says_in_words_what_was_held_out(by: By, columns: tuple[str, ...], told: str) -> None:
    assert EVIDENCE.snapshot is not None
    split = specification(by=by, holdout=0.2, columns=columns, salt="s")
    evidence = msgspec.structs.replace(EVIDENCE, snapshot=msgspec.structs.replace(EVIDENCE.snapshot, split=split))
    card = model_card(Card(serving=SERVING, evidence=evidence, subject=SUBJECT, intervals=INTERVALS))
    assert f"- {told}\n" in card
