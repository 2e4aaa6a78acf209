"""The command `python -m bench.image`: sizes of an image and its libraries; exit code 1 where a claim does not hold.

The real runtime with ONNX Runtime and a logistic regression, built by a Docker Engine and pushed into a registry, both
started for as long as it runs and on 127.0.0.1 only (tests/docker/machine.py); the base is Debian with Python.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.image import installed
from bench.image.desk import Desk, Pushed
from tests.docker import machine

_PROGRAMS = ("dockerd", "docker-registry", "debootstrap")
_PACKED = 110e6
_SECONDS = 3.0
_LAYERS = ("base", "libraries", "runtime", "model")


def main(arguments: Sequence[str] = ()) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.image", description=__doc__)
    parser.add_argument("--turns", type=int, default=5, help="new models, of which the quickest counts (5)")
    chosen = parser.parse_args(arguments)
    if missing := [name for name in _PROGRAMS if not shutil.which(name)]:
        raise SystemExit(f"not on this machine: {', '.join(missing)}")
    with tempfile.TemporaryDirectory() as folder, machine.daemon() as engine:
        os.environ["DOCKER_HOST"] = engine.address
        registry = machine.Registry(Path(folder))
        try:
            base = machine.base(engine, registry, machine.base_archive())
            desk = Desk(Path(folder) / "project", registry.address, base)
            pushed = [desk.push(1 + turn / 8) for turn in range(chosen.turns + 1)]
        finally:
            registry.stop()
    ours, mlflow = installed.sizes()
    told = [*_image(pushed[0]), *_libraries(ours, mlflow), *_rebuilds(pushed[1:])]
    print("\n".join(f"{'holds' if holds else 'DOES NOT HOLD'}: {text}" for text, holds in told))
    return 0 if all(holds for _, holds in told) else 1


def _image(first: Pushed) -> list[tuple[str, bool]]:
    of_base = len(first.packed) - len(_LAYERS) + 1
    sizes = (sum(first.packed[:of_base]), *first.packed[of_base:])
    print("packed, as pushed")
    for name, size in zip(_LAYERS, sizes, strict=True):
        print(f"  {name:<26} {size / 1e6:8.2f} MB")
    print(f"  {'all':<26} {sum(sizes) / 1e6:8.2f} MB")
    return [
        (f"the image is {sum(sizes) / 1e6:.0f} MB packed (wanted: under {_PACKED / 1e6:.0f})", sum(sizes) < _PACKED)
    ]


def _libraries(ours: int, mlflow: int) -> list[tuple[str, bool]]:
    print("what is installed for the model")
    print(f"  {'lock of the bundle':<26} {ours / 1e6:8.0f} MB")
    print(f"  {'requirements by MLflow':<26} {mlflow / 1e6:8.0f} MB")
    share = ours / mlflow
    return [(f"libraries are {share:.2f} of what MLflow's requirements install (wanted: under 1/3)", share < 1 / 3)]


def _rebuilds(pushed: Sequence[Pushed]) -> list[tuple[str, bool]]:
    print("a new model: build, the whole command (smoke test and push too), layers that were new")
    for each in pushed:
        print(f"  {each.build:8.1f} s {each.command:8.1f} s {each.new_layers:4}")
    least = min(each.build for each in pushed)
    return [
        (f"with a new model it is built in {least:.1f} s (wanted: under {_SECONDS:.0f})", least < _SECONDS),
        ("with a new model one layer is pushed", {each.new_layers for each in pushed} == {1}),
    ]
