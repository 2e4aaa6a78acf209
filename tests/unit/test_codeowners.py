"""Who owns a file: the examples of GitHub's own page "About code owners", and lines that do not hold."""

from __future__ import annotations

import pytest

from mlops_ci.config.codeowners import parse

PAGE = parse(
    """\
# A comment
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/* docs@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @logger
/apps/ @octocat
/apps/github
"""
)


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("mlops.yaml", ("@global-owner1", "@global-owner2")),
        ("deep/down/file.js", ("@js-owner",)),
        ("main.go", ("docs@example.com",)),
        ("notes.txt", ("@octo-org/octocats",)),
        ("build/logs/a/b", ("@logger",)),
        ("other/build/logs", ("@logger",)),
        ("docs/getting-started.md", ("@doctocat",)),
        ("docs/build-app/troubleshooting.md", ("@doctocat",)),
        ("here/docs/build-app/troubleshooting.md", ("@global-owner1", "@global-owner2")),
        ("scripts/a.py", ("@doctocat", "@octocat")),
        ("apps/x/y", ("@octocat",)),
        ("in/apps/x", ("@octocat",)),
        ("apps/github", ()),
        ("apps/github/deeper", ()),
    ],
)
def test_the_last_pattern_that_matches_counts(path: str, owners: tuple[str, ...]) -> None:
    assert PAGE.owners(path) == owners


@pytest.mark.parametrize(
    ("line", "path", "owned"),
    [
        ("docs/* @a", "docs/x.md", True),
        ("docs/* @a", "docs/in/x.md", False),
        ("docs/** @a", "docs/in/x.md", True),
        ("/mlops.yaml @a", "mlops.yaml", True),
        ("/mlops.yaml @a", "models/mlops.yaml", False),
        ("mlops.yaml @a", "models/mlops.yaml", True),
        ("models/*/mlops.yaml @a", "models/churn/mlops.yaml", True),
        ("models/*/mlops.yaml @a", "models/a/b/mlops.yaml", False),
        ("/models/**/mlops.yaml @a", "models/a/b/mlops.yaml", True),
        ("/models/**/mlops.yaml @a", "models/mlops.yaml", True),
        ("mlops.yam? @a", "mlops.yaml", True),
        ("MLOPS.yaml @a", "mlops.yaml", False),
        (r"my\ model/mlops.yaml @a", "my model/mlops.yaml", True),
        ("mlops.yaml.bak @a", "mlops.yaml", False),
        ("mlopsXyaml @a", "mlops.yaml", False),
        ("!mlops.yaml @a", "mlops.yaml", False),
        ("mlops.[y]aml @a", "mlops.yaml", False),
        (r"\#mlops.yaml @a", "#mlops.yaml", False),
        ("mlops.yaml nobody", "mlops.yaml", False),
    ],
)
def test_a_pattern_is_read_as_github_reads_it(line: str, path: str, owned: bool) -> None:
    assert bool(parse(line).owners(path)) is owned
