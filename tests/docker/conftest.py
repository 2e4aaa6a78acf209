"""One engine, one registry and one base image for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker import machine
from tests.docker.machine import Daemon, Registry
from tests.docker.project import Project


@pytest.fixture(scope="session")
def engine() -> Iterator[Daemon]:
    with machine.daemon() as running:
        yield running


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    running = Registry(tmp_path_factory.mktemp("registry"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def base(engine: Daemon, registry: Registry) -> str:
    """The base image by its digest."""
    return machine.base(engine, registry, machine.base_archive())


@pytest.fixture
def project(tmp_path: Path, base: str, engine: Daemon, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose image goes into the registry, and a bundle of it."""
    monkeypatch.setenv("DOCKER_HOST", engine.address)
    return Project(tmp_path / "project", image=f"{registry.address}/acme/lines", base=base)
