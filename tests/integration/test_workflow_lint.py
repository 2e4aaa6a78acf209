"""zizmor, check-jsonschema, actionlint with shellcheck, and act read every generated workflow and find nothing.

Each tool runs once over all files: the renders of many repositories, and the files of this one.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlops_ci.config import yaml
from mlops_ci.render import render
from tests.helpers import tree
from tests.workflow_renders import CASES, rendered
from tests.workflow_rules import ignored

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
ACT_LACKS = {"queue", "deployment"}
"""Keys of GitHub's that act does not know yet."""


def tool(name: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a tool of the development environment; it stands beside the Python that runs the tests."""
    command = [Path(sys.executable).with_name(name), *words]
    offline = {key: value for key, value in os.environ.items() if key not in ("GH_TOKEN", "GITHUB_TOKEN")}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=offline, timeout=120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of repositories: every render, and this repository's own files under `ours`."""
    root = tmp_path_factory.mktemp("renders")
    for name, case in CASES.items():
        tree(rendered(case), root / name)
    tree({f".github/workflows/{path.name}": path.read_bytes() for path in WORKFLOWS}, root / "ours")
    tree({".github/dependabot.yml": render("init/dependabot.yml")}, root / "one-plain")
    tree({".github/workflows/own.yml": documented()}, root / "documented")
    tree({path: (ROOT / path).read_bytes() for path in ("action.yml", ".pre-commit-hooks.yaml")}, root / "ours")
    return root


def documented() -> str:
    """The workflow that docs/github.md shows to people who write their own."""
    text = (ROOT / "docs/github.md").read_text(encoding="utf-8")
    [workflow] = re.findall(r"^```yaml\n(name: .+?)^```$", text, re.MULTILINE | re.DOTALL)
    return re.sub(r"OWNER/mlops-ci@COMMIT .*", f"acme/mlops-ci@{'a' * 40} # v0.1.0", workflow)


@pytest.fixture(scope="module")
def workflows(folder: Path) -> tuple[Path, ...]:
    """One file of each different text: most repositories get the same as others."""
    return tuple({path.read_bytes(): path for path in sorted(folder.glob("*/.github/workflows/*.yml"))}.values())


def zizmor(folder: Path, *words: str) -> list[dict[str, Any]]:
    """What zizmor finds; it must have read every file."""
    options = ("--offline", "--strict-collection", "--collect", "all", "--format", "json", "--no-exit-codes")
    done = tool("zizmor", *options, *words, folder)
    assert done.returncode == 0, done.stderr
    files = [path for path in folder.rglob("*") if path.suffix in (".yml", ".yaml")]
    assert done.stderr.count("completed ") == len(files), done.stderr
    return list(json.loads(done.stdout))


def told(findings: Sequence[dict[str, Any]]) -> list[str]:
    """Findings as lines."""
    return [
        f"{found['ident']}: {place['symbolic']['key']['Local']['verbatim_path']}:"
        f"{place['concrete']['location']['start_point']['row'] + 1}"
        for found in findings
        for place in found["locations"]
        if place["symbolic"]["kind"] == "Primary"
    ]


@pytest.mark.parametrize("persona", ["regular", "pedantic", "auditor"])
def test_zizmor_finds_nothing(folder: Path, persona: str) -> None:
    assert told(zizmor(folder, "--persona", persona)) == []


def test_what_zizmor_is_told_to_ignore_is_little_and_still_there(folder: Path) -> None:
    comments = {rule for path in folder.glob("*/.github/workflows/*.yml") for rule in ignored(path.read_text())}
    findings = zizmor(folder, "--persona", "auditor", "--no-ignores")
    assert {found["ident"] for found in findings} == comments
    assert len(comments) <= 2


def test_zizmor_finds_what_is_wrong_in_one_of_them(folder: Path, tmp_path: Path) -> None:
    text = (folder / "one-plain/.github/workflows/mlops-check.yml").read_text()
    broken = text.replace("@3d3c42e5aac5ba805825da76410c181273ba90b1", "@v7")
    broken = re.sub(r"(run: \|\n)( +)", r"\1\2echo ${{ github.head_ref }}\n\2", broken, count=1)
    tree({".github/workflows/mlops-check.yml": broken}, tmp_path)
    assert {found["ident"] for found in zizmor(tmp_path)} == {"unpinned-uses", "template-injection"}
    tree({".github/workflows/mlops-record.yml": "on: ["}, tmp_path)
    with pytest.raises(AssertionError):
        zizmor(tmp_path)


def test_they_follow_githubs_schema(workflows: tuple[Path, ...], tmp_path: Path) -> None:
    done = tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    assert done.returncode == 0, done.stdout
    broken = workflows[0].read_text().replace("timeout-minutes", "timeout-minute")
    tree({"w.yml": broken}, tmp_path)
    assert tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", tmp_path / "w.yml").returncode == 1


@pytest.mark.parametrize(
    ("schema", "path", "known", "unknown"),
    [
        ("vendor.dependabot", "one-plain/.github/dependabot.yml", "interval: weekly", "interval: sometimes"),
        ("vendor.github-actions", "ours/action.yml", "using: composite", "uses: composite"),
    ],
)
def test_the_other_files_follow_their_schemas(
    folder: Path, tmp_path: Path, schema: str, path: str, known: str, unknown: str
) -> None:
    done = tool("check-jsonschema", "--builtin-schema", schema, folder / path)
    assert done.returncode == 0, done.stdout
    tree({"broken.yml": (folder / path).read_text().replace(known, unknown)}, tmp_path)
    assert tool("check-jsonschema", "--builtin-schema", schema, tmp_path / "broken.yml").returncode == 1


def test_actionlint_and_shellcheck_find_nothing(folder: Path, workflows: tuple[Path, ...], tmp_path: Path) -> None:
    labels = {label for case in CASES.values() for project in case.projects for label in project.labels}
    settings = tree({"actionlint.yaml": f"self-hosted-runner: {{labels: {json.dumps(sorted(labels))}}}\n"}, tmp_path)
    shellcheck = Path(sys.executable).with_name("shellcheck")
    options = ("-config-file", settings / "actionlint.yaml", "-shellcheck", shellcheck, "-pyflakes", "", "-no-color")
    done = tool("actionlint", *options, *workflows)
    assert (done.returncode, done.stdout) == (0, "")
    text = (folder / "one-plain/.github/workflows/mlops-check.yml").read_text()
    broken = re.sub(r"(run: \|\n)( +)", r"\1\2echo $UNQUOTED\n\2", text, count=1)
    tree({"w.yml": broken}, tmp_path)
    assert "SC2086" in tool("actionlint", *options, tmp_path / "w.yml").stdout


def test_act_can_read_them_but_for_keys_it_does_not_know(workflows: tuple[Path, ...], tmp_path: Path) -> None:
    for number, path in enumerate(workflows):
        text = path.read_text()
        copy = _for_act(text)
        assert _parsed(copy) == _without(_parsed(text), ACT_LACKS)
        tree({f"{number}.yml": copy}, tmp_path)
    done = tool("act", "--validate", "--strict", "--workflows", tmp_path)
    assert done.returncode == 0, done.stderr
    tree({"broken.yml": _for_act(workflows[0].read_text()).replace("runs-on:", "runs-at:")}, tmp_path)
    assert tool("act", "--validate", "--strict", "--workflows", tmp_path).returncode != 0


def _for_act(text: str) -> str:
    """A workflow without the keys that act does not know."""
    keys = "|".join(ACT_LACKS)
    text = re.sub(rf"^ +({keys}): .*\n", "", text, flags=re.MULTILINE)
    return re.sub(rf"(, *({keys}): \w+(?=[,}}]))|(({keys}): \w+, *)", "", text)


def _without(value: Any, keys: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(each, keys) for key, each in value.items() if key not in keys}
    return [_without(each, keys) for each in value] if isinstance(value, list) else value


def _parsed(text: str) -> Any:
    return yaml.load(text, file="workflow").value
