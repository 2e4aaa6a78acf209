"""A project with the bundle of a model, whose image is built and pushed as a person does it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests import helpers, serving_bundles

_SETTINGS = """version: 1
project: bench
task: classification
data: {{sources: {{rows: rows.csv}}, target: target}}
package: {{image: {repository}, base: "{base}"}}
"""
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_BUILD = re.compile(r"^image .* ([0-9.]+) s$", re.MULTILINE)


class Pushed(NamedTuple):
    """Seconds of the build and of the whole command, layers the registry did not have, bytes of each layer there."""

    build: float
    command: float
    new_layers: int
    packed: tuple[int, ...]


class Desk:
    """A repository at `root`, and beside it a folder with the bundle."""

    def __init__(self, root: Path, registry: str, base: str) -> None:
        self._root, self._bundle, self._registry = root, root.with_name("bundle"), registry
        helpers.repo(root, {"mlops.yaml": _SETTINGS.format(repository=f"{registry}/bench/model", base=base)})

    def push(self, inverse_strength: float) -> Pushed:
        """With a model fitted anew, by that strength of regularization; all else stays."""
        shutil.rmtree(self._bundle, ignore_errors=True)
        lock = {"requirements.lock": (serving_bundles.RUNTIME / "requirements.lock").read_bytes()}
        serving_bundles.write(self._bundle, serving_bundles.binary(inverse_strength) | lock)
        command = ("image", "push", str(self._bundle), "--network", "host", "--json")
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "mlops_ci", "-C", str(self._root), *command],
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(done.stderr + done.stdout)
        said: dict[str, Any] = json.loads(done.stdout)
        found = _BUILD.search(done.stderr)
        if found is None:
            raise SystemExit(f"no time of the build in:\n{done.stderr}")
        return Pushed(float(found[1]), seconds, said["new_layers"], self._packed(said["image"]))

    def _packed(self, reference: str) -> tuple[int, ...]:
        name, _, digest = reference.partition("@")
        repository = name.partition("/")[2]
        address = f"http://{self._registry}/v2/{repository}/manifests/{digest}"
        layers = httpx.get(address, headers={"Accept": _MANIFEST}).raise_for_status().json()["layers"]
        return tuple(layer["size"] for layer in layers)
