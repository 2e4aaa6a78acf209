"""Every test runs as if on a fresh machine: its own HOME and git settings, no variables of the caller's tools."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests import helpers

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).parent / "golden"
_FOREIGN = re.compile(
    r"(GIT|GH|GITHUB|RUNNER|ACTIONS|MLFLOW|MLOPS_CI)_(?!REQUIRE_ALL$).*|FORCE_COLOR|CLICOLOR_FORCE|COLUMNS"
)
_GIT_SETTINGS = """\
[user]
    name = Ada Example
    email = ada@example.org
[init]
    defaultBranch = main
[protocol "file"]
    allow = always
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what tests compare with tests/golden anew")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "needs(*parts): parts of the machine (dockerd, act, chromium, registry, a program); "
        "skipped without them, failed when CI=true or MLOPS_CI_REQUIRE_ALL=1",
    )

    # Two busy cores make drawing slow; that says nothing about the code.
    hypothesis.settings.register_profile(
        "mlops-ci", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("mlops-ci")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        for part in marker.args:
            reason = helpers.lacking(part)
            if reason and helpers.must_not_skip():
                pytest.fail(f"this test needs {part}: {reason}", pytrace=False)
            if reason:
                pytest.skip(f"needs {part}: {reason}")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The HOME of all tests, with git settings and nothing else."""
    path = tmp_path_factory.mktemp("home")
    (path / ".gitconfig").write_text(_GIT_SETTINGS, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def isolation(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the caller reaches a test; caches of packages are shared, as they only save time."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    monkeypatch.setenv("UV_CACHE_DIR", os.environ.get("UV_CACHE_DIR") or str(caches / "uv"))
    for name in [name for name in os.environ if _FOREIGN.fullmatch(name)]:
        monkeypatch.delenv(name)
    for name, below in (("HOME", ""), ("XDG_CONFIG_HOME", ".config"), ("XDG_CACHE_HOME", ".cache")):
        monkeypatch.setenv(name, str(home / below))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str | bytes], None]:
    """golden(name, content): content must be that of tests/golden/NAME; --update-golden writes it anew."""

    def compare(name: str, content: str | bytes) -> None:
        path = GOLDEN / name
        found = content.encode() if isinstance(content, str) else content
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(found)
        assert path.is_file(), f"tests/golden/{name} is missing: run pytest with --update-golden and read what it wrote"
        assert found.decode(errors="replace") == path.read_bytes().decode(errors="replace")
        assert found == path.read_bytes()

    return compare
