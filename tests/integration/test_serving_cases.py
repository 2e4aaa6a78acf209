"""Schemathesis asks a served bundle what its description allows, and what it does not: a short `bench.cases`."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.cases import command
from tests import serving_bundles
from tests.environments import required


@pytest.fixture(scope="module")
def schemathesis() -> Path:
    with required("Schemathesis"):
        return command.schemathesis()


def test_every_answer_is_one_that_is_described(schemathesis: Path, tmp_path: Path) -> None:
    found = command.run(schemathesis, tmp_path, serving_bundles.regression, examples=10, seed=7)
    assert found.failed == 0, found.words
    assert found.cases > 300


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        pytest.param("app.py", "= self._asked(table)", '= 1 // 0, ""', id="a crash"),
        pytest.param("questions.py", '{"predictions":', '{"prediction":', id="another answer"),
    ],
)
def test_a_server_that_is_wrong_is_found(
    schemathesis: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, right: str, wrong: str
) -> None:
    write = serving_bundles.write

    def broken(folder: Path, files: dict[str, bytes]) -> Path:
        bundle = write(folder, files)
        path = bundle / "serve" / "mlops_ci_serving" / file
        text = path.read_text(encoding="utf-8")
        assert text.count(right) == 1
        path.write_text(text.replace(right, wrong), encoding="utf-8")
        return serving_bundles.sealed(bundle)

    monkeypatch.setattr(serving_bundles, "write", broken)
    found = command.run(schemathesis, tmp_path, serving_bundles.regression, examples=3, seed=7)
    assert found.failed > 0
