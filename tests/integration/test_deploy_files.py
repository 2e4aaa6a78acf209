"""What a promotion writes into the folder an environment is deployed from, with real git and what reads it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from mlops_ci.errors import OutsideError
from mlops_ci.flows.promote import Moved, promote
from mlops_ci.flows.verify import verify
from mlops_ci.promotion.rules import Way
from mlops_ci.records.outcomes import Outcome
from mlops_ci.steps.moved_files import judge_moves
from mlops_ci.steps.progress import Silent
from mlops_ci.steps.project import open_project
from mlops_ci.steps.promotion import Wish
from tests.helpers import bare, commit, git, repo
from tests.released import SETTINGS, bundle_of, image_of, released

KUSTOMIZE = SETTINGS + "environments: {production: {deploy: kustomize}}\n"
COMPOSE = SETTINGS + "environments: {production: {deploy: compose}}\n"
FILE = "environments/production.yaml"
FOLDER = "environments/production"
KUSTOMIZATION = f"{FOLDER}/kustomization.yaml"
MADE = [FILE, f"{FOLDER}/deployment.yaml", KUSTOMIZATION, f"{FOLDER}/service.yaml"]


def project(path: Path, settings: str, *, images: bool = True) -> Path:
    root = repo(path, {"mlops.yaml": settings, ".gitignore": ".mlops-ci/\n"})
    released(root, 1, 2, images=images)
    return root


def go(root: Path, release: str, *, way: Way = Way.COMMIT, back: bool = False, dry_run: bool = False) -> Moved:
    wish = Wish(environment="production", release=release, way=way, back=back, emergency=back, reason="slow")
    return promote(root, wish, Silent(), dry_run=dry_run)


def changed(root: Path) -> list[str]:
    return git(root, "diff", "--name-only", "HEAD~1", "HEAD").splitlines()


def refusal(moved: Moved) -> str:
    assert moved.story is not None
    assert moved.outcome is Outcome.FAILED
    return moved.story.decision.reason


def test_all_files_go_in_one_commit_and_later_only_what_names_the_release(tmp_path: Path) -> None:
    root = project(tmp_path / "r", KUSTOMIZE)
    go(root, "v1")
    assert changed(root) == MADE
    assert git(root, "status", "--porcelain") == ""
    commit(root, {KUSTOMIZATION: f"{(root / KUSTOMIZATION).read_text()}# ours\n"}, "A remark")
    moved = go(root, "v2", dry_run=True)
    assert f"b/{KUSTOMIZATION}" in moved.change
    assert image_of(2).partition("@")[2] in moved.change
    go(root, "v2")
    assert changed(root) == [FILE, KUSTOMIZATION]
    text = (root / KUSTOMIZATION).read_text()
    assert (text.count(f"{102:064x}"), text.count(bundle_of(2)), text.endswith("# ours\n")) == (1, 1, True)
    assert go(root, "v2").already
    go(root, "v1", back=True)
    assert changed(root) == [FILE, KUSTOMIZATION]
    assert f"{101:064x}" in (root / KUSTOMIZATION).read_text()


def test_a_release_without_an_image_does_not_go_nor_come_back(tmp_path: Path) -> None:
    root = project(tmp_path / "r", KUSTOMIZE.replace("{deploy: kustomize}", "{}"), images=False)
    go(root, "v1")
    go(root, "v2")
    commit(root, {"mlops.yaml": KUSTOMIZE}, "Deploy it")
    head = git(root, "rev-parse", "main")
    assert "image: v1 has no image" in refusal(go(root, "v1", back=True))
    assert "image: v2 has no image" in refusal(go(root, "v2"))
    assert git(root, "rev-parse", "main") == head


def test_where_it_cannot_be_put_in_nothing_moves(tmp_path: Path) -> None:
    root = project(tmp_path / "r", KUSTOMIZE)
    commit(root, {KUSTOMIZATION: "resources: [a.yaml]\n"}, "By hand")
    head = git(root, "rev-parse", "main")
    told = refusal(go(root, "v1"))
    assert f"{KUSTOMIZATION}: it does not say where the image of ghcr.io/acme/flights belongs. Write images: [" in told
    assert git(root, "rev-parse", "main") == head
    assert not (root / FILE).exists()


def test_a_link_is_not_written_over(tmp_path: Path) -> None:
    root = project(tmp_path / "r", COMPOSE)
    (root / FOLDER).mkdir(parents=True)
    (root / FOLDER / "compose.yaml").symlink_to("../../mlops.yaml")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "A link")
    assert f"{FOLDER}/compose.yaml: it is no plain file" in refusal(go(root, "v1"))
    git(root, "rm", "--quiet", "-r", FOLDER)
    commit(root, {FOLDER: "a file\n"}, "A file")
    assert f"{FOLDER}: it is no folder" in refusal(go(root, "v1"))


def test_work_in_the_folder_that_is_not_committed_is_left_alone(tmp_path: Path) -> None:
    root = project(tmp_path / "r", COMPOSE)
    (root / FOLDER).mkdir(parents=True)
    (root / FOLDER / "compose.yaml").write_text("mine\n")
    heads = git(root, "rev-parse", "main", "mlops-reports")
    with pytest.raises(OutsideError, match=r"compose\.yaml has changes that are not committed"):
        go(root, "v1")
    assert (root / FOLDER / "compose.yaml").read_text() == "mine\n"
    assert git(root, "rev-parse", "main", "mlops-reports") == heads


def test_files_that_are_asked_for_later_come_with_the_release_that_runs(tmp_path: Path) -> None:
    root = project(tmp_path / "r", SETTINGS + "environments: {production: {}}\n")
    bare(root, tmp_path / "origin.git")
    go(root, "v1", way=Way.PUSH)
    git(root, "pull", "--quiet", "origin", "main")
    commit(root, {"mlops.yaml": COMPOSE}, "Deploy it")
    git(root, "push", "--quiet", "origin", "main")
    moved = go(root, "v1", way=Way.PUSH)
    assert moved.carried is not None
    made = git(root, "diff", "--name-only", "origin/main~1", "origin/main").splitlines()
    assert made == [FILE, f"{FOLDER}/compose.yaml"]
    assert go(root, "v1", way=Way.PUSH).already


def _checked(documents: list[dict[str, Any]]) -> None:
    for one in documents:
        for version in ("1.28", kubernetes_validate.latest_version()):
            kubernetes_validate.validate(one, version, strict=True)


def test_kubernetes_takes_what_is_made(tmp_path: Path) -> None:
    root = project(tmp_path / "r", KUSTOMIZE)
    go(root, "v1")
    files = [yaml.safe_load((root / FOLDER / name).read_text()) for name in ("deployment.yaml", "service.yaml")]
    _checked(files)
    pod = files[0]["spec"]["template"]["spec"]
    server = pod["containers"][0]
    assert (server["livenessProbe"]["httpGet"]["path"], server["readinessProbe"]["httpGet"]["path"]) == (
        "/health",
        "/ready",
    )
    assert (pod["securityContext"]["runAsNonRoot"], server["securityContext"]["readOnlyRootFilesystem"]) == (True, True)
    drain = float(server["args"][server["args"].index("--drain") + 1])
    assert pod["terminationGracePeriodSeconds"] > drain + 30
    files[0]["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        _checked(files)


@pytest.mark.needs("kubectl")
def test_kustomize_builds_it_with_image_release_and_bundle(tmp_path: Path) -> None:
    root = project(tmp_path / "r", KUSTOMIZE)
    go(root, "v1")
    go(root, "v2")
    done = subprocess.run(["kubectl", "kustomize", root / FOLDER], check=True, capture_output=True, text=True)
    built = list(yaml.safe_load_all(done.stdout))
    _checked(built)
    [deployment] = [one for one in built if one["kind"] == "Deployment"]
    template = deployment["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == image_of(2)
    assert template["metadata"]["labels"]["dev.mlops-ci.release"] == "v2"
    assert template["metadata"]["annotations"]["dev.mlops-ci.bundle"] == f"sha256:{bundle_of(2)}"
    # Selectors of a Deployment can never be changed: nothing of the release may be in them.
    assert deployment["spec"]["selector"] == {"matchLabels": {"app.kubernetes.io/name": "flights-production"}}
    assert template["metadata"]["labels"].items() >= deployment["spec"]["selector"]["matchLabels"].items()


def test_compose_takes_what_is_made(tmp_path: Path) -> None:
    root = project(tmp_path / "r", COMPOSE)
    go(root, "v1")
    go(root, "v2")
    path = root / FOLDER / "compose.yaml"
    command = [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec"]
    subprocess.run([*command, path], check=True)
    services = yaml.safe_load(path.read_text())["services"]
    assert {one["image"] for one in services.values()} == {image_of(2)}
    assert services["server"]["environment"] == {
        "MLOPS_CI_RELEASE": "v2",
        "MLOPS_CI_DIGEST": f"sha256:{bundle_of(2)}",
    }
    assert (services["server"]["read_only"], services["server"]["user"]) == (True, "65532:65532")


@pytest.mark.parametrize(
    ("settings", "file"),
    [(KUSTOMIZE, KUSTOMIZATION), (COMPOSE, f"{FOLDER}/compose.yaml")],
    ids=["kustomize", "compose"],
)
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace(image_of(1)[-64:], "e" * 64), "it does not name the image of v1"),
        (lambda text: text.replace("v1", "v2"), "it names release v2, and v1 runs there: v1"),
        (lambda text: text.replace(bundle_of(1), bundle_of(2)), "it names bundle sha256:"),
        (lambda text: None, "one file has to name the image of v1"),
        (lambda text: f"{text}# a remark\n", ""),
    ],
    ids=["image", "release", "bundle", "gone", "remark"],
)
def test_what_somebody_else_wrote_there_is_no_deployment(
    tmp_path: Path, settings: str, file: str, change: Callable[[str], str | None], told: str
) -> None:
    root = project(tmp_path / "r", settings)
    go(root, "v1")
    base = git(root, "rev-parse", "HEAD")
    head = commit(root, {file: change((root / file).read_text())}, "By hand")
    seen = judge_moves(open_project(root), base=base, commit=head, at=base, root=tmp_path / "work")
    assert seen is not None
    assert (seen.outcome, told in seen.told) == (Outcome.FAILED if told else Outcome.PASSED, True)
    problems = verify(root, "production", Silent()).problems
    said = [f"{one.where}: {one.message}" for one in problems if one.where.startswith(FOLDER)]
    assert (len(said), all(told in one for one in said)) == (1 if told else 0, True)
