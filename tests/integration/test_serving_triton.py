"""The Open Inference Protocol as others speak it: Triton's own client, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import serving_bundles
from tests.environments import python_with
from tests.serving_client import Running, running

COLUMNS = {
    "carrier": ["AA", "B6", "UA"],
    "hour": [18, 3, 23],
    "distance": [300.5, 120.0, 0.25],
    "remark": ["snöw", "", "late"],
}
ASK = """
import json, sys
import numpy as np
import tritonclient.http as http
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

client = http.InferenceServerClient(sys.argv[1])
columns = json.loads(sys.argv[2])
DTYPES = {"carrier": object, "hour": np.int64, "distance": np.float64, "remark": object}

def inputs(binary, dtypes=DTYPES, shape=(-1,), columns=columns):
    tensors = []
    for name, values in columns.items():
        array = np.array(values, dtype=dtypes[name]).reshape(shape)
        tensor = http.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
        tensors.append(tensor.set_data_from_numpy(array, binary_data=binary))
    return tensors

def plain(result):
    named = [each["name"] for each in result.get_response()["outputs"]]
    arrays = {name: result.as_numpy(name) for name in named}
    return {name: [v.decode() if isinstance(v, bytes) else v for v in array.tolist()] for name, array in arrays.items()}

def refused(ask):
    try:
        ask()
    except InferenceServerException as error:
        return [error.status(), error.message()]

def asked(binary, **how):
    return plain(client.infer("flights", inputs(binary, **how.pop("made", {})), **how))

narrow = {**DTYPES, "hour": np.uint8, "distance": np.float32}
only = [http.InferRequestedOutput("prediction", binary_data=False), http.InferRequestedOutput("probability_late")]
mixed = client.infer("flights", inputs(True), outputs=only, request_id="r7", model_version="v12")
unknown = {**columns, "carrier": ["AA", "XX", "UA"]}
missing = {**columns, "distance": [1.0, float("nan"), 2.0]}
print("answers:" + json.dumps({
    "live": client.is_server_live(), "ready": client.is_server_ready(),
    "model": client.is_model_ready("flights"), "version": client.is_model_ready("flights", "v12"),
    "other": client.is_model_ready("others"),
    "server": client.get_server_metadata(), "metadata": client.get_model_metadata("flights"),
    "binary": asked(True), "json": asked(False), "narrow": asked(True, made={"dtypes": narrow}),
    "upright": asked(True, made={"shape": (-1, 1)}), "gzip": asked(True, request_compression_algorithm="gzip"),
    "mixed": [mixed.get_response()["id"], plain(mixed), [sorted(o) for o in mixed.get_response()["outputs"]]],
    "async": plain(client.async_infer("flights", inputs(True)).get_result()),
    "category": refused(lambda: asked(True, made={"columns": unknown})),
    "missing": refused(lambda: asked(True, made={"columns": missing})),
    "model_name": refused(lambda: client.infer("others", inputs(True))),
    "columns": refused(lambda: client.infer("flights", inputs(True)[1:])),
}))
"""


@pytest.fixture(scope="module")
def triton() -> Path:
    """A Python with Triton's client; where it cannot be made, the test is skipped, and in CI failed."""
    return python_with("triton")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    bundle = serving_bundles.write(tmp_path_factory.mktemp("bundles") / "flights", serving_bundles.multiclass())
    with running(bundle) as server:
        yield server


def test_tritons_client_is_answered_as_json_and_as_bytes(triton: Path, served: Running) -> None:
    done = subprocess.run(
        [triton, "-c", ASK, f"127.0.0.1:{served.port}", json.dumps(COLUMNS)],
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.partition("answers:")[2])
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)]
    told = served.post({"dataframe_records": rows}).json()["predictions"]
    expected = {name: [each[name] for each in told] for name in told[0]}
    for form in ("binary", "json", "narrow", "upright", "gzip", "async"):
        assert found[form] == expected, form
    assert found["mixed"] == [
        "r7",
        {name: expected[name] for name in ("prediction", "probability_late")},
        [["data", "datatype", "name", "shape"], ["datatype", "name", "parameters", "shape"]],
    ]
    ready = {name: found[name] for name in ("live", "ready", "model", "version", "other")}
    assert ready == {"live": True, "ready": True, "model": True, "version": True, "other": False}
    assert found["server"]["extensions"] == ["binary_tensor_data"]
    assert [each["name"] for each in found["metadata"]["inputs"]] == list(COLUMNS)
    assert found["category"] == ["400", "row 1, column carrier: carrier is text 'XX'; allowed: 'AA', 'B6', 'UA'"]
    assert found["missing"] == ["400", "row 1, column distance: distance is missing (null); a float is needed"]
    assert found["model_name"][0] == "404"
    assert found["columns"] == ["400", "column carrier: column 'carrier' is missing"]
