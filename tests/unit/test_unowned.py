"""CODEOWNERS as GitHub reads it: which paths somebody owns."""

from __future__ import annotations

import pytest

from mlops_ci.steps.unowned import unowned


@pytest.mark.parametrize(
    ("pattern", "owned", "others"),
    [
        ("*", ["a.py", "x/y/a.py"], []),
        ("*.py", ["a.py", "x/a.py"], ["a.pyx", "py"]),
        ("/mlops.yaml", ["mlops.yaml"], ["x/mlops.yaml", "mlops.yamlx", "mlopsxyaml"]),
        ("mlops.yaml", ["mlops.yaml", "x/mlops.yaml"], ["a-mlops.yaml"]),
        ("/docs/", ["docs/a", "docs/x/a"], ["docs", "x/docs/a"]),
        ("docs/", ["docs/a", "x/docs/a"], ["docs"]),
        ("/docs", ["docs/a", "docs"], ["docsx"]),
        ("docs/*", ["docs/a"], ["docs/x/a", "x/docs/a"]),
        ("/docs/**", ["docs/a", "docs/x/a"], ["docs"]),
        ("**/data", ["data/a", "x/y/data/a"], ["xdata/a"]),
        ("/x/**/a", ["x/a", "x/y/z/a"], ["x/ya"]),
        ("/tests/**/*.py", ["tests/a.py", "tests/x/a.py"], ["a.py"]),
        ("/a?c", ["abc"], ["ac", "a/c"]),
    ],
)
def test_a_pattern_takes_the_files_that_it_takes_on_github(pattern: str, owned: list[str], others: list[str]) -> None:
    assert unowned(f"{pattern} @ada\n", [*owned, *others]) == others


def test_the_last_pattern_that_fits_counts_also_where_it_names_nobody() -> None:
    text = "# owners\n* @ada  # all\n/waivers.yaml\n\n/data/ # nobody\n/data/contract.yaml @bob\n"
    assert unowned(text, ["mlops.yaml", "waivers.yaml", "data/x.csv", "data/contract.yaml"]) == [
        "waivers.yaml",
        "data/x.csv",
    ]


def test_a_folder_is_owned_where_what_matters_in_it_is() -> None:
    paths = (".github/", ".mlops-ci/", "services/churn/environments/", "services/churn/tests/model/")
    every = "/.github/workflows/ @a\n/.mlops-ci/tool.lock @a\n/services/churn/environments/*.yaml @a\nmodel/ @a\n"
    assert unowned(every, paths) == []
    assert unowned("/.github/workflows/mlops-check.yml @a\n", paths) == list(paths)
