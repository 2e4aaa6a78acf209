"""The project's environment, made by the real uv from wheels in a folder, and the active one without a lock."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from mlops_ci.edge import environment
from mlops_ci.errors import ConfigError, OutsideError


def _wheel(folder: Path, name: str, version: str) -> str:
    """A wheel with one module; the sha256 of it."""
    folder.mkdir(exist_ok=True)
    path, info = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Project:
    def __init__(self, root: Path) -> None:
        self.root, self.into, self.wheels = root / "project", root / "project" / ".mlops-ci" / "env", root / "wheels"
        self.root.mkdir()
        self.said: list[str] = []
        self.hash = _wheel(self.wheels, "tiny_one", "1.0")

    def lock(self, text: str | None = None) -> None:
        text = text or f"# made by hand\ntiny-one==1.0 \\\n    --hash=sha256:{self.hash}\n    # via nobody\n"
        (self.root / "requirements.lock").write_text(text, encoding="utf-8")

    def resolve(self) -> environment.ProjectEnvironment:
        return environment.resolve(self.root, self.into, say=self.said.append)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = Project(tmp_path)
    monkeypatch.setenv("UV_FIND_LINKS", str(made.wheels))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    return made


def test_a_lock_becomes_an_environment_once(project: Project):
    project.lock()
    first = project.resolve()
    assert (first.locked, first.source, first.packages) == (True, "requirements.lock", {"tiny-one": "1.0"})
    found = subprocess.run(
        [first.python, "-c", "import tiny_one; print(tiny_one.VERSION)"], capture_output=True, check=True
    )
    assert found.stdout.strip() == b"1.0"
    assert first.python.is_relative_to(project.into)
    assert project.resolve() == first
    assert project.said == ["making the project's environment from requirements.lock"]


def test_another_lock_is_another_environment_with_another_digest(project: Project):
    project.lock()
    first = project.resolve()
    (project.root / "requirements.lock").write_text("# nothing is needed\n", encoding="utf-8")
    second = project.resolve()
    assert second.packages == {}
    assert second.digest != first.digest
    assert second.python != first.python
    assert first.python.exists()


def test_an_environment_that_was_not_finished_is_made_again(project: Project):
    project.lock()
    first = project.resolve()
    place = first.python.parent.parent
    (place / "mlops-ci-ready.json").unlink()
    (place / "half").touch()
    assert project.resolve() == first
    assert not (place / "half").exists()


def test_an_environment_whose_python_is_not_on_this_machine_is_made_again(project: Project):
    project.lock()
    first = project.resolve()
    first.python.unlink()
    first.python.symlink_to("/nowhere/python3")
    assert project.resolve() == first
    assert first.python.exists()


def test_two_at_once_make_one(project: Project):
    project.lock()
    found: list[environment.ProjectEnvironment] = []
    threads = [threading.Thread(target=lambda: found.append(project.resolve())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert len({(one.digest, one.python) for one in found}) == 1
    assert project.said.count("making the project's environment from requirements.lock") == 1


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("# c\n\ntiny-one==1.0\n", "requirements.lock:3", "tiny-one==1.0 has no --hash"),
        ("a==1 \\\n    --hash=sha256:aa\nb==2 \\\n    --no-hash\n", "requirements.lock:3", "b==2 has no --hash"),
        ("-e .\n", "requirements.lock:1", "-e . has no hash"),
    ],
)
def test_a_lock_without_hashes_is_refused_with_its_line(project: Project, text: str, where: str, said: str):
    project.lock(text)
    with pytest.raises(ConfigError) as caught:
        project.resolve()
    assert (caught.value.where, caught.value.message) == (where, said)
    assert not project.into.exists()


def test_a_file_that_is_not_the_locked_one_is_refused(project: Project):
    project.lock(f"tiny-one==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(OutsideError) as caught:
        project.resolve()
    assert "ash" in caught.value.message
    assert "lock" in caught.value.advice
    project.lock()
    assert project.resolve().packages == {"tiny-one": "1.0"}


def test_a_version_nobody_has_is_told_in_uvs_words(project: Project):
    project.lock(f"tiny-one==2.0 --hash=sha256:{project.hash}\n")
    with pytest.raises(OutsideError, match=r"tiny-one==2\.0"):
        project.resolve()


def test_a_python_nobody_has_is_told(project: Project):
    project.lock()
    (project.root / ".python-version").write_text(">=3.99\n", encoding="utf-8")
    with pytest.raises(OutsideError) as caught:
        project.resolve()
    assert caught.value.advice == "install that Python, or change .python-version"


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({}, f"{sys.version_info.major}.{sys.version_info.minor}"),
        ({".python-version": "# the one\n3.12\n"}, "3.12"),
        ({"pyproject.toml": "[project]\nrequires-python = '>=3.10,<4'\n"}, ">=3.10,<4"),
        ({"pyproject.toml": "[tool.x]\n"}, f"{sys.version_info.major}.{sys.version_info.minor}"),
    ],
)
def test_the_version_of_python_is_the_projects(tmp_path: Path, files: dict[str, str], wanted: str):
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert environment.wanted_python(tmp_path) == wanted


def test_a_version_that_is_an_option_is_refused(tmp_path: Path):
    (tmp_path / ".python-version").write_text("--index-url=x\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="no version of Python"):
        environment.wanted_python(tmp_path)


def test_a_uv_lock_is_installed_without_the_project_itself(project: Project):
    (project.root / "pyproject.toml").write_text(
        "[project]\nname = 'mine'\nversion = '1'\nrequires-python = '>=3.11'\ndependencies = ['tiny-one']\n"
        f"[tool.uv]\npackage = true\nno-index = true\nfind-links = ['{project.wheels}']\n",
        encoding="utf-8",
    )
    uv = Path(sys.executable).parent / "uv"
    environ = {key: value for key, value in os.environ.items() if key not in ("UV_NO_CONFIG", "UV_FIND_LINKS")}
    subprocess.run([uv, "lock", "--quiet", "--python", sys.executable], cwd=project.root, check=True, env=environ)
    found = project.resolve()
    assert (found.source, found.packages) == ("uv.lock", {"tiny-one": "1.0"})


def test_without_a_lock_the_active_environment_is_used_and_said_to_be_so(project: Project, monkeypatch):
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    found = project.resolve()
    assert not found.locked
    assert found.source == "the active environment"
    assert found.python == Path(sys.prefix) / "bin" / "python"
    assert found.packages["pandas"]
    assert found.digest == project.resolve().digest


def test_an_environment_in_the_project_comes_before_what_is_on_the_path(project: Project):
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, project.root / ".venv"], check=True)
    before = project.resolve()
    assert (before.source, before.packages) == ("the environment in .venv", {})
    subprocess.run([uv, "pip", "install", "--quiet", "--python", before.python, "--no-index", "tiny-one"], check=True)
    after = project.resolve()
    assert after.packages == {"tiny-one": "1.0"}
    assert after.digest != before.digest


def test_an_active_environment_that_is_broken_is_told(project: Project, tmp_path: Path, monkeypatch):
    binary = tmp_path / "broken" / "bin" / "python"
    binary.parent.mkdir(parents=True)
    shutil.copy(shutil.which("false") or "/bin/false", binary)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "broken"))
    with pytest.raises(OutsideError, match="does not start"):
        project.resolve()
