"""package: a bundle → what another platform runs."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.records.targets import Packaged
from mlops_ci.steps import compose, package
from mlops_ci.steps.bundles import find_bundle
from mlops_ci.steps.package import Machine
from mlops_ci.steps.progress import Clock, Progress
from mlops_ci.steps.project import open_project
from mlops_ci.steps.trust import demanded, require_signature


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """`target`: lambda, functions or compose. `bundle`: a release or a folder. python, architecture: of lambda."""

    target: str
    bundle: str
    output: str
    python: str = ""
    architecture: str = "x86_64"


def make_package(start: Path, asked: Asked, progress: Progress) -> Packaged:
    """Write it."""
    found = find_bundle(start, asked.bundle, progress.note)
    require_signature(found.folder, demanded(start), progress.note)
    output = start / asked.output
    with Clock(progress).step("package", f"for {asked.target}") as line:
        if asked.target == "lambda":
            made = package.lambda_zip(found.folder, output, Machine(asked.python, asked.architecture))
        elif asked.target == "functions":
            made = package.functions_folder(found.folder, output)
        else:
            made = compose.compose_folder(open_project(start), found.folder, output)
        line.found = package.told(made)
    return made
