"""The tests' GitHub itself: what it must not let through, and git behind it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from mlops_ci.edge.github import access
from tests import helpers
from tests.github import contract, permissions
from tests.github.fake import FakeGitHub
from tests.github.routes import ROUTES, Route
from tests.github.state import Artifact, Asset, Branch, Comment, Pull, Release, Run, State, Status

CLIENT = httpx.Client()
SHA = "a" * 40
TIME = "2026-01-01T00:00:00Z"
WORKFLOW = """\
name: mlops record
on: workflow_run
permissions: {}
jobs:
  post: {permissions: {contents: write, pull-requests: write}}
  judge: {permissions: {contents: read}}
  none: {}
"""


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """What GitHub has: `main` with a workflow."""
    work = helpers.repo(tmp_path / "origin", {"README": "x", ".github/workflows/mlops-record.yml": WORKFLOW})
    helpers.git(tmp_path, "clone", "--quiet", "--bare", str(work), "ml.git")
    return tmp_path / "ml.git"


@pytest.fixture
def fake(tmp_path: Path, bare: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path / "origin/.github/workflows", git=bare) as github:
        yield github


# The permissions of jobs


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("permissions: {}\njobs: {a: {}}", {}),
        ("permissions: read-all\njobs: {a: {permissions: {}}}", {}),
        ("permissions: {contents: write}\njobs: {a: {}}", {"contents": "write"}),
        ("permissions: {contents: write}\njobs: {a: {permissions: {issues: read}}}", {"issues": "read"}),
        ("jobs: {a: {}}", {"contents": "read", "packages": "read"}),
    ],
)
def test_a_job_has_its_own_permissions_or_those_of_the_file(
    tmp_path: Path, written: str, expected: dict[str, str]
) -> None:
    (tmp_path / "x.yml").write_text(written, encoding="utf-8")
    job = permissions.Job("x.yml", "a")
    found = permissions.granted(job, tmp_path, default="read", is_fork=False)
    assert found == {**expected, "metadata": "read"}
    fork = permissions.granted(job, tmp_path, default="read", is_fork=True)
    assert "write" not in fork.values()
    assert fork.keys() == found.keys()


def test_read_all_and_write_all(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text("permissions: write-all\njobs: {a: {}, b: {permissions: read-all}}", "utf-8")
    granted = [
        permissions.granted(permissions.Job("x.yml", name), tmp_path, default="read", is_fork=False) for name in "ab"
    ]
    assert [each["pull_requests"] for each in granted] == ["write", "read"]


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        ("mlops-ci/1 (acme/ml/.github/workflows/mlops-record.yml@refs/heads/main; post)", "post"),
        ("git/2.39 mlops-ci/1 (mlops record; judge)", "judge"),
        ("mlops-ci/1 (mlops%20record; judge)", "judge"),
        ("mlops-ci/1 (mlops record; no-such-job)", None),
        ("mlops-ci/1 (another; judge)", None),
        ("mlops-ci/1", None),
    ],
)
def test_the_job_is_known_by_the_user_agent(fake: FakeGitHub, user_agent: str, expected: str | None) -> None:
    found = permissions.caller(user_agent, fake.workflows)
    assert (found and found.name) == expected


PATHS = {"run_id": "5", "workflow_id": "mlops-check.yml", "artifact_id": "6", "archive_format": "zip", "sha": SHA} | {
    "pull_number": "7",
    "issue_number": "7",
    "comment_id": "3",
    "commit_sha": SHA,
    "ref": SHA,
    "username": "ada",
    "branch": "main",
    "path": "mlops.yaml",
    "environment_name": "mlops",
    "tag": "v1",
    "release_id": "11",
    "asset_id": "12",
}
BODIES: dict[tuple[str, str], dict[str, str]] = {
    ("POST", "/pulls"): {"head": "feature", "base": "main", "title": "x", "body": ""},
    ("PATCH", "/pulls/{pull_number}"): {"title": "x"},
    ("POST", "/issues/{issue_number}/comments"): {"body": "x"},
    ("PATCH", "/issues/comments/{comment_id}"): {"body": "x"},
    ("POST", "/statuses/{sha}"): {"state": "success", "context": "x", "description": "x"},
    ("POST", "/releases"): {"tag_name": "v2"},
    ("PATCH", "/releases/{release_id}"): {"name": "x"},
}
UPLOAD = "/releases/{release_id}/assets"


def full() -> State:
    state = State(actions_may_open_pulls=True, secrets=["KEY"])
    state.runs[5] = Run(id=5, head_sha=SHA)
    state.artifacts[6] = Artifact(id=6, run=5, name="mlops-run", content=b"PK")
    state.pulls[7] = Pull(number=7, head_ref="x", head_sha=SHA)
    state.comments[3] = Comment(id=3, number=7, body="x", created_at=TIME)
    state.branches = {"main": Branch(protected=True), "feature": Branch()}
    state.files = {"mlops.yaml": "version: 1\n"}
    state.releases[11] = Release(id=11, tag="v1", created_at=TIME, assets=[Asset(id=12, name="a.zip", content=b"PK")])
    state.tags = {SHA}
    state.environments = [environment("mlops")]
    state.statuses.append(
        Status(id=1, sha=SHA, state="success", context="x", description=None, target_url=None, created_at=TIME)
    )
    return state


def environment(name: str) -> dict[str, Any]:
    address = "https://github.com/acme/ml"
    rest = {"url": address, "html_url": address, "protection_rules": [], "created_at": TIME, "updated_at": TIME}
    return {"id": 1, "node_id": "x", "name": name, **rest}


def ask(github: FakeGitHub, route: Route, job: str, token: str = "job-token") -> httpx.Response:
    path = f"/repos/acme/ml{route.template.format(**PATHS)}"
    headers = {"Authorization": f"Bearer {token}", "User-Agent": f"mlops-ci/1 (x.yml; {job})"}
    if (route.method, route.template) == ("POST", UPLOAD):
        file = headers | {"Content-Type": "application/octet-stream"}
        return CLIENT.post(f"{github.state.uploads}{path}?name=b.zip", headers=file, content=b"PK")
    return CLIENT.request(
        route.method, github.url + path, headers=headers, json=BODIES.get((route.method, route.template))
    )


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.template}")
def test_each_operation_takes_one_of_its_permissions_and_nothing_else_will_do(tmp_path: Path, route: Route) -> None:
    jobs = [f"  j{number}: {{permissions: {{{written(need)}}}}}" for number, need in enumerate(route.needs)]
    below = [need.replace("=write", "=read") for need in route.needs if need.endswith("=write")]
    jobs += [f"  below{number}: {{permissions: {{{written(need)}}}}}" for number, need in enumerate(below)]
    others = sorted({each for other in ROUTES for each in other.needs} - {*route.needs, "metadata=read"})
    others = [each for each in others if each.partition("=")[0] not in {need.partition("=")[0] for need in route.needs}]
    every = {each.partition("=")[0]: "write" for each in others}
    jobs += [f"  others: {{permissions: {{{', '.join(f'{name}: {level}' for name, level in every.items())}}}}}"]
    (tmp_path / "x.yml").write_text("\n".join(["permissions: {}", "jobs:", *jobs]).replace("_", "-"), "utf-8")
    for number in range(len(route.needs)):
        with FakeGitHub(tmp_path, full()) as github:
            assert ask(github, route, f"j{number}").status_code < 400
    with FakeGitHub(tmp_path, full()) as github:
        refused = [ask(github, route, f"below{number}") for number in range(len(below))]
        refused += [] if route.needs == ("metadata=read",) else [ask(github, route, "others")]
    for answer in refused:
        assert answer.status_code == 403
        assert answer.headers["X-Accepted-GitHub-Permissions"] == "; ".join(route.needs)


def written(need: str) -> str:
    return need.replace("=", ": ")


# What is wrong about a request or an answer


def test_a_request_github_does_not_describe_fails_the_test(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text("permissions: {pull-requests: write}\njobs: {a: {}}", encoding="utf-8")
    headers = {"Authorization": "Bearer job-token", "User-Agent": "mlops-ci/1 (x.yml; a)"}
    with FakeGitHub(tmp_path, full()) as github:
        root = f"{github.url}/repos/acme/ml"
        wrong = [
            CLIENT.post(f"{root}/issues/7/comments", headers=headers, json={"text": "x"}),
            CLIENT.post(f"{root}/issues/7/comments", headers=headers, json={"body": 7}),
            CLIENT.get(f"{root}/pulls?stat=open", headers=headers),
            CLIENT.get(f"{root}/pulls?per_page=many", headers=headers),
        ]
        assert [answer.status_code for answer in wrong] == [422] * 4
        assert CLIENT.get(f"{root}/no/such", headers=headers).status_code == 404
        assert CLIENT.get(f"{root}/pulls", headers=headers | {"User-Agent": "x"}).status_code == 403
        told = "\n".join(github.wrong)
        github.wrong.clear()
    for said in ("'body' is a required property", "7 is not of type 'string'", "query stat: no such parameter"):
        assert said in told
    assert "GET /no/such: the fake does not serve that" in told
    assert "no job of" in told


@pytest.mark.parametrize(
    ("pull", "said"),
    [
        (Pull(number=7, head_ref="x", head_sha=SHA, title=None), "GET /pulls/7: answer.title: None is not of type"),  # type: ignore[arg-type]
        (None, "the fake itself failed"),
    ],
)
def test_an_answer_github_would_not_give_fails_the_test(tmp_path: Path, pull: Pull, said: str) -> None:
    state = full()
    state.pulls[7] = pull
    route = next(each for each in ROUTES if each.template == "/pulls/{pull_number}")
    github = FakeGitHub(tmp_path, state)
    github.__enter__()
    with contextlib.suppress(httpx.HTTPError):
        ask(github, route, "a", "person-token")
    with pytest.raises(AssertionError, match=said):
        github.__exit__(None)


def test_the_description_holds_every_route_and_nothing_beside() -> None:
    described = {
        (method.upper(), path.removeprefix(contract.ROOT))
        for path, operations in contract.description()["paths"].items()
        for method in operations
    }
    assert described == {(route.method, route.template) for route in ROUTES}


# git


def clone(fake: FakeGitHub, into: Path, job: str, *, token: str = "job-token") -> Path:
    """A clone whose git says which job it works for."""
    helpers.git(into.parent, "clone", "--quiet", *settings(job, token), fake.git_url, str(into))
    return into


def settings(job: str, token: str) -> tuple[str, ...]:
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    header = f"http.extraHeader=Authorization: Basic {basic}"
    return ("-c", header, "-c", f"http.userAgent=git/2 mlops-ci/1 (mlops-record.yml; {job})")


def push(work: Path, refspec: str, job: str, *, token: str = "job-token") -> str:
    """What git says of a push; empty where it went through."""
    command = ["git", *settings(job, token), "push", "--quiet", "origin", refspec]
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (not done.stderr)
    return done.stderr


def test_a_job_that_may_write_pushes_and_the_api_sees_it(fake: FakeGitHub, bare: Path, tmp_path: Path) -> None:
    work = clone(fake, tmp_path / "work", "post")
    fake.state.pulls[7] = Pull(number=7, head_ref="mlops-reports", head_sha=SHA)
    commit = helpers.commit(work, {"report.md": "x" * 3_000_000, "big": os.urandom(2_000_000)}, "report")
    assert push(work, "HEAD:refs/heads/mlops-reports", "post") == ""
    assert helpers.git(bare, "rev-parse", "mlops-reports") == commit
    assert fake.state.branches["mlops-reports"].sha == commit
    assert fake.state.pulls[7].head_sha == commit
    jobs = {each.job for each in fake.asked("POST", "/git/.*")}
    assert jobs == {"mlops-record.yml: post"}


def test_a_job_that_may_read_does_not_push(fake: FakeGitHub, tmp_path: Path) -> None:
    work = clone(fake, tmp_path / "work", "judge")
    helpers.commit(work, {"report.md": "x"}, "report")
    assert "Write access to repository not granted" in push(work, "HEAD:refs/heads/new", "judge")
    assert "Write access to repository not granted" in push(work, "HEAD:refs/heads/new", "post", token="fork-token")
    assert "new" not in fake.state.branches


@pytest.mark.parametrize(("job", "token"), [("none", "job-token"), ("post", "expired")])
def test_a_job_without_the_right_does_not_clone(fake: FakeGitHub, tmp_path: Path, job: str, token: str) -> None:
    with pytest.raises(AssertionError, match=r"Repository not found|Authentication failed|could not read Username"):
        clone(fake, tmp_path / "work", job, token=token)


def test_a_job_changes_no_workflow(fake: FakeGitHub, tmp_path: Path) -> None:
    work = clone(fake, tmp_path / "work", "post")
    helpers.commit(work, {".github/workflows/x.yml": "on: push"}, "workflow")
    helpers.commit(work, {"README": "y"}, "on top")
    said = push(work, "HEAD:refs/heads/new", "post")
    assert "refusing to allow a GitHub App to create or update workflow `.github/workflows/x.yml`" in said
    assert "without `workflows` permission" in said
    assert "new" not in fake.state.branches
    assert push(work, "HEAD:refs/heads/new", "post", token="person-token") == ""
    helpers.commit(work, {"README": "z"}, "nothing about workflows")
    assert push(work, "HEAD:refs/heads/new", "post") == ""


def test_a_protected_branch_takes_no_push(fake: FakeGitHub, tmp_path: Path) -> None:
    work = clone(fake, tmp_path / "work", "post")
    fake.state.branches["main"].protected = True
    helpers.commit(work, {"README": "y"}, "change")
    assert "GH006: Protected branch update failed for refs/heads/main" in push(work, "HEAD:refs/heads/main", "post")
    assert push(work, "HEAD:refs/heads/mlops-reports", "post") == ""


def test_the_user_agent_of_the_client_serves_git_too(
    fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in fake.environment("mlops-record.yml", "judge").items():
        monkeypatch.setenv(name, value)
    helpers.git(
        tmp_path,
        *("clone", "--quiet", "-c", f"http.userAgent={access.user_agent()}"),
        fake.git_url.replace("://", "://x-access-token:job-token@"),
        "work",
    )
    assert (tmp_path / "work/README").exists()


# As a process


def test_it_runs_as_a_process_and_keeps_its_state(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text("permissions: {pull-requests: write}\njobs: {a: {}}", encoding="utf-8")
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "state.json").write_bytes(msgspec.json.encode(full()))
    for expected in (["x", "x"], ["x", "x", "x"]):
        command = [sys.executable, "-m", "tests.github.fake", "--state", str(folder), "--workflows", str(tmp_path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
        assert process.stdout
        url = process.stdout.readline().strip()
        headers = {"Authorization": "Bearer job-token", "User-Agent": "mlops-ci/1 (x.yml; a)"}
        made = CLIENT.post(f"{url}/repos/acme/ml/issues/7/comments", headers=headers, json={"body": "x"})
        process.send_signal(signal.SIGTERM)
        assert (made.status_code, process.wait(10)) == (201, 0)
        kept = msgspec.json.decode((folder / "state.json").read_bytes(), type=State)
        assert [each.body for each in kept.comments.values()] == expected
        assert [each["job"] for each in json.loads((folder / "requests.json").read_text("utf-8"))] == ["x.yml: a"]
