"""doctor on GitHub: a repository that is set up well, and each thing that can be missing, against the fake GitHub."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.cli import main
from mlops_ci.steps import generated, health_on_github
from mlops_ci.steps.health import Condition, Finding
from mlops_ci.steps.project import open_project
from tests import helpers
from tests.github.fake import FakeGitHub
from tests.github.state import Branch, State

SETTINGS = """\
version: 1
project: churn
task: classification
data:
  sources: {customers: data/customers.csv}
  target: churned
  id: customer
  contract: data/contract.yaml
runner: {secrets: [DATA_KEY, WAREHOUSE]}
"""
OWNERS = """\
* @acme/ml
/.github/ @acme/ml
/.mlops-ci/ @acme/ml
"""
GATE = {"context": "mlops / gate", "integration_id": 15368}
TIME = "2026-01-01T00:00:00Z"
Golden = Callable[[str, str | bytes], None]
Change = Callable[[State], object]


def rule(kind: str, *, of: str = "acme/ml", **parameters: Any) -> dict[str, Any]:
    """A rule of a ruleset, as the API writes it. `of`: the repository or the organization."""
    level = "Repository" if "/" in of else "Organization"
    origin = {"ruleset_source_type": level, "ruleset_source": of, "ruleset_id": 1}
    return {"type": kind, **({"parameters": parameters} if parameters else {}), **origin}


def reviews(*, owners: bool) -> dict[str, Any]:
    switches = ("dismiss_stale_reviews_on_push", "require_last_push_approval", "required_review_thread_resolution")
    return rule(
        "pull_request",
        **dict.fromkeys(switches, False),
        required_approving_review_count=1,
        require_code_owner_review=owners,
    )


def checks(*names: str, strict: bool = True) -> dict[str, Any]:
    required = [{"context": name, "integration_id": 15368} for name in names]
    return rule("required_status_checks", required_status_checks=required, strict_required_status_checks_policy=strict)


def environment(*rules: dict[str, Any], name: str = "mlops") -> dict[str, Any]:
    address = "https://github.com/acme/ml"
    rest = {"url": address, "html_url": address, "created_at": TIME, "updated_at": TIME}
    return {"id": 1, "node_id": "x", "name": name, "protection_rules": list(rules), **rest}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with its generated workflows, cloned from github.com."""
    files = {"mlops.yaml": SETTINGS, ".github/CODEOWNERS": OWNERS, ".mlops-ci/tool.lock": "x --hash=sha256:0\n"}
    root = helpers.repo(tmp_path_factory.mktemp("doctor") / "churn", files)
    repository = open_project(root).repository
    generated.update(generated.look(repository), root=root, repository=repository)
    helpers.commit(root, {}, "workflows")
    helpers.git(root, "remote", "add", "origin", "git@github.com:acme/ml.git")
    return root


@pytest.fixture
def fake(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    """GitHub, set up as it should be, asked by an administrator at a desk."""
    workflows = project / ".github/workflows"
    with FakeGitHub(workflows, State(actions_may_open_pulls=True)) as github:
        state = github.state
        state.branches = {"main": Branch()}
        state.rules["main"] = [rule("deletion"), reviews(owners=True), checks("mlops / gate")]
        state.files = {f".github/workflows/{path.name}": path.read_text() for path in workflows.iterdir()}
        state.files[".github/CODEOWNERS"] = OWNERS
        state.secrets, state.organization_secrets = ["DATA_KEY"], ["WAREHOUSE"]
        desk(monkeypatch, github)
        yield github


def desk(monkeypatch: pytest.MonkeyPatch, github: FakeGitHub, token: str = "person-token") -> None:
    monkeypatch.setenv("GH_TOKEN", token)
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/ml")


def looked(project: Path) -> list[Finding]:
    return list(health_on_github.github(open_project(project)))


def told(project: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command says of GitHub: the last of its lines."""
    main(["-C", str(project), "doctor"])
    lines = capsys.readouterr().out.splitlines(keepends=True)
    return "".join(lines[[line[2:8] for line in lines].index("GitHub") :])


def test_where_all_is_well_nothing_is_to_be_mended(
    project: Path, fake: FakeGitHub, capsys: pytest.CaptureFixture[str], golden: Golden
) -> None:
    assert {each.condition for each in looked(project)} == {Condition.OK}
    assert not {each.method for each in fake.requests} - {"GET"}
    golden("doctor-on-github.txt", told(project, capsys))


def classic(**how: Any) -> Change:
    """Branch protection in place of the ruleset."""

    def change(state: State) -> None:
        state.branches["main"] = Branch(protected=True, **how)
        state.rules.clear()

    return change


def rules(*kinds: dict[str, Any], branch: str = "main") -> Change:
    return lambda state: state.rules.update({branch: list(kinds)})


def set_to(**values: Any) -> Change:
    return lambda state: [setattr(state, name, value) for name, value in values.items()]


def without(*gone: str) -> Change:
    return lambda state: [state.files.pop(path) for path in gone]


def written(path: str, text: str) -> Change:
    return lambda state: state.files.update({path: text})


GATED = {"contexts": ["mlops / gate"]}
CHECK, RECORD = ".github/workflows/mlops-check.yml", ".github/workflows/mlops-record.yml"
ERROR = {"line": 3, "column": 1, "kind": "Unknown owner", "source": "* @nobody", "message": "x", "path": "CODEOWNERS"}
WAIT = {"id": 1, "node_id": "x", "type": "required_reviewers", "prevent_self_review": False}
SOME = {"id": 1, "node_id": "x", "type": "branch_policy"}
BOB = {"type": "User", "reviewer": {"login": "bob", "id": 1}}

# What is changed -> name, condition, part of what is said, part of how it is mended.
CASES: dict[str, tuple[Change, str, str, str, str]] = {
    "unprotected": (rules(), "default branch", "missing", "not protected", "/acme/ml/settings/rules"),
    "only kept": (rules(rule("deletion")), "default branch", "missing", "not protected", "/settings/rules"),
    "no gate": (
        rules(reviews(owners=True), checks("tests")),
        "required status",
        "missing",
        "is not required",
        "/settings/rules",
    ),
    "no gate, classic": (
        classic(contexts=["x"], asks_owners=True),
        *("required status", "missing", "is not required", "/settings/branches"),
    ),
    "run too": (
        rules(reviews(owners=True), checks("mlops / gate", "mlops / run (churn)")),
        *("required status", "missing", "`mlops / run (churn)` required", "/settings/rules"),
    ),
    "behind": (
        rules(reviews(owners=True), checks("mlops / gate", strict=False)),
        "up to date",
        "note",
        "need not be",
        "/settings/rules",
    ),
    "behind, classic": (classic(**GATED, asks_owners=True), "up to date", "note", "need not be", "/settings/branches"),
    "reports ruled": (
        rules(rule("deletion"), reviews(owners=False), branch="mlops-reports"),
        *(
            "mlops-reports",
            "missing",
            "a ruleset holds for it (pull_request): the bot cannot",
            "/acme/ml/settings/rules",
        ),
    ),
    "reports ruled by the organization": (
        rules(rule("required_linear_history", of="acme"), branch="mlops-reports"),
        *(
            "mlops-reports",
            "missing",
            "required_linear_history",
            "https://github.com/organizations/acme/settings/rules",
        ),
    ),
    "reports protected": (
        lambda state: state.branches.update({"mlops-reports": Branch(protected=True)}),
        *("mlops-reports", "missing", "branch protection holds for it", "/settings/branches"),
    ),
    "no owners": (without(".github/CODEOWNERS"), "CODEOWNERS", "note", "is not on main yet", "from its merge on"),
    "wrong owners": (
        set_to(codeowners_errors=[ERROR] * 5),
        *("CODEOWNERS", "missing", "line 3 (Unknown owner) and 2 more", "/blob/main/.github/CODEOWNERS"),
    ),
    "few owners": (
        written(".github/CODEOWNERS", "/.github/ @ada\n/tests/ @ada\n/mlops.yaml\n"),
        "CODEOWNERS",
        "note",
        "nobody owns .mlops-ci/, mlops.yaml, waivers.yaml, environments/ and data/contract.yaml",
        "/blob/main/.github/CODEOWNERS",
    ),
    "owners not asked": (
        rules(reviews(owners=False), checks("mlops / gate")),
        *("owners' review", "note", "need not agree", "/settings/rules"),
    ),
    "owners not asked, classic": (
        classic(**GATED, strict=True),
        *("owners' review", "note", "need not agree", "/settings/branches"),
    ),
    "actions off": (set_to(actions="off"), "Actions", "missing", "off", "/settings/actions"),
    "local actions": (set_to(actions="local_only"), "Actions", "missing", "(local_only)", "astral-sh/setup-uv"),
    "selected actions": (set_to(actions="selected"), "Actions", "note", "only selected", "actions/checkout"),
    "writing token": (
        set_to(default_workflow_permissions="write"),
        *("job token", "note", "writes in workflows that name no permissions", "/settings/actions"),
    ),
    "no pull requests": (
        set_to(actions_may_open_pulls=False),
        *("pull requests", "note", "may not open any", "/settings/actions"),
    ),
    "no secret": (
        set_to(secrets=[]),
        *("secret DATA_KEY", "missing", "it is not there", "/acme/ml/settings/secrets/actions"),
    ),
    "waiting": (
        set_to(environments=[environment(WAIT | {"reviewers": [BOB]})]),
        *("environment mlops", "note", "waits until somebody approves", "/settings/environments"),
    ),
    "some branches": (
        set_to(environments=[environment(SOME)]),
        *("environment mlops", "note", "only for some branches", "/settings/environments"),
    ),
    "no workflow": (
        without(CHECK, RECORD),
        *("on GitHub", "note", "mlops-check.yml and mlops-record.yml not on main yet: status and comment", "/compare"),
    ),
    "nothing records": (without(RECORD), "on GitHub", "note", "mlops-record.yml not on main yet", "/acme/ml/compare"),
    "another workflow": (
        written(CHECK, "on: push\n"),
        *("on GitHub", "note", "mlops-check.yml on main: not as here", "git pull"),
    ),
    "nothing pushed": (
        lambda state: (state.branches.clear(), state.files.clear()),
        *("default branch", "note", "main is not on GitHub yet", "git push"),
    ),
    "archived": (set_to(archived=True), "GitHub", "missing", "no workflow runs", "/acme/ml/settings"),
}


# What follows from some of them.
ALSO = {
    "unprotected": ("owners' review",),
    "only kept": ("owners' review",),
    "nothing pushed": ("on GitHub", "CODEOWNERS"),
}


@pytest.mark.parametrize("case", CASES)
def test_each_thing_that_is_missing_is_named_with_its_mend(project: Path, fake: FakeGitHub, case: str) -> None:
    change, name, condition, said, mend = CASES[case]
    change(fake.state)
    found = looked(project)
    [finding] = [each for each in found if each.name == name and each.condition != "ok"]
    assert finding.condition == condition
    assert said in finding.found
    assert mend in finding.mend
    assert {each.name for each in found if each.condition != "ok"} == {name, *ALSO.get(case, ())}
    assert all(each.mend for each in found if each.condition != "ok")


@pytest.mark.parametrize(
    ("change", "name", "said"),
    [
        (classic(**GATED, strict=True, asks_owners=True), "default branch", "main, protected by branch protection"),
        (classic(**GATED, strict=True, asks_owners=True), "up to date", "branches have to be"),
        (classic(**GATED, strict=True, asks_owners=True), "owners' review", "required for main"),
        (rules(checks("mlops / gate", strict=False), rule("merge_queue")), "up to date", "a merge queue"),
        (rules(rule("deletion"), rule("non_fast_forward"), branch="mlops-reports"), "mlops-reports", "not protected"),
        (
            lambda state: state.branches.update({"mlops-reports": Branch(ruled=True)}),
            *("mlops-reports", "not protected, as it has to be"),
        ),
        (written(".github/CODEOWNERS", "* @ada\n"), "CODEOWNERS", "with owners of all that decides"),
        (
            set_to(secrets=[], environments=[environment()], environment_secrets={"mlops": ["DATA_KEY", "WAREHOUSE"]}),
            *("secret WAREHOUSE", "in the environment mlops"),
        ),
    ],
)
def test_other_ways_to_be_set_up_well(project: Path, fake: FakeGitHub, change: Change, name: str, said: str) -> None:
    change(fake.state)
    [finding] = [each for each in looked(project) if each.name == name]
    assert (finding.condition, said in finding.found) == ("ok", True), finding


# The key that releases are signed with

KEY = "MLOPS_CI_SIGNING_KEY"
PEM = "Put the text of the PEM file into an environment mlops-release that takes main alone: "
ENVIRONMENTS = "https://github.com/acme/ml/settings/environments"


def signing(*rules: dict[str, Any], keys: tuple[str, ...] = (KEY,)) -> Change:
    return set_to(
        environments=[environment(*rules, name="mlops-release")], environment_secrets={"mlops-release": list(keys)}
    )


WHERE_THE_KEY_IS: dict[str, tuple[Change, str, str, str]] = {
    "apart": (signing(SOME), "ok", "in the environment mlops-release", ""),
    "nowhere": (
        set_to(),
        *("missing", "package.trust names its public half, and it is not there: nothing is released"),
        PEM + ENVIRONMENTS,
    ),
    "not in its environment": (
        signing(SOME, keys=("ANOTHER",)),
        *("missing", "package.trust names its public half, and it is not there: nothing is released"),
        PEM + ENVIRONMENTS,
    ),
    "in the other environment": (
        set_to(environments=[environment()], environment_secrets={"mlops": [KEY]}),
        *("missing", "package.trust names its public half, and it is not there: nothing is released"),
        PEM + ENVIRONMENTS,
    ),
    "in the repository": (
        lambda state: state.secrets.append(KEY),
        *("note", "in the repository: any workflow that somebody pushes can read it"),
        "Move it into an environment mlops-release that takes main alone: " + ENVIRONMENTS,
    ),
    "in the organization": (
        lambda state: state.organization_secrets.append(KEY),
        *("note", "in the organization: any workflow that somebody pushes can read it"),
        "Move it into an environment mlops-release that takes main alone: " + ENVIRONMENTS,
    ),
    "for every branch": (
        signing(),
        "note",
        "in the environment mlops-release, which takes every branch: any workflow that somebody pushes can read it",
        "Let it take main alone: " + ENVIRONMENTS,
    ),
}


@pytest.fixture
def signs(project: Path, tmp_path: Path) -> Path:
    """The same project, where releases are to be signed."""
    root = Path(shutil.copytree(project, tmp_path / "signs"))
    (root / "mlops.yaml").write_text(SETTINGS + "package: {trust: release.pub}\n", encoding="utf-8")
    return root


@pytest.mark.parametrize("case", WHERE_THE_KEY_IS)
def test_the_key_of_releases_is_where_one_job_alone_has_it(signs: Path, fake: FakeGitHub, case: str) -> None:
    change, *expected = WHERE_THE_KEY_IS[case]
    change(fake.state)
    found = looked(signs)
    [finding] = [each for each in found if each.name == f"secret {KEY}"]
    assert [finding.condition, finding.found, finding.mend] == expected
    assert {each.condition for each in found if each != finding} == {"ok"}


def test_whether_the_key_is_there_may_be_out_of_sight(signs: Path, fake: FakeGitHub) -> None:
    signing(SOME)(fake.state)
    fake.fail("GET", "/environments/mlops-release/secrets", times=9, status=403)
    [finding] = [each for each in looked(signs) if each.name == f"secret {KEY}"]
    assert (finding.condition, finding.found) == ("note", "cannot be seen with this token")


def test_a_key_of_no_project_is_not_looked_for(project: Path, fake: FakeGitHub) -> None:
    signing(SOME)(fake.state)
    assert not [each for each in looked(project) if KEY in each.name]
    assert not [each for each in fake.requests if "mlops-release" in each.path]


def test_names_from_github_stay_names(project: Path, fake: FakeGitHub) -> None:
    fake.state.default_branch = "ma\nin?#\x1b[31m"
    fake.state.rules["mlops-reports"] = [rule("\u202eevil\n::error::x")]
    fake.wrong.clear()
    texts = [f"{each.name}{each.found}{each.mend}" for each in looked(project)]
    fake.wrong.clear()  # GitHub's description knows no such rule
    assert not any(sign in text for text in texts for sign in "\n\x1b\u202e")
    assert any("origin 'ma in?# [31m'" in text for text in texts)


def test_nothing_is_set_up(project: Path, fake: FakeGitHub, capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    fake.state = State(branches={"main": Branch()}, default_workflow_permissions="write")
    golden("doctor-on-github-bare.txt", told(project, capsys))


def test_a_plan_without_rules_is_no_fault_that_can_be_mended_there(
    project: Path, fake: FakeGitHub, capsys: pytest.CaptureFixture[str], golden: Golden
) -> None:
    fake.state.protects_private = False
    found = looked(project)
    assert "missing" not in {each.condition for each in found}
    assert {each.name for each in found} >= {"default branch", "mlops-reports", "Actions"}
    assert not {"required status", "up to date", "CODEOWNERS", "owners' review"} & {each.name for each in found}
    golden("doctor-on-github-free.txt", told(project, capsys))


def test_what_only_administrators_see_is_said_to_be_out_of_sight(
    project: Path, fake: FakeGitHub, capsys: pytest.CaptureFixture[str], golden: Golden
) -> None:
    classic(**GATED)(fake.state)
    for path in (".*/protection", ".*secrets", "/actions/permissions.*"):
        fake.fail("GET", path, times=99, status=404, message="Not Found")
    found = {each.name: each for each in looked(project)}
    assert found["default branch"].condition == found["required status"].condition == "ok"
    for name in ("up to date", "owners' review", "Actions", "secret DATA_KEY", "secret WAREHOUSE"):
        assert (found[name].condition, found[name].found) == ("note", "cannot be seen with this token")
    assert "missing" not in {each.condition for each in found.values()}
    golden("doctor-on-github-member.txt", told(project, capsys))


def test_the_token_of_a_job_sees_what_it_may(project: Path, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in fake.environment("mlops-check.yml", "plan").items():
        monkeypatch.setenv(name, value)
    found = {each.name: each.condition for each in looked(project)}
    assert "missing" not in found.values()
    assert found["required status"] == found["CODEOWNERS"] == found["on GitHub"] == "ok"
    assert found["Actions"] == found["secret DATA_KEY"] == "note"


# Where GitHub is not looked at


def only(project: Path) -> Finding:
    [finding] = looked(project)
    assert finding.condition == Condition.NOTE
    return finding


def test_without_a_token_one_note_says_how_to_get_one(
    project: Path, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GH_TOKEN")
    monkeypatch.delenv("GITHUB_API_URL")
    monkeypatch.delenv("GITHUB_REPOSITORY")
    assert only(project).found == "acme/ml was not looked at: no token is set"
    assert only(project).mend == "GH_TOKEN=$(gh auth token) mlops-ci doctor"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "github.token" in only(project).mend
    assert fake.requests == []


def test_a_wrong_token_and_an_unknown_repository_are_one_note(
    project: Path, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk(monkeypatch, fake, "expired")
    assert "Bad credentials" in only(project).found
    assert "wrong or has expired" in only(project).mend
    desk(monkeypatch, fake)
    fake.fail("GET", "", status=404, message="Not Found", times=1)
    assert "a token may not see" in only(project).mend


def test_without_a_network_it_is_one_note_and_soon(
    project: Path, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(
        "mlops_ci.edge.patience.Time.__new__.__defaults__", (slept.append, lambda: sum(slept), lambda: 0.0)
    )
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    assert "could not be asked" in only(project).found
    assert sum(slept) <= 5


LIMIT = {"status": 403, "message": "You have exceeded a secondary rate limit.", "headers": {"Retry-After": "900"}}


@pytest.mark.parametrize("fault", [{"closed": True}, LIMIT])
def test_a_network_that_breaks_or_a_limit_in_the_middle_is_one_note(
    project: Path, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    monkeypatch.setattr(health_on_github, "_SECONDS", 0.5)
    fake.fail("GET", "/rules/.*", times=99, **fault)
    assert only(project).found.startswith("acme/ml was not looked at: ")


def test_elsewhere_than_on_github_nothing_is_said(
    project: Path, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_REPOSITORY")
    assert looked(project) == []  # the remote is on another host than the one of GITHUB_API_URL
    monkeypatch.delenv("GITHUB_API_URL")
    helpers.git(project, "remote", "set-url", "origin", "git@gitlab.com:acme/ml.git")
    try:
        assert looked(project) == []
        helpers.git(project, "remote", "set-url", "origin", "https://github.acme.example/acme/ml.git")
        monkeypatch.setenv("GITHUB_API_URL", "https://github.acme.example/api/v3")
        monkeypatch.delenv("GH_TOKEN")
        assert only(project).mend == "GH_TOKEN=$(gh auth token --hostname github.acme.example) mlops-ci doctor"
    finally:
        helpers.git(project, "remote", "set-url", "origin", "git@github.com:acme/ml.git")
    assert fake.requests == []


def test_on_an_enterprise_server_the_pages_are_there(project: Path, fake: FakeGitHub) -> None:
    fake.state.web = "https://github.acme.example"
    fake.state.rules.clear()
    found = {each.name: each for each in looked(project)}
    assert found["default branch"].mend.endswith("https://github.acme.example/acme/ml/settings/rules")
    assert found["pull requests"].found == "Actions may open them"  # whether runs wait there is not known


def test_json_has_the_keys_of_every_finding(
    project: Path, fake: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["-C", str(project), "doctor", "--json"])
    found = json.loads(capsys.readouterr().out)["findings"]
    assert {"condition": "ok", "found": "mlops / gate", "mend": "", "name": "required status"} in found
