"""Metrics of the project's own at the command line: gated, compared, judged again, changed, and broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlops_ci.steps.rejudge import disagreements
from mlops_ci.steps.runs import read_run
from tests.e2e.bad_input import SETTINGS, Golden, Project, Ran, bad, project, recovers

MODULE = """\
def profit(holdout, predictions):
    \"\"\"Euros a train: 3 for one that is right, -1 for one that is wrong.\"\"\"
    right = holdout["late"] == predictions["label"]
    return right.map({True: 3.0, False: -1.0})


def total(holdout, predictions):
    return float((holdout["late"] != predictions["label"]).sum())
"""
OWN = """\
metrics:
  profit: {function: pipeline.metrics:profit, higher_is_better: true, range: [-1, 3], unit: EUR}
  total: pipeline.metrics:total
"""
GATES = """\
  - profit >= 1
  - profit >= 0.5 @ 95%
  - profit - champion.profit >= -2
  - worst(profit, by=town) >= 0
  - total <= 30
"""


def _verdicts(ran: Ran) -> dict[str, str]:
    return {gate["gate"]: gate["verdict"] for gate in ran.document["gates"]}


def _with_own(made: Project, module: str = MODULE, own: str = OWN, gates: str = GATES) -> None:
    settings = SETTINGS.replace("gates:\n", f"{own}gates:\n") + gates
    made.commit({"mlops.yaml": settings, "pipeline/metrics.py": module})


def _arrays(ran: Ran) -> dict[str, np.ndarray]:
    folder = Path(ran.document["reports"]["folder"]) / "evidence"
    return {path.stem: np.load(path) for path in folder.glob("*metric_*.npy")}


def test_they_are_gated_compared_with_the_champion_and_judged_again_from_what_was_kept(tmp_path: Path) -> None:
    made = project(tmp_path / "a")
    _with_own(made)
    first = made.run("check", "--json")
    assert first.code == 0, first.out + first.err
    made.commit({"params.yaml": "limit: 5.5\n"})
    second = made.run("check", "--json")
    assert second.code == 0, second.out + second.err
    assert set(_verdicts(second).values()) == {"passed"}
    metrics = {one["metric"]: one for one in second.document["metrics"]}
    held, accuracy = len(_arrays(second)["metric_profit"]), metrics["accuracy"]
    assert metrics["profit"]["value"] == pytest.approx(4 * accuracy["value"] - 1, abs=1e-6)
    assert metrics["profit"]["champion"] == pytest.approx(4 * accuracy["champion"] - 1, abs=1e-6)
    assert metrics["total"]["value"] == pytest.approx(held * (1 - accuracy["value"]))
    assert set(_arrays(second)) == {"metric_profit", "champion_metric_profit"}
    kept = read_run(Path(second.document["reports"]["folder"]))
    assert disagreements(kept) == ()
    profit = next(one for one in kept.decision.gates if one.gate == "profit >= 1")
    forged = kept.arrays | {"metric_profit": np.full(held, 3.0, dtype=np.float32)}
    assert disagreements(type(kept)(**{**{n: getattr(kept, n) for n in kept.__struct_fields__}, "arrays": forged}))
    report = made.report(second)
    assert "| `total` |" in report
    assert "not said" in report
    assert f"{profit.observed:.2f}"[:3] in report


def test_a_commit_cannot_pick_its_measure(tmp_path: Path) -> None:
    """It makes every train a profit, and the metric of the base is the one that counts."""
    made = project(tmp_path / "a")
    _with_own(made)
    assert made.run("check").code == 0
    cheat = MODULE.replace("{True: 3.0, False: -1.0}", "{True: 3.0, False: 3.0}")
    made.commit({"params.yaml": "limit: 9.9\n", "pipeline/metrics.py": cheat})
    judged = made.run("check", "--json")
    assert judged.code == 10
    assert set(_arrays(judged)["metric_profit"].tolist()) == {-1.0, 3.0}
    assert "pipeline/metrics.py changed" in judged.document["judge"]["differences"]


BROKEN = {
    "raises": MODULE.replace('holdout["late"] == pred', 'holdout["cost"] == pred'),
    "text": MODULE.replace("return right.map({True: 3.0, False: -1.0})", 'return "good"'),
    "outside-its-range": MODULE.replace("True: 3.0", "True: 4.0"),
    "exits": "import os\n\n\ndef profit(holdout, predictions):\n    os._exit(0)\n\n\n"
    + MODULE[MODULE.index("def total") :],
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_that_breaks_could_not_be_judged_and_is_told_in_its_own_lines(
    tmp_path: Path, golden: Golden, name: str
) -> None:
    made = project(tmp_path / name)
    _with_own(made, BROKEN[name])
    told = bad(made, f"metric-{name}", golden, code=11)
    gates = {gate["gate"]: gate["verdict"] for gate in told.document["judge"]["head_verdicts"]}
    assert gates["profit >= 1"] == "errored"
    assert gates["total <= 30"] == "passed"
    recovers(made)


REFUSED = {
    "name-taken": (OWN.replace("  total:", "  recall:"), GATES.replace("total", "recall")),
    "claim-without-a-range": (OWN.replace(", range: [-1, 3]", ""), GATES),
    "no-such-metric": (OWN.replace("  total:", "  totals:"), GATES),
}


@pytest.mark.parametrize("name", REFUSED)
def test_one_that_cannot_be_is_refused_when_the_settings_are_read(tmp_path: Path, golden: Golden, name: str) -> None:
    made = project(tmp_path / name)
    own, gates = REFUSED[name]
    _with_own(made, own=own, gates=gates)
    bad(made, f"metric-{name}", golden, code=2)
