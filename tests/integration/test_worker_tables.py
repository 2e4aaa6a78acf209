"""Tables handed from the tool to the worker and back, through the files of the format."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops_ci.edge import frames as tool_frames
from mlops_ci.edge import worker
from mlops_ci.edge.processes import Limits
from mlops_ci.errors import UserCodeError
from mlops_ci.records.tables import Column, Kind, Table
from mlops_ci.worker import frames

NOW = np.datetime64("2024-02-29T12:34:56.789012", "us")
GONE = np.array([False, True])


def _table(**columns: tuple[Kind, object, tuple[str, ...]]) -> Table:
    return Table(
        rows=2,
        columns=tuple(
            Column(
                name=name,
                kind=kind,
                values=np.asarray(values),
                missing=GONE if name.endswith("missing") else None,
                categories=categories,
            )
            for name, (kind, values, categories) in columns.items()
        ),
    )


TABLE = _table(
    boolean=(Kind.BOOLEAN, [True, False], ()),
    boolean_missing=(Kind.BOOLEAN, [True, False], ()),
    integer=(Kind.INTEGER, [1, -(2**62)], ()),
    long_missing=(Kind.INTEGER, [2**62 + 1, 0], ()),
    float=(Kind.FLOAT, [0.1, np.inf], ()),
    float_missing=(Kind.FLOAT, [0.1, np.nan], ()),
    text=(Kind.TEXT, np.array([1, 0], np.int32), ("<b>", "é\n")),
    text_missing=(Kind.TEXT, np.array([0, -1], np.int32), ("a",)),
    date=(Kind.DATE, np.array(["1600-01-01", "2024-02-29"], "M8[D]"), ()),
    date_missing=(Kind.DATE, np.array(["2024-02-29", "NaT"], "M8[D]"), ()),
    time=(Kind.TIMESTAMP, np.array([NOW, NOW]), ()),
    time_missing=(Kind.TIMESTAMP, np.array([NOW, np.datetime64("NaT", "us")]), ()),
)


def test_a_table_of_every_kind_comes_back_as_it_went(tmp_path: Path):
    tool_frames.write(TABLE, tmp_path / "there")
    frames.write(frames.read(tmp_path / "there"), tmp_path / "back")
    back = tool_frames.read(tmp_path / "back")
    assert back.names == TABLE.names
    for before, after in zip(TABLE.columns, back.columns, strict=True):
        assert (after.kind, after.categories) == (before.kind, before.categories), before.name
        np.testing.assert_array_equal(after.values, before.values, err_msg=before.name)
        assert (after.missing is None) == (before.missing is None)


def test_pandas_sees_the_usual_dtypes(tmp_path: Path):
    tool_frames.write(TABLE, tmp_path)
    frame = frames.read(tmp_path)
    assert frame["boolean"].dtype == bool
    assert frame["boolean_missing"].tolist() == [True, None]
    assert frame["integer"].dtype == np.int64
    assert str(frame["long_missing"].dtype) == "Int64"
    assert frame["text"].dtype == pd.Series(["a"]).dtype
    assert pd.isna(frame["text_missing"][1])
    assert frame["date"].dt.year.tolist() == [1600, 2024]
    assert frame["time"][0] == pd.Timestamp("2024-02-29T12:34:56.789012")


def test_integers_with_missing_values_are_floats_as_pandas_reads_them(tmp_path: Path):
    tool_frames.write(_table(n_missing=(Kind.INTEGER, [7, 0], ())), tmp_path)
    column = frames.read(tmp_path)["n_missing"]
    assert column.dtype == np.float64
    assert column[0] == 7
    assert np.isnan(column[1])


PREPARE = """
import pandas as pd

def prepare(sources):
    flights, planes = sources["flights"], sources["planes"]
    return flights.merge(planes, on="plane", how="left")
"""


def _prepare(tmp_path: Path, text: str = PREPARE) -> Path:
    workspace, output = tmp_path / "workspace", tmp_path / "output"
    workspace.mkdir()
    (workspace / "prepare.py").write_text(text, encoding="utf-8")
    frames.write(pd.DataFrame({"flight": [1, 2], "plane": ["a", "b"]}), tmp_path / "flights")
    (tmp_path / "planes.csv").write_text("plane,seats\na,100\n", encoding="utf-8")
    request = {
        "entrypoint": "prepare:prepare",
        "sources": {
            "flights": {"frame": str(tmp_path / "flights")},
            "planes": {"files": [str(tmp_path / "planes.csv")]},
        },
        "output": str(output),
    }
    limits = Limits(seconds=60)
    scratch = tmp_path / "scratch"
    worker.run("prepare", request, python=Path(sys.executable), workspace=workspace, scratch=scratch, limits=limits)
    return output


def test_a_prepare_function_joins_frames_and_files(tmp_path: Path):
    table = tool_frames.read(_prepare(tmp_path))
    assert table.names == ("flight", "plane", "seats")
    assert table.column("seats").values[0] == 100
    assert table.column("seats").missing is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def prepare(sources): pass", "prepare:prepare returned nothing"),
        ("def prepare(sources): return [1]", "returned a list"),
        (
            "def prepare(sources): return sources['flights'].assign(x=[[1], [2]])",
            "column 'x' holds values of type list",
        ),
        ("def prepare(sources): return sources['flights'].set_axis(['a', 'a'], axis=1)", "2 columns named 'a'"),
        ("def prepare(sources): return sources['flights'].set_axis([0, 1], axis=1)", "column named 0"),
        ("def prepare(sources): return sources['gone']", "preparing the data raised KeyError: 'gone'"),
    ],
)
def test_a_table_that_cannot_be_used_is_told(tmp_path: Path, text: str, said: str):
    with pytest.raises(UserCodeError, match=said):
        _prepare(tmp_path, text)
