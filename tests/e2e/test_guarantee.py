"""A guarantee for many decisions as its user meets it: spent, not refilled, refilled by fresh rows, verified, told."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.records.canonical import canonical_json
from tests.e2e.bad_input import SETTINGS, Project, csv_text, project, rows

GUARANTEE = "holdout: {guarantee: {adaptivity: none, decisions: 2, disclose: full}}\n"
CLAIMS = SETTINGS.replace("accuracy >= 0.6", "accuracy >= 0.6 @ 95%") + GUARANTEE


@pytest.fixture
def trains(tmp_path: Path) -> Project:
    """The good project with a claim and a guarantee for two decisions, both of them used."""
    made = project(tmp_path, checked=False)
    made.commit({"mlops.yaml": CLAIMS, "data/trains.csv": csv_text(rows(600))})
    first = check(made, "--base", "HEAD")
    assert (first["outcome"], first["gates"][0]["alpha_pass"]) == ("passed", 0.025)
    made.commit({"params.yaml": "limit: 5.2\n"})
    assert check(made)["outcome"] == "passed"
    return made


def check(trains: Project, *words: str) -> Any:
    ran = trains.run("check", "--json", *words)
    assert ran.code in (0, 10), ran.out + ran.err
    return ran.document


def evidence(answer: Any) -> Any:
    return json.loads((Path(answer["reports"]["folder"]) / "evidence" / "evidence.json").read_text())


def worn(trains: Project) -> bool:
    gate = check(trains)["gates"][0]
    return bool(gate["verdict"] == "undecided" and gate["reason"].startswith("worn out: 2 of 2 decisions used; "))


def test_what_is_spent_stays_spent_whatever_is_configured(trains: Project) -> None:
    assert check(trains, "--fresh")["outcome"] == "passed"  # the same look
    plan = trains.run("gates", "plan", "--json").document["holdout"]
    assert (plan["looks_used"], plan["looks_left"], plan["looks_promised"]) == (2, 0, 2)
    trains.commit({"params.yaml": "limit: 4.8\n"})
    assert worn(trains)
    said = trains.run("report").out
    assert "all 2 decisions the guarantee allows on these rows are used" in said
    assert "fresh held-out rows help, nothing else" in said
    trains.commit({"data/trains.csv": csv_text(rows(603))})
    assert worn(trains)
    for settings in (
        CLAIMS.replace("decisions: 2", "decisions: 64"),
        CLAIMS.replace("holdout: 30%", "holdout: 30%, salt: another"),
        CLAIMS.replace("holdout: 30%", "holdout: 60%"),
        CLAIMS.replace("project: rain", "project: snow"),
        CLAIMS.replace("id: [trip]", "id: [trip, town]").replace("slices: [town]", "slices: []"),
    ):
        trains.commit({"mlops.yaml": settings})
        check(trains)
        trains.commit({"README.md": f"{settings}\n"})  # now it is the base's settings that decide
        assert worn(trains), settings


def test_fresh_rows_are_judged_alone_and_recorded_as_such(trains: Project) -> None:
    trains.commit({"data/trains.csv": csv_text(rows(1600))})
    answer = check(trains)
    gate, told = answer["gates"][0], evidence(answer)["promise"]
    assert gate["verdict"] == "passed"
    assert gate["rows"] == told["rows"] < evidence(answer)["evaluation"]["rows"]
    assert (told["looks"], told["seen"]) == (0, 2)
    assert "held-out rows that no decision had used" in trains.run("report").out
    recorded = trains.run("record", answer["reports"]["folder"])
    assert recorded.code == 0, recorded.err


def test_a_run_that_hides_the_promise_of_its_judge_is_not_recorded(trains: Project) -> None:
    answer = check(trains)
    folder = Path(answer["reports"]["folder"])
    kept = evidence(answer) | {"promise": None}
    (folder / "evidence" / "evidence.json").write_bytes(canonical_json(kept))
    statement = json.loads((folder / "decision.json").read_text())
    statement["predicate"]["evidence"]["evidence.json"] = hashlib.sha256(canonical_json(kept)).hexdigest()
    (folder / "decision.json").write_bytes(canonical_json(statement))
    refused = trains.run("record", str(folder))
    assert refused.code == 2
    assert "guarantee was not kept" in refused.err


def test_without_kept_rows_looks_are_counted_all_the_same(tmp_path: Path) -> None:
    made = project(tmp_path, checked=False)
    made.commit({"mlops.yaml": CLAIMS + "evidence: {rows: none}\n", "data/trains.csv": csv_text(rows(600))})
    verdicts = []
    for number in range(3):
        made.commit({"params.yaml": f"limit: {5 + number / 10}\n"})
        verdicts.append(check(made, "--base", "HEAD")["gates"][0]["verdict"])
    assert verdicts == ["passed", "passed", "undecided"]


def test_without_a_guarantee_looks_are_counted_and_nothing_is_claimed(tmp_path: Path) -> None:
    made = project(tmp_path)
    made.commit({"params.yaml": "limit: 5.1\n", "data/trains.csv": csv_text(rows(130))})
    check(made)
    made.commit({"data/trains.csv": csv_text(rows(131))})
    check(made)
    said = made.run("report").out
    assert "this test set was used 3 times" in said  # the project's first check among them
    assert "guarantee" not in said
    assert made.run("gates", "plan", "--json").document["holdout"]["looks_left"] is None
