"""The hand-over between tool and worker: what is written is read again, and a hostile folder is refused."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mlops_ci.edge import frames
from mlops_ci.errors import SourceError
from mlops_ci.records.tables import Column, Kind, Table


def table() -> Table:
    lost = np.array([False, True, False])
    codes = np.array([1, -1, 0], dtype=np.int32)
    days = np.array(["2013-01-01", "NaT", "1969-12-31"], dtype="M8[D]")
    return Table(
        rows=3,
        columns=(
            Column(name="../b", kind=Kind.BOOLEAN, values=np.array([True, False, False]), missing=lost),
            Column(name="i🎉", kind=Kind.INTEGER, values=np.array([2**63 - 1, 0, -1], dtype=np.int64), missing=lost),
            Column(name="f", kind=Kind.FLOAT, values=np.array([1.5, np.nan, np.inf]), missing=lost),
            Column(name="t", kind=Kind.TEXT, values=codes, missing=lost, categories=("a", "ü")),
            Column(name="d", kind=Kind.DATE, values=days, missing=lost),
            Column(name="s", kind=Kind.TIMESTAMP, values=np.array([0, 1, -1], dtype="M8[us]")),
        ),
    )  # fmt: skip


def same(first: Table, second: Table) -> bool:
    assert [(c.name, c.kind, c.categories) for c in first.columns] == [
        (c.name, c.kind, c.categories) for c in second.columns
    ]
    for before, after in zip(first.columns, second.columns, strict=True):
        np.testing.assert_array_equal(before.values, after.values)
        np.testing.assert_array_equal(before.missing, after.missing)  # type: ignore[arg-type]
    return first.rows == second.rows


@pytest.mark.parametrize("memory_map", [False, True])
def test_a_table_comes_back_as_it_was(tmp_path: Path, memory_map: bool) -> None:
    frames.write(table(), tmp_path / "new" / "frame")
    back = frames.read(tmp_path / "new" / "frame", memory_map=memory_map)
    assert same(table(), back)
    assert isinstance(back.columns[1].values, np.memmap) is memory_map


def test_files_are_named_by_position_only(tmp_path: Path) -> None:
    frames.write(table(), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == (
        {"frame.json", "3.categories.json"} | {f"{i}.npy" for i in range(6)} | {f"{i}.missing.npy" for i in range(5)}
    )


def test_a_table_without_rows_or_columns_comes_back(tmp_path: Path) -> None:
    empty = Table(rows=0, columns=(Column(name="a", kind=Kind.INTEGER, values=np.array([], dtype=np.int64)),))
    frames.write(empty, tmp_path / "a")
    assert same(empty, frames.read(tmp_path / "a", memory_map=True))
    frames.write(Table(rows=0, columns=()), tmp_path / "b")
    assert frames.read(tmp_path / "b").names == ()


def test_what_numpy_and_json_alone_write_is_read(tmp_path: Path) -> None:
    np.save(tmp_path / "0.npy", np.array([0, -1], dtype=np.int32))
    (tmp_path / "0.categories.json").write_text(json.dumps(["é"]))
    column = {"name": "a", "kind": "text", "values": "0.npy", "categories": "0.categories.json"}
    (tmp_path / "frame.json").write_text(json.dumps({"format": 1, "rows": 2, "columns": [column]}))
    (read,) = frames.read(tmp_path).columns
    assert read.missing is not None
    assert read.missing.tolist() == [False, True]


def edit(folder: Path, change: Callable[[dict[str, object]], None]) -> None:
    frame = json.loads((folder / "frame.json").read_text())
    change(frame)
    (folder / "frame.json").write_text(json.dumps(frame))


def test_a_file_named_outside_the_folder_is_never_opened(tmp_path: Path) -> None:
    frames.write(table(), tmp_path / "frame")
    np.save(tmp_path / "1.npy", np.arange(3))
    edit(tmp_path / "frame", lambda frame: frame["columns"][1].update(values="../1.npy"))  # type: ignore[index]
    with pytest.raises(SourceError, match="names the files"):
        frames.read(tmp_path / "frame")


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("unpickled",)


@pytest.mark.parametrize("memory_map", [False, True])
def test_a_pickle_is_never_loaded(tmp_path: Path, memory_map: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    frames.write(table(), tmp_path / "frame")
    for content in (pickle.dumps(Evil()), None):
        if content is None:
            np.save(tmp_path / "frame" / "1.npy", np.array([Evil()] * 3, dtype=object), allow_pickle=True)
        else:
            (tmp_path / "frame" / "1.npy").write_bytes(content)
        with pytest.raises(SourceError, match="without pickle"):
            frames.read(tmp_path / "frame", memory_map=memory_map)
    assert not (tmp_path / "unpickled").exists()


def header(shape: str, descr: str = "<i8") -> bytes:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


BREAKS: dict[str, Callable[[Path], object]] = {
    "a size that is not there": lambda f: (f / "1.npy").write_bytes(header("(3,)") + bytes(8)),
    "a size beyond memory": lambda f: (f / "1.npy").write_bytes(header("(1000000000000000,)") + bytes(24)),
    "a negative size": lambda f: (f / "1.npy").write_bytes(header("(-3,)") + bytes(24)),
    "no array at all": lambda f: (f / "1.npy").write_bytes(b"hello"),
    "an empty file": lambda f: (f / "1.npy").write_bytes(b""),
    "an archive": lambda f: np.savez((f / "1.npy").open("wb"), a=np.arange(3)),
    "too few rows": lambda f: np.save(f / "1.npy", np.arange(2)),
    "two dimensions": lambda f: np.save(f / "1.npy", np.zeros((3, 1), dtype=np.int64)),
    "another type": lambda f: np.save(f / "1.npy", np.zeros(3)),
    "another byte order": lambda f: np.save(f / "1.npy", np.zeros(3, dtype=">i8")),
    "another unit": lambda f: np.save(f / "5.npy", np.zeros(3, dtype="M8[ns]")),
    "a mask of numbers": lambda f: np.save(f / "1.missing.npy", np.zeros(3, dtype=np.int64)),
    "a mask that is not NaN": lambda f: np.save(f / "2.missing.npy", np.zeros(3, dtype=bool)),
    "a code past the categories": lambda f: np.save(f / "3.npy", np.array([2, -1, 0], dtype=np.int32)),
    "a code below -1": lambda f: np.save(f / "3.npy", np.array([-2, -1, 0], dtype=np.int32)),
    "repeated categories": lambda f: (f / "3.categories.json").write_text('["a", "a"]'),
    "unsorted categories": lambda f: (f / "3.categories.json").write_text('["b", "a"]'),
    "categories of numbers": lambda f: (f / "3.categories.json").write_text("[1, 2]"),
    "half a surrogate": lambda f: (f / "3.categories.json").write_text('["a", "\\ud800"]'),
    "deep nesting": lambda f: (f / "frame.json").write_text("[" * 100_000),
    "no frame.json": lambda f: (f / "frame.json").unlink(),
    "no values": lambda f: (f / "1.npy").unlink(),
    "another format": lambda f: edit(f, lambda frame: frame.update(format=2)),
    "negative rows": lambda f: edit(f, lambda frame: frame.update(rows=-1)),
    "an unknown key": lambda f: edit(f, lambda frame: frame.update(extra=1)),
    "an unknown kind": lambda f: edit(f, lambda frame: frame["columns"][0].update(kind="object")),  # type: ignore[index]
    "a repeated name": lambda f: edit(f, lambda frame: frame["columns"][1].update(name="f")),  # type: ignore[index]
    "a link": lambda f: ((f / "1.npy").rename(f.parent / "x.npy"), (f / "1.npy").symlink_to(f.parent / "x.npy")),
    "a pipe": lambda f: ((f / "1.npy").unlink(), os.mkfifo(f / "1.npy")),
}


@pytest.mark.parametrize("breaks", BREAKS.values(), ids=BREAKS.keys())
@pytest.mark.parametrize("memory_map", [False, True])
def test_a_hostile_folder_is_refused(tmp_path: Path, breaks: Callable[[Path], object], memory_map: bool) -> None:
    frames.write(table(), tmp_path / "frame")
    breaks(tmp_path / "frame")
    with pytest.raises(SourceError, match="cannot be used") as caught:
        frames.read(tmp_path / "frame", memory_map=memory_map)
    assert caught.value.where.startswith("frame/")
