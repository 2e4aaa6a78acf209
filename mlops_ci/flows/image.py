"""image: a bundle → its image → the image in a container → a registry."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.errors import ConfigError
from mlops_ci.records.images import Image
from mlops_ci.steps import image
from mlops_ci.steps.bundles import find_bundle
from mlops_ci.steps.image_context import write_context
from mlops_ci.steps.progress import Clock, Progress
from mlops_ci.steps.project import open_project


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """`bundle`: a release or a folder, empty the newest release. `network`: of the build, None for the engine's own.

    `context`: only write what is built, there.
    """

    bundle: str
    network: str | None = None
    context: Path | None = None
    push: bool = False


def make_image(start: Path, asked: Asked, progress: Progress) -> Image | None:
    """Build the image and try it out; pushed only where it answers as the judged model. None: only its context."""
    project = open_project(start)
    package = project.config.package
    if asked.push and package.image is None:
        where = project.config.place("package.image")
        raise ConfigError("it is not set: there is nowhere to push to", "Write it: ghcr.io/acme/flights.", where=where)
    bundle = find_bundle(start, asked.bundle, progress.note).folder
    recipe = image.recipe_of(project, bundle, image.names_of(project, bundle), asked.network)
    if asked.context is not None:
        write_context(recipe, start / asked.context)
        return None
    return image.make_image(recipe, Clock(progress), memory=package.memory, push=asked.push)
