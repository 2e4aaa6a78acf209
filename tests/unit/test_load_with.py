"""Which later versions a bundle is tried with, and what may refuse a release."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from mlops_ci.edge import neighbours, runtime
from mlops_ci.edge.environment import ProjectEnvironment
from mlops_ci.edge.neighbours import NoSuchVersionError
from mlops_ci.errors import OutsideError
from mlops_ci.records.bundles import Golden
from mlops_ci.steps.bundle import Bundle
from mlops_ci.steps.load_with import loads_with, next_version

GOLDEN = Golden(version=1, columns=(), rows=(), answers={}, tolerance=0.0, quantum=1.0, fingerprint="f")
HERE = ProjectEnvironment(
    python=Path("python"),
    digest="",
    locked=True,
    packages={"onnxruntime": "1.32.0", "numpy": "2.4.6", "scikit-learn": "1.9.1"},
    version="3.11.7",
    source="requirements.lock",
)


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    (tmp_path / "requirements.lock").write_text("numpy==2.4.6\nscikit-learn==1.9.1\nx==1 ; sys_platform == 'win32'\n")
    monkeypatch.setattr(runtime, "environment_for", lambda folder, say: HERE)
    return Bundle(folder=tmp_path, digest="", bytes=0, files=0, golden=GOLDEN, restored=False)


@pytest.mark.parametrize(
    ("version", "neighbour", "wanted"),
    [
        ("1.9.1", "patch", "numpy>1.9.1,<1.10"),
        ("1.9.1", "minor", "numpy>=1.10,<1.11"),
        ("2", "minor", "numpy>=2.1,<2.2"),
    ],
)
def test_the_range_of_a_neighbour(version: str, neighbour: str, wanted: str) -> None:
    assert next_version("numpy", version, neighbour) == wanted


def test_nothing_is_made_where_nothing_is_asked(bundle: Bundle) -> None:
    assert loads_with(bundle, "onnx", ("locked",), print) == ()


@pytest.mark.parametrize(
    ("found", "status", "told"),
    [
        (runtime.Conforms(fingerprint="f", golden=32), "passed", "scikit-learn 1.10.0: the judged answers"),
        (runtime.Conforms(fingerprint="g", golden=32), "failed", "scikit-learn 1.10.0: it behaves otherwise"),
        (
            runtime.Conforms(error=runtime.Problem(message="No module named '_loss'")),
            "failed",
            "scikit-learn 1.10.0: No module named '_loss'",
        ),
        (NoSuchVersionError("no solution found"), "skipped", "there is none that fits"),
        (OutsideError("uv cannot: failed to fetch\nmore"), "skipped", "could not be asked: uv cannot: failed to fetch"),
    ],
)
def test_what_came_of_it(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, found: object, status: str, told: str
) -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []

    def environment_with(folder: Path, wanted: str, names: list[str], **more: object) -> ProjectEnvironment:
        asked.append((wanted, tuple(names)))
        if isinstance(found, Exception):
            raise found
        return msgspec.structs.replace(HERE, packages={"scikit-learn": "1.10.0"})

    monkeypatch.setattr(neighbours, "environment_with", environment_with)
    monkeypatch.setattr(runtime, "conforms", lambda folder, python: found)
    (result,) = loads_with(bundle, "skops", ("locked", "minor"), print)
    assert asked == [("scikit-learn>=1.10,<1.11", ("numpy",))]
    assert (result.check, result.status) == ("bundle_loads_with", status)
    assert told in result.message
