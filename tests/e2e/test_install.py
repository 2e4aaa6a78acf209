"""What people install: the wheel and the sdist hold every template and the example, and stay small."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import uv

from tests.helpers import git

pytestmark = pytest.mark.needs("registry")  # environments are made from hash locks

ROOT = Path(__file__).parents[2]


def run(*words: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel made from it."""
    target = tmp_path_factory.mktemp("dist")
    run(uv.find_uv_bin(), "build", "--quiet", "--out-dir", target, cwd=ROOT)
    return target


@pytest.fixture(scope="module")
def environment(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the locked dependencies and the wheel, nothing else."""
    place = tmp_path_factory.mktemp("install") / "env"
    run(uv.find_uv_bin(), "venv", "--quiet", "--python", sys.executable, place, cwd=ROOT)
    python = place / "bin" / "python"
    pip = (uv.find_uv_bin(), "pip", "install", "--quiet", "--python", python)
    run(*pip, "--require-hashes", "-r", ROOT / "requirements.lock", cwd=ROOT)
    run(*pip, "--no-deps", next(built.glob("*.whl")), cwd=ROOT)
    return place


def shipped(folder: str) -> set[str]:
    return {name.removeprefix(f"{folder}/") for name in git(ROOT, "ls-files", folder).split("\n") if name}


def test_the_wheel_holds_every_template_and_the_example(built: Path) -> None:
    names = zipfile.ZipFile(next(built.glob("*.whl"))).namelist()
    for folder, inside in (("templates", "mlops_ci/_templates/"), ("example_project", "mlops_ci/_example/")):
        assert {name.removeprefix(inside) for name in names if name.startswith(inside)} == shipped(folder)


def test_the_sdist_holds_them_too(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = archive.getnames()
    for folder in ("templates", "example_project"):
        found = {name.partition("/")[2] for name in names}
        assert {f"{folder}/{name}" for name in shipped(folder)} <= found


def test_the_core_install_is_under_250_mb(environment: Path) -> None:
    size = sum(path.stat().st_size for path in environment.rglob("*") if path.is_file() and not path.is_symlink())
    assert size < 250_000_000


def test_the_installed_tool_makes_a_project_from_its_own_templates(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,x,y\n" + "".join(f"{i},{i % 7},{i % 2}\n" for i in range(200)))
    tool = environment / "bin" / "mlops-ci"
    shown = run(tool, "init", "--data", "rows.csv", "--target", "y", cwd=tmp_path)
    assert "mlops.yaml" in shown
    assert (tmp_path / "pipeline" / "train.py").is_file()
    assert run(tool, "--version", cwd=tmp_path).startswith("mlops-ci ")
