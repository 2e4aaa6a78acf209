"""An engine and a registry for the image of a story's project, where this machine has them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from mlops_ci.packaging.image import INDEXES
from tests.docker import machine

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class Images(NamedTuple):
    """Where the project's image is pushed and what it stands on; `environment`: of the jobs that build it."""

    image: str
    base: str
    environment: dict[str, str]

    @property
    def settings(self) -> str:
        """For mlops.yaml."""
        return f"package:\n  image: {self.image}\n  base: {self.base}\n"


@contextmanager
def images(folder: Path) -> Iterator[Images | None]:
    """Images for as long as the block runs; None where this machine cannot build any."""
    if os.geteuid() != 0 or not all(shutil.which(part) for part in machine.PARTS[:3]):
        yield None
        return
    folder.mkdir(parents=True, exist_ok=True)
    registry = machine.Registry(folder)
    try:
        with machine.daemon() as engine:
            told = {name: os.environ[name] for name in INDEXES if name in os.environ}
            yield Images(
                image=f"{registry.address}/acme/desk",
                base=machine.base(engine, registry, machine.base_archive()),
                environment=told | {"DOCKER_HOST": engine.address},
            )
    finally:
        registry.stop()


def in_registry(reference: str) -> bool:
    """Whether the registry has what `repository@sha256:…` names."""
    name, _, digest = reference.partition("@")
    host, _, repository = name.partition("/")
    answer = httpx.get(f"http://{host}/v2/{repository}/manifests/{digest}", headers={"Accept": _MANIFEST})
    return answer.status_code == 200 and answer.headers["Docker-Content-Digest"] == digest
