"""One bundle, many places to run: the same answers to golden requests, the same code and column for hostile ones."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.errors import OutsideError
from tests import serving_bundles, targets
from tests.helpers import lacking, must_not_skip

ROW = {"carrier": "AA", "hour": 18, "distance": 300.5, "remark": None}
DATATYPES = {"carrier": "BYTES", "hour": "INT64", "distance": "FP64", "remark": "BYTES"}
# What is changed in a row (... takes the column away), the code, and the column that is named.
HOSTILE: list[tuple[dict[str, Any], str, str]] = [
    ({"hour": "noon"}, "wrong_kind", "hour"),
    ({"hour": 1.5}, "wrong_kind", "hour"),
    ({"hour": True}, "wrong_kind", "hour"),
    ({"hour": None}, "missing_value", "hour"),
    ({"hour": 2**70}, "out_of_range", "hour"),
    ({"distance": "nan"}, "wrong_kind", "distance"),
    ({"distance": 1e39}, "out_of_range", "distance"),
    ({"distance": ...}, "missing_column", "distance"),
    ({"carrier": None}, "missing_value", "carrier"),
    ({"carrier": "a\0b"}, "wrong_kind", "carrier"),
]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lock = {"requirements.lock": (targets.SERVING / "requirements.lock").read_bytes()}
    return serving_bundles.write(tmp_path_factory.mktemp("targets") / "bundle", serving_bundles.multiclass() | lock)


@pytest.fixture(scope="module", params=targets.TARGETS)
def target(request: pytest.FixtureRequest, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A target that is ready to be asked; where what it needs cannot be installed, the test is skipped."""
    reason = lacking("java") if request.param == "spark" else ""
    try:
        if reason:
            raise OutsideError(reason)
        with targets.TARGETS[request.param](bundle, tmp_path_factory.mktemp(request.param)) as ask:
            yield ask
    except OutsideError as error:
        (pytest.fail if must_not_skip() else pytest.skip)(f"{request.param}: {error}")


def test_golden_requests_are_answered_as_they_were_judged(target: targets.Ask, bundle: Path) -> None:
    golden = json.loads((bundle / "golden.json").read_bytes())
    rows = [dict(zip(golden["columns"], row, strict=True)) for row in golden["rows"]]
    found = target(rows)
    assert found.rows is not None, found
    assert [row["prediction"] for row in found.rows] == golden["answers"]["prediction"]
    for name, judged in golden["answers"].items():
        if name != "prediction":
            assert [row[name] for row in found.rows] == pytest.approx(judged, abs=golden["tolerance"])


@pytest.mark.parametrize(("change", "code", "column"), HOSTILE)
def test_hostile_requests_are_refused_in_the_same_words(
    target: targets.Ask, change: dict[str, Any], code: str, column: str
) -> None:
    rows = [{name: value for name, value in (row | change).items() if value is not ...} for row in (ROW, ROW)]
    rows[0] = ROW if ... not in change.values() else rows[0]
    assert target(rows) == targets.Answer(None, code, column)


def test_lambda_answers_gateways(bundle: Path, tmp_path: Path) -> None:
    """Function URLs and HTTP APIs: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html."""
    (tmp_path / "lambda_function.py").write_bytes(_text("lambda_function.py"))
    (tmp_path / "bundle").symlink_to(bundle)

    def event(method: str, path: str, body: str = "", **more: Any) -> dict[str, Any]:
        http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.1"}
        headers = {"Content-Type": "application/json", "Content-Length": "7"} | more.pop("headers", {})
        context = {"http": http, "stage": more.pop("stage", "$default"), "requestId": "id"}
        return {"version": "2.0", "rawPath": path, "headers": headers, "requestContext": context, "body": body, **more}

    asked = json.dumps({"dataframe_records": [ROW]})
    packed = base64.b64encode(asked.encode()).decode()
    with targets.invoked(tmp_path, "lambda_function.lambda_handler", PYTHONPATH=_libraries()) as api:
        plain = api.invoke(event("POST", "/invocations", asked))
        assert (plain["statusCode"], plain["isBase64Encoded"]) == (200, False)
        assert json.loads(plain["body"]) == api.invoke({"dataframe_records": [ROW]})
        assert plain["headers"]["x-request-id"] == "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
        assert api.invoke(event("POST", "/invocations", packed, isBase64Encoded=True))["body"] == plain["body"]
        assert api.invoke(event("POST", "/prod/invocations", asked, stage="prod"))["body"] == plain["body"]
        csv = {"content-type": "text/csv"}
        told = api.invoke(event("POST", "/invocations", "carrier,hour,distance,remark\nAA,18,300.5,\n", headers=csv))
        assert told["body"] == plain["body"]
        assert api.invoke(event("POST", "/invocations", "%%", isBase64Encoded=True))["statusCode"] == 400
        tensors = [{"name": n, "shape": [1], "datatype": t, "data": [ROW[n]]} for n, t in DATATYPES.items()]
        binary = json.dumps({"inputs": tensors, "parameters": {"binary_data_output": True}})
        found = api.invoke(event("POST", "/v2/models/flights/infer", binary))
        assert (found["statusCode"], found["isBase64Encoded"]) == (200, True)
        length = int(found["headers"]["inference-header-content-length"])
        assert base64.b64decode(found["body"])[length:].startswith(b"\4\0\0\0late")
        assert api.invoke(event("GET", "/ready"))["statusCode"] == 200
        assert api.invoke(event("GET", "/nowhere"))["statusCode"] == 404
        assert "mlops_ci_rows_total 6" in api.invoke(event("GET", "/metrics"))["body"]
        for hostile in (None, [], "text", 3, {}, {"requestContext": None}, {"dataframe_records": [{"hour": []}]}):
            assert set(api.invoke(hostile)["error"]) == {"code", "message", "where"}


def test_functions_know_all_paths(bundle: Path, tmp_path: Path) -> None:
    with targets.framework(bundle, tmp_path) as port:
        assert targets.request(port, "/health") == (200, b'{"status":"alive"}')
        assert targets.request(port, "/nowhere")[0] == 404
        assert targets.request(port, "/invocations", "{")[0] == 400
        assert targets.request(port, "/invocations", " " * (9 * 2**20))[0] == 413
        assert json.loads(targets.request(port, "/metadata")[1])["project"] == "flights"


def test_the_same_bundle_gives_the_same_zip(bundle: Path, tmp_path: Path) -> None:
    told = targets.package("lambda", bundle, tmp_path / "a.zip", "--architecture", "arm64")
    targets.package("lambda", bundle, tmp_path / "b.zip", "--architecture", "arm64")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert told["bytes"] == (tmp_path / "a.zip").stat().st_size < told["unpacked"] < 262_144_000
    assert told["largest"][0][0] == "onnxruntime"


def _text(name: str) -> bytes:
    return (Path(__file__).parents[2] / "templates" / "targets" / name).read_bytes()


def _libraries() -> str:
    """Where the libraries of the tests lie, which are those of a bundle and more."""
    import numpy as np

    return str(Path(np.__file__).parents[1])
