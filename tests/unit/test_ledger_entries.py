"""ledger.entries, holdouts, arrays, names: which files a decision becomes, and the way back."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import msgspec
import numpy as np
import pytest

from mlops_ci.errors import OutsideError
from mlops_ci.ledger import arrays, entries, holdouts, looks, names
from mlops_ci.ledger.statements import decision_id
from mlops_ci.records.canonical import digest
from mlops_ci.records.decisions import Evidence, Look
from mlops_ci.records.evaluation import Factor, Holdout, Task
from tests import helpers

HOLDOUT = Holdout(
    task=Task.BINARY,
    digest="ab" * 32,
    ids=np.array([3, 7, 2**64 - 1], dtype=np.uint64),
    truth=np.array([0, 1, 1], dtype=np.int32),
    classes=("no", "yes"),
    group=np.array([0, 0, 1], dtype=np.int64),
    slices={
        "../x | <b>": Factor(codes=np.array([0, -1, 1], dtype=np.int32), values=("a", "b")),
        "plain": Factor(codes=np.array([1, 1, 0], dtype=np.int32), values=("c", "d")),
    },
)
LOOK = Look(
    holdout=HOLDOUT.digest,
    predictions="cd" * 32,
    claims=("low 0.95 {}",),
    project="flights",
    naming="ef" * 32,
    rows=holdouts.ids_file(HOLDOUT.ids)[0],
)
EVIDENCE = Evidence(holdout=HOLDOUT.digest, predictions=LOOK.predictions, look=LOOK)
SCORES = {"scores": np.array([0.25, 0.5, 0.75], dtype=np.float32)}


def _entry(**changes: Any) -> entries.Entry:
    parts: dict[str, Any] = {"evidence": EVIDENCE, "arrays": SCORES, "holdout": HOLDOUT, "ids": HOLDOUT.ids} | changes
    decision = entries.with_evidence(helpers.decision(), parts["evidence"], parts["arrays"], parts["holdout"])
    return entries.Entry(
        decision=decision, run=helpers.run_info(), report_markdown="# Report\n", charts={"roc": "<svg/>"}, **parts
    )


def test_a_decision_becomes_one_folder_named_by_day_and_id_and_the_files_of_its_holdout() -> None:
    entry = _entry()
    folder = f"decisions/2024/05/01/{decision_id(entry.decision)}"
    assert entries.folder_of(entry) == folder
    files = entries.files(entry)
    inside = {path.removeprefix(f"{folder}/") for path in files if path.startswith(folder)}
    assert inside == {
        "decision.json",
        "run.json",
        "report.md",
        "roc.svg",
        "evidence/evidence.json",
        "evidence/scores.npy",
    }
    outside = sorted(path.split("/", 2)[2].split("-")[0] for path in files if path.startswith(f"holdouts/{'ab' * 32}/"))
    look = f"{digest(LOOK)}.json"
    assert outside == sorted([look, "group", "ids", "index", "slice", "slice", "truth"])
    assert len(inside) + len(outside) == len(files)


def test_a_decision_names_the_sha256_of_every_file_it_was_made_from() -> None:
    entry = _entry()
    files = entries.files(entry)
    folder = entries.folder_of(entry)
    for name, sha256 in entry.decision.evidence.items():
        path = name if name.startswith("holdouts/") else f"{folder}/evidence/{name}"
        assert hashlib.sha256(files[path]).hexdigest() == sha256
    assert len(entry.decision.evidence) == 3


def test_other_evidence_is_another_decision_and_other_circumstances_are_not() -> None:
    first = _entry()
    assert decision_id(_entry().decision) == decision_id(first.decision)
    slower = msgspec.structs.replace(first, run=helpers.run_info(seconds=99.0))
    assert entries.folder_of(slower) == entries.folder_of(first)
    others = [
        _entry(arrays={"scores": np.array([0.25, 0.5, 0.76], dtype=np.float32)}),
        _entry(evidence=msgspec.structs.replace(EVIDENCE, predictions="ce" * 32)),
        _entry(holdout=msgspec.structs.replace(HOLDOUT, truth=np.array([0, 1, 0], dtype=np.int32))),
    ]
    assert len({decision_id(entry.decision) for entry in [first, *others]}) == 4


def test_evidence_that_is_not_the_decisions_own_is_a_bug_that_is_caught() -> None:
    entry = msgspec.structs.replace(_entry(), arrays={"scores": np.zeros(3, dtype=np.float32)})
    with pytest.raises(ValueError, match="not made from this evidence"):
        entries.files(entry)


def test_without_rows_only_the_look_and_the_ids_it_was_at_are_kept_of_a_holdout() -> None:
    files = entries.files(_entry(arrays={}, holdout=None))
    kept = sorted(path for path in files if path.startswith("holdouts/"))
    folder = f"holdouts/{'ab' * 32}"
    assert kept == sorted([f"{folder}/{digest(LOOK)}.json", f"{folder}/{LOOK.rows}"])
    assert looks.parse(files[f"{folder}/{digest(LOOK)}.json"], path="x") == LOOK
    np.testing.assert_array_equal(looks.parse_ids(files[f"{folder}/{LOOK.rows}"], LOOK), HOLDOUT.ids, strict=True)


def test_ids_are_kept_once_for_the_holdout_and_its_looks() -> None:
    assert len([path for path in entries.files(_entry()) if "/ids-" in path]) == 1


def test_a_look_says_the_same_whoever_looks() -> None:
    mine, theirs = _entry(), msgspec.structs.replace(_entry(), decision=helpers.decision(number=2))
    theirs = msgspec.structs.replace(theirs, decision=entries.with_evidence(theirs.decision, EVIDENCE, SCORES, HOLDOUT))
    path = names.look_path(LOOK.holdout, digest(LOOK))
    assert entries.files(mine)[path] == entries.files(theirs)[path]


def test_a_look_at_other_rows_than_it_names_is_a_bug_that_is_caught() -> None:
    with pytest.raises(ValueError, match="not at these rows"):
        entries.files(_entry(ids=HOLDOUT.ids[:2]))


@pytest.mark.parametrize("damage", [b"", b"not an array", arrays.encode(HOLDOUT.ids[:2])])
def test_ids_of_a_look_that_were_changed_are_refused(damage: bytes) -> None:
    with pytest.raises(OutsideError, match=r"were changed|not an array"):
        looks.parse_ids(damage, LOOK)
    with pytest.raises(OutsideError, match="is not a look"):
        looks.parse(b"{}", path="x")


def test_a_holdout_comes_back_as_it_was() -> None:
    path, files = holdouts.files(HOLDOUT)
    index = holdouts.parse_index(files[path], path=path)
    assert len(index.arrays) == 5
    found = holdouts.parse(index, {path.rpartition("/")[2]: data for path, data in files.items()})
    assert (found.task, found.digest, found.classes) == (HOLDOUT.task, HOLDOUT.digest, HOLDOUT.classes)
    assert found.group is not None
    assert HOLDOUT.group is not None
    np.testing.assert_array_equal(found.group, HOLDOUT.group, strict=True)
    np.testing.assert_array_equal(found.ids, HOLDOUT.ids, strict=True)
    np.testing.assert_array_equal(found.truth, HOLDOUT.truth, strict=True)
    assert found.slices.keys() == HOLDOUT.slices.keys()
    for column, factor in HOLDOUT.slices.items():
        assert found.slices[column].values == factor.values
        np.testing.assert_array_equal(found.slices[column].codes, factor.codes, strict=True)


def test_corrected_labels_lie_beside_the_old_ones() -> None:
    corrected = msgspec.structs.replace(HOLDOUT, truth=np.array([1, 1, 1], dtype=np.int32))
    before, after = holdouts.files(HOLDOUT)[1], holdouts.files(corrected)[1]
    assert {path: data for path, data in before.items() if path in after} == {
        path: data for path, data in after.items() if path in before
    }
    assert len(after.keys() - before.keys()) == 2


@pytest.mark.parametrize("damage", [lambda data: data[:-1] + b"\1", lambda data: None])
def test_a_holdout_with_a_changed_or_missing_file_is_refused(damage: Any) -> None:
    path, files = holdouts.files(HOLDOUT)
    content = {path.rpartition("/")[2]: data for path, data in files.items()}
    index = holdouts.parse_index(files[path], path=path)
    changed = damage(content.pop(index.truth.file))
    with pytest.raises(OutsideError, match=r"truth-.* of holdout abababababab is (changed|missing)"):
        holdouts.parse(index, content | ({index.truth.file: changed} if changed else {}))


@pytest.mark.parametrize("kind", ["bool", "int8", "int32", "int64", "uint64", "float32", "float64", ">f4", ">i8"])
@pytest.mark.parametrize("shape", [(0,), (5,), (4, 3)])
def test_an_array_reads_back_and_its_bytes_do_not_depend_on_memory_order(kind: str, shape: tuple[int, ...]) -> None:
    array = (np.arange(np.prod(shape)).reshape(shape) % 2).astype(kind)
    data = arrays.encode(array)
    np.testing.assert_array_equal(arrays.decode(data, name="x"), array)
    assert arrays.encode(np.asfortranarray(array)) == data
    assert arrays.encode(array.astype(array.dtype.newbyteorder("<"))) == data
    np.testing.assert_array_equal(np.load(io.BytesIO(data), allow_pickle=False), array)


def test_arrays_of_objects_and_times_are_not_written() -> None:
    for array in (np.array([{}]), np.array(["text"]), np.array(["2024-01-01"], dtype="datetime64[D]")):
        with pytest.raises(ValueError, match="is not stored"):
            arrays.encode(array)


def _npy(header: str, content: bytes = b"") -> bytes:
    padded = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded.encode() + content


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x93NUMPY\x02\x00",
        arrays.encode(np.zeros(10))[:-1],
        arrays.encode(np.zeros(10)) + b"more",
        _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }"),
        _npy("{'descr': '<f8', 'fortran_order': True, 'shape': (1,), }", b"\0" * 8),
        _npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"\0" * 8),
        _npy("{'descr': '<M8[D]', 'fortran_order': False, 'shape': (1,), }", b"\0" * 8),
        _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }"),
        _npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", b"\0" * 8),
        _npy("__import__('os').system('touch pwned')"),
    ],
)
def test_hostile_arrays_are_refused_before_their_size_is_believed(data: bytes) -> None:
    with pytest.raises(OutsideError, match="scores is not an array"):
        arrays.decode(data, name="scores")


@pytest.mark.parametrize("name", ["", "..", "../up", "a/b", ".hidden", "a b", "-dash", "a\n", "\u00e9"])
def test_a_chart_or_array_whose_name_is_no_plain_file_name_is_a_bug_that_is_caught(name: str) -> None:
    with pytest.raises(ValueError, match="is not a plain file name"):
        names.plain(name)


@pytest.mark.parametrize(
    ("time", "day"),
    [
        ("2024-05-01T23:59:59Z", "2024/05/01"),
        ("2024-05-01T23:30:00-02:00", "2024/05/02"),
        ("2024-05-01T00:30:00+02:00", "2024/04/30"),
    ],
)
def test_the_day_in_the_path_is_in_utc(time: str, day: str) -> None:
    assert names.decision_folder("ab" * 32, time) == f"decisions/{day}/{'ab' * 32}"
    assert names.decision_id(f"decisions/{day}/{'ab' * 32}/decision.json") == "ab" * 32


@pytest.mark.parametrize("time", ["", "yesterday", "2024-05-01T12:00:00"])
def test_a_decision_without_a_commit_time_has_no_place(time: str) -> None:
    with pytest.raises(ValueError):
        names.decision_folder("ab" * 32, time)


@pytest.mark.parametrize(
    "path", ["README.md", "decisions/2024/05/01/x/decision.json", f"decisions/2024/05/01/{'ab' * 32}/run.json"]
)
def test_other_paths_are_no_decisions(path: str) -> None:
    assert names.decision_id(path) is None


def test_looks_are_told_from_the_other_files_of_a_holdout() -> None:
    _, files = holdouts.files(HOLDOUT)
    assert [names.look(path.rpartition("/")[2]) for path in files] == [None] * len(files)
    assert names.look(f"{'cd' * 32}.json") == "cd" * 32
    with pytest.raises(ValueError):
        names.look_path("ab" * 32, "../evil")
    with pytest.raises(ValueError):
        names.look_path("../evil", "cd" * 32)
