"""The demo as a new user sees it, and what must hold of everything it leaves behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.clocks import least_seconds
from tests.helpers import git

pytestmark = pytest.mark.needs("registry")  # environments are made from hash locks

TEXTS = (".md", ".json", ".svg")


def mlops_ci(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the tool as a process of its own, with bytecode kept as for anybody who installed it."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(
        [sys.executable, "-m", "mlops_ci", *words],
        cwd=cwd,
        env={**variables, "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "mlops-ci-tests-bytecode")},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """The folder of the demo and its four decisions, played once."""
    folder = tmp_path_factory.mktemp("demo") / "flights"
    done = mlops_ci("demo", "--into", str(folder), "--json", cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)["decisions"]


def run_folder(folder: Path, decision: dict[str, Any]) -> Path:
    return folder / ".mlops-ci" / "runs" / decision["decision"][:12]


def document(folder: Path, decision: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run_folder(folder, decision) / "decision.json").read_text())["predicate"]
    return found


def evidence(folder: Path, decision: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run_folder(folder, decision) / "evidence/evidence.json").read_text())
    return found


def test_the_four_commits_are_passed_refused_passed_and_refused(demo: tuple[Path, list[dict[str, Any]]]) -> None:
    assert [one["outcome"] for one in demo[1]] == ["passed", "failed", "passed", "failed"]
    assert [one["exit_code"] for one in demo[1]] == [0, 10, 0, 10]


def test_the_refused_parameters_name_the_gate_and_what_moved_it(demo: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, decisions = demo
    refused = document(folder, decisions[1])
    assert any(gate["verdict"] == "failed" for gate in refused["gates"])
    assert refused["change"]["kinds"] == ["params"]
    assert refused["champion"]["commit"] == decisions[0]["commit"]


def test_new_data_says_how_many_rows_came(demo: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, decisions = demo
    change = evidence(folder, decisions[2])["data_change"]
    assert change["added"] > 20_000
    assert change["removed"] == change["changed"] == 0
    report = (run_folder(folder, decisions[2]) / "report.md").read_text()
    assert f"+{change['added']:,} rows" in report


def test_the_column_known_afterwards_is_named_as_the_leak(demo: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, decisions = demo
    leaked = document(folder, decisions[3])
    failed = [result for result in leaked["checks"] if result["status"] == "failed" and result["blocking"]]
    assert [(result["check"], result["column"]) for result in failed] == [("target_leakage", "dep_delay")]
    assert leaked["metrics"] == []


def test_the_ledger_holds_the_four_decisions(demo: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, decisions = demo
    assert len(git(folder, "log", "--format=%H", "mlops-reports").split()) == 4
    listed = git(folder, "ls-tree", "-r", "--name-only", "mlops-reports")
    for one in decisions:
        assert f"/{one['decision']}/decision.json" in listed


def test_the_texts_of_a_check_stay_under_100_kb(demo: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, decisions = demo
    for one in decisions:
        lines = git(folder, "ls-tree", "-r", "-l", "mlops-reports").splitlines()
        sizes = [int(line.split()[3]) for line in lines if one["decision"] in line and line.endswith(TEXTS)]
        assert sizes
        assert sum(sizes) < 100_000


def test_numbers_of_a_report_agree(demo: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, decisions = demo
    compared = 0
    for one in decisions:
        told = evidence(folder, one)
        snapshot, evaluation = told["snapshot"], told["evaluation"]
        assert snapshot["train_rows"] + snapshot["holdout_rows"] == snapshot["rows"]
        if evaluation is None:
            continue
        assert evaluation["rows"] == snapshot["holdout_rows"] == sum(evaluation["class_counts"])
        assert sum(map(sum, evaluation["confusion"])) == evaluation["rows"]
        if evaluation["flips"]:
            accuracy = next(metric for metric in evaluation["metrics"] if metric["metric"] == "accuracy")
            flips = evaluation["flips"]
            difference = (accuracy["value"] - accuracy["champion"]) * flips["rows"]
            assert flips["won"] - flips["lost"] == pytest.approx(difference, abs=1e-6)
            compared += 1
    assert compared == 2


def test_advised_rows_follow_from_the_plan(demo: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, decisions = demo
    git(folder, "checkout", "-q", "main")
    planned = json.loads(mlops_ci("gates", "plan", decisions[2]["decision"][:12], "--json", cwd=folder).stdout)
    judged = document(folder, decisions[2])["gates"]
    assert [plan["rows_needed"] for plan in planned["gates"]] == [gate["rows_needed"] for gate in judged]
    assert planned["holdout"]["rows"] == evidence(folder, decisions[2])["evaluation"]["rows"]


def test_a_check_with_nothing_changed_is_restored_at_once(demo: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, decisions = demo
    git(folder, "checkout", "-q", "smaller-trees")
    mlops_ci("check", cwd=folder)

    def again() -> None:
        done = mlops_ci("check", "--json", cwd=folder)
        assert done.returncode == 10
        assert json.loads(done.stdout)["decision"] == decisions[1]["decision"]

    assert least_seconds(again, below=1.0) < 1.0


def test_the_same_check_in_another_clone_gives_the_same_id_and_report(
    demo: tuple[Path, list[dict[str, Any]]], tmp_path: Path
) -> None:
    folder, decisions = demo
    clone = tmp_path / "elsewhere" / "deeper"
    git(folder, "clone", "-q", str(folder), str(clone))
    git(clone, "checkout", "-q", decisions[0]["commit"])
    git(clone, "update-ref", "-d", "refs/remotes/origin/mlops-reports")
    done = mlops_ci("check", "--json", cwd=clone)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["decision"] == decisions[0]["decision"]
    there, here = run_folder(folder, decisions[0]), Path(answer["reports"]["folder"])
    for name in sorted(path.name for path in there.iterdir() if path.suffix in {".md", ".svg"}):
        assert (here / name).read_bytes() == (there / name).read_bytes(), name


def test_recording_a_run_again_changes_nothing_and_a_changed_run_is_refused(
    demo: tuple[Path, list[dict[str, Any]]], tmp_path: Path
) -> None:
    folder, decisions = demo
    head = git(folder, "rev-parse", "mlops-reports")
    assert mlops_ci("record", str(run_folder(folder, decisions[1])), cwd=folder).returncode == 10
    assert git(folder, "rev-parse", "mlops-reports") == head
    forged = tmp_path / "forged"
    shutil.copytree(run_folder(folder, decisions[1]), forged)
    text = (forged / "decision.json").read_text()
    (forged / "decision.json").write_text(text.replace('"verdict":"failed"', '"verdict":"passed"'))
    done = mlops_ci("record", str(forged), cwd=folder)
    assert done.returncode == 2
    assert "the evidence does not give the verdicts" in done.stderr
    assert git(folder, "rev-parse", "mlops-reports") == head


def test_which_rows_are_behind_a_refusal_can_be_asked(demo: tuple[Path, list[dict[str, Any]]], tmp_path: Path) -> None:
    folder, decisions = demo
    refused = document(folder, decisions[1])
    number = next(place for place, gate in enumerate(refused["gates"], 1) if gate["verdict"] == "failed")
    done = mlops_ci("rows", decisions[1]["decision"][:12], "--gate", str(number), "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["rows"]
    assert found["columns"][:3] == ["truth", "predicted", "champion"]
    worse = json.loads(
        mlops_ci("rows", decisions[1]["decision"][:12], "--flipped", "worse", "--json", cwd=folder).stdout
    )
    assert len(worse["rows"]) == evidence(folder, decisions[1])["evaluation"]["flips"]["lost"]


def test_nothing_of_the_machine_is_in_what_is_stored(demo: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, decisions = demo
    for one in decisions:
        for name in ("decision.json", "report.md", "evidence/evidence.json"):
            text = (run_folder(folder, one) / name).read_text()
            assert str(folder) not in text
            assert str(Path.home()) not in text
