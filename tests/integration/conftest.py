"""One registry and one server that speaks S3 for all tests of this folder, and a GitHub for each that asks."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from mlops_ci.edge import patience
from tests.between import Between
from tests.docker import machine
from tests.environments import python_with
from tests.github.fake import FakeGitHub
from tests.helpers import tree
from tests.integration.elsewhere import Behind, OnGitHub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.elsewhere import Elsewhere

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


@pytest.fixture(params=["github-release", pytest.param("oci", marks=pytest.mark.needs("docker-registry")), "s3"])
def elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Elsewhere]:
    """Each kind of store that other machines reach, in turn; nobody sleeps before another try."""
    quick = patience.Time(sleep=lambda seconds: None)
    if request.param == "github-release":
        monkeypatch.setattr("mlops_ci.edge.github.transport.Time", lambda: quick)
        yield OnGitHub(request.getfixturevalue("hub"))
        return
    place = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    if request.param == "oci":
        monkeypatch.setattr("mlops_ci.edge.stores.registry.Time", lambda: quick)
        between = Between(f"http://{request.getfixturevalue('running').address}")
        yield Behind(f"oci://{between.address}/acme/{place}", between)
    else:
        between = Between(request.getfixturevalue("s3_server"))
        (packages,) = request.getfixturevalue("s3_python").parents[1].glob("lib/python*/site-packages")
        monkeypatch.setattr(sys, "path", [*sys.path, str(packages)])  # obstore alone is found there
        for name, value in {"ENDPOINT_URL": between.server.url, "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "s"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        yield Behind(f"s3://models/{place}", between)
    between.stop()


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
