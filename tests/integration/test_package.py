"""`mlops-ci package` without a platform: what it writes, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_ci.errors import InputError
from mlops_ci.packaging import targets
from mlops_ci.records.targets import Packaged
from mlops_ci.steps.package import refuse_too_large
from tests import helpers, serving_bundles

BASE = f"python:3.12-slim@sha256:{'a' * 64}"
SETTINGS = f"""version: 1
project: flights
task: regression
data: {{sources: {{rows: rows.csv}}, target: y}}
package: {{image: ghcr.io/acme/flights, base: {BASE}, memory: 256}}
"""


def package(folder: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    command = [sys.executable, "-m", "mlops_ci", "package", *arguments, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = helpers.repo(tmp_path / "project", {"mlops.yaml": SETTINGS})
    lock = {"requirements.lock": b"msgspec==0.20.0 \\\n    --hash=sha256:aa\nuvicorn==0.1 \\\n    --hash=sha256:bb\n"}
    serving_bundles.write(tmp_path / "bundle", serving_bundles.regression() | lock)
    return root


def test_compose_is_what_the_specification_says(project: Path, golden: Callable[[str, str], None]) -> None:
    told = package(project, "compose", "../bundle", "service")
    text = (project / "service" / "compose.yaml").read_text()
    golden("targets/compose.yaml", text.replace(told["bundle"][:12], "DIGEST"))
    # https://github.com/compose-spec/compose-spec/blob/main/schema/compose-spec.json
    command = [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec"]
    subprocess.run([*command, project / "service" / "compose.yaml"], check=True)
    server = yaml.safe_load(text)["services"]["server"]
    assert (server["user"], server["read_only"], server["cap_drop"]) == ("65532:65532", True, ["ALL"])
    assert server["deploy"]["resources"]["limits"]["memory"] == "256M"
    assert (project / "service" / "Dockerfile").is_file()


def test_the_schema_would_see_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {server: {image: x, port: 8000}}")
    command = [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec"]
    assert subprocess.run([*command, tmp_path / "compose.yaml"], capture_output=True, check=False).returncode == 1


def test_nothing_is_written_over(project: Path) -> None:
    package(project, "functions", "../bundle", "function")
    for target, output in (("functions", "function"), ("compose", "function"), ("lambda", "function")):
        assert package(project, target, "../bundle", output, code=2)["error"]["code"] == "usage"


def test_a_changed_bundle_is_not_packaged(project: Path) -> None:
    (project.parent / "bundle" / "model.onnx").write_bytes(b"another")
    for target in ("functions", "compose", "lambda"):
        assert "model.onnx was changed" in package(project, target, "../bundle", "out", code=2)["error"]["message"]
    assert not (project / "out").exists()


def test_requirements_keep_the_versions_of_the_bundle(project: Path) -> None:
    package(project, "functions", "../bundle", "function")
    text = (project / "function" / "requirements.txt").read_text()
    assert "msgspec==0.20.0" in text
    assert "uvicorn==0.1" not in text  # the bundle's server stays behind; the framework brings its own
    assert "functions-framework==" in text
    assert all(line.startswith(("    --hash", "msgspec")) or "==" in line for line in text.splitlines())


def test_what_is_too_large_for_lambda_is_refused_with_what_takes_the_room() -> None:
    sizes = {"torch/a.so": targets.LAMBDA_BYTES, "torch/b.so": 1, "bundle/model.onnx": 7}
    made = Packaged(
        target="lambda",
        output="x.zip",
        bytes=0,
        unpacked=sum(sizes.values()),
        largest=tuple(targets.largest(sizes)),
        bundle="",
    )
    with pytest.raises(InputError, match=r"262,144,000: torch 262 MB, bundle 7"):
        refuse_too_large(made)
    refuse_too_large(Packaged(target="", output="", bytes=0, unpacked=targets.LAMBDA_BYTES, largest=(), bundle=""))
