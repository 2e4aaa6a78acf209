"""From a passed commit to a bundle that answers as it was judged: by itself, over HTTP, through MLflow, and again."""

from __future__ import annotations

import json
import math
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from mlops_ci.edge import runtime, signing, tables
from mlops_ci.edge.files import sha256
from mlops_ci.edge.git import Repository
from mlops_ci.errors import UsageError
from mlops_ci.flows.release import release
from mlops_ci.records.decisions import DecisionKind
from mlops_ci.records.images import Image
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.results import Part, Result
from mlops_ci.steps import ledger, release_gates, release_images, request_cost, signatures
from mlops_ci.steps.progress import Clock, Silent
from mlops_ci.steps.release import Released, Wish
from mlops_ci.steps.release_decision import Candidate
from tests import signing_keys
from tests.environments import python_with
from tests.helpers import commit, git, repo
from tests.unit.reports.release_stories import image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.steps.release_decision import Candidate

TABLES = Path(__file__).parents[1] / "data" / "tables"
SETTINGS = """version: 1
project: tumours
task: classification
data: {sources: {rows: data/rows.csv}, target: target}
train: {entrypoint: pipeline.train:train, params: params.yaml, seed: 7}
gates: [accuracy >= 0.9, bundle_size <= 1 MB, image_size <= 1 GB]
evidence: {snapshot: store}
package: {intended_use: "A second look at slides, never the only one."}
"""
TRAIN = """from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def train(frame, params, seed):
    model = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(**params))
    return model.fit(frame.drop(columns="target"), frame["target"])
"""
LOADED = """
import json, sys
import mlflow.pyfunc, pandas as pd
bundle = sys.argv[1]
golden = json.load(open(bundle + "/golden.json"))
frame = pd.DataFrame(golden["rows"], columns=golden["columns"])
answers = mlflow.pyfunc.load_model(bundle).predict(frame)
print("answers:" + json.dumps({name: answers[name].tolist() for name in answers.columns}))
"""


def run(root: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "mlops_ci", *arguments, "--json"], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def project(root: Path) -> Path:
    files = {
        "mlops.yaml": SETTINGS,
        "data/rows.csv": (TABLES / "breast_cancer.csv").read_bytes(),
        "pipeline/train.py": TRAIN,
        "params.yaml": "max_iter: 1000\n",
        ".gitignore": ".mlops-ci/\n__pycache__/\n",
    }
    return repo(root, files)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    root = project(tmp_path_factory.mktemp("release") / "project")
    return root, run(root, "release")


@pytest.fixture(scope="module")
def golden(released: tuple[Path, dict[str, Any]]) -> dict[str, Any]:
    return dict(json.loads((Path(released[1]["bundle"]) / "golden.json").read_bytes()))


def alike(found: dict[str, list[Any]], judged: dict[str, list[Any]]) -> None:
    assert found.keys() == judged.keys()
    for name, values in judged.items():
        assert all(math.isclose(one, other, abs_tol=1e-5) for one, other in zip(found[name], values, strict=True)), name


def mlflow_answers(bundle: str) -> dict[str, list[Any]]:
    """What the bundle answers to its golden requests where `mlflow.pyfunc` has loaded it."""
    done = subprocess.run(
        [str(python_with("mlflow")), "-c", LOADED, bundle], capture_output=True, text=True, check=False
    )
    assert "answers:" in done.stdout, done.stderr
    return dict(json.loads(done.stdout.rpartition("answers:")[2]))


def test_a_release_is_in_the_ledger_and_in_the_store(released: tuple[Path, dict[str, Any]]) -> None:
    root, told = released
    assert told["release"] == "v1"
    kept = json.loads(git(root, "show", "mlops-reports:releases/tumours/v1.json"))
    assert kept["bundle"] == told["digest"]
    assert kept["commit"] == git(root, "rev-parse", "HEAD")
    assert Path(told["bundle"]) == root / ".mlops-ci/store/bundles" / told["digest"]
    history = run(root, "history")["decisions"]
    assert [(one["kind"], one["outcome"]) for one in history] == [("release", "passed"), ("check", "passed")]
    assert [kept["decision"], kept["judged"]] == [one["id"] for one in history]


def test_what_it_was_judged_on_is_in_the_store(released: tuple[Path, dict[str, Any]]) -> None:
    """Rows without a value of the table, and the table itself as this project asks for it."""
    root, told = released
    kept = json.loads(git(root, "show", "mlops-reports:releases/tumours/v1.json"))
    assert (kept["predictions"], kept["snapshot"]) == (told["predictions"], told["snapshot"])
    rows = root / ".mlops-ci/store/predictions" / told["predictions"]
    judged = json.loads(git(root, "show", f"mlops-reports:{_path(root, kept['judged'])}/decision.json"))
    pinned = {name: of for name, of in judged["predicate"]["evidence"].items() if name != "evidence.json"}
    assert pinned == {name: sha256(rows / name) for name in pinned}
    held = {path.name.partition("-")[0] for path in rows.rglob("*") if path.is_file()}
    assert held == {"manifest.json", "labels.npy", "scores.npy", "features.npy", "index", "ids", "truth"}
    table = root / ".mlops-ci/store/snapshots" / told["snapshot"]
    back = tables.read({"rows": (table / "table.parquet",)}, None)
    assert (back.rows, "mean radius" in back.names) == (569, True)
    report = run(root, "report", told["decision"])["markdown"]
    assert f"`{told['predictions'][:7]}` in the store" in report
    assert f"`{told['snapshot'][:7]}` in the store" in report


def _path(root: Path, decision: str) -> str:
    listed = git(root, "ls-tree", "-r", "-d", "--name-only", "mlops-reports", "decisions").split()
    return next(name for name in listed if name.endswith(decision))


def test_the_same_commit_again_is_the_same_release(released: tuple[Path, dict[str, Any]]) -> None:
    root, told = released
    assert run(root, "release") == told
    assert git(root, "ls-tree", "--name-only", "mlops-reports:releases/tumours").split() == ["v1.json"]


def test_another_folder_gives_the_same_digest(released: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--no-local", "--single-branch", "--branch=main", str(released[0]), "elsewhere")
    again = run(tmp_path / "elsewhere", "release")
    assert again["digest"] == released[1]["digest"]


def test_mlflow_gives_the_judged_answers(released: tuple[Path, dict[str, Any]], golden: dict[str, Any]) -> None:
    alike(mlflow_answers(released[1]["bundle"]), golden["answers"])


@pytest.fixture
def served(released: tuple[Path, dict[str, Any]]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlops_ci", "serve", "v1", "--port", str(port)]
    with subprocess.Popen(command, cwd=released[0], stderr=subprocess.PIPE) as server:
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"{address}/ready", timeout=5).close()
                    break
                except OSError:
                    assert server.poll() is None, server.stderr and server.stderr.read()
                    time.sleep(0.1)
            yield address
        finally:
            server.terminate()
        assert server.wait(30) == 0


def test_a_served_release_gives_the_judged_answers(served: str, golden: dict[str, Any]) -> None:
    body = json.dumps({"dataframe_split": {"columns": golden["columns"], "data": golden["rows"]}}).encode()
    asked = urllib.request.Request(f"{served}/invocations", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        found = json.load(answer)["predictions"]
    alike({name: [row[name] for row in found] for name in golden["answers"]}, golden["answers"])
    with urllib.request.urlopen(f"{served}/metadata", timeout=30) as answer:
        assert json.load(answer)["release"] == "v1"


def test_a_refused_commit_is_not_released(released: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    root = tmp_path / "worse"
    shutil.copytree(released[0], root)
    commit(root, {"params.yaml": "max_iter: 1000\nC: 1.0e-9\n"}, "Worse")
    told = run(root, "release", code=10)
    assert told["outcome"] == "failed"
    assert git(root, "ls-tree", "--name-only", "mlops-reports:releases/tumours").split() == ["v1.json"]


def test_a_bundle_over_the_limit_is_not_released(
    released: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The saved model is within it, the bundle with its runtime is not: the check passes, the release is refused.

    Nor is it signed.
    """
    monkeypatch.setenv("MLOPS_CI_SIGNING_KEY", str(signing_keys.pair(tmp_path, "ours").private))
    root = tmp_path / "large"
    shutil.copytree(released[0], root)
    commit(root, {"mlops.yaml": SETTINGS.replace("1 MB", "100 kB")}, "A limit")
    told = run(root, "release", code=10)
    stored = ledger.find(Repository.open(root), told["decision"])
    assert (told["release"], told["outcome"], stored.decision.kind) == (None, "failed", DecisionKind.RELEASE)
    assert not stored.evidence.bundle.signature
    assert "Signed by" not in stored.report_markdown
    size = stored.evidence.bundle.bytes
    assert [(one.gate, one.verdict, one.observed) for one in stored.decision.gates] == [
        ("bundle_size <= 1 MB", "passed", size),
        ("bundle_size <= 100 kB", "failed", size),
    ], "those of the commit before, and this one's own; no image is made any more"
    checked = ledger.find(Repository.open(root), stored.evidence.bundle.decision).decision
    assert [(one.verdict, one.reason) for one in checked.gates[2:]] == [("skipped", "measured at release")]
    assert git(root, "ls-tree", "--name-only", "mlops-reports:releases/tumours").split() == ["v1.json"]


def test_an_image_is_made_for_a_bundle_within_its_limits_and_has_one_too(
    released: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, made = tmp_path / "image", list[str]()
    shutil.copytree(released[0], root)

    def make(candidate: Candidate, _clock: Clock, **_: Any) -> tuple[Image, ...]:
        made.append(candidate.info.digest)
        return ()

    monkeypatch.setattr(release_images, "wanted", lambda _: ("docker",))
    monkeypatch.setattr(release_images, "make", make)
    monkeypatch.setattr(
        release_images, "with_images", lambda candidate, _: msgspec.structs.replace(candidate, image=image())
    )
    gates = "bundle_size <= 1 MB, cpu_per_request <= 10 s, image_size <= 300 MB"
    limits = SETTINGS.replace("bundle_size <= 1 MB, image_size <= 1 GB", gates)
    commit(root, {"mlops.yaml": limits}, "A limit of the image")
    refused = release(root, Wish(), Silent())
    assert isinstance(refused, Released)
    assert (made, refused.bundle.number) == ([refused.bundle.digest], 0)
    stored = ledger.find(Repository.open(root), refused.story.decision_id)
    assert stored.decision.reason == "image_size <= 300 MB: 312 MB is above 300 MB"
    assert {one.gate: one.verdict for one in stored.decision.gates} == {
        "bundle_size <= 1 MB": "passed",
        "cpu_per_request <= 10 s": "passed",
        "image_size <= 1 GB": "passed",
        "image_size <= 300 MB": "failed",
    }, "those of the commit before, and this one's own"
    assert stored.evidence.facts.keys() == {"bundle_size", "cpu_per_request", "image_size"}
    assert stored.evidence.fact_notes.keys() == stored.evidence.facts.keys()
    commit(root, {"mlops.yaml": limits.replace("1 MB", "100 kB")}, "A limit of the bundle")
    assert isinstance(release(root, Wish(), Silent()), Released)
    assert len(made) == 1, "for a bundle that is refused none is made"
    assert git(root, "ls-tree", "--name-only", "mlops-reports:releases/tumours").split() == ["v1.json"]


def test_the_report_of_the_next_release_tells_what_changed_since(
    released: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    root = tmp_path / "next"
    shutil.copytree(released[0], root)
    commit(root, {"params.yaml": "max_iter: 1000\nC: 0.5\n"}, "Another penalty")
    assert run(root, "release")["release"] == "v2"
    stored = ledger.find(Repository.open(root))
    comparison = stored.evidence.comparison
    assert comparison
    assert (comparison.release, comparison.commit) == ("v1", git(root, "rev-parse", "HEAD~"))
    assert (comparison.rows, comparison.format, comparison.packages) == ((569, 569), ("onnx", "onnx"), {})
    assert {"roc_auc", "accuracy"} <= comparison.intervals.keys()
    assert (stored.decision.change.kinds, stored.decision.base) == (("params",), comparison.commit)
    assert "#### Since v1" in stored.report_markdown
    (param,) = stored.decision.change.params
    assert (param.key, param.before, param.after) == ("C", "(none)", "0.5")
    assert "`0.5` | `params.yaml` |" in stored.report_markdown


def test_a_bundle_that_was_changed_is_not_served(released: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    shutil.copytree(released[1]["bundle"], tmp_path / "bundle")
    (tmp_path / "bundle" / "MODEL_CARD.md").write_text("Trust me.")
    done = subprocess.run(
        [sys.executable, "-m", "mlops_ci", "serve", "bundle"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "MODEL_CARD.md" in done.stderr


def test_what_is_not_committed_is_not_released(released: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    root = tmp_path / "dirty"
    shutil.copytree(released[0], root)
    (root / "params.yaml").write_text("max_iter: 900\n")
    assert "not committed" in run(root, "release", code=2)["error"]["message"]


def test_a_bundle_that_answers_otherwise_is_refused_and_recorded(
    released: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "otherwise"
    shutil.copytree(released[0], root)
    monkeypatch.setattr(request_cost, "asked_by", lambda _: True)
    monkeypatch.setattr(request_cost, "measure", lambda *_: pytest.fail("nobody wants to know what it costs"))
    monkeypatch.setattr(runtime, "conforms", lambda bundle, python: runtime.Conforms(fingerprint="0" * 64, golden=32))
    refused = release(root, Wish(), Silent())
    assert isinstance(refused, Released)
    assert refused.document()["release"] is None
    stored = ledger.find(Repository.open(root))
    assert (stored.id, stored.decision.kind, stored.decision.outcome) == (
        refused.story.decision_id,
        DecisionKind.RELEASE,
        Outcome.FAILED,
    )
    assert stored.decision.reason.startswith("bundle_answers: its fingerprint is 000000000000, the judged model's ")
    assert "**not released**" in stored.report_markdown
    assert git(root, "ls-tree", "--name-only", "mlops-reports:releases/tumours").split() == ["v1.json"]


def test_what_is_refused_once_it_was_signed_is_recorded_without(
    released: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a gate over its image, which is made with the signature in it."""
    root, key = tmp_path / "late", signing_keys.pair(tmp_path, "ours")
    shutil.copytree(released[0], root)
    monkeypatch.setenv("MLOPS_CI_SIGNING_KEY", str(key.private))
    late = Result(check="image", part=Part.MODEL, status=Status.FAILED, message="it is too large")
    signed = []

    def of_image(candidate: Candidate) -> Candidate:
        signed.append(candidate.signed)
        return msgspec.structs.replace(candidate, results=(*candidate.results, late))

    monkeypatch.setattr(release_gates, "of_image", of_image)
    refused = release(root, Wish(), Silent())
    assert isinstance(refused, Released)
    assert refused.document()["signature"] is None
    assert all(signed)
    stored = ledger.find(Repository.open(root))
    assert (stored.id, stored.decision.outcome) == (refused.story.decision_id, Outcome.FAILED)
    assert "Signed by" not in stored.report_markdown


def test_a_release_is_signed_where_a_key_is_named(
    released: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a bundle that was released unsigned it is another release: what the ledger says of the first stays true."""
    root, key = tmp_path / "signed", signing_keys.pair(tmp_path, "ours")
    shutil.copytree(released[0], root)
    assert released[1]["signature"] is None
    assert "- Not signed" in ledger.find(Repository.open(root)).report_markdown
    monkeypatch.setenv("MLOPS_CI_SIGNING_KEY", str(key.private))
    real = signatures.keep

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(signatures, "keep", killed)  # the bundle is in the store, its signature not yet
    with pytest.raises(KeyboardInterrupt):
        release(root, Wish(), Silent())
    monkeypatch.setattr(signatures, "keep", real)
    told = run(root, "release")
    assert (told["release"], told["digest"]) == ("v2", released[1]["digest"])
    kept = json.loads(git(root, "show", "mlops-reports:releases/tumours/v2.json"))
    assert kept["signature"] == told["signature"]
    assert "signature" not in json.loads(git(root, "show", "mlops-reports:releases/tumours/v1.json"))
    assert signing.problem(Path(told["bundle"]), key.public, print) == ""
    stored = ledger.find(Repository.open(root), told["decision"])
    assert f"- Signed by key `{told['signature']['key'][:7]}`" in stored.report_markdown
    assert run(root, "release") == told
    monkeypatch.delenv("MLOPS_CI_SIGNING_KEY")
    assert run(root, "release") == told, "unsigned it is the release that it is already"


def test_a_project_that_trusts_a_key_is_released_with_it_or_not(
    released: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, key = tmp_path / "trusting", signing_keys.pair(tmp_path, "ours")
    shutil.copytree(released[0], root)
    settings = SETTINGS.replace("package: {", "package: {trust: release.pub, ")
    commit(root, {"mlops.yaml": settings, "release.pub": key.public.read_bytes()}, "Whom we trust")
    error = run(root, "release", code=2)["error"]
    assert error["where"] == "mlops.yaml:8: package.trust"
    assert error["message"] == "releases are to be signed, and no key is named"
    assert len(run(root, "history")["decisions"]) == 2, "nothing was checked"
    assert "model.sig: it is not there" in run(root, "package", "functions", "v1", "made", code=2)["error"]["message"]
    monkeypatch.setenv("MLOPS_CI_SIGNING_KEY", str(key.private))
    assert run(root, "release")["release"] == "v2"
    monkeypatch.delenv("MLOPS_CI_SIGNING_KEY")
    assert run(root, "package", "functions", "v2", "made")
    assert (root / "made/bundle/model.sig").is_file()


def test_a_key_that_cannot_sign_stops_a_release_before_it_trains(
    released: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_CI_SIGNING_KEY", str(tmp_path / "none.pem"))
    monkeypatch.setattr("mlops_ci.flows.release.check", lambda *_: pytest.fail("it is checked first"))
    with pytest.raises(UsageError, match=r"none\.pem: the key cannot be read: No such file or directory"):
        release(released[0], Wish(), Silent())
