"""What a bundle needs around it to run elsewhere: the few files of each target, as text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.config.yaml import scalar
from mlops_ci.packaging import locks
from mlops_ci.packaging.image import PORT
from mlops_ci.render import render

if TYPE_CHECKING:
    from collections.abc import Mapping

LAMBDA_BYTES = 262_144_000
"""Unzipped, of a function in AWS Lambda: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""

BUNDLE = "bundle/"
MAIN = "main.py"
SERVER = frozenset({"click", "h11", "httptools", "uvicorn", "uvloop"})
"""Of the lock of an ONNX model, what only the bundle's own server needs."""
_SHOWN = 5


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What compose.yaml says of the server; `memory`: MiB."""

    project: str
    image: str
    release: str
    memory: int


def lambda_files() -> dict[str, bytes]:
    """What lies in a zip for AWS Lambda beside bundle and libraries."""
    return {"lambda_function.py": render("targets/lambda_function.py").encode()}


def function_files(requirements: str) -> dict[str, bytes]:
    """What lies in a folder for the Functions Framework beside the bundle."""
    return {MAIN: main(), "requirements.txt": requirements.encode()}


def main() -> bytes:
    """What the Functions Framework looks into for `predict`."""
    return render(f"targets/{MAIN}").encode()


def requirements(lock: str, kit: str = "", *, without: frozenset[str] = frozenset()) -> str:
    """One lock: the packages of a bundle's but for some, in its versions, and beside them those of a kit."""
    own, beside = locks.read(lock, "requirements.lock"), locks.read(kit, "the kit")
    kept = [pin for pin in own.pins if pin.name not in without]
    names = {pin.name for pin in kept}
    pins = sorted([*kept, *(pin for pin in beside.pins if pin.name not in names)], key=lambda pin: pin.name)
    return "".join(f"{line}\n" for line in [*own.indexes, *(pin.text for pin in pins)])


def beside(lock: str, kit: str) -> str:
    """The lock of what a kit has and a bundle's lock has not: both laid side by side are one environment."""
    names = {pin.name for pin in locks.read(lock, "requirements.lock").pins}
    return "".join(f"{pin.text}\n" for pin in locks.read(kit, "the kit").pins if pin.name not in names)


def compose(service: Service) -> bytes:
    """compose.yaml (https://compose-spec.io)."""
    values = {name: scalar(getattr(service, name)) for name in ("project", "image", "release")}
    return render("targets/compose.yaml", **values, port=PORT, memory=service.memory).encode()


def largest(sizes: Mapping[str, int]) -> list[tuple[str, int]]:
    """What takes the room: the largest folders or files at the top, with their bytes. sizes: path -> bytes."""
    total: Counter[str] = Counter()
    for name, size in sizes.items():
        total[name.partition("/")[0]] += size
    return total.most_common(_SHOWN)
