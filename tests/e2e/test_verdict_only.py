"""`disclose: verdict` as its user meets it: one answer, and of the rows behind it nothing in anything written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops_ci.data import canonical
from mlops_ci.data.gate_part import gate_part
from mlops_ci.ledger import arrays
from mlops_ci.records.canonical import canonical_json
from mlops_ci.records.tables import Column, Kind, Table
from mlops_ci.steps.project import open_project
from mlops_ci.steps.snapshot import make_snapshot
from mlops_ci.steps.training_copy import lay_sources
from mlops_ci.steps.trees import working_tree
from mlops_ci.steps.workshop import Workshop
from tests.e2e.bad_input import SETTINGS, Project, csv_text, project, rows
from tests.helpers import git

CLAIMS = SETTINGS.replace(
    "  - accuracy >= 0.6\n", "  - accuracy >= 0.6 @ 95%\n  - recall >= 0.5 @ 95%\n  - f1 >= 0.3\n"
)
PROMISED = "holdout: {guarantee: {adaptivity: full, decisions: 4, disclose: verdict}}\n"
OWN = ("--base", "HEAD")  # judged by the commit's own rules
_HEX = re.compile(r"\b[0-9a-f]{7,64}\b")
_TIMES = re.compile(
    r"\d{4}-\d\d-\d\d[T ][\d:+Z]*|[\d,.]+\ss\sin all[^<\n]*|[\d,.]+\s(kB|MB|bytes|s|ms)\b|\"timings\": \{[^}]*\}"
)


def made(folder: Path, text: list[list[str]], settings: str = CLAIMS + PROMISED) -> Project:
    found = project(folder, checked=False)
    found.commit({"mlops.yaml": settings, "data/trains.csv": csv_text(text)})
    return found


def check(found: Project, *words: str) -> Any:
    ran = found.run("check", "--json", *words)
    assert ran.code in (0, 10), ran.out + ran.err
    return ran.document


def evidence(answer: Any) -> Any:
    return json.loads((Path(answer["reports"]["folder"]) / "evidence" / "evidence.json").read_text())


@pytest.fixture(scope="module")
def gate_trips() -> frozenset[str]:
    return kept_for_verdicts()


def kept_for_verdicts() -> frozenset[str]:
    """The trips of the gate part, which nothing that is written tells."""
    trips = Column(name="trip", kind=Kind.INTEGER, values=np.arange(900))
    table = Table(columns=(trips,), rows=900)
    ids = canonical.id_digests(table, ["trip"], "rain")
    part = gate_part(table, ids, group=(), time=None, salt="rain") & (ids < np.uint64(0.3 * 2.0**64))
    return frozenset(str(trip) for trip in np.flatnonzero(part))


def with_labels(trips: frozenset[str], label: str) -> list[list[str]]:
    """The same rows; in the gate part every label as `label` says."""
    told = {"right": lambda rain: rain > 5, "wrong": lambda rain: rain <= 5, "none": lambda _: False}
    made = []
    for line in rows(900):
        late = line[4]
        if line[0] in trips and label != "half":
            late = str(int(told[label](float(line[2]))))
        if line[0] in trips and label == "half":
            late = str(int((float(line[2]) > 5) != (int(line[0]) % 5 < 2)))
        made.append([*line[:4], late])
    return made


def written(found: Project, answer: Any) -> dict[str, str]:
    """Everything that was written or said, by name, without digests and times."""
    folder = Path(answer["reports"]["folder"])
    texts = {f"run/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for name in git(found.root, "ls-tree", "-r", "--name-only", "mlops-reports").splitlines():
        if not name.endswith(".npy"):
            texts[f"ledger/{name}"] = git(found.root, "show", f"mlops-reports:{name}").encode()
    for words in (("check", *OWN), ("report",), ("gates", "plan"), ("history",), ("rows",), ("check", "--json", *OWN)):
        texts[f"said/{words}"] = found.run(*words).out.encode()
    plain = {}
    for name, data in texts.items():
        if name.endswith(".npy"):
            plain[plain_text(name)] = str(arrays.decode(data, name=name).tolist())
        elif not name.endswith("run.json"):
            plain[plain_text(name)] = plain_text(data.decode().replace(str(found.root), ""))
    return plain


def plain_text(text: str) -> str:
    """Without digests and times."""
    return _TIMES.sub("T", _HEX.sub("H", text))


def test_what_is_written_is_the_same_whatever_the_gate_part_holds(tmp_path: Path, gate_trips: frozenset[str]) -> None:
    """Failed, undecided and not to be computed: one answer, one exit code, and not a digit of a difference."""
    told = {}
    for label in ("wrong", "half", "none"):
        found = made(tmp_path / label, with_labels(gate_trips, label))
        assert found.run("check", *OWN).code == 10
        answer = check(found, *OWN)
        assert [gate["verdict"] for gate in answer["gates"]] == ["undecided", "undecided", "passed"]
        told[label] = written(found, answer)
    assert told["wrong"].keys() == told["half"].keys() == told["none"].keys()
    for name, text in told["wrong"].items():
        assert text == told["half"][name] == told["none"][name], name


def test_the_answer_is_that_of_the_gate_part_and_the_numbers_are_of_the_other_rows(
    tmp_path: Path, gate_trips: frozenset[str]
) -> None:
    found = made(tmp_path, with_labels(gate_trips, "right"))
    answer = check(found, *OWN)
    assert [gate["verdict"] for gate in answer["gates"]] == ["passed"] * 3
    kept = evidence(answer)
    assert kept["snapshot"]["gate_rows"] == kept["promise"]["rows"] == len(gate_trips)
    assert kept["evaluation"]["rows"] == kept["snapshot"]["holdout_rows"] - len(gate_trips)
    assert all(metric["value"] < 0.95 for metric in answer["metrics"] if metric["metric"] == "accuracy")
    listed = found.run("rows", "--holdout").out
    assert "late" not in listed.splitlines()[0]
    recorded = found.run("record", answer["reports"]["folder"])
    assert recorded.code == 0, recorded.err


def test_the_last_pass_wears_the_part_out_and_fresh_rows_help(tmp_path: Path) -> None:
    once = PROMISED.replace("full", "first_change")
    found = made(tmp_path, rows(900), CLAIMS + once)
    assert check(found)["outcome"] == "passed"
    assert check(found, "--fresh")["outcome"] == "passed"  # the same look
    found.commit({"params.yaml": "limit: 5.2\n"})
    answer = check(found)
    assert answer["outcome"] == "undecided"
    assert answer["gates"][0]["reason"] == ("worn out: passed 1 of 1 times the guarantee allows; only fresh rows help")
    assert "as often as the guarantee allows" in found.run("report").out
    for settings in (CLAIMS + PROMISED, CLAIMS + once.replace("first_change", "3"), CLAIMS):
        found.commit({"mlops.yaml": settings})
        assert check(found)["gates"][0]["reason"].startswith("worn out"), settings
        found.commit({"mlops.yaml": CLAIMS + once})
        check(found)
    found.commit({"data/trains.csv": csv_text(rows(2400))})
    answer = check(found)
    assert answer["gates"][0]["verdict"] == "passed"
    assert evidence(answer)["promise"]["passes"] == 0


def test_rows_that_full_reports_were_about_are_worn_out_from_the_start(tmp_path: Path) -> None:
    found = made(tmp_path, rows(900), CLAIMS)
    check(found)
    found.commit({"mlops.yaml": CLAIMS + PROMISED})
    assert "numbers of these rows stood in earlier reports" in check(found)["gates"][0]["reason"]


def test_another_threshold_is_another_look(tmp_path: Path) -> None:
    """Else the accuracy could be read off by asking ten thresholds."""
    found = made(tmp_path, rows(900))
    check(found)
    for number in range(2):
        found.commit({"mlops.yaml": (CLAIMS + PROMISED).replace("accuracy >= 0.6", f"accuracy >= 0.6{number + 1}")})
        assert evidence(check(found))["promise"]["looks"] == number + 1


def test_a_commit_cannot_open_the_part_for_itself(tmp_path: Path) -> None:
    found = made(tmp_path, rows(900))
    check(found)
    found.commit({"mlops.yaml": CLAIMS, "params.yaml": "limit: 5.1\n"})
    answer = check(found)
    assert answer["gates"][0]["observed"] is None
    assert answer["judge"]["head_verdicts"] == [] or answer["judge"]["head_verdicts"][0]["observed"] is None
    assert evidence(answer)["promise"]["disclose"] == "verdict"


def test_a_folder_that_tells_another_answer_than_its_look_is_not_recorded(tmp_path: Path) -> None:
    found = made(tmp_path, rows(900))
    folder = Path(check(found, *OWN)["reports"]["folder"])
    statement = json.loads((folder / "decision.json").read_text())
    for gate in statement["predicate"]["gates"][:2]:
        gate["verdict"] = "undecided"
    statement["predicate"]["outcome"] = "undecided"
    (folder / "decision.json").write_text(canonical_json(statement).decode())
    refused = found.run("record", str(folder))
    assert refused.code == 2, refused.out
    assert "its look says passed" in refused.err


def test_a_training_command_gets_rows_of_neither_part(tmp_path: Path, gate_trips: frozenset[str]) -> None:
    found = made(tmp_path, rows(900))
    opened = open_project(found.root)
    tree = working_tree(opened)
    snapshot, _ = make_snapshot(opened, tree, workshop=Workshop(opened, tree, lambda _: None))
    assert lay_sources(opened, tree, snapshot, tmp_path / "copy")
    lines = (tmp_path / "copy" / "data" / "trains.csv").read_text().splitlines()[1:]
    trips = {line.split(",")[0] for line in lines}
    assert len(trips) == snapshot.info.train_rows
    assert not trips & gate_trips
