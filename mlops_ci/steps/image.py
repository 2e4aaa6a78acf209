"""The image of a bundle: built, tried out in a container, and only then pushed."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import msgspec

from mlops_ci.edge import tars
from mlops_ci.edge.docker import Engine
from mlops_ci.errors import ConfigError, OutsideError, UsageError
from mlops_ci.packaging.image import INDEXES, TIME
from mlops_ci.records.images import Built, Image, ImageNames, Smoke
from mlops_ci.reports import numbers
from mlops_ci.steps.image_context import Recipe, bundle_digest, context
from mlops_ci.steps.progress import Clock
from mlops_ci.steps.project import Project
from mlops_ci.steps.releases import of_bundle
from mlops_ci.steps.smoke import smoke

_SERVING = "serving.json"
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_MIB = 2**20


class _Serving(msgspec.Struct, frozen=True):
    project: str
    commit: str


def make_image(recipe: Recipe, clock: Clock, *, memory: int, push: bool = False) -> Image:
    """Build, try out with `memory` MiB and, where it answers as the judged model and that is wanted, push."""
    with Engine.connect() as engine:
        with clock.step("image", "asking the Docker daemon") as line:
            built = _built(engine, recipe, clock)
            line.found = f"{len(built.layers)} layers, {numbers.size(built.bytes)}"
        with clock.step("smoke", "starting it, asking it the golden requests") as line:
            tried = smoke(engine, built, recipe.bundle, recipe.names.bundle, memory=memory * _MIB)
            line.found = _told(tried)
        made = Image(bundle=recipe.names.bundle, base=recipe.base, built=built, smoke=tried)
        if not (push and tried.ok):
            return made
        with clock.step("push", "asking the registry") as line:
            pushed = engine.push(built.name, lambda text: clock.say("push", text))
            line.found = f"{pushed.new_layers} of {pushed.layers} layers new"
    return msgspec.structs.replace(made, pushed=pushed)


def _built(engine: Engine, recipe: Recipe, clock: Clock) -> Built:
    """What the engine has of an earlier image with the same libraries, it takes from there."""
    entries = context(recipe)
    with tempfile.TemporaryFile() as file:
        tars.write(file, entries, time=TIME)
        file.seek(0)
        say = lambda text: clock.say("image", text)  # noqa: E731
        return engine.build(file, recipe.name, told=INDEXES, network=recipe.network, say=say)


def _told(tried: Smoke) -> str:
    if not tried.ok:
        return "refused"
    memory = f"{tried.peak_memory / _MIB:.0f} of {tried.memory / _MIB:.0f} MiB"
    return f"{tried.rows} answers as judged, ready in {tried.seconds:.1f} s, {memory}"


def tag(image: Image, release: str, clock: Clock) -> None:
    """Give an image that was pushed the name of its release too. The digest is the same; where it fails it is told."""
    repository = image.built.name.rpartition(":")[0]
    try:
        with Engine.connect() as engine, clock.step("tag", f"pushing {repository}:{release}") as line:
            engine.tag(image.built.image, repository, release)
            engine.push(f"{repository}:{release}", lambda text: clock.say("tag", text))
            line.found = f"{repository}:{release}"
    except OutsideError as error:
        clock.note(f"tag       {repository}:{release} could not be pushed: {error.message}")


def require_base(project: Project) -> None:
    """ConfigError where an image has nothing to stand on."""
    package = project.config.package
    if not package.base and not package.dockerfile:
        raise ConfigError(
            "it is not set: an image needs a base, named by its digest",
            "Choose one with Python 3.11 or later and pip. `docker buildx imagetools inspect python:3.12-slim` shows "
            "its digest; then write package: {base: python:3.12-slim@sha256:…}",
            where=project.config.place("package.base"),
        )


def recipe_of(project: Project, bundle: Path, names: ImageNames, network: str | None = None) -> Recipe:
    """How the project wants the image of a bundle. ConfigError where base or Dockerfile are not there."""
    require_base(project)
    package = project.config.package
    return Recipe(
        bundle=bundle,
        names=names,
        repository=package.image or project.config.project,
        base=package.base or "",
        dockerfile=_own(project, package.dockerfile) if package.dockerfile else None,
        network=network,
    )


def _own(project: Project, name: str) -> str:
    try:
        return (project.root / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        where = project.config.place("package.dockerfile")
        raise ConfigError(f"{name} cannot be read: {error}", "Name a Dockerfile of the project.", where=where) from None


def names_of(project: Project, bundle: Path) -> ImageNames:
    """What a folder and the ledger say of the image it becomes. UsageError where it is no bundle, or was changed."""
    digest = bundle_digest(bundle)
    try:
        served = msgspec.json.decode((bundle / _SERVING).read_bytes(), type=_Serving)
    except (OSError, msgspec.MsgspecError) as error:
        raise UsageError(f"{bundle / _SERVING} cannot be read: {error}", "Make it again: mlops-ci release") from None
    known = project.repository.find(served.commit) if _COMMIT.fullmatch(served.commit) else None
    created = project.repository.commit_info(known).committed if known else ""
    names = ImageNames(project=served.project, bundle=digest, commit=served.commit, created=created)
    if (found := of_bundle(project.repository, project.config.project, digest)) is None:
        return names
    return msgspec.structs.replace(names, release=found.release, decision=found.decision)
