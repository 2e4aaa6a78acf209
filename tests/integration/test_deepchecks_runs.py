"""deepchecks itself, in its own environment; and what a check does where it cannot be had."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops_ci.config.judging import SLOW_CHECKS
from mlops_ci.edge import deepchecks, environment, frames
from mlops_ci.edge.deepchecks import Condition
from mlops_ci.edge.processes import Limits
from mlops_ci.errors import UserCodeError
from mlops_ci.records.tables import Column, Kind, Table
from tests.environments import CACHES, required
from tests.helpers import git, repo

REPOSITORY = Path(__file__).parents[2]
WORKER = REPOSITORY / "mlops_ci" / "deepchecks_worker"
# As it is before a test's own HOME: the environment is 800 MB, and the same for every run.
DATA_CHECKS = {
    "is_single_value",
    "special_characters",
    "mixed_nulls",
    "mixed_data_types",
    "string_mismatch",
    "data_duplicates",
    "string_length_out_of_bounds",
    "feature_feature_correlation",
    "new_category_train_test",
    "string_mismatch_comparison",
    "train_test_samples_mix",
    "feature_label_correlation",
    "feature_label_correlation_change",
    "feature_drift",
    "label_drift",
    "multivariate_drift",
    "conflicting_labels",
    "new_label_train_test",
}
LIMITS = Limits(seconds=300)


def made() -> Path:
    """The Python of deepchecks' environment; where it cannot be made, the test is skipped, and in CI failed."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(CACHES)
    try:
        with required("deepchecks"):
            return deepchecks.install(lambda text: None)
    finally:
        os.environ.pop("XDG_CACHE_HOME") if before is None else os.environ.update(XDG_CACHE_HOME=before)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """For whole checks: a machine that has deepchecks already."""
    made()
    monkeypatch.setenv("XDG_CACHE_HOME", str(CACHES))


def table(rows: int, *, seed: int, colours: tuple[str, ...]) -> Table:
    """Two numbers, a text, a boolean with gaps and a target that follows the first number."""
    random = np.random.default_rng(seed)
    size, weight = random.normal(size=rows), random.normal(size=rows)
    gaps = random.random(rows) < 0.1
    codes = random.integers(0, len(colours), rows).astype(np.int32)
    return Table(
        rows=rows,
        columns=(
            Column(name="size", kind=Kind.FLOAT, values=size),
            Column(name="<b>weight</b>", kind=Kind.FLOAT, values=weight),
            Column(name="colour", kind=Kind.TEXT, values=codes, categories=tuple(sorted(colours))),
            Column(name="member", kind=Kind.BOOLEAN, values=random.random(rows) < 0.5, missing=gaps),
            Column(name="late", kind=Kind.BOOLEAN, values=size + random.normal(size=rows) > 0.5),
        ),
    )


def asked(scratch: Path, part: str, **more: Any) -> dict[str, Any]:
    request = {"part": part, "label": "late", "task": "binary", "classes": ["false", "true"], "slow": [], "seed": 0}
    return request | {"train": str(scratch / "train"), "holdout": str(scratch / "holdout")} | more


def run(request: dict[str, Any], scratch: Path, python: Path) -> tuple[Condition, ...]:
    return deepchecks.run(request, python=python, scratch=scratch, stop=scratch / "stop", limits=LIMITS)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Condition, ...]:
    """The data's checks with five held-out rows, which are too few for drift, and a new colour among them."""
    scratch = tmp_path_factory.mktemp("deepchecks")
    frames.write(table(600, seed=1, colours=("blue", "red")), scratch / "train")
    frames.write(table(5, seed=2, colours=("blue", "red", "violet")), scratch / "holdout")
    return run(asked(scratch, "data"), scratch, made())


def test_every_check_answers_or_says_that_it_did_not_run(broken: tuple[Condition, ...]) -> None:
    assert {condition.check for condition in broken} == DATA_CHECKS


def test_deepchecks_did_not_try_to_phone_home(broken: tuple[Condition, ...]) -> None:
    """It writes an id beside its code before it does."""
    assert list(made().parent.parent.glob("lib/*/site-packages/deepchecks/__init__.py"))
    assert not list(made().parent.parent.glob("lib/*/site-packages/deepchecks/.user_id"))


def test_a_new_category_is_found(broken: tuple[Condition, ...]) -> None:
    [new] = [condition for condition in broken if condition.check == "new_category_train_test"]
    assert new.category == "FAIL"
    assert "colour" in new.text
    assert "less or equal to 0%" in new.allowed


def test_a_check_that_cannot_run_is_told_though_deepchecks_counts_it_as_passed(broken: tuple[Condition, ...]) -> None:
    [drift] = [condition for condition in broken if condition.check == "feature_drift"]
    assert drift.category == "NOT_RUN"
    assert drift.text.startswith("NotEnoughSamplesError: ")


def test_texts_are_short_lines_without_html(broken: tuple[Condition, ...]) -> None:
    for condition in broken:
        assert len(condition.text) <= 600
        assert "\n" not in condition.text
        assert "<b>" not in condition.text


@pytest.mark.parametrize("classes", [("false", "true"), ("9", "10", "11")])
def test_the_answers_of_a_model_are_judged_without_the_model(tmp_path: Path, classes: tuple[str, ...]) -> None:
    """`9` comes before `10` as a number, and after it as deepchecks wants its classes."""
    random = np.random.default_rng(3)
    truth = random.integers(0, len(classes), 400)
    right = np.where(random.random(400) < 0.9, truth, 0).astype(np.int32)
    scores = np.full((400, len(classes)), 0.1 / (len(classes) - 1), dtype=np.float32)
    scores[np.arange(400), right] = 0.9
    binary = len(classes) == 2
    target = Column(
        name="late", kind=Kind.BOOLEAN if binary else Kind.INTEGER, values=truth > 0 if binary else truth + 9
    )
    frame = Table(rows=400, columns=(Column(name="size", kind=Kind.FLOAT, values=random.normal(size=400)), target))
    frames.write(frame, tmp_path / "holdout")
    np.save(tmp_path / "labels.npy", right)
    np.save(tmp_path / "scores.npy", scores[:, 1] if binary else scores)
    paths = {"labels": str(tmp_path / "labels.npy"), "scores": str(tmp_path / "scores.npy")}
    task = "binary" if binary else "multiclass"
    [report] = run(asked(tmp_path, "model", task=task, classes=classes, **paths), tmp_path, made())
    assert (report.check, report.category) == ("roc_report", "PASS")
    least = re.search(r"0\.\d+", report.text)
    assert least
    assert float(least.group()) > 0.85


def test_a_regression_is_asked_too(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    for side in ("train", "holdout"):
        size = random.normal(size=300)
        columns = (
            Column(name="size", kind=Kind.FLOAT, values=size),
            Column(name="late", kind=Kind.FLOAT, values=2 * size),
        )
        frames.write(Table(rows=300, columns=columns), tmp_path / side)
    np.save(tmp_path / "labels.npy", (2 * size + random.normal(size=300)).astype(np.float32))
    more = {"task": "regression", "classes": [], "labels": str(tmp_path / "labels.npy"), "scores": ""}
    data = run(asked(tmp_path, "data", **more), tmp_path, made())
    assert {each.check for each in data} == DATA_CHECKS - {"conflicting_labels", "new_label_train_test"}
    model = run(asked(tmp_path, "model", **more), tmp_path, made())
    assert [(each.check, each.category != "NOT_RUN") for each in model] == [("regression_error_distribution", True)]


def test_a_frame_that_cannot_be_read_is_an_error_with_its_traceback(tmp_path: Path) -> None:
    with pytest.raises(UserCodeError) as caught:
        run(asked(tmp_path, "data"), tmp_path, made())
    assert "frame.json" in caught.value.message
    assert "Traceback" in caught.value.details


def test_the_environment_is_locked_with_hashes_and_with_versions_that_work() -> None:
    lock = (WORKER / "requirements.lock").read_text()
    environment.check_hashes(lock, file="requirements.lock")
    for pin in (r"deepchecks==0\.19\.1", r"numpy==1\.", r"pandas==2\.", r"scikit-learn==1\.[0-7]\.", r"setuptools=="):
        assert re.search(rf"^{pin}", lock, re.MULTILINE), pin
    assert "index-url http" not in lock


def test_the_worker_knows_the_slow_checks_that_settings_allow() -> None:
    code = (WORKER / "suites.py").read_text()
    assert set(re.findall(r'"(\w+)" in slow', code)) == set(SLOW_CHECKS)


def worker(code: str) -> list[str]:
    """Code that runs with the worker's `main` in a Python of ours: that part needs nothing but the standard library."""
    load = f"import sys, time, socket, pathlib; sys.path.insert(0, {str(WORKER)!r}); import main\n"
    return [sys.executable, "-c", load + code]


def test_the_worker_has_no_network() -> None:
    code = "main.no_network()\nfor host in ('127.0.0.1', 'example.org'):\n    try:\n"
    code += "        socket.create_connection((host, 9))\n    except OSError as error:\n        print(error)\n"
    done = subprocess.run(worker(code), capture_output=True, text=True, check=True)
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["no network here"] * 2


def test_the_worker_ends_when_it_is_told_to(tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    with subprocess.Popen(
        worker(f"main.end_when_nobody_waits(pathlib.Path({str(stop)!r})); time.sleep(60)")
    ) as process:
        time.sleep(0.3)
        assert process.poll() is None
        stop.touch()
        assert process.wait(timeout=10) == 1


def test_the_worker_ends_when_the_tool_is_killed(tmp_path: Path) -> None:
    stop = str(tmp_path / "stop")
    wait = worker(f"main.end_when_nobody_waits(pathlib.Path({stop!r})); print('ready', flush=True); time.sleep(60)")
    tool = f"import subprocess; print(subprocess.Popen({wait!r}).pid, flush=True); import time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", tool], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        pid = int(process.stdout.readline())
        assert process.stdout.readline() == "ready\n"
        process.kill()
    for _ in range(100):
        if not alive(pid):
            return
        time.sleep(0.1)
    pytest.fail("the worker outlived the tool")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except FileNotFoundError:
        return False


# The whole check, on predictions made elsewhere: nothing is trained.


def rows() -> tuple[str, str]:
    random = np.random.default_rng(5)
    size, late = random.normal(size=900), random.normal(size=900)
    truth = size + late > 0.6
    colours = np.where(np.arange(900) < 895, random.choice(["blue", "red"], 900), "violet")
    table = ["id,size,twice,colour,late"]
    table += [f"{n},{size[n]:.4f},{2 * size[n]:.4f},{colours[n]},{'yes' if truth[n] else 'no'}" for n in range(900)]
    guesses = ["id,score", *(f"{n},{1 / (1 + np.exp(-3 * size[n])):.4f}" for n in range(900))]
    return "\n".join(table) + "\n", "\n".join(guesses) + "\n"


def project(root: Path, mode: str) -> Path:
    data, predictions = rows()
    settings = (
        "version: 1\nproject: colours\ntask: classification\n"
        "data: {sources: {rows: data/rows.csv}, target: late, id: id}\n"
        "train: {predictions: predictions.csv}\n"
        f"checks: {{deepchecks: {mode}}}\n"
        "gates: [roc_auc >= 0.7, data.failed <= 0]\n"
    )
    files = {
        "mlops.yaml": settings,
        "data/rows.csv": data,
        "predictions.csv": predictions,
        ".gitignore": ".mlops-ci/\n",
    }
    return repo(root, files)


@pytest.fixture
def no_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that never had deepchecks, and has no network."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_OFFLINE", "1")


def check(root: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    """The exit code, the document and what was told on stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "mlops_ci", "check", "--json", *words],
        cwd=root,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def of_deepchecks(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["check"]: each for each in document["checks"] if each["check"].startswith("deepchecks")}


@pytest.mark.usefixtures("no_index")
def test_advice_that_could_not_be_had_blocks_nothing_and_is_asked_again_the_next_time(tmp_path: Path) -> None:
    root = project(tmp_path / "project", "advisory")
    code, document, _ = check(root)
    found = of_deepchecks(document)
    assert (code, document["outcome"]) == (0, "passed")
    assert {name: (each["status"], each["blocking"]) for name, each in found.items()} == {
        "deepchecks": ("skipped", False)
    }
    assert "uv" in found["deepchecks"]["details"]
    assert "restored  nothing" not in check(root)[2]


@pytest.mark.usefixtures("no_index")
def test_a_gate_that_could_not_run_is_errored_and_asked_again_the_next_time(tmp_path: Path) -> None:
    root = project(tmp_path / "project", "gate")
    code, document, _ = check(root)
    assert (code, document["outcome"]) == (11, "errored")
    assert of_deepchecks(document)["deepchecks"]["status"] == "errored"
    assert "restored  nothing" not in check(root)[2]


def test_off_asks_nothing_and_is_restored(tmp_path: Path) -> None:
    root = project(tmp_path / "project", "off")
    code, document, _ = check(root)
    assert (code, of_deepchecks(document)) == (0, {})
    assert "restored  nothing" in check(root)[2]


@pytest.mark.usefixtures("installed")
def test_advice_is_in_the_decision_and_changes_no_verdict_and_no_number_of_a_gate(tmp_path: Path) -> None:
    root = project(tmp_path / "project", "advisory")
    code, document, _ = check(root)
    found = of_deepchecks(document)
    assert set(found) == {f"deepchecks/{name}" for name in (*DATA_CHECKS, "roc_report")}
    twins = found["deepchecks/feature_feature_correlation"]
    assert twins["status"] == "failed"
    assert re.search(r"on \d+ of \d+ training and \d+ of \d+ held-out rows\)$", twins["message"])
    assert (code, document["outcome"]) == (0, "passed")
    assert [gate["observed"] for gate in document["gates"]][1] == 0
    assert git(root, "rev-parse", "--verify", "--quiet", "mlops-reports")

    again = check(root, "--fresh")[1]
    assert again["decision"] == document["decision"]


@pytest.mark.usefixtures("installed")
def test_as_a_gate_what_fails_refuses(tmp_path: Path) -> None:
    code, document, _ = check(project(tmp_path / "project", "gate"))
    assert (code, document["outcome"]) == (10, "failed")
    assert all(each["blocking"] for each in of_deepchecks(document).values())
    assert all(gate["verdict"] == "passed" for gate in document["gates"])


def test_the_same_rows_give_the_same_answer(tmp_path: Path) -> None:
    frames.write(table(400, seed=1, colours=("blue", "red")), tmp_path / "train")
    frames.write(table(200, seed=2, colours=("blue", "red")), tmp_path / "holdout")
    first = run(asked(tmp_path, "data"), tmp_path, made())
    assert run(asked(tmp_path, "data"), tmp_path, made()) == first
