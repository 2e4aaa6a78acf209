"""One registry and one server that speaks S3 for all tests of this folder, and a GitHub for each that asks."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.docker import machine
from tests.environments import python_with
from tests.github.fake import FakeGitHub
from tests.helpers import tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WORKFLOW = "on: workflow_dispatch\npermissions: {}\njobs: {release: {permissions: {contents: write}}}\n"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    """A GitHub, and the variables of a job that may write contents there."""
    tree({"release.yml": _WORKFLOW}, tmp_path / "workflows")
    with FakeGitHub(tmp_path / "workflows") as github:
        for name, value in github.environment("release.yml", "release").items():
            monkeypatch.setenv(name, value)
        yield github


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[machine.Registry]:
    """A registry that anybody may use."""
    registry = machine.Registry(tmp_path_factory.mktemp("registry"))
    yield registry
    registry.stop()


@pytest.fixture(scope="session")
def s3_python() -> Path:
    """A Python with obstore, what the tool needs, and a server that speaks S3."""
    return python_with("s3")


@pytest.fixture(scope="session")
def s3_server(s3_python: Path) -> Iterator[str]:
    """Its address; it has the bucket `models`."""
    port = machine.free_port()
    command = [str(s3_python), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        address = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                httpx.put(f"{address}/models").raise_for_status()
                break
            except httpx.HTTPError:
                assert server.poll() is None
                time.sleep(0.1)
        yield address
        server.terminate()
