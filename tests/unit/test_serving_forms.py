"""What may be sent to `/invocations`, and what is told when it may not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlops_ci.serving.app import App, Limits
from mlops_ci.serving.exact import Exact
from mlops_ci.serving.model import Model
from mlops_ci.serving.validate import Signature
from tests import serving_bundles
from tests.serving_client import ask, post

NAMES = ["carrier", "hour", "distance", "remark"]
ROWS: list[list[Any]] = [["AA", 18, 300.5, "late"], ["B6", 3, 120, None]]
CSV = "carrier,hour,distance,remark\nAA,18,300.5,late\nB6,3,120,\n"


@pytest.fixture(scope="module")
def app() -> App:
    return App(Model(serving_bundles.opened(serving_bundles.multiclass())), limits=Limits(rows=50, bytes=100_000))


def records(rows: list[list[Any]] = ROWS) -> list[dict[str, Any]]:
    return [dict(zip(NAMES, row, strict=True)) for row in rows]


FORMS: dict[str, Any] = {
    "split": {"dataframe_split": {"columns": NAMES, "data": ROWS}},
    "split, another order": {"dataframe_split": {"columns": NAMES[::-1], "data": [row[::-1] for row in ROWS]}},
    "split with an index": {"dataframe_split": {"index": [7, 8], "columns": NAMES, "data": ROWS}},
    "records": {"dataframe_records": records()},
    "a record without its missing value": {"dataframe_records": [records()[0], dict(list(records()[1].items())[:3])]},
    "instances": {"instances": records()},
    "instances without names": {"instances": ROWS},
    "inputs by column": {"inputs": dict(zip(NAMES, map(list, zip(*ROWS, strict=True)), strict=True))},
    "inputs by row": {"inputs": records()},
    "with an id": {"dataframe_records": [{**each, "flight": 5} for each in records()]},
    "without parameters": {"dataframe_records": records(), "params": {}},
    "an integer as a float": {"instances": [["AA", 18.0, 300.5, "late"], ROWS[1]]},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_same_rows_has_the_same_answer(app: App, form: str) -> None:
    expected = post(app, FORMS["split"])
    assert expected.status == 200
    assert [each["prediction"] for each in expected.json()["predictions"]] == ["late", "on time"]
    assert post(app, FORMS[form]).body == expected.body


USUAL = {"split", "split with an index", "records"}


@pytest.mark.parametrize("form", FORMS)
def test_only_the_usual_forms_are_read_by_a_decoder_of_the_models_own(form: str) -> None:
    signature = Signature(serving_bundles.opened(serving_bundles.multiclass()).serving)
    found = Exact(signature.names, signature.exact).rows(json.dumps(FORMS[form]).encode())
    assert (found == [tuple(row) for row in ROWS]) if form in USUAL else (found is None)


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": FORMS["split"]["dataframe_split"], "dataframe_records": records()},
        {"dataframe_split": {"columns": NAMES, "data": [ROWS[0], ROWS[1][:3]]}},
        {"dataframe_split": {"columns": NAMES, "data": [[*ROWS[0], 1]]}},
        {"dataframe_split": {"columns": NAMES[:3], "data": [ROWS[0][:3]]}},
        {"dataframe_split": {"columns": NAMES, "data": ROWS, "other": 1}},
        {"dataframe_split": {"columns": NAMES, "data": [["AA", 24, 300.5, "late"]]}},
        {"dataframe_split": {"columns": NAMES, "data": [["XX", 18, 300.5, "late"]]}},
        {"dataframe_records": [None]},
        {"dataframe_split": None},
        {},
    ],
)
def test_what_is_not_as_expected_is_left_to_the_forms(body: Any) -> None:
    signature = Signature(serving_bundles.opened(serving_bundles.multiclass()).serving)
    assert Exact(signature.names, signature.exact).rows(json.dumps(body).encode()) is None


def test_columns_of_one_type_in_another_order_are_left_to_the_forms() -> None:
    reader = Exact(["a", "b"], [int, int])
    assert reader.rows(b'{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2]]}}') == [(1, 2)]
    assert reader.rows(b'{"dataframe_split": {"columns": ["b", "a"], "data": [[1, 2]]}}') is None
    assert reader.rows(b'{"dataframe_records": [{"b": 1, "a": 2}]}') == [(2, 1)]


def test_names_that_json_escapes_are_read_in_a_split() -> None:
    reader = Exact(['a"b', "c"], [int, None])
    assert reader.rows(json.dumps({"dataframe_split": {"columns": ['a"b', "c"], "data": [[1, "x"]]}}).encode()) == [
        (1, "x")
    ]
    for rows in ([None], [{'a"b': 1, "c": 2}], []):
        assert reader.rows(json.dumps({"dataframe_records": rows}).encode()) is None


def test_a_csv_has_the_same_answer_too(app: App) -> None:
    expected = post(app, FORMS["split"]).body
    for text in (CSV, "\ufeff" + CSV, CSV.replace("\n", "\r\n"), CSV.replace("AA", '"AA"') + "\n"):
        assert (
            ask(app, "POST", "/invocations", text.encode(), {"content-type": "text/csv; charset=utf-8"}).body
            == expected
        )


def row(**changed: Any) -> dict[str, Any]:
    return {"dataframe_records": [records()[0], records()[0] | changed]}


def without(name: str, **extra: Any) -> dict[str, Any]:
    return {"dataframe_records": [{k: v for k, v in each.items() if k != name} | extra for each in records()]}


REFUSED: dict[str, tuple[Any, str, str, str]] = {
    # what is sent: code, where, part of the message
    "text for a number": (row(hour="7"), "wrong_kind", "row 1, column hour", "hour is text '7'; an integer is allowed"),
    "a boolean for a number": (row(hour=True), "wrong_kind", "row 1, column hour", "hour is true; an integer"),
    "a fraction": (row(hour=7.5), "wrong_kind", "row 1, column hour", "hour is 7.5; an integer is allowed"),
    "a number for text": (row(remark=7), "wrong_kind", "row 1, column remark", "a text or null is allowed"),
    "missing": (row(hour=None), "missing_value", "row 1, column hour", "hour is missing (null); an integer is needed"),
    "too large": (row(hour=24), "out_of_range", "row 1, column hour", "hour is 24; allowed is 0 to 23"),
    "too small": (row(distance=-1), "out_of_range", "row 1, column distance", "allowed is at least 0"),
    "beyond 32 bits": (row(distance=1e39), "out_of_range", "row 1, column distance", "allowed is at least 0"),
    "beyond 64 bits": (row(hour=10**30), "out_of_range", "row 1, column hour", "allowed is 0 to 23"),
    "another category": (row(carrier="XX"), "unknown_category", "row 1, column carrier", "allowed: 'AA', 'B6', 'UA'"),
    "NUL": (row(remark="a\0b"), "wrong_kind", "row 1, column remark", "remark is text 'a\\x00b'"),
    "a column is missing": (without("hour"), "missing_column", "column hour", "column 'hour' is missing"),
    "misspelt": (without("hour", hours=7), "missing_column", "column hour", "missing; instead there is 'hours'"),
    "one too many": (row(hours=7), "unknown_column", "column hours", "'hours' is not known; did you mean 'hour'?"),
    "no rows": ({"dataframe_records": []}, "no_rows", "", "at least one is needed"),
    "too many rows": ({"instances": ROWS * 26}, "too_many_rows", "", "52 rows; at most 50"),
    "no form": ({}, "wrong_form", "", "exactly one of dataframe_split, dataframe_records, instances, inputs"),
    "two forms": ({**row(), "instances": ROWS}, "wrong_form", "", "found dataframe_records, instances"),
    "unknown form": ({"rows": ROWS}, "wrong_form", "", "unknown field `rows`"),
    "parameters": ({**row(), "params": {"a": 1}}, "wrong_form", "params", "takes none"),
    "mixed rows": ({"instances": [ROWS[0], records()[0]]}, "wrong_form", "instances", "mixed"),
    "a short row": ({"instances": [ROWS[0], ROWS[1][:3]]}, "wrong_form", "instances, row 1", "3 values; there are 4"),
    "ragged columns": ({"inputs": {"hour": [1, 2], "carrier": ["AA"]}}, "wrong_form", "inputs", "of 1 and of 2"),
    "a column twice": (
        {"dataframe_split": {"columns": ["hour", "hour"], "data": [[1, 2]]}},
        "wrong_form",
        "column hour",
        "named twice",
    ),
    "nested": ({"instances": [[{"a": 1}]]}, "wrong_form", "instances[0][0]", "got `object`"),
    "no object": ([1], "wrong_form", "", "Expected `object`"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_says_where_and_what_is_allowed(app: App, case: str) -> None:
    sent, code, where, words = REFUSED[case]
    answer = post(app, sent)
    error = answer.json()["error"]
    assert (answer.status, error["code"], error["where"]) == (413 if code == "too_many_rows" else 400, code, where)
    assert words in error["message"]


_NO_CELLS = (b"NaN", b"Infinity", b"1e999", b'"\xff"', b'"\\ud800"', b"01", b"1_0")


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"NaN", b"\xff", b"[" * 90_000),
        *(b'{"instances": [[%b]]}' % each for each in _NO_CELLS),
        b'{"instances": %b}' % (b"[" * 40_000 + b"]" * 40_000),
        b'{"dataframe_split": {"columns": [], "data": [], "index": %b}}' % (b"[" * 40_000 + b"]" * 40_000),
    ],
)
def test_what_is_no_json_of_ours_is_told_so(app: App, body: bytes) -> None:
    answer = ask(app, "POST", "/invocations", body, {"content-type": "application/json"})
    assert answer.status == 400
    assert answer.json()["error"]["code"] in ("not_json", "wrong_form")


CSV_REFUSED = {
    "": ("not_csv", "no line of names"),
    'carrier,"hour': ("not_csv", "unexpected end of data"),
    CSV + "AA,1\n": ("wrong_form", "2 values; there are 4"),
    CSV.replace("18", "NaN"): ("wrong_kind", "hour is text 'NaN'"),
    CSV.replace("300.5", "Infinity"): ("wrong_kind", "distance is text 'Infinity'"),
    CSV.replace("300.5", "1e999"): ("out_of_range", "distance is inf"),
    CSV.replace("18", ""): ("missing_value", "hour is missing"),
    CSV.replace("18", "1_8"): ("wrong_kind", "hour is text '1_8'"),
}


@pytest.mark.parametrize("text", CSV_REFUSED)
def test_a_csv_is_held_to_the_same(app: App, text: str) -> None:
    code, words = CSV_REFUSED[text]
    answer = ask(app, "POST", "/invocations", text.encode(), {"content-type": "text/csv"})
    assert (answer.status, answer.json()["error"]["code"]) == (400, code)
    assert words in answer.json()["error"]["message"]


def test_bytes_that_are_no_text_are_no_csv(app: App) -> None:
    answer = ask(app, "POST", "/invocations", b"hour\n\xff", {"content-type": "text/csv"})
    assert (answer.status, answer.json()["error"]["code"]) == (400, "not_csv")


def test_a_request_says_what_it_is(app: App) -> None:
    body = json.dumps(FORMS["split"]).encode()
    assert ask(app, "POST", "/invocations", body).status == 200
    refused = ask(app, "POST", "/invocations", body, {"content-type": "application/x-www-form-urlencoded"})
    assert (refused.status, refused.json()["error"]["code"]) == (415, "wrong_content_type")
    encoded = ask(app, "POST", "/invocations", body, {"content-encoding": "br"})
    assert (encoded.status, encoded.json()["error"]["code"]) == (415, "wrong_encoding")


def test_a_request_id_is_kept_where_it_is_one(app: App) -> None:
    def answered(given: str) -> str:
        return post(app, FORMS["split"], **{"x-request-id": given}).headers["x-request-id"]

    assert answered("abc-1:2.3_4") == "abc-1:2.3_4"
    assert answered('x"},{"a') != 'x"},{"a'
    assert answered("") != answered("")


def test_paths_and_methods_that_are_not_there(app: App) -> None:
    assert (ask(app, "GET", "/invocations").status, ask(app, "GET", "/invocations").headers["allow"]) == (405, "POST")
    assert (ask(app, "POST", "/health").status, ask(app, "POST", "/health").headers["allow"]) == (405, "GET, HEAD")
    for path in (
        "/",
        "/invocations/",
        "/v2/models/other",
        "/v2/models/../../etc/passwd",
        "/v2/models/flights/versions/1",
    ):
        assert ask(app, "GET", path).status == 404, path
    assert "the model here is flights" in ask(app, "GET", "/v2/models/other").json()["error"]
    assert "/invocations" in ask(app, "GET", "/").json()["error"]["message"]


def test_paths_that_are_not_written_as_they_are_have_to_be_read(app: App) -> None:
    assert app.paths[b"/invocations"] == "/invocations"
    odd = App(Model(serving_bundles.opened(serving_bundles.multiclass()), "a%20b?c"))
    assert odd.paths.keys() == {path for path in app.paths if b"/versions/" not in path} != app.paths.keys()
