"""init, config, doctor, workflows and the bare command in real folders with real git."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_ci.config import load, yaml
from mlops_ci.data import contract
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.validate import validate
from mlops_ci.steps.findings import guess_target
from mlops_ci.steps.first_look import first_look
from tests.helpers import commit, git, repo, tree

WORKFLOW = ".github/workflows/mlops-check.yml"


@pytest.fixture(autouse=True)
def _no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Init must work where the package index cannot be reached; here it never can."""
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_NO_CACHE", "1")


def run(folder: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "mlops_ci", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def customers(rows: int = 400) -> str:
    """A small table: an id, numbers, words, days, a column that is known only afterwards, a target."""
    lines = ["customer_id,months,plan,since,reason,churned"]
    for n in range(rows):
        gone = (n * 7) % 10 < 3
        lines.append(
            f"C{n:04},{n % 60},{('basic', 'plus', 'pro')[n % 3]},2024-{n % 12 + 1:02}-{n % 28 + 1:02},"
            f"{'price' if gone else ''},{'yes' if gone else 'no'}"
        )
    return "\n".join(lines) + "\n"


def settings(folder: Path) -> dict[str, object]:
    return dict(json.loads(run(folder, "config", "--json").stdout))


def test_init_in_an_empty_folder_brings_the_data_in_and_makes_a_repository(tmp_path: Path) -> None:
    table = tree({"customers.csv": customers()}, tmp_path / "elsewhere") / "customers.csv"
    project = tmp_path / "churn"
    project.mkdir()
    shown = run(project, "init", "--data", str(table), "--target", "churned").stdout
    assert "made a git repository" in shown
    assert "mlops-ci check" in shown.splitlines()[-1]
    assert (project / "data" / "customers.csv").read_text() == customers()
    assert git(project, "rev-parse", "--show-toplevel").strip() == str(project)
    assert git(project, "branch", "--show-current").strip() == "main"
    assert git(project, "rev-list", "--all").strip() == ""
    assert git(project, "diff", "--cached", "--name-only").strip() == ""


def test_what_init_writes_can_be_read_by_everything_that_reads_it(tmp_path: Path) -> None:
    project = tree({"data/customers.csv": customers()}, tmp_path / "churn")
    run(project, "init", "--target", "churned")
    config = load.parse((project / "mlops.yaml").read_text(), file="mlops.yaml")
    assert config.data.sources == {"customers": "data/customers.csv"}
    assert config.data.id == ("customer_id",)
    assert config.data.time == "since"
    assert config.data.split.salt == "churn"
    gates = [parse(gate.text) for gate in config.gates]
    assert len(gates) == 1, "80 held-out rows rule out no loss worth naming"
    validate(gates, task=config.task, slices=config.slices)
    terms = contract.parse((project / "data/contract.yaml").read_text(), file="data/contract.yaml")
    assert "churned" in {column.name for column in terms.columns}
    for path in ("pipeline/train.py", "tests/model/test_behaviour.py"):
        compile((project / path).read_text(), path, "exec")
    ignored = (project / ".gitignore").read_text()
    assert "/.mlops-ci/cache/" in ignored
    assert ".mlops-ci/tool.lock" in git(project, "ls-files", "--others", "--exclude-standard")


def test_the_written_training_function_trains_on_words_days_and_gaps(tmp_path: Path) -> None:
    import pandas as pd

    project = tree({"data/customers.csv": customers()}, tmp_path / "churn")
    run(project, "init", "--target", "churned")
    frame = pd.read_csv(project / "data/customers.csv", parse_dates=["since"])
    names: dict[str, object] = {}
    exec(compile((project / "pipeline/train.py").read_text(), "train.py", "exec"), names)
    params = {"learning_rate": 0.1, "max_iter": 20}
    model = names["train"](frame.drop(columns="customer_id"), params, 7)  # type: ignore[operator]
    asked = frame.drop(columns=["customer_id", "churned"]).head(5).copy()
    for name in ("plan", "months"):
        asked[name] = asked[name].mask(asked[name].notna())
    assert model.predict_proba(asked).shape == (5, 2)


def test_it_says_what_it_saw_and_what_may_be_known_too_late(tmp_path: Path) -> None:
    project = tree(
        {"data/customers.csv": customers(), "train.py": "raise SystemExit('never run')\n"}, tmp_path / "churn"
    )
    shown = run(project, "init", "--target", "churned").stdout
    assert "reason is filled only where churned is" in shown
    assert "train.py is there" in shown
    assert "since says when" in shown
    told = next(line for line in shown.splitlines() if "a quick baseline reaches roc_auc" in line)
    gate = load.parse((tmp_path / "churn" / "mlops.yaml").read_text(), file="mlops.yaml").gates[0].text
    assert told.endswith(f"held-out rows -> gates: {gate}")
    # `reason` gives the target away, so the baseline must not see it: without it nothing here can be learned.
    assert parse(gate).threshold < 0.5


def test_gates_are_written_where_no_baseline_can_be_built(tmp_path: Path) -> None:
    lines = customers(2).splitlines()
    project = tree({"data/customers.csv": "\n".join(lines[:1] + lines[1:2] * 4) + "\n"}, tmp_path / "churn")
    shown = run(project, "init", "--target", "churned").stdout
    assert "no quick baseline: the split leaves no row for" in shown
    gates = load.parse((project / "mlops.yaml").read_text(), file="mlops.yaml").gates
    assert [parse(gate.text).threshold for gate in gates] == [1.0]


def test_nothing_that_is_there_is_overwritten(tmp_path: Path) -> None:
    mine = {"pipeline/train.py": "# mine\n", "params.yaml": "mine: 1\n", WORKFLOW: "# mine\n", ".gitignore": "*.log"}
    project = repo(tmp_path / "churn", {"data/customers.csv": customers(), **mine})
    before = git(project, "rev-parse", "HEAD")
    shown = run(project, "init", "--target", "churned").stdout
    assert {path: (project / path).read_text() for path in mine if path != ".gitignore"} == {
        path: text for path, text in mine.items() if path != ".gitignore"
    }
    assert (project / ".gitignore").read_text().startswith("*.log\n/.mlops-ci/cache/\n")
    assert "kept pipeline/train.py" in shown
    assert "def train(frame, params, seed)" in shown
    assert git(project, "rev-parse", "HEAD") == before


def test_a_second_init_and_one_inside_a_project_are_refused(tmp_path: Path) -> None:
    project = repo(tmp_path / "churn", {"data/customers.csv": customers(), "inner/x.csv": customers()})
    run(project, "init", "--data", "data/customers.csv", "--target", "churned")
    text = (project / "mlops.yaml").read_text()
    assert "already" in run(project, "init", "--target", "churned", code=2).stderr
    nested = run(project / "inner", "init", "--data", "x.csv", "--target", "churned", code=2).stderr
    assert f"inside the project {project}" in nested
    assert (project / "mlops.yaml").read_text() == text


def test_all_projects_of_a_repository_share_its_workflows_and_its_tool(tmp_path: Path) -> None:
    tables = {f"services/{name}/data/c.csv": customers() for name in ("churn", "late")}
    root = repo(tmp_path / "mono", {**tables, "README.md": "x"})
    run(root / "services" / "churn", "init", "--target", "churned")
    run(root, "-C", "services/churn", "workflows", "--check")
    assert sorted(path.name for path in (root / ".mlops-ci").iterdir()) == ["generated.lock", "tool.lock"]
    assert not (root / "services/churn/.mlops-ci").exists()
    (root / ".mlops-ci/tool.lock").write_text("mlops-ci==0.1.0 --hash=sha256:00\n")

    shown = run(root / "services" / "late", "init", "--target", "churned").stdout
    assert "tool.lock" not in shown
    assert (root / ".mlops-ci/tool.lock").read_text() == "mlops-ci==0.1.0 --hash=sha256:00\n"
    assert sorted(path.name for path in (root / ".github/workflows").iterdir()) == [
        "mlops-check.yml",
        "mlops-record.yml",
        "mlops-release.yml",
        "mlops-upgrade.yml",
    ]
    run(root, "workflows", "--check")

    late = root / "services/late/mlops.yaml"
    late.write_text(late.read_text() + "runner: {timeout: 2h}\n")
    assert "outdated" in run(root / "services" / "churn", "workflows", "--json", "--check", code=10).stdout
    run(root / "services" / "churn", "workflows", "--update")
    assert "timeout-minutes: 495" in (root / WORKFLOW).read_text()

    tree({"services/more/data/c.csv": customers()}, root)
    run(root / "services" / "more", "init", "--target", "churned")
    more = root / "services/more/mlops.yaml"
    more.write_text(more.read_text() + "runner: {timeout: 3h}\n")
    tree({"services/again/data/c.csv": customers()}, root)
    shown = run(root / "services" / "again", "init", "--target", "churned").stdout
    assert f"wrote {WORKFLOW}" in shown
    assert "timeout-minutes: 735" in (root / WORKFLOW).read_text()


def test_a_further_project_is_merged_into_edited_workflows_and_never_marks_a_conflict(tmp_path: Path) -> None:
    root = repo(tmp_path / "mono", {f"services/{name}/data/c.csv": customers() for name in ("one", "two", "three")})
    run(root / "services/one", "init", "--target", "churned")
    path = root / WORKFLOW
    path.write_text(path.read_text().replace("permissions: {}\n", "permissions: {}\n# mine\n", 1))
    commit(root, {}, "start")
    settings_file = root / "services/one/mlops.yaml"
    settings_file.write_text(settings_file.read_text() + "runner: {timeout: 2h}\n")
    run(root / "services/two", "init", "--target", "churned")
    merged = path.read_text()
    assert "permissions: {}\n# mine\n" in merged
    assert "timeout-minutes: 495" in merged

    path.write_text(merged.replace("timeout-minutes: 495", "timeout-minutes: 99"))
    commit(root, {}, "edit")
    settings_file.write_text(settings_file.read_text().replace("2h", "3h"))
    shown = run(root / "services/three", "init", "--target", "churned").stdout
    assert f"kept {WORKFLOW}: it was there" in shown
    assert path.read_text() == merged.replace("timeout-minutes: 495", "timeout-minutes: 99")
    assert "lines that change now too (minutes 495 -> 735)" in run(root, "workflows", "--check", code=10).stdout


def test_a_project_that_cannot_be_read_is_named_and_ignored_ones_are_none(tmp_path: Path) -> None:
    bad = {"services/bad/mlops.yaml": "version: [\n", "kept/mlops.yaml": "version: [\n"}
    root = repo(tmp_path / "mono", {"services/churn/data/c.csv": customers(), ".gitignore": "/kept/\n"})
    tree({**bad, ".mlops-ci/cache/x/mlops.yaml": "version: [\n"}, root)
    words = ("init", "--target", "churned")
    assert "services/bad/mlops.yaml:" in run(root / "services" / "churn", *words, code=2).stderr
    assert not (root / "services/churn/mlops.yaml").exists()
    (root / "services/bad/mlops.yaml").unlink()
    run(root / "services" / "churn", *words)
    run(root, "workflows", "--check")
    tree({"services/twin/mlops.yaml": (root / "services/churn/mlops.yaml").read_text()}, root)
    twins = run(root, "workflows", code=2).stderr
    assert "two projects are named churn: services/churn/mlops.yaml and services/twin/mlops.yaml" in twins


def test_projects_that_lie_in_each_other_are_refused(tmp_path: Path) -> None:
    root = repo(tmp_path / "mono", {"services/churn/data/c.csv": customers(), "data.csv": customers()})
    run(root / "services" / "churn", "init", "--target", "churned")
    assert "inside another one" in run(root, "init", "--data", "data.csv", "--target", "churned", code=2).stderr
    (root / "services/churn/inner").mkdir()
    tree({"mlops.yaml": (root / "services/churn/mlops.yaml").read_text()}, root / "services/churn/inner")
    error = run(root / "services/churn/inner", "config", code=2).stderr
    assert str(root / "services/churn/inner/mlops.yaml") in error
    assert str(root / "services/churn/mlops.yaml") in error


OWNED = """\
/.github/ @acme
/.mlops-ci/ @acme
/mlops.yaml @acme
/waivers.yaml @acme
/environments/ @acme
/tests/model/ @acme
/data/contract.yaml @acme
"""


def lines(text: str) -> str:
    """A file without its comments."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))


def test_what_judges_is_given_to_the_owner_of_a_repository_on_github(tmp_path: Path) -> None:
    project = repo(tmp_path / "churn", {"data/customers.csv": customers()})
    git(project, "remote", "add", "origin", "https://ada:ghp_secret@github.com/acme/ml")
    done = run(project, "init", "--target", "churned")
    assert "wrote .github/CODEOWNERS\nwrote .github/dependabot.yml\n" in done.stdout
    text = (project / ".github/CODEOWNERS").read_text()
    assert lines(text) == OWNED
    assert "secret" not in text + done.stdout + done.stderr
    assert "add to" not in done.stdout
    updates = yaml.load((project / ".github/dependabot.yml").read_text(), file="dependabot.yml").value["updates"]
    assert [each["package-ecosystem"] for each in updates] == ["github-actions"]


@pytest.mark.parametrize("remote", ["", "git@gitlab.com:acme/ml.git"])
def test_where_the_owner_is_not_known_the_lines_are_shown_and_no_file_names_one(tmp_path: Path, remote: str) -> None:
    project = repo(tmp_path / "churn", {"data/customers.csv": customers()})
    if remote:
        git(project, "remote", "add", "origin", remote)
    shown = run(project, "init", "--target", "churned").stdout
    told = "# @OWNER stands for people and teams, such as @ada or @acme/ml\n" + OWNED.replace("acme", "OWNER")
    assert f"add to .github/CODEOWNERS:\n{told}" in shown
    assert not (project / ".github/CODEOWNERS").exists()
    assert (project / ".github/dependabot.yml").is_file()


@pytest.mark.parametrize("place", [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"])
def test_owners_and_updates_that_are_there_stay_and_what_they_lack_is_shown(tmp_path: Path, place: str) -> None:
    mine = {
        place: "# ours\n* @acme/all\n.github @acme/infra\n/mlops.yaml @acme/ml\n",
        ".github/dependabot.yaml": "version: 2\nupdates:\n  - package-ecosystem: pip\n    directory: /\n",
    }
    root = repo(tmp_path / "mono", {"services/churn/data/c.csv": customers(), **mine})
    git(root, "remote", "add", "origin", "https://github.com/acme/ml")
    done = run(root / "services/churn", "init", "--target", "churned", "--json")
    assert {path: (root / path).read_text() for path in mine} == mine
    assert not (root / ".github/dependabot.yml").exists()
    found = json.loads(done.stdout)
    assert {place, ".github/dependabot.yaml"} <= set(found["kept"])
    to_add = dict(found["to_add"])
    assert to_add[place] == "".join(
        f"/{path} @acme\n"
        for path in (
            ".mlops-ci/",
            *(f"services/churn/{own}" for own in ("mlops.yaml", "waivers.yaml", "environments/", "tests/model/")),
            "services/churn/data/contract.yaml",
        )
    )
    both = yaml.load(mine[".github/dependabot.yaml"] + to_add[".github/dependabot.yaml"], file="dependabot.yaml")
    assert [each["package-ecosystem"] for each in both.value["updates"]] == ["pip", "github-actions"]


def test_a_second_project_needs_lines_of_its_own_only(tmp_path: Path) -> None:
    root = repo(tmp_path / "mono", {f"services/{name}/data/c.csv": customers() for name in ("churn", "late")})
    git(root, "remote", "add", "origin", "https://github.com/acme/ml")
    run(root / "services/churn", "init", "--target", "churned")
    owners = root / ".github/CODEOWNERS"
    to_add = dict(json.loads(run(root / "services/late", "init", "--target", "churned", "--json").stdout)["to_add"])
    assert list(to_add) == [".github/CODEOWNERS"]
    assert {line.split("/")[1:3][1] for line in to_add[".github/CODEOWNERS"].splitlines()} == {"late"}
    owners.write_text(owners.read_text() + to_add[".github/CODEOWNERS"])
    assert len(lines(owners.read_text()).splitlines()) == 2 + 2 * 5


def test_a_dry_run_shows_everything_and_writes_nothing(tmp_path: Path) -> None:
    project = tree({"data/customers.csv": customers()}, tmp_path / "churn")
    shown = run(project, "init", "--target", "churned", "--dry-run").stdout
    assert "target: churned" in shown
    assert "would write mlops.yaml" in shown
    assert sorted(path.name for path in project.rglob("*")) == ["customers.csv", "data"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("init",), "not said"),
        (("init", "--data", "none.csv", "--target", "y"), "there is no file none.csv"),
        (("init", "--data", "a.csv", "--target", "nope"), "there is no column 'nope'"),
        (("init", "--data", "a.csv"), "is to be predicted is not said"),
        (("init", "--data", "a.csv", "--target", "churned", "--id", "nope"), "there is no column 'nope'"),
    ],
)
def test_without_a_terminal_nothing_is_asked_and_the_error_says_what_to_name(
    tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    project = tree({"a.csv": customers(40), "b.csv": customers(40)}, tmp_path / "churn")
    done = run(project, *words, "--json", code=2)
    error = json.loads(done.stdout)["error"]
    assert told in error["message"]
    assert error["advice"]
    assert not (project / "mlops.yaml").exists()


def test_hostile_names_stay_texts_wherever_they_are_written(tmp_path: Path) -> None:
    target, words = "bad\"]} ${{ x }} '; import os #", "<b>&%> {{ y }}"
    lines = [f'"{target.replace(chr(34), chr(34) * 2)}","{words}",n']
    lines += [f"{('a', 'b')[n % 2]},{('u', 'v', 'w')[n % 3]},{n}" for n in range(60)]
    project = tree({"data/x y.csv": "\n".join(lines) + "\n"}, tmp_path / "Ünïcode & Co")
    run(project, "init", "--target", target)
    config = load.parse((project / "mlops.yaml").read_text(), file="mlops.yaml")
    assert config.data.target == target
    assert config.data.sources == {"x_y": "data/x y.csv"}
    names: dict[str, object] = {}
    exec(compile((project / "pipeline/train.py").read_text().split("def ")[0], "train.py", "exec"), names)
    assert names["TARGET"] == target
    assert target not in (project / WORKFLOW).read_text()
    terms = contract.parse((project / "data/contract.yaml").read_text(), file="data/contract.yaml")
    assert {target, words} <= {column.name for column in terms.columns}


def test_a_table_without_a_row_id_is_named_by_the_whole_row(tmp_path: Path) -> None:
    text = "\n".join(["x,word,y", *(f"{n % 7}.5,{'ab'[n % 2]},{n * 1.5}" for n in range(80))]) + "\n"
    project = tree({"rows.csv": text}, tmp_path / "p")
    shown = run(project, "init", "--target", "y").stdout
    config = load.parse((project / "mlops.yaml").read_text(), file="mlops.yaml")
    assert config.task == "regression"
    assert config.data.id == ()
    assert "no column names a row" in shown
    assert "HistGradientBoostingRegressor" in (project / "pipeline/train.py").read_text()
    validate([parse(gate.text) for gate in config.gates], task=config.task, slices=())


@pytest.mark.parametrize("rung", ["command", "model", "predictions"])
def test_other_ways_to_train_bring_no_training_function(tmp_path: Path, rung: str) -> None:
    project = tree({"c.csv": customers()}, tmp_path / "churn")
    run(project, "init", "--target", "churned", "--train", rung)
    config = load.parse((project / "mlops.yaml").read_text(), file="mlops.yaml")
    assert config.train is not None
    assert config.train.rung == rung
    assert not (project / "pipeline").exists()


def test_a_link_that_leads_out_of_the_project_is_not_written_through(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    project = tree({"c.csv": customers()}, tmp_path / "churn")
    (project / "pipeline").symlink_to(outside)
    assert "leads out" in run(project, "init", "--target", "churned", code=3).stderr
    assert list(outside.iterdir()) == []


def test_a_git_lfs_pointer_is_named_as_such(tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    project = tree({"c.csv": pointer}, tmp_path / "churn")
    assert "git lfs pull" in run(project, "init", "--target", "y", code=11).stderr


def test_the_branch_of_the_workflows_is_the_one_they_were_made_with(tmp_path: Path) -> None:
    project = repo(tmp_path / "churn", {"data/customers.csv": customers()})
    run(project, "init", "--target", "churned")
    git(project, "branch", "-m", "main", "trunk")
    run(project, "workflows", "--check")


def test_doctor_names_what_is_missing_with_its_mend(tmp_path: Path) -> None:
    project = repo(tmp_path / "churn", {"data/customers.csv": customers()})
    run(project, "init", "--target", "churned")

    def conditions(code: int) -> dict[str, str]:
        findings = json.loads(run(project, "doctor", "--json", code=code).stdout)["findings"]
        assert all(each["mend"] for each in findings if each["condition"] != "ok")
        return {each["name"]: each["condition"] for each in findings}

    (project / ".mlops-ci/tool.lock").write_text("mlops-ci==0.1.0 --hash=sha256:00\n")
    assert "missing" not in conditions(0).values()
    (project / "data/customers.csv").unlink()
    (project / "pipeline/train.py").unlink()
    (project / "data/contract.yaml").write_text("version: [\n")
    (project / WORKFLOW).unlink()
    (project / "requirements.lock").write_text("pandas==3.0\n")
    found = conditions(10)
    assert {found[name] for name in ("data customers", "training", "contract", "mlops-check.yml", "locks")} == {
        "missing"
    }
    (project / "mlops.yaml").write_text("version: 1\n")
    assert conditions(10)["mlops.yaml"] == "missing"


def test_doctor_outside_any_repository_says_git_init(tmp_path: Path) -> None:
    shown = run(tmp_path, "doctor", code=10).stdout
    assert "git init" in shown


def test_config_prints_settings_schema_and_reference(tmp_path: Path) -> None:
    project = repo(tmp_path / "churn", {"data/customers.csv": customers()})
    run(project, "init", "--target", "churned")
    assert settings(project)["project"] == "churn"
    assert "  target: churned" in run(project / "data", "config").stdout
    assert json.loads(run(project, "config", "--schema").stdout)["title"] == "mlops.yaml"
    assert run(project, "config", "--reference").stdout.startswith("# Settings")


def test_the_bare_command_says_where_we_are_and_what_to_do(tmp_path: Path) -> None:
    assert "mlops-ci init --data FILE" in run(tmp_path).stdout
    project = repo(tmp_path / "churn", {"data/customers.csv": customers()})
    run(project, "init", "--target", "churned")
    assert "churn, on main" in run(project).stdout
    assert "not committed" in run(project).stdout
    commit(project, {}, "start")
    assert "not committed" not in run(project).stdout
    (project / "mlops.yaml").write_text("version: 1\n")
    assert "is missing" in run(project, code=2).stderr


def test_a_target_is_guessed_by_its_name_only(tmp_path: Path) -> None:
    project = tree({"c.csv": customers(40), "d.csv": "a,b\n1,2\n3,4\n"}, tmp_path)
    assert guess_target(first_look(project, "c.csv").table) == "churned"
    assert guess_target(first_look(project, "d.csv").table) is None
