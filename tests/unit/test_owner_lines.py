"""Whose repository a remote's address names, and the lines of CODEOWNERS a project needs."""

from __future__ import annotations

import pytest

from mlops_ci.steps.github_files import owner_lines, owner_on_github


@pytest.mark.parametrize(
    ("remote", "owner"),
    [
        ("https://github.com/acme/ml.git", "acme"),
        ("https://github.com/acme/ml/", "acme"),
        ("https://ada:ghp_secret@github.com/acme/ml", "acme"),
        ("git@github.com:Acme-Labs/ml.git", "Acme-Labs"),
        ("github.com:acme/ml", "acme"),
        ("ssh://git@github.com/acme/ml.git", "acme"),
        ("ssh://git@ssh.github.com:443/acme/ml.git", "acme"),
        ("git@gitlab.com:acme/ml.git", ""),
        ("https://github.com.evil.example/acme/ml", ""),
        ("https://evil.example/github.com/acme/ml", ""),
        ("https://mygithub.com/acme/ml", ""),
        ("/srv/github.com/acme/ml.git", ""),
        ("https://github.com/acme", ""),
        ("https://github.com/acme/ml\nx", ""),
        ("https://github.com/-acme/ml", ""),
        ("https://github.com/a b/ml", ""),
        ("https://github.com/acme\n* @mallory/ml", ""),
        ("", ""),
    ],
)
def test_the_owner_is_read_from_addresses_on_github_only(remote: str, owner: str) -> None:
    assert owner_on_github(remote) == owner


def test_only_what_is_not_named_yet_is_added() -> None:
    there = "# mlops.yaml\n\n.github @acme/infra\n/waivers.yaml\t@acme/ml\nenvironments/ @acme/ops\n"
    assert owner_lines("acme", inside="", contract="data/contract.yaml", there=there) == (
        "/.mlops-ci/ @acme\n/mlops.yaml @acme\n/tests/model/ @acme\n/data/contract.yaml @acme\n"
    )


def test_a_project_in_a_folder_owns_its_files_there() -> None:
    lines = owner_lines("acme", inside="services/churn", contract="c.yaml").splitlines()
    own = ("mlops.yaml", "waivers.yaml", "environments/", "tests/model/", "c.yaml")
    assert lines == ["/.github/ @acme", "/.mlops-ci/ @acme", *(f"/services/churn/{path} @acme" for path in own)]
