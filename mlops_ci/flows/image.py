"""image: a bundle → its images → each in a container → a registry."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.errors import ConfigError, UsageError
from mlops_ci.records.images import Image, Target
from mlops_ci.steps import image
from mlops_ci.steps.bundles import find_bundle
from mlops_ci.steps.image_context import write_context
from mlops_ci.steps.progress import Clock, Progress
from mlops_ci.steps.project import open_project
from mlops_ci.steps.trust import demanded, require_signature


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """`bundle`: a release or a folder, empty the newest release. `network`: of the build, None for the engine's own.

    `targets`: which images, of those that mlops.yaml names or not; empty all that it names. `context`: only write what
    is built, there.
    """

    bundle: str
    targets: tuple[Target, ...] = ()
    network: str | None = None
    context: Path | None = None
    push: bool = False


def make_images(start: Path, asked: Asked, progress: Progress) -> tuple[Image, ...]:
    """Build the images and try them out; pushed only where all answer as the judged model. Empty: only a context."""
    project = open_project(start)
    package = project.config.package
    if asked.push and package.image is None:
        where = project.config.place("package.image")
        raise ConfigError("it is not set: there is nowhere to push to", "Write it: ghcr.io/acme/flights.", where=where)
    bundle = find_bundle(start, asked.bundle, progress.note).folder
    require_signature(bundle, demanded(start), progress.note)
    recipes = image.recipes_of(project, bundle, image.names_of(project, bundle), asked.network, targets=asked.targets)
    if asked.push:
        image.require_free_tags(project, recipes)
    if asked.context is not None:
        if len(recipes) > 1:
            names = " or ".join(recipe.target for recipe in recipes)
            raise UsageError("a folder holds the context of one image", f"Say of which: --target {names}.")
        write_context(recipes[0], start / asked.context)
        return ()
    return image.make_images(recipes, Clock(progress), memory=package.memory, push=asked.push)
