"""What the forms have in common: the check of columns, the golden answers, the protocol of tensors, the counts."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import example, given

from mlops_ci.packaging import golden as packaged
from mlops_ci.serving import golden
from mlops_ci.serving.app import App, Limits
from mlops_ci.serving.columns import column
from mlops_ci.serving.counts import Counts
from mlops_ci.serving.described import Input
from mlops_ci.serving.errors import Refused
from mlops_ci.serving.metrics import Metrics
from mlops_ci.serving.model import Model
from tests import serving_bundles
from tests.serving_client import ask, post

CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 3),
    st.floats(),
    st.floats(-3, 3).map(round).map(float),
    st.text(max_size=3),
    st.sampled_from(["2024-05-01", "2024-05-01T12:00:00Z", "2024-02-30", "0001-01-01T00:00:00+14:00", "a\0b", "AA"]),
)
COLUMNS = [
    Input("a", "integer"),
    Input("a", "integer", nullable=True, minimum=-1, maximum=2),
    Input("a", "integer", categories=(1, 2)),
    Input("a", "float"),
    Input("a", "float", minimum=0),
    Input("a", "float", nullable=True, maximum=2.5),
    Input("a", "text"),
    Input("a", "text", nullable=True, categories=("AA", "")),
    Input("a", "boolean"),
    Input("a", "date", nullable=True, minimum="2024-01-01"),
    Input("a", "timestamp"),
]


@given(st.sampled_from(COLUMNS), st.lists(CELLS, min_size=1, max_size=4))
@example(Input("a", "float"), [1.0, float("nan")])
@example(Input("a", "float"), [float("nan"), 1.0])
@example(Input("a", "integer"), [True])
@example(Input("a", "integer", categories=(1, 2)), [True])
def test_what_passes_at_a_glance_passes_unchanged_one_by_one(described: Input, values: list[Any]) -> None:
    check = column(described)
    if check.fast(values):
        slow = check.slow(values)
        assert list(map(repr, slow)) == list(map(repr, values))


TOLD = st.one_of(
    CELLS.filter(lambda cell: cell == cell and cell not in (math.inf, -math.inf)),
    st.sampled_from([2**63 - 1, 2**63, -(2**63) + 1, -(2**63), 10**17, 10**17 + 1, 1e17, 3.4e38, 3.5e38, 1e300, -0.0]),
    st.integers(10**17 - 2, 10**17 + 2),
)
LIMITED = [
    Input("a", "integer", minimum=0.5, maximum=2.5),
    Input("a", "integer", minimum=-1e30, maximum=1e30),
    Input("a", "integer", minimum=2**63 - 1),
    Input("a", "integer", minimum=2**64),
    Input("a", "float", minimum=0.5, maximum=2.5, nullable=True),
    Input("a", "float", minimum=0.2, maximum=0.8),
    Input("a", "float", minimum=1e30),
    Input("a", "float", maximum=10**17 + 1),
    Input("a", "float", minimum=-1e300, maximum=1e300),
    Input("a", "text", categories=("AA", 1)),
    Input("a", "boolean", categories=(True,)),
]


@given(st.sampled_from([*COLUMNS, *LIMITED]), TOLD)
@example(Input("a", "float", maximum=10**17 + 1), 10**17 + 2)
@example(Input("a", "float", minimum=10**17 + 1), 1e17)
@example(Input("a", "text"), "a\0b")
@example(Input("a", "integer"), 2**63 - 1)
@example(Input("a", "integer"), 2**63)
@example(Input("a", "integer"), -(2**63))
@example(Input("a", "integer", minimum=0.5), 0)
@example(Input("a", "float", maximum=2.5), 3)
@example(Input("a", "float"), 3.5e38)
@example(Input("a", "boolean", categories=(True,)), False)
def test_what_a_type_lets_through_is_what_is_given_back_one_by_one(described: Input, value: Any) -> None:
    check = column(described)
    if check.exact is None:
        return
    try:
        found = msgspec.json.decode(msgspec.json.encode(value), type=check.exact)
    except msgspec.ValidationError:
        return
    assert repr(check.slow([found])) == repr([found]) == repr([value])


@pytest.mark.parametrize(
    ("described", "values"),
    [
        (Input("a", "integer"), [1, 2**63 - 1, -(2**63) + 1]),
        (Input("a", "integer", minimum=-0.5, maximum=2.5), [0, 2]),
        (Input("a", "float", minimum=0, maximum=1), [0, 0.5, 1]),
        (Input("a", "float", minimum=0.2, maximum=1.5, nullable=True), [0.2, 1, None]),
        (Input("a", "text", categories=("a", "b"), nullable=True), ["b", "a", None]),
        (Input("a", "boolean"), [True, False]),
    ],
)
def test_what_is_usual_needs_no_look(described: Input, values: list[Any]) -> None:
    found = msgspec.json.decode(msgspec.json.encode(values), type=list[column(described).exact])  # type: ignore[misc]
    assert repr(found) == repr(values)


@pytest.mark.parametrize(
    ("described", "values"),
    [
        (Input("a", "integer"), [1, 2**63 - 1, 0]),
        (Input("a", "float", minimum=0, maximum=1), [0, 0.5, 1]),
        (Input("a", "text", categories=("a", "b")), ["b", "a"]),
        (Input("a", "boolean"), [True, False]),
    ],
)
def test_what_is_usual_passes_at_a_glance(described: Input, values: list[Any]) -> None:
    assert column(described).fast(values)


def test_times_are_read() -> None:
    assert column(Input("a", "date")).slow(["2024-02-29"]) == [dt.date(2024, 2, 29)]
    read = column(Input("a", "timestamp")).slow(["2024-05-01T12:00:00+02:00", "2024-05-01 12:00"])
    assert read == [dt.datetime(2024, 5, 1, 10), dt.datetime(2024, 5, 1, 12)]
    for kind, value in (("date", "2024-02-30"), ("date", "20240229"), ("timestamp", "noon"), ("date", 20240229)):
        with pytest.raises(Refused, match=r"a (date|time) like 2024-05-01"):
            column(Input("a", kind)).slow([value])  # type: ignore[arg-type]
    with pytest.raises(Refused, match="allowed is at least 2024-01-01"):
        column(Input("a", "date", minimum="2024-01-01")).slow(["2023-12-31"])


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
        st.lists(
            st.one_of(
                st.booleans(),
                st.integers(-(2**53), 2**53),
                st.floats(allow_nan=False, allow_infinity=False),
                st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
            ),
            max_size=4,
        ),
        max_size=3,
    )
)
@example({"a": [-0.00001, 1e21, 123456789012345680000.0, 1e-5, 0.00012, 1e300, 1e308, 1e16, -1.5, 2.0]})
def test_the_fingerprint_is_the_one_that_packaging_computed(answers: dict[str, list[Any]]) -> None:
    assert golden.fingerprint(answers, 1e-3) == packaged.fingerprint(answers, 1e-3)


@pytest.fixture(scope="module")
def app() -> App:
    return App(Model(serving_bundles.opened(serving_bundles.multiclass())), limits=Limits(rows=20, bytes=50_000))


JSON_VALUES = st.recursive(
    CELLS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
NAMES = st.sampled_from(["carrier", "hour", "distance", "remark", "flight", "x"])
TENSORS = st.fixed_dictionaries(
    {
        "name": NAMES,
        "shape": st.lists(st.integers(-1, 3), max_size=3),
        "datatype": st.sampled_from(["FP64", "INT64", "BYTES", "BOOL", "X"]),
        "data": st.lists(CELLS | st.lists(CELLS, max_size=2), max_size=3),
    }
)
BODIES = st.one_of(
    JSON_VALUES,
    st.dictionaries(st.sampled_from(["inputs", "instances", "dataframe_records", "params"]), JSON_VALUES),
    st.fixed_dictionaries({"dataframe_records": st.lists(st.dictionaries(NAMES, CELLS), max_size=3)}),
    st.fixed_dictionaries(
        {
            "dataframe_split": st.fixed_dictionaries(
                {"columns": st.lists(NAMES, max_size=5), "data": st.lists(st.lists(CELLS, max_size=5), max_size=3)}
            )
        }
    ),
    st.fixed_dictionaries({"inputs": st.lists(TENSORS, max_size=5)}),
)


@given(BODIES | st.binary(max_size=30), st.sampled_from(["application/json", "text/csv", "", "x"]), st.booleans())
def test_no_input_is_answered_with_our_own_failure(app: App, sent: Any, content_type: str, infer: bool) -> None:
    body = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    path = "/v2/models/flights/infer" if infer else "/invocations"
    answer = ask(app, "POST", path, body, {"content-type": content_type} if content_type else {})
    assert answer.status in (200, 400, 413, 415)
    found = answer.json()
    assert ("error" in found) == (answer.status != 200)


ROWS = [["AA", 18, 300.5, "late"], ["B6", 3, 120.0, None]]
COLUMN_VALUES = dict(zip(["carrier", "hour", "distance", "remark"], map(list, zip(*ROWS, strict=True)), strict=True))
TYPES = {"carrier": "BYTES", "hour": "INT64", "distance": "FP32", "remark": "BYTES"}


def tensors(**changed: Any) -> list[dict[str, Any]]:
    """The rows as tensors; a column's name -> fields that are other."""
    return [
        {"name": name, "shape": [2], "datatype": TYPES[name], "data": values} | changed.get(name, {})
        for name, values in COLUMN_VALUES.items()
    ]


def infer(app: App, inputs: list[dict[str, Any]], path: str = "/v2/models/flights/infer", **fields: Any) -> Any:
    return post(app, {"inputs": inputs, **fields}, path)


def test_tensors_are_answered_as_rows_are(app: App) -> None:
    rows = post(app, {"instances": ROWS}).json()["predictions"]
    nested = {name: {"shape": [2, 1], "data": [[each] for each in COLUMN_VALUES[name]]} for name in ("hour", "remark")}
    for path in ("/v2/models/flights/infer", "/v2/models/flights/versions/v12/infer"):
        answer = infer(app, tensors(**nested), path, id="7", parameters={"a": 1}).json()
        assert (answer["model_name"], answer["model_version"], answer["id"]) == ("flights", "v12", "7")
        assert {each["name"]: each["data"] for each in answer["outputs"]} == {
            name: [row[name] for row in rows] for name in rows[0]
        }
        assert [(each["datatype"], each["shape"]) for each in answer["outputs"]] == [("BYTES", [2])] + [
            ("FP64", [2])
        ] * 3
    wanted = infer(app, tensors(), outputs=[{"name": "prediction"}]).json()["outputs"]
    assert [each["name"] for each in wanted] == ["prediction"]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (tensors(hour={"datatype": "BYTES"}), "hour is a tensor of 'BYTES'; a column of kind integer is one of FP16"),
        (tensors(hour={"shape": [3]}), "column hour: shape [3] and 2 values; [rows] or [rows, 1] is allowed"),
        (tensors(hour={"shape": [2, 2]}), "column hour: shape [2, 2] and 2 values"),
        (tensors(hour={"data": [[1, 2], [3, 4]]}), "column hour: nested data"),
        (tensors(hour={"shape": [1], "data": [1]}), "tensors of 1 and of 2 rows"),
        (tensors(hour={"data": [1, 99]}), "row 1, column hour: hour is 99; allowed is 0 to 23"),
        (tensors(hour={"name": "carrier"}), "there are two tensors of this name"),
        (tensors(hour={"name": "hours"}), "column 'hour' is missing; instead there is 'hours'"),
        ([], "there is no row"),
    ],
)
def test_tensors_that_do_not_fit_are_told_in_one_text(app: App, sent: Any, words: str) -> None:
    answer = infer(app, sent)
    assert answer.status == 400
    assert words in answer.json()["error"]


def test_an_output_that_is_not_there_is_told(app: App) -> None:
    answer = infer(app, tensors(), outputs=[{"name": "x"}])
    assert (answer.status, answer.json()["error"][:31]) == (400, "there is no output 'x'; there a")


def test_the_protocol_describes_the_model(app: App) -> None:
    described = ask(app, "GET", "/v2/models/flights").json()
    assert described["inputs"][0] == {"name": "carrier", "datatype": "BYTES", "shape": [-1]}
    assert (described["versions"], described["platform"]) == (["v12"], "mlops-ci_onnx")
    assert ask(app, "GET", "/v2").json()["extensions"] == ["binary_tensor_data"]
    assert ask(app, "GET", "/v2/health/live").json() == {"live": True}
    assert ask(app, "GET", "/v2/models/flights/ready").json() == {"name": "flights", "ready": True}


def test_while_stopping_it_is_not_ready_and_answers(app: App) -> None:
    app.state.draining = True
    try:
        for path in ("/ready", "/v2/health/ready", "/v2/models/flights/ready"):
            assert ask(app, "GET", path).status == 503
        assert ask(app, "GET", "/health").status == 200
        assert post(app, {"instances": ROWS}).status == 200
    finally:
        app.state.draining = False


def test_metadata_names_what_is_served(app: App) -> None:
    found = ask(app, "GET", "/metadata").json()
    assert (found["project"], found["release"], found["task"], found["format"]) == (
        "flights",
        "v12",
        "multiclass",
        "onnx",
    )
    assert found["inputs"][1] == {
        "name": "hour", "kind": "integer", "nullable": False, "minimum": 0, "maximum": 23, "categories": None,
    }  # fmt: skip


def test_counts_are_in_the_text_form_of_prometheus() -> None:
    metrics = Metrics({"release": 'a"b\\c\nd'}, Counts())
    for seconds in (0.0001, 0.00025, 0.3, 9.0):
        metrics.took(seconds)
    for _ in range(2):
        metrics.answered("/invocations", 200)
    metrics.refused("wrong_kind")
    text = metrics.text(logged=False)
    lines = text.splitlines()
    assert text.endswith("\n")
    assert 'mlops_ci_model_info{release="a\\"b\\\\c\\nd"} 1' in lines
    assert 'mlops_ci_requests_total{path="/invocations",status="200"} 2' in lines
    assert 'mlops_ci_errors_total{code="wrong_kind"} 1' in lines
    buckets = [int(line.rpartition(" ")[2]) for line in lines if "_bucket" in line]
    assert buckets == [2] * 10 + [3, 3, 3, 4]
    assert "mlops_ci_request_seconds_count 4" in lines
    assert "mlops_ci_ready 0" in lines
    assert "mlops_ci_log_rows_total" not in text
    assert "mlops_ci_log_rows_total 0" in metrics.text(logged=True)


def test_a_model_that_fails_is_our_failure_and_says_nothing_of_itself(capsys: pytest.CaptureFixture[str]) -> None:
    failing = App(Model(serving_bundles.opened(serving_bundles.regression())))

    def engine(_: Any) -> Any:
        raise ValueError("secret")

    failing._model.engine = engine
    answer = post(failing, {"instances": [[1.5, 2]]})
    assert (answer.status, answer.json()["error"]["code"]) == (500, "model_failed")
    assert b"secret" not in answer.body
    assert "ValueError: secret" in capsys.readouterr().err


def test_what_has_no_finite_answer_is_refused() -> None:
    app = App(Model(serving_bundles.opened(serving_bundles.regression())))
    answer = post(app, {"instances": [[1.5, 2], [3e38, 2]]})
    assert (answer.status, answer.json()["error"]["code"], answer.json()["error"]["where"]) == (
        400,
        "no_finite_answer",
        "row 1",
    )


def test_a_model_that_answers_with_too_many_columns_has_failed(capsys: pytest.CaptureFixture[str]) -> None:
    app = App(Model(serving_bundles.opened(serving_bundles.regression())))
    app._model.engine.ask = lambda rows: [[1.0]] * 2
    answer = post(app, {"instances": [[1.5, 2]]})
    assert (answer.status, answer.json()["error"]["code"]) == (500, "model_failed")
    assert "2 columns of answers; the signature has 1" in capsys.readouterr().err
