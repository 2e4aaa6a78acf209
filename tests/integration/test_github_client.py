"""The client against a GitHub with state, whose requests and answers are held to GitHub's own description."""

from __future__ import annotations

import functools
import hashlib
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from mlops_ci.edge import http, patience
from mlops_ci.edge.github import access, transport
from mlops_ci.edge.github.client import GitHub
from mlops_ci.edge.github.errors import GitHubError
from mlops_ci.edge.github.values import Artifact as ReadArtifact
from mlops_ci.edge.received import Received
from mlops_ci.errors import ExitCode, OutsideError, UsageError
from tests.github.fake import FakeGitHub
from tests.github.state import BOT, Artifact, Branch, Comment, Pull, Review, Run

SHA, OTHER = "a" * 40, "b" * 40
TIME = "2026-01-01T00:00:00Z"
WORKFLOW = """\
name: mlops record
on: workflow_run
permissions: {}
jobs:
  post:
    permissions:
      actions: read
      contents: read
      pull-requests: write
      statuses: write
  judge:
    permissions:
      actions: read
"""
Ask = Callable[[GitHub], object]
CONTEXT = functools.cache(ssl.create_default_context)


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def __call__(self) -> float:
        return 1_800_000_000 + sum(self.slept)


@pytest.fixture(autouse=True)
def certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read once: it takes longer than most of these tests."""
    monkeypatch.setattr(ssl, "create_default_context", CONTEXT)


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    (tmp_path / "mlops-record.yml").write_text(WORKFLOW, encoding="utf-8")
    with FakeGitHub(tmp_path) as github:
        state = github.state
        state.pulls[7] = Pull(number=7, head_ref="feature", head_sha=SHA, title="Deeper trees")
        state.pulls[8] = Pull(number=8, head_ref="other", head_sha=OTHER, head_repository=None, login=None)
        state.runs[5] = Run(id=5, head_sha=SHA)
        state.artifacts[6] = Artifact(id=6, run=5, name="mlops-run", content=b"PK" + bytes(range(256)) * 40)
        state.branches = {"main": Branch(sha=OTHER, protected=True, contexts=["mlops / gate"]), "feature": Branch()}
        yield github


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connect(fake: FakeGitHub, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Callable[..., GitHub]:
    def as_whom(job: str = "post", *, token: str = "job-token") -> GitHub:
        for name, value in fake.environment("mlops-record.yml", job, token=token).items():
            monkeypatch.setenv(name, value)
        by = access.from_environment()
        return GitHub(by, transport.Transport(by, patience.Time(clock.sleep, clock, clock)))

    return as_whom


@pytest.fixture
def github(connect: Callable[..., GitHub]) -> GitHub:
    return connect()


def refusal(ask: Callable[[], object]) -> GitHubError:
    with pytest.raises(GitHubError) as raised:
        ask()
    assert raised.value.exit_code is ExitCode.OUTSIDE
    assert "job-token" not in f"{raised.value} {raised.value!r}"
    return raised.value


# What is read


def test_a_run_its_neighbours_and_what_they_left(fake: FakeGitHub, github: GitHub) -> None:
    fake.state.runs[9] = Run(id=9, head_sha=SHA, head_repository=None, conclusion=None, status="in_progress")
    fake.state.runs[10] = Run(id=10, head_sha=OTHER)
    run = github.run(5)
    assert (run.path, run.event, run.head_sha, run.head_branch) == (
        ".github/workflows/mlops-check.yml",
        "pull_request",
        SHA,
        "feature",
    )
    assert (run.repository, github.run(9).repository, github.run(9).conclusion) == ("acme/ml", None, None)
    assert [each.id for each in github.runs(head_sha=SHA, workflow="mlops-check.yml")] == [9, 5]
    [artifact] = github.artifacts(5)
    content = fake.state.artifacts[6].content
    assert (artifact.name, artifact.size_in_bytes, artifact.expired) == ("mlops-run", len(content), False)
    assert artifact.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_pull_requests_by_number_branch_and_commit(fake: FakeGitHub, github: GitHub) -> None:
    pull = github.pull(7)
    assert (pull.state, pull.title, pull.login, pull.merged) == ("open", "Deeper trees", "ada", False)
    assert (pull.base.ref, pull.head.ref, pull.head.sha, pull.head.repository) == ("main", "feature", SHA, "acme/ml")
    gone = github.pull(8)
    assert (gone.head.repository, gone.login) == (None, "ghost")
    assert [each.number for each in github.pulls(head="feature", base="main")] == [7]
    assert github.pulls(head="feature", base="dev") == []
    assert github.pulls(head="eve:feature") == []
    assert [each.number for each in github.pulls()] == [8, 7]
    assert [each.number for each in github.pulls_of(SHA)] == [7]
    fake.state.pulls[7].state, fake.state.pulls[7].merged_at = "closed", TIME
    assert github.pull(7).merged
    assert [each.number for each in github.pulls()] == [8]


def test_reviews_and_who_may_approve(fake: FakeGitHub, github: GitHub) -> None:
    for number, (login, verdict) in enumerate({"bob": "APPROVED", "eve": "COMMENTED"}.items()):
        fake.state.reviews.append(Review(id=number, number=7, login=login, state=verdict, commit_id=SHA))
    fake.state.permissions["bob"] = "write"
    seen = [(each.login, each.state, each.commit_id) for each in github.reviews(7)]
    assert seen == [("bob", "APPROVED", SHA), ("eve", "COMMENTED", SHA)]
    assert [github.permission(login) for login in ("bob", "eve")] == ["write", "none"]


def test_how_the_repository_is_set_up(fake: FakeGitHub, connect: Callable[..., GitHub]) -> None:
    checks = [{"context": "mlops / gate", "integration_id": 15368}]
    parameters = {"required_status_checks": checks, "strict_required_status_checks_policy": True}
    fake.state.rules["main"] = [
        {"type": "deletion"},
        {"type": "required_status_checks", "parameters": parameters, "ruleset_id": 1},
    ]
    fake.state.codeowners_errors = [
        {"line": 3, "column": 1, "kind": "Unknown owner", "source": "* @nobody", "message": "x", "path": "CODEOWNERS"}
    ]
    fake.state.secrets = ["AWS_KEY", "DVC_REMOTE"]
    fake.state.environments = [environment("staging"), environment("production", reviewers=2)]
    desk = connect(token="person-token")
    facts = desk.repository_facts()
    assert (facts.private, facts.visibility, facts.default_branch, facts.owner_type, facts.archived) == (
        *(True, "private", "main", "Organization"),
        False,
    )
    branch = desk.branch("main")
    assert (branch.sha, branch.protected, branch.required_contexts) == (OTHER, True, ("mlops / gate",))
    assert desk.branch("feature").required_contexts == ()
    assert [(rule.type, rule.required_contexts) for rule in desk.rules("main")] == [
        ("deletion", ()),
        ("required_status_checks", ("mlops / gate",)),
    ]
    assert [(each.line, each.kind) for each in desk.codeowners_errors()] == [(3, "Unknown owner")]
    assert [(each.name, each.reviewers) for each in desk.environments()] == [("staging", 0), ("production", 2)]
    assert desk.secret_names() == ["AWS_KEY", "DVC_REMOTE"]
    assert (desk.actions_permissions().enabled, desk.actions_permissions().sha_pinning_required) == (True, False)
    allowed = desk.workflow_permissions()
    assert (allowed.default_workflow_permissions, allowed.can_approve_pull_request_reviews) == ("read", False)


def test_what_only_administrators_and_files_tell(fake: FakeGitHub, connect: Callable[..., GitHub]) -> None:
    desk = connect(token="person-token")
    assert (desk.branch("main").is_classic, desk.branch("feature").is_classic) == (True, False)
    assert (desk.protection("main").is_strict, desk.protection("main").asks_owners) == (False, False)
    fake.state.branches["main"] = Branch(protected=True, contexts=["x"], strict=True, asks_owners=True)
    assert (desk.protection("main").is_strict, desk.protection("main").asks_owners) == (True, True)
    assert refusal(lambda: desk.protection("feature")).status == 404
    fake.state.files = {".github/CODEOWNERS": "* @ada é\n", ".github/workflows/x y.yml": "on: push\n"}
    assert desk.file(".github/CODEOWNERS").text == "* @ada é\n"
    assert [(each.name, each.sha) for each in desk.folder(".github/workflows")] == [
        ("x y.yml", "b83836ed8c80558d4e40ea4ac5d69f4405334799")
    ]
    assert refusal(lambda: desk.file("CODEOWNERS")).status == 404
    fake.state.secrets, fake.state.organization_secrets = ["A"], ["B"]
    fake.state.environments, fake.state.environment_secrets = [environment("mlops")], {"mlops": ["C"]}
    assert desk.secret_names() + desk.organization_secret_names() == ["A", "B"]
    assert desk.environment_secret_names("mlops") == ["C"]


def test_a_plan_that_lacks_rules_is_known_from_a_right_that_lacks(fake: FakeGitHub, github: GitHub) -> None:
    assert not refusal(lambda: github.protection("main")).needs_plan
    fake.state.protects_private = False
    assert refusal(lambda: github.rules("main")).needs_plan
    fake.state.private = False
    assert github.rules("main") == []


def environment(name: str, *, reviewers: int = 0) -> dict[str, object]:
    user = {"login": "bob", "id": 1}
    rule = {"id": 1, "node_id": "x", "type": "required_reviewers", "prevent_self_review": True}
    rules = [rule | {"reviewers": [{"type": "User", "reviewer": user}] * reviewers}] if reviewers else []
    address = "https://github.com/acme/ml"
    times = {"created_at": TIME, "updated_at": TIME}
    return {
        "id": 1,
        "node_id": "x",
        "name": name,
        "url": address,
        "html_url": address,
        "protection_rules": rules,
        **times,
    }


# What is written


def test_a_comment_is_made_changed_and_removed(fake: FakeGitHub, github: GitHub) -> None:
    made = github.create_comment(7, "one")
    assert github.update_comment(made.id, "two").body == "two"
    assert [(each.id, each.body, each.login) for each in github.comments(7)] == [(made.id, "two", BOT)]
    github.delete_comment(made.id)
    assert fake.state.comments == {}
    github.delete_comment(made.id)  # gone already


def test_a_status_is_set(fake: FakeGitHub, github: GitHub) -> None:
    github.set_status(SHA, "pending", context="mlops / gate", description="running")
    github.set_status(SHA, "success", context="mlops / gate", description="passed", target_url="https://example.org")
    newest, oldest = github.statuses(SHA)
    assert (newest.state, newest.context, newest.login, newest.target_url) == (
        *("success", "mlops / gate"),
        *(BOT, "https://example.org"),
    )
    assert (oldest.state, oldest.description, oldest.target_url) == ("pending", "running", None)
    assert github.statuses(OTHER) == []


def test_a_pull_request_is_opened_where_the_repository_lets_actions_do_so(fake: FakeGitHub, github: GitHub) -> None:
    def create() -> int:
        return github.create_pull(head="feature", base="main", title="Promote v12", body="to production").number

    del fake.state.pulls[7]
    error = refusal(create)
    assert error.needed == ""
    assert "Settings > Actions" in error.advice
    fake.state.actions_may_open_pulls = True
    assert create() == 9
    assert (fake.state.pulls[9].title, fake.state.pulls[9].login) == ("Promote v12", BOT)
    assert "A pull request already exists" in refusal(create).message


# Pages


def test_a_list_is_read_to_its_last_page(fake: FakeGitHub, github: GitHub) -> None:
    for number in range(250):
        fake.state.comments[number] = Comment(id=number, number=7, body=f"{number}", created_at=TIME)
    assert [each.id for each in github.comments(7)] == list(range(250))
    asked = [each.query for each in fake.asked("GET")]
    assert asked == [{"per_page": "100"}, {"per_page": "100", "page": "2"}, {"per_page": "100", "page": "3"}]


def test_what_is_searched_for_is_kept_over_pages(fake: FakeGitHub, github: GitHub) -> None:
    for number in range(150):
        sha = SHA if number % 50 else OTHER
        fake.state.runs[number] = Run(id=number, head_sha=sha)
    found = github.runs(head_sha=SHA, workflow="mlops-check.yml")
    assert len(found) == 147
    assert {each.head_sha for each in found} == {SHA}


def test_a_list_without_end_is_an_error_and_not_a_part(
    fake: FakeGitHub, github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_MOST_PAGES", 2)
    for number in range(201):
        fake.state.comments[number] = Comment(id=number, number=7, body="x", created_at=TIME)
    assert "more than 2 pages" in refusal(lambda: github.comments(7)).message


@pytest.mark.parametrize(
    "address", ["https://evil.example/page2", "http://[", "//evil.example/x", "http://127.0.0.1:1"]
)
def test_the_next_page_is_not_fetched_from_another_host(fake: FakeGitHub, github: GitHub, address: str) -> None:
    fake.fail("GET", "/issues/7/comments", status=200, body=[], headers={"Link": f'<{address}>; rel="next"'})
    assert "not understood" in refusal(lambda: github.comments(7)).message
    assert len(fake.requests) == 1


# Trying again

SAFE: dict[str, tuple[str, str, Ask]] = {
    "read": ("GET", "/pulls/7", lambda github: github.pull(7)),
    "change": ("PATCH", "/issues/comments/3", lambda github: github.update_comment(3, "new")),
    "remove": ("DELETE", "/issues/comments/3", lambda github: github.delete_comment(3)),
    "status": (
        *("POST", f"/statuses/{SHA}"),
        lambda github: github.set_status(SHA, "success", context="mlops / gate", description="passed"),
    ),
}
UNSAFE: dict[str, tuple[str, str, Ask]] = {
    "comment": ("POST", "/issues/7/comments", lambda github: github.create_comment(7, "one")),
    "pull request": (
        *("POST", "/pulls"),
        lambda github: github.create_pull(head="feature", base="main", title="x", body=""),
    ),
}
FAULTS: dict[str, dict[str, object]] = {
    "500": {"status": 500},
    "502": {"status": 502},
    "503": {"status": 503},
    "closed": {"closed": True},
    "lost": {"lost": True},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("what", SAFE)
def test_what_is_safe_is_tried_again(fake: FakeGitHub, github: GitHub, clock: Clock, what: str, fault: str) -> None:
    fake.state.comments[3] = Comment(id=3, number=7, body="old", created_at=TIME)
    method, path, ask = SAFE[what]
    fake.fail(method, path, times=2, **FAULTS[fault])
    ask(github)
    assert len(fake.asked(method, path)) == 3
    assert clock.slept == [1, 2]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("what", UNSAFE)
def test_what_may_have_been_done_is_not_done_twice(
    fake: FakeGitHub, github: GitHub, clock: Clock, what: str, fault: str
) -> None:
    fake.state.pulls.pop(7) if what == "pull request" else None
    fake.state.actions_may_open_pulls = True
    method, path, ask = UNSAFE[what]
    fake.fail(method, path, **FAULTS[fault])
    error = refusal(lambda: ask(github))
    assert error.status == FAULTS[fault].get("status", 0)
    assert len(fake.asked(method, path)) == 1
    assert clock.slept == []


@pytest.mark.parametrize(("fault", "status"), [("502", 502), ("closed", 0)])
def test_it_gives_up_after_five_tries(fake: FakeGitHub, github: GitHub, clock: Clock, fault: str, status: int) -> None:
    fake.fail("GET", "/pulls/7", times=99, **FAULTS[fault])
    assert refusal(lambda: github.pull(7)).status == status
    assert len(fake.requests) == 5
    assert clock.slept == [1, 2, 4, 8]


@pytest.mark.parametrize("what", [*SAFE, *UNSAFE])
def test_a_request_that_was_never_sent_is_tried_again(
    connect: Callable[..., GitHub], monkeypatch: pytest.MonkeyPatch, clock: Clock, what: str
) -> None:
    connect()
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")  # nobody listens
    by = access.from_environment()
    github = GitHub(by, transport.Transport(by, patience.Time(clock.sleep, clock, clock)))
    error = refusal(lambda: (SAFE | UNSAFE)[what][2](github))
    assert "could not be asked" in error.message
    assert clock.slept == [1, 2, 4, 8]


def test_a_command_at_a_desk_gives_up_soon(connect: Callable[..., GitHub], clock: Clock) -> None:
    connect()
    by = msgspec.structs.replace(access.from_environment(), api="http://127.0.0.1:9")
    github = GitHub(by, transport.Transport(by, patience.Time(clock.sleep, clock, clock), seconds=5))
    assert "could not be asked" in refusal(github.repository_facts).message
    assert clock.slept == [1, 2]


LIMITS: dict[str, dict[str, object]] = {
    "retry-after": {"status": 429, "headers": {"Retry-After": "3"}},
    "secondary": {
        "status": 403,
        "message": "You have exceeded a secondary rate limit.",
        "headers": {"Retry-After": "3"},
    },
    "reset": {"status": 403, "headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1800000002"}},
}


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("what", [*SAFE, "comment"])
def test_a_short_rate_limit_is_waited_for(
    fake: FakeGitHub, github: GitHub, clock: Clock, what: str, limit: str
) -> None:
    fake.state.comments[3] = Comment(id=3, number=7, body="old", created_at=TIME)
    method, path, ask = (SAFE | UNSAFE)[what]
    fake.fail(method, path, **LIMITS[limit])
    ask(github)
    assert len(fake.asked(method, path)) == 2
    assert clock.slept == [3]


@pytest.mark.parametrize(
    ("headers", "minutes"),
    [
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1800001799"}, 30),
        ({"Retry-After": "600"}, 10),
        ({"Retry-After": "Fri, 31 Dec 2027 23:59:59 GMT"}, 1),
        ({"Retry-After": "9" * 400}, 1),
        ({}, 1),
    ],
)
def test_a_long_rate_limit_says_when_to_come_back(
    fake: FakeGitHub, github: GitHub, clock: Clock, headers: dict[str, str], minutes: int
) -> None:
    message = "You have exceeded a secondary rate limit. Please wait"
    fake.fail("GET", "/pulls/7", status=403, message=message, headers=headers)
    error = refusal(lambda: github.pull(7))
    assert error.advice == f"Run the command again in {minutes} min."
    assert message in error.message
    assert (len(fake.requests), clock.slept) == (1, [])


def test_all_tries_together_take_less_than_a_minute(fake: FakeGitHub, github: GitHub, clock: Clock) -> None:
    fake.fail("GET", "/pulls/7", times=99, status=429, headers={"Retry-After": "12"})
    assert "rate limit" in refusal(lambda: github.pull(7)).message
    assert clock.slept == [12, 12, 12]


def test_a_slow_answer_is_not_waited_for(
    fake: FakeGitHub, connect: Callable[..., GitHub], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_ONE", 0.2)
    fake.fail("GET", "/pulls/7", seconds=1)
    assert connect().pull(7).number == 7
    assert len(fake.requests) == 2


def test_an_answer_without_end_is_not_read(fake: FakeGitHub, github: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", 10_000)
    fake.fail("GET", "/pulls/7", status=200, body={"title": "x" * 20_000})
    assert "more than 10,000 bytes" in refusal(lambda: github.pull(7)).message
    assert len(fake.requests) == 1


# Refusals


def test_a_missing_permission_is_named_as_the_workflow_file_writes_it(
    fake: FakeGitHub, connect: Callable[..., GitHub]
) -> None:
    error = refusal(lambda: connect("judge").create_comment(7, "one"))
    assert (error.status, error.method, error.path) == (403, "POST", "/repos/acme/ml/issues/7/comments")
    assert error.said == "Resource not accessible by integration"
    assert error.needed == "`issues: write` or `pull-requests: write`"
    assert error.advice.startswith("Add `issues: write` or `pull-requests: write` to `permissions:` of this job")
    assert fake.state.comments == {}


def test_a_token_of_a_fork_only_reads(fake: FakeGitHub, connect: Callable[..., GitHub]) -> None:
    fork = connect(token="fork-token")
    assert fork.pull(7).number == 7
    error = refusal(lambda: fork.set_status(SHA, "success", context="mlops / gate", description="passed"))
    assert (error.status, error.needed) == (403, "`statuses: write`")
    assert "Runs for forks and for Dependabot can only read" in error.advice


def test_what_no_job_may_see_is_for_a_person(connect: Callable[..., GitHub]) -> None:
    error = refusal(connect().secret_names)
    assert error.advice.startswith("No job's token may do that: it takes a token of a person or an app with")
    assert "`secrets: read`" in error.advice


def test_a_person_is_told_what_the_token_at_the_desk_lacks(fake: FakeGitHub, connect: Callable[..., GitHub]) -> None:
    said = "Resource not accessible by personal access token"
    accepted = {"X-Accepted-GitHub-Permissions": "contents=read,administration=read; metadata=read"}
    fake.fail("GET", "/branches/main", status=403, message=said, headers=accepted)
    error = refusal(lambda: connect(token="person-token").branch("main"))
    assert error.needed == "`contents: read` and `administration: read` or `metadata: read`"
    assert error.advice == f"Give the token {error.needed} in its settings on GitHub, or use one that has it."


def test_what_is_not_there(github: GitHub) -> None:
    error = refusal(lambda: github.pull(99))
    assert str(error) == (
        "GitHub refused GET /repos/acme/ml/pulls/99 (404): Not Found\n"
        "Does it exist, and is GITHUB_REPOSITORY right? GitHub says 404 also of what a token may not see. "
        "It takes `pull-requests: read`."
    )


def test_a_wrong_token(connect: Callable[..., GitHub]) -> None:
    error = refusal(lambda: connect(token="expired").pull(7))
    assert (error.status, error.said) == (401, "Bad credentials")
    assert "expired" in error.advice


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda github: github.create_comment(7, "x" * 65_537), "Body is too long (maximum is 65536 characters)"),
        (
            lambda github: github.set_status(SHA, "success", context="c", description="x" * 141),
            "Description is too long (maximum is 140 characters)",
        ),
    ],
)
def test_what_is_too_long_is_refused_with_githubs_words(github: GitHub, ask: Ask, said: str) -> None:
    error = refusal(lambda: ask(github))
    assert (error.status, error.said) == (422, f"Validation Failed; {said}")


def test_a_comment_may_have_as_many_characters_as_github_takes(fake: FakeGitHub, github: GitHub) -> None:
    github.create_comment(7, "ä" * 65_536)
    assert [len(each.body) for each in github.comments(7)] == [65_536]


def test_a_repository_that_moved(fake: FakeGitHub, github: GitHub) -> None:
    fake.fail("GET", "/pulls/7", status=301, message="Moved Permanently", headers={"Location": "https://evil.example"})
    error = refusal(lambda: github.pull(7))
    assert (error.status, error.advice) == (
        301,
        "The repository was renamed or moved: use its new name in GITHUB_REPOSITORY.",
    )
    assert len(fake.requests) == 1


# Artifacts


def test_an_artifact_arrives_whole_and_its_host_sees_no_token(fake: FakeGitHub, github: GitHub, tmp_path: Path) -> None:
    [artifact] = github.artifacts(5)
    github.download(artifact, tmp_path / "run.zip", limit=artifact.size_in_bytes)
    assert (tmp_path / "run.zip").read_bytes() == fake.state.artifacts[6].content
    [fetched] = fake.asked("GET", "/storage/.*")
    assert "authorization" not in fetched.headers
    assert "job-token" not in str(fetched.headers)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_download_begins_anew(
    fake: FakeGitHub, github: GitHub, clock: Clock, tmp_path: Path, fault: str
) -> None:
    fake.fail("GET", "/storage/6", times=2, **FAULTS[fault])
    github.download(github.artifacts(5)[0], tmp_path / "run.zip", limit=100_000)
    assert (tmp_path / "run.zip").read_bytes() == fake.state.artifacts[6].content
    assert len(fake.asked("GET", "/actions/artifacts/6/zip")) == 3
    assert clock.slept == [1, 2]


def test_a_download_cut_short_begins_anew(fake: FakeGitHub, github: GitHub, tmp_path: Path) -> None:
    fake.fail("GET", "/storage/6", cut=True)
    github.download(github.artifacts(5)[0], tmp_path / "run.zip", limit=100_000)
    assert (tmp_path / "run.zip").read_bytes() == fake.state.artifacts[6].content


def changed(artifact: ReadArtifact, **what: object) -> ReadArtifact:
    return msgspec.structs.replace(artifact, **what)


@pytest.mark.parametrize(
    ("what", "limit", "said", "fetched"),
    [
        ({}, 100, "the artifact 'mlops-run' has more than 100 bytes", 0),
        ({"size_in_bytes": 1}, 100, "the artifact 'mlops-run' has more than 100 bytes", 1),
        ({"expired": True}, 100_000, "the artifact 'mlops-run' has expired", 0),
        ({"digest": f"sha256:{'0' * 64}"}, 100_000, "the artifact 'mlops-run' arrived with another digest", 1),
    ],
)
def test_an_artifact_that_is_not_as_it_should_be_leaves_no_file(
    fake: FakeGitHub, github: GitHub, tmp_path: Path, *, what: dict[str, object], limit: int, said: str, fetched: int
) -> None:
    artifact = changed(github.artifacts(5)[0], **what)
    with pytest.raises(OutsideError, match=said):
        github.download(artifact, tmp_path / "run.zip", limit=limit)
    assert not (tmp_path / "run.zip").exists()
    assert len(fake.asked("GET", "/storage/.*")) == fetched


def test_a_size_that_lies_is_cut_off_while_it_arrives(
    fake: FakeGitHub, github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 32 MB behind a size of one byte no more is read than tells that it is too much."""
    fake.state.artifacts[6].content = bytes(32 << 20)
    arrived: list[int] = []
    add = Received.add

    def counted(self: Received, part: bytes) -> None:
        arrived.append(len(part))
        add(self, part)

    monkeypatch.setattr(Received, "add", counted)
    artifact = changed(github.artifacts(5)[0], size_in_bytes=1, digest=None)
    with pytest.raises(OutsideError, match="has more than 1,000,000 bytes"):
        github.download(artifact, tmp_path / "run.zip", limit=1_000_000)
    assert 1_000_000 < sum(arrived) < 4_000_000
    assert not (tmp_path / "run.zip").exists()


def test_a_refused_download_does_not_tell_the_signed_address(fake: FakeGitHub, github: GitHub, tmp_path: Path) -> None:
    fake.fail("GET", "/storage/6", status=403)
    error = refusal(lambda: github.download(github.artifacts(5)[0], tmp_path / "run.zip", limit=100_000))
    assert "the storage behind it says 403" in error.message
    assert "sig=" not in str(error)
    assert not (tmp_path / "run.zip").exists()


@pytest.mark.parametrize("location", ["", "ftp://evil.example/x", "/relative", "file:///etc/passwd", "https://"])
def test_a_download_is_fetched_from_a_web_address_only(
    fake: FakeGitHub, github: GitHub, tmp_path: Path, location: str
) -> None:
    fake.fail("GET", "/actions/artifacts/6/zip", status=302, headers={"Location": location})
    error = refusal(lambda: github.download(github.artifacts(5)[0], tmp_path / "run.zip", limit=100_000))
    assert "not understood" in error.message


def test_a_download_is_encrypted_where_the_api_is(
    fake: FakeGitHub, github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access.Access, "is_loopback", False)
    error = refusal(lambda: github.download(github.artifacts(5)[0], tmp_path / "run.zip", limit=100_000))
    assert "it is not redirected to an https address" in error.message
    assert fake.asked("GET", "/storage/.*") == []


# What others wrote

HOSTILE = "\x1b[31m`$(id)` <img src=x> @all\n## passed \u202e ä 🙂 \"'"


def test_hostile_texts_are_data(fake: FakeGitHub, github: GitHub) -> None:
    pull = fake.state.pulls[7]
    pull.title, pull.head_ref, pull.login = HOSTILE, "x';DROP--${{a}}", "eve"
    seen = github.pull(7)
    assert (seen.title, seen.head.ref) == (HOSTILE, "x';DROP--${{a}}")
    made = github.create_comment(7, HOSTILE)
    assert made.body == HOSTILE
    assert fake.state.comments[made.id].body == HOSTILE


@pytest.mark.parametrize("name", ["feature/a b", "a%2Fb", "x?per_page=1#y", "ü-🙂", "a/../b", ".github", "..%2f.."])
def test_any_branch_name_is_asked_for_as_it_is(fake: FakeGitHub, github: GitHub, name: str) -> None:
    fake.state.branches[name] = Branch(sha=SHA)
    assert (github.branch(name).name, github.branch(name).sha) == (name, SHA)


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_would_lead_elsewhere_is_refused(fake: FakeGitHub, github: GitHub, name: str) -> None:
    with pytest.raises(UsageError):
        github.permission(name)
    assert fake.requests == []


def test_a_refusal_shows_nothing_that_moves_the_cursor(fake: FakeGitHub, github: GitHub) -> None:
    fake.fail("GET", "/pulls/7", status=403, message=HOSTILE + "x" * 1_000)
    text = str(refusal(lambda: github.pull(7)))
    assert not any(sign in text for sign in "\x1b\r\u202e")
    assert text.count("\n") == 1
    assert len(text) < 600


@pytest.mark.parametrize(
    "body",
    [
        *({}, [], None, "text", {"number": 7}),
        {"number": "7"},
        {"title": "x" * 5_000},
        {"head": {"ref": "main", "sha": "main", "repo": None}},
    ],
)
def test_an_answer_of_another_form_is_not_understood(fake: FakeGitHub, github: GitHub, body: object) -> None:
    if isinstance(body, dict) and body.keys() & {"title", "head"}:
        good = {
            "number": 7,
            "state": "open",
            "title": "t",
            "user": None,
            "html_url": "x",
            "merged_at": None,
            **{side: {"ref": "main", "sha": SHA, "repo": None} for side in ("head", "base")},
        }
        body = good | body
    fake.fail("GET", "/pulls/7", status=200, body=body)
    error = refusal(lambda: github.pull(7))
    assert "not understood" in error.message
    assert len(str(error)) < 600


# Who asks


def test_it_says_who_asks_and_which_version_it_knows(fake: FakeGitHub, github: GitHub) -> None:
    github.pull(7)
    [request] = fake.requests
    assert request.job == "mlops-record.yml: post"
    assert request.headers["x-github-api-version"] == "2022-11-28"
    assert request.headers["user-agent"] == (
        "mlops-ci/0.1.0 (acme/ml/.github/workflows/mlops-record.yml@refs/heads/main; post)"
    )


@pytest.mark.parametrize("workflow", ["mlops record", "mlops \r\nX-Evil: 1\x1brécord; (post)"])
def test_the_name_of_a_workflow_is_no_way_into_a_header(
    fake: FakeGitHub, connect: Callable[..., GitHub], monkeypatch: pytest.MonkeyPatch, workflow: str
) -> None:
    connect()
    monkeypatch.delenv("GITHUB_WORKFLOW_REF")
    monkeypatch.setenv("GITHUB_WORKFLOW", workflow)
    (fake.workflows / "mlops-record.yml").write_text(
        WORKFLOW.replace("name: mlops record", 'name: "mlops X-Evil: 1récord; (post)"')
        if "Evil" in workflow
        else WORKFLOW,
        encoding="utf-8",
    )
    by = access.from_environment()
    assert by.user_agent.isascii()
    assert by.user_agent.isprintable()
    assert GitHub(by).pull(7).number == 7
    assert "x-evil" not in fake.requests[0].headers


def test_the_token_comes_from_the_environment_and_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/ml")
    monkeypatch.setenv("GH_TOKEN", "of-a-person")
    by = access.from_environment()
    assert (by.token, by.api, by.user_agent) == ("of-a-person", "https://api.github.com", "mlops-ci/0.1.0")
    assert "of-a-person" not in repr(by)
    monkeypatch.setenv("GITHUB_TOKEN", "of-a-job")
    assert access.from_environment("other/repo").token == "of-a-job"
    assert access.from_environment("other/repo").repository == "other/repo"
    monkeypatch.setenv("MLOPS_CI_TOKEN", "")  # a secret that is not there
    assert (access.given_token(), access.has_own_token()) == ("of-a-job", False)
    monkeypatch.setenv("MLOPS_CI_TOKEN", "of-its-own")
    assert (access.given_token(), access.has_own_token()) == ("of-its-own", True)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"GITHUB_TOKEN": ""}, "GITHUB_TOKEN and GH_TOKEN are not set"),
        ({"GITHUB_TOKEN": "", "GH_TOKEN": "x", "GITHUB_ACTIONS": "true"}, "GITHUB_TOKEN is not set"),
        ({"GITHUB_TOKEN": "a\nb"}, "signs no token has"),
        ({"GITHUB_REPOSITORY": ""}, "no repository on GitHub is named"),
        *(({"GITHUB_REPOSITORY": name}, "is not a repository on GitHub") for name in ("ml", "a/b/c", "a/..", "../b")),
        *(
            ({"GITHUB_API_URL": url}, "has to begin with https://")
            for url in ("http://api.github.com", "ftp://127.0.0.1", "api.github.com", "https://a:b@c.d", "https://a?b")
        ),
    ],
)
def test_settings_that_cannot_hold_are_named(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], said: str
) -> None:
    for name, value in {"GITHUB_TOKEN": "secret-token", "GITHUB_REPOSITORY": "acme/ml", **environment}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError) as raised:
        access.from_environment()
    assert said in raised.value.message
    assert "secret-token" not in str(raised.value)


@pytest.mark.parametrize(
    ("environment", "remote", "repository"),
    [
        ({}, "git@github.com:acme/ml.git", "acme/ml"),
        ({}, "https://ada:secret@github.com/acme/ml.mod/", "acme/ml.mod"),
        ({}, "https://gitlab.com/acme/ml.git", ""),
        ({}, "https://github.acme.example/acme/ml", ""),
        ({}, "../acme/ml", ""),
        ({}, "", ""),
        ({"GITHUB_REPOSITORY": "acme/other"}, "https://gitlab.com/acme/ml.git", "acme/other"),
        ({"GITHUB_API_URL": "https://github.acme.example/api/v3"}, "git@GitHub.acme.example:acme/ml.git", "acme/ml"),
        ({"GITHUB_API_URL": "https://github.acme.example/api/v3"}, "git@github.com:acme/ml.git", ""),
        ({"GITHUB_API_URL": "https://api.acme.ghe.com"}, "https://acme.ghe.com/acme/ml", "acme/ml"),
    ],
)
def test_the_repository_is_that_of_the_remote_where_it_is_on_the_github_asked(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], remote: str, repository: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert access.repository_named(remote) == repository


def test_httpx_is_loaded_when_github_is_asked_and_not_before() -> None:
    code = "import sys, mlops_ci.edge.github.client; print('httpcore' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
