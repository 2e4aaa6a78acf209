"""A bundle is an MLflow model: asked by the real MLflow, kept by pickle and by skops, in an environment with both."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from mlops_ci.serving.app import App
from mlops_ci.serving.bundle import opened
from mlops_ci.serving.model import Model
from tests import serving_bundles
from tests.environments import python_with
from tests.serving_client import post, running

MLMODEL = b"""\
flavors:
  python_function:
    loader_module: mlops_ci_serving.pyfunc
    code: serve
    data: .
    python_version: 3.11.7
model_uuid: 00000000000000000000000000000000
signature:
  inputs: '[{"name": "carrier", "type": "string", "required": false},
    {"name": "hour", "type": "double", "required": false}, {"name": "distance", "type": "double"},
    {"name": "weekend", "type": "boolean"}, {"name": "day", "type": "string"}]'
"""
TO_SKOPS = """
import pickle, sys, skops.io
model = pickle.load(open(sys.argv[1], "rb"))
skops.io.dump(model, sys.argv[2])
print(",".join(skops.io.get_untrusted_types(file=sys.argv[2])))
"""
ASK = """
import json, sys, mlflow, pandas
golden = json.load(open(sys.argv[1] + "/golden.json"))
model = mlflow.pyfunc.load_model(sys.argv[1])
frame = pandas.DataFrame(golden["rows"], columns=golden["columns"])
print("answers:" + json.dumps(model.predict(frame).to_dict("list")))
"""
SERVE = """
import json, sys, mlflow
from mlflow.pyfunc import scoring_server
model = mlflow.pyfunc.load_model(sys.argv[1])
asked = [json.dumps(form) for form in json.loads(sys.argv[2])]
schema = model.metadata.get_input_schema()
answers = [scoring_server.invocations(each, "application/json", model, schema).response for each in asked]
print("answers:[" + ",".join(answers) + "]")
"""
CLIENT = """
import json, sys, numpy, pandas
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
client = ScoringServerClient("127.0.0.1", int(sys.argv[1]))
client.wait_server_ready(timeout=10)
golden = json.load(open(sys.argv[2] + "/golden.json"))
frame = pandas.DataFrame(golden["rows"], columns=golden["columns"]).astype({"remark": object})
frame["remark"] = frame["remark"].where(frame["remark"].notna(), None)

def asked(data):
    return client.invoke(data).get_predictions().to_dict("list")

def refused(data):
    try:
        client.invoke(data)
    except Exception as error:
        return str(error)

print("answers:" + json.dumps({
    "version": client.get_version(),
    "frame": asked(frame),
    "reordered": asked(frame[frame.columns[::-1]].set_index(frame.index + 100)),
    "array": asked(frame.to_numpy()),
    "refused": refused(frame.assign(hour=99)),
    "nan": refused(frame.assign(distance=float("nan"))),
}))
"""


@pytest.fixture(scope="module")
def with_mlflow() -> Path:
    """A Python with MLflow and skops; where it cannot be made, the test is skipped, and in CI failed."""
    return python_with("mlflow")


def run(python: Path, script: str, *arguments: str, code: int = 0) -> str:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, "-c", script, *arguments], env=kept, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.mark.parametrize("kept_by", ["pickle", "skops"])
def test_mlflow_loads_a_bundle_and_asks_it(with_mlflow: Path, tmp_path: Path, kept_by: str) -> None:
    files = {**serving_bundles.kept(), "MLmodel": MLMODEL}
    if kept_by == "skops":
        files = _by_skops(with_mlflow, files, tmp_path)
    bundle = serving_bundles.write(tmp_path / "bundle", files)
    golden = json.loads(files["golden.json"])["answers"]
    for _ in range(2):  # and again, with what Python left beside the runtime
        answers = json.loads(run(with_mlflow, ASK, str(bundle)).partition("answers:")[2])
        assert answers["prediction"] == golden["prediction"]
        assert answers["probability_true"] == pytest.approx(golden["probability_true"], abs=1e-9)


def test_invocations_are_answered_as_mlflow_itself_answers_them(with_mlflow: Path, tmp_path: Path) -> None:
    files = serving_bundles.kept()
    bundle = serving_bundles.write(tmp_path / "bundle", {**files, "MLmodel": MLMODEL})
    golden = json.loads(files["golden.json"])
    # Without missing values: of a missing text in `instances` and `inputs` MLflow makes the text None.
    columns, rows = golden["columns"], [row for row in golden["rows"] if None not in row][:3]
    records = [dict(zip(columns, row, strict=True)) for row in rows]
    forms = [
        {"dataframe_split": {"columns": columns, "data": rows}},
        {"dataframe_records": records},
        {"instances": records},
        {"inputs": dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))},
    ]
    told = run(with_mlflow, SERVE, str(bundle), json.dumps(forms)).partition("answers:")[2]
    app = App(Model(opened(bundle)))
    assert [post(app, form).json() for form in forms] == json.loads(told)


def test_mlflows_scoring_client_is_answered(with_mlflow: Path, tmp_path: Path) -> None:
    files = serving_bundles.multiclass()
    bundle = serving_bundles.write(tmp_path / "bundle", files)
    with running(bundle) as server:
        told = run(with_mlflow, CLIENT, str(server.port), str(bundle)).partition("answers:")[2]
    found = json.loads(told)
    golden = json.loads(files["golden.json"])["answers"]
    for form in ("frame", "reordered", "array"):
        assert found[form]["prediction"] == golden["prediction"], form
        assert found[form]["probability_late"] == pytest.approx(golden["probability_late"], abs=1e-5), form
    assert found["version"] == "1"
    assert "hour is 99; allowed is 0 to 23" in found["refused"]
    assert "error code 400" in found["refused"]
    assert "NaN and Infinity are no JSON: null is missing" in found["nan"]


def test_a_type_that_serving_json_does_not_trust_is_not_made(with_mlflow: Path, tmp_path: Path) -> None:
    files = _by_skops(with_mlflow, {**serving_bundles.kept(), "MLmodel": MLMODEL}, tmp_path)
    serving = json.loads(files["serving.json"])
    [*trusted, last] = serving["model"]["trusted"]
    files["serving.json"] = json.dumps(serving | {"model": serving["model"] | {"trusted": trusted}}).encode()
    bundle = serving_bundles.write(tmp_path / "bundle", files)
    told = run(with_mlflow, ASK, str(bundle), code=1)
    assert f"model.skops: holds {last}, which serving.json does not trust" in told


def _by_skops(python: Path, files: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    """The same bundle with its pipeline kept by skops, and the types that it names trusted."""
    pickled, dumped = folder / "model.pkl", folder / "model.skops"
    pickled.write_bytes(files["model.pkl"])
    trusted = run(python, TO_SKOPS, str(pickled), str(dumped)).strip().split(",")
    model = {"file": "model.skops", "format": "skops", "trusted": trusted}
    serving = json.dumps(json.loads(files["serving.json"]) | {"model": model}).encode()
    others = {name: content for name, content in files.items() if name != "model.pkl"}
    return others | {"model.skops": dumped.read_bytes(), "serving.json": serving}
