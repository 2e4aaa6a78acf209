"""The pieces of the job `export`: jumps, inputs, parity, the bytes of skops files, and what the tool believes."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest

from mlops_ci.edge import answers as decoded
from mlops_ci.errors import UserCodeError
from mlops_ci.worker.answers import Answers
from mlops_ci.worker.failures import Failure
from mlops_ci.worker.formats.feeds import Feed, feeds, one_table
from mlops_ci.worker.formats.hist_trees import members
from mlops_ci.worker.formats.hunt import Hunter
from mlops_ci.worker.formats.jumps import Jumps, places
from mlops_ci.worker.formats.parity import Parity, tolerance
from mlops_ci.worker.formats.skops_file import stable

DRAW = np.random.default_rng(3)
FRAME = pd.DataFrame({"x": DRAW.uniform(-2, 9, 300), "n": DRAW.integers(0, 50, 300), "flag": DRAW.random(300) < 0.5})
KINDS = {"x": "float", "n": "integer", "flag": "boolean"}


def steps(frame: pd.DataFrame) -> np.ndarray:
    """Jumps after x = 0.1 and x = 7.3 and after n = 20, and rises smoothly with x."""
    jumps = (frame["x"] > 0.1) * 1.0 + (frame["x"] > 7.3) * 2.0 + (frame["n"] > 20.5) * 4.0
    return (jumps + 1e-3 * frame["x"]).to_numpy()[:, None]


def test_jumps_are_found_between_neighbouring_float32_and_smooth_parts_are_not() -> None:
    jumps = Jumps(steps, FRAME, KINDS)
    jumps.close_in(1e-5)
    rows, columns = jumps.rows()
    x = {float(value) for value, column in zip(rows["x"], columns, strict=True) if column == "x"}
    n = {float(value) for value, column in zip(rows["n"], columns, strict=True) if column == "n"}
    assert n == {20.0, 21.0}
    for threshold in (0.1, 7.3):
        near = np.float32(threshold)
        before = near if float(near) <= threshold else np.nextafter(near, np.float32(-np.inf))
        assert {float(before), float(np.nextafter(before, np.float32(np.inf)))} <= x
    assert len(x) == 4
    assert rows["n"].dtype == np.int64


def test_a_column_the_model_cannot_be_asked_about_is_left_out_and_told() -> None:
    def picky(frame: pd.DataFrame) -> np.ndarray:
        if set(frame["n"] % 10) != {0}:
            raise Failure("raised", "found unknown categories")
        return steps(frame)

    jumps = Jumps(picky, FRAME.assign(n=FRAME["n"] // 10 * 10), KINDS)
    assert jumps.refused == ["n"]
    jumps.close_in(1e-5)
    assert set(jumps.rows()[1]) == {"x"}


def test_what_the_model_refuses_to_answer_is_no_row_to_compare() -> None:
    def ask(frame: pd.DataFrame) -> Answers:
        if frame["x"].isna().any():
            raise Failure("raised", "Input contains NaN")
        return Answers((steps(frame)[:, 0]).astype(np.float32), None, "none", [])

    hunter = Hunter(ask, FRAME, KINDS)
    hunted = hunter.hunt(steps, nullable=["x", "flag"], allowed=1e-5)
    assert [each.sort for each in hunted] == ["jump", "missing"]
    assert hunter.refused == ["x: missing"]


@pytest.mark.parametrize(("length", "most"), [(0, 5), (1, 5), (5, 5), (100, 7)])
def test_places_are_even_and_hold_both_ends(length: int, most: int) -> None:
    found = places(length, most)
    assert len(found) == min(length, most)
    assert not length or (found[0] == 0 and found[-1] == (length - 1 if most > 1 else 0))


def test_missing_text_and_missing_numbers_have_their_place_in_a_tensor() -> None:
    frame = pd.DataFrame({"t": ["a", None], "b": [True, None], "i": pd.array([2**60, None], "Int64")})
    assert Feed("t", ["t"], "string").array(frame, "nan").tolist() == [["a"], ["nan"]]
    numbers = Feed("X", ["b", "i"], "float64").array(frame, "")
    assert numbers.dtype == np.float64
    assert np.array_equal(numbers, [[1.0, 2.0**60], [np.nan, np.nan]], equal_nan=True)


def test_numbers_are_one_input_unless_the_model_picks_columns() -> None:
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline

    picking = make_pipeline(ColumnTransformer([("x", "passthrough", ["x"])]), LinearRegression())
    assert one_table(make_pipeline(LinearRegression()), KINDS)
    assert not one_table(picking, KINDS)
    assert not one_table(LinearRegression(), {**KINDS, "t": "text"})
    assert [feed.name for feed in feeds(KINDS, number="float32", table=True)] == ["X"]
    assert [feed.type for feed in feeds({"t": "text", "x": "float"}, number="float32", table=False)] == [
        "string",
        "float32",
    ]


def answered(labels: list[float], scores: list[float] | None = None, kind: str = "probability") -> Answers:
    held = None if scores is None else np.array(scores, np.float32)
    return Answers(np.array(labels, np.float32 if scores is None else np.int32), held, kind, [])


def test_parity_looks_at_labels_and_probabilities_and_names_the_worst_row() -> None:
    judged, other = answered([0, 1, 1], [0.2, 0.6, 0.9]), answered([0, 0, 1], [0.2, 0.6, 0.8])
    found = Parity(judged, other, task="binary", allowed=1e-5)
    assert not found.holds
    assert (found.labels_differ, found.worst, int(found.wrong.sum())) == (1, 1, 2)
    assert "2 of 3 rows are answered differently, 1 of them with another label, by up to 0.1" in found.words()
    assert Parity(judged, answered([0, 1, 1], [0.2, 0.6, 0.900001]), task="binary", allowed=1e-5).holds


def test_what_is_not_a_number_is_a_difference() -> None:
    assert not Parity(answered([1.0]), answered([np.nan]), task="regression", allowed=1.0).holds


def test_the_tolerance_of_a_regression_goes_with_its_answers() -> None:
    assert tolerance(answered([-20_000.0, 3.0]), task="regression") == pytest.approx(0.2)
    assert tolerance(answered([1], [0.5]), task="binary") == 1e-5


def test_members_of_a_bitset() -> None:
    assert members(np.array([0b101, 0, 1 << 31], np.uint32)) == {0, 2, 95}


def archive(first: int, second: int) -> bytes:
    schema = {"a": {"__id__": first, "file": f"{first}.npy"}, "b": [{"__id__": second, "file": f"{second}.npz"}]}
    schema |= {"again": {"__loader__": "CachedNode", "__id__": first}, "user": {"__id__": {"__id__": second}}}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        for number, name in sorted([(second, f"{second}.npz"), (first, f"{first}.npy")]):
            target.writestr(name, b"one" if number == first else b"two")
        target.writestr("schema.json", json.dumps(schema, indent=2))
    return made.getvalue()


def test_a_skops_file_does_not_depend_on_where_things_were_in_memory() -> None:
    assert archive(81, 17) != archive(5, 99)
    assert stable(archive(81, 17)) == stable(archive(5, 99))
    with zipfile.ZipFile(io.BytesIO(stable(archive(81, 17)))) as found:
        schema = json.loads(found.read("schema.json"))
        assert found.namelist() == ["1.npy", "2.npz", "schema.json"]
        assert (found.read("1.npy"), found.read("2.npz")) == (b"one", b"two")
    assert schema["again"]["__id__"] == schema["a"]["__id__"] == 1
    assert schema["user"] == {"__id__": {"__id__": 2}}


ONNX = {"feeds": [{"name": "X", "columns": ["x"], "type": "float32"}], "missing_text": "", "label": "l", "scores": None}
PARITY = {"rows": 3, "labels_differ": 0, "largest_difference": 0.0, "tolerance": 1e-5, "worst_row": 0, "hunted": {}}
EXPORTED = {
    "format": "onnx",
    "file": "model.onnx",
    "tried": [{"format": "onnx", "outcome": "accepted"}],
    "parity": PARITY,
    "inputs": ["x"],
    "prediction": "integer",
    "classes": ["0", "1"],
    "scores": "probability",
    "versions": {},
    "onnx": ONNX,
}


@pytest.mark.parametrize(
    "changed",
    [
        {"file": "../../model.onnx"},
        {"file": "model.pkl"},
        {"format": "pickle"},
        {"onnx": None},
        {"onnx": {**ONNX, "feeds": [{"name": "X", "columns": ["other"], "type": "float32"}]}},
        {"onnx": {**ONNX, "feeds": [{"name": "X", "columns": ["x"], "type": "object"}]}},
        {"parity": {**PARITY, "largest_difference": "NaN"}},
        {"tried": [{"format": "joblib", "outcome": "accepted"}]},
        {"prediction": "object"},
        {"predicts": "labels"},
        {"format": "pyfunc", "file": "model", "onnx": None},
        {"format": "pyfunc", "file": "model", "predicts": "labels"},
        {"format": "pyfunc", "file": "../model", "predicts": "labels", "onnx": None},
    ],
)
def test_an_answer_of_the_worker_that_does_not_fit_together_is_not_believed(changed: dict[str, object]) -> None:
    assert decoded.decode(msgspec.json.encode(EXPORTED), decoded.Exported).file == "model.onnx"
    with pytest.raises(UserCodeError, match="cannot be read"):
        decoded.decode(msgspec.json.encode({**EXPORTED, **changed}), decoded.Exported)


def test_a_model_file_is_a_plain_file(tmp_path) -> None:
    exported = decoded.decode(msgspec.json.encode(EXPORTED), decoded.Exported)
    with pytest.raises(UserCodeError, match=r"missing: model\.onnx"):
        decoded.exported_files(tmp_path, exported)
    (tmp_path / "model.onnx").symlink_to("/etc/hostname")
    with pytest.raises(UserCodeError, match="cannot be read"):
        decoded.exported_files(tmp_path, exported)


PYFUNC = {**EXPORTED, "format": "pyfunc", "file": "model", "predicts": "labels", "onnx": None}


def test_a_folder_of_mlflow_holds_plain_files_and_no_more_than_a_model_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported = decoded.decode(msgspec.json.encode(PYFUNC), decoded.Exported)
    (tmp_path / "model" / "data").mkdir(parents=True)
    (tmp_path / "model" / "data" / "weights.pth").write_bytes(b"1234")
    with pytest.raises(UserCodeError, match="missing: model/MLmodel"):
        decoded.exported_files(tmp_path, exported)
    (tmp_path / "model" / "MLmodel").write_bytes(b"{}")
    found = {"model/MLmodel": b"{}", "model/data/weights.pth": b"1234"}
    assert decoded.exported_files(tmp_path, exported) == found
    monkeypatch.setattr(decoded, "_LARGEST_MODEL", 5)
    with pytest.raises(UserCodeError, match="more than the 3 it may have"):
        decoded.exported_files(tmp_path, exported)
    monkeypatch.setattr(decoded, "_MOST_FILES", 1)
    with pytest.raises(UserCodeError, match="model holds more than the 1 files it may have"):
        decoded.exported_files(tmp_path, exported)


@pytest.mark.parametrize("name", ["model", "model/data", "model/MLmodel", "model/weights.pth"])
def test_no_link_in_a_folder_of_mlflow_is_followed(tmp_path: Path, name: str) -> None:
    exported = decoded.decode(msgspec.json.encode(PYFUNC), decoded.Exported)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "MLmodel").write_bytes(b"{}")
    if name != "model":
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "MLmodel").write_bytes(b"{}")
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / name).symlink_to(elsewhere / "MLmodel" if name.count("/") and name != "model/data" else elsewhere)
    with pytest.raises(UserCodeError):
        decoded.exported_files(tmp_path, exported)
